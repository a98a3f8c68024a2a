"""The release on a real cluster: installed once, used by journeys and by the cluster's own tests, in a fixed order."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

import pytest

from tests.cluster_house import ClusterHouse
from tests.targets import CLUSTER_TARGETS, is_local, is_on_cluster

# What changes or ends the release comes after what uses it as it is.
ORDER = (
    "tests/cluster/test_install.py",
    "tests/integration/",
    "tests/cluster/test_scaling.py",
    "tests/cluster/test_upgrade.py",
    "tests/cluster/test_pod_deletion.py",
    "tests/cluster/test_broken_upgrade.py",
    # Looks at every pod that there was, the hooks of upgrades among them.
    "tests/cluster/test_security.py",
    "tests/cluster/test_uninstall.py",
)
# The first test installs the release.
INSTALL_TIMEOUT_S = 480
_STATES_TOLD = 2
_told: list[str] = []


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what does not apply to the targets, and put the cluster's tests in their order."""
    on_cluster = is_on_cluster(config)
    left = [item for item in items if not _applies(item, on_cluster=on_cluster, locally=is_local(config))]
    config.hook.pytest_deselected(items=left)
    kept = [item for item in items if item not in set(left)]
    for item in kept:
        if on_cluster and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(INSTALL_TIMEOUT_S))
    items[:] = sorted(kept, key=_place) if on_cluster else kept


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterHouse]:
    """The installed release."""
    house = ClusterHouse(tmp_path_factory.mktemp("cluster"))
    try:
        try:
            house.open()
        except AssertionError as fault:
            pytest.exit(f"the release could not be installed: {fault}\n{house.state()}", returncode=1)
        yield house
    finally:
        house.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell the state of the cluster beside the first failures on it."""
    report = yield
    house = getattr(item, "funcargs", {}).get("cluster") or getattr(item, "funcargs", {}).get("house")
    if report.failed and isinstance(house, ClusterHouse) and len(_told) < _STATES_TOLD:
        _told.append(item.nodeid)
        report.sections.append(("cluster", house.state()))
    return report


def _applies(item: pytest.Item, *, on_cluster: bool, locally: bool) -> bool:
    if item.nodeid.startswith("tests/cluster/"):
        return on_cluster
    if not item.nodeid.startswith("tests/integration/"):
        return True
    callspec = getattr(item, "callspec", None)
    target = callspec.params.get("house") if callspec else None
    return target in CLUSTER_TARGETS or locally


def _place(item: pytest.Item) -> int:
    places = (place for place, prefix in enumerate(ORDER) if item.nodeid.startswith(prefix))
    return next(places, -1)
