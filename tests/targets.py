"""Where tests run: on processes of their own, or on a cluster."""

from __future__ import annotations

import pytest

LOCAL_TARGETS = ("embedded", "backends")
CLUSTER_TARGETS = ("cluster", "kind")
TARGETS = LOCAL_TARGETS + CLUSTER_TARGETS


def chosen(config: pytest.Config) -> list[str]:
    """The targets of this run."""
    targets = str(config.getoption("--target")).split(",")
    if unknown := set(targets) - set(TARGETS):
        raise pytest.UsageError(f"--target {', '.join(sorted(unknown))}: choose from {', '.join(TARGETS)}")
    return targets


def is_local(config: pytest.Config) -> bool:
    """Whether tests with processes of their own run."""
    return not set(LOCAL_TARGETS).isdisjoint(chosen(config))


def is_on_cluster(config: pytest.Config) -> bool:
    """Whether tests on a cluster run."""
    return not set(CLUSTER_TARGETS).isdisjoint(chosen(config))
