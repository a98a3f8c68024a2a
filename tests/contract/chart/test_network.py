"""NetworkPolicies against services/callers.toml, the one table of who may call whom."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator

import pytest

from services.launcher.settings import SERVICES
from tests.chart_house import COMPONENTS, LATEST, component_of, named, names, rendered
from tools.chart import callers, links
from tools.chart.render import Manifest

CALLERS: dict[str, list[str]] = tomllib.loads(callers.SOURCE.read_text())
GRPC = {"prompt": 50051, "datasets": 50052, "sessions": 50053, "stems": 50054, "realtime": 50055}
OPS = {"prompt": 9101, "datasets": 9102, "sessions": 9103, "stems": 9104, "realtime": 9105, "gateway": 8080}
OPS |= {"datasets-worker": 9112, "stems-worker": 9114}
STATEFUL = {"prompt", "datasets", "datasets-worker", "sessions", "stems", "stems-worker", "realtime", "migrations"}


def acting_as(service: str) -> set[str]:
    """The components that call in the name of a service: the service, and its worker."""
    return {component for component in COMPONENTS if component.removesuffix("-worker") == service}


def policy(manifests: tuple[Manifest, ...], component: str) -> Manifest:
    return named(manifests, "NetworkPolicy", f"tonewright-{component}")


def peers(manifest: Manifest, way: str, port: int) -> list[set[str]]:
    """For each rule with that port, the components that it names; {"anyone"} for a rule without peers."""
    side = "from" if way == "ingress" else "to"
    found = []
    for rule in manifest["spec"][way]:
        if port in [one["port"] for one in rule["ports"]]:
            found.append(set(_named(rule.get(side, ()))) or {"anyone"})
    return found


def _named(sources: list[Manifest]) -> Iterator[str]:
    for source in sources:
        labels = source.get("podSelector", {}).get("matchLabels", {})
        yield labels.get("app.kubernetes.io/component", "outsider")


def test_copy_of_the_table_is_the_table() -> None:
    assert callers.faults() == []


@pytest.mark.parametrize("service", GRPC)
def test_service_takes_calls_from_its_callers_alone(service: str) -> None:
    own = policy(rendered("minimal"), service)

    assert peers(own, "ingress", GRPC[service]) == [set().union(*map(acting_as, CALLERS[service]))]


@pytest.mark.parametrize("component", COMPONENTS)
def test_component_calls_the_services_it_may_call_alone(component: str) -> None:
    own = policy(rendered("minimal"), component)
    service = component.removesuffix("-worker")

    called = {callee for callee in GRPC if peers(own, "egress", GRPC[callee]) == [{callee}]}

    assert called == {callee for callee, its_callers in CALLERS.items() if service in its_callers}


@pytest.mark.parametrize("component", ["datasets-worker", "stems-worker"])
def test_worker_takes_nothing_but_looks_at_its_metrics(component: str) -> None:
    (rule,) = policy(rendered("minimal"), component)["spec"]["ingress"]

    assert [one["port"] for one in rule["ports"]] == [OPS[component]]


@pytest.mark.parametrize("component", COMPONENTS)
def test_metrics_are_read_from_the_namespace_of_monitoring(component: str) -> None:
    own = policy(rendered("minimal"), component)
    wanted = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}

    rules = [rule for rule in own["spec"]["ingress"] if {"port": OPS[component], "protocol": "TCP"} in rule["ports"]]

    assert [wanted] in [rule.get("from") for rule in rules]


@pytest.mark.parametrize(("component", "port"), [("gateway", 8080), ("realtime", 8081), ("s3", 8333)])
def test_doors_are_open_to_anyone_by_default(component: str, port: int) -> None:
    assert {"anyone"} in peers(policy(rendered("dev-backends"), component), "ingress", port)


@pytest.mark.parametrize(("component", "port"), [("gateway", 8080), ("realtime", 8081), ("s3", 8333)])
def test_doors_open_to_named_clients_when_some_are_named(component: str, port: int) -> None:
    found = peers(policy(rendered("ingress"), component), "ingress", port)

    assert {"anyone"} not in found
    assert "test" in found[0]  # helm test is a client, too


@pytest.mark.parametrize(
    ("component", "port", "users"),
    [
        ("postgres", 5432, STATEFUL),
        ("rabbitmq", 5672, {"datasets", "datasets-worker", "stems", "stems-worker"}),
    ],
)
def test_development_backend_is_reached_by_its_users_alone(component: str, port: int, users: set[str]) -> None:
    assert peers(policy(rendered("dev-backends"), component), "ingress", port) == [users]


@pytest.mark.parametrize("component", [*COMPONENTS, "migrations"])
def test_egress_to_a_development_backend_meets_its_ingress(component: str) -> None:
    own = policy(rendered("dev-backends"), component)
    door = peers(policy(rendered("dev-backends"), "postgres"), "ingress", 5432)[0]

    assert bool(peers(own, "egress", 5432)) == (component in door)


def test_ports_of_external_dependencies_come_from_their_values() -> None:
    manifests = rendered("everything-on")
    (stems,) = (one for one in manifests if one["kind"] == "NetworkPolicy" and component_of(one) == "stems")

    ports = {port["port"] for rule in stems["spec"]["egress"] if "to" not in rule for port in rule["ports"]}

    assert ports == {53, 5432, 6432, 5671, 5672, 443}


def test_port_of_the_object_store_is_read_from_its_url() -> None:
    sessions = policy(rendered("default-external"), "sessions")

    assert peers(sessions, "egress", 9000) == [{"anyone"}]


@pytest.mark.parametrize(("component", "reached"), [("stems", [{"anyone"}]), ("realtime", []), ("prompt", [])])
def test_service_that_posts_webhooks_gets_out_by_https(component: str, reached: list[set[str]]) -> None:
    assert peers(policy(rendered("dev-backends"), component), "egress", 443) == reached


def test_collector_is_reached_when_there_is_one() -> None:
    assert peers(policy(rendered("monitoring"), "realtime"), "egress", 4317) == [{"anyone"}]
    assert peers(policy(rendered("minimal"), "realtime"), "egress", 4317) == []


def test_keda_may_read_the_number_of_jobs() -> None:
    (rule,) = (one for one in policy(rendered("keda"), "stems")["spec"]["ingress"] if one["ports"][0]["port"] == 9104)

    assert {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "keda"}}} in rule["from"]


@pytest.mark.parametrize("scenario", ["minimal", "dev-backends", "keda", "everything-on"])
def test_every_pod_has_one_policy(scenario: str) -> None:
    manifests = rendered(scenario)
    selectors = [one["spec"]["podSelector"]["matchLabels"] for one in manifests if one["kind"] == "NetworkPolicy"]

    counts = {
        one["metadata"]["name"]: [sum(links.is_selected(chosen, labels) for chosen in selectors)]
        for one in manifests
        for labels in links.pod_labels(one)
    }

    assert counts
    assert set(map(tuple, counts.values())) == {(1,)}


def test_policies_may_be_left_out() -> None:
    assert names(rendered("minimal", "networkPolicy.enabled=false"), "NetworkPolicy") == set()


def test_table_of_components_is_whole() -> None:
    assert names(rendered("minimal"), "NetworkPolicy") == {
        f"tonewright-{component}" for component in (*COMPONENTS, "migrations", "test")
    }
    assert set(CALLERS) == set(SERVICES) - {"gateway"}
    assert LATEST
