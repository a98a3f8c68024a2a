from __future__ import annotations

import asyncio
import contextlib

import rfc8785
from google.longrunning.operations_pb2_grpc import add_OperationsServicer_to_server

from chassis.clock import Clock
from chassis.context import Caller, Role, acting_as
from chassis.errors import Unavailable
from chassis.jobs import JobRunner, Jobs, maintenance
from chassis.logs import get_logger
from chassis.operations import OperationsServicer
from chassis.runtime import App, Runtime, run_service
from services.datasets import api, archive, worker
from services.datasets.peers.assets import SessionsAssets
from services.datasets.peers.captions import PromptCaptions
from services.datasets.peers.separations import StemsSeparations
from services.datasets.render.renderer import AudioRenderer, RenderBounds
from services.datasets.settings import DatasetsSettings
from services.datasets.store import (
    SqlCaptionEdits,
    SqlCaptionRuns,
    SqlConversations,
    SqlExports,
    SqlItems,
    SqlLeftovers,
    SqlReleases,
    SqlRendered,
    SqlSnapshots,
    SqlTrainingFiles,
)
from services.datasets.store.caption_run_tables import CaptionRuns as CaptionRunRows
from services.datasets.store.shared import Ground
from services.datasets.store.tables import Exports, TrainingFileVersions
from services.datasets.use_cases.caption_edits import CaptionEditing
from services.datasets.use_cases.caption_runs import CaptionRuns
from services.datasets.use_cases.caption_writing import CaptionBench
from services.datasets.use_cases.conversations import Conversations
from services.datasets.use_cases.duplicates import Duplicates
from services.datasets.use_cases.export_bench import ExportBench
from services.datasets.use_cases.exports import ExportDesk
from services.datasets.use_cases.items import TrainingItems, give_holds_back
from services.datasets.use_cases.leftovers import Collector
from services.datasets.use_cases.matching import Matching
from services.datasets.use_cases.readiness import ReadinessDesk
from services.datasets.use_cases.selections import Selections
from services.datasets.use_cases.snapshots import SnapshotDesk
from services.datasets.use_cases.training_files import TrainingFileBench, TrainingFiles
from tonewright.datasets.v1.datasets_pb2_grpc import add_DatasetsServiceServicer_to_server
from tonewright.datasets.v1.training_files_pb2_grpc import add_TrainingFilesServiceServicer_to_server
from tonewright.datasets.v1.trainings_pb2_grpc import TrainingsServiceServicer, add_TrainingsServiceServicer_to_server

log = get_logger(__name__)
_RELEASES_AT_ONCE = 100


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
        self.exports, self.snapshots = SqlExports(ground, self.export_jobs), SqlSnapshots(ground)
        self.rendered, self.leftovers = SqlRendered(ground), SqlLeftovers(ground)
        self.conversations = SqlConversations(ground)
        self.training_files = SqlTrainingFiles(ground, self.build_jobs)
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
    sources = api.operation_sources(export_desk, files, many_items.runs)
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
    trainings = TrainingsServiceServicer()  # type: ignore[abstract]
    return App(
        servicers=[
            (add_DatasetsServiceServicer_to_server, audio),
            (add_TrainingFilesServiceServicer_to_server, text),
            (add_TrainingsServiceServicer_to_server, trainings),
            (add_OperationsServicer_to_server, operations),
        ],
        method_rules=api.METHOD_RULES,
        loops=[maintenance([parts.export_jobs, parts.build_jobs, parts.run_jobs]), give_back, collect],
        message_bytes=api.MESSAGE_BYTES,
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
        parts.snapshots, choose, parts.captions, parts.assets, parts.releases, clock, canonical=rfc8785.dumps
    )


def _many_items(parts: _Parts, runtime: Runtime) -> api.ManyItems:
    choose, clock = Selections(parts.items, parts.snapshots), runtime.clock
    duplicates = Duplicates(parts.items, runtime.pager)
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
