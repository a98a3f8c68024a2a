"""What all commands share: the gateway that they speak to, tables or JSON, progress bars."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Table

from tonewright_client.client import ArtistHandle, Tonewright
from tonewright_client.models import Operation
from tonewright_client.money import usd
from tonewright_client.transport import Json

out = Console()
errors = Console(stderr=True)


@dataclass(slots=True)
class Gateway:
    """Whom the command speaks to, and how it answers."""

    url: str = ""
    key: str = ""
    artist: str = ""
    as_json: bool = False


gateway = Gateway()
# An id has to be read whole; other columns are folded, and left out where they would be a few letters wide.
_ID_WIDTH, _COLUMN_WIDTH, _UNBOUND = 36, 11, 10_000


def kept_key() -> str:
    """The key that the platform left in its state folder; empty when there is none."""
    path = Path(os.environ.get("TONEWRIGHT_HOME", ".tonewright")) / "api-key"
    return path.read_text().strip() if path.exists() else ""


def connect() -> Tonewright:
    """The gateway; the command ends when there is no key."""
    if not gateway.key:
        errors.print("no API key: set TONEWRIGHT_API_KEY, or run from the folder that holds .tonewright/api-key")
        raise typer.Exit(1)
    return Tonewright(gateway.url, gateway.key)


def chosen_artist(client: Tonewright) -> ArtistHandle:
    """The artist that was named, or the only one; the command ends when there are several."""
    if gateway.artist:
        return client.artist(gateway.artist)
    known = [artist["name"] for artist in client.artists()]
    if len(known) != 1:
        errors.print(
            f"choose an artist with --artist: {', '.join(known) or 'none yet; tonewright artists --create NAME'}"
        )
        raise typer.Exit(1)
    return client.artist(known[0])


def show(rows: Iterable[Mapping[str, Any]], *columns: str) -> None:
    """A table of these columns (`a.b` goes inside, `id` is the last part of the name), or all of the rows as JSON."""
    found = list(rows)
    if gateway.as_json:
        show_json(found)
        return
    shown = columns[: _fitting(len(columns))]
    table = Table()
    for column in shown:
        table.add_column(column, no_wrap=column == "id", overflow="fold")
    for row in found:
        table.add_row(*(_cell(row, column) for column in shown))
    print_table(table)
    if len(shown) < len(columns):
        left_out = ", ".join(columns[len(shown) :])
        errors.print(f"[dim]too narrow for {left_out}; --json has everything[/dim]", soft_wrap=True)


def print_table(table: Table) -> None:
    """A table as wide as the terminal, or, where there is none, as wide as it wants to be."""
    console = out if _is_narrow() else Console(file=out.file, width=_UNBOUND)
    console.print(table)


def _is_narrow() -> bool:
    return out.is_terminal or "COLUMNS" in os.environ


def _fitting(count: int) -> int:
    """How many columns a terminal has room for beside an id."""
    return max(2, min(count, 1 + (out.width - _ID_WIDTH) // _COLUMN_WIDTH)) if _is_narrow() else count


def show_json(what: object) -> None:
    """It as JSON."""
    out.print_json(json.dumps(what))


def refuse(message: str) -> typer.Exit:
    """One line that says what was wrong and what to do; raise what it gives."""
    errors.print(f"[red]tonewright:[/red] {message}", highlight=False, soft_wrap=True)
    return typer.Exit(1)


def short(name: str) -> str:
    """The last part of a resource's name, which names it as well as the whole does."""
    return name.rpartition("/")[2]


def _cell(row: Mapping[str, Any], column: str) -> str:
    if column == "id":
        return short(str(row.get("name", "")))
    value: Any = row
    for part in column.split("."):
        value = value.get(part, "") if isinstance(value, Mapping) else ""
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    if column.endswith("_usd_micros") and isinstance(value, int):
        return usd(value)
    return f"{value:.2f}" if isinstance(value, float) else "" if value is None else str(value)


def wait(artist: ArtistHandle, operation: Operation, what: str) -> Json:
    """The finished resource, with a bar while it is made."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=errors) as bar:
        task = bar.add_task(what, total=100)
        return artist.operations.wait(
            operation,
            on_progress=lambda percent, stage: bar.update(task, completed=percent, description=stage.lower() or what),
        )


class BytesBar:
    """A progress bar in bytes."""

    def __init__(self, what: str) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), console=errors
        )
        self._task = self._bar.add_task(what, total=None)

    def __enter__(self) -> Callable[[int, int], None]:
        self._bar.start()
        return lambda done, total: self._bar.update(self._task, completed=done, total=total)

    def __exit__(self, *_fault: object) -> None:
        self._bar.stop()
