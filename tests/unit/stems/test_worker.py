"""What a worker process finds out about the machine that it runs on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from services.stems.domain import ModelUnusable
from services.stems.worker import Worker, memory_budget, own_folder, slots_within

GIB, MIB = 1 << 30, 1 << 20


@pytest.mark.parametrize(
    ("files", "budget"),
    [
        (["1073741824\n", "2147483648\n"], 3 * GIB // 4),
        (["max\n", "1073741824\n"], 3 * GIB // 4),
        ([None, "1073741824\n"], 3 * GIB // 4),
    ],
)
def test_the_budget_follows_the_containers_limit(tmp_path: Path, files: list[str | None], budget: int) -> None:
    limits = [tmp_path / str(number) for number in range(len(files))]
    for path, text in zip(limits, files, strict=True):
        path.write_text(text) if text else None

    assert memory_budget(0, limits) == budget


def test_without_a_limit_the_budget_is_a_part_of_the_machine(tmp_path: Path) -> None:
    (tmp_path / "1").write_text("9223372036854771712\n")  # what version 1 writes for none
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")

    assert memory_budget(0, [tmp_path / "1"]) == machine // 2 * 3 // 4


def test_what_the_operator_declares_counts(tmp_path: Path) -> None:
    (tmp_path / "1").write_text("1073741824")

    assert memory_budget(GIB // 2, [tmp_path / "1"]) == GIB // 2


@pytest.mark.parametrize(("budget", "slots"), [(8 * GIB, 4), (500 * MIB, 2), (10, 1)])
def test_the_stub_runs_no_more_jobs_than_fit(budget: int, slots: int) -> None:
    assert slots_within(4, budget, 120 * MIB) == slots


def test_files_of_workers_that_are_gone_are_removed(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    for name in (str(gone.pid), str(os.getppid()), "something"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mix.f32").write_bytes(b"1234")

    mine = own_folder(tmp_path)

    assert mine == tmp_path / str(os.getpid())
    assert {path.name for path in tmp_path.iterdir()} == {mine.name, str(os.getppid()), "something"}
    assert not list(mine.iterdir())


class Card:
    """An engine whose device may be lost."""

    is_broken = False
    is_closed = False

    def close(self) -> None:
        self.is_closed = True


class NoJobs:
    """A runner without work."""

    def start(self) -> None: ...

    def stop(self, grace_s: float) -> None: ...


def test_a_worker_whose_device_is_lost_asks_for_its_end() -> None:
    card, asked = Card(), threading.Event()
    worker = Worker(NoJobs(), [object(), card], asked.set)  # type: ignore[arg-type]
    worker.start()
    worker.check()

    card.is_broken = True

    with pytest.raises(ModelUnusable):
        worker.check()
    assert asked.wait(10)
    worker.stop(0)
    assert card.is_closed


_WITHOUT_TORCH = """
import sys
sys.modules.update(dict.fromkeys(("torch", "demucs", "openvino")))
from services.stems import main
from services.stems.settings import StemsSettings
settings = StemsSettings(engine="demucs", home=sys.argv[1])
print(main._catalogue(settings, main._mounted(settings)).find("").id)
"""


def test_the_api_shows_models_without_torch(tmp_path: Path) -> None:
    kwargs = {"sources": ["vocals", "other"], "samplerate": 44100}
    metadata = {"klass": "demucs.htdemucs.HTDemucs", "args": "[]", "kwargs": json.dumps(kwargs)}
    header = json.dumps({"__metadata__": metadata}).encode()
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "tiny.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)

    asked = [sys.executable, "-c", _WITHOUT_TORCH, str(tmp_path)]
    said = subprocess.run(asked, capture_output=True, text=True, check=True)

    assert said.stdout.strip() == "tiny"
