"""Every address that a pod is given can be reached from it: the policies of both ends are asked, as a cluster would."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.chart_house import COMPONENTS, component_of, named, rendered
from tools.chart.links import is_selected, pod_labels
from tools.chart.render import Manifest
from tools.pod_security import pod_specs

ADDRESS = re.compile(r"\b(tonewright-[a-z0-9-]+)(?:\.music(?:\.svc[a-z.]*)?)?:(\d+)")
# Addresses that a process tells clients of, and never opens.
TOLD = ("_PUBLIC_URL", "_ORIGINS")
SCENARIOS = ("dev-backends", "ingress", "monitoring")
Edge = tuple[str, str, int]


def edges(manifests: tuple[Manifest, ...]) -> set[Edge]:
    """Caller, called component and port of every address in a pod's environment, Secrets read."""
    found = set()
    for item in manifests:
        for spec in pod_specs(item):
            for text in texts(spec, manifests):
                for service, port in ADDRESS.findall(text):
                    found.add((component_of(item), *behind(manifests, service, int(port))))
    return {edge for edge in found if edge[0] != edge[1]}


def texts(spec: Any, manifests: tuple[Manifest, ...]) -> Iterator[str]:
    for container in [*(spec.get("initContainers") or ()), *spec["containers"]]:
        for variable in [one for one in container.get("env") or () if not one["name"].endswith(TOLD)]:
            reference = (variable.get("valueFrom") or {}).get("secretKeyRef")
            yield secret(manifests, reference) if reference else variable.get("value") or ""


def secret(manifests: tuple[Manifest, ...], reference: dict[str, str]) -> str:
    found = named(manifests, "Secret", reference["name"])
    if reference["key"] in (found.get("stringData") or {}):
        return str(found["stringData"][reference["key"]])
    return base64.b64decode(found["data"][reference["key"]]).decode()


def behind(manifests: tuple[Manifest, ...], name: str, port: int) -> tuple[str, int]:
    """The component behind a Service, and the port that its pods listen on."""
    service = named(manifests, "Service", name)
    (offer,) = (one for one in service["spec"]["ports"] if one["port"] == port)
    (target,) = (
        one for one in manifests for labels in pod_labels(one) if is_selected(service["spec"]["selector"], labels)
    )
    numbers = {
        one["name"]: one["containerPort"]
        for spec in pod_specs(target)
        for container in spec["containers"]
        for one in container["ports"]
    }
    wanted = offer.get("targetPort", port)
    return component_of(target), wanted if isinstance(wanted, int) else numbers[wanted]


def is_allowed(manifests: tuple[Manifest, ...], edge: Edge) -> bool:
    """Whether the caller may go out to that port, and the called one lets it in."""
    caller, called, port = edge
    out = named(manifests, "NetworkPolicy", f"tonewright-{caller}")["spec"]["egress"]
    into = named(manifests, "NetworkPolicy", f"tonewright-{called}")["spec"]["ingress"]
    return passes(out, "to", called, port) and passes(into, "from", caller, port)


def passes(rules: list[Manifest], side: str, component: str, port: int) -> bool:
    labels = {
        "app.kubernetes.io/name": "tonewright",
        "app.kubernetes.io/instance": "tonewright",
        "app.kubernetes.io/component": component,
    }
    for rule in rules:
        selectors = [peer["podSelector"]["matchLabels"] for peer in rule.get(side, ()) if "podSelector" in peer]
        is_peer = side not in rule or any(is_selected(selector, labels) for selector in selectors)
        if is_peer and port in [one["port"] for one in rule["ports"]]:
            return True
    return False


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_address_that_a_pod_is_given_can_be_reached(scenario: str) -> None:
    manifests = rendered(scenario)

    blocked = {edge for edge in edges(manifests) if not is_allowed(manifests, edge)}

    assert blocked == set()


def test_addresses_are_found_at_all() -> None:
    found = edges(rendered("dev-backends"))

    assert {("gateway", "sessions", 50053), ("migrations", "postgres", 5432), ("test", "gateway", 8080)} <= found
    assert {caller for caller, _, _ in found} == {*COMPONENTS, "migrations", "test"}


def test_every_open_way_between_services_is_used() -> None:
    manifests = rendered("dev-backends")
    used = edges(manifests)
    pairs = {(caller, called, port) for caller in COMPONENTS for _, called, port in used if port > 50000}

    unused = {edge for edge in pairs - used if edge[0] != edge[1] and is_allowed(manifests, edge)}

    assert unused == set()


@pytest.mark.parametrize(
    "edge",
    [
        ("gateway", "postgres", 5432),
        ("prompt", "rabbitmq", 5672),
        ("stems-worker", "datasets", 50052),
        ("sessions", "prompt", 50051),
        ("realtime", "datasets", 50052),
        ("test", "postgres", 5432),
        ("migrations", "s3", 8333),
        ("gateway", "stems-worker", 9114),
    ],
)
def test_other_ways_are_closed(edge: Edge) -> None:
    assert not is_allowed(rendered("dev-backends"), edge)
