"""What keeps a pod that was taken over from doing harm: the restricted profile, and calls that need a token."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cluster.kube import component_of
from tests.cluster_house import GRPC_PORTS, ClusterHouse
from tools.pod_security import restricted_faults

PROGRAM = Path(__file__).with_name("calls.py")
EVERY_KIND = {
    *("gateway", "prompt", "datasets", "datasets-worker", "sessions", "stems", "stems-worker", "realtime"),
    *("migrations", "test", "postgres", "rabbitmq", "s3"),
}


def test_every_pod_that_ever_ran_keeps_to_the_restricted_profile(cluster: ClusterHouse) -> None:
    pods = cluster.watch.ever()

    faults = {name: found for name, pod in pods.items() if (found := restricted_faults(pod["spec"]))}

    assert {component_of(pod) for pod in pods.values()} >= EVERY_KIND, "hooks, tests and backends were seen as well"
    assert not faults


@pytest.mark.parametrize("service", GRPC_PORTS)
def test_a_service_refuses_calls_without_a_token_inside_the_cluster(cluster: ClusterHouse, service: str) -> None:
    told = _calls(cluster, "gateway", {"service": service, "target": _target(cluster, service), "signer": ""})

    assert told == {"code": "UNAUTHENTICATED"}


@pytest.mark.parametrize(
    ("caller", "service"), [("stems", "prompt"), ("sessions", "stems"), ("prompt", "datasets")], ids=lambda name: name
)
def test_a_service_refuses_the_token_of_one_that_may_not_call_it(
    cluster: ClusterHouse, caller: str, service: str
) -> None:
    told = _calls(cluster, caller, {"service": service, "target": _target(cluster, service), "signer": caller})

    assert told == {"code": "UNAUTHENTICATED"}


def test_a_token_that_another_service_signed_in_the_gateways_name_is_refused(cluster: ClusterHouse) -> None:
    asked = {"service": "prompt", "target": _target(cluster, "prompt"), "signer": "stems", "claims_to_be": "gateway"}

    assert _calls(cluster, "stems", asked) == {"code": "UNAUTHENTICATED"}


def test_the_gateways_own_token_opens_the_same_call(cluster: ClusterHouse) -> None:
    asked = {"service": "prompt", "target": _target(cluster, "prompt"), "signer": "gateway"}

    assert _calls(cluster, "gateway", asked) == {"code": "NOT_FOUND"}


def test_a_pod_holds_no_private_key_but_its_own(cluster: ClusterHouse) -> None:
    held = {}
    for component in ("gateway", *GRPC_PORTS):
        pod = next(iter(cluster.watch.serving(component)))
        listing = cluster.kube.exec(pod, "python", "-c", _LIST_KEYS)
        held[component] = json.loads(listing)

    assert held == {component: [f"{component}.key"] for component in held}


_LIST_KEYS = (
    "import json, pathlib; keys = pathlib.Path('/etc/tonewright').rglob('*.key'); "
    "print(json.dumps(sorted({path.name for path in keys})))"
)


def _target(cluster: ClusterHouse, service: str) -> str:
    return f"{cluster.name(service)}:{GRPC_PORTS[service]}"


def _calls(cluster: ClusterHouse, component: str, asked: dict[str, str]) -> dict[str, str]:
    """What a call from inside a component's pod is answered."""
    pod = next(iter(cluster.watch.serving(component)))
    told = cluster.kube.exec(pod, "python", "-", json.dumps(asked), stdin=PROGRAM.read_text())
    answer: dict[str, str] = json.loads(told)
    return answer
