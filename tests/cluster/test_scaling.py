"""More pods and fewer again: calls spread, and no separation is lost."""

from __future__ import annotations

import time
from pathlib import Path

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.cluster.kube import until
from tests.cluster.load import Separations
from tests.cluster_house import ClusterHouse

REPLICAS = 3
CALLS = 300
LEAST_SHARE = 0.2
SPREAD_WITHIN_S = 90.0
OPS_PORT = 9101
SEPARATIONS = 12
CLIP_S = 60.0


@pytest.mark.timeout(300)
def test_calls_spread_over_the_pods_of_a_service(cluster: ClusterHouse) -> None:
    with cluster.http() as http:
        artist = http.post("/v1/artists", json={"display_name": "Spread"}).json()["name"]
        began = time.monotonic()
        cluster.scale("prompt", REPLICAS)
        try:
            pods = cluster.wait_serving("prompt", REPLICAS)
            until(
                lambda: min(_shares(cluster, http, artist, pods, calls=10 * REPLICAS)) > 0,
                within_s=SPREAD_WITHIN_S - (time.monotonic() - began),
                what="calls to each pod",
                every_s=2,
            )
            shares = _shares(cluster, http, artist, pods, calls=CALLS)
        finally:
            cluster.scale("prompt", 1)

    assert min(shares) >= LEAST_SHARE, shares
    cluster.wait_serving("prompt", 1)


@pytest.mark.timeout(300)
def test_scaling_workers_up_and_down_under_load_loses_nothing(cluster: ClusterHouse, tmp_path: Path) -> None:
    with cluster.client() as client:
        artist = client.create_artist("Scaled")
        separations = Separations(cluster, artist, tmp_path, count=SEPARATIONS, clip_s=CLIP_S)
        names = separations.start()
        cluster.scale("stems-worker", 3)
        until(lambda: "RUNNING" in separations.states().values(), within_s=30, what="a running separation")
        cluster.wait_serving("stems-worker", 3)
        running = [state for state in separations.states().values() if state == "RUNNING"]

        cluster.scale("stems-worker", 1)
        separations.wait(within_s=180)
        faults = separations.faults(names)

    assert running, "the pods went while separations ran"
    assert not faults
    cluster.wait_serving("stems-worker", 1)


def _shares(cluster: ClusterHouse, http: httpx2.Client, artist: str, pods: list[str], *, calls: int) -> list[float]:
    """The share of so many calls through the gateway that each pod answered."""
    before = [_answered(cluster, pod) for pod in pods]
    for _ in range(calls):
        assert http.get(f"/v1/{artist}").status_code == 200
    counts = [_answered(cluster, pod) - old for pod, old in zip(pods, before, strict=True)]
    return [count / max(1, sum(counts)) for count in counts]


def _answered(cluster: ClusterHouse, pod: str) -> float:
    """How often a pod answered the call that reads an artist."""
    url = "http://{}:{}/metrics".format(*cluster.reach.pod(pod, OPS_PORT))
    families = text_string_to_metric_families(httpx2.get(url, timeout=10, trust_env=False).text)
    family = next(family for family in families if family.name == "grpc_server_handling_seconds")
    return sum(
        sample.value
        for sample in family.samples
        if sample.name.endswith("_count") and sample.labels["grpc_method"] == "GetArtist"
    )
