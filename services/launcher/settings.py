"""What the launcher reads from the environment, and what it adds to it for its children."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Port:
    """A port a process listens on, and the variable that moves it."""

    variable: str
    default: int


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """One process of the platform: its name in logs and how to start it."""

    name: str
    arguments: tuple[str, ...]
    ports: tuple[Port, ...] = ()


def _service(name: str, grpc: int, ops: int, *more: Port) -> ProcessSpec:
    prefix = f"TONEWRIGHT_{name.upper()}"
    ports = (Port(f"{prefix}_GRPC_PORT", grpc), Port(f"{prefix}_OPS_PORT", ops), *more)
    return ProcessSpec(name, ("-m", f"services.{name}"), ports)


GATEWAY_PORT = Port("TONEWRIGHT_GATEWAY_PORT", 8080)
PROCESSES = (
    _service("prompt", 50051, 9101),
    _service("datasets", 50052, 9102),
    ProcessSpec(
        "datasets-worker", ("-m", "services.datasets", "worker"), (Port("TONEWRIGHT_DATASETS_WORKER_OPS_PORT", 9112),)
    ),
    _service("sessions", 50053, 9103),
    _service("stems", 50054, 9104),
    ProcessSpec("stems-worker", ("-m", "services.stems", "worker"), (Port("TONEWRIGHT_STEMS_WORKER_OPS_PORT", 9114),)),
    _service("realtime", 50055, 9105, Port("TONEWRIGHT_REALTIME_SOCKET_PORT", 8081)),
    ProcessSpec("gateway", ("-m", "services.gateway"), (GATEWAY_PORT,)),
)
# Plays a training provider where no token of a real one is set; no part of the platform, so no service knows of it.
STANDIN = ProcessSpec("standin", ("-m", "services.standin"), (Port("TONEWRIGHT_STANDIN_PORT", 8090),))
_STANDIN_TOKEN = "r8_standin"  # noqa: S105  (any word opens it)
_PROVIDER = ("TONEWRIGHT_DATASETS_REPLICATE_TOKEN", "TONEWRIGHT_REPLICATE_TOKEN")
# Services that sign or check internal tokens; each has a key pair of its own.
SERVICES = ("gateway", "prompt", "datasets", "sessions", "stems", "realtime")


@dataclass(frozen=True, slots=True)
class LauncherSettings:
    """Where the state lies and which ports are taken."""

    home: Path
    environment: Mapping[str, str] = field(repr=False)
    exit_with_parent: bool = False

    @classmethod
    def read(cls, home: Path | None = None) -> LauncherSettings:
        """The settings that the environment gives; `home` wins over TONEWRIGHT_HOME."""
        environment = dict(os.environ)
        chosen = home or Path(environment.get("TONEWRIGHT_HOME", ".tonewright"))
        return cls(
            home=chosen.expanduser().resolve(),
            environment=environment,
            exit_with_parent=environment.get("TONEWRIGHT_EXIT_WITH_PARENT") == "1",
        )

    def port(self, port: Port) -> int:
        """The number a port has now."""
        return int(self.environment.get(port.variable, port.default))

    @property
    def has_standin(self) -> bool:
        """Whether the stand-in trainer runs: unless a provider's token is set or TONEWRIGHT_STANDIN=off."""
        return self.environment.get("TONEWRIGHT_STANDIN", "") != "off" and not any(map(self.environment.get, _PROVIDER))

    def processes(self) -> tuple[ProcessSpec, ...]:
        """What is started."""
        return (*PROCESSES, STANDIN) if self.has_standin else PROCESSES

    def gateway_url(self) -> str:
        """The address that users call."""
        return f"http://127.0.0.1:{self.port(GATEWAY_PORT)}"

    def child_environment(self, lifeline_fd: int) -> dict[str, str]:
        """The environment of a child process: where to find its peers and how to notice that the launcher is gone."""
        targets = {
            f"TONEWRIGHT_{spec.name.upper()}_TARGET": f"127.0.0.1:{self.port(spec.ports[0])}"
            for spec in PROCESSES
            if spec.ports and spec.ports[0].variable.endswith("_GRPC_PORT")
        }
        standin = {
            "TONEWRIGHT_DATASETS_REPLICATE_URL": f"http://127.0.0.1:{self.port(STANDIN.ports[0])}/v1",
            "TONEWRIGHT_DATASETS_REPLICATE_TOKEN": _STANDIN_TOKEN,
        }
        return {
            **targets,
            **self.environment,
            **(standin if self.has_standin else {}),
            "TONEWRIGHT_HOME": str(self.home),
            "TONEWRIGHT_LIFELINE_FD": str(lifeline_fd),
            "PYTHONUNBUFFERED": "1",
        }
