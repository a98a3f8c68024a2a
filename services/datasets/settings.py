"""Settings of the datasets service."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Self

from pydantic import Field, SecretStr, model_validator

from chassis.settings import Settings


class DatasetsSettings(Settings):
    """What the datasets service is configured by."""

    SERVICE: ClassVar[str] = "datasets"

    grpc_port: int = Field(default=50052, ge=0, le=65535, description="Port of the gRPC server; 0 takes a free one")
    ops_port: int = Field(default=9102, ge=0, le=65535, description="Port of /livez, /readyz and /metrics")
    lease_s: float = Field(default=30, gt=0, description="Seconds that a worker's claim holds without a heartbeat")
    slots: int = Field(default=2, ge=1, description="Exports, and training files, that one worker makes at once")
    poll_s: float = Field(default=5, gt=0, description="Seconds between a worker's looks at the rows without a message")
    release_s: float = Field(default=2, gt=0, description="Seconds between rounds that give holds on assets back")
    scratch_dir: Path | None = Field(
        default=None, description="Folder of audio that is made anew; the system's own when unset"
    )
    render_timeout_s: int = Field(
        default=1800, gt=0, description="Wall and processor seconds that making one recording anew may take"
    )
    render_memory_bytes: int = Field(
        default=2 << 30, gt=0, description="Address space of one process that makes a recording anew, bytes"
    )
    separation_s: float = Field(
        default=6 * 3600,
        gt=0,
        description="Longest wait for the separation that takes a recording's vocals out, seconds",
    )
    max_archive_bytes: int = Field(default=1 << 40, gt=0, description="Size of the largest archive of an export, bytes")
    collect_s: float = Field(default=600, gt=0, description="Seconds between rounds that remove objects without a row")
    collect_grace_s: float = Field(
        default=24 * 3600, ge=0, description="Seconds for which an object may be without a row before it is removed"
    )
    replicate_token: SecretStr = Field(
        default=SecretStr(""),
        description="Token of the account at Replicate; nothing is trained when unset",
    )
    replicate_url: str = Field(
        default="https://api.replicate.com/v1",
        pattern=r"^https?://",
        description="Address of Replicate's API; one on loopback is a stand-in, which costs nothing and trains nothing",
    )
    replicate_timeout_s: float = Field(
        default=30, gt=0, le=600, description="Seconds to connect to Replicate, and between bytes of an answer"
    )
    replicate_hardware: str = Field(
        default="gpu-l40s", min_length=1, description="Hardware of destinations that are made at Replicate"
    )
    trainer: str = Field(
        default="sakemin/musicgen-fine-tuner:bc57274e2930af17c1d692516a4e6bd67618af425db3b2107c28c2100f031934",
        pattern=r"^[^/:\s]+/[^/:\s]+(:[^/:\s]+)?$",
        description="Trainer that new trainings run, owner/model:version; the version may be latest",
    )
    training_price_usd_micros_per_s: int | None = Field(
        default=None,
        ge=0,
        description="Price of a second of training in millionths of a US dollar; unset: 11200, and 0 at a stand-in",
    )
    training_cap_usd_micros: int = Field(
        default=50_000_000,
        ge=0,
        description="Most that one training may be expected to cost, in millionths of a US dollar; 0: no cap",
    )
    training_day_cap_usd_micros: int = Field(
        default=100_000_000,
        ge=0,
        description="Most that trainings of one artist may cost in 24 hours, in millionths of a US dollar; 0: no cap",
    )
    training_tick_s: float = Field(
        default=1, gt=0, le=60, description="Seconds between looks for trainings that want to be looked at"
    )
    training_poll_min_s: float = Field(
        default=5, gt=0, description="Seconds between the first looks at a training at the provider"
    )
    training_poll_max_s: float = Field(default=60, gt=0, description="Seconds between later looks")
    training_doubt_s: float = Field(
        default=120,
        gt=0,
        description="Seconds after an unclear submission until the provider's list is believed that it was not taken; "
        "above replicate_timeout_s",
    )
    generation_max_bytes: int = Field(
        default=256 << 20, gt=0, description="Largest audio that is fetched from the provider, bytes"
    )

    @model_validator(mode="after")
    def _doubt_outlasts_calls(self) -> Self:
        if self.training_doubt_s <= self.replicate_timeout_s:
            raise ValueError("training_doubt_s must be above replicate_timeout_s: a submission may still be on its way")
        return self
