"""Figures that a test measures on its way: printed at the end of the run and kept under `build/figures`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent.parent / "build" / "figures"
_lines: list[str] = []


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Takes figures by name; the test's own name says of what."""
    name = request.node.name

    def keep(**values: float | int | str) -> None:
        _lines.append(f"{name}: {', '.join(f'{key} {_short(value)}' for key, value in values.items())}")
        FOLDER.mkdir(parents=True, exist_ok=True)
        (FOLDER / f"{name}.json").write_text(json.dumps(values, indent=2) + "\n")

    return keep


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what the tests of this run measured."""
    if not _lines:
        return
    terminalreporter.section("figures")
    for line in _lines:
        terminalreporter.write_line(line)


def _short(value: float | int | str) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)
