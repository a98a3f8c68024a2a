"""Settings of the prompt service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from chassis.settings import Settings

_Names = Annotated[tuple[str, ...], NoDecode]


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
    openai_chat_model: str = Field(default="", description="Model of the chat; the one that writes captions when empty")
    openai_timeout_s: float = Field(default=20, gt=0, le=600, description="Longest wait for the model, in seconds")
    openai_connect_timeout_s: float = Field(default=3, gt=0, le=60, description="Longest wait to connect, in seconds")
    openai_max_retries: int = Field(default=1, ge=0, le=5, description="Repeats of a request that found no answer")
    openai_max_concurrent: int = Field(
        default=4, ge=1, le=1000, description="Questions of one process that are with the model at once"
    )
    openai_requests_per_minute: int = Field(
        default=0, ge=0, description="Questions that one process starts within a minute; 0 for any number"
    )
    openai_max_wait_s: float = Field(
        default=20, ge=0, le=600, description="Longest wait for a turn before a caller is told to come back, in seconds"
    )
    openai_input_usd_per_million: float = Field(
        default=0,
        ge=0,
        description="Price of a million tokens that the model reads, in US dollars; 0 when unknown",
    )
    openai_output_usd_per_million: float = Field(
        default=0, ge=0, description="Price of a million tokens that the model writes, in US dollars; 0 when unknown"
    )
    chat_max_tokens: int = Field(default=800, ge=50, le=8000, description="Most tokens of an answer in the chat")
    chat_max_messages: int = Field(
        default=40, ge=1, le=200, description="Newest messages of a chat that the model hears"
    )
    chat_max_characters: int = Field(
        default=24_000, ge=1000, le=400_000, description="Characters of a chat that the model hears, the newest"
    )
    public_artist_names: _Names = Field(
        default=(), description="Names of public artists that no caption may hold, separated by semicolons"
    )
    public_artist_names_file: Path | None = Field(
        default=None, description="More such names, a UTF-8 file with one on each line"
    )
    als_max_bytes: int = Field(default=64 << 20, ge=1, description="Largest .als file, in bytes")
    als_max_xml_bytes: int = Field(default=512 << 20, ge=1, description="Largest XML inside an .als file, in bytes")
    als_max_ratio: int = Field(default=100, ge=2, description="How many times an .als file may expand")
    als_max_depth: int = Field(default=100, ge=10, le=250, description="How deep the XML of an .als file may nest")
    als_max_nodes: int = Field(default=5_000_000, ge=1_000, description="XML elements in an .als file")
    als_max_memory_bytes: int = Field(default=1 << 30, ge=64 << 20, description="Memory of one reader, in bytes")
    als_timeout_s: int = Field(default=20, ge=1, le=600, description="Longest time to read an .als file, in seconds")
    als_readers: int = Field(default=2, ge=1, le=64, description=".als files that are read at once")
    purge_every_s: float = Field(
        default=3600, ge=1, description="Seconds between removals of what was deleted 30 days ago"
    )

    @field_validator("public_artist_names", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(filter(None, map(str.strip, value.split(";")))) if isinstance(value, str) else value

    def public_names(self) -> tuple[str, ...]:
        """All names of public artists that no caption may hold."""
        path = self.public_artist_names_file
        lines = path.read_text(encoding="utf-8").splitlines() if path else []
        return (*self.public_artist_names, *filter(None, map(str.strip, lines)))
