"""Hundreds of damaged files: each ends as a recording or as an error by name, and harms nothing else."""

from __future__ import annotations

import collections
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from audiofiles.bounded import Bounds, call_bounded
from chassis.errors import InvalidArgument
from services.sessions.probe.prober import ChildProber
from services.stems.audio import AudioFiles
from services.stems.domain import SourceAsset
from tests.material.mutated import Mutant, mutants, sound_files

# Far more than any of them needs, on a machine that has other things to do.
_EACH_S = 30.0
_AT_ONCE = 2


def decode(mutant: Mutant, folder: Path) -> str:
    """What the stems service makes of it, as if its asset told the truth as far as the file tells any."""
    (folder / "source").write_bytes(mutant.data)
    asset = SourceAsset("artists/a/assets/1", "key", "audio/wav", len(mutant.data), 19_200, 48_000, 2, "0" * 64)
    AudioFiles(decode_timeout_s=_EACH_S).decode(folder / "source", folder / "mix.f32", asset)
    assert (folder / "mix.f32").stat().st_size == 19_200 * 8
    return "decoded"


def measure(mutant: Mutant, folder: Path) -> str:
    """What the sessions service makes of it."""
    (folder / "audio").write_bytes(mutant.data)
    found = ChildProber().measure(folder / "audio", folder / "peaks")
    assert found.frames > 0
    return "measured"


def endings(handle: Callable[[Mutant, Path], str], some: Sequence[Mutant], tmp_path: Path) -> collections.Counter[str]:
    """How each of them ends, by reason."""

    def end_of(numbered: tuple[int, Mutant]) -> str:
        folder = tmp_path / str(numbered[0])
        folder.mkdir()
        began_s = time.monotonic()
        try:
            ending = handle(numbered[1], folder)
        except InvalidArgument as error:
            ending = error.REASON
        assert time.monotonic() - began_s < _EACH_S, numbered[1].name
        return ending

    with ThreadPoolExecutor(_AT_ONCE) as threads:
        return collections.Counter(threads.map(end_of, enumerate(some)))


def read_all(folder: str) -> dict[str, int]:
    """How the decoder ends with each file of the folder, by reason; called in a process of its own."""
    from audiofiles.faults import Unfit
    from audiofiles.raw import decode_to_raw

    ends: collections.Counter[str] = collections.Counter()
    for file in sorted(Path(folder).iterdir()):
        try:
            decode_to_raw(str(file), str(Path(folder).with_name("out")), max_frames=10_000_000)
            ends["decoded"] += 1
        except Unfit as fault:
            ends[fault.reason] += 1
    return dict(ends)


def test_there_are_more_than_300_and_always_the_same() -> None:
    first = [mutant.data for mutant in mutants()]
    mutants.cache_clear()
    sound_files.cache_clear()

    assert len(first) >= 300
    assert [mutant.data for mutant in mutants()] == first


def test_undamaged_files_of_every_format_are_decoded(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    for name, data in sound_files().items():
        (tmp_path / "files" / name).write_bytes(data)

    assert read_all(str(tmp_path / "files")) == {"decoded": len(sound_files())}


def test_one_process_outlives_all_of_them(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    for number, mutant in enumerate(mutants()):
        (tmp_path / "files" / str(number)).write_bytes(mutant.data)

    bounds = Bounds(timeout_s=60, memory_bytes=2 << 30, written_bytes=1 << 30)
    ends: dict[str, Any] = call_bounded(f"{__name__}:read_all", {"folder": str(tmp_path / "files")}, bounds, tmp_path)

    assert sum(ends.values()) == len(mutants())
    assert set(ends) <= {"decoded", "AUDIO_TRUNCATED", "AUDIO_UNREADABLE", "UNSUPPORTED_MEDIA", "AUDIO_NOT_FINITE"}
    assert ends["AUDIO_TRUNCATED"] > 100


@pytest.mark.parametrize("handle", [decode, measure])
def test_a_sample_ends_as_a_result_or_an_error_by_name(handle: Callable[[Mutant, Path], str], tmp_path: Path) -> None:
    some = mutants()[:10]

    assert sum(endings(handle, some, tmp_path).values()) == len(some)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("handle", [decode, measure])
def test_each_ends_as_a_result_or_an_error_by_name(
    handle: Callable[[Mutant, Path], str], tmp_path: Path, figures: Callable[..., None]
) -> None:
    ends = endings(handle, mutants(), tmp_path)

    figures(files=len(mutants()), **ends)
    assert sum(ends.values()) == len(mutants())
