"""A separation through real processes, with each engine."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from chassis.errors import NotFound
from tests.integration.stems_house import PARENT, StemsHouse
from tonewright.assets.v1 import assets_pb2 as assets
from tonewright.operations.v1 import operations_pb2 as operations
from tonewright.stems.v1 import stems_pb2 as stems


def noise(duration_s: float, seed: int = 1) -> npt.NDArray[np.float32]:
    made = np.random.default_rng(seed).standard_normal((int(duration_s * 44100), 2)) * 0.1
    return made.astype(np.float32)


def save_small_model(folder: Path) -> None:
    torch = pytest.importorskip("torch", reason="needs the `stems` extra")
    htdemucs = pytest.importorskip("demucs.htdemucs", reason="needs the `stems` extra")
    from safetensors.torch import save_file

    kwargs = {"sources": ["drums", "bass", "other", "vocals"], "channels": 4, "dconv_comp": 2, "t_layers": 1}
    kwargs |= {"t_heads": 2, "bottom_channels": 16, "samplerate": 44100}
    torch.manual_seed(0)
    network = htdemucs.HTDemucs(**kwargs, segment=Fraction(39, 20))
    segment = {"_type": "fraction", "numerator": 39, "denominator": 20}
    metadata = {"klass": "demucs.htdemucs.HTDemucs", "args": "[]", "kwargs": json.dumps({**kwargs, "segment": segment})}
    folder.mkdir(parents=True)
    save_file(network.state_dict(), folder / "tiny.safetensors", metadata=metadata)


@pytest.mark.parametrize("engine", ["stub", "demucs"])
def test_a_separation_ends_with_stems_that_are_assets(tmp_path: Path, engine: str) -> None:
    environment = {"TONEWRIGHT_STEMS_ENGINE": engine}
    if engine == "demucs":
        save_small_model(tmp_path / "models")
    mix = noise(3.0)

    with StemsHouse(tmp_path, environment).running() as house:
        worker = house.start_worker()
        source = house.upload(mix)
        done = house.finished(house.separate(source))
        again = house.stems.GetSeparation(stems.GetSeparationRequest(name=house.separate(source)))
        frames = {stem.stem: house.download(stem.asset) for stem in done.stems}
        held = house.assets.GetAsset(assets.GetAssetRequest(name=source)).hold_count
        house.stems.DeleteSeparation(stems.DeleteSeparationRequest(name=done.name))
        left = house.assets.GetAsset(assets.GetAssetRequest(name=source)).hold_count
        with pytest.raises(NotFound):
            house.stems.GetSeparation(stems.GetSeparationRequest(name=done.name))
        assert worker.poll() is None

    assert (done.state, done.engine, done.error_message) == (operations.STATE_SUCCEEDED, engine, ""), house.logs()
    assert list(frames) == ["drums", "bass", "other", "vocals"]
    assert all(stem.shape == mix.shape for stem in frames.values())
    assert done.real_time_factor > 0
    assert (again.state, again.shared_with, again.stems) == (operations.STATE_SUCCEEDED, done.name, done.stems)
    assert (held, left) == (2, 1)
    total = sum(frames.values()) / 10 ** (done.output_gain_db / 20)
    assert engine == "demucs" or np.abs(total - mix).max() <= 1e-6


def test_a_running_separation_stops_when_it_is_cancelled(tmp_path: Path) -> None:
    with StemsHouse(tmp_path, {}).running() as house:
        name = house.separate(house.upload(noise(60.0)))
        house.start_worker()
        for update in house.stems.WatchSeparation(stems.WatchSeparationRequest(name=name), timeout=60):
            if update.separation.stage == "separating":
                break
        house.stems.CancelSeparation(stems.CancelSeparationRequest(name=name))
        ended = house.finished(name)

    assert ended.state == operations.STATE_CANCELLED
    assert not ended.stems
    assert not list((tmp_path / "work" / "stems").rglob("*.f32"))


def test_a_create_is_accepted_without_a_worker_and_runs_when_one_comes(tmp_path: Path) -> None:
    with StemsHouse(tmp_path, {}).running() as house:
        name = house.separate(house.upload(noise(1.0)))
        waiting = house.stems.GetSeparation(stems.GetSeparationRequest(name=name))
        house.start_worker()
        done = house.finished(name)

    assert waiting.state == operations.STATE_QUEUED
    assert done.state == operations.STATE_SUCCEEDED
    assert done.name.startswith(PARENT)
