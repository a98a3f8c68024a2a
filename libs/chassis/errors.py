"""The tree of typed errors: each has a gRPC code, a stable reason and facts for the caller."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar


class Code(enum.Enum):
    """The gRPC status codes, by number."""

    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


@dataclass(frozen=True, slots=True)
class Violation:
    """One field of a request that breaks a rule, and the rule."""

    field: str
    description: str


class AppError(Exception):
    """An error that a caller is told about.

    Args:
        message: What was wrong, with the value, and what to do.
        metadata: Facts a program can read.
        violations: The fields that break a rule.
        retry_after_s: When a repeat may succeed, seconds from now.
    """

    CODE: ClassVar[Code] = Code.INTERNAL
    REASON: ClassVar[str] = "INTERNAL"

    def __init__(
        self,
        message: str,
        *,
        metadata: Mapping[str, str] | None = None,
        violations: Sequence[Violation] = (),
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.metadata: dict[str, str] = dict(metadata or {})
        self.violations = tuple(violations)
        self.retry_after_s = retry_after_s
        # An error that another service answered keeps that service's reason and domain.
        self.reason: str = self.REASON
        self.domain: str | None = None


class InvalidArgument(AppError):
    """The request can never succeed as it is."""

    CODE = Code.INVALID_ARGUMENT
    REASON = "INVALID_ARGUMENT"


class OutOfRange(AppError):
    """An offset or position lies outside what exists."""

    CODE = Code.OUT_OF_RANGE
    REASON = "OUT_OF_RANGE"


class FailedPrecondition(AppError):
    """The state of the resource does not allow this."""

    CODE = Code.FAILED_PRECONDITION
    REASON = "FAILED_PRECONDITION"


class Unauthenticated(AppError):
    """Nobody, or nobody we believe, is calling."""

    CODE = Code.UNAUTHENTICATED
    REASON = "UNAUTHENTICATED"


class PermissionDenied(AppError):
    """The caller is known and may not do this."""

    CODE = Code.PERMISSION_DENIED
    REASON = "PERMISSION_DENIED"


class NotFound(AppError):
    """There is no such resource for this caller."""

    CODE = Code.NOT_FOUND
    REASON = "RESOURCE_NOT_FOUND"


class AlreadyExists(AppError):
    """A resource with this identity is there already."""

    CODE = Code.ALREADY_EXISTS
    REASON = "ALREADY_EXISTS"


class Aborted(AppError):
    """Somebody else was faster; read again and repeat."""

    CODE = Code.ABORTED
    REASON = "ABORTED"


class ResourceExhausted(AppError):
    """A quota, rate or size is used up."""

    CODE = Code.RESOURCE_EXHAUSTED
    REASON = "RESOURCE_EXHAUSTED"


class Cancelled(AppError):
    """The work was cancelled."""

    CODE = Code.CANCELLED
    REASON = "CANCELLED"


class Unimplemented(AppError):
    """This is not offered."""

    CODE = Code.UNIMPLEMENTED
    REASON = "UNIMPLEMENTED"


class Unavailable(AppError):
    """Not now; the same request may succeed later."""

    CODE = Code.UNAVAILABLE
    REASON = "UNAVAILABLE"


class DeadlineExceeded(AppError):
    """The caller's time was up."""

    CODE = Code.DEADLINE_EXCEEDED
    REASON = "DEADLINE_EXCEEDED"


class DataLoss(AppError):
    """Stored data is damaged or gone."""

    CODE = Code.DATA_LOSS
    REASON = "DATA_LOSS"


class Internal(AppError):
    """A fault of ours; the error id leads to the log."""

    CODE = Code.INTERNAL
    REASON = "INTERNAL"


class FieldInvalid(InvalidArgument):
    """One or more fields break their rules."""

    REASON = "FIELD_INVALID"


class NameInvalid(InvalidArgument):
    """A resource name does not have its pattern."""

    REASON = "NAME_INVALID"


class PageTokenInvalid(InvalidArgument):
    """A page token was not made for this list."""

    REASON = "PAGE_TOKEN_INVALID"


class EtagMismatch(Aborted):
    """The resource changed since the caller read it."""

    REASON = "ETAG_MISMATCH"


class RequestIdReused(AlreadyExists):
    """The same request id came with another request."""

    REASON = "REQUEST_ID_REUSED"


class TokenRefused(Unauthenticated):
    """The internal token is missing, expired, for someone else, or from a service that may not call."""

    REASON = "TOKEN_REFUSED"


class RoleTooLow(PermissionDenied):
    """The caller's role at this artist does not allow the method."""

    REASON = "ROLE_TOO_LOW"


class OperatorRequired(PermissionDenied):
    """Only operators of the platform may call this."""

    REASON = "OPERATOR_REQUIRED"


class RequestTooLarge(ResourceExhausted):
    """The request message is larger than the method takes."""

    REASON = "REQUEST_TOO_LARGE"


class DependencyUnavailable(Unavailable):
    """Something this service needs cannot be reached."""

    REASON = "DEPENDENCY_UNAVAILABLE"

    def __init__(self, dependency: str, message: str = "", *, retry_after_s: float | None = 2.0) -> None:
        text = message or f"{dependency} cannot be reached at the moment; repeat the request later"
        super().__init__(text, metadata={"dependency": dependency}, retry_after_s=retry_after_s)


class NotImplementedYet(Unimplemented):
    """The method is part of the contract and has no implementation in this release."""

    REASON = "NOT_IMPLEMENTED"


def by_code(code: Code) -> type[AppError]:
    """The general class of a code; `Internal` for codes that have none."""
    return _BY_CODE.get(code, Internal)


_BY_CODE: dict[Code, type[AppError]] = {kind.CODE: kind for kind in AppError.__subclasses__()}


class Violations:
    """Violations gathered so that a caller hears about all of them at once."""

    def __init__(self) -> None:
        self.found: list[Violation] = []

    def require(self, claim: bool, field: str, expectation: str) -> None:  # noqa: FBT001
        """Note a violation of `field` unless the claim holds."""
        if not claim:
            self.found.append(Violation(field, expectation))

    @contextmanager
    def within(self, prefix: str = "") -> Iterator[None]:
        """Collect the violations of an `InvalidArgument` raised inside instead of letting it out."""
        try:
            yield
        except InvalidArgument as error:
            own = error.violations or (Violation("", error.message),)
            self.found.extend(Violation(".".join(filter(None, (prefix, v.field))), v.description) for v in own)


def require(claim: bool, field: str, expectation: str) -> None:  # noqa: FBT001
    """Raise `FieldInvalid` for the field unless the claim holds."""
    if not claim:
        raise _field_invalid([Violation(field, expectation)])


@contextmanager
def collect() -> Iterator[Violations]:
    """Gather violations inside the block; raise once with all of them at its end."""
    violations = Violations()
    yield violations
    if violations.found:
        raise _field_invalid(violations.found)


def _field_invalid(violations: Sequence[Violation]) -> FieldInvalid:
    text = "; ".join(f"{v.field}: expected {v.description}" if v.field else v.description for v in violations)
    return FieldInvalid(text, violations=violations)
