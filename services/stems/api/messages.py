"""Messages from and to what the rules speak of."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from google.protobuf import duration_pb2, timestamp_pb2

from chassis.errors import require
from chassis.ids import format_name
from services.stems.domain import (
    Chunk,
    Model,
    Order,
    OutputFormat,
    Parameters,
    Priority,
    Selection,
    Separation,
    State,
    StemSet,
    Webhook,
)
from tonewright.operations.v1 import operations_pb2 as operations
from tonewright.stems.v1 import stems_pb2 as pb

MODEL_PATTERN = "artists/{artist}/models/{model}"


def order_of(message: pb.Separation) -> Order:
    """What the message asks for."""
    asked = message.parameters
    overlap = asked.overlap if asked.HasField("overlap") else Parameters().overlap
    return Order(
        asset=message.asset,
        model=message.model,
        selection=Selection(
            _of(StemSet, pb.StemSet, message.stem_set, StemSet.ALL, "separation.stem_set"),
            message.target_stem,
            tuple(message.wanted_stems),
            message.include_residual,
        ),
        output_format=_of(
            OutputFormat, pb.OutputFormat, message.output_format, OutputFormat.FLAC_24, "separation.output_format"
        ),
        parameters=Parameters(overlap, asked.shifts, asked.seed, asked.deterministic),
        priority=priority_of(message.priority),
        labels=dict(message.labels),
        publish_chunks=message.publish_chunks,
        webhook=Webhook(message.webhook.url, message.webhook.secret) if message.HasField("webhook") else None,
    )


def priority_of(number: int) -> Priority:
    """The priority with this number in messages."""
    require(number in pb.Priority.values(), "separation.priority", "BATCH or INTERACTIVE")
    return Priority.INTERACTIVE if number == pb.PRIORITY_INTERACTIVE else Priority.BATCH


def state_of(number: int) -> State | None:
    """The state with this number in messages, None for unspecified."""
    require(number in operations.State.values(), "state", "one of the states")
    return State(operations.State.Name(operations.State.ValueType(number)).removeprefix("STATE_")) if number else None


def to_proto(separation: Separation) -> pb.Separation:
    """The separation as a message."""
    order, attempt = separation.order, separation.attempt
    message = pb.Separation(
        name=separation.name,
        asset=order.asset,
        model=order.model,
        stem_set=pb.StemSet.Value(f"STEM_SET_{order.selection.stem_set}"),
        target_stem=order.selection.target_stem,
        wanted_stems=order.selection.wanted_stems,
        output_format=pb.OutputFormat.Value(f"OUTPUT_FORMAT_{order.output_format}"),
        parameters=pb.SeparationParameters(**asdict(order.parameters)),
        priority=_priority(order.priority),
        labels=order.labels,
        engine=separation.engine,
        content_key=separation.content_key,
        state=_state(separation.state),
        progress_percent=attempt.progress_percent,
        stage=attempt.stage,
        attempt=attempt.attempt,
        etag=separation.etag,
        include_residual=order.selection.include_residual,
        publish_chunks=order.publish_chunks,
        webhook=pb.Webhook(url=order.webhook.url) if order.webhook else None,
        **_times(separation),
    )
    if attempt.eta_s is not None:
        message.eta.CopyFrom(duration_pb2.Duration(seconds=int(attempt.eta_s), nanos=int(attempt.eta_s % 1 * 1e9)))
    if separation.result is not None:
        _add_result(message, separation)
    if separation.failure is not None:
        message.error_reason, message.error_message = separation.failure.reason, separation.failure.message
    return message


def to_chunk(chunk: Chunk) -> pb.StemChunk:
    """The chunk as a message."""
    return pb.StemChunk(
        index=chunk.index,
        offset_frames=chunk.offset_frames,
        frame_count=chunk.frame_count,
        rate_hz=chunk.rate_hz,
        parts=[pb.StemChunkPart(**asdict(part)) for part in chunk.parts],
    )


def _add_result(message: pb.Separation, separation: Separation) -> None:
    result = separation.result
    assert result is not None
    is_own = result.made_by == separation.name
    message.stems.extend(pb.Stem(stem=stem.stem, asset=stem.asset) for stem in result.stems)
    message.output_gain_db = result.output_gain_db
    message.real_time_factor = result.real_time_factor if is_own else 0.0
    message.shared_with = "" if is_own else result.made_by


def to_job(separation: Separation) -> pb.Job:
    """The separation as an operator sees it."""
    attempt, times, failure = separation.attempt, separation.times, separation.failure
    job = pb.Job(
        name=separation.name,
        state=_state(separation.state),
        engine=separation.engine,
        model=separation.order.model,
        priority=_priority(separation.order.priority),
        progress_percent=attempt.progress_percent,
        worker=attempt.worker,
        attempt=attempt.attempt,
        lost_lease_count=attempt.lost_leases,
        failure_count=attempt.failures,
        error_reason=failure.reason if failure else "",
        error_message=failure.message if failure else "",
        create_time=_timestamp(times.created),
    )
    for field, moment in (
        ("lease_expire_time", attempt.lease_expires_at),
        ("start_time", times.started),
        ("end_time", times.ended),
    ):
        if moment is not None:
            getattr(job, field).CopyFrom(_timestamp(moment))
    return job


def to_model(artist: str, model: Model) -> pb.Model:
    """The model as a message."""
    return pb.Model(
        name=format_name(MODEL_PATTERN, artist=artist, model=model.id),
        display_name=model.display_name,
        engine=model.engine,
        sources=model.sources,
        rate_hz=model.rate_hz,
        channels=model.channels,
        licence=model.licence,
        digest=model.digest,
        is_default=model.is_default,
    )


def _of(kind: Any, names: Any, number: int, default: Any, field: str) -> Any:
    require(number in names.values(), field, f"one of {', '.join(kind)}")
    if not number:
        return default
    prefix = names.Name(0).removesuffix("UNSPECIFIED")
    return kind(names.Name(number).removeprefix(prefix))


def _priority(priority: Priority) -> pb.Priority.ValueType:
    return pb.Priority.Value(f"PRIORITY_{priority.name}")


def _state(state: State) -> operations.State.ValueType:
    return operations.State.Value(f"STATE_{state}")


def _times(separation: Separation) -> dict[str, Any]:
    times = separation.times
    return {
        "create_time": _timestamp(times.created),
        "update_time": _timestamp(times.updated),
        "start_time": _timestamp(times.started) if times.started else None,
        "end_time": _timestamp(times.ended) if times.ended else None,
    }


def _timestamp(moment: datetime) -> timestamp_pb2.Timestamp:
    stamp = timestamp_pb2.Timestamp()
    stamp.FromDatetime(moment)
    return stamp
