import pytest

from chassis.errors import NotImplementedYet
from services.realtime.domain.graph import (
    EngineUnknown,
    Graph,
    KnobOutOfRange,
    KnobUnknown,
    OverlayUnknown,
    refuse_unbuilt,
)
from services.realtime.domain.performance import SnapshotUnreadable, opened_from


def test_knobs_that_are_not_named_have_their_initial_value() -> None:
    assert Graph("spectral", {"gain_db": -6}).knobs["blend"] == 0.0


def test_turning_one_knob_leaves_the_others() -> None:
    turned = Graph("spectral", {"gain_db": -6}).turned({"low_db": 3})

    assert (turned.knobs["gain_db"], turned.knobs["low_db"]) == (-6.0, 3.0)


@pytest.mark.parametrize("value", [12.5, -61, float("nan"), float("inf")])
def test_a_value_outside_the_range_is_refused(value: float) -> None:
    with pytest.raises(KnobOutOfRange, match="-60 to 12"):
        Graph("spectral", {"gain_db": value})


def test_an_unknown_knob_overlay_or_engine_is_refused() -> None:
    with pytest.raises(KnobUnknown):
        Graph("spectral", {"denoise": 1})
    with pytest.raises(OverlayUnknown):
        Graph("spectral", {}, "drums")
    with pytest.raises(EngineUnknown):
        Graph("diffusion")


def test_parts_that_nothing_plays_are_refused() -> None:
    with pytest.raises(NotImplementedYet, match=r"graph\.curves"):
        refuse_unbuilt(curves=True, prompts=False, references=False, loop_band=False)


def test_a_session_of_somebody_else_cannot_be_opened() -> None:
    with pytest.raises(SnapshotUnreadable):
        opened_from({"version": 1, "fixture": "browser"}, "artists/nova/sessions/x")
