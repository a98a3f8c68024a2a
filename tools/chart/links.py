"""Whether the objects of one rendering fit together: what one names, another is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any

from tools.chart.render import Manifest
from tools.pod_security import pod_specs

_ENV_SOURCES = {
    "secretKeyRef": "Secret",
    "secretRef": "Secret",
    "configMapKeyRef": "ConfigMap",
    "configMapRef": "ConfigMap",
}
_VOLUME_SOURCES = {
    "configMap": ("ConfigMap", "name"),
    "secret": ("Secret", "secretName"),
    "persistentVolumeClaim": ("PersistentVolumeClaim", "claimName"),
}
_MONITORS = {"ServiceMonitor": "endpoints", "PodMonitor": "podMetricsEndpoints"}


def faults(manifests: list[Manifest], *, outside: Collection[str] = ()) -> list[str]:
    """References that lead nowhere and names given twice.

    Args:
        manifests: All objects of one rendering.
        outside: Names of Secrets, ConfigMaps, claims and priority classes that the operator brings.
    """
    names = Counter((item["kind"], item["metadata"]["name"]) for item in manifests)
    found = [f"{kind}/{name}: given {count} times" for (kind, name), count in names.items() if count > 1]
    for item in manifests:
        where = f"{item['kind']}/{item['metadata']['name']}"
        problems = [*_selected(item, manifests), *_targets(item, manifests), *_brought(item, manifests, outside)]
        found += [f"{where}: {problem}" for problem in problems]
    return found


def pod_labels(manifest: Manifest) -> list[dict[str, str]]:
    """Labels of the pods that an object is or makes."""
    if not pod_specs(manifest):
        return []
    spec = manifest["spec"].get("jobTargetRef", manifest.get("spec"))
    meta = manifest["metadata"] if manifest["kind"] == "Pod" else spec["template"]["metadata"]
    return [meta.get("labels") or {}]


def is_selected(selector: dict[str, str], labels: dict[str, str]) -> bool:
    """Whether labels carry all that the selector asks for."""
    return selector.items() <= labels.items()


def _selected(item: Manifest, manifests: list[Manifest]) -> Iterator[str]:
    labels = [labels for other in manifests for labels in pod_labels(other)]
    for path, selector in _pod_selectors(item):
        if not any(is_selected(selector, one) for one in labels):
            yield f"{path} selects no pod: {selector}"


def _pod_selectors(item: Manifest) -> Iterator[tuple[str, dict[str, str]]]:
    kind, spec = item["kind"], item.get("spec") or {}
    if kind == "Service" and spec.get("selector"):
        yield "spec.selector", spec["selector"]
    if kind in ("Deployment", "StatefulSet", "PodDisruptionBudget", "PodMonitor"):
        yield "spec.selector", spec["selector"]["matchLabels"]
    if kind == "NetworkPolicy":
        yield "spec.podSelector", spec["podSelector"]["matchLabels"]


def _targets(item: Manifest, manifests: list[Manifest]) -> Iterator[str]:
    kind, spec = item["kind"], item.get("spec") or {}
    services = {one["metadata"]["name"]: one for one in manifests if one["kind"] == "Service"}
    if kind == "HorizontalPodAutoscaler":
        yield from _scaled(spec["scaleTargetRef"], manifests)
    if kind in _MONITORS:
        ports = {endpoint["port"] for endpoint in spec[_MONITORS[kind]]}
        offered = _offered(kind, spec["selector"]["matchLabels"], manifests)
        yield from (f"scrapes port {port}, which nothing offers" for port in ports - offered)
    for name, port in _backends(item):
        numbers = [offer["port"] for offer in services[name]["spec"]["ports"]] if name in services else []
        if port not in numbers:
            yield f"leads to {name}:{port}, which is not there"


def _scaled(target: dict[str, str], manifests: list[Manifest]) -> Iterator[str]:
    found = [one for one in manifests if (one["kind"], one["metadata"]["name"]) == (target["kind"], target["name"])]
    if not found:
        yield f"scales {target['name']}, which is not there"
    for one in found:
        if "replicas" in one["spec"]:
            yield f"scales {target['name']}, which sets its own replicas"


def _offered(kind: str, selector: dict[str, str], manifests: list[Manifest]) -> set[str]:
    if kind == "ServiceMonitor":
        services = [one for one in manifests if one["kind"] == "Service"]
        chosen = [one for one in services if is_selected(selector, one["metadata"].get("labels") or {})]
        return {port["name"] for one in chosen for port in one["spec"]["ports"]}
    chosen = [one for one in manifests if any(is_selected(selector, labels) for labels in pod_labels(one))]
    containers = [container for one in chosen for spec in pod_specs(one) for container in spec["containers"]]
    return {port["name"] for container in containers for port in container.get("ports", ())}


def _backends(item: Manifest) -> Iterator[tuple[str, int]]:
    for rule in (item.get("spec") or {}).get("rules", ()) if item["kind"] in ("Ingress", "HTTPRoute") else ():
        for path in rule.get("http", {}).get("paths", ()):
            service = path["backend"]["service"]
            yield service["name"], service["port"]["number"]
        for backend in rule.get("backendRefs", ()):
            yield backend["name"], backend["port"]


def _brought(item: Manifest, manifests: list[Manifest], outside: Collection[str]) -> Iterator[str]:
    there = {(one["kind"], one["metadata"]["name"]) for one in manifests}
    for spec in pod_specs(item):
        for kind, name in _references(spec):
            if (kind, name) not in there and name not in outside and name != "default":
                yield f"needs {kind} {name}, which neither the chart nor the scenario brings"


def _references(spec: Any) -> Iterator[tuple[str, str]]:
    for key, kind in (("serviceAccountName", "ServiceAccount"), ("priorityClassName", "PriorityClass")):
        if spec.get(key):
            yield kind, spec[key]
    for credentials in spec.get("imagePullSecrets") or ():
        yield "Secret", credentials["name"]
    for claim in spec.get("resourceClaims") or ():
        yield "ResourceClaimTemplate", claim["resourceClaimTemplateName"]
    for volume in spec.get("volumes") or ():
        for source in (volume, *volume.get("projected", {}).get("sources", ())):
            yield from _volume_references(source)
    for container in [*(spec.get("initContainers") or ()), *spec["containers"]]:
        yield from _env_references(container)


def _env_references(container: Any) -> Iterator[tuple[str, str]]:
    values = [variable.get("valueFrom") or {} for variable in container.get("env") or ()]
    for source in [*values, *(container.get("envFrom") or ())]:
        for key in _ENV_SOURCES.keys() & source.keys():
            if not source[key].get("optional"):
                yield _ENV_SOURCES[key], source[key]["name"]


def _volume_references(volume: Any) -> Iterator[tuple[str, str]]:
    for key, (kind, field) in _VOLUME_SOURCES.items():
        source = volume.get(key)
        if source and not source.get("optional"):
            yield kind, source.get(field) or source["name"]
