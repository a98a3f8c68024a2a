"""A separation through real processes, with each engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from chassis.errors import NotFound
from tests.integration.stems_house import StemsHouse, wav_bytes
from tonewright.assets.v1 import assets_pb2 as assets
from tonewright.operations.v1 import operations_pb2 as operations
from tonewright.stems.v1 import stems_pb2 as stems

pytestmark = pytest.mark.usefixtures("as_ada")


def noise(duration_s: float, seed: int = 1) -> npt.NDArray[np.float32]:
    made = np.random.default_rng(seed).standard_normal((int(duration_s * 44100), 2)) * 0.1
    return made.astype(np.float32)


def save_small_model(folder: Path) -> None:
    for package in ("torch", "demucs"):
        pytest.importorskip(package, reason="torch and demucs are not installed: make setup-demucs")
    from tests.material.demucs_models import save_published

    folder.mkdir(parents=True)
    save_published(folder)


def error_of_demucs(mix: npt.NDArray[np.float32], stems: dict[str, npt.NDArray[np.float64]]) -> float:
    """How far the stems are from those of the demucs package."""
    from tests.material.demucs_models import by_demucs, small_network

    expected = by_demucs(small_network(), mix, shifts=0)
    return max(float(np.abs(frames - expected[name]).max()) for name, frames in stems.items())


@pytest.fixture(scope="module", params=["stub", "demucs"])
def services(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StemsHouse]:
    """The services on one engine, without a worker."""
    home = tmp_path_factory.mktemp(request.param)
    if request.param == "demucs":
        save_small_model(home / "models")
    environment = {"TONEWRIGHT_STEMS_ENGINE": request.param, "TONEWRIGHT_STEMS_SLOTS": "6"}
    with StemsHouse(home, environment).running() as running:
        yield running


def test_a_create_waits_for_a_worker_and_ends_with_stems_that_are_assets(services: StemsHouse) -> None:
    mix = noise(3.0)
    source = services.upload(mix)
    name = services.separate(source)
    waiting = services.stems.GetSeparation(stems.GetSeparationRequest(name=name))

    with services.worker():
        done = services.finished(name)
    again = services.stems.GetSeparation(stems.GetSeparationRequest(name=services.separate(source)))
    frames = {stem.stem: services.download(stem.asset) for stem in done.stems}
    held = services.assets.GetAsset(assets.GetAssetRequest(name=source)).hold_count
    services.stems.DeleteSeparation(stems.DeleteSeparationRequest(name=done.name))
    left = services.assets.GetAsset(assets.GetAssetRequest(name=source)).hold_count
    with pytest.raises(NotFound):
        services.stems.GetSeparation(stems.GetSeparationRequest(name=done.name))

    assert waiting.state == operations.STATE_QUEUED
    assert (done.state, done.error_message) == (operations.STATE_SUCCEEDED, ""), services.logs()
    assert list(frames) == ["drums", "bass", "other", "vocals"]
    assert all(stem.shape == mix.shape for stem in frames.values())
    assert done.real_time_factor > 0
    assert (again.state, again.shared_with, again.stems) == (operations.STATE_SUCCEEDED, done.name, done.stems)
    assert (held, left) == (2, 1)
    total = sum(frames.values()) / 10 ** (done.output_gain_db / 20)
    assert done.engine == "demucs" or np.abs(total - mix).max() <= 1e-6


@pytest.mark.parametrize("services", ["demucs"], indirect=True)
def test_a_recording_that_is_not_finite_fails_alone_among_those_that_run_beside_it(services: StemsHouse) -> None:
    mixes = [noise(1.0 + seed / 10, seed) for seed in range(6)]
    sources = [services.upload(mix) for mix in mixes]
    mixes[3][1000, 0] = np.nan
    services.put_bytes(sources[3], wav_bytes(mixes[3]))
    names = [services.separate(source, output_format=stems.OUTPUT_FORMAT_WAV_FLOAT) for source in sources]

    with services.worker():
        done = [services.finished(name) for name in names]
    errors = [
        error_of_demucs(mix, {stem.stem: services.download(stem.asset) for stem in ended.stems})
        for mix, ended in zip(mixes, done, strict=True)
        if ended.stems
    ]

    spoilt = done.pop(3)
    assert (spoilt.state, spoilt.error_reason) == (operations.STATE_FAILED, "SEPARATION_INPUT_NOT_FINITE")
    assert "export" in spoilt.error_message
    assert [(ended.state, ended.attempt) for ended in done] == [(operations.STATE_SUCCEEDED, 1)] * 5, services.logs()
    assert max(errors) <= 1e-5


def test_a_running_separation_stops_when_it_is_cancelled(services: StemsHouse) -> None:
    name = services.separate(services.upload(noise(60.0)))

    with services.worker():
        for update in services.stems.WatchSeparation(stems.WatchSeparationRequest(name=name), timeout=60):
            if update.separation.stage == "separating":
                break
        services.stems.CancelSeparation(stems.CancelSeparationRequest(name=name))
        ended = services.finished(name)

    assert ended.state == operations.STATE_CANCELLED
    assert not ended.stems
    assert not list((services.home / "work" / "stems").rglob("*.f32"))
