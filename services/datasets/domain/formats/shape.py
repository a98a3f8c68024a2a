"""What all formats have in common: samples, their files, texts, and the split for validation."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from services.datasets.domain.captions import split_tag
from services.datasets.domain.exports import Entry, ExportOptions
from services.datasets.domain.formats.captions import composed, tempo_of
from services.datasets.domain.recipes import Encoding, Piece
from services.datasets.domain.snapshots import SnapshotMember

WAV = frozenset({"audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave"})
MP3 = frozenset({"audio/mpeg", "audio/mp3"})
FLAC = frozenset({"audio/flac", "audio/x-flac"})
OGG = frozenset({"audio/ogg"})
OPUS = frozenset({"audio/opus"})
AIFF = frozenset({"audio/aiff", "audio/x-aiff"})
M4A = frozenset({"audio/mp4", "audio/x-m4a", "audio/m4a"})
_SUFFIXES = {WAV: ".wav", MP3: ".mp3", FLAC: ".flac", OGG: ".ogg", OPUS: ".opus", AIFF: ".aiff", M4A: ".m4a"}
SUFFIXES = {media_type: suffix for media_types, suffix in _SUFFIXES.items() for media_type in media_types}


@dataclass(frozen=True, slots=True)
class ArchiveKind:
    """How files are packed into one.

    Attributes:
        suffix: End of the archive's file name.
        media_type: What the archive is.
    """

    suffix: str
    media_type: str


ZIP = ArchiveKind(".zip", "application/zip")
TAR = ArchiveKind(".tar", "application/x-tar")


@dataclass(frozen=True, slots=True)
class Sample:
    """One piece of audio with what a trainer is told about it.

    Attributes:
        piece: The audio.
        stem: Name of its files without folder and suffix; holds neither a dot nor `_chunk`.
        caption: The caption with trigger, suffix and tempo tag.
        body: The caption without trigger and tempo tag, with the suffix.
        bpm: Beats per minute; 0 when unknown.
    """

    piece: Piece
    stem: str
    caption: str
    body: str
    bpm: float

    @property
    def member(self) -> SnapshotMember:
        """The item behind it."""
        return self.piece.member

    @property
    def suffix(self) -> str:
        """End of the audio file's name, with its dot."""
        return SUFFIXES[self.piece.media_type]


LayOutSamples = Callable[[Sequence[Sample], ExportOptions, str], list[Entry]]


@dataclass(frozen=True, slots=True)
class Shape:
    """One format.

    Attributes:
        accepted: Media types that its reader takes as they are.
        lay_out: Its files from samples, options and the dataset's name.
        encoding: What files made anew are.
        kind: How files are packed.
        always_cut: Whether its reader wants pieces of at most 30 s.
        shortest_s: Length below which its reader leaves a file out.
        longest_s: Length above which its reader leaves the rest out; 0 for no limit.
        has_split: Whether it knows a validation split.
    """

    accepted: frozenset[str]
    lay_out: LayOutSamples
    encoding: Encoding = Encoding.WAV
    kind: ArchiveKind = ZIP
    always_cut: bool = False
    shortest_s: float = 0.0
    longest_s: float = 0.0
    has_split: bool = False


def samples_of(pieces: Sequence[Piece], options: ExportOptions) -> list[Sample]:
    """The pieces with the names and captions that they get in every format."""
    digits = max([4, *(len(str(piece.member.position)) for piece in pieces)])
    found = []
    for piece in pieces:
        member = piece.member
        stem = f"track-{member.position:0{digits}d}"
        if piece.count > 1:
            stem += f"-{piece.index + 1:0{max(2, len(str(piece.count)))}d}"
        caption = composed(member.caption, trigger=options.trigger, suffix=options.suffix)
        body, _tag = split_tag(composed(member.caption, suffix=options.suffix))
        found.append(Sample(piece, stem, caption, body, tempo_of(member)))
    return found


def audio(sample: Sample, name: str) -> Entry:
    """The sample's audio as a file of that name."""
    piece = sample.piece
    return Entry(
        name,
        piece.crc32,
        piece.size_bytes,
        piece.sha256,
        object_key=piece.object_key,
        training_item=sample.member.item_name,
        conversion=piece.conversion,
        start_s=piece.start_s,
        duration_s=piece.duration_s,
        rate_hz=piece.rate_hz,
        channels=piece.channels,
    )


def text(name: str, words: str, sample: Sample | None = None) -> Entry:
    """A text file in UTF-8, about the sample or about the whole."""
    data = words.encode()
    return Entry(name, zlib.crc32(data), len(data), "", data, training_item=sample.member.item_name if sample else "")


def as_json(value: Any) -> str:
    """The value as indented JSON with a newline at its end."""
    return json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def as_json_lines(values: Sequence[Any]) -> str:
    """The values as JSON, one per line."""
    return "".join(json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n" for value in values)


def anonymous_artist(member: SnapshotMember) -> str:
    """A stable stand-in for the artist's name that does not tell it."""
    artist = member.item_name.split("/")[1] if "/" in member.item_name else ""
    return f"artist-{hashlib.sha256(artist.encode()).hexdigest()[:8]}"


def split(samples: Sequence[Sample], share: float) -> tuple[list[Sample], list[Sample]]:
    """The samples for training and for validation; what belongs to one song stays on one side.

    A song is what comes from one Live Set, else what has the same audio. Which songs are for validation follows from
    their content alone, so that it does not change from export to export. Neither side is empty when `share` is above
    0 and there are two songs.
    """
    songs: dict[str, int] = {}
    for sample in samples:
        songs[_song(sample.member)] = songs.get(_song(sample.member), 0) + 1
    wanted, taken, count = share * len(samples), set[str](), 0
    for song in sorted(songs, key=lambda song: hashlib.sha256(song.encode()).hexdigest()):
        if share <= 0 or len(taken) >= len(songs) - 1 or (taken and count + songs[song] / 2 > wanted):
            break
        taken.add(song)
        count += songs[song]
    train = [sample for sample in samples if _song(sample.member) not in taken]
    return train, [sample for sample in samples if _song(sample.member) in taken]


def _song(member: SnapshotMember) -> str:
    return member.live_set or member.audio.pcm_sha256 or member.audio.sha256
