"""Takes the provider's webhooks: believed for their signature, applied forward only, each once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from chassis.clock import Clock
from chassis.errors import AppError, NotFound
from chassis.logs import get_logger
from chassis.metrics import counter
from services.datasets.domain.generations import Generation
from services.datasets.domain.provider_runs import ProviderAway, ProviderRefused, ProviderUnsure, Told
from services.datasets.domain.training_ports import GenerationStore, Provider, TrainingStore, WebhookEvents
from services.datasets.domain.trainings import Training
from services.datasets.domain.webhook_signatures import TOLERANCE_S, WebhookRefused, check_age, is_signed
from services.datasets.use_cases.provider_runs import Course
from services.datasets.use_cases.trainings import Setup

log = get_logger(__name__)
PROVIDER = "replicate"
_TOLD = counter("tonewright_datasets_training_webhooks_total", "Webhooks by what became of them", ("outcome",))


class WebhookProviderUnknown(NotFound):
    """No provider of that name sends webhooks here."""

    REASON = "WEBHOOK_PROVIDER_UNKNOWN"


class Webhooks:
    """What comes from the provider without being asked for."""

    def __init__(
        self,
        events: WebhookEvents,
        trainings: tuple[TrainingStore, Course[Training]],
        generations: tuple[GenerationStore, Course[Generation]],
        provider: Provider,
        setup: Setup,
        clock: Clock,
    ) -> None:
        self._events, self._provider, self._setup, self._clock = events, provider, setup, clock
        self._trainings, self._training_course = trainings
        self._generations, self._generation_course = generations

    def receive(self, provider: str, headers: Mapping[str, str], body: bytes) -> None:
        """Apply what a webhook tells; a repeat, and what is about no run of ours, changes nothing and is no error.

        What is unknown is accepted, since a refusal would only make the provider send it again.

        Raises:
            WebhookProviderUnknown: There is no such provider, or none is set up.
            WebhookRefused: The signature or its time do not fit.
        """
        if provider != PROVIDER or not self._setup.is_configured:
            raise WebhookProviderUnknown(f"no provider {provider[:40]!r} sends webhooks here; check the address")
        try:
            event_id = check_age(headers, self._clock.now())
            self._check_signature(headers, body)
        except AppError:
            _TOLD.labels("refused").inc()
            raise
        _TOLD.labels(self._apply(event_id, body)).inc()

    def purge(self) -> None:
        """Forget webhooks whose signatures are too old to be repeated."""
        self._events.purge(self._clock.now() - timedelta(seconds=4 * TOLERANCE_S))

    def _check_signature(self, headers: Mapping[str, str], body: bytes) -> None:
        try:
            fits = is_signed(headers, body, self._provider.webhook_secret())
            # The secret may have been replaced at the provider; it is asked for anew at most now and then.
            fits = fits or is_signed(headers, body, self._provider.webhook_secret(fresh=True))
        except (ProviderAway, ProviderUnsure, ProviderRefused) as error:
            log.warning("webhook_secret_unknown", fault=str(error)[:200])
            fits = False
        if not fits:
            raise WebhookRefused("the webhook's signature does not fit its bytes; it is not from the provider")

    def _apply(self, event_id: str, body: bytes) -> str:
        if self._events.seen(event_id):
            return "replayed"
        told = self._provider.read_webhook(body)
        if told is None:
            return "unreadable"
        run = self._heard(told)
        if run is None:
            return "unknown"
        # Kept after it was applied: if this process dies between the two, the repeat changes nothing anyway.
        self._events.remember(event_id, run, self._clock.now())
        return "applied"

    def _heard(self, told: Told) -> Training | Generation | None:
        generation = self._generations.by_provider_id(told.id)
        if generation is not None:
            return self._generation_course.hear(generation, told)
        training = self._trainings.by_provider_id(told.id)
        if training is None:
            # The provider tells of it before its answer to our submission came; the input says which it is.
            kept = self._trainings.by_input(str(told.input.get("dataset_path", "")))
            training = kept if kept is not None and kept.is_in_doubt else None
        return self._training_course.hear(training, told) if training is not None else None
