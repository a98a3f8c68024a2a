"""Options as `name=value` are checked against the names and kinds that there are."""

from __future__ import annotations

import pytest

from tonewright_client.assignments import AssignmentInvalid, assigned
from tonewright_client.exports import ExportChoices
from tonewright_client.trainings import TrainingInputs


def test_values_have_the_kinds_of_their_fields() -> None:
    pairs = ["cut=true", "audio-mode=normalised", "rate_hz=32000", "loudness_lufs=-14.5", "trigger= in my style "]

    assert assigned(pairs, ExportChoices) == {
        "cut": True,
        "audio_mode": "NORMALISED",
        "rate_hz": 32_000,
        "loudness_lufs": -14.5,
        "trigger": "in my style",
    }


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ("epoch=3", "one of: model_version, epochs"),
        ("epochs", "NAME=VALUE"),
        ("epochs=many", "epochs is a number"),
        ("drop_vocals=perhaps", "true or false"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(pair: str, message: str) -> None:
    with pytest.raises(AssignmentInvalid, match=message):
        assigned([pair], TrainingInputs)


def test_a_word_that_is_no_choice_is_refused() -> None:
    with pytest.raises(AssignmentInvalid, match="AS_NEEDED, NORMALISED"):
        assigned(["audio_mode=loud"], ExportChoices)
