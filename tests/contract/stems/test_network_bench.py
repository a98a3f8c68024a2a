"""The bench of stems runs through and finds both contenders' stems alike."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("demucs.apply", reason="torch and demucs are not installed: make setup-demucs")

from bench.report import RESULTS

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.long
@pytest.mark.timeout(600)
def test_bench_prints_its_table_and_leaves_its_file() -> None:
    sizes = ["--seconds", "5", "--tracks", "2", "--track-seconds", "2", "--rounds", "1"]
    left = RESULTS / "stems-of-a-test.json"

    subprocess.run(
        [sys.executable, "-m", "bench.stems", "--model", "small", *sizes, "--name", left.stem], cwd=ROOT, check=True
    )

    rows = {row["metric"]: row for row in json.loads(left.read_text())["rows"]}
    left.unlink()
    assert rows["5 s, furthest sample"]["ratio"] <= 1
    assert rows["5 s, first chunk"]["ours"] < 100
