"""Volumes of clusters without a provisioner: made once by hand, emptied and given back after each run."""

from __future__ import annotations

import json
from typing import Any

from tests.cluster.kube import Kube, until

# The platform's images have no shell tools.
_EMPTY = """
import pathlib, shutil
for path in pathlib.Path("/volumes").glob("*/*"):
    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
"""


def empty_volumes(kube: Kube, image: str) -> None:
    """Remove what is in the namespace's volumes that nobody else removes."""
    ours = {volume["spec"].get("claimRef", {}).get("name") for volume in _kept(kube)}
    claims = sorted({claim["metadata"]["name"] for claim in kube.list("persistentvolumeclaims")} & ours)
    if not claims:
        return
    places = [f"/volumes/{number}" for number in range(len(claims))]
    container = {
        "name": "empty",
        "image": image,
        "command": ["python", "-c", _EMPTY],
        "securityContext": {"runAsUser": 0},
        "volumeMounts": [{"name": f"v{number}", "mountPath": place} for number, place in enumerate(places)],
    }
    volumes = [
        {"name": f"v{number}", "persistentVolumeClaim": {"claimName": claim}} for number, claim in enumerate(claims)
    ]
    spec = {"restartPolicy": "Never", "containers": [container], "volumes": volumes}
    kube.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "empty"}, "spec": spec})
    until(
        lambda: kube.get("pod", "empty")["status"]["phase"] == "Succeeded", within_s=60, what="empty volumes", every_s=1
    )
    kube("delete", "pod", "empty", "--grace-period=1")


def free_volumes(kube: Kube) -> None:
    """Let claims have the volumes again whose claims are gone."""
    for volume in _kept(kube):
        if volume["status"]["phase"] in ("Bound", "Released"):
            patch = json.dumps([{"op": "remove", "path": "/spec/claimRef"}])
            kube("patch", "persistentvolume", volume["metadata"]["name"], "--type=json", f"--patch={patch}")


def _kept(kube: Kube) -> list[dict[str, Any]]:
    """Volumes that are folders of a node, claimed in the namespace."""
    volumes = kube.list("persistentvolumes")
    return [
        volume
        for volume in volumes
        if volume["spec"].get("hostPath")
        and volume["spec"].get("claimRef", {}).get("namespace") == kube.namespace
        and volume["spec"]["persistentVolumeReclaimPolicy"] == "Retain"
    ]
