"""Inputs of a training: what they default to, what the trainer does with them, and what must not be sent.

Source: spec, inputs of the fine-tuner, and T2 of the requirements.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chassis.errors import collect
from services.datasets.domain.findings import Finding

MODEL_VERSIONS = ("stereo-melody", "stereo-small", "stereo-medium", "melody", "small", "medium")
OPTIMIZERS = ("dadam", "adamw")
# `exponential` is in the trainer's list, too, but gets a whole configuration where it wants a number, and crashes.
SCHEDULERS = ("cosine", "polynomial_decay", "inverse_sqrt", "linear_warmup")
BATCH_STEP = 8  # one sample per GPU of the trainer's machine
_BATCH_OF_8 = frozenset({"stereo-melody", "melody", "stereo-medium", "medium"})
# Their product, the number of steps, stays below 2 ** 31.
_MAX_EPOCHS, _MAX_UPDATES = 10_000, 100_000
_MAX_BATCH, _DESCRIPTION_MAX = 1_024, 2_000
_LOW_FOR_DADAM = _HIGH_FOR_ADAMW = 0.01


@dataclass(frozen=True, slots=True)
class TrainingParameters:
    """Inputs of a training with their defaults, as somebody asked for them; `checked` says whether they can be sent.

    Attributes:
        model_version: Base model.
        epochs: Passes over the data.
        updates_per_epoch: Steps per pass.
        batch_size: Samples per step as asked for; see `effective_batch_size`.
        optimizer: `dadam` or `adamw`.
        learning_rate: A factor for dadam, a rate for adamw.
        learning_rate_scheduler: How the rate changes.
        warmup_steps: Steps until the rate is reached.
        unconditioned_share: Share of samples trained without text, 0 to 1.
        auto_labeling: Whether the trainer guesses genre, mood, instruments, tempo and key.
        drop_vocals: Whether the trainer removes vocals from pieces of files above 30 s.
        one_same_description: One text for all audio; None: the captions count.
    """

    model_version: str = "stereo-melody"
    epochs: int = 3
    updates_per_epoch: int = 100
    batch_size: int = 16
    optimizer: str = "dadam"
    learning_rate: float = 1.0
    learning_rate_scheduler: str = "cosine"
    warmup_steps: int = 8
    unconditioned_share: float = 0.3
    auto_labeling: bool = False
    drop_vocals: bool = False
    one_same_description: str | None = None

    @property
    def effective_batch_size(self) -> int:
        """The batch size that the trainer really uses."""
        return effective_batch_size(self.model_version, self.batch_size)

    @property
    def ends_the_run(self) -> bool:
        """Whether the trainer ends with an error on them; some other faults are only money thrown away."""
        words = (
            self.model_version in MODEL_VERSIONS,
            self.optimizer in OPTIMIZERS,
            self.learning_rate_scheduler in SCHEDULERS,
        )
        return not all(words) or min(self.epochs, self.updates_per_epoch, self.effective_batch_size) < 1

    @property
    def steps(self) -> int:
        """Updates of the model in all."""
        return self.epochs * self.updates_per_epoch

    @property
    def samples(self) -> int:
        """Samples that the model sees in all."""
        return self.steps * self.effective_batch_size

    @property
    def channels(self) -> int:
        """Channels that the model trains on."""
        return 2 if self.model_version.startswith("stereo-") else 1

    def to_inputs(self) -> dict[str, Any]:
        """The inputs under the trainer's own names, without `dataset_path`; `one_same_description` only when given."""
        inputs: dict[str, Any] = {
            "model_version": self.model_version,
            "epochs": self.epochs,
            "updates_per_epoch": self.updates_per_epoch,
            "batch_size": self.batch_size,
            "optimizer": self.optimizer,
            "lr": self.learning_rate,
            "lr_scheduler": self.learning_rate_scheduler,
            "warmup": self.warmup_steps,
            "cfg_p": self.unconditioned_share,
            "auto_labeling": self.auto_labeling,
            "drop_vocals": self.drop_vocals,
        }
        # The trainer takes an empty text as one given, and wipes all captions with it.
        if self.one_same_description is not None:
            inputs["one_same_description"] = self.one_same_description
        return inputs


def effective_batch_size(model_version: str, batch_size: int) -> int:
    """8 for the medium and melody models, whatever is asked for; else the next multiple of 8 below.

    Source: spec, inputs of the fine-tuner; a result of 0 makes it crash.
    """
    return BATCH_STEP if model_version in _BATCH_OF_8 else batch_size // BATCH_STEP * BATCH_STEP


def chosen(values: Mapping[str, Any]) -> TrainingParameters:
    """Parameters from values by field name; what is absent, empty, or 0 where 0 cannot be meant, is the default."""
    may_be_zero = {"warmup_steps", "unconditioned_share", "auto_labeling", "drop_vocals", "one_same_description"}
    return TrainingParameters(
        **{name: value for name, value in values.items() if value is not None and (value or name in may_be_zero)}
    )


def checked(parameters: TrainingParameters) -> TrainingParameters:
    """The parameters, if they can be sent.

    Raises:
        FieldInvalid: A value would make the trainer crash or waste the training; one violation per field.
    """
    with collect() as violations:
        for field, expectation in faults(parameters):
            violations.require(claim=False, field=f"parameters.{field}", expectation=expectation)
    return parameters


def faults(parameters: TrainingParameters) -> list[tuple[str, str]]:
    """Fields that would make the trainer crash or waste the training, each with what it should be."""
    rate, share, words = parameters.learning_rate, parameters.unconditioned_share, parameters.one_same_description
    checks = [
        (parameters.model_version in MODEL_VERSIONS, "model_version", f"one of {', '.join(MODEL_VERSIONS)}"),
        (1 <= parameters.epochs <= _MAX_EPOCHS, "epochs", "1 to 10,000"),
        (1 <= parameters.updates_per_epoch <= _MAX_UPDATES, "updates_per_epoch", "1 to 100,000"),
        (
            BATCH_STEP <= parameters.batch_size <= _MAX_BATCH,
            "batch_size",
            "a multiple of 8 up to 1,024; the trainer rounds down to one and crashes below 8",
        ),
        (parameters.optimizer in OPTIMIZERS, "optimizer", f"one of {', '.join(OPTIMIZERS)}"),
        (math.isfinite(rate) and 0 < rate <= 1000, "learning_rate", "above 0, up to 1,000"),
        (
            parameters.learning_rate_scheduler in SCHEDULERS,
            "learning_rate_scheduler",
            f"one of {', '.join(SCHEDULERS)}; `exponential` crashes the trainer",
        ),
        (0 <= parameters.warmup_steps <= _MAX_UPDATES, "warmup_steps", "0 to 100,000"),
        (math.isfinite(share) and 0 <= share <= 1, "unconditioned_share", "0 to 1"),
        (
            words is None or (len(words.strip()) > 0 and len(words) <= _DESCRIPTION_MAX and words.isprintable()),
            "one_same_description",
            "absent, or one line of 1 to 2,000 characters; an empty text would wipe every caption",
        ),
    ]
    return [(field, expectation) for holds, field, expectation in checks if not holds]


def findings(parameters: TrainingParameters) -> list[Finding]:
    """What is allowed and yet worth a look."""
    found, rate = [], parameters.learning_rate
    if parameters.optimizer == "dadam" and rate < _LOW_FOR_DADAM:
        text = f"dadam finds its own rate and takes {rate:g} as a factor: it would learn next to nothing; use about 1"
        found.append(Finding("LEARNING_RATE_LOW", text))
    if parameters.optimizer == "adamw" and rate > _HIGH_FOR_ADAMW:
        text = f"adamw takes {rate:g} as the rate itself and would diverge; use 0.0001 to 0.00001"
        found.append(Finding("LEARNING_RATE_HIGH", text))
    asked_for = parameters.batch_size != TrainingParameters().batch_size
    if asked_for and (real := parameters.effective_batch_size) != parameters.batch_size:
        text = f"the trainer uses {real} for {parameters.model_version} instead of {parameters.batch_size}"
        found.append(Finding("BATCH_SIZE_CHANGED", text))
    if parameters.one_same_description is not None:
        found.append(Finding("CAPTIONS_IGNORED", "one_same_description takes the place of every caption"))
    if parameters.auto_labeling:
        text = "the trainer guesses tempo and key by itself, and its guesses may contradict the captions"
        found.append(Finding("AUTO_LABELING", text))
    return found
