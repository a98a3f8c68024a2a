"""What is left when the release has gone. Runs last."""

from __future__ import annotations

from tests.cluster.kube import until
from tests.cluster_house import RELEASE, ClusterHouse

# Of the tests themselves, not of the release.
OURS = {"pod/traffic", "configmap/traffic"}


def test_uninstall_leaves_nothing_but_declared_volumes(cluster: ClusterHouse) -> None:
    claims = {f"persistentvolumeclaim/{claim['metadata']['name']}" for claim in cluster.kube.list("pvc")}
    kept = cluster.baseline | OURS | claims

    cluster.helm("uninstall", RELEASE, "--wait", "--timeout", "120s")

    # Helm waits for what it deletes, not for the pods behind it.
    until(lambda: cluster.inventory() <= kept, within_s=90, what=lambda: sorted(cluster.inventory() - kept), every_s=2)
    assert claims, "development backends keep their data in volumes"
    assert {name.split("/")[0] for name in cluster.inventory() - cluster.baseline - OURS} <= {"persistentvolumeclaim"}
