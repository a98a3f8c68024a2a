"""The checks themselves: what they must refuse, they refuse."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tools.chart import golden, links, pods, validate
from tools.pod_security import pod_specs, restricted_faults

SAFE: dict[str, Any] = {
    "automountServiceAccountToken": False,
    "securityContext": {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}},
    "volumes": [{"name": "tmp", "emptyDir": {}}],
    "initContainers": [],
    "containers": [
        {
            "name": "gateway",
            "image": "gateway",
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            },
        }
    ],
}


def changed(path: str, value: object) -> dict[str, Any]:
    spec = copy.deepcopy(SAFE)
    *way, last = path.split(".")
    node: Any = spec
    for step in way:
        node = node[int(step)] if step.isdigit() else node.setdefault(step, {})
    node[last] = value
    return spec


def test_restricted_pod_has_no_fault() -> None:
    assert restricted_faults(SAFE) == []


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("hostNetwork", True, "hostNetwork"),
        ("hostPID", True, "hostPID"),
        ("automountServiceAccountToken", None, "automountServiceAccountToken"),
        ("securityContext.runAsNonRoot", False, "runAsNonRoot"),
        ("securityContext.runAsUser", 0, "runAsUser"),
        ("securityContext.seccompProfile", {"type": "Unconfined"}, "seccompProfile"),
        ("securityContext.sysctls", [{"name": "kernel.msgmax", "value": "1"}], "sysctls"),
        ("volumes", [{"name": "host", "hostPath": {"path": "/"}}], "volumes[host].hostPath"),
        ("containers.0.ports", [{"containerPort": 80, "hostPort": 80}], "host port"),
        ("containers.0.securityContext.privileged", True, "privileged"),
        ("containers.0.securityContext.allowPrivilegeEscalation", True, "allowPrivilegeEscalation"),
        ("containers.0.securityContext.readOnlyRootFilesystem", False, "readOnlyRootFilesystem"),
        ("containers.0.securityContext.capabilities", {"drop": ["NET_RAW"]}, "capabilities.drop"),
        ("containers.0.securityContext.capabilities.add", ["SYS_ADMIN"], "SYS_ADMIN"),
        ("containers.0.securityContext.runAsUser", 0, "runAsUser"),
        ("containers.0.securityContext.procMount", "Unmasked", "procMount"),
        ("initContainers", [{"name": "wait", "image": "wait"}], "initContainers[wait]"),
    ],
)
def test_fault_is_named(path: str, value: object, named: str) -> None:
    assert any(named in fault for fault in restricted_faults(changed(path, value)))


def test_pods_of_every_kind_are_found() -> None:
    template = {"spec": {"template": {"spec": SAFE}}}

    assert pod_specs({"kind": "Pod", "spec": SAFE}) == [SAFE]
    assert pod_specs({"kind": "Job", **template}) == [SAFE]
    assert pod_specs({"kind": "CronJob", "spec": {"jobTemplate": template}}) == [SAFE]
    assert pod_specs({"kind": "ScaledJob", "spec": {"jobTargetRef": {"template": {"spec": SAFE}}}}) == [SAFE]
    assert pod_specs({"kind": "Service", "spec": {}}) == []


def service(**spec: object) -> dict[str, Any]:
    meta = {"name": "gateway", "namespace": "music", "labels": {}}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"ports": [{"port": 80}], **spec}}


@pytest.mark.parametrize("version", ["1.25", "1.30", "1.34"])
def test_unknown_field_of_a_builtin_kind_is_refused(version: str) -> None:
    assert validate.faults(service(), version) == []
    assert "clusterip" in validate.faults(service(clusterip="None"), version)[0]


def test_kind_that_a_version_does_not_have_is_refused() -> None:
    budget = {
        "apiVersion": "policy/v1beta1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "gateway"},
        "spec": {},
    }

    assert validate.faults(budget, "1.20") == []
    assert validate.faults(budget, "1.34") == ["apiVersion: 1.34 has no PodDisruptionBudget of policy/v1beta1"]
    assert validate.faults({**budget, "apiVersion": "policy/v1"}, "1.20") == ["apiVersion: 1.20 serves no policy/v1"]


def scaled_job(**spec: object) -> dict[str, Any]:
    metadata = {"url": "http://stems:9104/metrics", "valueLocation": "jobs", "targetValue": "2"}
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "worker", "image": "stems"}]}}
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledJob",
        "metadata": {"name": "stems-worker", "namespace": "music", "labels": {}},
        "spec": {
            "jobTargetRef": {"template": template},
            "triggers": [{"type": "metrics-api", "metadata": metadata}],
            **spec,
        },
    }


@pytest.mark.parametrize(
    ("spec", "named"),
    [
        ({"maxReplicas": 3}, "maxReplicas"),
        ({"pollingInterval": "15"}, "pollingInterval"),
        ({"rollout": {"strategy": "careful"}}, "rollout"),
        ({"jobTargetRef": {"template": {"spec": {"containers": [{"namez": "worker"}]}}}}, "spec.jobTargetRef.template"),
    ],
)
def test_misspelt_field_of_another_projects_kind_is_refused(spec: dict[str, object], named: str) -> None:
    assert validate.faults(scaled_job(), "1.34") == []
    assert named in validate.faults(scaled_job(**spec), "1.34")[0]


def deployment(**spec: object) -> dict[str, Any]:
    labels = {"app": "gateway"}
    template = {"metadata": {"labels": labels}, "spec": copy.deepcopy(SAFE)}
    found = {"selector": {"matchLabels": labels}, "template": template, **spec}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "gateway"}, "spec": found}


def sound(**container: object) -> dict[str, Any]:
    found = deployment()
    own = {"volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}], "resources": {"limits": {"memory": "1Gi"}}}
    found["spec"]["template"]["spec"]["containers"][0].update({**own, **container})
    return found


@pytest.mark.parametrize(
    ("container", "named"),
    [
        ({"volumeMounts": []}, "tmp is mounted nowhere"),
        ({"volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}, {"name": "x", "mountPath": "/x"}]}, "no volume x"),
        ({"volumeMounts": [{"name": "tmp", "mountPath": "/a"}, {"name": "tmp", "mountPath": "/a"}]}, "/a given twice"),
        ({"env": [{"name": "TZ", "value": "UTC"}, {"name": "TZ", "value": "CET"}]}, "TZ given twice"),
        ({"livenessProbe": {"httpGet": {"path": "/livez", "port": "ops"}}}, "no port ops"),
        ({"resources": {}}, "limit of memory"),
        ({"resources": {"requests": {"memory": "1Gi"}, "limits": {"memory": "512Mi"}}}, "asks for 1Gi"),
        ({"resources": {"requests": {"cpu": 2}, "limits": {"memory": "1Gi", "cpu": "500m"}}}, "asks for 2"),
    ],
)
def test_pod_whose_parts_do_not_fit_is_named(container: dict[str, object], named: str) -> None:
    assert pods.faults(sound()) == []
    assert named in pods.faults(sound(**container))[0]


def test_name_that_is_too_long_is_named() -> None:
    assert "at most 63" in pods.faults({"kind": "Service", "metadata": {"name": "a" * 64}})[0]


def test_label_that_is_no_text_is_named() -> None:
    assert (
        "metadata.labels.tier" in pods.faults({"kind": "Service", "metadata": {"name": "a", "labels": {"tier": 1}}})[0]
    )


def test_object_that_selects_no_pod_is_named() -> None:
    lost = service(selector={"app": "gatewayz"})

    assert links.faults([deployment(), lost]) == ["Service/gateway: spec.selector selects no pod: {'app': 'gatewayz'}"]


def test_route_to_nowhere_is_named() -> None:
    route = {
        "kind": "HTTPRoute",
        "metadata": {"name": "r"},
        "spec": {"rules": [{"backendRefs": [{"name": "gateway", "port": 81}]}]},
    }

    assert links.faults([service(), route]) == ["HTTPRoute/r: leads to gateway:81, which is not there"]


def test_autoscaler_of_a_deployment_with_replicas_is_named() -> None:
    target = {"kind": "Deployment", "name": "gateway"}
    scaler = {"kind": "HorizontalPodAutoscaler", "metadata": {"name": "h"}, "spec": {"scaleTargetRef": target}}

    assert links.faults([deployment(), scaler]) == []
    assert "sets its own replicas" in links.faults([deployment(replicas=2), scaler])[0]


def test_secret_that_nobody_brings_is_named() -> None:
    needy = deployment()
    env = [{"name": "URL", "valueFrom": {"secretKeyRef": {"name": "urls", "key": "app"}}}]
    needy["spec"]["template"]["spec"]["containers"][0]["env"] = env

    assert "needs Secret urls" in links.faults([needy])[0]
    assert links.faults([needy], outside=["urls"]) == []


def test_name_given_twice_is_named() -> None:
    assert links.faults([service(), service()]) == ["Service/gateway: given 2 times"]


def test_golden_file_holds_no_secret_and_no_checksum() -> None:
    metadata = {"name": "keys", "annotations": {"checksum/keys": "12ab"}}
    secret = {"kind": "Secret", "metadata": metadata, "data": {"tls.key": "c2VjcmV0"}}

    (text,) = golden.parts([secret]).values()

    assert "c2VjcmV0" not in text
    assert "12ab" not in text
    assert "tls.key: <secret>" in text


def test_version_with_a_rendering_of_its_own_has_a_file_of_its_own() -> None:
    texts = {("minimal", "1.25"): {"Pod/a": "old\n"}, ("minimal", "1.34"): {"Pod/a": "new\n"}}

    found = {path.name: text for path, text in golden.files(texts, "1.34").items()}

    assert found.keys() == {"minimal.yaml", "minimal-1.25.yaml"}
    assert found["minimal-1.25.yaml"].endswith("old\n")


def test_golden_file_names_what_is_as_in_its_base() -> None:
    texts = {("minimal", "1.34"): {"Pod/a": "a\n", "Pod/b": "b\n"}, ("keda", "1.34"): {"Pod/a": "a\n", "Pod/c": "c\n"}}

    found = {path.name: text for path, text in golden.files(texts, "1.34").items()}

    assert found["keda.yaml"].endswith("# as in minimal: Pod/a\nc\n")
    assert found["minimal.yaml"].endswith("a\n---\nb\n")
