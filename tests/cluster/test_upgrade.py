"""A new image goes out while requests, separations and performances go on, and nobody notices."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.cluster.kube import PodWatch, until
from tests.cluster.load import Separations, traffic
from tests.cluster_house import ClusterHouse

RATE_PER_S = 50.0
SOCKETS = 5
SEPARATIONS = 10
CLIP_S = 75.0
ROLLED_WITHIN_S = 180
TOLD_AHEAD_S = 5.0
SERVING = ("gateway", "prompt", "datasets", "datasets-worker", "sessions", "stems", "stems-worker", "realtime")


@pytest.mark.timeout(480)
def test_an_upgrade_loses_no_request_no_job_and_no_performance(
    cluster: ClusterHouse, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with cluster.client() as client, traffic(cluster, rate_per_s=RATE_PER_S, sockets=SOCKETS) as load:
        separations = Separations(cluster, client.create_artist("Upgraded"), tmp_path, count=SEPARATIONS, clip_s=CLIP_S)
        old = set(cluster.watch.now())
        names = separations.start()
        until(lambda: _running(separations) == SEPARATIONS, within_s=60, what="ten running separations")

        began = time.time()
        cluster.upgrade("--set", f"image.tag={cluster.next_tag}")
        rolled_s = time.time() - began
        at_the_end = _running(separations)
        until(lambda: _new_alone(cluster), within_s=ROLLED_WITHIN_S, what="pods of the new image alone")
        separations.wait(within_s=180)
        reconnects = load.words("reconnect")
        failures, summary = load.failures(), load.stop()
        job_faults = separations.faults(names)

    with capsys.disabled():
        print(f"\nupgraded in {rolled_s:.0f} s, {at_the_end} separations still running; traffic {json.dumps(summary)}")
    assert not failures, "\n".join(failures[:20])
    assert summary["rate_per_s"] > RATE_PER_S * 0.95
    assert not summary["lost"]
    assert not job_faults
    assert set(reconnects) == set(range(SOCKETS))
    assert not _told_late(cluster.watch, old, reconnects)


def _running(separations: Separations) -> int:
    return list(separations.states().values()).count("RUNNING")


def _new_alone(cluster: ClusterHouse) -> bool:
    """Whether every pod of the platform has the new image, and those of the old one are gone."""
    pods = [pod for component in SERVING for pod in cluster.watch.now(component).values()]
    return all(pod["spec"]["containers"][0]["image"].endswith(f":{cluster.next_tag}") for pod in pods)


def _told_late(watch: PodWatch, old: set[str], reconnects: dict[int, list[float]]) -> list[str]:
    """Sockets that heard of the end of their pod less than five seconds before it."""
    ended = {pod: watch.ended_at(pod) for pod in old if "-realtime-" in pod}
    assert ended
    assert all(ended.values()), ended
    last = min(at for at in ended.values() if at is not None)
    return [
        f"socket {number}: {last - min(heard):.1f} s before the end"
        for number, heard in reconnects.items()
        if last - min(heard) < TOLD_AHEAD_S
    ]
