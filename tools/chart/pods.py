"""Whether the parts of a pod fit together, and names and labels are ones that Kubernetes takes; no schema says so."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from tools.chart.render import Manifest
from tools.pod_security import pod_specs

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_LABEL = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_UNITS = {"": 1.0, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40}


def faults(manifest: Manifest) -> list[str]:
    """What is wrong with the object, each with its path."""
    found = []
    metadata = manifest["metadata"]
    if not _NAME.fullmatch(metadata["name"]):
        found.append(f"metadata.name: {metadata['name']} is no name of at most 63 small letters, digits and dashes")
    found += _label_faults(metadata.get("labels") or {})
    claims = [claim["metadata"]["name"] for claim in (manifest.get("spec") or {}).get("volumeClaimTemplates", ())]
    for spec in pod_specs(manifest):
        found += _pod_faults(spec, claims)
    return found


def _label_faults(labels: dict[str, Any]) -> Iterator[str]:
    for key, value in labels.items():
        if not isinstance(value, str) or not _LABEL.fullmatch(value):
            yield f"metadata.labels.{key}: {value!r} is no label"


def _pod_faults(spec: Any, claims: list[str]) -> Iterator[str]:
    containers = [*(spec.get("initContainers") or ()), *spec["containers"]]
    volumes = [*claims, *(volume["name"] for volume in spec.get("volumes") or ())]
    mounted = {mount["name"] for container in containers for mount in container.get("volumeMounts") or ()}
    yield from (f"volumes: {name} given twice" for name in _twice(volumes))
    yield from (f"volumes: {name} is mounted nowhere" for name in set(volumes) - mounted)
    yield from (f"volumeMounts: there is no volume {name}" for name in mounted - set(volumes))
    yield from (f"containers: {name} given twice" for name in _twice(one["name"] for one in containers))
    for container in containers:
        for fault in _container_faults(container):
            yield f"containers[{container['name']}].{fault}"


def _container_faults(container: Any) -> Iterator[str]:
    paths = [mount["mountPath"] for mount in container.get("volumeMounts") or ()]
    names = [variable["name"] for variable in container.get("env") or ()]
    yield from (f"volumeMounts: {path} given twice" for path in _twice(paths))
    yield from (f"env: {name} given twice" for name in _twice(names))
    yield from _probe_faults(container)
    yield from _resource_faults(container.get("resources") or {})


def _probe_faults(container: Any) -> Iterator[str]:
    ports = {port["name"] for port in container.get("ports") or ()}
    for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
        asked = (container.get(kind) or {}).get("httpGet", {}).get("port")
        if isinstance(asked, str) and asked not in ports:
            yield f"{kind}: there is no port {asked}"


def _resource_faults(resources: dict[str, Any]) -> Iterator[str]:
    limits = resources.get("limits") or {}
    if "memory" not in limits:
        yield "resources.limits: a pod without a limit of memory may take the node's"
    for name, asked in (resources.get("requests") or {}).items():
        if name in limits and _amount(asked) > _amount(limits[name]):
            yield f"resources: {name} asks for {asked} and may take {limits[name]}"


def _amount(text: object) -> float:
    number, unit = re.fullmatch(r"([0-9.]+)([A-Za-z]*)", str(text)).groups()  # type: ignore[union-attr]
    return float(number) * _UNITS[unit]


def _twice(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]
