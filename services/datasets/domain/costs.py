"""What a training is expected to take and cost, and what may be spent."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chassis.errors import FailedPrecondition

# Source: spec of the trainer, the default run of 300 steps takes about 15 minutes.
SECONDS_PER_STEP = 900.0 / 300.0


class TrainingTooExpensive(FailedPrecondition):
    """The training is expected to cost more than it may."""

    REASON = "TRAINING_TOO_EXPENSIVE"


class TrainingBudgetSpent(FailedPrecondition):
    """What trainings may cost within a day is spent."""

    REASON = "TRAINING_BUDGET_SPENT"


@dataclass(frozen=True, slots=True)
class Expected:
    """What a training is expected to take and cost; the cost is 0 where there is no price."""

    seconds: float
    cost_usd_micros: int


# (artist, model version, steps) to what is expected.
Estimate = Callable[[str, str, int], Expected]


@dataclass(frozen=True, slots=True)
class Past:
    """A training of the same base model that has ended well."""

    steps: int
    predict_time_s: float


@dataclass(frozen=True, slots=True)
class Prices:
    """What is paid and what may be: millionths of a US dollar; 0 for a cap means none."""

    usd_micros_per_s: int
    training_cap_usd_micros: int = 0
    day_cap_usd_micros: int = 0

    def of(self, seconds: float) -> int:
        """The cost of so many seconds."""
        return round(seconds * self.usd_micros_per_s)

    def check(self, expected: Expected, max_cost_usd_micros: int) -> None:
        """Raise TrainingTooExpensive when more is expected than the caller agreed to or one training may cost."""
        cost = expected.cost_usd_micros
        if cost > max_cost_usd_micros:
            raise TrainingTooExpensive(
                f"the training is expected to cost {dollars(cost)}, and "
                f"the caller agreed to {dollars(max_cost_usd_micros)}; raise max_cost_usd_micros or take fewer steps",
                metadata={"expected_cost_usd_micros": str(cost)},
            )
        if self.training_cap_usd_micros and cost > self.training_cap_usd_micros:
            raise TrainingTooExpensive(
                f"the training is expected to cost {dollars(cost)}, and one may cost "
                f"{dollars(self.training_cap_usd_micros)} here; take fewer steps or ask the operator for a higher cap",
                metadata={"expected_cost_usd_micros": str(cost), "cap_usd_micros": str(self.training_cap_usd_micros)},
            )

    def check_day(self, expected: Expected, spent_today_usd_micros: int) -> None:
        """Raise TrainingBudgetSpent when the training would go beyond what a day may cost."""
        cap, cost = self.day_cap_usd_micros, expected.cost_usd_micros
        if cap and cost and spent_today_usd_micros + cost > cap:
            raise TrainingBudgetSpent(
                f"trainings of the last 24 hours cost {dollars(spent_today_usd_micros)}, another {dollars(cost)} is "
                f"expected, and a day may cost {dollars(cap)}; wait, or ask the operator for a higher cap",
                metadata={"spent_usd_micros": str(spent_today_usd_micros), "cap_usd_micros": str(cap)},
            )


def expected_seconds(steps: int, past: Sequence[Past]) -> float:
    """Seconds that so many steps take: by the median pace of the artist's trainings, else the trainer's usual one.

    Trainings of a similar number of steps count first: start and end cost the same whatever lies between.
    """
    near = [run for run in past if steps / 2 <= run.steps <= steps * 2] or list(past)
    paces = [run.predict_time_s / run.steps for run in near if run.steps > 0 and run.predict_time_s > 0]
    return steps * (statistics.median(paces) if paces else SECONDS_PER_STEP)


def dollars(usd_micros: int) -> str:
    """The amount for people."""
    return f"${usd_micros / 1e6:,.2f}"
