"""What a trainer will do, over gRPC."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from google.protobuf.duration_pb2 import Duration

from chassis.errors import collect, require
from chassis.runtime import WorkPool
from services.datasets.api import export_messages, item_messages
from services.datasets.api.shared import artist_of, last_of
from services.datasets.domain import exports, snapshots, training_parameters
from services.datasets.domain.emulator import EmulatedItem, TrainerFile
from services.datasets.domain.training_parameters import TrainingParameters
from services.datasets.use_cases.emulation import MAX_FILES, EmulationDesk, Forecast
from tonewright.datasets.v1 import trainings_pb2 as pb

_MAX_DURATION_S, _MAX_RATE_HZ, _MAX_CHANNELS = 86_400.0, 768_000, 64
_MAX_PATH, _MAX_TEXT = 1_024, 16_384
_INT32, _INT64 = (1 << 31) - 1, (1 << 63) - 1


class EmulationRpcs:
    """The part of tonewright.datasets.v1.TrainingsService that foretells."""

    _emulation: EmulationDesk
    _pool: WorkPool

    async def EmulateTraining(self, request: pb.EmulateTrainingRequest, context: Any) -> pb.EmulateTrainingResponse:
        """What the trainer will do with each file."""
        return await self._pool.run(self._emulated, request)

    def _emulated(self, request: pb.EmulateTrainingRequest) -> pb.EmulateTrainingResponse:
        artist, parameters = artist_of(request.parent), to_parameters(request.parameters)
        if request.files:
            return to_forecast(self._emulation.of_files(artist, foreign_files(request.files), parameters))
        if request.export:
            uid = _uid_of(artist, exports.NAME, request.export, "export")
            return to_forecast(self._emulation.of_export(artist, uid, parameters))
        options = export_messages.export_options(request.options)
        if request.snapshot:
            uid = _uid_of(artist, snapshots.NAME, request.snapshot, "snapshot")
            return to_forecast(self._emulation.of_snapshot(artist, uid, options, parameters))
        selection = item_messages.selection(request.selection, artist)
        return to_forecast(self._emulation.of_selection(artist, selection, options, parameters))


def to_parameters(message: pb.TrainingParameters) -> TrainingParameters:
    """Inputs of a training with their defaults; they are not checked."""
    return training_parameters.chosen({field.name: value for field, value in message.ListFields()})


def from_parameters(parameters: TrainingParameters) -> pb.TrainingParameters:
    """Inputs of a training as a message."""
    return pb.TrainingParameters(
        model_version=parameters.model_version,
        epochs=parameters.epochs,
        updates_per_epoch=parameters.updates_per_epoch,
        batch_size=parameters.batch_size,
        optimizer=parameters.optimizer,
        learning_rate=parameters.learning_rate,
        learning_rate_scheduler=parameters.learning_rate_scheduler,
        warmup_steps=parameters.warmup_steps,
        unconditioned_share=parameters.unconditioned_share,
        auto_labeling=parameters.auto_labeling,
        drop_vocals=parameters.drop_vocals,
        one_same_description=parameters.one_same_description,
    )


def foreign_files(messages: Sequence[pb.ForeignFile]) -> list[TrainerFile]:
    """The files of an archive that was made elsewhere.

    Raises:
        FieldInvalid: There are more than 10,000, or a path or a fact cannot be.
    """
    require(len(messages) <= MAX_FILES, "files", f"up to {MAX_FILES} files, not {len(messages)}")
    with collect() as faults:
        for index, message in enumerate(messages):
            at, duration_s = f"files[{index}]", message.duration_s
            faults.require(1 <= len(message.path) <= _MAX_PATH, f"{at}.path", f"1 to {_MAX_PATH} characters")
            lasts = math.isfinite(duration_s) and 0 <= duration_s <= _MAX_DURATION_S
            faults.require(lasts, f"{at}.duration_s", "0 to 86,400 s")
            faults.require(0 <= message.rate_hz <= _MAX_RATE_HZ, f"{at}.rate_hz", "0 to 768,000 Hz")
            faults.require(0 <= message.channels <= _MAX_CHANNELS, f"{at}.channels", "0 to 64")
            faults.require(len(message.text) <= _MAX_TEXT, f"{at}.text", f"up to {_MAX_TEXT} characters")
    return [
        TrainerFile(message.path, message.duration_s, message.rate_hz, message.channels, message.text)
        for message in messages
    ]


def to_forecast(forecast: Forecast) -> pb.EmulateTrainingResponse:
    """What the trainer will do as a message."""
    emulation, expected = forecast.emulation, forecast.expected
    parameters = emulation.parameters
    duration = Duration()
    duration.FromMilliseconds(round(expected.seconds * 1000))
    return pb.EmulateTrainingResponse(
        items=[_to_item(item) for item in emulation.items],
        chunk_count=emulation.chunk_count,
        step_count=min(_INT32, max(0, parameters.steps)),
        expected_duration=duration,
        expected_cost_usd_micros=expected.cost_usd_micros,
        findings=[item_messages.to_finding(finding) for finding in emulation.findings],
        sample_count=min(_INT64, max(0, parameters.samples)),
        effective_batch_size=max(0, parameters.effective_batch_size),
        succeeds=emulation.succeeds,
    )


def _to_item(item: EmulatedItem) -> pb.EmulatedItem:
    first = item.pieces[0] if item.pieces else None
    return pb.EmulatedItem(
        training_item=item.file.training_item,
        path=item.file.path,
        seen=item.seen,
        pieces=[
            pb.TrainedPiece(
                name=piece.name, start_s=piece.start_s, duration_s=piece.duration_s, padded_s=piece.padded_s
            )
            for piece in item.pieces
        ],
        caption=item.caption,
        prepared_rate_hz=first.rate_hz if first else 0,
        prepared_channels=first.channels if first else 0,
        chunk_count=len(item.pieces),
        dropped_s=item.dropped_s,
        padded_s=item.padded_s,
        caption_used=item.caption_used,
        vocals_removed=item.vocals_removed,
        resampled=item.resampled,
        findings=[item_messages.to_finding(finding) for finding in item.findings],
    )


def _uid_of(artist: str, pattern: str, name: str, field: str) -> str:
    owner, uid = last_of(pattern, name, field=field)
    require(owner == artist, field, f"one of artists/{artist}")
    return uid
