"""The realtime service on fake neighbours."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from chassis.db import Database
from chassis.errors import NotFound
from chassis.paging import Pager
from chassis.testing import FakeClock
from services.realtime.domain.graph import Graph
from services.realtime.domain.painter import Slice
from services.realtime.domain.performance import Performance
from services.realtime.domain.ports import AssetFacts, Canvas, Patch, SavedSession, Saving, SeparationView
from services.realtime.spectral import SpectralEngine
from services.realtime.store import PerformanceStore
from services.realtime.use_cases.hall import Hall, HallRules
from services.realtime.use_cases.performances import Performances

FRAMES = 96_000
PIECE = "artists/nova/assets/piece"


class FakeAssets:
    def __init__(self) -> None:
        self.known = {PIECE: AssetFacts(PIECE, "piece", FRAMES, 48_000)}
        self.holds: set[tuple[str, str]] = set()

    def add(self, name: str) -> str:
        full = f"artists/nova/assets/{name}"
        self.known[full] = AssetFacts(full, name, FRAMES, 48_000)
        return full

    def get(self, name: str) -> AssetFacts:
        if name not in self.known:
            raise NotFound(f"{name} does not exist")
        return self.known[name]

    def hold(self, asset: str, holder: str) -> None:
        self.get(asset)
        self.holds.add((asset, holder))

    def release(self, asset: str, holder: str) -> None:
        self.holds.discard((asset, holder))


class FakeSeparations:
    """A separation that is running until `finish`."""

    def __init__(self, assets: FakeAssets) -> None:
        self.started: list[str] = []
        self.view = SeparationView("artists/nova/separations/s", False, {})
        self._assets = assets

    def start(self, artist: str, asset: str, request_id: str) -> SeparationView:
        self.started.append(asset)
        return self.view

    def get(self, name: str) -> SeparationView:
        return self.view

    def finish(self) -> None:
        stems = {stem: self._assets.add(stem) for stem in ("vocals", "instruments")}
        self.view = replace(self.view, has_ended=True, stems=stems)

    def fail(self) -> None:
        self.view = replace(self.view, has_ended=True, error_reason="SEPARATION_INPUT_EMPTY", error_message="silence")


class FakeSessions:
    def __init__(self) -> None:
        self.saved: dict[str, Mapping[str, Any]] = {}

    def open(self, name: str) -> Mapping[str, Any]:
        return self.saved[name]

    def save(self, performance: Performance, snapshot: Mapping[str, Any], saving: Saving) -> SavedSession:
        name = saving.session or f"artists/nova/sessions/{len(self.saved) + 1}"
        self.saved[name] = snapshot
        return SavedSession(name, "etag")


class FakeBlobs:
    @contextlib.contextmanager
    def fetched(self, key: str) -> Iterator[Path]:
        yield Path(key)


class FakeAudio:
    """Two seconds; each file has a level of its own."""

    LEVELS: ClassVar = {"piece": 0.5, "vocals": 0.25, "instruments": 0.125, "other": 0.0625}

    def load(self, path: Path, *, limit_s: int) -> Any:
        return np.full((FRAMES, 2), self.LEVELS[path.name], np.float32)


class World:
    """The service on fake neighbours, a fake clock and a real SQLite file."""

    def __init__(self, database: Database) -> None:
        self.clock = FakeClock()
        self.assets = FakeAssets()
        self.separations = FakeSeparations(self.assets)
        self.sessions = FakeSessions()
        self.store = PerformanceStore(database, Pager(b"key"), self.clock)
        self.use_cases = Performances(
            store=self.store,
            assets=self.assets,
            separations=self.separations,
            sessions=self.sessions,
            blobs=FakeBlobs(),
            audio=FakeAudio(),
            clock=self.clock,
        )

    def hall(self, owner: str = "one", **rules: Any) -> Hall:
        async def run(fn: Any, *args: Any) -> Any:
            return fn(*args)

        async def paint(canvas: Canvas, region: Slice, graph: Graph) -> Patch:
            return canvas.paint(region, graph)

        engines = {"spectral": SpectralEngine()}
        rules_ = HallRules(owner=owner, **rules)
        return Hall(self.use_cases, engines, run=run, paint=paint, clock=self.clock, rules=rules_)
