from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from pydantic import Field

from chassis.settings import Settings


class SessionsSettings(Settings):
    """What the sessions service is configured by."""

    SERVICE: ClassVar[str] = "sessions"

    grpc_port: int = Field(default=50053, ge=0, le=65535, description="Port of the gRPC server; 0 takes a free one")
    ops_port: int = Field(default=9103, ge=0, le=65535, description="Port of /livez, /readyz and /metrics")
    max_upload_bytes: int = Field(default=4 << 30, gt=0, description="Largest file that becomes an asset, bytes")
    max_duration_s: int = Field(default=4 * 3600, gt=0, description="Longest recording that becomes an asset, seconds")
    probe_timeout_s: int = Field(
        default=600, gt=0, description="Wall and processor seconds that one measurement may take"
    )
    probe_memory_bytes: int = Field(default=2 << 30, gt=0, description="Address space of one measuring process, bytes")
    probes_at_once: int = Field(default=2, gt=0, description="Files measured at the same time")
    scratch_dir: Path | None = Field(
        default=None, description="Folder of files being measured; the system's own when unset"
    )
    collect_every_s: float = Field(default=300, gt=0, description="Seconds between two rounds of garbage collection")
