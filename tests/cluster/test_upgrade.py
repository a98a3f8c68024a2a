"""A new image goes out while requests, separations and performances go on, and nobody notices."""

from __future__ import annotations

import json
import time
from datetime import datetime
from pathlib import Path

import pytest

from tests.cluster.kube import PodWatch, until
from tests.cluster.load import Separations, traffic
from tests.cluster_house import COMPONENTS, ClusterHouse

RATE_PER_S = 50.0
SOCKETS = 5
SEPARATIONS = 10
CLIP_S = 180.0
ROLLED_WITHIN_S = 180
TOLD_AHEAD_S = 5.0


@pytest.mark.timeout(480)
def test_an_upgrade_loses_no_request_no_job_and_no_performance(
    cluster: ClusterHouse, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with cluster.client() as client:
        artist = client.create_artist("Upgraded")
        separations = Separations(cluster, artist, tmp_path, count=SEPARATIONS, clip_s=CLIP_S)
        with traffic(cluster, rate_per_s=RATE_PER_S, sockets=SOCKETS) as load:
            old = set(cluster.watch.now())
            names = separations.start()
            until(lambda: _running(separations) == SEPARATIONS, within_s=60, what=separations.states)

            began = time.time()
            tag = cluster.other_tag()
            cluster.upgrade("--set", f"image.tag={tag}")
            rolled_s = time.time() - began
            until(lambda: _new_alone(cluster, tag), within_s=ROLLED_WITHIN_S, what="pods of the new image alone")
            separations.wait(within_s=180)
            reconnects = load.words("reconnect")
            failures, lost, summary = load.failures(), load.words("lost"), load.stop()
        jobs, job_faults = separations.jobs(), separations.faults(names)

    told_to_end = max(cluster.watch.told_to_end_at(pod) or 0 for pod in old if "-stems-worker-" in pod)
    ended_after = [name for name in names if _seconds(jobs[name]["end_time"]) > told_to_end]
    with capsys.disabled():
        print(f"\nupgraded in {rolled_s:.0f} s; traffic {json.dumps(summary)}")
        print(f"{len(ended_after)} separations ended after their worker was told to stop")
        print("told ahead of the pod's end:", _told_ahead_s(cluster.watch, old, reconnects))
    assert not failures, "\n".join(failures[:20])
    assert summary["rate_per_s"] > RATE_PER_S * 0.95
    assert not summary["lost"]
    assert not lost, "performances whose socket could not be taken up again"
    assert not job_faults
    assert ended_after, "separations ran while their worker went"
    assert set(reconnects) == set(range(SOCKETS))
    assert min(_told_ahead_s(cluster.watch, old, reconnects)) >= TOLD_AHEAD_S


def _running(separations: Separations) -> int:
    return list(separations.states().values()).count("RUNNING")


def _new_alone(cluster: ClusterHouse, tag: str) -> bool:
    """Whether every pod of the platform has the new image, and those of the old one are gone."""
    pods = [pod for component in COMPONENTS for pod in cluster.watch.now(component).values()]
    return all(pod["spec"]["containers"][0]["image"].endswith(f":{tag}") for pod in pods)


def _told_ahead_s(watch: PodWatch, old: set[str], reconnects: dict[int, list[float]]) -> list[float]:
    """How long before the end of the old pod each socket heard of it, seconds."""
    ended = [watch.ended_at(pod) for pod in old if "-realtime-" in pod]
    assert ended
    first = min(at for at in ended if at is not None)
    return [round(first - min(heard), 1) for heard in reconnects.values()]


def _seconds(time_text: str) -> float:
    return datetime.fromisoformat(time_text).timestamp()
