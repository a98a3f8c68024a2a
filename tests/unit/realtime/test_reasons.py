"""Reasons that no other test of the service takes account of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from chassis.testing import caller_for
from services.realtime.audio import LoopLoader
from services.realtime.domain.performance import SourceTooShort, SourceUnreadable
from services.realtime.domain.ports import Request
from services.realtime.use_cases.performances import NewPerformance
from tests.reasons_plugin import note_shown
from tests.unit.realtime.test_connection import talk
from tests.unit.realtime.world import PIECE, World


async def test_a_message_that_cannot_be_read_is_refused_with_its_reason(world: World) -> None:
    socket = await talk(world, "not json")

    refusal = socket.texts[-1]
    note_shown(refusal["reason"], service="realtime")
    assert (refusal["type"], refusal["of"], refusal["reason"]) == ("error", 0, "MESSAGE_INVALID")


def test_a_recording_shorter_than_a_fifth_of_a_second_starts_no_performance(world: World) -> None:
    world.assets.known[PIECE] = replace(world.assets.known[PIECE], frames=9_000)

    with pytest.raises(SourceTooShort, match=r"lasts 0\.188 s"):
        world.use_cases.create(caller_for("nova"), NewPerformance(asset=PIECE), Request("ada", "Create", "", b""))


def test_a_file_shorter_than_its_asset_says_is_no_loop(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "short.wav", np.zeros((4_000, 2)), 48_000)

    with pytest.raises(SourceTooShort, match=r"0\.2 s or more"):
        LoopLoader().load(tmp_path / "short.wav", limit_s=240)


def test_a_file_that_is_no_audio_is_no_loop(tmp_path: Path) -> None:
    (tmp_path / "notes.wav").write_text("text renamed to .wav")

    with pytest.raises(SourceUnreadable, match=r"text, not audio; upload WAV"):
        LoopLoader().load(tmp_path / "notes.wav", limit_s=240)
