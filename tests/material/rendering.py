"""Audio that is made ready for datasets, without a process of the platform: objects in memory, rows in SQLite."""

from __future__ import annotations

import hashlib
import io
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf

from chassis.db import Database
from chassis.errors import NotFound
from chassis.paging import Pager
from chassis.testing import FakeClock
from chassis.testing.data import MemoryStore
from services.datasets.domain.items import Audio
from services.datasets.domain.recipes import AudioMode, Piece, Recipe
from services.datasets.domain.rendering import Separation, SeparationModel
from services.datasets.domain.snapshots import SnapshotMember
from services.datasets.render.renderer import AudioRenderer, RenderBounds
from services.datasets.store.rendered import SqlRendered
from services.datasets.store.shared import Ground
from tests.material import audio

ARTIST = "nova"
MEDIA_TYPES = {"wav": "audio/wav", "flac": "audio/flac", "mp3": "audio/mpeg", "ogg": "audio/ogg", "aiff": "audio/aiff"}


class AssetMissing(NotFound):
    REASON = "ASSET_NOT_FOUND"


class SeparationMissing(NotFound):
    REASON = "SEPARATION_NOT_FOUND"


@dataclass
class Shelf:
    """Assets in memory."""

    objects: MemoryStore
    audios: dict[str, Audio] = field(default_factory=dict)
    holds: list[tuple[str, str]] = field(default_factory=list)
    released: list[tuple[str, str]] = field(default_factory=list)

    def keep(self, samples: Any, *, format: str = "wav", rate_hz: int = 48_000, subtype: str | None = None) -> Audio:
        return self.keep_bytes(audio.encode(samples, rate_hz=rate_hz, format=format, subtype=subtype), format)

    def keep_bytes(self, data: bytes, format: str = "wav") -> Audio:
        told, sha256 = sf.info(io.BytesIO(data)), hashlib.sha256(data).hexdigest()
        name, key = f"artists/{ARTIST}/assets/{sha256[:8]}", f"artists/{ARTIST}/blobs/sha256/{sha256[:2]}/{sha256}"
        self.objects.put(key, data)
        frames, _rate = sf.read(io.BytesIO(data), dtype="float32", always_2d=True)
        pcm = hashlib.sha256(f"{told.samplerate} {told.channels}".encode() + frames.tobytes()).hexdigest()
        kept = Audio(
            name, f"take.{format}", key, sha256, zlib.crc32(data), len(data), MEDIA_TYPES[format],
            told.frames / told.samplerate, told.samplerate, told.channels, pcm,
        )  # fmt: skip
        self.audios[name] = kept
        return kept

    def get(self, asset: str) -> Audio:
        if asset not in self.audios:
            raise AssetMissing(f"no asset {asset}")
        return self.audios[asset]

    def hold(self, asset: str, holder: str) -> None:
        self.get(asset)
        self.holds.append((asset, holder))

    def release(self, asset: str, holder: str) -> None:
        self.released.append((asset, holder))


@dataclass
class Splitter:
    """The stems service: each look moves a separation on by a half, then the rest is the sound at half level."""

    shelf: Shelf
    separations: dict[str, Separation] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)  # by request id
    deleted: set[str] = field(default_factory=set)
    sources: dict[str, str] = field(default_factory=dict)

    def model(self, artist: str) -> SeparationModel:
        return SeparationModel("stub", "stub", "0" * 64)

    def start(self, asset: str, model: SeparationModel, request_id: str) -> Separation:
        self.asked.append(request_id)
        if request_id in self.deleted:
            raise SeparationMissing(f"no separation of {request_id}")
        name = f"artists/{ARTIST}/separations/{request_id}"
        self.sources[name] = asset
        fault = self.faults.get(request_id, "")
        return self.separations.setdefault(name, Separation(name, 0.0, "separating", fault=fault))

    def look(self, name: str) -> Separation:
        before = self.separations[name]
        share = min(1.0, before.share + 0.5)
        rest = self._rest(self.sources[name]) if share == 1.0 else ""
        self.separations[name] = Separation(name, share, "separating", rest)
        return self.separations[name]

    def _rest(self, asset: str) -> str:
        source = self.shelf.objects.read_bytes(self.shelf.get(asset).object_key, limit=1 << 28)
        frames, rate_hz = sf.read(io.BytesIO(source), dtype="float32", always_2d=True)
        return self.shelf.keep(frames * 0.5, format="flac", rate_hz=rate_hz, subtype="PCM_24").asset


class Studio:
    """A renderer and all that it stands on."""

    def __init__(self, db: Database, folder: Path, bounds: RenderBounds | None = None) -> None:
        self.clock, self.db, self.scratch = FakeClock(), db, folder
        self.objects = MemoryStore(self.clock)
        self.shelf = Shelf(self.objects)
        self.splitter = Splitter(self.shelf)
        self.rendered = SqlRendered(Ground(db, self.clock, Pager(b"k" * 32)))
        self.renderer = AudioRenderer(
            self.objects,
            self.rendered,
            self.shelf,
            self.splitter,
            bounds or RenderBounds(),
            folder,
            sleep=lambda _seconds: None,
        )
        self.told: list[tuple[float, str]] = []

    def prepare(self, audio: Audio, recipe: Recipe) -> list[Piece]:
        return self.renderer.prepare(ARTIST, member(audio), recipe, lambda *told: self.told.append(told))

    def sound(self, piece: Piece) -> tuple[Any, int]:
        """Frames, float64 of shape (frames, channels), and rate of a piece's object."""
        frames, rate_hz = sf.read(io.BytesIO(self.bytes(piece)), dtype="float64", always_2d=True)
        return frames, rate_hz

    def source(self, kept: Audio) -> Any:
        """Frames of an asset, float64 of shape (frames, channels)."""
        data = self.objects.read_bytes(kept.object_key, limit=1 << 28)
        return sf.read(io.BytesIO(data), dtype="float64", always_2d=True)[0]

    def bytes(self, piece: Piece) -> bytes:
        data = self.objects.read_bytes(piece.object_key, limit=1 << 28)
        assert (len(data), zlib.crc32(data), hashlib.sha256(data).hexdigest()) == (
            piece.size_bytes,
            piece.crc32,
            piece.sha256,
        )
        return data

    def made(self) -> list[str]:
        """Keys of the objects that were made."""
        return sorted(found.key for found in self.objects.list(f"artists/{ARTIST}/datasets/"))


def member(audio: Audio) -> SnapshotMember:
    return SnapshotMember(1, "item-1", f"artists/{ARTIST}/training-items/item-1", "Take", audio, "A take.", 1, 1)


def recipe(**changes: Any) -> Recipe:
    """Everything is made anew unless changes say otherwise."""
    return Recipe(frozenset({"audio/wav", "audio/mpeg"}), **{"mode": AudioMode.NORMALISED, **changes})


def with_peak(samples: Any, peak: float) -> Any:
    return (samples / np.abs(samples).max() * peak).astype(np.float32)
