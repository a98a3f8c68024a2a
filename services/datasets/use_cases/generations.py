"""What a person does with generations."""

from __future__ import annotations

from chassis.clock import Clock
from chassis.errors import require
from chassis.ids import new_uid, parse_name
from chassis.paging import Page
from services.datasets.domain import trainings
from services.datasets.domain.generations import Generation, Sampling
from services.datasets.domain.ports import RequestKey
from services.datasets.domain.provider_runs import RunState
from services.datasets.domain.training_ports import GenerationStore, TrainingStore
from services.datasets.domain.trainings import TrainingNotSucceeded
from services.datasets.use_cases.provider_runs import cancel_wish, changed
from services.datasets.use_cases.trainings import REQUEST_ID, Setup


class GenerationDesk:
    """Generations as people ask for them and read them."""

    def __init__(self, store: GenerationStore, training_store: TrainingStore, setup: Setup, clock: Clock) -> None:
        self._store, self._trainings, self._setup, self._clock = store, training_store, setup, clock

    def create(
        self, artist: str, principal: str, training: str, sampling: Sampling, webhook_url: str, key: RequestKey
    ) -> Generation:
        """A generation that is about to be handed over.

        Raises:
            TrainerNotConfigured: There is no provider.
            TrainingNotSucceeded: The training has no version to play.
        """
        require(bool(key.request_id), "request_id", f"{REQUEST_ID}; a generation costs money")
        if (made := self._store.replayed(artist, key)) is not None:
            return made
        self._setup.require_provider()
        owner, uid = parse_name(trainings.NAME, training, field="generation.training").values()
        require(owner == artist, "generation.training", f"a training of artists/{artist}")
        found, now = self._trainings.get(artist, uid), self._clock.now()
        if found.state is not RunState.SUCCEEDED:
            raise TrainingNotSucceeded(
                f"{found.name} is {found.state.value}; music can be generated once it has SUCCEEDED",
                metadata={"state": found.state.value},
            )
        generation = Generation(
            artist=artist,
            uid=new_uid(),
            principal=principal,
            create_time=now,
            update_time=now,
            check_time=now,
            webhook_url=self._setup.webhook(webhook_url),
            training=training,
            version=found.version,
            sampling=sampling.seeded(),
        )
        return self._store.add(generation, key)

    def get(self, artist: str, uid: str) -> Generation:
        """One generation."""
        return self._store.get(artist, uid)

    def page(self, artist: str, training: str, *, size: int, token: str) -> Page[Generation]:
        """Generations, newest first; of one training, if named."""
        uid = parse_name(trainings.NAME, training, field="training")["training"] if training else ""
        return self._store.page(artist, uid, size=size, token=token)

    def cancel(self, artist: str, uid: str) -> Generation:
        """The generation after the wish to stop it; one that has ended stays as it is."""
        found, now = self._store.get(artist, uid), self._clock.now()
        return changed(self._store, found, lambda kept: cancel_wish(kept, now))
