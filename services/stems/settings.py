"""Settings of the stems service."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from chassis.settings import Settings


class StemsSettings(Settings):
    """What the stems service and its worker are configured by."""

    SERVICE: ClassVar[str] = "stems"

    grpc_port: int = Field(default=50054, ge=0, le=65535, description="Port of the gRPC server; 0 takes a free one")
    ops_port: int = Field(
        default=9104, ge=0, le=65535, description="Port of /livez, /readyz and /metrics; 0 takes a free one"
    )
    worker_ops_port: int | None = Field(default=9114, ge=0, le=65535, description="The same for the worker")
    engine: Literal["stub", "demucs"] = Field(
        default="stub",
        description="stub: signal processing without a model; demucs: the mounted models, and stub by name",
    )
    models_dir: Path | None = Field(default=None, description="Folder of Demucs models; {home}/models when unset")
    default_model: str = Field(
        default="", description="Model used when none is asked for; the first by name of the engine when unset"
    )
    device: str = Field(
        default="auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$", description="Where Demucs runs: auto, cpu, cuda or cuda:N"
    )
    precision: Literal["auto", "float32", "mixed"] = Field(
        default="auto",
        description="Arithmetic of Demucs: float32, mixed (TF32 and bfloat16 in part), auto (mixed on a GPU)",
    )
    work_dir: Path | None = Field(
        default=None, description="Folder for files of running work; {home}/work/stems when unset"
    )
    lease_s: float = Field(default=30, ge=1, le=3600, description="Seconds after which a silent worker loses its job")
    slots: int = Field(default=2, ge=1, le=64, description="Separations that one worker runs at once")
    poll_s: float = Field(default=5, gt=0, le=60, description="Seconds between a worker's looks without a message")
    max_duration_s: float = Field(default=4 * 3600, gt=0, description="Longest source in seconds")
    max_size_bytes: int = Field(default=4 << 30, gt=0, description="Largest stored source, and largest stem, in bytes")
    decode_timeout_s: int = Field(default=900, gt=0, description="Seconds that decoding one source may take")
    memory_budget_bytes: int = Field(
        default=0,
        ge=0,
        description="Resident memory that a worker and its children keep below; 0: three quarters of the container's "
        "limit, or of half the machine's memory where there is none",
    )
    work_limit_bytes: int = Field(
        default=0, ge=0, description="Largest size of the files of running work; 0: what their disk has"
    )

    webhook_allow_private: bool = Field(
        default=False,
        description="Whether webhooks may go to http and to private addresses; for tests and closed networks",
    )

    @property
    def models_folder(self) -> Path:
        """Where models are looked for."""
        return self.models_dir or self.home / "models"

    @property
    def work_folder(self) -> Path:
        """Where running work keeps its files."""
        return self.work_dir or self.home / "work" / "stems"
