"""The table that a bench prints and the file that it leaves."""

from __future__ import annotations

import json
import platform
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).resolve().parent / "results"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of ours beside the peer's, measured in the same run."""

    metric: str
    unit: str
    ours: float
    peer: float
    peer_name: str
    ratio: float
    better: Literal["higher", "lower"]


def compared(
    metric: str, unit: str, ours: float, peer: float, peer_name: str, *, better: Literal["higher", "lower"]
) -> Row:
    """A row whose ratio is ours divided by the peer's."""
    return Row(metric, unit, ours, peer, peer_name, ours / peer if peer else float("nan"), better)


def publish(name: str, rows: list[Row]) -> Path:
    """Print the table and write bench/results/NAME.json."""
    table = Table("metric", "unit", "ours", "peer", "peer's name", "ratio", "better", title=f"bench {name}")
    for row in rows:
        table.add_row(
            row.metric, row.unit, f"{row.ours:.3f}", f"{row.peer:.3f}", row.peer_name, f"{row.ratio:.2f}", row.better
        )
    Console(width=140).print(table)
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{name}.json"
    document = {"machine": _machine(), "commit": _commit(), "rows": [asdict(row) for row in rows]}
    path.write_text(json.dumps(document, indent=2))
    return path


def _machine() -> str:
    return f"{platform.system()} {platform.machine()}, {platform.python_implementation()} {platform.python_version()}"


def _commit() -> str:
    done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip()
