import contextlib
import fcntl
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Session

from chassis.errors import DependencyUnavailable, FailedPrecondition
from chassis.logs import get_logger

log = get_logger(__name__)

Json = sa.JSON().with_variant(JSONB(), "postgresql")
Uid = sa.String(32)

# SQLSTATE classes of a server that is away, full, shutting down or asks to try again.
_RETRYABLE = ("08", "40", "53", "55", "57")
_SQLITE_RETRYABLE = ("locked", "busy", "unable to open", "disk i/o", "disk is full")
_ROW_SCOPE = (
    "artist = current_setting('tonewright.artist', true) OR current_setting('tonewright.scope', true) = 'system'"
)


class DatabaseRoleUnsafe(FailedPrecondition):
    """The role of the database URL could see or change rows past row-level security."""

    REASON = "DATABASE_ROLE_UNSAFE"


class UtcDateTime(sa.TypeDecorator[datetime]):
    """A point in time, always aware and always UTC, to the microsecond."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """The UTC value to store; a naive one is a defect of the caller."""
        if value is not None and value.tzinfo is None:
            raise TypeError(f"naive datetime {value!r}")
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """The stored value, aware."""
        return value and (value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC))


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose rows a transaction may touch: one artist's, or all of them for a named system job."""

    artist: str = ""
    job: str = ""


def artist_scope(artist: str) -> Scope:
    """The rows of one artist."""
    return Scope(artist=artist)


def system_scope(job: str) -> Scope:
    """The rows of every artist, for the system job of that name."""
    return Scope(job=job)


def declarative_base(schema: str) -> type[DeclarativeBase]:
    """A base class for the tables of one service; the schema is chosen by the connection's search path."""
    return type("Base", (DeclarativeBase,), {"metadata": sa.MetaData(info={"schema": schema})})


def etag_of(*parts: object) -> str:
    """A short hash of the parts, equal when they are equal."""
    return hashlib.sha256(json.dumps(parts, default=str, sort_keys=True).encode()).hexdigest()[:32]


def _on_sqlite_connect(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver's own BEGIN is deferred and comes too late to save an update
    cursor = connection.cursor()
    if cursor.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        cursor.execute("PRAGMA journal_mode = WAL")
    for pragma in ("foreign_keys = ON", "synchronous = NORMAL", "busy_timeout = 10000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _on_sqlite_begin(connection: sa.Connection) -> None:
    write = not connection.get_execution_options().get("postgresql_readonly", False)
    connection.exec_driver_sql(f"PRAGMA query_only = {'OFF' if write else 'ON'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _engine(url: str, schema: str, pool_size: int) -> sa.Engine:
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = sa.create_engine(parsed, connect_args={"timeout": 10}, pool_size=pool_size, max_overflow=pool_size)
        sa.event.listen(engine, "connect", _on_sqlite_connect)
        sa.event.listen(engine, "begin", _on_sqlite_begin)
        return engine
    arguments = {"connect_timeout": 3, "tcp_user_timeout": 5000, "options": f"-c search_path={schema}"}
    return sa.create_engine(
        parsed, connect_args=arguments, pool_size=pool_size, max_overflow=2, pool_timeout=5, pool_pre_ping=True
    )


def _is_unreachable(error: Exception) -> bool:
    if isinstance(error, sa.exc.TimeoutError):
        return True
    if not isinstance(error, sa.exc.DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    if type(error.orig).__module__.startswith("sqlite3"):
        return any(word in str(error.orig).lower() for word in _SQLITE_RETRYABLE)
    if not isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError):
        return False
    state = getattr(error.orig, "sqlstate", None)
    return state is None or state.startswith(_RETRYABLE)


@contextlib.contextmanager
def reachable() -> Iterator[None]:
    """A block in which a database server that does not answer is DependencyUnavailable."""
    try:
        yield
    except sa.exc.SQLAlchemyError as error:
        if not _is_unreachable(error):
            raise
        raise DependencyUnavailable("database") from error


class Database:
    """Transactions of one service on SQLite or Postgres, chosen by the URL; close it when done."""

    def __init__(self, url: str, schema: str, *, pool_size: int = 10) -> None:
        self.schema = schema
        self.engine = _engine(url, schema, pool_size)
        self._readers = self.engine.execution_options(postgresql_readonly=True)
        self._is_postgres = self.engine.dialect.name == "postgresql"

    @contextlib.contextmanager
    def transaction(self, scope: Scope, *, write: bool = True) -> Iterator[Session]:
        """A session that commits when the block succeeds, rolls back when it raises, and sees only its scope."""
        bind = self.engine if write else self._readers
        with reachable(), Session(bind, expire_on_commit=False) as session, session.begin():
            if self._is_postgres:
                _enter(session.connection(), scope)
            yield session
        for hook in session.info.pop("after_commit", ()):
            try:
                hook()
            except Exception:
                log.exception("after_commit_failed")

    def after_commit(self, session: Session, hook: Callable[[], object]) -> None:
        """Have the hook called once the session's transaction is committed; never if it is rolled back."""
        session.info.setdefault("after_commit", []).append(hook)

    @contextlib.contextmanager
    def exclusively(self, name: str) -> Iterator[bool]:
        """Whether this process now holds the named lock; it never waits, and a dead process holds none."""
        if not self._is_postgres:
            with _file_lock(f"{self.engine.url.database}.{name}.lock", wait=False) as held:
                yield held
            return
        with reachable(), self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            key = sa.func.hashtextextended(f"{self.schema}.{name}", 0)
            held = bool(connection.scalar(sa.select(sa.func.pg_try_advisory_lock(key))))
            try:
                yield held
            finally:
                if held:
                    connection.execute(sa.select(sa.func.pg_advisory_unlock(key)))

    def ping(self) -> None:
        """Nothing if the database answers, else DependencyUnavailable."""
        with reachable(), self._readers.connect() as connection:
            connection.exec_driver_sql("SELECT 1")

    def check_role(self) -> None:
        """Nothing if row-level security binds this role, else DatabaseRoleUnsafe; SQLite has no roles."""
        if not self._is_postgres:
            return
        with reachable(), self._readers.connect() as connection:
            role = connection.execute(sa.text(_ROLE_SQL)).one()
            tables = connection.execute(sa.text(_TABLES_SQL), {"schema": self.schema}).all()
        faults = ["is a superuser"] * role.rolsuper + ["has BYPASSRLS"] * role.rolbypassrls
        faults += [f"owns table {table.relname}" for table in tables if table.owned]
        faults += [f"meets no row-level security on {table.relname}" for table in tables if not table.walled]
        if faults:
            advice = "use a role that is neither owner nor superuser, and run migrations as the owner"
            raise DatabaseRoleUnsafe(f"database role {role.rolname!r} {', '.join(faults)}; {advice}")

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


_ROLE_SQL = "SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
_TABLES_SQL = """
SELECT c.relname, pg_has_role(c.relowner, 'MEMBER') AS owned,
       (c.relrowsecurity AND c.relforcerowsecurity) OR NOT EXISTS (
           SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'artist' AND NOT a.attisdropped
       ) AS walled
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = :schema AND c.relkind IN ('r', 'p')
"""


def _enter(connection: sa.Connection, scope: Scope) -> None:
    sql = "SELECT set_config('tonewright.artist', :artist, true), set_config('tonewright.scope', :scope, true)"
    connection.execute(sa.text(sql), {"artist": scope.artist, "scope": "system" if scope.job else "artist"})


@contextlib.contextmanager
def _file_lock(path: str, *, wait: bool) -> Iterator[bool]:
    with Path(path).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def enable_rls(op: Any, table: str) -> None:
    """Wall the table off by its `artist` column, in a migration; nothing on SQLite."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
    op.execute(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY')
    op.execute(f'CREATE POLICY artist_rows ON "{table}" USING ({_ROW_SCOPE})')


def migrate(database_url: str, package: str, schema: str, *, app_url: str | None = None) -> None:
    """Bring the schema to the newest revision, unless it is newer still; safe to run in several processes at once.

    Args:
        database_url: The owner's URL.
        package: Where the revisions are, as `services.stems:migrations` (folder `versions` in it).
        schema: The service's schema on Postgres.
        app_url: The URL that the service runs with; its role is granted what it needs.
    """
    config, script = _revisions(package)
    engine = _engine(database_url, schema, 1)
    app_role = sa.make_url(app_url or database_url).username
    grants = app_role not in (None, engine.url.username)
    try:
        with reachable():
            if grants or _heads(engine) != set(script.get_heads()):
                _upgrade(engine, script, config, schema, app_role if grants else None)
    finally:
        engine.dispose()


def schema_probe(database: Database, package: str) -> Callable[[], None]:
    """Gives nothing once the schema is as new as the code, else DependencyUnavailable("schema").

    A revision that the code does not know is newer, made by a release that is being rolled out.
    """
    is_there = False

    def probe() -> None:
        nonlocal is_there
        if is_there:
            return
        with reachable():
            found = _heads(database._readers)
        script = _revisions(package)[1]
        wanted = set(script.get_heads())
        known = {revision.revision for revision in script.walk_revisions()}
        if found != wanted and found <= known:
            service = package.partition(":")[0]
            states = f"at revision {', '.join(found) or 'none'} and this release needs {', '.join(wanted)}"
            raise DependencyUnavailable("schema", f"the schema is {states}; run `python -m {service} migrate`")
        is_there = True

    return probe


def _revisions(package: str) -> tuple[Config, ScriptDirectory]:
    config = Config()
    config.set_main_option("script_location", package)
    config.set_main_option("path_separator", "os")
    return config, ScriptDirectory.from_config(config)


def _heads(engine: sa.Engine) -> set[str]:
    with engine.connect() as connection:
        return set(MigrationContext.configure(connection).get_current_heads())


def _upgrade(engine: sa.Engine, script: ScriptDirectory, config: Config, schema: str, app_role: str | None) -> None:
    postgres = engine.dialect.name == "postgresql"
    lock = contextlib.nullcontext() if postgres else _file_lock(f"{engine.url.database}.migrate.lock", wait=True)
    with lock, engine.begin() as connection:
        if postgres:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(schema, 1))))
            connection.execute(sa.text(f'CREATE SCHEMA IF NOT EXISTS "{schema}"'))
            _enter(connection, system_scope("migrate"))
        known = {revision.revision for revision in script.walk_revisions()}
        steps = lambda heads, _: script._upgrade_revs("head", heads) if known.issuperset(heads) else []  # noqa: E731
        with EnvironmentContext(config, script, fn=steps) as environment:
            environment.configure(connection=connection, transactional_ddl=True, render_as_batch=True)
            environment.run_migrations()
        if app_role is not None:
            role = engine.dialect.identifier_preparer.quote(app_role)
            for rights in ("USAGE ON", "SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN", "USAGE ON ALL SEQUENCES IN"):
                connection.execute(sa.text(f'GRANT {rights} SCHEMA "{schema}" TO {role}'))
