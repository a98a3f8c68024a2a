"""Knobs and the motion graph: what can be turned, how far, and what is turned now."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from chassis.errors import InvalidArgument, NotImplementedYet, Violation

OVERLAYS = ("vocals", "instruments")


class KnobUnknown(InvalidArgument):
    """The engine has no knob of this name."""

    REASON = "KNOB_UNKNOWN"


class KnobOutOfRange(InvalidArgument):
    """The value lies outside the knob's range."""

    REASON = "KNOB_OUT_OF_RANGE"


class OverlayUnknown(InvalidArgument):
    """There is no such stem to blend in."""

    REASON = "OVERLAY_UNKNOWN"


class EngineUnknown(InvalidArgument):
    """There is no engine of this name."""

    REASON = "ENGINE_UNKNOWN"


@dataclass(frozen=True, slots=True)
class Knob:
    """One thing to turn: its range, where it stands at first, and what a listener hears."""

    minimum: float
    maximum: float
    initial: float
    unit: str
    description: str


KNOBS: Mapping[str, Mapping[str, Knob]] = {
    "spectral": {
        "gain_db": Knob(-60.0, 12.0, 0.0, "dB", "Loudness of the whole"),
        "low_db": Knob(-24.0, 24.0, 0.0, "dB", "Loudness below 250 Hz"),
        "mid_db": Knob(-24.0, 24.0, 0.0, "dB", "Loudness from 250 to 2,500 Hz"),
        "high_db": Knob(-24.0, 24.0, 0.0, "dB", "Loudness above 2,500 Hz"),
        "blend": Knob(0.0, 1.0, 0.0, "", "From the source (0) to the overlay stem (1); without stems nothing changes"),
    }
}


def knobs_of(engine: str) -> Mapping[str, Knob]:
    """The knobs of an engine, by name; raises `EngineUnknown`."""
    if engine not in KNOBS:
        raise EngineUnknown(f"engine {engine!r} does not exist; use one of {', '.join(KNOBS)}")
    return KNOBS[engine]


@dataclass(frozen=True, slots=True)
class Graph:
    """Every knob's value and the stem that `blend` brings in."""

    engine: str
    knobs: Mapping[str, float] = field(default_factory=dict)
    overlay: str = "instruments"

    def __post_init__(self) -> None:
        known = knobs_of(self.engine)
        for name, value in self.knobs.items():
            _check(known, name, value)
        if self.overlay not in OVERLAYS:
            raise OverlayUnknown(
                f"overlay {self.overlay!r} does not exist; use vocals or instruments",
                violations=[Violation("graph.overlay", "vocals or instruments")],
            )
        every = {name: float(self.knobs.get(name, knob.initial)) for name, knob in known.items()}
        object.__setattr__(self, "knobs", every)

    @property
    def is_neutral(self) -> bool:
        """Whether the loop sounds as its source."""
        return all(self.knobs[name] == knob.initial for name, knob in knobs_of(self.engine).items())

    def turned(self, values: Mapping[str, float], overlay: str = "") -> Graph:
        """The graph after some knobs were turned; the others stay."""
        return replace(self, knobs={**self.knobs, **values}, overlay=overlay or self.overlay)


def _check(known: Mapping[str, Knob], name: str, value: float) -> None:
    if name not in known:
        raise KnobUnknown(
            f"knob {name!r} does not exist; use one of {', '.join(known)}",
            violations=[Violation(f"graph.knobs.{name}", f"one of {', '.join(known)}")],
        )
    knob = known[name]
    if not math.isfinite(value) or not knob.minimum <= value <= knob.maximum:
        expected = f"{knob.minimum:g} to {knob.maximum:g}"
        raise KnobOutOfRange(
            f"{name} is {value:g}; use {expected}", violations=[Violation(f"graph.knobs.{name}", expected)]
        )


def refuse_unbuilt(*, curves: bool, prompts: bool, references: bool, loop_band: bool) -> None:
    """Raise `NotImplementedYet` for the parts of a graph that no engine of this release plays."""
    parts = {"curves": curves, "prompts": prompts, "references": references, "loop_band": loop_band}
    asked = [name for name, present in parts.items() if present]
    if asked:
        raise NotImplementedYet(f"graph.{asked[0]} is not played by any engine of this release; leave it out")
