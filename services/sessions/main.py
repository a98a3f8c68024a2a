from __future__ import annotations

import asyncio
import contextlib

import rfc8785

from chassis.context import Role
from chassis.logs import get_logger
from chassis.runtime import App, MethodRule, Runtime, run_service
from services.sessions.api import AssetsServicer, SessionsServicer
from services.sessions.probe.prober import Bounds, ChildProber
from services.sessions.settings import SessionsSettings
from services.sessions.store import SqlStore
from services.sessions.use_cases.assets import Assets
from services.sessions.use_cases.collect import Collector
from services.sessions.use_cases.sessions import Sessions
from services.sessions.use_cases.uploads import Uploads
from tonewright.assets.v1.assets_pb2_grpc import add_AssetsServiceServicer_to_server
from tonewright.sessions.v1.sessions_pb2_grpc import add_SessionsServiceServicer_to_server

log = get_logger(__name__)

_READS = ("BatchGetAssets", "OpenSession", "CheckDirty", "DiffRevisions")


def build(runtime: Runtime) -> App:
    """The service's servicers and loops on this runtime."""
    settings = runtime.settings
    assert isinstance(settings, SessionsSettings), "run_service makes the settings of the type it was given"
    assert runtime.db is not None, "the service has migrations, so it has a database"
    store = SqlStore(runtime.db, runtime.pager, runtime.clock)
    blobs, clock = runtime.objects, runtime.clock
    bounds = Bounds(
        timeout_s=settings.probe_timeout_s,
        memory_bytes=settings.probe_memory_bytes,
        max_duration_s=settings.max_duration_s,
        at_once=settings.probes_at_once,
    )
    prober = ChildProber(bounds, settings.scratch_dir)
    uploads = Uploads(store, blobs, prober, clock, settings.max_upload_bytes)
    assets = AssetsServicer(
        Assets(store, blobs, clock), uploads, runtime.pool, completions_at_once=settings.probes_at_once + 2
    )
    sessions = SessionsServicer(Sessions(store, blobs, clock, rfc8785.dumps), runtime.pool)
    collector = Collector(store, blobs, clock)

    async def collect(stop: asyncio.Event) -> None:
        while not stop.is_set():
            await runtime.pool.run(_collect_alone, runtime, collector)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), settings.collect_every_s)

    return App(
        servicers=[
            (add_AssetsServiceServicer_to_server, assets),
            (add_SessionsServiceServicer_to_server, sessions),
        ],
        method_rules={method: MethodRule(role=Role.VIEWER) for method in _READS},
        loops=[collect],
    )


def main() -> None:
    """Run the service."""
    run_service(SessionsSettings, build, migrations="services.sessions:migrations")


def _collect_alone(runtime: Runtime, collector: Collector) -> None:
    assert runtime.db is not None, "the service has a database"
    with runtime.db.exclusively("collect") as alone:
        if alone:
            found = collector.collect()
            log.debug("garbage_collected", assets=found.purged_assets, sessions=found.purged_sessions)
