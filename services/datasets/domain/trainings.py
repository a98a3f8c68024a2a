"""Trainings of a model at a provider, from the wish to the trained version."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from chassis.errors import FailedPrecondition, NotFound, require
from chassis.ids import format_name
from services.datasets.domain.costs import Prices
from services.datasets.domain.findings import Finding
from services.datasets.domain.provider_failures import TrainingWithoutVersion
from services.datasets.domain.provider_runs import Patience, ProviderRun, RunState, Told, ended, heard, tail
from services.datasets.domain.trainer_logs import failure_of, log_progress
from services.datasets.domain.training_parameters import TrainingParameters

NAME = "artists/{artist}/trainings/{training}"
COLLECTION = "trainings"
_DESTINATION = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}/[a-z0-9][a-z0-9._-]{0,99}")


class TrainingNotFound(NotFound):
    """There is no such training."""

    REASON = "TRAINING_NOT_FOUND"


class TrainerNotConfigured(FailedPrecondition):
    """No provider is set up, so nothing can be trained or generated."""

    REASON = "TRAINER_NOT_CONFIGURED"


class TrainingWouldFail(FailedPrecondition):
    """The trainer would fail on this dataset, or waste its money."""

    REASON = "TRAINING_WOULD_FAIL"


class ExportNotTrainable(FailedPrecondition):
    """The export is not finished, or not in the trainer's format."""

    REASON = "EXPORT_NOT_TRAINABLE"


class ArchiveNotPublic(FailedPrecondition):
    """The provider could not fetch the archive under the address that the gateway has."""

    REASON = "ARCHIVE_NOT_PUBLIC"


class TrainingNotSucceeded(FailedPrecondition):
    """There is no trained version to play yet, or there never will be."""

    REASON = "TRAINING_NOT_SUCCEEDED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Training(ProviderRun):
    """One training.

    Attributes:
        export: What is trained on, `artists/{artist}/exports/{export}`.
        archive_url: The input that the provider gets, unlike that of every other training.
        trainer: `owner/model:version`; the version may be `latest` until it is handed over.
        log_size: Length of the longest log seen, in characters; an older one never replaces a newer one.
    """

    export: str
    snapshot_uid: str
    snapshot_sha256: str
    destination: str
    archive_url: str
    trainer: str
    display_name: str = ""
    parameters: TrainingParameters = field(default_factory=TrainingParameters)
    create_destination: bool = False
    expected_cost_usd_micros: int = 0
    cost_usd_micros: int = 0
    predict_time_s: float = 0.0
    findings: tuple[Finding, ...] = ()
    version: str = ""
    weights_uri: str = ""
    log_tail: str = ""
    log_size: int = 0
    epoch: int = 0
    step: int = 0

    @property
    def name(self) -> str:
        """Its resource name."""
        return format_name(NAME, artist=self.artist, training=self.uid)

    @property
    def progress_percent(self) -> float:
        """Share done, as far as the log tells; 100 at the end alone."""
        if self.state is RunState.SUCCEEDED:
            return 100.0
        return min(99.0, 100.0 * self.step / self.parameters.steps)

    @property
    def charge_usd_micros(self) -> int:
        """What it counts in the budget: its cost once known, else what is expected; nothing if never taken."""
        if self.state.is_final and self.state is not RunState.LOST:
            return self.cost_usd_micros
        return max(self.cost_usd_micros, self.expected_cost_usd_micros)

    @property
    def inputs(self) -> dict[str, Any]:
        """What the provider is given."""
        return {"dataset_path": self.archive_url, **self.parameters.to_inputs()}


def checked_destination(destination: str) -> str:
    """The destination, if it has the form `owner/model`."""
    fits = _DESTINATION.fullmatch(destination) is not None
    require(fits, "training.destination", "owner/model in lower-case letters, digits, dots, dashes and underscores")
    return destination


def archive_input(archive_url: str, uid: str, *, plain_http: bool) -> str:
    """The address of the archive as this training's own input.

    The query tells trainings of one archive apart; the provider names its file after the path alone.

    Raises:
        ArchiveNotPublic: It is no https address, where the provider is not on this machine.
    """
    parts = urlsplit(archive_url)
    require(parts.path.endswith(".zip"), "archive_url", "an address whose path ends in .zip")
    if parts.scheme != "https" and not (plain_http and parts.scheme == "http"):
        raise ArchiveNotPublic(
            f"the provider fetches archives over https and the gateway's address is {parts.scheme}://{parts.netloc}; "
            "set TONEWRIGHT_GATEWAY_PUBLIC_URL to an https address that is reachable from outside"
        )
    return f"{archive_url}{'&' if parts.query else '?'}training={uid}"


def told_of(training: Training, told: Told, now: datetime, prices: Prices, patience: Patience) -> Training:
    """The training after the provider's news; terminal states never change, late news never takes anything back.

    Source: spec, T6 and T7: forward only; logs, metrics, version and weights are kept as they come.
    """
    if training.state.is_final or training.provider_id not in ("", told.id):
        return training
    after = heard(training, told, now, patience)
    newer_log = len(told.logs) >= training.log_size and told.logs
    progress = log_progress(told.logs, training.parameters.updates_per_epoch)
    output = told.output if isinstance(told.output, dict) else {}
    predict_time_s = max(training.predict_time_s, told.predict_time_s)
    running_s = (now - told.start_time).total_seconds() if told.start_time and not told.predict_time_s else 0.0
    after = replace(
        after,
        log_tail=tail(told.logs) if newer_log else training.log_tail,
        log_size=max(training.log_size, len(told.logs)),
        epoch=max(training.epoch, progress.epoch),
        step=max(training.step, progress.step),
        predict_time_s=predict_time_s,
        cost_usd_micros=prices.of(predict_time_s) or max(training.cost_usd_micros, prices.of(max(0.0, running_s))),
        version=str(output.get("version") or training.version)[:300],
        weights_uri=str(output.get("weights") or training.weights_uri)[:2000],
    )
    return _ended_as_told(after, told, now) if after.state.is_final else after


def _ended_as_told(training: Training, told: Told, now: datetime) -> Training:
    if training.state is RunState.CANCELLED:
        return ended(training, RunState.CANCELLED, now)
    if training.state is RunState.FAILED:
        return ended(training, RunState.FAILED, now, failure_of(told.status, told.error, told.logs))
    if not training.version:
        error = TrainingWithoutVersion("the provider says that it succeeded and names no version; look at its website")
        return ended(training, RunState.FAILED, now, error)
    return ended(replace(training, step=training.parameters.steps), RunState.SUCCEEDED, now)
