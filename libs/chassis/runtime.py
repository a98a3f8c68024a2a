"""A process from its start to its end: settings, what it stands on, serving, draining."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import hashlib
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import ValidationError

from chassis import logs, ops, tracing
from chassis.channels import MESSAGE_BYTES, Channels
from chassis.clock import Clock, SystemClock
from chassis.errors import AppError, Unavailable
from chassis.health import Health
from chassis.metrics import LOOP_FAILURES
from chassis.pool import WorkPool
from chassis.process import leave_within, stop_event
from chassis.rpc.rules import MethodRule
from chassis.settings import Settings
from chassis.tokens import Signer, SigningKeyError, Verifier

if TYPE_CHECKING:
    from chassis.db import Database
    from chassis.objects import ObjectStore
    from chassis.paging import Pager
    from chassis.queue import Queue

__all__ = ["App", "Health", "MethodRule", "Runner", "Runtime", "WorkPool", "run_service"]

log = logs.get_logger(__name__)

Loop = Callable[[asyncio.Event], Awaitable[None]]
_AGAIN_S = 1.0
_MIGRATE_PATIENCE_S = 60.0  # a database that starts beside the migration


class Runtime:
    """What a service stands on; each part is opened when it is first asked for and watched by `health`."""

    def __init__(self, settings: Any, *, clock: Clock | None = None, has_database: bool = False) -> None:
        self.settings = settings
        self.clock: Clock = clock or SystemClock()
        self.health = Health()
        self.pool = WorkPool(settings.threads)
        self.signer = Signer(settings.SERVICE, settings.signing_key_file, self.clock)
        self.channels = Channels(settings, self.signer)
        self._has_database = has_database

    @cached_property
    def db(self) -> Database:
        """The service's database."""
        from chassis.db import Database

        if not self._has_database:
            raise LookupError(f"{self.settings.SERVICE} was started without migrations, so it has no database")
        database = Database(self.settings.database_url, self.settings.SERVICE, pool_size=self.settings.threads)
        self.health.add("database", database.ping)
        return database

    @cached_property
    def objects(self) -> ObjectStore:
        """The object store."""
        from chassis.objects import open_store

        store = open_store(self.settings.objects_url, public_endpoint=self.settings.objects_public_url)
        self.health.add("objects", store.ping)
        return store

    @cached_property
    def queue(self) -> Queue:
        """Wake-up messages to workers; work is accepted without it."""
        from chassis.queue import Queue

        queue = Queue(self.settings.broker_url)
        self.health.add("broker", queue.ping, required=False)
        return queue

    @cached_property
    def pager(self) -> Pager:
        """Pages whose tokens every process of this service understands."""
        from chassis.paging import Pager

        key = self.signer.key().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        return Pager(hashlib.sha256(b"pages" + key).digest())

    async def close(self) -> None:
        """Close everything that was opened."""
        self.health.close()
        self.pool.close()
        await self.channels.close()
        for name in ("queue", "db"):
            if name in self.__dict__:
                await asyncio.to_thread(getattr(self, name).close)


@dataclass
class App:
    """What a service serves.

    Args:
        servicers: `add_XServicer_to_server` with the servicer; no gRPC server runs when empty.
        method_rules: Who may call, by method path, `Service/Method` or `Method`; see `MethodRule` for the rest.
        loops: Background work until the event is set; one that raises is started again.
        on_drain: Called when the process is asked to stop, while it serves on.
        on_stop: Called last, in order.
        message_bytes: Largest message in either direction.
        has_ops: Whether the ops listener runs.
    """

    servicers: list[tuple[Callable[..., None], Any]] = field(default_factory=list)
    method_rules: Mapping[str, MethodRule] = field(default_factory=dict)
    loops: list[Loop] = field(default_factory=list)
    on_drain: list[Callable[[], None]] = field(default_factory=list)
    on_stop: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    message_bytes: int = MESSAGE_BYTES
    has_ops: bool = True


class Runner(Protocol):
    """Work of a worker process in threads of its own."""

    def start(self) -> None:
        """Begin."""
        ...

    def stop(self, grace_s: float) -> None:
        """End, within the time."""
        ...

    def run_until_idle(self, timeout_s: float) -> bool:
        """Whether nothing was left to do before the time was up."""
        ...


Worker = Callable[[Runtime], "Runner | Sequence[Runner]"]


def run_service(
    settings_type: type[Settings],
    build: Callable[[Runtime], App],
    *,
    migrations: str | None = None,
    worker: Worker | None = None,
) -> None:
    """Be the process that the command line asks for: serve, `worker`, `migrate`, or `--check`; exits.

    Args:
        settings_type: The service's settings.
        build: Puts the service together.
        migrations: Where the Alembic revisions are, as `services.stems:migrations`; None for no database.
        worker: Gives the runners of the worker process; with `--exit-when-idle` it ends when nothing is left to do.
    """
    gc.freeze()  # modules and classes live as long as the process
    gc.enable()
    command, flags = _arguments(has_database=migrations is not None, has_worker=worker is not None)
    try:
        settings = settings_type()
        logs.configure(settings.SERVICE, settings.log_level, settings.log_format, pii=settings.log_pii)
        tracing.configure(settings.SERVICE, settings.otlp_endpoint)
        process = _Process(settings, build, migrations, worker if command == "worker" else None)
        if "--check" in flags:
            sys.exit(_run(process.check()))
        if command == "migrate":
            process.migrate(patience_s=_MIGRATE_PATIENCE_S)
            sys.exit(0)
        if settings.migrate_on_start:
            process.migrate()
        _run(process.run(until_idle="--exit-when-idle" in flags))
    except ValidationError as error:
        sys.exit(f"the settings do not fit: {error}")
    except (AppError, SigningKeyError, LookupError, OSError) as error:
        log.error("process_failed", error=f"{type(error).__name__}: {error}")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(0)


def _arguments(*, has_database: bool, has_worker: bool) -> tuple[str, set[str]]:
    commands = ["serve", *["migrate"] * has_database, *["worker"] * has_worker]
    flags = {word for word in sys.argv[1:] if word.startswith("--")}
    words = [word for word in sys.argv[1:] if word not in flags] or ["serve"]
    allowed = {"--check", *["--exit-when-idle"] * (words == ["worker"])}
    if len(words) != 1 or words[0] not in commands or not flags <= allowed:
        sys.exit(f"unknown arguments {' '.join(sys.argv[1:])}; one of {', '.join(commands)}, and {', '.join(allowed)}")
    return words[0], flags


def _run(main: Any) -> Any:
    try:
        import uvloop

        factory: Any = uvloop.new_event_loop
    except ImportError:
        factory = None
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main)


class _Process:
    def __init__(
        self, settings: Settings, build: Callable[[Runtime], App], migrations: str | None, worker: Worker | None
    ) -> None:
        self._settings, self._build, self._migrations, self._worker = settings, build, migrations, worker

    def migrate(self, *, patience_s: float = 0) -> None:
        """Bring the database up to date, waiting so long for it to answer; nothing for a service without one."""
        if self._migrations is None:
            return
        from chassis.db import migrate

        settings, end_s = self._settings, time.monotonic() + patience_s
        owner = settings.migration_database_url or settings.database_url
        while True:
            try:
                return migrate(owner, self._migrations, settings.SERVICE, app_url=settings.database_url)
            except Unavailable as error:
                if time.monotonic() >= end_s:
                    raise
                log.warning("migration_waits", error=str(error))
            time.sleep(1)

    async def check(self) -> int:
        """Print settings and dependencies; 0 when all of them answer."""
        runtime = self._runtime()
        for variable, value, meaning in self._settings.describe():
            print(f"{variable}={value}  # {meaning}")  # noqa: T201
        self._assemble(runtime)
        self._watch_schema(runtime)
        runtime.health.add("signing key", runtime.signer.key)
        if self._migrations is not None:
            runtime.health.add("database role", runtime.db.check_role)
        report = await runtime.health.check()
        for name, works in report.dependencies.items():
            print(f"{name}: {'ok' if works else report.failed[name]}")  # noqa: T201
        await runtime.close()
        return 1 if report.failed else 0

    async def run(self, *, until_idle: bool = False) -> None:
        """Serve, or work, until asked to stop or, on demand, until there is no work."""
        runtime, settings = self._runtime(), self._settings
        stop = stop_event(settings.lifeline_fd, hard_after_s=settings.drain_s + settings.grace_s + 6)
        app, runners = self._assemble(runtime)
        probe = self._watch_schema(runtime)
        runtime.health.is_starting = True
        server = None
        if app.servicers:
            server = self._server(runtime, app)
            port = _bind(server, f"{settings.grpc_host}:{settings.grpc_port}")
            await server.start()
            log.info("grpc_listening", host=settings.grpc_host, port=port)
        listener = await self._listener(runtime) if app.has_ops else None
        await _until_there(probe, stop)
        stopping = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            loops = []
            if not stop.is_set():
                for runner in runners:
                    runner.start()
                loops = [tasks.create_task(_keep(loop, stopping)) for loop in app.loops]
                if until_idle:
                    tasks.create_task(_stop_when_idle(runners, stop))
            runtime.health.is_starting = False
            await stop.wait()
            log.info("process_drains")
            runtime.health.is_draining = True
            for hook in app.on_drain:
                hook()
            if not runners:  # nobody sends anything to a worker, and what it runs may need all of the grace
                await asyncio.sleep(settings.drain_s)
            stopping.set()
            halts = [asyncio.to_thread(runner.stop, settings.grace_s) for runner in runners]
            if server is not None:
                halts.append(server.stop(settings.grace_s))
            if loops:
                halts.append(_ended(loops, settings.grace_s + 1))
            await asyncio.gather(*halts)
        await self._end(runtime, app, listener)

    def _watch_schema(self, runtime: Runtime) -> Callable[[], None] | None:
        if self._migrations is None:
            return None
        from chassis.db import schema_probe

        probe = schema_probe(runtime.db, self._migrations)
        runtime.health.add("schema", probe)
        return probe

    async def _end(self, runtime: Runtime, app: App, listener: asyncio.Server | None) -> None:
        for hook in app.on_stop:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(hook(), 1)
        if listener is not None:
            listener.close()
        await runtime.close()
        log.info("process_ended")
        # The calls that such work belongs to were ended already, and only threads of foreign code are left.
        leave_within(0.5)

    def _runtime(self) -> Runtime:
        return Runtime(self._settings, has_database=self._migrations is not None)

    def _assemble(self, runtime: Runtime) -> tuple[App, list[Runner]]:
        if self._worker is None:
            return self._build(runtime), []
        made = self._worker(runtime)
        return App(), list(made) if isinstance(made, Sequence) else [made]

    def _server(self, runtime: Runtime, app: App) -> Any:
        from chassis.rpc.server import make_server

        settings = self._settings
        return make_server(
            settings.SERVICE,
            app.servicers,
            verifier=Verifier(settings.SERVICE, settings.trusted_keys_dir, settings.callers_file, runtime.clock),
            health=runtime.health,
            clock=runtime.clock,
            rules=app.method_rules,
            message_bytes=app.message_bytes,
        )

    async def _listener(self, runtime: Runtime) -> asyncio.Server:
        settings = self._settings
        port = settings.ops_port
        if self._worker is not None:
            port = settings.worker_ops_port if settings.worker_ops_port is not None else port and port + 10
        listener = await ops.listen(runtime.health, settings.ops_host, port)
        log.info("ops_listening", host=settings.ops_host, port=listener.sockets[0].getsockname()[1])
        return listener


def _bind(server: Any, address: str) -> int:
    try:
        return int(server.add_insecure_port(address))
    except RuntimeError as error:
        raise OSError(f"cannot listen on {address}; is another process there already?") from error


async def _until_there(probe: Callable[[], None] | None, stop: asyncio.Event) -> None:
    """Return once the schema is there, or the process is asked to stop: loops and workers need their tables."""
    told = ""
    while probe is not None and not stop.is_set():
        try:
            return await asyncio.to_thread(probe)
        except Exception as error:  # a database that is away, without rights or without tables
            if str(error) != told:
                log.warning("schema_awaited", error=str(error))
            told = str(error)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _AGAIN_S)


async def _keep(loop: Loop, stopping: asyncio.Event) -> None:
    name = getattr(loop, "__qualname__", type(loop).__name__)
    wait_s = _AGAIN_S
    while not stopping.is_set():
        try:
            await loop(stopping)
            return
        except Exception:
            LOOP_FAILURES.labels(name).inc()
            log.exception("loop_failed", loop=name, again_in_s=wait_s)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), wait_s)
        wait_s = min(30.0, wait_s * 2)


async def _stop_when_idle(runners: Sequence[Runner], stop: asyncio.Event) -> None:
    while not stop.is_set():
        if all([await asyncio.to_thread(runner.run_until_idle, 1.0) for runner in runners]):
            stop.set()


async def _ended(loops: list[asyncio.Task[None]], grace_s: float) -> None:
    _, left = await asyncio.wait(loops, timeout=max(grace_s, 0.5))
    for task in left:
        task.cancel()
