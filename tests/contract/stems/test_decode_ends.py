"""A decode that nobody waits for ends."""

from __future__ import annotations

import errno
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from services.stems.audio import AudioFiles
from services.stems.domain import SeparationInputTooLong, SourceAsset

ASSET = SourceAsset("artists/nova/assets/a", "key", "audio/wav", 1000, 1000, 44100, 2, "0" * 64)


def test_a_decode_ends_when_its_folder_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    os.mkfifo(folder / "source")
    before = set(psutil.Process().children())

    with ThreadPoolExecutor(1) as threads:
        decoding = threads.submit(AudioFiles().decode, folder / "source", folder / "mix.f32", ASSET)
        end = _writing_end(folder / "source")  # nothing is written: reading lasts until it is closed
        shutil.rmtree(folder, ignore_errors=True)
        with pytest.raises(SeparationInputTooLong):
            decoding.result(timeout=60)
    os.close(end)

    assert set(psutil.Process().children()) <= before
    assert not folder.exists()


def _writing_end(pipe: Path) -> int:
    """The pipe, open for writing, once somebody reads it."""
    while True:
        try:
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            time.sleep(0.01)
