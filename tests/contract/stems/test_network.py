"""A loaded network: equal to the demucs package's own forward, one window at a time and several at once."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from services.stems.demucs.mounted import Weights
from services.stems.domain import ModelUnusable

torch = pytest.importorskip("torch", reason="torch and demucs are not installed: make setup-demucs")
pytest.importorskip("demucs.apply", reason="torch and demucs are not installed: make setup-demucs")

from demucs.demucs import Demucs  # noqa: E402
from demucs.hdemucs import HDemucs  # noqa: E402
from demucs.htdemucs import HTDemucs  # noqa: E402

from services.stems.demucs.network import load_network  # noqa: E402
from services.stems.demucs.network_compute import ByTorch, Whole, marked, usable_cpus  # noqa: E402
from services.stems.demucs.network_core import Core, Spectrum, suits  # noqa: E402
from services.stems.demucs.network_layers import BandNorm  # noqa: E402
from services.stems.demucs.network_openvino import is_installed  # noqa: E402

Float32 = npt.NDArray[np.float32]
SOURCES = ["drums", "bass", "other", "vocals"]
# The published kind, small: residual branches on both sides, both kinds of attention.
PUBLISHED: dict[str, Any] = {
    "sources": SOURCES,
    "channels": 8,
    "t_layers": 3,
    "t_heads": 2,
    "bottom_channels": 32,
    "dconv_mode": 3,
    "segment": Fraction(1, 4),
}
OTHERS: dict[str, tuple[type, dict[str, Any]]] = {
    "without bottom channels": (HTDemucs, {**PUBLISHED, "bottom_channels": 0, "dconv_mode": 1}),
    "attention between the branches first": (HTDemucs, {**PUBLISHED, "t_cross_first": True}),
    "learnt places": (HTDemucs, {**PUBLISHED, "t_emb": "scaled"}),
    "norms after": (HTDemucs, {**PUBLISHED, "t_norm_first": False}),
    "norms in layers": (HTDemucs, {**PUBLISHED, "norm_starts": 2}),
    "bands by themselves": (HTDemucs, {**PUBLISHED, "multi_freqs": [0.25], "multi_freqs_depth": 1}),
    "HDemucs": (HDemucs, {"sources": SOURCES, "channels": 4, "segment": Fraction(1, 4)}),
    "Demucs": (Demucs, {"sources": SOURCES, "channels": 4, "depth": 3, "segment": Fraction(1, 4)}),
}
Save = Callable[..., tuple[Any, Weights]]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    # Threads of a product this small wait for each other longer than they compute.
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def make(kind: type = HTDemucs, settings: dict[str, Any] = PUBLISHED) -> tuple[Any, Weights]:
        torch.manual_seed(3)
        module = kind(**settings).eval().requires_grad_(requires_grad=False)
        for name, scale in module.named_parameters():
            # New ones are near zero and would hide what the transformer and the residual branches do.
            if name.endswith(".scale"):
                torch.nn.init.uniform_(scale, -0.3, 0.3)
        torch.save(module.state_dict(), tmp_path / "saved.th")
        return module, Weights(tmp_path / "saved.th", kind.__name__, (), settings)

    return make


def windows(count: int, frames: int) -> Float32:
    return (np.random.default_rng(1).standard_normal((count, 2, frames)) * 0.3).astype(np.float32)


def by_module(module: Any, given: Float32) -> Float32:
    out: Float32 = module(torch.from_numpy(given)).numpy()
    return out


def whole_of(module: Any) -> Whole:
    frames = int(module.segment * module.samplerate)
    return Whole(Spectrum(module.nfft // 2, frames), Core(module)).eval()


@pytest.mark.parametrize("runtime", ["torch", "demucs", "auto"])
def test_sources_equal_those_of_the_demucs_package(save: Save, runtime: str) -> None:
    module, weights = save()
    network = load_network(weights, None, "cpu", "float32", runtime)
    given = windows(1, network.segment_frames)

    out = network.forward(given)

    assert network.batch_sizes == (1,)
    assert network.sources == tuple(SOURCES)
    assert out.shape == (1, 4, 2, 11_025)
    assert np.abs(out - by_module(module, given)).max() <= 1e-5


@pytest.mark.skipif(not is_installed(), reason="OpenVINO is not installed")
def test_openvino_gives_the_same_sources_and_the_same_bytes_again(save: Save) -> None:
    module, weights = save()
    network = load_network(weights, None, "cpu", "float32", "openvino")
    given = windows(1, network.segment_frames)

    first, second = network.forward(given), network.forward(given)

    assert np.abs(first - by_module(module, given)).max() <= 1e-5
    assert first.tobytes() == second.tobytes()
    # Nothing of its use is told to anybody.
    assert sys.modules.get("openvino_telemetry") is None


@pytest.mark.parametrize("name", OTHERS)
def test_networks_of_other_kinds_equal_those_of_the_demucs_package(save: Save, name: str) -> None:
    module, weights = save(*OTHERS[name])
    network = load_network(weights, None, "cpu")
    given = windows(1, network.valid_frames(10_000))

    out = network.forward(given)

    assert np.abs(out - by_module(module, given)).max() <= 1e-5


def test_what_the_core_does_not_know_is_left_to_the_demucs_package() -> None:
    suited = {name: suits(kind(**settings)) for name, (kind, settings) in OTHERS.items()}

    assert [name for name, is_suited in suited.items() if is_suited] == [
        "without bottom channels",
        "attention between the branches first",
    ]


def test_several_windows_at_once_equal_single_ones(save: Save) -> None:
    whole = whole_of(save()[0])
    given = torch.from_numpy(windows(4, 11_025))

    together = whole(given)

    alone = torch.cat([whole(window[None]) for window in given])
    assert (together - alone).abs().max() <= 1e-6


def test_a_bag_shortens_the_windows(save: Save) -> None:
    module, weights = save()
    network = load_network(weights, 0.125, "cpu")
    given = windows(1, network.segment_frames)

    out = network.forward(given)

    module.segment = 0.125
    assert network.segment_frames == network.valid_frames(100) == 5_512
    assert np.abs(out - by_module(module, given)).max() <= 1e-5


def test_mixed_precision_stays_within_its_bound(save: Save) -> None:
    module, weights = save()
    network = load_network(weights, None, "cpu", "mixed")
    given = windows(1, network.segment_frames)

    out = network.forward(given)

    # docs/performance.md: -50 dB of the mix, root mean square.
    off = out - by_module(module, given)
    assert 0 < np.sqrt((off**2).mean() / (given**2).mean()) <= 10 ** (-50 / 20)


def test_a_window_that_is_not_finite_harms_no_other(save: Save) -> None:
    whole = whole_of(save()[0])
    given = torch.from_numpy(windows(3, 11_025))
    good = whole(given)
    given[1, 0, 500] = float("nan")

    out = whole(given)

    assert out[1].isnan().all()
    assert (out[[0, 2]] - good[[0, 2]]).abs().max() <= 1e-6


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("runtime", ["torch", "demucs"])
def test_what_is_not_finite_comes_back_as_nan_throughout(save: Save, runtime: str, bad: float) -> None:
    network = load_network(save()[1], None, "cpu", "float32", runtime)
    given = windows(1, network.segment_frames)
    given[0, 1, 7] = bad

    out = network.forward(given)

    assert np.isnan(out).all()


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_one_value_marks_its_window(bad: float) -> None:
    out = torch.zeros(2, 4, 2, 10)
    out[1, 3, 1, 9] = bad

    made = marked(out)

    assert made[1].isnan().all()
    assert (made[0] == 0).all()


@pytest.mark.parametrize("level", [0.0, 1e-30, 1e4])
def test_silent_and_loud_windows_stay_finite(save: Save, level: float) -> None:
    network = load_network(save()[1], None, "cpu")
    one_side = windows(1, network.segment_frames)[:, :1] * np.float32(level)
    # What is left minus what is right: the mean of the channels is silent.
    given = np.concatenate([one_side, -one_side], axis=1)

    out = network.forward(given)

    assert np.isfinite(out).all()


def test_the_same_windows_give_the_same_bytes(save: Save) -> None:
    weights = save()[1]
    given = windows(1, 11_025)

    made = {load_network(weights, None, "cpu").forward(given).tobytes() for _ in range(2)}

    assert len(made) == 1


def test_every_way_to_normalise_gives_the_same() -> None:
    source = torch.nn.GroupNorm(1, 6)
    torch.nn.init.uniform_(source.weight)
    given = torch.randn(3, 6, 1, 5000, generator=torch.Generator().manual_seed(1)) + 0.5
    norm = BandNorm(source)

    made = [norm.rowwise(given), norm.spread(given), norm.staged(given)]

    assert all((way - source(given)).abs().max() <= 1e-5 for way in made)


def test_weights_of_another_network_are_refused(save: Save) -> None:
    weights = save()[1]
    other = Weights(weights.path, "HTDemucs", (), {**PUBLISHED, "channels": 16})

    with pytest.raises(ModelUnusable, match="do not fit"):
        load_network(other, None, "cpu")


@pytest.mark.parametrize(("device", "precision"), [("abacus", "auto"), ("mps", "auto"), ("cpu", "float8")])
def test_a_device_or_precision_that_is_not_there_is_refused(save: Save, device: str, precision: str) -> None:
    with pytest.raises(ModelUnusable, match="no"):
        load_network(save()[1], None, device, precision)


def test_estimates_of_memory_grow_with_the_batch(save: Save) -> None:
    module, _ = save()
    compute = ByTorch(whole_of(module))

    assert compute.memory_bytes >= sum(tensor.nbytes for tensor in module.state_dict().values())
    assert compute.peak_bytes(4) == 4 * compute.peak_bytes(1) > 0


def test_a_process_has_at_least_one_cpu() -> None:
    assert usable_cpus() >= 1
