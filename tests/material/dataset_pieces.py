"""A small frozen dataset, and the pieces that come of it, for tests of export formats."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from services.datasets.domain import formats
from services.datasets.domain.exports import Entry, ExportFormat, ExportOptions
from services.datasets.domain.items import Audio
from services.datasets.domain.recipes import Piece
from services.datasets.domain.snapshots import SnapshotMember

CAPTIONS = (
    "Dusty soul sample over a slow drum machine, warm electric piano and bass, melancholic and deep. BPM: 95",
    'Nächtlicher Techno: driving kick, acid synthesizer, "dark" & hypnotic. BPM: 127.5',
    "Bright acoustic guitar with strings, hopeful film cue. BPM: 72",
    "Sparse organ drone over field recordings, slow and meditative. BPM: 60",
)
_FACTS = (
    # media type, seconds, rate, channels, tempo, key, time signature, licence, Live Set
    ("audio/wav", 72.5, 48_000, 2, 95.04, "B minor", "4/4", "cc-by-4.0", "one"),
    ("audio/mpeg", 200.25, 44_100, 2, 127.5, "F# Major", "6/8", "cc-by-4.0", "two"),
    ("audio/flac", 31.0, 44_100, 1, 0.0, "", "", "all rights reserved", ""),
    ("audio/aiff", 64.0, 96_000, 2, 60.0, "D Dorian", "5/4", "cc-by-4.0", "one"),
)


def members() -> list[SnapshotMember]:
    """Four items: WAV, MP3, FLAC and AIFF, with and without tempo and key; the first and last are of one Live Set."""
    return [_member(index) for index in range(len(CAPTIONS))]


def pieces(
    export_format: ExportFormat, options: ExportOptions, of: Sequence[SnapshotMember] | None = None
) -> list[Piece]:
    """The pieces of the items in a format, with made-up objects."""
    how = formats.recipe(export_format, options)
    return [_kept(piece) for piece in formats.planned_pieces(how, members() if of is None else of)]


def written(entries: Sequence[Entry], folder: Path, audio: Callable[[Entry], bytes]) -> Path:
    """The files of an archive in a folder, as if it had been unpacked there."""
    for entry in entries:
        path = folder / entry.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(audio(entry) if entry.object_key else entry.inline)
    return folder


def _member(index: int) -> SnapshotMember:
    media_type, duration_s, rate_hz, channels, tempo_bpm, key, signature, licence, live_set = _FACTS[index]
    uid, sha256 = f"item{index + 1}", hashlib.sha256(bytes([index])).hexdigest()
    audio = Audio(
        f"artists/nova/assets/{uid}", f"{uid}.bin", f"artists/nova/blobs/{sha256}", sha256, index + 1, 1000 + index,
        media_type, duration_s, rate_hz, channels, pcm_sha256=sha256[::-1], peak=0.9, loudness_lufs=-14.0,
    )  # fmt: skip
    return SnapshotMember(
        position=index + 1,
        item_uid=uid,
        item_name=f"artists/nova/training-items/{uid}",
        display_name=f"Night {index + 1}",
        audio=audio,
        caption=CAPTIONS[index],
        caption_revision=1,
        content_revision=1,
        live_set=f"artists/nova/live-sets/{live_set}" if live_set else "",
        licence=licence,
        tempo_bpm=tempo_bpm,
        key=key,
        time_signature=signature,
    )


def _kept(piece: Piece) -> Piece:
    name = f"{piece.member.position}/{piece.index}"
    return replace(
        piece,
        object_key=piece.object_key or f"artists/nova/datasets/audio/{name}",
        size_bytes=piece.size_bytes or 5000 + piece.index,
        crc32=piece.crc32 or zlib.crc32(name.encode()),
        sha256=piece.sha256 or hashlib.sha256(name.encode()).hexdigest(),
    )
