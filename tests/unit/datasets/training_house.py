"""Trainings without a process: desks, courses and webhooks on the rest of the service, over some provider."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from chassis.clock import Clock
from chassis.paging import Pager
from services.datasets.domain.costs import Prices
from services.datasets.domain.findings import Finding
from services.datasets.domain.provider_runs import Patience, ProviderRefused, Told
from services.datasets.domain.training_ports import OutputFile, Provider
from services.datasets.domain.trainings import Training
from services.datasets.store import SqlGenerations, SqlTrainings, SqlWebhookEvents
from services.datasets.store.shared import Ground
from services.datasets.use_cases.exports import ExportWish
from services.datasets.use_cases.generations import GenerationDesk
from services.datasets.use_cases.items import ItemFacts
from services.datasets.use_cases.lineage import LineageDesk
from services.datasets.use_cases.provider_runs import Course
from services.datasets.use_cases.training_kinds import GenerationKind, TrainingKind
from services.datasets.use_cases.training_loop import Tender
from services.datasets.use_cases.trainings import Setup, TrainingDesk, TrainingWish
from services.datasets.use_cases.webhooks import Webhooks
from tests.unit.datasets.house import ARTIST, House, key

ARCHIVE = "https://music.example.com/v1/links/abc/dataset.zip"
HOOK = "https://music.example.com/v1/webhooks/replicate"
_STOCKED: dict[int, tuple[sqlite3.Connection, str]] = {}
PATIENCE = Patience(doubt_s=120, poll_min_s=5, poll_max_s=60)


class Keeper:
    """Assets of files, by name."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, str]] = []

    def keep(self, artist: str, file: OutputFile, display_name: str, holder: str) -> str:
        self.kept.append((holder, file.sha256))
        return f"artists/{artist}/assets/{file.sha256[:12]}"


class TrainingHouse:
    """Everything about trainings on a house; `findings` is what the emulator says."""

    def __init__(
        self,
        house: House,
        provider: Provider,
        *,
        setup: Setup | None = None,
        clock: Clock | None = None,
        patience: Patience = PATIENCE,
    ) -> None:
        self.house, self.provider, self.findings = house, provider, list[Finding]()
        self.clock = clock or house.clock
        ground = Ground(house.db, self.clock, Pager(b"k" * 32))
        self.store, self.generation_store = SqlTrainings(ground), SqlGenerations(ground)
        self.setup = setup or Setup("maker/trainer:v1", Prices(11_200, 50_000_000, 100_000_000))
        self.desk = TrainingDesk(
            self.store,
            house.export_store,
            house.snapshot_store,
            lambda _artist, _uid, _parameters: self.findings,
            self.setup,
            self.clock,
        )
        self.generations = GenerationDesk(self.generation_store, self.store, self.setup, self.clock)
        self.lineage = LineageDesk(self.store, self.generation_store, house.export_store, house.snapshot_store)
        self.keeper = Keeper()
        kind = TrainingKind(provider, self.setup.prices, patience)
        generation_kind = GenerationKind(
            provider,
            self.generation_store,
            self.keeper,
            lambda _artist, _principal: contextlib.nullcontext(),
            clock=self.clock,
            patience=patience,
        )
        self.course = Course(self.store, kind, self.clock, patience)
        self.generation_course = Course(self.generation_store, generation_kind, self.clock, patience)
        self.webhooks = Webhooks(
            SqlWebhookEvents(ground),
            (self.store, self.course),
            (self.generation_store, self.generation_course),
            provider,
            self.setup,
            self.clock,
        )
        kinds: list[Any] = [
            ("training", self.course, self.store),
            ("generation", self.generation_course, self.generation_store),
        ]
        self.tender = Tender(kinds, self.webhooks, self.clock)

    def export(self, pairs: int = 8) -> str:
        """Name of a finished export of so many items; made once, and copied into the databases of later tests."""
        source = self.house.db.engine.url.database
        is_plain = self.house.db.engine.dialect.name == "sqlite" and not self.house.assets.audios
        if is_plain and pairs in _STOCKED:
            content, name = _STOCKED[pairs]
            with contextlib.closing(sqlite3.connect(str(source))) as live:
                content.backup(live)
            return name
        name = self._made_export(pairs)
        if is_plain:
            copy = sqlite3.connect(":memory:", check_same_thread=False)
            with contextlib.closing(sqlite3.connect(str(source))) as live:
                live.backup(copy)
            _STOCKED[pairs] = (copy, name)
        return name

    def _made_export(self, pairs: int) -> str:
        for number in range(pairs):
            asset = self.house.assets.keep(f"t{number}", data=b"RIFF" + bytes([number]))
            facts = ItemFacts(asset=asset, caption=f"Warm pads of colour {number} over a beat. BPM: 9{number % 10}")
            self.house.items.create(ARTIST, facts, key())
        made = self.house.exports.create(ARTIST, "ada", ExportWish(), key())
        self.house.work()
        return made.name

    def wish(self, export: str, **values: Any) -> TrainingWish:
        """A wish that is granted."""
        wished = TrainingWish(export, "ada/sound", 20_000_000, ARCHIVE, webhook_url=HOOK)
        return replace(wished, **values)

    def start(self, export: str, request_id: str = "r1", **values: Any) -> Training:
        """A training that was asked for."""
        return self.desk.create(ARTIST, "ada", self.wish(export, **values), key(request_id))


class ScriptedProvider:
    """A provider in memory whose next create may fail as a script says.

    Attributes:
        runs: What it has, by id.
        script: What happens to the next creates: an error to raise, with whether the run was taken before.
    """

    def __init__(self, now: Any) -> None:
        self.runs: dict[str, Told] = {}
        self.script: list[tuple[Exception, bool]] = []
        self.asked: list[str] = []
        self.secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
        self.refusal: ProviderRefused | None = None
        self.away: Exception | None = None
        self.listing: Exception | None = None
        self._now = now

    def trainer_version(self, trainer: str) -> str:
        return trainer.replace(":latest", ":v9")

    def ensure_destination(self, destination: str, *, create: bool) -> None:
        self._say("destination")

    def check_archive(self, url: str) -> None:
        if self.refusal is not None:
            raise self.refusal

    def start_training(self, trainer: str, destination: str, inputs: dict[str, Any], webhook_url: str) -> Told:
        return self._start(inputs)

    def start_prediction(self, version: str, inputs: dict[str, Any], webhook_url: str) -> Told:
        return self._start(inputs)

    def training(self, provider_id: str) -> Told | None:
        self._say("look")
        return self.runs.get(provider_id)

    prediction = training

    def find_training(self, input_url: str, since: datetime) -> Told | None:
        if self.listing is not None:
            raise self.listing
        found = [told for told in self.runs.values() if told.input.get("dataset_path") == input_url]
        return found[0] if found else None

    def predictions(self, version: str, since: datetime) -> list[Told]:
        return list(reversed(self.runs.values()))

    def cancel_training(self, provider_id: str) -> Told | None:
        self._say("cancel")
        if provider_id in self.runs:
            self.tell(provider_id, status="canceled")
        return self.runs.get(provider_id)

    cancel_prediction = cancel_training

    def webhook_secret(self, *, fresh: bool = False) -> str:
        return self.secret

    def read_webhook(self, body: bytes) -> Told | None:
        found = json.loads(body)
        return Told(**found) if "id" in found else None

    def fetch_output(self, url: str) -> OutputFile:
        raise NotImplementedError

    def tell(self, provider_id: str, **values: Any) -> Told:
        """Change what it says of a run."""
        self.runs[provider_id] = replace(self.runs[provider_id], **values)
        return self.runs[provider_id]

    def _start(self, inputs: dict[str, Any]) -> Told:
        self._say("create")
        error, taken = self.script.pop(0) if self.script else (None, True)
        told = Told(f"run{len(self.runs) + 1}", "starting", inputs, create_time=self._now())
        if taken:
            self.runs[told.id] = told
        if error is not None:
            raise error
        return told

    def _say(self, what: str) -> None:
        self.asked.append(what)
        if self.away is not None:
            raise self.away


def go_on(house: TrainingHouse, seconds: float, *, step_s: float = 5.0) -> None:
    """Let time pass, with the loop looking at everything again and again."""
    end = house.clock.now() + timedelta(seconds=seconds)
    while house.clock.now() < end:
        house.tender.tend()
        house.house.clock.advance(step_s)
    house.tender.tend()
