"""The stems service in one process: real rows, audio and engine; assets and objects in memory."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from chassis.context import Caller, Role
from chassis.db import Database
from chassis.errors import NotFound
from chassis.jobs import Jobs
from chassis.outbox import Outbox
from chassis.paging import Pager
from chassis.testing import FakeClock
from chassis.testing.data import MemoryStore
from services.stems import stub
from services.stems.audio import AudioFiles
from services.stems.blobs import SharedBlobs
from services.stems.domain import Audio, Catalogue, Engine, Limits, Model, Separation, SourceAsset, Upload
from services.stems.peers import Receivers
from services.stems.store import OutboxRow, SeparationRow, SeparationStore
from services.stems.store.tables import to_separation
from services.stems.use_cases import Scratch, Separations, SeparationWork

ARTIST = "nova"
ADA = Caller(service="gateway", principal="ada", artist=ARTIST, role=Role.OWNER)


@dataclass
class MemoryAssets:
    """Assets of one artist, as the sessions service gives them."""

    objects: MemoryStore
    by_name: dict[str, SourceAsset] = field(default_factory=dict)
    holds: set[tuple[str, str]] = field(default_factory=set)

    def add(self, frames: npt.NDArray[np.float32], rate_hz: int = 44100) -> SourceAsset:
        buffer = io.BytesIO()
        soundfile.write(buffer, frames, rate_hz, format="WAV", subtype="FLOAT")
        return self._keep(buffer.getvalue(), "audio/wav")

    def get(self, name: str) -> SourceAsset:
        if name not in self.by_name:
            raise NotFound(f"{name} does not exist")
        return self.by_name[name]

    def hold(self, asset: str, holder: str) -> None:
        self.get(asset)
        self.holds.add((asset, holder))

    def release(self, asset: str, holder: str) -> None:
        self.holds.discard((asset, holder))

    def open_upload(self, artist: str, sha256: str, size_bytes: int, media_type: str, display_name: str) -> Upload:
        name = f"artists/{artist}/assets/{sha256[:32]}"
        return Upload(
            f"artists/{artist}/uploads/{sha256[:32]}",
            f"artists/{artist}/uploads/{sha256[:32]}",
            name if name in self.by_name else "",
        )

    def complete_upload(self, upload: Upload) -> str:
        return self._keep(self.objects.read_bytes(upload.object_key, limit=1 << 30), "audio/flac").name

    def frames(self, name: str) -> npt.NDArray[np.float64]:
        data = self.objects.read_bytes(self.by_name[name].blob_key, limit=1 << 30)
        frames: npt.NDArray[np.float64] = soundfile.read(io.BytesIO(data), always_2d=True)[0]
        return frames

    def _keep(self, data: bytes, media_type: str) -> SourceAsset:
        digest = hashlib.sha256(data).hexdigest()
        key = f"artists/{ARTIST}/blobs/sha256/{digest[:2]}/{digest}"
        self.objects.put(key, data)
        frames, rate_hz = soundfile.read(io.BytesIO(data), always_2d=True, dtype="float32")
        pcm = hashlib.sha256(frames.tobytes() + f"{rate_hz} {frames.shape[1]}".encode()).hexdigest()
        name = f"artists/{ARTIST}/assets/{digest[:32]}"
        self.by_name[name] = SourceAsset(name, key, media_type, len(data), len(frames), rate_hz, frames.shape[1], pcm)
        return self.by_name[name]


class Quiet:
    """A progress that nobody looks at."""

    def report(self, percent: float, stage: str = "", eta_s: float | None = None) -> None:
        assert 0 <= percent <= 100


@dataclass
class StemsHouse:
    """Everything, put together."""

    db: Database
    folder: Path
    clock: FakeClock = field(default_factory=FakeClock)
    engine: Engine = field(default_factory=stub.StubEngine)
    models: Iterable[Model] = (stub.MODEL,)
    limits: Limits = Limits(60.0, 10 << 20)  # noqa: RUF009
    audio: Audio = field(default_factory=AudioFiles)
    receivers: Receivers = Receivers(allow_private=True)  # noqa: RUF009

    def __post_init__(self) -> None:
        self.objects = MemoryStore(self.clock)
        self.scratch = self.folder / "scratch"
        self.scratch.mkdir()
        self.assets = MemoryAssets(self.objects)
        self.jobs = Jobs(self.db, SeparationRow, self.clock, lease_s=30, noun="separation")
        self.outbox = Outbox(self.db, OutboxRow, self.clock, allow_private=True)
        self.store = SeparationStore(self.db, self.jobs, Pager(b"key"), self.clock, self.outbox)
        blobs = SharedBlobs(self.objects)
        catalogue = Catalogue(self.models)
        self.separations = Separations(
            self.store, self.assets, catalogue, self.limits, self.clock, blobs, self.receivers
        )
        self.work = SeparationWork(
            self.store,
            self.assets,
            blobs,
            self.audio,
            {"stub": self.engine},
            catalogue,
            self.limits,
            self.clock,
            Scratch(self.scratch),
        )

    def run_one(self, worker: str = "w") -> Separation | None:
        """The next queued separation, brought to its end as a worker would."""
        row = self.jobs.claim(worker)
        if row is None:
            return None
        try:
            self.work.perform(to_separation(row), Quiet())
        except Exception as error:
            self.jobs.fail(row.uid, row.fence, error)
        return self.store.get(row.artist, row.uid)
