import numpy as np
import pytest

from services.realtime.domain.graph import Graph
from services.realtime.domain.painter import Painter, Slice
from services.realtime.domain.performance import SourceMode
from services.realtime.spectral import SpectralCanvas

FRAMES = 96_000


def noise(seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (FRAMES, 2)).astype(np.float32)


def tone(hz: float) -> np.ndarray:
    wave = np.sin(2 * np.pi * hz * np.arange(FRAMES) / 48_000) * 0.5
    return np.stack([wave, wave], axis=1).astype(np.float32)


def rms(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(samples))))


def painted(canvas: SpectralCanvas, graph: Graph) -> np.ndarray:
    """The loop after a whole pass, region by region."""
    painter, now_s = Painter(canvas.frame_count, 0.0), 0.0
    painter.report(0, 0.0, is_playing=True)
    painter.repaint(0.0)
    while (due_s := painter.due_s(now_s)) is not None:
        now_s = due_s
        region = painter.next_slice(now_s)
        canvas.merge(canvas.paint(region, graph))
        painter.painted(region, now_s)
    return canvas.loop


def test_six_decibels_less_is_half_the_amplitude() -> None:
    source = noise()

    loop = painted(SpectralCanvas(source), Graph("spectral", {"gain_db": -6.0206}))

    np.testing.assert_allclose(loop, source * 0.5, atol=1e-5)


def test_regions_join_without_a_seam() -> None:
    canvas, graph = SpectralCanvas(noise()), Graph("spectral", {"low_db": 9, "mid_db": -6, "high_db": -12})

    loop = painted(canvas, graph)

    whole = SpectralCanvas(noise())._rendered(0, FRAMES, graph)
    np.testing.assert_allclose(loop, whole, atol=2e-5)


@pytest.mark.parametrize(("hz", "knob"), [(60, "low_db"), (800, "mid_db"), (8_000, "high_db")])
def test_each_band_moves_its_own_tones(hz: float, knob: str) -> None:
    own = painted(SpectralCanvas(tone(hz)), Graph("spectral", {knob: -12.0412}))

    assert rms(own) == pytest.approx(0.25 * rms(tone(hz)), rel=0.03)


@pytest.mark.parametrize(("hz", "knob"), [(60, "high_db"), (800, "low_db"), (8_000, "mid_db")])
def test_a_band_leaves_the_tones_of_others(hz: float, knob: str) -> None:
    other = painted(SpectralCanvas(tone(hz)), Graph("spectral", {knob: -12.0412}))

    assert rms(other) == pytest.approx(rms(tone(hz)), rel=0.03)


def test_blend_goes_from_the_source_to_the_overlay() -> None:
    source, vocals = noise(1), noise(2)
    canvas = SpectralCanvas(source)
    canvas.add_stems({"vocals": vocals, "instruments": source - vocals})

    loop = painted(canvas, Graph("spectral", {"blend": 0.25}, "vocals"))

    np.testing.assert_allclose(loop, source * 0.75 + vocals * 0.25, atol=1e-5)


def test_blend_without_stems_changes_nothing() -> None:
    source = noise()

    assert np.array_equal(painted(SpectralCanvas(source), Graph("spectral", {"blend": 1})), source)


def test_a_stem_can_be_the_source_and_the_mix_is_until_it_is_there() -> None:
    canvas = SpectralCanvas(noise(1))
    canvas.use(SourceMode.VOCALS)
    before = painted(canvas, Graph("spectral")).copy()
    canvas.add_stems({"vocals": noise(2)[: FRAMES // 2], "instruments": noise(3)})
    canvas.use(SourceMode.VOCALS)

    after = painted(canvas, Graph("spectral"))

    assert np.array_equal(before, noise(1))
    np.testing.assert_allclose(after[: FRAMES // 2], noise(2)[: FRAMES // 2], atol=1e-6)
    assert not after[FRAMES // 2 :].any()


def test_the_edges_fade_from_and_to_what_was_there() -> None:
    canvas = SpectralCanvas(np.ones((FRAMES, 2), np.float32))
    region = Slice(90_000, 17_280, 1_200, True, 1, 0.0)

    parts = canvas.merge(canvas.paint(region, Graph("spectral", {"gain_db": -60})))

    around = np.roll(canvas.loop[:, 0], -90_000)[:17_280]
    assert [(part.start_frames, part.frame_count) for part in parts] == [(90_000, 6_000), (0, 11_280)]
    assert np.all(np.diff(around[:1_200]) < 0)
    assert not around[1_200:-1_200].any()
    assert np.all(np.diff(around[-1_200:]) > 0)


def test_the_same_graph_gives_the_same_samples() -> None:
    graph = Graph("spectral", {"gain_db": -3, "low_db": 4, "high_db": -8})

    first, second = (painted(SpectralCanvas(noise()), graph) for _ in range(2))

    assert np.array_equal(first, second)
