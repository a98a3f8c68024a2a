"""What a person does with trainings, and what they were made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from chassis.clock import Clock
from chassis.errors import Violation, require
from chassis.ids import new_uid, parse_name
from chassis.paging import Page
from services.datasets.domain import training_parameters
from services.datasets.domain.costs import Expected, Prices, expected_seconds
from services.datasets.domain.export_rules import MIN_PAIRS
from services.datasets.domain.exports import NAME as EXPORT_NAME
from services.datasets.domain.exports import Export, JobState
from services.datasets.domain.findings import Finding, Severity
from services.datasets.domain.ports import ExportStore, RequestKey, SnapshotStore
from services.datasets.domain.snapshots import SnapshotMember
from services.datasets.domain.training_parameters import TrainingParameters
from services.datasets.domain.training_ports import (
    Emulate,
    Spent,
    TrainingFilter,
    TrainingStore,
)
from services.datasets.domain.trainings import (
    ArchiveNotPublic,
    ExportNotTrainable,
    TrainerNotConfigured,
    Training,
    TrainingWouldFail,
    archive_input,
    checked_destination,
)
from services.datasets.use_cases.provider_runs import cancel_wish, changed

REQUEST_ID = "1 to 255 characters, over HTTP in the header Idempotency-Key"
_FORMAT = "REPLICATE_MUSICGEN"
_PAST = 20  # trainings that an estimate looks back on
_MOST_FINDINGS = 1000


@dataclass(frozen=True, slots=True)
class Setup:
    """How trainings are done here.

    Attributes:
        trainer: `owner/model:version` that new trainings run; empty where no provider is set up.
        prices: What is paid and what may be.
        is_standin: Whether the provider only plays one, on this machine.
        plain_http: Whether the provider fetches plain http addresses, as one on this machine does.
    """

    trainer: str = ""
    prices: Prices = field(default_factory=lambda: Prices(0))
    is_standin: bool = False
    plain_http: bool = False

    @property
    def is_configured(self) -> bool:
        """Whether anything can be trained."""
        return bool(self.trainer)

    def require_provider(self) -> None:
        """Raise TrainerNotConfigured where there is no provider."""
        if not self.is_configured:
            raise TrainerNotConfigured(
                "no trainer is set up here; set TONEWRIGHT_DATASETS_REPLICATE_TOKEN to a token of Replicate"
            )

    def webhook(self, url: str) -> str:
        """The address for webhooks, empty where the provider could not reach it: then polling does."""
        fits = url.startswith("https://") or (self.plain_http and url.startswith("http://"))
        return url if fits and len(url) <= 2000 else ""


@dataclass(frozen=True, slots=True)
class TrainingWish:
    """What a caller wants trained."""

    export: str
    destination: str
    max_cost_usd_micros: int
    archive_url: str
    display_name: str = ""
    webhook_url: str = ""
    create_destination: bool = False
    parameters: TrainingParameters = field(default_factory=TrainingParameters)


@dataclass(frozen=True, slots=True)
class Budget:
    """What trainings may cost and have cost."""

    setup: Setup
    spent: Spent


class TrainingDesk:
    """Trainings as people ask for them and read them."""

    def __init__(
        self,
        store: TrainingStore,
        export_store: ExportStore,
        snapshot_store: SnapshotStore,
        emulate: Emulate,
        setup: Setup,
        clock: Clock,
    ) -> None:
        self._store, self._exports, self._snapshots = store, export_store, snapshot_store
        self._emulate, self._setup, self._clock = emulate, setup, clock

    def create(self, artist: str, principal: str, wish: TrainingWish, key: RequestKey) -> Training:
        """A training that is about to be handed over; the loop does that.

        Raises:
            TrainerNotConfigured: There is no provider.
            ExportNotTrainable: The export is not finished or not in the trainer's format.
            TrainingWouldFail: The emulated trainer fails on it or would waste the money.
            TrainingTooExpensive: More is expected than was agreed to, or than one may cost.
            TrainingBudgetSpent: The day's budget is spent.
        """
        require(bool(key.request_id), "request_id", f"{REQUEST_ID}; a training costs money")
        require(wish.max_cost_usd_micros >= 1, "max_cost_usd_micros", "1 or more: what you agree to spend")
        require(len(wish.display_name) <= 255, "training.display_name", "0 to 255 characters")
        printable = not wish.display_name or wish.display_name.isprintable()
        require(printable, "training.display_name", "one line without control characters")
        if (made := self._store.replayed(artist, key)) is not None:
            return made
        self._setup.require_provider()
        training_parameters.checked(wish.parameters)
        checked_destination(wish.destination)
        require_archive(wish.archive_url)
        _, export_uid = parse_name(EXPORT_NAME, wish.export, field="training.export").values()
        export = _checked_export(self._exports.get(artist, export_uid))
        snapshot = self._snapshots.get(artist, export.snapshot_uid)
        findings = self._findings(export, wish.parameters)
        expected = self.expected(artist, wish.parameters.model_version, wish.parameters.steps)
        self._setup.prices.check(expected, wish.max_cost_usd_micros)
        uid, now = new_uid(), self._clock.now()
        training = Training(
            artist=artist,
            uid=uid,
            principal=principal,
            create_time=now,
            update_time=now,
            check_time=now,
            webhook_url=self._setup.webhook(wish.webhook_url),
            export=wish.export,
            snapshot_uid=export.snapshot_uid,
            snapshot_sha256=snapshot.content_sha256,
            destination=wish.destination,
            create_destination=wish.create_destination,
            archive_url=archive_input(wish.archive_url, uid, plain_http=self._setup.plain_http),
            trainer=self._setup.trainer,
            display_name=wish.display_name or wish.destination,
            parameters=wish.parameters,
            expected_cost_usd_micros=expected.cost_usd_micros,
            findings=tuple(findings[:_MOST_FINDINGS]),
        )
        allow = lambda spent: self._setup.prices.check_day(expected, spent.today_usd_micros)  # noqa: E731
        return self._store.add(training, key, allow)

    def get(self, artist: str, uid: str) -> Training:
        """One training."""
        return self._store.get(artist, uid)

    def page(self, artist: str, wanted: TrainingFilter, *, size: int, token: str) -> Page[Training]:
        """Trainings, newest first; those that used something, if asked."""
        return self._store.page(artist, wanted, size=size, token=token)

    def cancel(self, artist: str, uid: str) -> Training:
        """The training after the wish to stop it; one that has ended stays as it is."""
        found, now = self._store.get(artist, uid), self._clock.now()
        return changed(self._store, found, lambda kept: cancel_wish(kept, now))

    def budget(self, artist: str) -> Budget:
        """What trainings may cost and have cost."""
        return Budget(self._setup, self._store.spent(artist))

    def expected(self, artist: str, model_version: str, steps: int) -> Expected:
        """What so many steps of a base model take and cost, by the artist's own history where there is one.

        Where time costs money, trainings that cost nothing do not count: a stand-in is much faster than a trainer.
        """
        paid = self._setup.prices.usd_micros_per_s > 0
        seconds = expected_seconds(steps, self._store.past(artist, model_version, _PAST, paid=paid))
        return Expected(seconds, self._setup.prices.of(seconds))

    def _findings(self, export: Export, parameters: TrainingParameters) -> list[Finding]:
        emulated = self._emulate(export.artist, export.uid, parameters)
        members = self._snapshots.members(export.artist, export.snapshot_uid, provenance=False)
        found = _without_repeats([*emulated, *_consent(members)])
        errors = [finding for finding in found if finding.severity is Severity.ERROR]
        if export.item_count < MIN_PAIRS:
            errors.append(Finding("FEW_PAIRS", _few(export.item_count), severity=Severity.ERROR))
        if errors:
            shown = "; ".join(f"{error.reason}: {error.message}" for error in errors[:3])
            raise TrainingWouldFail(
                f"the trainer would fail or waste its money: {shown}; mend it and export again",
                violations=[Violation(error.training_item or error.reason, error.message) for error in errors[:100]],
                metadata={"count": str(len(errors))},
            )
        if self._setup.is_standin:
            text = (
                "this installation trains with a stand-in on this machine; its versions play tones, not a tuned model"
            )
            found.insert(0, Finding("TRAINER_IS_STANDIN", text))
        return found


def _checked_export(export: Export) -> Export:
    if export.state is not JobState.SUCCEEDED:
        raise ExportNotTrainable(
            f"{export.name} is {export.state.value}; train once it has SUCCEEDED",
            metadata={"state": export.state.value},
        )
    kind = export.export_format.value
    if kind != _FORMAT:
        raise ExportNotTrainable(
            f"{export.name} has format {kind} and the trainer reads {_FORMAT}; export the items again",
            metadata={"format": kind},
        )
    return export


def _few(count: int) -> str:
    return f"{count} pairs; a training wants at least {MIN_PAIRS}, better more"


def _consent(members: Sequence[SnapshotMember]) -> list[Finding]:
    found = []
    for member in members:
        if member.consent.is_refused:
            text = "somebody said no to training on this audio; export again without the item"
            found.append(Finding("CONSENT_REFUSED", text, member.item_name, Severity.ERROR))
        elif not member.consent.training_allowed:
            text = "nobody is known to have allowed training on this audio; set the item's consent"
            found.append(Finding("CONSENT_UNKNOWN", text, member.item_name))
    return found


def _without_repeats(findings: Sequence[Finding]) -> list[Finding]:
    kept: dict[tuple[str, str], Finding] = {}
    for finding in findings:
        kept.setdefault((finding.reason, finding.training_item), finding)
    return list(kept.values())


def require_archive(url: str) -> None:
    """Raise ArchiveNotPublic where the gateway gave no address of the archive."""
    if not url:
        raise ArchiveNotPublic("no address of the archive came with the request; start trainings through the gateway")
