"""Keeps account of every error reason that the platform's own code gives while the tests run.

An error counts when code of the platform raises it, in this process or in a process that answers over HTTP. One that a
test makes by hand, or that a client rebuilds from an answer, does not.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest

from chassis.errors import AppError

ROOT = Path(__file__).resolve().parent.parent
# Where errors are defined and rebuilt, not raised.
_PASSED_OVER = (str(ROOT / "libs/chassis/errors.py"), str(ROOT / "libs/chassis/status.py"))
_OURS = (str(ROOT / "services"), str(ROOT / "libs"))
provoked: set[str] = set()
_make = AppError.__init__


def _noted(self: AppError, *arguments: Any, **named: Any) -> None:
    _make(self, *arguments, **named)
    frame = sys._getframe(1)
    while frame.f_code.co_filename.startswith(_PASSED_OVER) and frame.f_back is not None:
        frame = frame.f_back
    if frame.f_code.co_filename.startswith(_OURS):
        provoked.add(self.REASON)


def note_answer(answer: httpx2.Response) -> None:
    """Take account of the reason in a problem that a gateway answered."""
    if answer.status_code >= 400 and answer.headers.get("content-type") == "application/problem+json":
        answer.read()
        provoked.add(str(answer.json()["reason"]))


def pytest_configure(config: pytest.Config) -> None:
    """Begin to take account."""
    AppError.__init__ = _noted  # type: ignore[method-assign]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The closing account comes last, and only where the whole suite runs."""
    closing = [item for item in items if item.nodeid.startswith("tests/test_every_reason.py")]
    rest = [item for item in items if item not in closing]
    kinds = {Path(item.nodeid.split("::")[0]).parts[1] for item in rest}
    items[:] = [*rest, *(closing if {"unit", "contract", "integration"} <= kinds else [])]
