"""Settings of the stand-in trainer."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from chassis.settings import Settings


class StandinSettings(Settings):
    """What the stand-in for a training provider is configured by; it listens on loopback alone."""

    SERVICE: ClassVar[str] = "standin"

    port: int = Field(default=8090, ge=0, le=65535, description="Port of the HTTP server; 0 takes a free one")
    train_s: float = Field(default=1.0, ge=0, le=3600, description="How long a training pretends to compute, seconds")
    predict_s: float = Field(default=0.3, ge=0, le=600, description="The same for a prediction")
    max_archive_bytes: int = Field(default=4 << 30, gt=0, description="Largest archive that is fetched, bytes")
