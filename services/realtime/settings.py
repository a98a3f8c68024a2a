"""Settings of the realtime service."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from chassis.settings import Settings


class RealtimeSettings(Settings):
    """What the realtime service is configured by."""

    SERVICE: ClassVar[str] = "realtime"

    grpc_port: int = Field(default=50055, ge=0, le=65535, description="Port of the gRPC server; 0 takes a free one")
    ops_port: int = Field(
        default=9105, ge=0, le=65535, description="Port of /livez, /readyz and /metrics; 0 takes a free one"
    )
    socket_host: str = Field(default="127.0.0.1", description="Address the performance socket listens on")
    socket_port: int = Field(default=8081, ge=0, le=65535, description="Port of the performance socket; 0: a free one")
    socket_public_url: str = Field(
        default="", description="What tickets name as the socket's address, ws:// or wss://; its own address when unset"
    )
    socket_origins: str = Field(
        default="http://127.0.0.1:8080,http://localhost:8080",
        description="Pages that may open the socket, by comma; programs send no Origin and need none",
    )
    max_connections: int = Field(default=256, ge=1, description="Clients connected to one process")
    max_performances: int = Field(default=32, ge=1, description="Performances that one process holds")
    lead_s: float = Field(
        default=0.5, ge=0.05, le=5, description="How far ahead of the playhead the loop is painted, seconds"
    )
    paint_threads: int = Field(default=2, ge=1, le=64, description="Slices painted at once")
    lease_s: float = Field(default=30, ge=2, description="Seconds after which a silent process loses its performances")
    checkpoint_s: float = Field(default=0.5, gt=0, le=1, description="Seconds between two checkpoints")
    idle_unload_s: float = Field(default=120, gt=0, description="Seconds without a client until a loop leaves memory")
