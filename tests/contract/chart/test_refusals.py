"""What the chart does not take, and whether it says where and why."""

from __future__ import annotations

import pytest

from tests.chart_house import LATEST, without
from tools.chart.render import HelmFailed, render, scenarios


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("gatewayz.replicas=3", ("gatewayz",)),
        ("gateway.replcas=3", ("gateway", "replcas")),
        ("gateway.oidc.isuer=https://id.example.com", ("oidc", "isuer")),
        ("stemsWorker.gpu.resource=nvidia.com/gpu", ("gpu", "resource")),
        ("stemsWorker.keda.max=3", ("keda", "max")),
        ("networkPolicy.ports.postgresz={5432}", ("ports", "postgresz")),
        ("monitoring.rules.enable=true", ("rules", "enable")),
        ("devBackends.s3.persistence.class=fast", ("persistence", "class")),
        ("postgres.password=secret", ("postgres", "password")),
        ("gateway.signingKey.key=secret", ("signingKey", "key")),
    ],
)
def test_typo_is_refused_with_its_path(setting: str, words: tuple[str, ...]) -> None:
    with pytest.raises(HelmFailed) as refused:
        render(scenarios()["dev-backends"], LATEST, settings=[setting])

    assert all(word in str(refused.value) for word in words)


@pytest.mark.parametrize(
    ("setting", "word"),
    [
        ("gateway.replicas=many", "replicas"),
        ("stems.engine=spleeter", "engine"),
        ("stemsWorker.graceSeconds=-1", "graceSeconds"),
        ("gateway.autoscaling.targetCPUPercent=0", "targetCPUPercent"),
        ("image.pullPolicy=Sometimes", "pullPolicy"),
    ],
)
def test_value_out_of_range_is_refused_with_its_path(setting: str, word: str) -> None:
    with pytest.raises(HelmFailed, match=word):
        render(scenarios()["dev-backends"], LATEST, settings=[setting])


@pytest.mark.parametrize(
    ("scenario", "kind", "value", "project"),
    [
        ("keda", "ScaledJob", "stemsWorker.keda.enabled", "KEDA"),
        ("httproute", "HTTPRoute", "httpRoute.enabled", "Gateway API"),
        ("monitoring", "ServiceMonitor", "monitoring.serviceMonitors.enabled", "Prometheus Operator"),
        ("monitoring", "PodMonitor", "monitoring.serviceMonitors.enabled", "Prometheus Operator"),
        ("monitoring", "PrometheusRule", "monitoring.rules.enabled", "Prometheus Operator"),
    ],
)
def test_missing_kind_of_another_project_fails_and_says_what_to_do(
    scenario: str, kind: str, value: str, project: str
) -> None:
    with pytest.raises(HelmFailed) as refused:
        render(scenarios()[scenario], LATEST, custom_kinds=without(kind))

    assert f"{value} is set, but the cluster has no {kind}" in str(refused.value)
    assert f"install {project}" in str(refused.value)


@pytest.mark.parametrize(
    ("cleared", "word"),
    [
        ("postgres.existingSecret=", "postgres.existingSecret"),
        ("broker.existingSecret=", "broker.existingSecret"),
        ("objects.url=", "objects.url"),
    ],
)
def test_missing_dependency_fails_and_names_the_value(cleared: str, word: str) -> None:
    with pytest.raises(HelmFailed, match=word):
        render(scenarios()["minimal"], LATEST, settings=[cleared])


def test_route_without_a_gateway_is_refused() -> None:
    settings = ["httpRoute.enabled=true"]

    with pytest.raises(HelmFailed, match=r"httpRoute\.parentRefs names no Gateway"):
        render(scenarios()["dev-backends"], LATEST, settings=settings)


def test_autoscaler_with_its_bounds_exchanged_is_refused() -> None:
    settings = ["prompt.autoscaling.enabled=true", "prompt.autoscaling.maxReplicas=1"]

    with pytest.raises(HelmFailed, match="maxReplicas 1 is below minReplicas 2"):
        render(scenarios()["dev-backends"], LATEST, settings=settings)


def test_demucs_without_models_is_refused() -> None:
    with pytest.raises(HelmFailed, match=r"stemsWorker\.weights\.existingClaim"):
        render(scenarios()["dev-backends"], LATEST, settings=["stems.engine=demucs"])


def test_devices_by_claim_are_refused_where_the_cluster_has_none() -> None:
    with pytest.raises(HelmFailed, match=r"resource\.k8s\.io/v1"):
        render(scenarios()["gpu-claim"], "1.30")
