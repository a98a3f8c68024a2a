"""What happens around every RPC a service answers: context, auth, metrics and log, errors; for all four call shapes."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import math
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, aclosing
from typing import Any

import grpc
import grpc.aio

from chassis import context, logs, tracing
from chassis.clock import Clock
from chassis.context import Caller
from chassis.errors import AppError, Code, DeadlineExceeded, Internal, NotImplementedYet, TokenRefused
from chassis.health import Health
from chassis.metrics import RPC_SERVED
from chassis.rpc.rules import MethodRule, check_caller, check_request, rule_of
from chassis.status import to_grpc
from chassis.tokens import Verifier

log = logs.get_logger(__name__)

REPLAYED, DRAINS = "tonewright-replayed", "tonewright-drains"
REQUEST_ID = "x-request-id"
_FAULTS = (Code.INTERNAL, Code.DATA_LOSS, Code.UNKNOWN)


class Call:
    """One RPC as the interceptor sees it."""

    def __init__(self, path: str, rule: MethodRule, context_: Any) -> None:
        self.path = path
        self.rule = rule
        self.context = context_
        self.metadata = {key: value for key, value in context_.invocation_metadata() or () if isinstance(value, str)}
        self.caller: Caller | None = None
        self.code = "OK"
        self.reason: str | None = None


class ServerInterceptor(grpc.aio.ServerInterceptor):
    """Wraps every method of a server."""

    def __init__(
        self, service: str, verifier: Verifier, rules: Mapping[str, MethodRule], clock: Clock, health: Health
    ) -> None:
        self._service, self._health = service, health
        self._verifier = verifier
        self._rules = rules
        self._clock = clock
        self._wrapped: dict[str, Any] = {}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """The method's handler with everything around it."""
        path = handler_call_details.method
        if path not in self._wrapped:
            handler = await continuation(handler_call_details)
            if handler is None:  # no such method; not remembered, so that made-up names take no memory
                return None
            self._wrapped[path] = self._wrap(path, handler)
        return self._wrapped[path]

    def _wrap(self, path: str, handler: Any) -> Any:
        rule = rule_of(path, self._rules)
        options = {
            "request_deserializer": handler.request_deserializer,
            "response_serializer": handler.response_serializer,
        }
        shape = "_".join("stream" if s else "unary" for s in (handler.request_streaming, handler.response_streaming))
        inner = getattr(handler, shape)

        async def unary(request: Any, servicer_context: Any) -> Any:
            async with self._around(Call(path, rule, servicer_context)) as call:
                answer = inner(_checked(call, request), servicer_context)
                return await answer if inspect.isawaitable(answer) else answer

        async def stream(request: Any, servicer_context: Any) -> None:
            # A coroutine that writes, not a generator: context variables then live and end in one task.
            async with self._around(Call(path, rule, servicer_context)) as call:
                answers = inner(_checked(call, request), servicer_context)
                if inspect.isawaitable(answers):
                    await answers
                    return
                async with aclosing(answers):
                    async for answer in answers:
                        await servicer_context.write(answer)

        build = getattr(grpc, f"{shape}_rpc_method_handler")
        return build(stream if handler.response_streaming else unary, **options)

    @contextlib.asynccontextmanager
    async def _around(self, call: Call) -> AsyncIterator[Call]:
        left_s = call.context.time_remaining()
        started = self._clock.monotonic()
        deadline = None if left_s is None or math.isinf(left_s) else time.monotonic() + left_s
        async with AsyncExitStack() as stack:
            flags = stack.enter_context(
                context.in_request(call.metadata.get(REQUEST_ID, "")[:128], deadline=deadline, is_served=True)
            )
            logs.unbind_all()
            stack.enter_context(tracing.span(call.path, call.metadata.get("traceparent")))
            try:
                try:
                    self._admit(call, left_s, stack)
                    yield call
                except Exception as error:
                    await self._refuse(call, error)
                except asyncio.CancelledError:
                    call.code = Code.CANCELLED.name
                    raise
                told = [REPLAYED] * flags.replayed + [DRAINS] * self._health.is_draining
                call.context.set_trailing_metadata(tuple((word, "true") for word in told))
            finally:
                self._record(call, self._clock.monotonic() - started)

    def _admit(self, call: Call, left_s: float | None, stack: AsyncExitStack) -> None:
        if left_s is not None and left_s <= 0:
            raise DeadlineExceeded("the caller's time was up before the work began")
        if call.rule.scope == "public":
            return
        scheme, _, token = call.metadata.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise TokenRefused("the call carries no token")
        call.caller = self._verifier.verify(token)
        stack.enter_context(context.acting_as(call.caller))
        check_caller(call.rule, call.caller)

    async def _refuse(self, call: Call, error: Exception) -> None:
        if isinstance(error, grpc.aio.AbortError):
            code = call.context.code()
            call.code = code.name if isinstance(code, grpc.StatusCode) else Code(code or Code.UNKNOWN.value).name
            raise error
        typed = self._typed(call, error)
        call.code, call.reason = typed.CODE.name, typed.reason
        await call.context.abort(*to_grpc(typed, self._service))

    def _typed(self, call: Call, error: Exception) -> AppError:
        if isinstance(error, AppError):
            if error.CODE in _FAULTS:
                log.error("rpc_fault", method=call.path, reason=error.reason, exc_info=error)
            return error
        if isinstance(error, NotImplementedError):
            return NotImplementedYet(f"{call.path.rpartition('/')[2]} is not implemented in this release")
        if isinstance(error, TimeoutError):
            return DeadlineExceeded("the work took longer than it may")
        error_id = uuid.uuid4().hex
        log.error("rpc_failed", method=call.path, error_id=error_id, exc_info=error)
        return Internal(f"something broke inside; the log knows it as {error_id}", metadata={"error_id": error_id})

    def _record(self, call: Call, wall_s: float) -> None:
        service, _, method = call.path.lstrip("/").partition("/")
        RPC_SERVED.labels(service, method, call.code).observe(wall_s)
        facts: dict[str, Any] = {"method": call.path, "code": call.code, "wall_ms": round(wall_s * 1000, 2)}
        if call.reason is not None:
            facts["reason"] = call.reason
        if call.caller is not None:
            facts |= {"caller": call.caller.service, "artist": call.caller.artist}
        (log.debug if call.rule.scope == "public" else log.info)("rpc_served", **facts)


def _checked(call: Call, request: Any) -> Any:
    if not hasattr(request, "__aiter__"):
        check_request(call.rule, call.caller, request)
        return request
    return _checked_stream(call, request)


async def _checked_stream(call: Call, requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for request in requests:
        check_request(call.rule, call.caller, request)
        yield request
