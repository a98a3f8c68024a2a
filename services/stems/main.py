"""Puts the stems service and its worker together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial

from google.longrunning.operations_pb2_grpc import add_OperationsServicer_to_server

from chassis.errors import Unavailable
from chassis.jobs import JobRunner, Jobs, maintenance
from chassis.logs import get_logger
from chassis.operations import OperationsServicer
from chassis.outbox import Outbox
from chassis.runtime import App, Loop, Runtime, run_service
from services.stems import stub
from services.stems.api import METHOD_RULES, StemsServicer, operation_source
from services.stems.audio import AudioFiles
from services.stems.blobs import SharedBlobs
from services.stems.demucs.admission import resident_bytes
from services.stems.demucs.mounted import MountedModel, find_models
from services.stems.domain import Catalogue, Engine, Limits, ModelUnusable
from services.stems.peers import AssetsPeer, Receivers
from services.stems.settings import StemsSettings
from services.stems.store import OutboxRow, SeparationRow, SeparationStore
from services.stems.store.tables import to_separation
from services.stems.use_cases import Scratch, Separations, SeparationWork
from services.stems.worker import Worker, handler, memory_budget, own_folder, slots_within
from tonewright.stems.v1.stems_pb2_grpc import add_StemsServiceServicer_to_server

log = get_logger(__name__)

_PURGE_EVERY_S = 10.0
_TELL_EVERY_S = 1.0
# A receiver that hangs for 10 s holds up one of them.
_SENDERS = 3


def main() -> None:
    """Be the process that the command line asks for."""
    run_service(StemsSettings, build, migrations="services.stems:migrations", worker=build_worker)


def build(runtime: Runtime) -> App:
    """The API process."""
    settings: StemsSettings = runtime.settings
    jobs = _jobs(runtime)
    catalogue = _catalogue(settings, _mounted(settings))
    outbox = Outbox(runtime.db, OutboxRow, runtime.clock, allow_private=settings.webhook_allow_private)
    separations = Separations(
        store=SeparationStore(runtime.db, jobs, runtime.pager, runtime.clock, outbox),
        assets=AssetsPeer(runtime.channels),
        catalogue=catalogue,
        limits=_limits(settings),
        clock=runtime.clock,
        blobs=SharedBlobs(runtime.objects),
        receivers=Receivers(settings.webhook_allow_private),
    )
    purge = _repeated(runtime, "purge", separations.purge, _PURGE_EVERY_S)
    tell_ends = _repeated(runtime, "ends", separations.tell_ends, _TELL_EVERY_S)
    operations = OperationsServicer(
        runtime.pool, {"separations": operation_source(separations)}, service=settings.SERVICE
    )
    return App(
        servicers=[
            (add_StemsServiceServicer_to_server, StemsServicer(runtime.pool, separations, catalogue)),
            (add_OperationsServicer_to_server, operations),
        ],
        method_rules=METHOD_RULES,
        loops=[maintenance([jobs]), purge, tell_ends, *[outbox.loop] * _SENDERS],
        on_stop=[partial(asyncio.to_thread, outbox.close)],
    )


def build_worker(runtime: Runtime) -> Worker:
    """The worker process; the default model is loaded before it takes work."""
    settings: StemsSettings = runtime.settings
    jobs = _jobs(runtime)
    mounted = _mounted(settings)
    catalogue = _catalogue(settings, mounted)
    engines = _engines(settings, catalogue, mounted)
    work = SeparationWork(
        store=SeparationStore(runtime.db, jobs, runtime.pager, runtime.clock),
        assets=AssetsPeer(runtime.channels),
        blobs=SharedBlobs(runtime.objects),
        audio=AudioFiles(settings.decode_timeout_s),
        engines=engines,
        catalogue=catalogue,
        limits=_limits(settings),
        clock=runtime.clock,
        scratch=Scratch(own_folder(settings.work_folder), settings.work_limit_bytes),
    )
    runner = JobRunner(
        jobs, handler(work, to_separation), slots=_slots(settings), poll_s=settings.poll_s, queue=runtime.queue
    )
    worker = Worker(runner, list(engines.values()))
    runtime.health.add("engines", worker.check)
    return worker


def _slots(settings: StemsSettings) -> int:
    """Jobs at once; Demucs lets them in by its own account of memory."""
    if settings.engine != "stub":
        return settings.slots
    budget = memory_budget(settings.memory_budget_bytes)
    slots = slots_within(settings.slots, budget, resident_bytes())
    if slots < settings.slots:
        log.warning("slots_fewer", slots=slots, asked=settings.slots, memory_budget_bytes=budget)
    return slots


def _repeated(runtime: Runtime, name: str, step: Callable[[], object], every_s: float) -> Loop:
    """A loop that takes the step again and again, in one API process at a time."""

    def alone() -> None:
        with runtime.db.exclusively(name) as held:
            if held:
                step()

    async def loop(stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await runtime.pool.run(alone)
            except Unavailable as error:
                log.warning("step_postponed", step=name, reason=error.reason)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), every_s)

    return loop


def _jobs(runtime: Runtime) -> Jobs[SeparationRow]:
    return Jobs(
        runtime.db,
        SeparationRow,
        runtime.clock,
        lease_s=runtime.settings.lease_s,
        noun="separation",
        queue=runtime.queue,
        topic="stems.separations",
    )


def _limits(settings: StemsSettings) -> Limits:
    return Limits(settings.max_duration_s, settings.max_size_bytes)


def _mounted(settings: StemsSettings) -> Mapping[str, MountedModel]:
    if settings.engine == "stub":
        return {}
    mounted = find_models(settings.models_folder)
    if not mounted:
        raise ModelUnusable(
            f"engine demucs has no model in {settings.models_folder}; put one there, name another folder "
            "in TONEWRIGHT_STEMS_MODELS_DIR, or set TONEWRIGHT_STEMS_ENGINE=stub"
        )
    return mounted


def _catalogue(settings: StemsSettings, mounted: Mapping[str, MountedModel]) -> Catalogue:
    models = [stub.MODEL, *(found.model for found in mounted.values())]
    own = min(model.id for model in models if model.engine == settings.engine)
    return Catalogue(models, settings.default_model or own)


def _engines(
    settings: StemsSettings, catalogue: Catalogue, mounted: Mapping[str, MountedModel]
) -> Mapping[str, Engine]:
    engines: dict[str, Engine] = {stub.ENGINE: stub.StubEngine()}
    if mounted:
        try:
            # Only here: torch comes with the `stems` extra.
            from services.stems.demucs.engine import DemucsEngine
        except ImportError as error:
            raise ModelUnusable(f"engine demucs needs the `stems` extra: run `make setup-demucs` ({error})") from error

        budget = memory_budget(settings.memory_budget_bytes)
        demucs = engines["demucs"] = DemucsEngine(
            mounted, settings.device, settings.precision, memory_budget_bytes=budget, slots=settings.slots
        )
        default = catalogue.find("")
        if default.id in mounted:
            demucs.load(default.id)
            log.info("model_loaded", model=default.id, device=demucs.device, memory_budget_bytes=budget)
    return engines
