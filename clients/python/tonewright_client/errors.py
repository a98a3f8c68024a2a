"""What can go wrong when calling the gateway."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with the request."""

    field: str
    description: str


@dataclass(eq=False)
class ApiError(Exception):
    """The gateway refused or failed a request: its problem+json, typed.

    Attributes:
        status: HTTP status.
        reason: Stable upper-case reason; docs/contracts.md lists them all.
        detail: What was wrong and what to do.
        metadata: The facts inside `detail`.
        errors: Every violation of a rejected input.
        request_id: Names the request in the server's logs.
        retry_after_s: Seconds after which another try may succeed; None when the server names none.
    """

    status: int
    reason: str
    detail: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    errors: Sequence[FieldError] = ()
    request_id: str = ""
    retry_after_s: float | None = None

    def __str__(self) -> str:
        lines = [f"{self.status} {self.reason}: {self.detail}"]
        lines += [f"  {error.field}: {error.description}" for error in self.errors]
        return "\n".join(lines)


class OperationFailed(Exception):
    """Long work ended as FAILED or CANCELLED."""

    def __init__(self, name: str, state: str, reason: str, message: str) -> None:
        super().__init__(f"{name} is {state}: {message or reason or 'no reason given'}")
        self.name, self.state, self.reason, self.message = name, state, reason, message


class GatewayUnreachable(Exception):
    """Nothing answers at the address."""


class DownloadDamaged(Exception):
    """What was downloaded is not what the platform keeps."""
