"""Typed errors to rich gRPC status and back."""

from __future__ import annotations

from typing import Any

import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2, status_pb2

from chassis.errors import (
    AppError,
    Code,
    DependencyUnavailable,
    Internal,
    RequestTooLarge,
    TokenRefused,
    Violation,
    by_code,
)

DOMAIN = "tonewright.dev"
# How gRPC begins to say that no address took a connection, and that there is no address.
_UNSENT = (
    "connections to all backends failing",
    "failed to connect to all",
    "errors resolving",
    "DNS resolution failed",
)
_DETAILS = "grpc-status-details-bin"
# A server that stops cancels what still runs when its grace is over; what this process cancels is no RPC error.
_TRANSPORT = (Code.UNAVAILABLE, Code.CANCELLED)
# gRPC refuses metadata above 8 KiB by default, counting the message percent-encoded and the details base64-encoded.
_MESSAGE_CHARS = 1_000
_DETAILS_BYTES = 4_000


def to_grpc(error: AppError, service: str) -> tuple[grpc.StatusCode, str, tuple[tuple[str, bytes], ...]]:
    """Code, message and trailing metadata that carry the error; `service` made it unless it came from a peer."""
    rich = rich_status(error, service)
    return grpc.StatusCode[error.CODE.name], rich.message, ((_DETAILS, rich.SerializeToString()),)


def rich_status(error: AppError, service: str) -> status_pb2.Status:
    """The error as a google.rpc.Status with its reason, facts, violations and retry delay."""
    message = error.message if len(error.message) <= _MESSAGE_CHARS else error.message[: _MESSAGE_CHARS - 1] + "…"
    rich = status_pb2.Status(code=error.CODE.value, message=message)
    domain = error.domain or f"{service}.{DOMAIN}"
    rich.details.add().Pack(error_details_pb2.ErrorInfo(reason=error.reason, domain=domain, metadata=error.metadata))
    if error.retry_after_s is not None:
        delay = Duration()
        delay.FromNanoseconds(int(error.retry_after_s * 1e9))
        rich.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=delay))
    if error.violations:
        rich.details.add().Pack(_bad_request(error.violations, _DETAILS_BYTES - rich.ByteSize()))
    return rich


def from_rpc_error(error: grpc.RpcError, peer: str) -> AppError:
    """The typed error a peer answered, with its reason, facts and violations; transport faults by their code."""
    code, message, rich = _parts(error)
    if rich is None:
        return _without_details(code, message, peer)
    built = by_code(code)(message)
    for packed in rich.details:
        info, bad, retry = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
        if packed.Unpack(info):
            built.reason, built.domain, built.metadata = info.reason, info.domain, dict(info.metadata)
        elif packed.Unpack(bad):
            built.violations = tuple(Violation(v.field, v.description) for v in bad.field_violations)
        elif packed.Unpack(retry):
            built.retry_after_s = retry.retry_delay.ToNanoseconds() / 1e9
    if built.reason == TokenRefused.REASON:
        # Our token, not the user's: for the user this is a fault inside.
        return Internal(f"{peer} refused the token of this service: {message}")
    if built.reason == DependencyUnavailable.REASON:
        again = DependencyUnavailable(
            built.metadata.get("dependency", peer), message, retry_after_s=built.retry_after_s
        )
        again.domain = built.domain
        return again
    return built


def is_transport_fault(error: grpc.RpcError) -> bool:
    """Whether the peer itself could not be reached or stopped, rather than answering that something is unavailable."""
    code, _, rich = _parts(error)
    return code in _TRANSPORT and rich is None


def was_not_sent(error: grpc.RpcError) -> bool:
    """Whether no peer can have seen the call, because there was no connection to send it on."""
    details = error.details() or ""
    return is_transport_fault(error) and details.startswith(_UNSENT)


def _parts(error: grpc.RpcError) -> tuple[Code, str, status_pb2.Status | None]:
    number = error.code().value[0]
    code = Code(number) if number in {c.value for c in Code} else Code.UNKNOWN
    metadata: Any = error.trailing_metadata() or ()
    for key, value in metadata:
        if key == _DETAILS:
            rich = status_pb2.Status.FromString(value)
            return code, rich.message or error.details() or "", rich
    return code, error.details() or "", None


def _without_details(code: Code, message: str, peer: str) -> AppError:
    if code in _TRANSPORT:
        return DependencyUnavailable(peer)
    if code is Code.RESOURCE_EXHAUSTED and "message larger than max" in message:
        return RequestTooLarge(f"{peer}: {message}")
    if code is Code.DEADLINE_EXCEEDED:
        return by_code(code)(f"{peer} did not answer in time")
    return by_code(code)(f"{peer}: {message}" if message else f"{peer} answered {code.name}")


def _bad_request(violations: tuple[Violation, ...], budget: int) -> error_details_pb2.BadRequest:
    bad = error_details_pb2.BadRequest()
    for violation in violations:
        bad.field_violations.add(field=violation.field[:200], description=violation.description[:500])
        if bad.ByteSize() > budget:
            del bad.field_violations[-1]
            break
    return bad
