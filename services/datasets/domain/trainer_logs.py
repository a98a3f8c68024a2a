"""How far a training is, and why it ended, read from what the trainer writes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from chassis.errors import AppError
from services.datasets.domain import provider_failures as failures

# Lines of the trainer's solver: `… - Train | Epoch 2 | 40/100 | 1.9 it/sec | …` and `… - Train Summary | Epoch 2 | …`.
_LINE = re.compile(r"\bTrain(?P<done> Summary)? \| Epoch (?P<epoch>\d{1,6})(?: \| (?P<step>\d{1,9})/(?P<of>\d{1,9}))?")
# What runs out of the trainer's own script when its inner training process died before it.
_UNBOUND = re.compile(r"UnboundLocalError|referenced before assignment|cannot access local variable|is not defined")
_MEMORY = re.compile(r"out of memory", re.I)
_CAUSES: tuple[tuple[type[AppError], re.Pattern[str], str], ...] = (
    (failures.TrainerOutOfMemory, _MEMORY, "the trainer ran out of GPU memory; take a smaller model"),
    (
        failures.TrainerFoundNoAudio,
        re.compile(r"no (?:valid )?audio|audio files? (?:were|was) not found|no audio file", re.I),
        "the trainer found no audio in the archive; export the items again in format replicate_musicgen",
    ),
    (
        failures.TrainerRateTooLow,
        re.compile(r"sample rate|sample_rate", re.I),
        "every file of the archive is below 32 kHz; export with normalised audio",
    ),
    (
        failures.TrainerArchiveUnreadable,
        re.compile(r"not supported file type|could not (?:fetch|download)|failed to download|bad zip", re.I),
        "the trainer could not fetch or unpack the archive; check that its address is reachable from outside",
    ),
)


@dataclass(frozen=True, slots=True)
class LogProgress:
    """Where the log says that the training is."""

    epoch: int = 0
    step: int = 0  # of all epochs together


def log_progress(logs: str, updates_per_epoch: int) -> LogProgress:
    """The last epoch and step that the log tells of; zeros while it tells of none."""
    last: re.Match[str] | None = next(reversed(list(_LINE.finditer(logs))), None)
    if last is None:
        return LogProgress()
    epoch = int(last["epoch"])
    in_epoch = updates_per_epoch if last["done"] else int(last["step"] or 0)
    return LogProgress(epoch, max(0, epoch - 1) * updates_per_epoch + min(in_epoch, updates_per_epoch))


def failure_of(status: str, error: str, logs: str) -> AppError:
    """What failed and what to do, from the provider's error text and its log."""
    if status == "aborted":
        return failures.ProviderAborted("the provider gave up before it began; start the training again")
    said = error.strip().replace("\x00", "")[:500]
    if _UNBOUND.search(said):
        # The script's own error hides what the inner process died of; of that the log tells.
        if _MEMORY.search(logs):
            return failures.TrainerOutOfMemory(f"the trainer ran out of GPU memory; take a smaller model ({said})")
        return failures.TrainerCrashed(f"the training crashed, read the logs (provider: {said})")
    for kind, pattern, advice in _CAUSES:
        if pattern.search(said):
            return kind(f"{advice} (provider: {said})")
    return failures.TrainingFailed(f"the training failed: {said or 'the provider gave no reason; read the logs'}")
