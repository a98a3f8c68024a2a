"""Mounted Demucs models: found without torch, loaded as their file says, equal to what Demucs itself gives."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from services.stems.demucs.mounted import find_models
from services.stems.domain import ModelUnusable, Parameters, Recording

torch = pytest.importorskip("torch", reason="torch and demucs are not installed: make setup-demucs")
pytest.importorskip("demucs.apply", reason="torch and demucs are not installed: make setup-demucs")

from demucs.apply import apply_model  # noqa: E402
from demucs.htdemucs import HTDemucs  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

from services.stems.demucs.engine import DemucsEngine  # noqa: E402

Float32 = npt.NDArray[np.float32]
SOURCES = ["drums", "bass", "other", "vocals"]
SMALL: dict[str, Any] = {
    "sources": SOURCES,
    "channels": 4,
    "dconv_comp": 2,
    "t_layers": 1,
    "t_heads": 2,
    "bottom_channels": 16,
    "samplerate": 44100,
    "segment": Fraction(39, 40),
}


def small_network(seed: int = 0) -> HTDemucs:
    torch.manual_seed(seed)
    network: HTDemucs = HTDemucs(**SMALL).eval()
    return network


def plain(settings: dict[str, Any]) -> dict[str, Any]:
    segment = settings["segment"]
    fraction = {"_type": "fraction", "numerator": segment.numerator, "denominator": segment.denominator}
    return {**settings, "segment": fraction}


def save_published(folder: Path, signature: str = "tiny", seed: int = 0) -> HTDemucs:
    network = small_network(seed)
    metadata = {"klass": "demucs.htdemucs.HTDemucs", "args": "[]", "kwargs": json.dumps(plain(SMALL))}
    save_file(network.state_dict(), folder / f"{signature}.safetensors", metadata=metadata)
    return network


def save_package(folder: Path, signature: str = "tiny-0a1b2c3d") -> HTDemucs:
    network = small_network()
    package = {"klass": HTDemucs, "args": (), "kwargs": SMALL, "state": network.state_dict(), "training_args": {}}
    torch.save(package, folder / f"{signature}.th")
    return network


def save_plain(folder: Path) -> HTDemucs:
    network = small_network()
    torch.save(network.state_dict(), folder / "tiny.th")
    (folder / "tiny.json").write_text(json.dumps({"class": "HTDemucs", "kwargs": plain(SMALL)}))
    return network


def mix_file(tmp_path: Path, frames: Float32, rate_hz: int = 44100) -> Recording:
    frames.tofile(tmp_path / "mix.f32")
    return Recording(tmp_path / "mix.f32", rate_hz, frames.shape[1], len(frames))


def noise(frame_count: int, channels: int = 2, offset: float = 0.0) -> Float32:
    made = np.random.default_rng(5).standard_normal((frame_count, channels)) * 0.2 + offset
    return made.astype(np.float32)


def separate(folder: Path, mix: Recording, parameters: Parameters = Parameters()) -> dict[str, Float32]:
    mounted = find_models(folder)
    model = next(iter(mounted.values())).model
    made = DemucsEngine(mounted, "cpu").separate(mix, model, parameters, mix.path.parent, lambda _: None)
    return {name: np.fromfile(stem.path, np.float32).reshape(-1, stem.channels) for name, stem in made.items()}


def by_demucs(network: HTDemucs, frames: Float32, **options: Any) -> dict[str, Float32]:
    wav = torch.from_numpy(frames.T.copy())
    ref = wav.mean(0)
    mean, deviation = ref.mean(), ref.std() + 1e-8
    out = apply_model(network, ((wav - mean) / deviation)[None], **options)[0] * deviation
    out[SOURCES.index("other")] += mean
    return {name: out[index].T.numpy() for index, name in enumerate(SOURCES)}


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("save", [save_published, save_package, save_plain])
def test_every_form_of_file_gives_the_same_model(
    tmp_path: Path, models: Path, save: Callable[[Path], HTDemucs]
) -> None:
    network = save(models)
    frames = noise(60_000)

    ours = separate(models, mix_file(tmp_path, frames))

    theirs = by_demucs(network, frames, shifts=0, overlap=0.25)
    assert list(find_models(models)) == ["tiny"]
    assert all(np.abs(ours[name] - theirs[name]).max() <= 1e-5 for name in SOURCES)


@pytest.mark.parametrize("frame_count", [2, 100, 42_997, 42_998, 42_999, 130_000])
def test_output_equals_demucs_at_every_length(tmp_path: Path, models: Path, frame_count: int) -> None:
    network = save_published(models)
    frames = noise(frame_count, offset=0.1)

    ours = separate(models, mix_file(tmp_path, frames), Parameters(overlap=0.1))

    theirs = by_demucs(network, frames, shifts=0, overlap=0.1)
    assert all(np.abs(ours[name] - theirs[name]).max() <= 1e-5 for name in SOURCES)


def test_shifts_equal_those_of_demucs_with_the_same_seed(
    tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = save_published(models)
    frames = noise(50_000)

    ours = separate(models, mix_file(tmp_path, frames), Parameters(shifts=2, seed=11))

    # Demucs draws from the process's generator, which its transformer uses as well.
    monkeypatch.setattr("demucs.apply.random.randint", random.Random(11).randint)
    theirs = by_demucs(network, frames, shifts=2, overlap=0.25)
    assert all(np.abs(ours[name] - theirs[name]).max() <= 1e-5 for name in SOURCES)


def test_a_bag_takes_each_source_from_its_own_network(tmp_path: Path, models: Path) -> None:
    first, second = save_published(models, "one", 1), save_published(models, "two", 2)
    (models / "duo.yaml").write_text("models: ['one', 'two']\nweights: [[1., 1., 0., 0.], [0., 0., 1., 1.]]\n")
    (models / "duo.licence.txt").write_text("For our own songs.\n")
    frames = noise(50_000)

    ours = separate(models, mix_file(tmp_path, frames))

    found = find_models(models)
    assert list(found) == ["duo"]
    assert found["duo"].model.licence == "For our own songs."
    theirs = {name: by_demucs(network, frames, shifts=0) for name, network in (("one", first), ("two", second))}
    assert np.abs(ours["bass"] - theirs["one"]["bass"]).max() <= 1e-5
    assert np.abs(ours["vocals"] - theirs["two"]["vocals"]).max() <= 1e-5


@pytest.mark.parametrize(
    ("channels", "rate_hz", "frame_count"), [(1, 44100, 1), (1, 48000, 30_001), (2, 44101, 20_000)]
)
def test_stems_have_the_sources_rate_channels_and_length(
    tmp_path: Path, models: Path, channels: int, rate_hz: int, frame_count: int
) -> None:
    save_published(models)
    frames = noise(frame_count, channels)

    ours = separate(models, mix_file(tmp_path, frames, rate_hz))

    assert all(stem.shape == frames.shape and np.isfinite(stem).all() for stem in ours.values())


def test_progress_is_told_before_each_segment_and_can_end_the_work(tmp_path: Path, models: Path) -> None:
    save_published(models)
    mounted = find_models(models)
    mix = mix_file(tmp_path, noise(130_000))
    told: list[float] = []

    def report(share: float) -> None:
        told.append(share)
        if len(told) == 3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        DemucsEngine(mounted, "cpu").separate(mix, mounted["tiny"].model, Parameters(), tmp_path, report)

    assert told == pytest.approx([0, 1 / 5, 2 / 5], abs=0.06)


def test_weights_without_arguments_are_refused(models: Path) -> None:
    torch.save(small_network().state_dict(), models / "bare.th")

    with pytest.raises(ModelUnusable, match=r"bare\.json"):
        find_models(models)


def test_weights_of_another_network_are_refused(models: Path) -> None:
    save_plain(models)
    (models / "tiny.json").write_text(json.dumps({"class": "HTDemucs", "kwargs": plain({**SMALL, "channels": 8})}))

    with pytest.raises(ModelUnusable, match="do not fit"):
        DemucsEngine(find_models(models), "cpu").load("tiny")


def test_a_file_that_names_foreign_code_runs_none_of_it(tmp_path: Path, models: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "sprung",))

    torch.save({"klass": HTDemucs, "args": (), "kwargs": SMALL, "state": Trap()}, models / "trap.th")

    mounted = find_models(models)
    with pytest.raises(ModelUnusable):
        DemucsEngine(mounted, "cpu").load("trap")

    assert not (tmp_path / "sprung").exists()
