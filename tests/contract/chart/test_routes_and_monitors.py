"""How clients and Prometheus find the platform."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.chart_house import COMPONENTS, component_of, container, named, names, rendered
from tools.chart.render import CHART, Manifest


def variables(manifests: tuple[Manifest, ...], component: str) -> dict[str, Any]:
    return {one["name"]: one.get("value") for one in container(manifests, component)["env"]}


def test_socket_and_api_have_their_own_backends() -> None:
    socket, api = named(rendered("httproute"), "HTTPRoute", "tonewright")["spec"]["rules"]

    assert socket["matches"] == [{"path": {"type": "Exact", "value": "/v1/performances/socket"}}]
    assert socket["backendRefs"] == [{"name": "tonewright-realtime-socket", "port": 8081}]
    assert api["backendRefs"] == [{"name": "tonewright-gateway", "port": 8080}]


def test_route_waits_for_streams_and_uploads() -> None:
    rules = named(rendered("httproute"), "HTTPRoute", "tonewright")["spec"]["rules"]

    assert [rule["timeouts"] for rule in rules] == [{"request": "0s", "backendRequest": "0s"}] * 2


@pytest.mark.parametrize("path", ["/metrics", "/readyz"])
def test_what_is_for_operators_stays_inside(path: str) -> None:
    route = str(named(rendered("httproute"), "HTTPRoute", "tonewright")["spec"]["rules"])
    ingress = str(named(rendered("ingress"), "Ingress", "tonewright")["spec"]["rules"])

    assert path not in route + ingress
    assert "'/'" not in route + ingress


def test_ingress_lets_the_largest_upload_and_long_sockets_pass() -> None:
    annotations = named(rendered("ingress"), "Ingress", "tonewright")["metadata"]["annotations"]
    values = yaml.safe_load((CHART / "values.yaml").read_text())

    megabytes = int(annotations["nginx.ingress.kubernetes.io/proxy-body-size"].removesuffix("m"))

    assert megabytes << 20 >= values["maxUploadBytes"]
    assert int(annotations["nginx.ingress.kubernetes.io/proxy-read-timeout"]) >= 3600


def test_ingress_serves_every_host_with_the_certificate() -> None:
    spec = named(rendered("ingress"), "Ingress", "tonewright")["spec"]

    assert [rule["host"] for rule in spec["rules"]] == ["api.example.com", "music.example.com"]
    assert spec["tls"] == [{"secretName": "api-example-com", "hosts": ["api.example.com", "music.example.com"]}]


def test_public_urls_follow_from_the_first_host() -> None:
    manifests = rendered("ingress")

    assert variables(manifests, "gateway")["TONEWRIGHT_GATEWAY_PUBLIC_URL"] == "https://api.example.com"
    assert variables(manifests, "realtime")["TONEWRIGHT_REALTIME_SOCKET_PUBLIC_URL"].startswith("wss://api.example.com")


# ------------------------------------------------------------------------------------------------ monitoring


def test_every_component_is_scraped() -> None:
    found = names(rendered("monitoring"), "ServiceMonitor") | names(rendered("monitoring"), "PodMonitor")

    assert found == {f"tonewright-{component}" for component in COMPONENTS}


def test_scraped_series_say_whose_they_are() -> None:
    for kind, endpoints in (("ServiceMonitor", "endpoints"), ("PodMonitor", "podMetricsEndpoints")):
        for name in names(rendered("monitoring"), kind):
            (endpoint,) = named(rendered("monitoring"), kind, name)["spec"][endpoints]
            assert [one["targetLabel"] for one in endpoint["relabelings"]] == ["app", "job", "component", "release"]


def test_rules_are_the_file_with_the_operators_runbooks() -> None:
    groups = named(rendered("monitoring"), "PrometheusRule", "tonewright")["spec"]["groups"]
    text = (CHART / "files/alerts.yaml").read_text()

    wanted = text.replace("https://tonewright.dev/docs/operations", "https://wiki.example.com/tonewright")

    assert groups == yaml.safe_load(wanted)["groups"]
    assert wanted != text


def test_dashboards_are_the_files() -> None:
    files = {path.name: path.read_text().strip() for path in (CHART / "files/dashboards").glob("*.json")}
    maps = [one for one in rendered("monitoring") if one["kind"] == "ConfigMap" and component_of(one) == "monitoring"]

    given = {name: text.strip() for one in maps for name, text in one["data"].items()}

    assert files
    assert given == files
    assert all(one["metadata"]["labels"]["grafana_dashboard"] == "1" for one in maps)
