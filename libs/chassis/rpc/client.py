"""What happens around every RPC to a peer: token, trace, request id, deadline, retries, typed errors."""

from __future__ import annotations

import asyncio
import importlib.resources
import json
import random
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import grpc.aio

from chassis import context, tracing
from chassis.errors import DeadlineExceeded
from chassis.metrics import RPC_CALLED
from chassis.rpc.interceptors import DRAINS, REPLAYED, REQUEST_ID
from chassis.status import from_rpc_error, is_transport_fault, was_not_sent
from chassis.tokens import Signer

_CONFIG = json.loads(importlib.resources.files(__package__).joinpath("service_config.json").read_text())
_METHOD = _CONFIG["methodConfig"][0]
# gRPC cannot retry by a method's prefix, so the policy of the file is applied here and the channel gets the rest.
CHANNEL_CONFIG = json.dumps({"loadBalancingConfig": _CONFIG["loadBalancingConfig"]})
_IDEMPOTENT = ("Get", "List", "Search", "Query", "Wait")
# gRPC looks for a name that was long away only after as long again, two minutes at most; a new channel looks at once.
_RENEW_S = 1.0


TIMEOUT_S = float(_METHOD["timeout"].rstrip("s"))
_RETRY = _METHOD["retryPolicy"]
_FIRST_S, _MOST_S = (float(_RETRY[name].rstrip("s")) for name in ("initialBackoff", "maxBackoff"))


def _backoff_s(attempt: int) -> float:
    """Seconds before the next attempt after `attempt` failed ones, with jitter."""
    wait_s: float = min(_MOST_S, _FIRST_S * _RETRY["backoffMultiplier"] ** (attempt - 1))
    return wait_s * random.uniform(0.8, 1.2)  # noqa: S311


class Outgoing:
    """One method of a peer, ready to be called.

    Args:
        peer: The service that is called, also the audience of the token.
        path: `/package.Service/Method`.
        signer: Makes the token.
        renew: Called when the peer's addresses should be looked up again: no connection could be made, or it drains.
    """

    def __init__(self, peer: str, path: str, signer: Signer, renew: Callable[[], None]) -> None:
        self.peer = peer
        self._renew = renew
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
        if not is_transport_fault(error):
            return None
        if was_not_sent(error):
            self._renew()
        elif not getattr(request, "request_id", "") and not self._method.startswith(_IDEMPOTENT):
            return None
        if attempt >= _RETRY["maxAttempts"]:
            return None
        wait_s = _backoff_s(attempt)
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
        flags, said = context.response_flags(), {key for key, _ in trailing or ()}
        if not flags.is_served and REPLAYED in said:
            flags.replayed = True
        if DRAINS in said:
            self._renew()


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
                call = self._inner()(request, timeout=out.left_s(deadline), metadata=out.metadata(metadata))
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

        def begin() -> Any:
            left_s = None if ends is None else out.left_s(ends)
            return self._inner()(request, timeout=left_s, metadata=out.metadata(metadata))

        return AioStream(out, begin, None if self._streams_in else request)


class AioStream:
    """The answers of a streaming call; `cancel` or `aclose` ends it early."""

    def __init__(self, out: Outgoing, begin: Callable[[], Any], request: Any) -> None:
        self._call = begin()
        self._answers = self._iterate(out, begin, request)

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

    async def _iterate(self, out: Outgoing, begin: Callable[[], Any], request: Any) -> AsyncGenerator[Any, None]:
        attempt, deadline = 0, out.deadline(None)
        try:
            with out.observed():
                while True:
                    attempt += 1
                    try:
                        async for answer in self._call:
                            request = None  # what has answered once is not asked again
                            yield answer
                    except grpc.RpcError as error:
                        again_s = None if request is None else out.may_repeat(error, request, attempt, deadline)
                        if again_s is None:
                            raise
                        await asyncio.sleep(again_s)
                        self._call = begin()
                        continue
                    out.note(await self._call.trailing_metadata())
                    return
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
                    answer, call = self._inner().with_call(
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
        call = self._inner()(request, timeout=left_s, metadata=out.metadata(metadata))
        try:
            with out.observed():
                yield from call
        finally:
            call.cancel()


class PeerChannel:
    """A channel to a peer: callables by shape and method; the rest is the channel's own.

    Args:
        dial: Makes a channel of gRPC.
        peer: The service that is called.
        signer: Makes the tokens.
        wrap: How calls are made, from coroutines or from threads.
    """

    def __init__(
        self, dial: Callable[[], Any], peer: str, signer: Signer, wrap: type[AioCall] | type[SyncCall]
    ) -> None:
        self._dial, self._peer, self._signer, self._wrap = dial, peer, signer, wrap
        self._lock = threading.Lock()
        self._dialled_s, self._inner, self._made = time.monotonic(), dial(), dict[tuple[str, str], Any]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def unary_unary(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """One request, one answer."""
        return self._call("unary_unary", method, args, kwargs, streams=False, streams_in=False)

    def unary_stream(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """One request, many answers."""
        return self._call("unary_stream", method, args, kwargs, streams=True, streams_in=False)

    def stream_unary(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Many requests, one answer."""
        return self._call("stream_unary", method, args, kwargs, streams=False, streams_in=True)

    def stream_stream(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Many requests, many answers."""
        return self._call("stream_stream", method, args, kwargs, streams=True, streams_in=True)

    def _call(self, shape: str, method: str, args: Any, kwargs: Any, **streams: bool) -> Any:
        def inner() -> Any:
            made = self._made  # a renewed channel has another
            if (shape, method) not in made:
                made[shape, method] = getattr(self._inner, shape)(method, *args, **kwargs)
            return made[shape, method]

        return self._wrap(Outgoing(self._peer, method, self._signer, self._renew), inner, **streams)

    def _renew(self) -> None:
        with self._lock:
            if time.monotonic() - self._dialled_s > _RENEW_S:
                # What still runs on the old channel runs on to its end.
                self._dialled_s, self._inner, self._made = time.monotonic(), self._dial(), {}
