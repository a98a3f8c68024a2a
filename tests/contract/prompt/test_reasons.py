"""Reasons of the Live Set reader that no file alone leads to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.prompt.alsfile import reader as module
from services.prompt.alsfile.reader import LiveSetReader
from services.prompt.domain.live_sets import LiveSetReaderBusy, LiveSetUnreadable
from tests.material.live_set import live_set_bytes

WHOLE = live_set_bytes()


def test_a_file_that_finds_every_reader_at_work_is_told_to_come_back() -> None:
    reader = LiveSetReader(slots=1, wait_s=0.01)
    refusals: list[LiveSetReaderBusy] = []

    def pieces() -> Iterator[bytes]:
        with pytest.raises(LiveSetReaderBusy, match="busy") as refusal:
            reader.read([WHOLE])
        refusals.append(refusal.value)
        yield WHOLE

    read = reader.read(pieces())

    assert read.size_bytes == len(WHOLE)
    assert [refusal.retry_after_s for refusal in refusals] == [5]


def test_a_file_that_ends_its_reader_is_refused_and_the_next_one_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = LiveSetReader(slots=1)

    with monkeypatch.context() as broken:
        broken.setattr(module, "_PROGRAM", "import os; os.abort()")
        with pytest.raises(LiveSetUnreadable, match="save it again"):
            reader.read([WHOLE])

    assert reader.read([WHOLE]).size_bytes == len(WHOLE)
