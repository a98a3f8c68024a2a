from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from audiofiles.faults import Unfit
from chassis.context import acting_as, in_request
from chassis.paging import Pager
from chassis.testing import FakeClock, caller_for
from chassis.testing.data import MemoryStore, sqlite_database
from services.sessions.domain.assets import Asset, Recording
from services.sessions.domain.errors import PROBE_ERRORS
from services.sessions.domain.sessions import AudioReference, Session
from services.sessions.probe.decode import measure_file
from services.sessions.probe.prober import recording_of
from services.sessions.store import Base, SqlStore
from services.sessions.use_cases.assets import Assets
from services.sessions.use_cases.collect import Collector
from services.sessions.use_cases.sessions import Sessions
from services.sessions.use_cases.uploads import Uploads, UploadSpec
from tests.material import audio


@dataclass
class InProcessProber:
    """The same measurement without a process of its own."""

    folder: Path
    measured: int = 0

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        yield self.folder

    def measure(self, audio: Path, peaks: Path) -> Recording:
        self.measured += 1
        try:
            return recording_of(measure_file(str(audio), str(peaks), max_duration_s=60))
        except Unfit as fault:
            raise PROBE_ERRORS[fault.reason](fault.message, metadata=fault.facts) from fault


@dataclass
class Room:
    """The service on memory and SQLite, at the artist nova."""

    store: SqlStore
    blobs: MemoryStore
    clock: FakeClock
    prober: InProcessProber
    uploads: Uploads
    assets: Assets
    sessions: Sessions
    collector: Collector

    def upload(self, data: bytes | None = None, *, artist: str = "nova", name: str = "take.wav") -> Asset:
        content = WAV if data is None else data
        opened = self.uploads.create(artist, UploadSpec(hashlib.sha256(content).hexdigest(), display_name=name))
        if opened.upload.asset_uid:
            return self.assets.get(artist, opened.upload.asset_uid)
        self.blobs.put(opened.upload.object_key, content)
        return self.uploads.complete(artist, opened.upload.uid)

    def save(self, *assets: Asset, request_id: str = "", **members: Any) -> Session:
        references = [AudioReference(f"deck-{index}", "full", one.name) for index, one in enumerate(assets)]
        state = {"version": 1.0, "controls": {"gain": 0.5}, **members}
        return self.sessions.create("nova", "Late night", state, references, request_id=request_id)


WAV = audio.wav(0.5)
OTHER_WAV = audio.wav(0.5, seed=8)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    clock = FakeClock()
    database = sqlite_database(tmp_path, Base)
    store, blobs = SqlStore(database, Pager(b"key"), clock), MemoryStore(clock)
    prober = InProcessProber(tmp_path)
    with in_request(), acting_as(caller_for("nova")):
        yield Room(
            store,
            blobs,
            clock,
            prober,
            Uploads(store, blobs, prober, clock, max_upload_bytes=1_000_000),
            Assets(store, blobs, clock),
            Sessions(store, blobs, clock, rfc8785.dumps),
            Collector(store, blobs, clock),
        )
    database.close()
