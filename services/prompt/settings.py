"""Settings of the prompt service."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, SecretStr

from chassis.settings import Settings


class PromptSettings(Settings):
    """What the prompt service is configured by."""

    SERVICE: ClassVar[str] = "prompt"

    grpc_port: int = Field(default=50051, ge=0, le=65535, description="Port of the gRPC server; 0 takes a free one")
    ops_port: int = Field(
        default=9101, ge=0, le=65535, description="Port of /livez, /readyz and /metrics; 0 takes a free one"
    )
    openai_api_key: SecretStr | None = Field(
        default=None, description="Key of the language model; the offline composer writes captions when unset"
    )
    openai_base_url: str = Field(
        default="https://api.openai.com/v1", description="Any API that speaks OpenAI's chat completions"
    )
    openai_model: str = Field(default="gpt-4o-mini", description="Model that writes captions")
    openai_timeout_s: float = Field(default=20, gt=0, le=600, description="Longest wait for the model, in seconds")
    openai_connect_timeout_s: float = Field(default=3, gt=0, le=60, description="Longest wait to connect, in seconds")
    openai_max_retries: int = Field(default=1, ge=0, le=5, description="Repeats of a request that found no answer")
    als_max_bytes: int = Field(default=64 << 20, ge=1, description="Largest .als file, in bytes")
    als_max_xml_bytes: int = Field(default=512 << 20, ge=1, description="Largest XML inside an .als file, in bytes")
    als_max_ratio: int = Field(default=100, ge=2, description="How many times an .als file may expand")
    als_max_depth: int = Field(default=100, ge=10, le=250, description="How deep the XML of an .als file may nest")
    als_max_memory_bytes: int = Field(default=1 << 30, ge=64 << 20, description="Memory of one reader, in bytes")
    als_timeout_s: int = Field(default=20, ge=1, le=600, description="Longest time to read an .als file, in seconds")
    als_readers: int = Field(default=2, ge=1, le=64, description=".als files that are read at once")
    purge_every_s: float = Field(
        default=3600, ge=1, description="Seconds between removals of what was deleted 30 days ago"
    )
