"""What happens around every RPC to a peer: token, trace, request id, deadline, retries, typed errors."""

from __future__ import annotations

import asyncio
import importlib.resources
import json
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio

from chassis import context, tracing
from chassis.errors import DeadlineExceeded
from chassis.metrics import RPC_CALLED
from chassis.rpc.interceptors import REPLAYED, REQUEST_ID
from chassis.status import from_rpc_error, is_transport_fault
from chassis.tokens import Signer

_CONFIG = json.loads(importlib.resources.files(__package__).joinpath("service_config.json").read_text())
_METHOD = _CONFIG["methodConfig"][0]
# gRPC cannot retry by a method's prefix, so the policy of the file is applied here and the channel gets the rest.
CHANNEL_CONFIG = json.dumps({"loadBalancingConfig": _CONFIG["loadBalancingConfig"]})
_IDEMPOTENT = ("Get", "List", "Search", "Query", "Wait")


@dataclass(frozen=True, slots=True)
class Retry:
    """When a call is made again."""

    attempts: int = int(_METHOD["retryPolicy"]["maxAttempts"])
    first_s: float = float(_METHOD["retryPolicy"]["initialBackoff"].rstrip("s"))
    most_s: float = float(_METHOD["retryPolicy"]["maxBackoff"].rstrip("s"))
    factor: float = float(_METHOD["retryPolicy"]["backoffMultiplier"])

    def wait_s(self, attempt: int) -> float:
        """Seconds before the next attempt after `attempt` failed ones, with jitter."""
        return min(self.most_s, self.first_s * self.factor ** (attempt - 1)) * random.uniform(0.8, 1.2)  # noqa: S311


TIMEOUT_S = float(_METHOD["timeout"].rstrip("s"))
_RETRY = Retry()


class Outgoing:
    """One method of a peer, ready to be called.

    Args:
        peer: The service that is called, also the audience of the token.
        path: `/package.Service/Method`.
        signer: Makes the token.
    """

    def __init__(self, peer: str, path: str, signer: Signer) -> None:
        self.peer = peer
        self.path = path
        self._signer = signer
        service, _, self._method = path.lstrip("/").partition("/")
        self._labels = (service, self._method)
        self._needs_token = not path.startswith(("/grpc.health.v1.", "/grpc.reflection."))

    def metadata(self, given: Any) -> list[tuple[str, str | bytes]]:
        """The caller's metadata with ours."""
        ours: list[tuple[str, str | bytes]] = [("traceparent", tracing.traceparent())]
        if context.request_id():
            ours.append((REQUEST_ID, context.request_id()))
        if self._needs_token:
            ours.append(("authorization", f"Bearer {self._signer.sign(self.peer, context.caller())}"))
        return [*ours, *(given or ())]

    def deadline(self, timeout_s: float | None) -> float:
        """When the call must end: the given or usual time from now, and never after the current request's end."""
        usual = time.monotonic() + (TIMEOUT_S if timeout_s is None else timeout_s)
        mine = context.deadline()
        return usual if mine is None else min(usual, mine)

    def left_s(self, deadline: float) -> float:
        """Seconds until the deadline; raises when there are none."""
        left = deadline - time.monotonic()
        if left <= 0:
            raise DeadlineExceeded(f"no time was left to call {self.peer}")
        return left

    def may_repeat(self, error: grpc.RpcError, request: Any, attempt: int, deadline: float) -> float | None:
        """Seconds to wait before the same call is made again, None when it must not be."""
        if attempt >= _RETRY.attempts or not is_transport_fault(error):
            return None
        request_id: str = getattr(request, "request_id", "")
        if not request_id and not self._method.startswith(_IDEMPOTENT):
            return None
        wait_s = _RETRY.wait_s(attempt)
        return wait_s if time.monotonic() + wait_s < deadline else None

    @contextmanager
    def observed(self) -> Iterator[None]:
        """Measure the call inside and turn its error into a typed one."""
        started, code = time.monotonic(), "OK"
        try:
            yield
        except grpc.RpcError as error:
            code = error.code().name
            raise from_rpc_error(error, self.peer) from error
        except asyncio.CancelledError:
            code = "CANCELLED"
            raise
        finally:
            RPC_CALLED.labels(*self._labels, code).observe(time.monotonic() - started)

    def note(self, trailing: Any) -> None:
        """Take over what the response said beside its message."""
        flags = context.response_flags()
        if not flags.is_served and any(key == REPLAYED for key, _ in trailing or ()):
            flags.replayed = True


class AioCall:
    """Calls a method from coroutines; what it gives is awaited, or iterated where the answer is a stream."""

    def __init__(self, out: Outgoing, inner: Any, *, streams: bool, streams_in: bool) -> None:
        self._out, self._inner, self._streams, self._streams_in = out, inner, streams, streams_in

    def __call__(self, request: Any = None, *, timeout: float | None = None, metadata: Any = None, **_: Any) -> Any:
        """Start the call."""
        return (self._stream if self._streams else self._unary)(request, timeout, metadata)

    async def _unary(self, request: Any, within_s: float | None, metadata: Any) -> Any:
        out, attempt = self._out, 0
        deadline = out.deadline(within_s)
        with out.observed():
            while True:
                attempt += 1
                call = self._inner(request, timeout=out.left_s(deadline), metadata=out.metadata(metadata))
                try:
                    answer = await call
                except grpc.RpcError as error:
                    again_s = None if self._streams_in else out.may_repeat(error, request, attempt, deadline)
                    if again_s is None:
                        raise
                    await asyncio.sleep(again_s)
                    continue
                out.note(await call.trailing_metadata())
                return answer

    def _stream(self, request: Any, timeout: float | None, metadata: Any) -> AioStream:
        out = self._out
        # A stream may last, so only a given time or the current request's end bounds it.
        ends = context.deadline() if timeout is None else out.deadline(timeout)
        left_s = None if ends is None else out.left_s(ends)
        return AioStream(out, self._inner(request, timeout=left_s, metadata=out.metadata(metadata)))


class AioStream:
    """The answers of a streaming call; `cancel` or `aclose` ends it early."""

    def __init__(self, out: Outgoing, call: Any) -> None:
        self._call = call
        self._answers = self._iterate(out)

    def __aiter__(self) -> AsyncIterator[Any]:
        """The answers in order."""
        return self._answers

    async def __anext__(self) -> Any:
        """The next answer."""
        return await anext(self._answers)

    def cancel(self) -> bool:
        """End the call now."""
        return bool(self._call.cancel())

    async def aclose(self) -> None:
        """End the call now."""
        self._call.cancel()
        await self._answers.aclose()

    async def _iterate(self, out: Outgoing) -> AsyncGenerator[Any, None]:
        try:
            with out.observed():
                async for answer in self._call:
                    yield answer
                out.note(await self._call.trailing_metadata())
        finally:
            self._call.cancel()


class SyncCall:
    """Calls a method from threads."""

    def __init__(self, out: Outgoing, inner: Any, *, streams: bool, streams_in: bool) -> None:
        self._out, self._inner, self._streams, self._streams_in = out, inner, streams, streams_in

    def __call__(self, request: Any = None, timeout: float | None = None, metadata: Any = None, **_: Any) -> Any:
        """Make the call; a stream is given as an iterator."""
        return (self._stream if self._streams else self._unary)(request, timeout, metadata)

    def _unary(self, request: Any, timeout: float | None, metadata: Any) -> Any:
        out, attempt = self._out, 0
        deadline = out.deadline(timeout)
        with out.observed():
            while True:
                attempt += 1
                try:
                    answer, call = self._inner.with_call(
                        request, timeout=out.left_s(deadline), metadata=out.metadata(metadata)
                    )
                except grpc.RpcError as error:
                    again_s = None if self._streams_in else out.may_repeat(error, request, attempt, deadline)
                    if again_s is None:
                        raise
                    time.sleep(again_s)
                    continue
                out.note(call.trailing_metadata())
                return answer

    def _stream(self, request: Any, timeout: float | None, metadata: Any) -> Iterator[Any]:
        out = self._out
        left_s = None if timeout is None else out.left_s(out.deadline(timeout))
        call = self._inner(request, timeout=left_s, metadata=out.metadata(metadata))
        try:
            with out.observed():
                yield from call
        finally:
            call.cancel()


class _Shapes:
    """What stubs ask a channel for: callables by shape and method."""

    _inner: Any
    _peer: str
    _signer: Signer
    _wrap: type[AioCall | SyncCall]

    def unary_unary(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """One request, one answer."""
        return self._call(self._inner.unary_unary, method, args, kwargs, streams=False, streams_in=False)

    def unary_stream(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """One request, many answers."""
        return self._call(self._inner.unary_stream, method, args, kwargs, streams=True, streams_in=False)

    def stream_unary(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Many requests, one answer."""
        return self._call(self._inner.stream_unary, method, args, kwargs, streams=False, streams_in=True)

    def stream_stream(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Many requests, many answers."""
        return self._call(self._inner.stream_stream, method, args, kwargs, streams=True, streams_in=True)

    def _call(self, make: Any, method: str, args: Any, kwargs: Any, **shape: bool) -> Any:
        return self._wrap(Outgoing(self._peer, method, self._signer), make(method, *args, **kwargs), **shape)


class AioChannel(_Shapes, grpc.aio.Channel):
    """A channel to a peer for coroutines."""

    _wrap = AioCall

    def __init__(self, inner: grpc.aio.Channel, peer: str, signer: Signer) -> None:
        self._inner, self._peer, self._signer = inner, peer, signer

    async def __aenter__(self) -> AioChannel:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self, grace: float | None = None) -> None:
        """Close the connection."""
        await self._inner.close(grace)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:  # noqa: FBT001, FBT002
        """How the connection is."""
        state: grpc.ChannelConnectivity = self._inner.get_state(try_to_connect)
        return state

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """Return when the connection is no longer as it was."""
        await self._inner.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        """Return when there is a connection."""
        await self._inner.channel_ready()


class SyncChannel(_Shapes, grpc.Channel):
    """A channel to a peer for threads."""

    _wrap = SyncCall

    def __init__(self, inner: grpc.Channel, peer: str, signer: Signer) -> None:
        self._inner, self._peer, self._signer = inner, peer, signer

    def subscribe(self, callback: Any, try_to_connect: Any = False) -> None:  # noqa: FBT002
        """Hear of changes of the connection."""
        self._inner.subscribe(callback, try_to_connect)

    def unsubscribe(self, callback: Any) -> None:
        """Hear no more of them."""
        self._inner.unsubscribe(callback)

    def close(self) -> None:
        """Close the connection."""
        self._inner.close()

    def __enter__(self) -> SyncChannel:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
