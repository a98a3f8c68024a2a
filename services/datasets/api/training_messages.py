"""Trainings, generations and lineage as messages and back."""

from __future__ import annotations

from dataclasses import replace

from google.rpc.status_pb2 import Status

from chassis.errors import Code, by_code
from chassis.ids import format_name
from chassis.operations import JobView
from chassis.status import rich_status
from services.datasets.api import export_messages, snapshot_messages
from services.datasets.api.emulation import from_parameters, to_parameters
from services.datasets.api.item_messages import to_finding
from services.datasets.api.shared import stamp
from services.datasets.domain import generations, snapshots, trainings
from services.datasets.domain.generations import Generation, Sampling
from services.datasets.domain.provider_failures import FAILURES
from services.datasets.domain.provider_runs import ProviderRun, RunState, tail
from services.datasets.domain.trainings import Training
from services.datasets.use_cases.lineage import Lineage
from services.datasets.use_cases.trainings import Budget, TrainingWish
from tonewright.datasets.v1 import trainings_pb2 as pb

_CODES = {kind.REASON: kind.CODE.name for kind in FAILURES}
# Operations and generations have fewer states than trainings.
_OPERATION_STATES = {RunState.SUBMITTING: RunState.QUEUED, RunState.LOST: RunState.FAILED}


def training_wish(request: pb.CreateTrainingRequest) -> TrainingWish:
    """What a caller wants trained."""
    asked = request.training
    return TrainingWish(
        export=asked.export,
        destination=asked.destination,
        max_cost_usd_micros=request.max_cost_usd_micros,
        archive_url=request.archive_url,
        display_name=asked.display_name,
        webhook_url=request.webhook_url,
        create_destination=request.create_destination,
        parameters=to_parameters(asked.parameters),
    )


def sampling(message: pb.Generation) -> Sampling:
    """What a caller wants played."""
    return Sampling(
        prompt=message.prompt,
        duration_s=message.duration_s or 8,
        seed=message.seed,
        temperature=message.temperature if message.HasField("temperature") else 1.0,
        top_k=message.top_k or 250,
        top_p=message.top_p,
        guidance=message.guidance or 3,
    )


def to_listed(training: Training) -> pb.Training:
    """The training as a message of a list: of its log and its findings the first words are enough there."""
    return to_training(replace(training, log_tail=tail(training.log_tail, 1 << 10), findings=training.findings[:5]))


def to_training(training: Training) -> pb.Training:
    """The training as a message."""
    return pb.Training(
        name=training.name,
        display_name=training.display_name,
        export=training.export,
        destination=training.destination,
        parameters=from_parameters(training.parameters),
        state=pb.Training.State.Value(f"STATE_{training.state.value}"),
        provider_status=training.provider_status,
        provider_id=training.provider_id,
        progress_percent=training.progress_percent,
        version=training.version,
        weights_uri=training.weights_uri,
        log_tail=training.log_tail,
        cost_usd_micros=training.cost_usd_micros,
        error=_error(training),
        create_time=stamp(training.create_time),
        update_time=stamp(training.update_time),
        end_time=stamp(training.end_time),
        etag=training.etag,
        expected_cost_usd_micros=training.expected_cost_usd_micros,
        trainer=training.trainer,
        snapshot=format_name(snapshots.NAME, artist=training.artist, snapshot=training.snapshot_uid),
        snapshot_sha256=training.snapshot_sha256,
        findings=[to_finding(finding) for finding in training.findings],
        epoch=training.epoch,
        step=training.step,
        predict_time_s=training.predict_time_s,
    )


def to_generation(generation: Generation) -> pb.Generation:
    """The generation as a message."""
    wished = generation.sampling
    state = _OPERATION_STATES.get(generation.state, generation.state)
    return pb.Generation(
        name=generation.name,
        training=generation.training,
        prompt=wished.prompt,
        duration_s=wished.duration_s,
        seed=wished.seed,
        temperature=wished.temperature,
        top_k=wished.top_k,
        top_p=wished.top_p,
        guidance=wished.guidance,
        state=pb.Generation.State.Value(f"STATE_{state.value}"),
        provider_id=generation.provider_id,
        asset=generation.asset,
        error=_error(generation),
        create_time=stamp(generation.create_time),
        update_time=stamp(generation.update_time),
        end_time=stamp(generation.end_time),
        etag=generation.etag,
    )


def to_lineage(lineage: Lineage) -> pb.Lineage:
    """What something was made of as a message."""
    return pb.Lineage(
        generation=to_generation(lineage.generation) if lineage.generation else None,
        training=to_training(lineage.training),
        export=export_messages.to_export(lineage.export) if lineage.export else None,
        snapshot=snapshot_messages.to_snapshot(lineage.snapshot),
        members=[snapshot_messages.to_member(member) for member in lineage.members.items],
        next_page_token=lineage.members.next_page_token,
    )


def to_budget(budget: Budget) -> pb.TrainingBudget:
    """What trainings may cost and have cost as a message."""
    prices = budget.setup.prices
    return pb.TrainingBudget(
        configured=budget.setup.is_configured,
        price_usd_micros_per_s=prices.usd_micros_per_s,
        training_cap_usd_micros=prices.training_cap_usd_micros,
        day_cap_usd_micros=prices.day_cap_usd_micros,
        spent_today_usd_micros=budget.spent.today_usd_micros,
        spent_usd_micros=budget.spent.ever_usd_micros,
        trainer=budget.setup.trainer,
        stand_in=budget.setup.is_configured and budget.setup.is_standin,
    )


def training_view(training: Training) -> JobView:
    """The training as a piece of long work."""
    stage = training.provider_status or training.state.value.lower()
    if training.epoch:
        stage = f"{stage}: epoch {training.epoch}, step {training.step:,} of {training.parameters.steps:,}"
    return _view(training, trainings.COLLECTION, training.name, training.progress_percent, stage)


def generation_view(generation: Generation) -> JobView:
    """The generation as a piece of long work."""
    percent = 100.0 if generation.state is RunState.SUCCEEDED else 90.0 if generation.output_url else 0.0
    stage = "keeping the audio" if generation.output_url else generation.provider_status
    return _view(generation, generations.COLLECTION, generation.name, percent, stage)


def _view(run: ProviderRun, collection: str, target: str, percent: float, stage: str) -> JobView:
    return JobView(
        uid=run.uid,
        artist=run.artist,
        collection=collection,
        target=target,
        state=_OPERATION_STATES.get(run.state, run.state).value,
        create_time=run.create_time,
        update_time=run.update_time,
        progress_percent=percent,
        stage=stage[:64],
        end_time=run.end_time,
        attempt=run.attempts,
        error_reason=run.error_reason,
        error_message=run.error_message,
        error_code=_CODES.get(run.error_reason, "INTERNAL"),
    )


def _error(run: ProviderRun) -> Status | None:
    if not run.error_reason:
        return None
    error = by_code(Code[_CODES.get(run.error_reason, "INTERNAL")])(run.error_message)
    error.reason = run.error_reason
    return rich_status(error, "datasets")
