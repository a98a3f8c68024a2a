"""One pod of each kind is taken away while requests come: the service is restored and nothing acknowledged is lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cluster.kube import until
from tests.cluster.load import Separations, traffic
from tests.cluster_house import BACKENDS, ClusterHouse

RATE_PER_S = 10.0
SEPARATIONS = 4
CLIP_S = 60.0
RESTORED_WITHIN_S = 90.0
KINDS = ("gateway", "prompt", "datasets", "datasets-worker", "sessions", "stems", "stems-worker", "realtime", *BACKENDS)


@pytest.mark.timeout(480)
def test_a_deleted_pod_of_each_kind_is_replaced_and_nothing_is_lost(
    cluster: ClusterHouse, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with cluster.client() as client, traffic(cluster, rate_per_s=RATE_PER_S) as load:
        artist = client.create_artist("Bereft")
        separations = Separations(cluster, artist, tmp_path, count=SEPARATIONS, clip_s=CLIP_S)
        names = separations.start()
        for kind in KINDS:
            _delete_one(cluster, kind)
        until(cluster.is_ready, within_s=RESTORED_WITHIN_S, what="a gateway that is ready")
        separations.wait(within_s=180)
        summary = load.stop()
        faults = separations.faults(names)
        after = artist.sessions.create("After", {"version": 1})

    with capsys.disabled():
        print(f"\n{len(KINDS)} pods deleted; traffic {json.dumps(summary)}")
    assert summary["made"]["sessions"] > 0
    assert not summary["lost"]
    assert not faults
    assert after["display_name"] == "After"


def _delete_one(cluster: ClusterHouse, kind: str) -> None:
    """Delete a pod and wait until another serves."""
    victim = next(iter(cluster.watch.serving(kind)))
    uid = cluster.watch.ever()[victim]["metadata"]["uid"]
    cluster.kube("delete", "pod", victim, "--wait=false")
    until(
        lambda: any(pod["metadata"]["uid"] != uid for pod in cluster.watch.serving(kind).values()),
        within_s=RESTORED_WITHIN_S,
        what=f"another pod of {kind}",
    )
