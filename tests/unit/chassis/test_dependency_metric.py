from __future__ import annotations

import asyncio

import pytest
from prometheus_client import REGISTRY

from chassis.health import Health


def _up(dependency: str) -> float | None:
    return REGISTRY.get_sample_value("tonewright_chassis_dependency_up", {"dependency": dependency})


def test_a_check_counts_which_dependencies_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.health._REMEMBERED_S", -1.0)
    health, is_away = Health(), [True]

    def probe() -> None:
        if is_away[0]:
            raise OSError("away")

    health.add("drums", probe)
    health.add("bass", lambda: None)

    asyncio.run(health.check())
    assert (_up("drums"), _up("bass")) == (0, 1)
    is_away[0] = False
    asyncio.run(health.check())
    assert _up("drums") == 1
    health.close()
