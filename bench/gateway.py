"""What the gateway adds: one read through it beside the same read by gRPC straight from the service.

    python -m bench.gateway [--seconds 5] [--rounds 3]

Starts a platform of its own on embedded defaults; k6 sends both loads to loopback. The two are taken in turns, and the
median of the rounds is shown. The key is checked, the role looked up in the gateway's cache and a token signed for each
read through the gateway; the read by gRPC alone carries one token that was signed before.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.report import Row, compared, publish
from chassis.context import Caller, Role
from chassis.tokens import Signer
from tests.house import ROOT, House

CONCURRENCIES = (1, 64)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=5, help="length of each load")
    parser.add_argument("--rounds", type=int, default=3, help="how often each load is repeated")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        environment = {"TONEWRIGHT_GATEWAY_RATE_LIMIT_PER_S": "0"}
        house = House(Path(folder), environment).start()
        try:
            rows = [row for vus in CONCURRENCIES for row in _compare(house, vus, chosen.seconds, chosen.rounds)]
        finally:
            house.stop()
    print(f"written to {publish('gateway', rows)}")


def _compare(house: House, vus: int, seconds: int, rounds: int) -> list[Row]:
    with house.client() as client:
        name = client.create_artist("Bench").name
    runs: dict[str, list[dict[str, float]]] = {"http": [], "grpc": []}
    for _ in range(rounds):
        for mode, found in runs.items():
            found.append(_load(house, mode, name, vus, seconds))
    ours, peer = (_medians(runs[mode]) for mode in ("http", "grpc"))
    label = f"read at concurrency {vus}"
    alone = "gRPC alone"
    return [
        compared(f"{label}, p50", "ms", ours["p50_ms"], peer["p50_ms"], alone, better="lower"),
        compared(f"{label}, p99", "ms", ours["p99_ms"], peer["p99_ms"], alone, better="lower"),
        compared(f"{label}, throughput", "requests/s", ours["rps"], peer["rps"], alone, better="higher"),
    ]


def _load(house: House, mode: str, name: str, vus: int, seconds: int) -> dict[str, float]:
    caller = Caller(service="gateway", principal="ada", artist=name.removeprefix("artists/"), role=Role.OWNER)
    signer = Signer("gateway", house.home / "keys" / "gateway.key")
    facts = {
        "MODE": mode,
        "VUS": str(vus),
        "SECONDS": str(seconds),
        "NAME": name,
        "URL": house.url,
        "KEY": house.keys["ada"],
        "TARGET": f"127.0.0.1:{house.ports['TONEWRIGHT_PROMPT_GRPC_PORT']}",
        "TOKEN": signer.sign("prompt", caller),
        "PROTO": str(ROOT / "proto"),
        "GOOGLEAPIS": str(ROOT / "build" / "googleapis"),
    }
    k6 = Path(sys.executable).parent / "k6"
    done = subprocess.run(
        [str(k6), "run", "--quiet", "--no-usage-report", str(ROOT / "bench" / "gateway.js")],
        env={**os.environ, **facts},
        capture_output=True,
        text=True,
        check=True,
    )
    summary: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return summary


def _medians(runs: list[dict[str, float]]) -> dict[str, float]:
    return {key: statistics.median(run[key] for run in runs) for key in runs[0]}


if __name__ == "__main__":
    main()
