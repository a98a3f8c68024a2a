"""What the gateway is configured by."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from chassis.settings import Settings

_Words = Annotated[tuple[str, ...], NoDecode]


class GatewaySettings(Settings):
    """Settings of the gateway; `TONEWRIGHT_GATEWAY_PORT` sets `port`."""

    SERVICE: ClassVar[str] = "gateway"

    host: str = Field(default="127.0.0.1", description="Address the HTTP server listens on")
    port: int = Field(default=8080, ge=0, le=65535, description="Port of the HTTP server; 0 takes a free one")
    public_url: str | None = Field(
        default=None, description="How clients reach the gateway, as https://api.example.com; host and port when unset"
    )
    docs_url: str = Field(
        default="https://tonewright.dev/docs/contracts", description="Page of reasons that problem types link to"
    )

    api_keys_file: Path | None = Field(
        default=None, description="TOML or JSON file of API key hashes; {home}/api-keys.toml when unset"
    )
    oidc_issuer: str | None = Field(default=None, description="Issuer of accepted JWTs, https://…; none when unset")
    oidc_audience: str | None = Field(default=None, description="Audience that accepted JWTs name")
    oidc_principal_claim: str = Field(default="sub", description="Claim that identifies the person")
    oidc_principal_prefix: str = Field(default="oidc:", description="Put before the claim to make the principal")
    oidc_operator_claim: str = Field(
        default="tonewright_operator", description="Boolean claim that makes a person an operator"
    )
    oidc_leeway_s: float = Field(default=30, ge=0, le=300, description="Tolerated difference of clocks, seconds")
    oidc_keys_ttl_s: float = Field(default=600, gt=0, description="How long the issuer's keys are kept, seconds")

    roles_ttl_s: float = Field(default=30, ge=0, le=300, description="How long a role is remembered, seconds")
    rate_limit_per_s: float = Field(
        default=1000, ge=0, description="Requests per second that one key may make on average; 0: no limit"
    )
    rate_limit_burst: int = Field(default=2000, ge=1, description="Requests that one key may make at once")
    max_json_bytes: int = Field(default=10 << 20, gt=0, description="Largest JSON body, bytes")
    max_upload_bytes: int = Field(default=4 << 30, gt=0, description="Largest upload, bytes")
    cors_origins: _Words = Field(default=(), description="Origins that browsers may call from, separated by commas")
    link_ttl_s: int = Field(default=3600, ge=1, le=7 * 86400, description="How long a signed link lives, seconds")
    ticket_ttl_s: int = Field(default=300, ge=1, le=3600, description="How long an event ticket lives, seconds")
    event_poll_s: float = Field(default=0.5, gt=0, description="How often a followed operation is read, seconds")
    heartbeat_s: float = Field(default=15, gt=0, description="Longest silence in an event stream, seconds")
    call_timeout_s: float = Field(default=30, gt=0, description="Deadline of a call to a service, seconds")

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(filter(None, (word.strip() for word in value.split(",")))) if isinstance(value, str) else value

    @property
    def keys_file(self) -> Path:
        """Where the API keys are."""
        return self.api_keys_file or self.home / "api-keys.toml"

    @property
    def base_url(self) -> str:
        """The address that links begin with, without a slash at its end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")
