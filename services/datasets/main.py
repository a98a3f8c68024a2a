from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

import rfc8785
from google.longrunning.operations_pb2_grpc import add_OperationsServicer_to_server

from chassis.clock import Clock
from chassis.context import Caller, Role, acting_as
from chassis.errors import Unavailable
from chassis.jobs import JobRunner, Jobs, maintenance
from chassis.logs import get_logger
from chassis.operations import OperationSource, OperationsServicer
from chassis.runtime import App, Runtime, run_service
from services.datasets import api, archive, worker
from services.datasets.domain.costs import Expected, Prices
from services.datasets.domain.findings import Finding
from services.datasets.domain.provider_runs import Patience
from services.datasets.domain.training_parameters import TrainingParameters
from services.datasets.domain.training_ports import RunStore
from services.datasets.peers.assets import SessionsAssets
from services.datasets.peers.captions import PromptCaptions
from services.datasets.peers.keeper import AssetKeeper
from services.datasets.peers.separations import StemsSeparations
from services.datasets.render.renderer import AudioRenderer, RenderBounds
from services.datasets.replicate import Replicate, is_loopback
from services.datasets.settings import DatasetsSettings
from services.datasets.store import (
    SqlCaptionEdits,
    SqlCaptionRuns,
    SqlConversations,
    SqlExports,
    SqlGenerations,
    SqlItems,
    SqlLeftovers,
    SqlReleases,
    SqlRendered,
    SqlSnapshots,
    SqlTrainingFiles,
    SqlTrainings,
    SqlWebhookEvents,
)
from services.datasets.store.caption_run_tables import CaptionRuns as CaptionRunRows
from services.datasets.store.shared import Ground
from services.datasets.store.tables import Exports, TrainingFileVersions
from services.datasets.use_cases.caption_edits import CaptionEditing
from services.datasets.use_cases.caption_runs import CaptionRuns
from services.datasets.use_cases.caption_writing import CaptionBench
from services.datasets.use_cases.conversations import Conversations
from services.datasets.use_cases.duplicates import Duplicates
from services.datasets.use_cases.emulation import EmulationDesk
from services.datasets.use_cases.export_bench import ExportBench
from services.datasets.use_cases.exports import ExportDesk
from services.datasets.use_cases.generations import GenerationDesk
from services.datasets.use_cases.items import TrainingItems, give_holds_back
from services.datasets.use_cases.leftovers import Collector
from services.datasets.use_cases.lineage import LineageDesk
from services.datasets.use_cases.matching import Matching
from services.datasets.use_cases.provider_runs import Course
from services.datasets.use_cases.readiness import ReadinessDesk
from services.datasets.use_cases.selections import Selections
from services.datasets.use_cases.snapshots import SnapshotDesk
from services.datasets.use_cases.training_files import TrainingFileBench, TrainingFiles
from services.datasets.use_cases.training_kinds import GenerationKind, TrainingKind
from services.datasets.use_cases.training_loop import Tender
from services.datasets.use_cases.trainings import Setup, TrainingDesk
from services.datasets.use_cases.webhooks import Webhooks
from tonewright.datasets.v1.datasets_pb2_grpc import add_DatasetsServiceServicer_to_server
from tonewright.datasets.v1.training_files_pb2_grpc import add_TrainingFilesServiceServicer_to_server
from tonewright.datasets.v1.trainings_pb2_grpc import add_TrainingsServiceServicer_to_server

log = get_logger(__name__)
_RELEASES_AT_ONCE = 100
# Source: spec, limits and money: 8 NVIDIA A100 of 80 GB.
_REPLICATE_USD_MICROS_PER_S = 11_200


class _Parts:
    """What both processes of the service stand on."""

    def __init__(self, runtime: Runtime) -> None:
        db, clock, queue = runtime.db, runtime.clock, runtime.queue
        ground = Ground(db, clock, runtime.pager)
        lease_s = runtime.settings.lease_s
        self.export_jobs = Jobs(db, Exports, clock, lease_s=lease_s, noun="export", queue=queue)
        self.build_jobs = Jobs(
            db, TrainingFileVersions, clock, lease_s=lease_s, noun="training_file_build", queue=queue
        )
        self.run_jobs = Jobs(db, CaptionRunRows, clock, lease_s=lease_s, noun="caption_run", queue=queue)
        self.items, self.releases = SqlItems(ground), SqlReleases(ground)
        self.caption_runs, self.caption_edits = SqlCaptionRuns(ground, self.run_jobs), SqlCaptionEdits(ground)
        self.duplicates = Duplicates(self.items, runtime.pager)
        self.exports, self.snapshots = SqlExports(ground, self.export_jobs), SqlSnapshots(ground)
        self.rendered, self.leftovers = SqlRendered(ground), SqlLeftovers(ground)
        self.conversations = SqlConversations(ground)
        self.training_files = SqlTrainingFiles(ground, self.build_jobs)
        self.trainings, self.generations = SqlTrainings(ground), SqlGenerations(ground)
        self.webhook_events = SqlWebhookEvents(ground)
        self.assets = SessionsAssets(runtime.channels)
        self.captions = PromptCaptions(runtime.channels)
        self.objects = runtime.objects


def build(runtime: Runtime) -> App:
    """The service's servicers and loops on this runtime."""
    parts, clock, pool = _Parts(runtime), runtime.clock, runtime.pool
    item_desk = TrainingItems(parts.items, parts.assets, parts.releases, parts.captions, clock)
    snapshot_desk = _snapshot_desk(parts, clock)
    max_bytes = runtime.settings.max_archive_bytes
    export_desk = ExportDesk(parts.exports, parts.snapshots, snapshot_desk, clock, max_bytes=max_bytes)
    collector = Collector(parts.leftovers, parts.objects, clock, grace_s=runtime.settings.collect_grace_s)
    conversations = Conversations(parts.conversations, parts.objects, clock)
    files = TrainingFiles(parts.training_files, parts.conversations, parts.objects, clock)
    many_items = _many_items(parts, runtime)
    trainer = _Trainer(runtime, parts, snapshot_desk)
    sources = {**api.operation_sources(export_desk, files, many_items.runs), **trainer.sources()}
    operations = OperationsServicer(pool, sources, service="datasets")

    async def give_back(stop: asyncio.Event) -> None:
        while not stop.is_set():
            await pool.run(_give_back_alone, runtime, parts)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), runtime.settings.release_s)

    async def collect(stop: asyncio.Event) -> None:
        while not stop.is_set():
            await pool.run(_collect_alone, runtime, collector)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), runtime.settings.collect_s)

    # Methods that have no implementation yet answer UNIMPLEMENTED through their base class.
    audio = api.DatasetsServicer(item_desk, many_items, snapshot_desk, export_desk, pool)  # type: ignore[abstract]
    text = api.TrainingFilesServicer(conversations, files, pool, clock)  # type: ignore[abstract]
    return App(
        servicers=[
            (add_DatasetsServiceServicer_to_server, audio),
            (add_TrainingFilesServiceServicer_to_server, text),
            (add_TrainingsServiceServicer_to_server, trainer.servicer()),
            (add_OperationsServicer_to_server, operations),
        ],
        method_rules=api.METHOD_RULES,
        loops=[maintenance([parts.export_jobs, parts.build_jobs, parts.run_jobs]), give_back, collect, trainer.tend],
        on_stop=[trainer.close],
        message_bytes=api.MESSAGE_BYTES,
    )


class _Trainer:
    """Trainings and generations at the provider: what serves them, and the loop that looks after them."""

    def __init__(self, runtime: Runtime, parts: _Parts, snapshot_desk: SnapshotDesk) -> None:
        settings, clock = runtime.settings, runtime.clock
        setup = _setup(settings)
        patience = Patience(settings.training_doubt_s, settings.training_poll_min_s, settings.training_poll_max_s)
        self._runtime, self._is_on = runtime, setup.is_configured
        self._provider = provider = _provider(settings, clock)
        self._trainings = TrainingDesk(
            parts.trainings,
            parts.exports,
            parts.snapshots,
            self._emulate,
            setup,
            clock,
        )
        self._emulation = EmulationDesk(parts.exports, parts.snapshots, snapshot_desk.freeze, self._expected)
        self._generations = GenerationDesk(parts.generations, parts.trainings, setup, clock)
        self._lineage = LineageDesk(parts.trainings, parts.generations, parts.exports, parts.snapshots)
        keeper = AssetKeeper(runtime.channels, parts.objects)
        training_kind = TrainingKind(provider, setup.prices, patience)
        generation_kind = GenerationKind(
            provider, parts.generations, keeper, _acting_for, clock=clock, patience=patience
        )
        training_course = Course(parts.trainings, training_kind, clock, patience)
        generation_course = Course(parts.generations, generation_kind, clock, patience)
        self._webhooks = Webhooks(
            parts.webhook_events,
            (parts.trainings, training_course),
            (parts.generations, generation_course),
            provider,
            setup,
            clock,
        )
        kinds: list[tuple[str, Course[Any], RunStore[Any]]] = [
            ("training", training_course, parts.trainings),
            ("generation", generation_course, parts.generations),
        ]
        self._tender = Tender(kinds, self._webhooks, clock)

    def servicer(self) -> api.TrainingsServicer:
        """What answers TrainingsService."""
        return api.TrainingsServicer(
            self._emulation, self._trainings, self._generations, self._lineage, self._webhooks, self._runtime.pool
        )

    def sources(self) -> dict[str, OperationSource]:
        """Where the operations of trainings and generations come from."""
        return api.training_sources(self._trainings, self._generations)

    async def tend(self, stop: asyncio.Event) -> None:
        """The loop; without a provider there is nothing to look after."""
        while self._is_on and not stop.is_set():
            await self._runtime.pool.run(self._tend_alone)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self._runtime.settings.training_tick_s)

    async def close(self) -> None:
        """Close the connections to the provider."""
        await asyncio.to_thread(self._provider.close)

    def _tend_alone(self) -> None:
        try:
            with self._runtime.db.exclusively("trainings") as alone:
                if alone:
                    self._tender.tend()
            self._tender.show()
        except Unavailable as error:
            log.warning("trainings_postponed", reason=error.reason)

    def _emulate(self, artist: str, export_uid: str, parameters: TrainingParameters) -> Sequence[Finding]:
        return self._emulation.findings(artist, export_uid, parameters)

    def _expected(self, artist: str, model_version: str, steps: int) -> Expected:
        return self._trainings.expected(artist, model_version, steps)


def _setup(settings: DatasetsSettings) -> Setup:
    is_standin = is_loopback(settings.replicate_url)
    price = settings.training_price_usd_micros_per_s
    prices = Prices(
        price if price is not None else 0 if is_standin else _REPLICATE_USD_MICROS_PER_S,
        settings.training_cap_usd_micros,
        settings.training_day_cap_usd_micros,
    )
    trainer = settings.trainer if settings.replicate_token.get_secret_value() else ""
    return Setup(trainer, prices, is_standin=is_standin, plain_http=is_standin)


def _provider(settings: DatasetsSettings, clock: Clock) -> Replicate:
    return Replicate(
        settings.replicate_url,
        settings.replicate_token.get_secret_value(),
        clock,
        timeout_s=settings.replicate_timeout_s,
        hardware=settings.replicate_hardware,
        max_output_bytes=settings.generation_max_bytes,
    )


def work(runtime: Runtime) -> list[JobRunner[Exports] | JobRunner[TrainingFileVersions] | JobRunner[CaptionRunRows]]:
    """The runners of the worker process."""
    parts, settings = _Parts(runtime), runtime.settings
    render = RenderBounds(settings.render_timeout_s, settings.render_memory_bytes, settings.separation_s)
    separations = StemsSeparations(runtime.channels)
    renderer = AudioRenderer(parts.objects, parts.rendered, parts.assets, separations, render, settings.scratch_dir)
    exports = ExportBench(
        parts.exports, parts.snapshots, renderer, archive, parts.objects, max_bytes=settings.max_archive_bytes
    )
    builds = TrainingFileBench(parts.training_files, parts.objects, runtime.clock)
    runs = CaptionBench(parts.caption_runs, parts.items, parts.captions, runtime.clock)
    bounds = {"slots": settings.slots, "poll_s": settings.poll_s, "queue": runtime.queue}
    return [
        JobRunner(parts.export_jobs, worker.handler(exports), **bounds),
        JobRunner(parts.build_jobs, worker.handler(builds), **bounds),
        JobRunner(parts.run_jobs, worker.handler(runs), **bounds),
    ]


def main() -> None:
    """Run the service."""
    run_service(DatasetsSettings, build, migrations="services.datasets:migrations", worker=work)


def _snapshot_desk(parts: _Parts, clock: Clock) -> SnapshotDesk:
    choose = Selections(parts.items, parts.snapshots)
    return SnapshotDesk(
        parts.snapshots,
        choose,
        parts.captions,
        parts.assets,
        parts.releases,
        clock,
        canonical=rfc8785.dumps,
        alike=parts.duplicates.groups,
    )


def _many_items(parts: _Parts, runtime: Runtime) -> api.ManyItems:
    choose, clock = Selections(parts.items, parts.snapshots), runtime.clock
    duplicates = parts.duplicates
    return api.ManyItems(
        CaptionRuns(parts.caption_runs, parts.items, choose, clock),
        CaptionEditing(parts.items, parts.caption_edits, choose, parts.captions, clock),
        Matching(parts.items, parts.captions),
        duplicates,
        ReadinessDesk(parts.items, choose, parts.captions, duplicates),
    )


def _collect_alone(runtime: Runtime, collector: Collector) -> None:
    with runtime.db.exclusively("leftovers") as alone:
        if alone:
            try:
                collector.collect()
            except Unavailable as error:
                log.warning("collecting_postponed", reason=error.reason)


def _give_back_alone(runtime: Runtime, parts: _Parts) -> None:
    with runtime.db.exclusively("releases") as alone:
        if alone:
            give_holds_back(parts.releases, parts.assets, _acting_for, limit=_RELEASES_AT_ONCE)


def _acting_for(artist: str, principal: str) -> contextlib.AbstractContextManager[None]:
    return acting_as(Caller(service="datasets", principal=principal, artist=artist, role=Role.EDITOR))
