"""Tables keep ids whole, however narrow the terminal is."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from tonewright_client import terminal

ROW = {
    "name": "artists/nova/live-sets/01a2001bc6f571ae8bb0b5cbcfdcb817",
    "display_name": "a name that is longer than its column",
    "tempo_bpm": 96.0,
    "key": "B minor",
    "cost_usd_micros": 1_500_000,
}
COLUMNS = ("id", "display_name", "tempo_bpm", "key", "track_count", "cost_usd_micros")


def _shown(monkeypatch: pytest.MonkeyPatch, width: int, *, is_terminal: bool) -> tuple[str, str]:
    out, errors = (Console(file=io.StringIO(), width=width, force_terminal=is_terminal) for _ in range(2))
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr(terminal, "out", out)
    monkeypatch.setattr(terminal, "errors", errors)
    monkeypatch.setattr(terminal.gateway, "as_json", False)
    terminal.show([ROW], *COLUMNS)
    said = [console.file.getvalue() for console in (out, errors) if isinstance(console.file, io.StringIO)]
    return said[0], said[1]


def test_a_narrow_terminal_folds_and_says_what_it_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    table, said = _shown(monkeypatch, 80, is_terminal=True)

    assert "01a2001bc6f571ae8bb0b5cbcfdcb817" in table
    assert "…" not in table
    assert "--json has everything" in said


def test_a_pipe_gets_every_column_on_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    table, said = _shown(monkeypatch, 80, is_terminal=False)

    (line,) = [line for line in table.splitlines() if "01a2001b" in line]
    assert "a name that is longer than its column" in line
    assert "$1.50" in line
    assert said == ""
