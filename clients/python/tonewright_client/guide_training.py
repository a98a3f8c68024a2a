"""The second half of the guided way: a training of the dataset, and a clip from what was trained."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import cast

from tonewright_client.client import ArtistHandle
from tonewright_client.guide import key_of
from tonewright_client.guide_outcome import Outcome, View
from tonewright_client.models import Export, Generation, Training
from tonewright_client.money import MICROS, usd
from tonewright_client.trainings import TrainingInputs
from tonewright_client.transport import Json

_OVER = ("FAILED", "CANCELLED", "LOST")
_SUFFIXES = {"audio/wav": ".wav", "audio/mpeg": ".mp3", "audio/flac": ".flac"}


class NotStarted(Exception):
    """No training was started; the message says why and what to do."""


class Trainer:
    """Trains on a dataset for one artist: one training per archive, model and inputs, however often it is asked.

    Args:
        artist: Whose it is.
        inputs: Of the training.
        view: Is told of everything.
    """

    def __init__(self, artist: ArtistHandle, inputs: TrainingInputs, view: View) -> None:
        self._artist, self._inputs, self._view = artist, inputs, view

    def train(self, outcome: Outcome, export: Export, destination: str, max_cost_usd: float) -> Training:
        """The training at its end; one of an earlier run is followed and not started again.

        Raises:
            NotStarted: There is no trainer, the dataset is not ready, or it is expected to cost more.
            OperationFailed: It failed or was cancelled.
        """
        self._view.step("training")
        self._refuse_early(outcome, max_cost_usd)
        same = [one for one in self._artist.trainings.list() if self._is_same(one, export, destination)]
        running = [one for one in same if one["state"] not in _OVER]
        if running:
            self._view.said(f"{running[0]['name']} was started before: following it")
            operation = self._artist.operations.of(running[0]["name"])
        else:
            operation = self._artist.trainings.start(
                export["name"],
                destination,
                max_cost_usd=max_cost_usd,
                parameters=self._inputs,
                create_destination=True,
                idempotency_key=key_of("training", export["name"], destination, self._inputs, len(same)),
            )
        outcome.training = cast(Training, self._view.wait(operation, "training"))
        cost = usd(outcome.training["cost_usd_micros"])
        self._view.said(f"{outcome.training['name']} made {outcome.training['version']} for {cost}")
        return outcome.training

    def _refuse_early(self, outcome: Outcome, max_cost_usd: float) -> None:
        budget = self._artist.trainings.budget()
        if budget["stand_in"]:
            self._view.warned("no provider is set up: a stand-in plays the training, and nothing is trained")
        if not budget["configured"]:
            raise NotStarted(
                "no trainer is set up: the operator sets TONEWRIGHT_DATASETS_REPLICATE_TOKEN; then run this again"
            )
        if outcome.readiness is not None and not outcome.readiness["ready"]:
            raise NotStarted("the dataset is not ready: mend what is named above, then run this again")
        emulation = outcome.emulation
        if emulation is None:
            return
        if not emulation["succeeds"]:
            raise NotStarted("the training would fail: mend the errors above, then run this again")
        if emulation["expected_cost_usd_micros"] > max_cost_usd * MICROS:
            expected = usd(emulation["expected_cost_usd_micros"])
            raise NotStarted(f"it is expected to cost {expected}, more than --max-cost {max_cost_usd:g} allows")

    def _is_same(self, training: Training, export: Export, destination: str) -> bool:
        parameters = cast(Json, training["parameters"] or {})
        return (
            training["export"] == export["name"]
            and training["destination"] == destination
            and all(parameters.get(name) == value for name, value in self._inputs.items())
        )

    def play(self, outcome: Outcome, training: Training, prompt: str, stem: Path) -> Path:
        """A clip of the trained version, downloaded beside `stem`; the same prompt is not paid for twice.

        Raises:
            OperationFailed: No audio came of it.
        """
        self._view.step("a clip")
        made = list(self._artist.generations.list(training=training["name"]))
        done = next((one for one in made if one["prompt"] == prompt and one["state"] == "SUCCEEDED"), None)
        if done is None:
            key = key_of("generation", training["name"], prompt, len(made))
            started = self._artist.generations.start(training["name"], prompt, idempotency_key=key)
            done = cast(Generation, self._view.wait(started, "generating"))
        outcome.generation = done
        asset = self._artist.assets.get(done["asset"])
        suffix = _SUFFIXES.get(asset["media_type"]) or mimetypes.guess_extension(asset["media_type"]) or ".audio"
        target = stem.with_name(f"{stem.name}-clip{suffix}")
        outcome.clip = self._artist.assets.download(done["asset"], target, on_bytes=self._view.uploading(target.name))
        self._view.said(f"{target}: {asset['duration_s']:.1f} s")
        return outcome.clip
