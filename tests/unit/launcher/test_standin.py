"""When the launcher starts the stand-in trainer, and what it tells the others of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.launcher.settings import PROCESSES, STANDIN, LauncherSettings


def settings(**environment: str) -> LauncherSettings:
    return LauncherSettings(Path("/nowhere"), environment)


def test_without_a_token_the_stand_in_runs_and_datasets_knows_of_it() -> None:
    given = settings(TONEWRIGHT_STANDIN_PORT="9999")

    environment = given.child_environment(3)

    assert given.processes() == (*PROCESSES, STANDIN)
    assert environment["TONEWRIGHT_DATASETS_REPLICATE_URL"] == "http://127.0.0.1:9999/v1"
    assert environment["TONEWRIGHT_DATASETS_REPLICATE_TOKEN"]


@pytest.mark.parametrize(
    "environment",
    [
        {"TONEWRIGHT_STANDIN": "off"},
        {"TONEWRIGHT_DATASETS_REPLICATE_TOKEN": "r8_x"},
        {"TONEWRIGHT_REPLICATE_TOKEN": "r8_x"},
    ],
)
def test_with_a_token_or_switched_off_it_does_not(environment: dict[str, str]) -> None:
    given = settings(**environment)

    assert given.processes() == PROCESSES
    assert "TONEWRIGHT_DATASETS_REPLICATE_URL" not in given.child_environment(3)
