"""How trainings, and how generations, are handed to a provider and what is made of its news."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from datetime import datetime, timedelta

from chassis.clock import Clock
from chassis.errors import AppError, Unavailable
from chassis.logs import get_logger
from chassis.metrics import counter
from services.datasets.domain.costs import Prices
from services.datasets.domain.generations import Generation, heard_of
from services.datasets.domain.provider_failures import ArchiveUnreachable, GenerationOutputLost
from services.datasets.domain.provider_runs import (
    Patience,
    ProviderAway,
    ProviderRefused,
    RunState,
    Told,
    ended,
)
from services.datasets.domain.training_ports import GenerationStore, Keeper, Provider
from services.datasets.domain.trainings import Training, told_of

log = get_logger(__name__)
_SUBMISSIONS = counter(
    "tonewright_datasets_training_submissions_total",
    "Tries to hand work to the provider, by what became of them",
    ("kind", "outcome"),
)
_ENDS = counter("tonewright_datasets_training_ends_total", "Work of the provider that ended", ("kind", "state"))
# Clocks of two machines differ; what is older than this before the first try is not ours.
_CLOCKS = timedelta(minutes=10)
_MAX_DELIVERIES = 20
_ARCHIVE_TRIES = 8  # about four minutes
ActingFor = Callable[[str, str], AbstractContextManager[None]]


class TrainingKind:
    """Trainings."""

    noun = "training"

    def __init__(self, provider: Provider, prices: Prices, patience: Patience) -> None:
        self._provider, self._prices, self._patience = provider, prices, patience

    def prepare(self, run: Training) -> Training:
        """The training with its archive and destination checked, and its trainer's version looked up."""
        try:
            self._provider.check_archive(run.archive_url)
        except ProviderAway as away:
            if run.checks < _ARCHIVE_TRIES:
                raise
            text = "nobody answers at the archive's address; check TONEWRIGHT_GATEWAY_PUBLIC_URL and start again"
            raise ProviderRefused(ArchiveUnreachable(text)) from away
        self._provider.ensure_destination(run.destination, create=run.create_destination)
        return replace(run, trainer=self._provider.trainer_version(run.trainer))

    def start(self, run: Training) -> Told:
        """Hand it over."""
        return self._provider.start_training(run.trainer, run.destination, run.inputs, run.webhook_url)

    def find(self, run: Training) -> Told | None:
        """The provider's training with this one's input."""
        return self._provider.find_training(run.archive_url, run.create_time - _CLOCKS)

    def look(self, run: Training) -> Told | None:
        """How it stands."""
        return self._provider.training(run.provider_id)

    def stop(self, run: Training) -> Told | None:
        """How it stands after the wish to stop it."""
        return self._provider.cancel_training(run.provider_id)

    def told(self, run: Training, told: Told, now: datetime) -> Training:
        """The training after the provider's news."""
        return told_of(run, told, now, self._prices, self._patience)

    def finish(self, run: Training) -> Training | None:
        """None: the provider does it all."""
        return None

    def counted(self, outcome: str) -> None:
        """Count one submission that came to this."""
        _SUBMISSIONS.labels(self.noun, outcome).inc()

    def has_ended(self, run: Training) -> None:
        """Count one end."""
        _ENDS.labels(self.noun, run.state.value).inc()


class GenerationKind:
    """Generations."""

    noun = "generation"

    def __init__(
        self,
        provider: Provider,
        store: GenerationStore,
        keeper: Keeper,
        acting_for: ActingFor,
        *,
        clock: Clock,
        patience: Patience,
    ) -> None:
        self._provider, self._store, self._keeper = provider, store, keeper
        self._acting_for, self._clock, self._patience = acting_for, clock, patience

    def prepare(self, run: Generation) -> Generation:
        """The generation as it is."""
        return run

    def start(self, run: Generation) -> Told:
        """Hand it over."""
        return self._provider.start_prediction(run.version, run.inputs, run.webhook_url)

    def find(self, run: Generation) -> Told | None:
        """The provider's prediction with this one's inputs that belongs to no other generation."""
        made = [
            told
            for told in self._provider.predictions(run.version, run.create_time - _CLOCKS)
            if all(told.input.get(name) == value for name, value in run.inputs.items())
        ]
        taken = self._store.known_ids([told.id for told in made])
        return next((told for told in reversed(made) if told.id not in taken), None)

    def look(self, run: Generation) -> Told | None:
        """How it stands."""
        return self._provider.prediction(run.provider_id)

    def stop(self, run: Generation) -> Told | None:
        """How it stands after the wish to stop it."""
        return self._provider.cancel_prediction(run.provider_id)

    def told(self, run: Generation, told: Told, now: datetime) -> Generation:
        """The generation after the provider's news."""
        return heard_of(run, told, now, self._patience)

    def finish(self, run: Generation) -> Generation | None:
        """The generation with its audio as an asset, once there is audio."""
        if not run.output_url:
            return None
        now = self._clock.now()
        try:
            asset = self._deliver(run)
        except ProviderRefused as refused:
            return ended(run, RunState.FAILED, now, refused.error)
        except (Unavailable, ProviderAway) as error:
            log.warning("delivery_postponed", generation=run.uid, error=type(error).__name__)
            return self._again(run, now)
        except AppError as error:
            return ended(run, RunState.FAILED, now, error)
        return ended(replace(run, asset=asset), RunState.SUCCEEDED, now)

    def _deliver(self, run: Generation) -> str:
        with closing(self._provider.fetch_output(run.output_url)) as file, self._acting_for(run.artist, run.principal):
            words = " ".join(run.sampling.prompt.split())[:80] or "generation"
            return self._keeper.keep(run.artist, file, f"{words}.wav", run.name)

    def _again(self, run: Generation, now: datetime) -> Generation:
        if run.deliveries + 1 >= _MAX_DELIVERIES:
            text = "the provider's audio could not be fetched and kept while the provider had it; generate again"
            return ended(run, RunState.FAILED, now, GenerationOutputLost(text))
        wait = timedelta(seconds=self._patience.poll_s(run.deliveries))
        return replace(run, deliveries=run.deliveries + 1, check_time=now + wait, update_time=now)

    def counted(self, outcome: str) -> None:
        """Count one submission that came to this."""
        _SUBMISSIONS.labels(self.noun, outcome).inc()

    def has_ended(self, run: Generation) -> None:
        """Count one end."""
        _ENDS.labels(self.noun, run.state.value).inc()
