"""What a person should know about items, datasets and trainings before they cost money."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Severity(enum.StrEnum):
    """How much a finding matters."""

    ERROR = "ERROR"  # it has to be mended first
    WARNING = "WARNING"  # it is worth a look


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that was found, with what to do about it.

    Attributes:
        reason: Stable word, as `FEW_PAIRS`, or a caption rule, as `P5`.
        message: What it means and what to do.
        training_item: Name of the item that it is about; empty when about the whole.
        severity: How much it matters.
    """

    reason: str
    message: str
    training_item: str = ""
    severity: Severity = Severity.WARNING
