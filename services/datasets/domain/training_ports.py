"""What trainings and generations need from outside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from chassis.paging import Page
from services.datasets.domain.costs import Past
from services.datasets.domain.findings import Finding
from services.datasets.domain.generations import Generation
from services.datasets.domain.ports import RequestKey
from services.datasets.domain.provider_runs import ProviderRun, Told
from services.datasets.domain.training_parameters import TrainingParameters
from services.datasets.domain.trainings import Training

RunT = TypeVar("RunT", bound=ProviderRun)


class Provider(Protocol):
    """A provider's API.

    Every call raises ProviderAway or ProviderThrottled when nothing was taken, ProviderUnsure when that is unclear,
    and ProviderRefused when the provider will not.
    """

    def trainer_version(self, trainer: str) -> str:
        """The trainer with its version; `latest` is looked up."""
        ...

    def ensure_destination(self, destination: str, *, create: bool) -> None:
        """Nothing if the model exists or was made now, else ProviderRefused."""
        ...

    def start_training(self, trainer: str, destination: str, inputs: dict[str, Any], webhook_url: str) -> Told:
        """A new training."""
        ...

    def training(self, provider_id: str) -> Told | None:
        """One training, None if the provider does not know it."""
        ...

    def find_training(self, input_url: str, since: datetime) -> Told | None:
        """The training with this input, taken at or after that time; None if there is none."""
        ...

    def cancel_training(self, provider_id: str) -> Told | None:
        """The training after the wish to stop it, None if the provider does not know it."""
        ...

    def start_prediction(self, version: str, inputs: dict[str, Any], webhook_url: str) -> Told:
        """A new prediction of a version."""
        ...

    def prediction(self, provider_id: str) -> Told | None:
        """One prediction, None if the provider does not know it."""
        ...

    def predictions(self, version: str, since: datetime) -> list[Told]:
        """Predictions of the version taken at or after that time, newest first."""
        ...

    def cancel_prediction(self, provider_id: str) -> Told | None:
        """The prediction after the wish to stop it, None if the provider does not know it."""
        ...

    def webhook_secret(self, *, fresh: bool = False) -> str:
        """What webhooks are signed with, `whsec_…`; `fresh` asks the provider again."""
        ...

    def read_webhook(self, body: bytes) -> Told | None:
        """The run that a webhook's body tells of, None if it tells of none."""
        ...

    def check_archive(self, url: str) -> None:
        """Nothing if a ranged GET gives the start of a zip file, else ProviderRefused."""
        ...

    def fetch_output(self, url: str) -> OutputFile:
        """The audio behind a prediction's output, or ProviderRefused; close it when done."""
        ...


class OutputFile(Protocol):
    """Fetched audio in a temporary file."""

    @property
    def path(self) -> str:
        """Where it lies."""
        ...

    @property
    def size_bytes(self) -> int:
        """Its size."""
        ...

    @property
    def sha256(self) -> str:
        """SHA-256 of its bytes."""
        ...

    @property
    def media_type(self) -> str:
        """What the sender calls it."""
        ...

    def close(self) -> None:
        """Remove the file."""
        ...


class RunStore(Protocol[RunT]):
    """Runs of one kind, of all artists."""

    def get(self, artist: str, uid: str) -> RunT:
        """The run, or its NotFound."""
        ...

    def replace(self, before: RunT, after: RunT) -> RunT:
        """The run changed, if it still is as before; EtagMismatch otherwise."""
        ...

    def due(self, now: datetime, limit: int) -> list[RunT]:
        """Unfinished runs that want to be looked at, of all artists, longest waiting first."""
        ...

    def by_provider_id(self, provider_id: str) -> RunT | None:
        """The run that has this id at the provider."""
        ...

    def unfinished(self) -> tuple[int, datetime | None]:
        """How many runs have not ended, and the oldest last news of those that the provider has."""
        ...


@dataclass(frozen=True, slots=True)
class TrainingFilter:
    """Which trainings are listed: those that used all of these; empty for any."""

    item_uid: str = ""
    asset: str = ""
    live_set: str = ""


@dataclass(frozen=True, slots=True)
class Spent:
    """What trainings cost, in millionths of a US dollar."""

    today_usd_micros: int
    ever_usd_micros: int


class TrainingStore(RunStore[Training], Protocol):
    """Trainings of all artists."""

    def replayed(self, artist: str, key: RequestKey) -> Training | None:
        """What an earlier request of this key made."""
        ...

    def add(self, training: Training, key: RequestKey, allow: Callable[[Spent], None]) -> Training:
        """The stored training; a repeat gives what the first one made. `allow` raises when too much is spent.

        Additions of one artist wait for each other, so that two cannot both take the last of a budget.
        """
        ...

    def page(self, artist: str, wanted: TrainingFilter, *, size: int, token: str) -> Page[Training]:
        """Trainings, newest first."""
        ...

    def by_input(self, archive_url: str) -> Training | None:
        """The training with this input."""
        ...

    def past(self, artist: str, model_version: str, limit: int, *, paid: bool) -> list[Past]:
        """Trainings of the base model that have ended well, newest first; only those that cost something, or all."""
        ...

    def spent(self, artist: str) -> Spent:
        """What trainings of the artist cost."""
        ...


class GenerationStore(RunStore[Generation], Protocol):
    """Generations of all artists."""

    def replayed(self, artist: str, key: RequestKey) -> Generation | None:
        """What an earlier request of this key made."""
        ...

    def add(self, generation: Generation, key: RequestKey) -> Generation:
        """The stored generation; a repeat gives what the first one made."""
        ...

    def page(self, artist: str, training: str, *, size: int, token: str) -> Page[Generation]:
        """Generations, newest first; of one training, if named."""
        ...

    def known_ids(self, provider_ids: Sequence[str]) -> set[str]:
        """Those of the provider's ids that belong to a generation."""
        ...


class WebhookEvents(Protocol):
    """Webhooks whose news is kept."""

    def seen(self, event_id: str) -> bool:
        """Whether the event was remembered."""
        ...

    def remember(self, event_id: str, run: ProviderRun, now: datetime) -> None:
        """Keep the event's id; a repeat changes nothing."""
        ...

    def purge(self, before: datetime) -> None:
        """Forget events that are older: their signatures are refused for their age."""
        ...


class Emulate(Protocol):
    """Says what the trainer would do with an export."""

    def __call__(self, artist: str, export_uid: str, parameters: TrainingParameters) -> Sequence[Finding]:
        """Findings of the whole and of its items; an ERROR makes the training fail or waste its money."""
        ...


class Keeper(Protocol):
    """Makes assets of files, on behalf of the current caller."""

    def keep(self, artist: str, file: OutputFile, display_name: str, holder: str) -> str:
        """Name of the asset, held by the holder; a repeat gives the same."""
        ...
