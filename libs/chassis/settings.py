"""Settings of a process: from the environment, checked, with defaults that need nothing outside."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

_PASSWORD = re.compile(r"(?<=://)([^:/@\s]*):[^/\s]+@")
_QUERY_SECRET = re.compile(r"([?&][^=&]*(?:password|secret|token|key)[^=&]*=)[^&]+", re.IGNORECASE)


class Settings(BaseSettings):
    """What every service is configured by.

    `TONEWRIGHT_<SERVICE>_X` is read first, then `TONEWRIGHT_X`.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_nested_delimiter="__", hide_input_in_errors=True)
    SERVICE: ClassVar[str] = "service"

    home: Path = Field(default=Path(".tonewright"), description="Folder of all embedded state")
    database_url: str = Field(default="", description="sqlite:///… or postgresql://…")
    migration_database_url: str | None = Field(
        default=None, description="Database URL of the role that owns the schema; database_url when unset"
    )
    objects_url: str = Field(default="", description="file:///… or s3://bucket/prefix?endpoint=…")
    objects_public_url: str | None = Field(
        default=None, description="Endpoint that signed links name; the store's own when unset"
    )
    broker_url: str = Field(default="", description="filesystem:///…, amqp://… or redis://…")
    grpc_host: str = Field(default="127.0.0.1", description="Address the gRPC server listens on")
    grpc_port: int = Field(default=0, ge=0, le=65535, description="Port of the gRPC server; 0 takes a free one")
    ops_host: str = Field(default="127.0.0.1", description="Address of /livez, /readyz and /metrics")
    ops_port: int = Field(
        default=0, ge=0, le=65535, description="Port of /livez, /readyz and /metrics; 0 takes a free one"
    )
    worker_ops_port: int | None = Field(
        default=None, ge=0, le=65535, description="Ops port of the worker process; ops_port + 10 when unset"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Lowest level shown")
    log_format: Literal["console", "json"] = Field(default="console", description="For people or for machines")
    log_pii: bool = Field(default=False, description="Keep personal facts in logs")
    signing_key_file: Path = Field(
        default=Path(), description="Ed25519 private key, PEM, that signs this service's tokens"
    )
    trusted_keys_dir: Path = Field(
        default=Path(), description="Folder of <service>.pub: public keys or their certificates"
    )
    callers_file: Path = Field(default=Path(), description="TOML table of who may call whom")
    migrate_on_start: bool = Field(default=True, description="Bring the database up to date before serving")
    drain_s: float = Field(default=0, ge=0, description="Seconds to serve on while not ready after the stop signal")
    grace_s: float = Field(default=3, ge=0, description="Seconds that running calls, transfers and jobs get to finish")
    otlp_endpoint: str | None = Field(default=None, description="OpenTelemetry collector for spans; none when unset")
    threads: int = Field(
        default=10, ge=1, le=1000, description="Threads that run use cases; as many database connections"
    )
    lifeline_fd: int | None = Field(default=None, description="Inherited pipe whose end means that the parent is gone")

    @model_validator(mode="before")
    @classmethod
    def _embedded_defaults(cls, given: dict[str, Any]) -> dict[str, Any]:
        home = Path(given.get("home", cls.model_fields["home"].default)).absolute()
        service = cls.SERVICE
        root = sys.modules[cls.__module__.partition(".")[0]]
        derived = {
            "database_url": f"sqlite:///{home}/db/{service}.db",
            "objects_url": f"file://{home}/objects",
            "broker_url": f"filesystem://{home}/queue",
            "signing_key_file": home / "keys" / f"{service}.key",
            "trusted_keys_dir": home / "keys",
            "callers_file": Path(getattr(root, "__file__", None) or home).parent / "callers.toml",
        }
        filled = {name: value for name, value in derived.items() if given.get(name) in (None, "")}
        return {**given, **filled, "home": home}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *_args: PydanticBaseSettingsSource,
        **_named: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then the service's own variables, then those that all services share."""
        own = EnvSettingsSource(settings_cls, env_prefix=f"TONEWRIGHT_{cls.SERVICE.upper()}_")
        shared = EnvSettingsSource(settings_cls, env_prefix="TONEWRIGHT_")
        return init_settings, own, shared

    def target_of(self, peer: str) -> str:
        """Where a peer listens: the setting `<peer>_target` if there is one, else its variable.

        Raises:
            LookupError: Neither is set.
        """
        field = f"{peer}_target"
        variables = [f"TONEWRIGHT_{self.SERVICE.upper()}_{field.upper()}", f"TONEWRIGHT_{field.upper()}"]
        target = getattr(self, field, None) or next((os.environ[v] for v in variables if os.environ.get(v)), None)
        if not target:
            raise LookupError(f"no address is known for {peer}: set {variables[1]}, for example 127.0.0.1:50051")
        return str(target)

    def describe(self) -> list[tuple[str, str, str]]:
        """Variable, value with secrets masked, and meaning of each setting."""
        prefix = f"TONEWRIGHT_{self.SERVICE.upper()}_"
        return [
            (prefix + name.upper(), _masked(getattr(self, name)), field.description or "")
            for name, field in type(self).model_fields.items()
        ]


def _masked(value: object) -> str:
    if isinstance(value, SecretStr):
        return "********" if value.get_secret_value() else ""
    return _QUERY_SECRET.sub(r"\1********", _PASSWORD.sub(r"\1:********@", "" if value is None else str(value)))
