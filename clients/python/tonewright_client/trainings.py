"""Trainings at a provider: what they will do and cost, starting and following them, music from them, lineage."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import TypedDict, Unpack, cast

from tonewright_client.collections import Collection
from tonewright_client.exports import ExportChoices
from tonewright_client.models import (
    EmulateTrainingResponse,
    Generation,
    Lineage,
    Operation,
    Training,
    TrainingBudget,
)
from tonewright_client.money import micros
from tonewright_client.training_items import SelectionFields
from tonewright_client.transport import Json, Transport


class TrainingInputs(TypedDict, total=False):
    """Inputs of a training; one left out has the trainer's default."""

    model_version: str
    """stereo-melody (default), stereo-small, stereo-medium, melody, small, medium."""
    epochs: int
    updates_per_epoch: int
    batch_size: int
    """A multiple of 8."""
    optimizer: str
    learning_rate: float
    learning_rate_scheduler: str
    warmup_steps: int
    unconditioned_share: float
    auto_labeling: bool
    drop_vocals: bool
    one_same_description: str


class ForeignFile(TypedDict, total=False):
    """One file of an archive that was made elsewhere."""

    path: str
    duration_s: float
    rate_hz: int
    channels: int
    text: str


class EmulationFields(TypedDict, total=False):
    """What to emulate: a snapshot, an export, files of an archive made elsewhere, or else a selection of items."""

    selection: SelectionFields
    snapshot: str
    export: str
    files: Sequence[ForeignFile]
    parameters: TrainingInputs
    options: ExportChoices


class Trainings(Collection[Training]):
    """Trainings of models; list those of one piece with `asset=`, `training_item=` or `live_set=`."""

    COLLECTION = "trainings"
    FIELD = "trainings"

    def emulate(self, **what: Unpack[EmulationFields]) -> EmulateTrainingResponse:
        """What the trainer will do with each file, and what it is expected to cost; changes nothing."""
        found = self._transport.post(f"{self._base}:emulate", dict(what), timeout_s=130.0)
        return cast(EmulateTrainingResponse, found)

    def start(
        self,
        export: str,
        destination: str,
        *,
        max_cost_usd: float,
        parameters: TrainingInputs | None = None,
        create_destination: bool = False,
        display_name: str = "",
        idempotency_key: str | None = None,
    ) -> Operation:
        """Start one at the provider: once per key, whatever fails on the way.

        Args:
            export: A finished export.
            destination: The provider's model that receives the version, `owner/model`.
            max_cost_usd: Most that it may be expected to cost; this is the agreement to spend that much.
            parameters: Inputs of the training.
            create_destination: Make the destination as a private model if it does not exist.
            display_name: Title for people.
            idempotency_key: Names the request; default: a new one.
        """
        training: Json = {"export": export, "destination": destination, "display_name": display_name}
        if parameters:
            training["parameters"] = dict(parameters)
        body = {
            "training": training,
            "max_cost_usd_micros": micros(max_cost_usd),
            "create_destination": create_destination,
        }
        return self._start(self._base, body, idempotency_key=idempotency_key or str(uuid.uuid4()))

    def cancel(self, name: str) -> Training:
        """Ask the provider to stop it."""
        return cast(Training, self._transport.post(f"{self.path(name)}:cancel"))

    def lineage(self, name: str) -> Lineage:
        """What it was made of: archive, snapshot, and every member with caption, Live Set, licence and consent."""
        return _lineage(self._transport, self.path(name))

    def budget(self) -> TrainingBudget:
        """What trainings may cost and have cost; `configured` says whether there is a provider at all."""
        return cast(TrainingBudget, self._transport.get(f"/v1/{self._artist}/training-budget"))


class GenerationFields(TypedDict, total=False):
    """How music is made from a trained version."""

    duration_s: int
    """1 to 120; default 8."""
    seed: int
    temperature: float
    top_k: int
    top_p: float
    guidance: int
    """How closely to follow the prompt, 1 to 20; default 3."""


class Generations(Collection[Generation]):
    """Music made by trained versions; list those of one training with `training=`."""

    COLLECTION = "generations"
    FIELD = "generations"

    def start(
        self, training: str, prompt: str, *, idempotency_key: str | None = None, **how: Unpack[GenerationFields]
    ) -> Operation:
        """Ask for music; the finished generation names its asset."""
        body = {"training": training, "prompt": prompt, **how}
        return self._start(self._base, body, idempotency_key=idempotency_key or str(uuid.uuid4()))

    def cancel(self, name: str) -> Generation:
        """Ask the provider to stop it."""
        return cast(Generation, self._transport.post(f"{self.path(name)}:cancel"))

    def lineage(self, name: str) -> Lineage:
        """What it was made of: the training, and everything behind that."""
        return _lineage(self._transport, self.path(name))


def _lineage(transport: Transport, path: str) -> Lineage:
    """All pages of members in one answer."""
    found = cast(Lineage, transport.get(f"{path}/lineage", page_size=1000))
    while found["next_page_token"]:
        more = transport.get(f"{path}/lineage", page_size=1000, page_token=found["next_page_token"])
        found["members"] += more["members"]
        found["next_page_token"] = str(more["next_page_token"])
    return found
