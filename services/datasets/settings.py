"""Settings of the datasets service."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from pydantic import Field

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
