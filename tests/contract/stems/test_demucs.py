"""Mounted Demucs models: found without torch, loaded as their file says, equal to what Demucs itself gives."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.stems.demucs.mounted import find_models
from services.stems.domain import ModelNotFound, ModelUnusable, Parameters

torch = pytest.importorskip("torch", reason="torch and demucs are not installed: make setup-demucs")
pytest.importorskip("demucs.apply", reason="torch and demucs are not installed: make setup-demucs")

from demucs.apply import BagOfModels  # noqa: E402
from demucs.demucs import Demucs  # noqa: E402
from demucs.hdemucs import HDemucs  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

from services.stems.demucs.engine import DemucsEngine  # noqa: E402
from services.stems.demucs.network import load_network  # noqa: E402
from tests.material.demucs_models import (  # noqa: E402
    SEGMENT,
    SMALL,
    SOURCES,
    by_demucs,
    furthest,
    mix_file,
    noise,
    plain,
    save_package,
    save_plain,
    save_published,
    separated,
    small_network,
    task,
)

Open = Callable[..., DemucsEngine]


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


@pytest.fixture
def opened(models: Path) -> Iterator[Open]:
    engines: list[DemucsEngine] = []

    def open_engine(**options: Any) -> DemucsEngine:
        engines.append(DemucsEngine(find_models(models), "cpu", "float32", **options))
        return engines[-1]

    yield open_engine
    for engine in engines:
        engine.close()


@pytest.mark.parametrize("save", [save_published, save_package, save_plain])
def test_every_form_of_file_gives_the_same_model(
    tmp_path: Path, models: Path, opened: Open, save: Callable[[Path], Any]
) -> None:
    network = save(models)
    frames = noise(20_000)
    engine = opened()

    ours = separated(engine, task(engine, mix_file(tmp_path / "mix.f32", frames)))

    assert list(find_models(models)) == ["tiny"]
    assert furthest(ours, by_demucs(network, frames, shifts=0, overlap=0.25)) <= 1e-5


@pytest.mark.parametrize("overlap", [0.0, 0.25, 0.6])
def test_output_equals_demucs_at_every_length(tmp_path: Path, models: Path, opened: Open, overlap: float) -> None:
    network = save_published(models)
    engine = opened()
    stride = int((1 - overlap) * SEGMENT)
    edges = [1, 2, 100, stride, stride + 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 2 * SEGMENT, 3 * SEGMENT + 1]

    far = {}
    for frame_count in edges:
        frames = noise(frame_count, offset=0.1)
        ours = separated(engine, task(engine, mix_file(tmp_path / "mix.f32", frames), Parameters(overlap=overlap)))
        far[frame_count] = furthest(ours, by_demucs(network, frames, shifts=0, overlap=overlap))

    assert max(far.values()) <= 2e-6, far


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(8))
def test_output_equals_demucs_at_any_length_and_overlap(tmp_path: Path, models: Path, opened: Open, seed: int) -> None:
    network = save_published(models)
    engine = opened()
    draw = random.Random(seed)

    for _ in range(10):
        overlap, frames = draw.uniform(0, 0.9), noise(draw.randint(1, 3 * SEGMENT + 1), offset=0.1)
        ours = separated(engine, task(engine, mix_file(tmp_path / "mix.f32", frames), Parameters(overlap=overlap)))
        assert furthest(ours, by_demucs(network, frames, shifts=0, overlap=overlap)) <= 2e-6


def test_shifts_equal_those_of_demucs_with_the_same_seed(
    tmp_path: Path, models: Path, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    networks: list[Any] = [save_published(models, "one", 1), save_published(models, "two", 2)]
    shares = [[1.0, 0.5, 0.0, 1.0], [1.0, 1.5, 2.0, 0.0]]
    (models / "duo.yaml").write_text(f"models: ['one', 'two']\nweights: {shares}\n")
    frames = noise(20_000)
    engine = opened()

    ours = separated(engine, task(engine, mix_file(tmp_path / "mix.f32", frames), Parameters(shifts=2, seed=11)))

    # Demucs draws from the process's generator, which its transformer uses as well.
    monkeypatch.setattr("demucs.apply.random.randint", random.Random(11).randint)
    theirs = by_demucs(BagOfModels(networks, shares), frames, shifts=2, overlap=0.25)
    assert furthest(ours, theirs) <= 2e-6


def test_a_bag_takes_each_source_from_its_own_network(tmp_path: Path, models: Path, opened: Open) -> None:
    first, second = save_published(models, "one", 1), save_published(models, "two", 2)
    (models / "duo.yaml").write_text("models: ['one', 'two']\nweights: [[1., 1., 0., 0.], [0., 0., 1., 1.]]\n")
    (models / "duo.licence.txt").write_text("For our own songs.\n")
    frames = noise(20_000)
    engine = opened()

    ours = separated(engine, task(engine, mix_file(tmp_path / "mix.f32", frames)))

    found = find_models(models)
    assert list(found) == ["duo"]
    assert found["duo"].model.licence == "For our own songs."
    theirs = by_demucs(first, frames, shifts=0)
    assert np.abs(ours["bass"] - theirs["bass"]).max() <= 2e-6
    theirs = by_demucs(second, frames, shifts=0)
    assert np.abs(ours["vocals"] - theirs["vocals"]).max() <= 2e-6


def test_a_bag_without_weights_is_the_mean_of_its_networks(tmp_path: Path, models: Path, opened: Open) -> None:
    networks: list[Any] = [save_published(models, name, seed) for seed, name in enumerate(("one", "two"))]
    (models / "duo.yaml").write_text("models: ['one', 'two']\nsegment: 0.5\n")
    frames = noise(20_000)
    engine = opened()

    ours = separated(engine, task(engine, mix_file(tmp_path / "mix.f32", frames)))

    theirs = by_demucs(BagOfModels(networks, segment=0.5), frames, shifts=0, overlap=0.25)
    assert furthest(ours, theirs) <= 2e-6


def test_a_subset_runs_only_the_networks_with_a_share_in_it(tmp_path: Path, models: Path, opened: Open) -> None:
    for place, name in enumerate("abcd"):
        save_published(models, name, place)
    shares = [[float(row == column) for column in range(4)] for row in range(4)]
    (models / "fine.yaml").write_text(f"models: [a, b, c, d]\nweights: {shares}\n")
    loaded: list[str] = []

    def load(weights: Any, *options: Any) -> Any:
        loaded.append(weights.path.stem)
        return load_network(weights, *options)

    engine = opened(load=load)
    mix = mix_file(tmp_path / "mix.f32", noise(20_000))

    some = separated(engine, task(engine, mix, Parameters(shifts=1, overlap=0), sources=("vocals",)))

    assert loaded == ["d"]
    every = separated(engine, task(engine, mix, Parameters(shifts=1, overlap=0)))
    assert loaded == ["d", "a", "b", "c"]
    assert list(some) == ["vocals"]
    assert furthest(some, every) <= 1e-6


@pytest.mark.parametrize(("kind", "depth"), [(HDemucs, 6), (Demucs, 4)])
def test_older_networks_equal_demucs_too(tmp_path: Path, models: Path, opened: Open, kind: Any, depth: int) -> None:
    torch.manual_seed(0)
    settings = {"sources": list(SOURCES), "channels": 4, "depth": depth, "segment": 0.25}
    network = kind(**settings).eval()
    metadata = {"klass": f"{kind.__module__}.{kind.__name__}", "args": "[]", "kwargs": json.dumps(settings)}
    save_file(network.state_dict(), models / "old.safetensors", metadata=metadata)
    engine = opened()

    for frame_count in (2_000, 11_025, 20_000):
        frames = noise(frame_count)
        ours = separated(engine, task(engine, mix_file(tmp_path / "mix.f32", frames)))
        assert furthest(ours, by_demucs(network, frames, shifts=0, overlap=0.25)) <= 2e-6


def test_weights_without_arguments_are_refused(models: Path) -> None:
    torch.save(small_network().state_dict(), models / "bare.th")

    with pytest.raises(ModelUnusable, match=r"bare\.json"):
        find_models(models)


def test_weights_of_another_network_are_refused(models: Path, opened: Open) -> None:
    save_plain(models)
    (models / "tiny.json").write_text(json.dumps({"class": "HTDemucs", "kwargs": plain({**SMALL, "channels": 8})}))

    with pytest.raises(ModelUnusable, match="do not fit"):
        opened().load("tiny")


def test_a_source_that_no_network_of_a_bag_gives_is_refused(tmp_path: Path, models: Path, opened: Open) -> None:
    save_published(models)
    (models / "deaf.yaml").write_text("models: [tiny]\nweights: [[1., 1., 1., 0.]]\n")
    engine = opened()

    with pytest.raises(ModelUnusable, match="vocals"):
        separated(engine, task(engine, mix_file(tmp_path / "mix.f32", noise(100)), sources=("vocals",)))


def test_a_model_that_does_not_fit_the_budget_is_refused_with_numbers(models: Path, opened: Open) -> None:
    save_published(models)

    with pytest.raises(ModelUnusable, match=r"needs \d+ MiB .* may have 64 MiB"):
        opened(memory_budget_bytes=64 << 20).load("tiny")


def test_an_unknown_model_is_refused(models: Path, opened: Open) -> None:
    save_published(models)

    with pytest.raises(ModelNotFound):
        opened().load("other")


def test_a_file_that_names_foreign_code_runs_none_of_it(tmp_path: Path, models: Path, opened: Open) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "sprung",))

    torch.save({"klass": type(small_network()), "args": (), "kwargs": SMALL, "state": Trap()}, models / "trap.th")

    with pytest.raises(ModelUnusable):
        opened().load("trap")

    assert not (tmp_path / "sprung").exists()


def test_sources_are_those_of_the_file(models: Path) -> None:
    save_published(models)

    assert find_models(models)["tiny"].model.sources == SOURCES
