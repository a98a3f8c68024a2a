"""Keeps account of every error reason that the platform's own code gives while the tests run.

An error counts when code of the platform raises it, in this process or in a process that answers over HTTP. One that a
test makes by hand, or that is rebuilt from an answer or a row, does not.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import httpx2
import pytest

from chassis.errors import AppError
from tests.targets import is_local
from tools.contracts import EVERYWHERE, Reason, reasons

ROOT = Path(__file__).resolve().parent.parent
_OURS = (str(ROOT / "services"), str(ROOT / "libs"))
_FOR_TESTS = str(ROOT / "libs/chassis/testing")
_DEFINED = str(ROOT / "libs/chassis/errors.py")
# What these make is another's error in the general class of its code; its reason follows later.
_REBUILD = {
    (str(ROOT / "libs/chassis/status.py"), "from_rpc_error"),
    (str(ROOT / "libs/chassis/operations.py"), "_error"),
    (str(ROOT / "services/datasets/api/shared.py"), "failure"),
}
_provoked: set[tuple[str, str]] = set()
_make = AppError.__init__


def unprovoked() -> list[Reason]:
    """The documented reasons that nothing has given so far in this run."""
    anywhere = {(EVERYWHERE, reason) for _, reason in _provoked}
    return [found for found in reasons() if (found.service, found.reason) not in _provoked | anywhere]


def note_answer(answer: httpx2.Response) -> None:
    """Take account of the reason in a problem that a gateway answered."""
    if answer.status_code >= 400 and answer.headers.get("content-type") == "application/problem+json":
        answer.read()
        problem = answer.json()
        note_shown(str(problem["reason"]), service=str(problem["domain"]).partition(".")[0])


def note_shown(reason: str, *, service: str) -> None:
    """Take account of a reason that a test read where no error is raised: in a job's row or a socket's message."""
    _provoked.add((service, reason))


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--show-unprovoked` prints the account, whatever part of the suite runs."""
    parser.addoption("--show-unprovoked", action="store_true", help="list the documented reasons that no test provoked")


def pytest_configure(config: pytest.Config) -> None:
    """Begin to take account."""
    AppError.__init__ = _noted  # type: ignore[method-assign]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The closing account comes last, and only where the whole suite runs on processes of its own."""
    closing = [item for item in items if item.nodeid.startswith("tests/test_every_reason.py")]
    rest = [item for item in items if item not in closing]
    kinds = {Path(item.nodeid.split("::")[0]).parts[1] for item in rest}
    is_whole = {"unit", "contract", "integration"} <= kinds and is_local(config)
    items[:] = [*rest, *(closing if is_whole else [])]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the account where it is asked for."""
    if config.getoption("--show-unprovoked"):
        terminalreporter.section("documented reasons that no test provoked")
        for found in unprovoked():
            terminalreporter.write_line(f"{found.service}: {found.reason}")


def _noted(self: AppError, *arguments: Any, **named: Any) -> None:
    _make(self, *arguments, **named)
    maker = _maker(self)
    code = maker.f_code
    if (code.co_filename, code.co_name) in _REBUILD or code.co_filename.startswith(_FOR_TESTS):
        return
    if code.co_filename.startswith(_OURS):
        _provoked.add((_service_of(type(self)), self.REASON))


def _maker(error: AppError) -> FrameType:
    """The frame that makes the error, past its own constructors and the functions that define what an error is."""
    frame = sys._getframe(2)
    while frame.f_back is not None and (
        frame.f_code.co_filename in (_DEFINED, contextlib.__file__)
        or (frame.f_code.co_name == "__init__" and frame.f_locals.get("self") is error)
    ):
        frame = frame.f_back
    return frame


def _service_of(kind: type[AppError]) -> str:
    top, _, rest = kind.__module__.partition(".")
    return rest.partition(".")[0] if top == "services" else EVERYWHERE
