"""The prompt service in one process: real rows and reader; objects in memory, writers by choice."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Any

from chassis.context import Caller, response_flags
from chassis.db import Database
from chassis.errors import NotFound
from chassis.paging import Pager
from chassis.testing import FakeClock, caller_for
from chassis.testing.data import MemoryStore
from services.prompt.alsfile.reader import LiveSetReader
from services.prompt.api.prompt import PromptServicer
from services.prompt.blobs import LiveSetBlobs
from services.prompt.domain.captions import Prices, Usage
from services.prompt.domain.chat import HistoryLimit
from services.prompt.domain.composer import OfflineWriter
from services.prompt.domain.instructions import Instruction
from services.prompt.domain.live_sets import LiveSet
from services.prompt.domain.ports import AssetFacts, Talker, Task, Writer
from services.prompt.store.database import SqlStore
from services.prompt.use_cases.artists import Artists, Members, Profiles
from services.prompt.use_cases.captions import Captions
from services.prompt.use_cases.chat import Chat
from services.prompt.use_cases.checks import Checks
from services.prompt.use_cases.live_sets import LiveSets
from services.prompt.use_cases.new_live_sets import NewLiveSet
from services.prompt.use_cases.purge import purge
from services.prompt.use_cases.templates import Templates
from tests.material.live_set import live_set_bytes


class House:
    """Everything a test of the service needs."""

    def __init__(self, database: Database, clock: FakeClock) -> None:
        self.clock = clock
        self.objects = MemoryStore(clock)
        self.store = SqlStore(database, Pager(b"test"), clock)
        self.blobs = LiveSetBlobs(self.objects)
        self.artists = Artists(self.store, clock)
        self.members = Members(self.store, clock)
        self.profiles = Profiles(self.store)
        self.live_sets = LiveSets(self.store, self.blobs, LiveSetReader(), clock)
        self.checks = Checks(self.store)
        self.templates = Templates(self.store, clock)
        self._uploads = 0

    def captions(self, writer: Writer | None = None, *, public_names: tuple[str, ...] = ()) -> Captions:
        writer = writer or OfflineWriter()
        return Captions(self.store, writer, OneAsset(), self.clock, run_here, public_names=public_names)

    def chat(self, talker: Talker | None = None, limit: HistoryLimit | None = None) -> Chat:
        return Chat(self.store, talker, run_here, limit=limit)

    def servicer(self, writer: Writer | None = None, talker: Talker | None = None) -> PromptServicer:
        return PromptServicer(
            self.live_sets,
            self.captions(writer),
            self.checks,
            self.templates,
            self.chat(talker),
            run_here,
        )

    def upload(self, data: bytes | None = None) -> str:
        self._uploads += 1
        key = f"artists/nova/uploads/{self._uploads:032x}"
        self.objects.put(key, live_set_bytes() if data is None else data)
        return key

    def add_live_set(self, data: bytes | None = None, **more: str) -> LiveSet:
        new = NewLiveSet(self.upload(data), file_name="My Set.als", **more)
        return self.live_sets.create(ada(), "nova", new)

    def purge(self) -> int:
        return purge(self.store, self.blobs, self.clock)


class ScriptedWriter:
    """A model that says what it is told to."""

    engine = "scripted"
    model = "script-1"
    max_attempts = 3

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.tasks: list[Task] = []

    def temperature(self, instruction: Instruction) -> float:
        return instruction.temperature

    def cost_usd_micros(self, usage: Usage) -> int:
        return Prices(0.15, 0.6).cost_usd_micros(usage)

    def seed_sent(self, task: Task) -> int:
        return task.seed

    async def write(self, task: Task) -> AsyncGenerator[str | Usage, None]:
        self.tasks.append(task)
        for piece in self.answers.pop(0).split("|"):
            yield piece
        yield Usage(10, 5)


class OneAsset:
    """The sessions service, which knows one asset."""

    async def find(self, name: str) -> AssetFacts:
        if not name.endswith("/known"):
            raise NotFound(f"{name} does not exist")
        return AssetFacts(name, 12.5, tempo_bpm=174.02, tempo_confidence=0.8, key="B minor", key_confidence=0.2)


async def run_here(fn: Callable[..., Any], *args: Any, **named: Any) -> Any:
    return fn(*args, **named)


def ada(artist: str = "nova") -> Caller:
    return caller_for(artist)


def is_replayed() -> bool:
    return response_flags().replayed
