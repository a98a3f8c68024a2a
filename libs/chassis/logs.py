"""Structured logs: events are constants, facts are fields, one formatter for every library."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

from chassis import context, tracing

_Event = MutableMapping[str, Any]


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger for a module."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def bind(**facts: Any) -> None:
    """Add facts to every later line of this request or task."""
    structlog.contextvars.bind_contextvars(**facts)


def unbind_all() -> None:
    """Forget the facts bound to this request or task."""
    structlog.contextvars.clear_contextvars()


def configure(
    service: str, level: str = "info", form: str = "console", *, pii: bool = False, to: TextIO | None = None
) -> None:
    """Set up logging for the process.

    Args:
        service: Named on every line.
        level: Lowest level shown: debug, info, warning or error.
        form: `console` for people, `json` for machines.
        pii: Whether facts with the `pii.` prefix are kept.
        to: Where lines go, stderr by default.
    """

    def add_facts(_logger: Any, _method: str, event: _Event) -> _Event:
        event.setdefault("service", service)
        if context.request_id():
            event.setdefault("request_id", context.request_id())
        if (trace := tracing.current()) is not None:
            event.setdefault("trace_id", trace.trace_id)
        if not pii:
            for key in [key for key in event if key.startswith("pii.")]:
                del event[key]
        return event

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        add_facts,
    ]
    stream = to or sys.stderr
    last: list[Any] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]
        if form == "json"
        else [structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback)]
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last]
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for noisy in (
        "botocore",
        "boto3",
        "urllib3",
        "amqp",
        "kombu",
        "celery",
        "httpx2",
        "httpcore2",
        "alembic",
        "asyncio",
        "grpc",
        "uvicorn.access",
    ):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
