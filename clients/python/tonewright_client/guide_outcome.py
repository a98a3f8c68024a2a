"""What a guided way from a folder to a model is told to do, whom it tells, and what has come of it so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tonewright_client.audio import OnBytes
from tonewright_client.exports import ExportChoices
from tonewright_client.models import (
    Asset,
    CaptionRun,
    EmulateTrainingResponse,
    Export,
    Finding,
    Generation,
    ListDuplicateGroupsResponseGroup,
    LiveSet,
    Operation,
    Snapshot,
    Training,
    TrainingItem,
)
from tonewright_client.models import services__gateway__models__datasets__Readiness as Readiness
from tonewright_client.training_folder import Recording
from tonewright_client.trainings import TrainingInputs
from tonewright_client.transport import Json

_COMPLETE = ("READY", "EXPORTED")


class View(Protocol):
    """Tells a person what happens."""

    def step(self, title: str) -> None:
        """A step begins."""

    def said(self, line: str) -> None:
        """Something happened in it."""

    def warned(self, line: str) -> None:
        """Something did not work out, and what to do about it."""

    def uploading(self, name: str) -> OnBytes:
        """What to call as bytes of a file are on their way, either way."""

    def wait(self, operation: Operation, what: str) -> Json:
        """The finished resource, shown while it is made."""

    def agrees(self, question: str) -> bool | None:
        """What a person answers; None when nobody can be asked."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person wants.

    Attributes:
        licence: Licence of all the audio; empty leaves it open.
        consent_by: Who allows training on all of it; empty leaves it open.
        options: Of the export.
        inputs: Of the training.
    """

    licence: str = ""
    consent_by: str = ""
    options: ExportChoices = field(default_factory=lambda: ExportChoices())
    inputs: TrainingInputs = field(default_factory=lambda: TrainingInputs())


@dataclass(slots=True)
class Row:
    """One recording on its way.

    Attributes:
        recording: The file.
        asset: Its audio on the platform; None when it was refused.
        was_there: Whether nothing had to be uploaded.
        live_set: The Live Set behind it; empty when none is known.
        unsure: A Live Set that may be behind it, which a person has to say.
        copy_of: Another file of the folder with the same bytes, which is enough.
        item: The training item; None when there is none.
        error: Why it goes no further, and what to do.
    """

    recording: Recording
    asset: Asset | None = None
    was_there: bool = True
    live_set: str = ""
    unsure: str = ""
    copy_of: str = ""
    item: TrainingItem | None = None
    error: str = ""


@dataclass(slots=True)
class Outcome:
    """What came of the folder."""

    rows: list[Row] = field(default_factory=list)
    live_sets: dict[str, LiveSet] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    run: CaptionRun | None = None
    readiness: Readiness | None = None
    duplicates: list[ListDuplicateGroupsResponseGroup] = field(default_factory=list)
    snapshot: Snapshot | None = None
    emulation: EmulateTrainingResponse | None = None
    export: Export | None = None
    archive: Path | None = None
    training: Training | None = None
    generation: Generation | None = None
    clip: Path | None = None
    advice: list[str] = field(default_factory=list)

    @property
    def titles(self) -> dict[str, str]:
        """What to call each item, by its name."""
        return {item["name"]: item["display_name"] for item in self.items}

    @property
    def items(self) -> list[TrainingItem]:
        """The items of the folder."""
        return [row.item for row in self.rows if row.item]

    @property
    def complete(self) -> list[TrainingItem]:
        """Those that have audio and an accepted caption, and nothing that keeps them out of a dataset."""
        return [item for item in self.items if item["state"] in _COMPLETE and not blockers(item)]


def blockers(item: TrainingItem) -> list[Finding]:
    """What keeps an item out of any dataset."""
    return [one for one in item["findings"] if one["severity"] == "ERROR"]
