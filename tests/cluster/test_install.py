"""The release as it was just installed."""

from __future__ import annotations

import json
import time

import pytest

from tests.cluster_house import COMPONENTS, RELEASE, ClusterHouse

DEPLOYED_WITHIN_S = 120.0


def test_the_release_is_up_within_two_minutes_of_its_backends(
    cluster: ClusterHouse, capsys: pytest.CaptureFixture[str]
) -> None:
    if cluster.installed is None:
        pytest.skip("an installed release was taken over; unset CLUSTER_REUSE")
    times = cluster.installed
    took_s = times.deployed - max(times.backends_ready, times.began)

    with capsys.disabled():
        print(f"\ninstalled {took_s:.0f} s after the backends were ready, {times.deployed - times.began:.0f} s in all")
    assert took_s < DEPLOYED_WITHIN_S


def test_every_component_serves_and_none_was_restarted(cluster: ClusterHouse) -> None:
    pods = {component: cluster.watch.serving(component) for component in COMPONENTS}

    restarts = {
        name: status["restartCount"]
        for serving in pods.values()
        for name, pod in serving.items()
        for status in pod["status"]["containerStatuses"]
    }
    assert all(pods.values()), {component: list(serving) for component, serving in pods.items()}
    assert not any(restarts.values()), restarts


def test_the_notes_say_what_to_do_next(cluster: ClusterHouse) -> None:
    notes = cluster.helm("get", "notes", RELEASE)
    values = json.loads(cluster.helm("get", "values", RELEASE, "--output", "json"))

    assert f"test {RELEASE}" in notes
    assert values["gateway"]["publicUrl"] in notes


def test_helm_test_separates_a_clip(cluster: ClusterHouse) -> None:
    began = time.monotonic()

    told = cluster.helm("test", RELEASE, "--timeout", "180s", timeout_s=200)

    assert "Phase:          Succeeded" in told
    assert time.monotonic() - began < 120
