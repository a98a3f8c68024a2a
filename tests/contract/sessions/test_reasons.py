"""Reasons of the prober that reach the service from its child process."""

from __future__ import annotations

import pytest

from services.sessions.domain.errors import AudioTooLong, AudioTruncated
from services.sessions.probe.prober import Bounds, ChildProber
from tests.contract.sessions.test_prober import measure
from tests.material import audio


def test_a_recording_over_the_limit_is_refused_with_both_lengths() -> None:
    with pytest.raises(AudioTooLong, match="cut it into parts") as refusal:
        measure(ChildProber(Bounds(max_duration_s=1)), audio.wav(1.5))

    assert refusal.value.metadata == {"duration_s": "2", "limit_s": "1"}


def test_a_recording_that_ends_early_is_refused() -> None:
    with pytest.raises(AudioTruncated):
        measure(ChildProber(), audio.wav(1.0)[:-10_000])
