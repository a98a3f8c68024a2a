"""Long recordings: memory stays under the declared budget, and odd rates end in ordinary time."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
import psutil
import pytest
import soundfile

from chassis.objects import open_store
from tests.integration.stems_house import PARENT, StemsHouse
from tonewright.assets.v1 import assets_pb2 as assets
from tonewright.operations.v1 import operations_pb2 as operations
from tonewright.stems.v1 import stems_pb2 as pb

pytestmark = pytest.mark.usefixtures("as_ada")

MIB = 1 << 20
HOUR_S = 3600


@dataclass(frozen=True)
class Case:
    """A recording, what separates it and the memory that this may take."""

    engine: str
    duration_s: int
    rate_hz: int
    budget_bytes: int
    within_s: float = 3000


class Watch:
    """The largest resident size of a process and its children together."""

    def __init__(self, pid: int, every_s: float = 0.1) -> None:
        self._process, self._every_s = psutil.Process(pid), every_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.peak_bytes = self.alone_bytes = 0
        self._thread.start()

    def stop(self) -> int:
        self._ended.set()
        self._thread.join()
        return self.peak_bytes

    def _look(self) -> None:
        while not self._ended.wait(self._every_s):
            try:
                own = self._process.memory_info().rss
            except psutil.NoSuchProcess:
                return
            self.alone_bytes = max(self.alone_bytes, own)
            self.peak_bytes = max(self.peak_bytes, own + sum(self._sizes_of_children()))

    def _sizes_of_children(self) -> Iterator[int]:
        for child in self._process.children(recursive=True):
            try:
                yield child.memory_info().rss
            except psutil.NoSuchProcess:
                continue


def minute(rate_hz: int, number: int) -> npt.NDArray[np.float32]:
    """A minute of something like music, other each time: beats, a bass, a voice in the middle, noise at the sides."""
    draw = np.random.default_rng(number)
    at_s = np.arange(60 * rate_hz) / rate_hz
    beat = np.exp(-30 * (at_s % 0.5)) * draw.standard_normal(len(at_s))
    bass = np.sin(2 * np.pi * (55 + number % 7) * at_s)
    voice = np.sin(2 * np.pi * 440 * at_s + 3 * np.sin(2 * np.pi * 5 * at_s))
    middle = 0.1 * beat + 0.1 * bass + 0.05 * voice
    sides = 0.001 * draw.standard_normal((len(at_s), 2))
    frames: npt.NDArray[np.float32] = (middle[:, None] + sides).astype(np.float32)
    return frames


def record(path: Path, duration_s: int, rate_hz: int) -> Path:
    """Two channels of 16 bits, written minute by minute; after five the first comes again."""
    minutes = [minute(rate_hz, number) for number in range(min(5, duration_s // 60))]
    with soundfile.SoundFile(path, "w", rate_hz, 2, format="RF64", subtype="PCM_16") as file:
        for number in range(duration_s // 60):
            file.write(minutes[number % 5])
    return path


def save_model(folder: Path, rate_hz: int) -> None:
    """An htdemucs with random weights, small enough for hours of audio."""
    torch = pytest.importorskip("torch", reason="torch and demucs are not installed: make setup-demucs")
    htdemucs = pytest.importorskip("demucs.htdemucs", reason="torch and demucs are not installed: make setup-demucs")
    from safetensors.torch import save_file

    kwargs = {"sources": ["drums", "bass", "other", "vocals"], "channels": 4, "dconv_comp": 2, "t_layers": 1}
    kwargs |= {"t_heads": 2, "bottom_channels": 16, "samplerate": rate_hz}
    torch.manual_seed(0)
    network = htdemucs.HTDemucs(**kwargs, segment=Fraction(39, 5))
    segment = {"_type": "fraction", "numerator": 39, "denominator": 5}
    metadata = {"klass": "demucs.htdemucs.HTDemucs", "args": "[]", "kwargs": json.dumps({**kwargs, "segment": segment})}
    folder.mkdir(parents=True)
    save_file(network.state_dict(), folder / "tiny.safetensors", metadata=metadata)


@contextmanager
def house_for(case: Case, home: Path) -> Iterator[StemsHouse]:
    """The services; nothing of them is left on disk, whatever happens: it would be tens of gigabytes."""
    if case.engine == "demucs":
        save_model(home / "models", case.rate_hz)
    environment = {
        "TONEWRIGHT_STEMS_ENGINE": case.engine,
        "TONEWRIGHT_STEMS_DEVICE": "cpu",
        "TONEWRIGHT_STEMS_MEMORY_BUDGET_BYTES": str(case.budget_bytes),
    }
    try:
        with StemsHouse(home, environment).running() as running:
            yield running
    finally:
        shutil.rmtree(home, ignore_errors=True)


def upload(house: StemsHouse, path: Path) -> str:
    """The asset that holds this file."""
    upload = house.assets.CreateUpload(assets.CreateUploadRequest(parent=PARENT, size_bytes=path.stat().st_size))
    open_store(f"file://{house.home}/objects").put(upload.object_key, path)
    made = house.assets.CompleteUpload(assets.CompleteUploadRequest(name=upload.name), timeout=600)
    return str(made.name)


def ended(house: StemsHouse, name: str, within_s: float) -> pb.Separation:
    """The separation once it has ended."""
    deadline = time.monotonic() + within_s
    while True:
        found: pb.Separation = house.stems.GetSeparation(pb.GetSeparationRequest(name=name))
        if found.state not in (operations.STATE_QUEUED, operations.STATE_RUNNING):
            return found
        assert time.monotonic() < deadline, house.logs()
        time.sleep(0.5)


def worst_difference(house: StemsHouse, mix: Path, stems: list[str], gain: float) -> float:
    """How far the stems' sum is from the mix at most, read minute by minute."""
    store = open_store(f"file://{house.home}/objects")
    files, worst = [], 0.0
    for number, stem in enumerate(stems):
        path = house.home / f"{number}.flac"
        store.fetch(house.assets.GetAsset(assets.GetAssetRequest(name=stem)).blob_key, path)
        files.append(soundfile.SoundFile(path))
    with soundfile.SoundFile(mix) as source:
        assert {file.frames for file in files} == {source.frames}
        for block in source.blocks(60 * source.samplerate, dtype="float64"):
            total = sum(file.read(len(block)) for file in files)
            worst = max(worst, float(np.abs(total / gain - block).max()))
    for file in files:
        file.close()
    return worst


def separated_within_budget(case: Case, home: Path) -> None:
    """A recording goes through; the worker stays under its budget, and what the stub gives sums to the mix."""
    with house_for(case, home) as house:
        mix = record(home / "mix.wav", case.duration_s, case.rate_hz)
        source = upload(house, mix)
        worker = house.start_worker()
        watch = Watch(worker.pid, every_s=min(1.0, case.duration_s / 6000))
        began_s = time.monotonic()
        done = ended(house, house.separate(source), case.within_s)
        took_s = time.monotonic() - began_s
        peak = watch.stop()
        spent_s = sum(psutil.Process(worker.pid).cpu_times()[:2])

        facts = f"{case.engine}, {case.duration_s} s at {case.rate_hz} Hz: peak {peak / MIB:.0f} MiB "
        facts += f"(worker alone {watch.alone_bytes / MIB:.0f} MiB) of {case.budget_bytes / MIB:.0f} MiB, "
        facts += (
            f"{took_s:.0f} s of wall, {spent_s:.0f} s of processor time, real-time factor {done.real_time_factor:.4f}"
        )
        print(facts)
        assert done.state == operations.STATE_SUCCEEDED, (done.error_message, house.logs())
        assert peak < case.budget_bytes, facts
        stems = [stem.asset for stem in done.stems]
        gain = 10 ** (done.output_gain_db / 20)
        assert len(stems) == 4
        assert case.engine == "demucs" or worst_difference(house, mix, stems, gain) <= 1e-6
        assert not [path for path in (home / "work" / "stems").rglob("*") if path.is_file()]


def test_ten_minutes_stay_under_the_budget(tmp_path: Path) -> None:
    # The mix has 37 MiB as float32 and its four stems 146 more: a worker that held them would not.
    separated_within_budget(Case("stub", 10 * 60, 8000, 220 * MIB, 90), tmp_path / "house")


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    "case",
    [
        Case("stub", 3 * HOUR_S, 44_100, 300 * MIB),
        Case("demucs", 3 * HOUR_S, 8000, 1200 * MIB),
    ],
    ids=["stub", "demucs"],
)
def test_three_hours_stay_under_the_budget(case: Case, tmp_path: Path) -> None:
    separated_within_budget(case, tmp_path / "house")


@pytest.mark.long
def test_44101_hz_end_in_ordinary_time(tmp_path: Path) -> None:
    case = Case("demucs", 0, 44_100, 1500 * MIB, 60)
    with house_for(case, tmp_path / "house") as house:
        frames = minute(44_100, 0)[: 10 * 44_100]
        sources = [house.upload(frames, rate_hz) for rate_hz in (44_101, 44_100)]
        watch = Watch(house.start_worker().pid)
        done = [ended(house, house.separate(source), case.within_s) for source in sources]
        peak = watch.stop()
        lengths = [house.download(stem.asset).shape for stem in done[0].stems]

    assert [separation.state for separation in done] == [operations.STATE_SUCCEEDED] * 2
    assert lengths == [frames.shape] * 4
    assert peak < case.budget_bytes
