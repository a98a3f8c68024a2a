"""What Replicate's MusicGen trainer does with an archive and its inputs, before any money is spent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from services.datasets.domain.emulator import notes
from services.datasets.domain.emulator.replica import Crash, Held, Prepared, TrainerFile, prepare, unpack_fault
from services.datasets.domain.findings import Finding, Severity
from services.datasets.domain.training_parameters import TrainingParameters, faults, findings

__all__ = ["TrainerFile", "TrainedPiece", "EmulatedItem", "Emulation", "emulate", "mean_silence_s"]

WINDOW_S, SHARE = 30.0, 0.8  # a sample's length, and the least part of it that is not silence where there is enough
_MIN_RATE_HZ = 32_000


@dataclass(frozen=True, slots=True)
class TrainedPiece:
    """One file that is trained on.

    Attributes:
        name: Its path in the trainer's folder.
        start_s: Where it begins in the recording.
        duration_s: Its length.
        padded_s: Mean silence in a sample of it.
        caption: What the model reads for it; empty when nothing.
        rate_hz: Sample rate after preparation.
        channels: Channels after preparation.
        vocals_removed: Whether vocals were taken out.
        cut: Whether the trainer cut it from a longer file.
    """

    name: str
    start_s: float
    duration_s: float
    padded_s: float
    caption: str
    rate_hz: int
    channels: int
    vocals_removed: bool
    cut: bool


@dataclass(frozen=True, slots=True)
class EmulatedItem:
    """What becomes of one audio file.

    Attributes:
        file: The file.
        pieces: What is trained on, in order; empty when the trainer does not see it.
        dropped_s: Length that is never trained on.
        findings: What a person should know.
    """

    file: TrainerFile
    pieces: tuple[TrainedPiece, ...]
    dropped_s: float
    findings: tuple[Finding, ...]

    @property
    def seen(self) -> bool:
        """Whether anything of it is trained on."""
        return bool(self.pieces)

    @property
    def caption(self) -> str:
        """What the model reads; of a file with several texts the first."""
        return self.pieces[0].caption if self.pieces else ""

    @property
    def caption_used(self) -> bool:
        """Whether every piece has a caption."""
        return self.seen and all(piece.caption for piece in self.pieces)

    @property
    def resampled(self) -> bool:
        """Whether preparation changes its sample rate."""
        return any(piece.rate_hz != self.file.rate_hz for piece in self.pieces)

    @property
    def vocals_removed(self) -> bool:
        """Whether preparation takes vocals out."""
        return any(piece.vocals_removed for piece in self.pieces)

    @property
    def padded_s(self) -> float:
        """Mean silence in samples, over all pieces."""
        return sum(piece.padded_s for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class Emulation:
    """What becomes of an archive.

    Attributes:
        items: One per audio file, in the archive's order.
        parameters: Inputs of the training.
        findings: About the whole.
        succeeds: Whether the run ends with a model.
    """

    items: tuple[EmulatedItem, ...]
    parameters: TrainingParameters
    findings: tuple[Finding, ...]
    succeeds: bool

    @property
    def chunk_count(self) -> int:
        """Pieces of all items."""
        return sum(len(item.pieces) for item in self.items)

    @property
    def all_findings(self) -> tuple[Finding, ...]:
        """About the whole and about every item."""
        return self.findings + tuple(finding for item in self.items for finding in item.findings)


def emulate(
    files: Sequence[TrainerFile], parameters: TrainingParameters, *, archive_name: str = "dataset.zip"
) -> Emulation:
    """What the trainer does with these files; nothing is read and nothing is sent.

    Source: spec, the fine-tuner's pipeline step by step.
    """
    prepared = prepare(
        files,
        auto_labeling=parameters.auto_labeling,
        drop_vocals=parameters.drop_vocals,
        same_text=parameters.one_same_description,
    )
    pieces: dict[int, list[TrainedPiece]] = defaultdict(list)
    for path, held in prepared.trained.items():
        pieces[held.owner].append(_piece(path, files[held.owner], held))
    items = [
        _item(file, tuple(pieces[index]), parameters, prepared, index)
        for index, file in enumerate(files)
        if file.is_audio
    ]
    crashes = [crash for crash in (unpack_fault(archive_name), *_whole_crashes(prepared)) if crash]
    whole = [Finding(crash.reason, crash.message, severity=Severity.ERROR) for crash in crashes]
    for field, expectation in faults(parameters):
        text = f"parameters.{field} would end the run or waste it; expected {expectation}"
        whole.append(Finding("PARAMETER_INVALID", text, severity=Severity.ERROR))
    whole += [*findings(parameters), *notes.of_whole(files, items, prepared)]
    return Emulation(
        items=tuple(items),
        parameters=parameters,
        findings=tuple(whole),
        succeeds=not (crashes or prepared.crashes or parameters.ends_the_run),
    )


def mean_silence_s(duration_s: float) -> float:
    """Mean seconds of silence in a sample of 30 s whose start is drawn evenly from 0 to `duration_s` - 24 s.

    Source: spec, step 7 of the fine-tuner's pipeline; for 30 s that is 3 s, for 10 s it is 20 s.
    """
    latest_s = duration_s - SHARE * WINDOW_S
    if latest_s <= 0:
        return WINDOW_S - duration_s
    most_s = WINDOW_S - SHARE * WINDOW_S
    if duration_s >= WINDOW_S:
        return most_s * most_s / 2 / latest_s
    return (WINDOW_S - duration_s + most_s) / 2


def _piece(path: str, file: TrainerFile, held: Held) -> TrainedPiece:
    duration_s = held.duration_ms / 1000 if held.cut else file.duration_s
    return TrainedPiece(
        name=path,
        start_s=file.start_s + held.start_ms / 1000,
        duration_s=duration_s,
        padded_s=mean_silence_s(duration_s),
        caption=held.caption or "",
        rate_hz=held.rate_hz,
        channels=held.channels,
        vocals_removed=held.vocals_removed,
        cut=held.cut,
    )


def _item(
    file: TrainerFile,
    pieces: tuple[TrainedPiece, ...],
    parameters: TrainingParameters,
    prepared: Prepared,
    index: int,
) -> EmulatedItem:
    dropped_s = max(0.0, file.duration_s - sum(piece.duration_s for piece in pieces))
    item = EmulatedItem(file, pieces, dropped_s if dropped_s >= 0.0005 else 0.0, ())
    found = [
        Finding(crash.reason, crash.message, file.training_item, Severity.ERROR)
        for crash in prepared.crashes
        if crash.owner == index
    ]
    found += notes.of_item(item, parameters, is_duplicate=index in prepared.duplicates)
    return EmulatedItem(file, pieces, item.dropped_s, tuple(found))


def _whole_crashes(prepared: Prepared) -> list[Crash]:
    if not prepared.trained:
        return [Crash("NO_AUDIO", "the trainer finds no audio in the archive and ends with an error")]
    if max(held.rate_hz for held in prepared.trained.values()) < _MIN_RATE_HZ:
        message = "no file reaches 32,000 Hz after preparation, which ends the run; export with audio_mode NORMALISED"
        return [Crash("RATE_TOO_LOW", message)]
    return []
