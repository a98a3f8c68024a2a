"""The chart rendered for one test: each test names a scenario of deploy/helm/tonewright/ci and what it sets besides."""

from __future__ import annotations

import functools
from typing import Any

from services.launcher.settings import PROCESSES
from tools.chart.render import CUSTOM_KINDS, Manifest, render, scenarios
from tools.pod_security import pod_specs

LATEST = "1.34"
COMPONENTS = tuple(spec.name for spec in PROCESSES)


@functools.cache
def rendered(scenario: str, *settings: str, version: str = LATEST, release: str = "tonewright") -> tuple[Manifest, ...]:
    """The objects of a scenario with `--set` settings; read them, never change them."""
    return tuple(render(scenarios()[scenario], version, settings=settings, release=release))


def without(kind: str) -> tuple[str, ...]:
    """The kinds of other projects that a cluster has when one of them is missing."""
    return tuple(name for name in CUSTOM_KINDS if not name.endswith(f"/{kind}"))


def named(manifests: tuple[Manifest, ...], kind: str, name: str) -> Manifest:
    """The object of that kind and name."""
    (found,) = (one for one in manifests if one["kind"] == kind and one["metadata"]["name"] == name)
    return found


def names(manifests: tuple[Manifest, ...], kind: str) -> set[str]:
    """Names of all objects of a kind."""
    return {one["metadata"]["name"] for one in manifests if one["kind"] == kind}


def pod(manifests: tuple[Manifest, ...], component: str) -> dict[str, Any]:
    """The pod's spec of a component's Deployment."""
    (spec,) = pod_specs(named(manifests, "Deployment", f"tonewright-{component}"))
    return dict(spec)


def container(manifests: tuple[Manifest, ...], component: str) -> dict[str, Any]:
    """The one container of a component's Deployment."""
    (found,) = pod(manifests, component)["containers"]
    return dict(found)


def component_of(manifest: Manifest) -> str:
    """The component that an object says it belongs to."""
    return str((manifest["metadata"].get("labels") or {}).get("app.kubernetes.io/component"))
