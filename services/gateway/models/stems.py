"""JSON shapes of tonewright.stems.v1, made by `tools/openapi.py`; never edited."""

# ruff: noqa: E501
from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from services.gateway.shapes import (
    Flag,
    In,
    Int32,
    Int64,
    Number,
    OperationOut,
    OperationState,
    Out,
    Text,
    Time,
)


class StemSet(StrEnum):
    """Which stems come out."""

    ALL = "ALL"
    TWO_STEMS = "TWO_STEMS"
    SUBSET = "SUBSET"


class OutputFormat(StrEnum):
    """How a stem is stored."""

    FLAC_24 = "FLAC_24"
    WAV_FLOAT = "WAV_FLOAT"
    MP3 = "MP3"


class SeparationParametersInput(In):
    """What the engine is told."""

    overlap: Number | None = Field(
        default=None,
        description="Share of two neighbouring segments that overlaps, 0 to 0.9; default 0.25. Ignored by the `stub` engine.",
        examples=[0.5],
    )
    shifts: Int32 | None = Field(
        default=None,
        description="Number of shifted passes whose mean is taken, 0 to 10; default 0. Each costs as much as the whole. Ignored by the `stub` engine.",
        examples=[1],
    )
    seed: Int64 | None = Field(
        default=None, description="Seed of the shifts; default 0. The same seed gives the same stems.", examples=[1]
    )
    deterministic: Flag | None = Field(
        default=None,
        description="Whether the stems' bytes depend on nothing but input, model and parameters on the same device, whatever runs beside them; default false: they may differ by 1e-6 of full scale. Costs speed on a GPU. The `stub` engine always does so.",
        examples=[False],
    )


class Priority(StrEnum):
    """Which jobs go first."""

    BATCH = "BATCH"
    INTERACTIVE = "INTERACTIVE"


class WebhookInput(In):
    """Where to tell the end of a separation: one POST of a JSON event, signed as Standard Webhooks say (headers webhook-id, webhook-timestamp, webhook-signature) and repeated for some days until it is answered with 2xx. Types of events: `separation.succeeded`, `separation.failed`, `separation.cancelled`. `data` holds `name`, `operation`, `state`, `stems` (each `stem` and `asset`), and `error_reason` of a failure."""

    url: Text = Field(description="Where to post: https, a public host, no credentials in it, at most 2000 characters.")
    secret: Text = Field(
        description="What the events are signed with: `whsec_` and the base64 of 24 to 64 bytes. Never told again."
    )


class CreateSeparationBody(In):
    """What to separate."""

    asset: Text = Field(
        description="The asset that is separated, of 1 to 8 channels. More than two are mixed down to stereo first, as ITU-R BS.775 says: centre and surrounds at -3 dB, a single back centre at -6 dB, without the low-frequency channel, and not scaled.",
        examples=["artists/nova/assets/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    model: Text | None = Field(
        default=None,
        description="Id of the model, as `htdemucs`; default: the service's default model, filled in by the answer.",
        examples=["htdemucs"],
    )
    stem_set: StemSet | None = Field(
        default=None, description="Which stems come out; default all of them.", examples=["ALL"]
    )
    target_stem: Text | None = Field(
        default=None, description="For STEM_SET_TWO_STEMS: the source that is taken out; default `vocals`."
    )
    wanted_stems: list[Text] | None = Field(
        default=None, description="For STEM_SET_SUBSET: sources of the model, at least one, none twice."
    )
    output_format: OutputFormat | None = Field(
        default=None, description="How the stems are stored; default FLAC with 24 bits.", examples=["FLAC_24"]
    )
    parameters: SeparationParametersInput | None = Field(
        default=None, description="What the engine is told; default: the defaults of its fields."
    )
    priority: Priority | None = Field(
        default=None, description="Which jobs go first; default batch.", examples=["BATCH"]
    )
    labels: dict[str, Text] | None = Field(
        default=None,
        description="Free labels of the client, at most 64; keys 1 to 63 characters, values up to 255.",
        examples=[{}],
    )
    include_residual: Flag | None = Field(
        default=None,
        description="Whether a further stem `residual` comes last: what the stems, as they are stored, leave of the source, so that all stems together are the source exactly; default false. Not for STEM_SET_TWO_STEMS, nor as MP3.",
        examples=[False],
    )
    publish_chunks: Flag | None = Field(
        default=None,
        description="Whether finished stretches can be played before the whole is done, see WatchSeparation; default false. They are kept for 15 minutes after the end; a separation whose outcome was remembered, or shared with another one, has none.",
        examples=[False],
    )
    webhook: WebhookInput | None = Field(default=None, description="Where to tell the end; absent: nowhere.")


class BatchCreateSeparationsResponse(Out):
    """The operations, one per request and in their order."""

    operations: list[OperationOut] = Field(
        description="One per request; a refused one is done, has no name and carries its error."
    )


class SeparationInput(In):
    """A recording taken apart."""

    asset: Text = Field(
        description="The asset that is separated, of 1 to 8 channels. More than two are mixed down to stereo first, as ITU-R BS.775 says: centre and surrounds at -3 dB, a single back centre at -6 dB, without the low-frequency channel, and not scaled.",
        examples=["artists/nova/assets/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    model: Text | None = Field(
        default=None,
        description="Id of the model, as `htdemucs`; default: the service's default model, filled in by the answer.",
        examples=["htdemucs"],
    )
    stem_set: StemSet | None = Field(
        default=None, description="Which stems come out; default all of them.", examples=["ALL"]
    )
    target_stem: Text | None = Field(
        default=None, description="For STEM_SET_TWO_STEMS: the source that is taken out; default `vocals`."
    )
    wanted_stems: list[Text] | None = Field(
        default=None, description="For STEM_SET_SUBSET: sources of the model, at least one, none twice."
    )
    output_format: OutputFormat | None = Field(
        default=None, description="How the stems are stored; default FLAC with 24 bits.", examples=["FLAC_24"]
    )
    parameters: SeparationParametersInput | None = Field(
        default=None, description="What the engine is told; default: the defaults of its fields."
    )
    priority: Priority | None = Field(
        default=None, description="Which jobs go first; default batch.", examples=["BATCH"]
    )
    labels: dict[str, Text] | None = Field(
        default=None,
        description="Free labels of the client, at most 64; keys 1 to 63 characters, values up to 255.",
        examples=[{}],
    )
    include_residual: Flag | None = Field(
        default=None,
        description="Whether a further stem `residual` comes last: what the stems, as they are stored, leave of the source, so that all stems together are the source exactly; default false. Not for STEM_SET_TWO_STEMS, nor as MP3.",
        examples=[False],
    )
    publish_chunks: Flag | None = Field(
        default=None,
        description="Whether finished stretches can be played before the whole is done, see WatchSeparation; default false. They are kept for 15 minutes after the end; a separation whose outcome was remembered, or shared with another one, has none.",
        examples=[False],
    )
    webhook: WebhookInput | None = Field(default=None, description="Where to tell the end; absent: nowhere.")


class CreateSeparationRequestInput(In):
    """What to separate."""

    separation: SeparationInput = Field(description="The separation to make.")


class BatchCreateSeparationsBody(In):
    """What to separate, several at once."""

    requests: list[CreateSeparationRequestInput] = Field(
        description="1 to 1000 separations, 1 MiB in all; their parents are empty or the same as here, and a name of another artist in one of them refuses all. A `request_id` in one of them counts for it as in CreateSeparation."
    )


class SeparationParameters(Out):
    """What the engine is told."""

    overlap: float | None = Field(
        description="Share of two neighbouring segments that overlaps, 0 to 0.9; default 0.25. Ignored by the `stub` engine.",
        examples=[0.5],
    )
    shifts: int = Field(
        description="Number of shifted passes whose mean is taken, 0 to 10; default 0. Each costs as much as the whole. Ignored by the `stub` engine.",
        examples=[1],
    )
    seed: int = Field(description="Seed of the shifts; default 0. The same seed gives the same stems.", examples=[1])
    deterministic: bool = Field(
        description="Whether the stems' bytes depend on nothing but input, model and parameters on the same device, whatever runs beside them; default false: they may differ by 1e-6 of full scale. Costs speed on a GPU. The `stub` engine always does so.",
        examples=[False],
    )


class Stem(Out):
    """One stem of a finished separation."""

    stem: str = Field(
        description="What it holds: a source of the model (`drums`, `bass`, `other`, `vocals`, …), or of two stems the rest: `instruments` beside vocals, `no_{target}` beside any other; or `residual`, see Separation.include_residual.",
        examples=["vocals"],
    )
    asset: str = Field(
        description="The asset with its audio: same rate and number of frames as the source, and its channels; a source of more than two gives stereo.",
        examples=["artists/nova/assets/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )


class Webhook(Out):
    """Where to tell the end of a separation: one POST of a JSON event, signed as Standard Webhooks say (headers webhook-id, webhook-timestamp, webhook-signature) and repeated for some days until it is answered with 2xx. Types of events: `separation.succeeded`, `separation.failed`, `separation.cancelled`. `data` holds `name`, `operation`, `state`, `stems` (each `stem` and `asset`), and `error_reason` of a failure."""

    url: str = Field(description="Where to post: https, a public host, no credentials in it, at most 2000 characters.")


class Separation(Out):
    """A recording taken apart."""

    name: str = Field(
        description="`artists/{artist}/separations/{separation}`.",
        examples=["artists/nova/separations/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    asset: str = Field(
        description="The asset that is separated, of 1 to 8 channels. More than two are mixed down to stereo first, as ITU-R BS.775 says: centre and surrounds at -3 dB, a single back centre at -6 dB, without the low-frequency channel, and not scaled.",
        examples=["artists/nova/assets/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    model: str = Field(
        description="Id of the model, as `htdemucs`; default: the service's default model, filled in by the answer.",
        examples=["htdemucs"],
    )
    stem_set: StemSet | None = Field(description="Which stems come out; default all of them.", examples=["ALL"])
    target_stem: str = Field(description="For STEM_SET_TWO_STEMS: the source that is taken out; default `vocals`.")
    wanted_stems: list[str] = Field(description="For STEM_SET_SUBSET: sources of the model, at least one, none twice.")
    output_format: OutputFormat | None = Field(
        description="How the stems are stored; default FLAC with 24 bits.", examples=["FLAC_24"]
    )
    parameters: SeparationParameters | None = Field(
        description="What the engine is told; default: the defaults of its fields."
    )
    priority: Priority | None = Field(description="Which jobs go first; default batch.", examples=["BATCH"])
    labels: dict[str, str] = Field(
        description="Free labels of the client, at most 64; keys 1 to 63 characters, values up to 255.", examples=[{}]
    )
    engine: str = Field(
        description="What separates: `stub` (signal processing, no model) or `demucs`.", examples=["stub"]
    )
    content_key: str = Field(
        description="SHA-256 over the decoded source, engine, model and parameters, lower-case hex; what has the same key has the same stems."
    )
    state: OperationState | None = Field(description="Where it stands.", examples=["QUEUED"])
    progress_percent: float = Field(description="Share done, 0 to 100.", examples=[100.0])
    stage: str = Field(
        description="What is being done now: `fetching`, `waiting` (for equal work under way), `decoding`, `separating` (encoding goes on beside it), `encoding` (its end), `storing`; empty while queued or ended."
    )
    eta_s: float | None = Field(description="Time left as estimated; absent when unknown.", examples=[12.5])
    stems: list[Stem] = Field(description="The stems, in the model's order; empty until SUCCEEDED.")
    output_gain_db: float = Field(
        description="Gain in dB, 0 or below, that all stems got alike so that none clips; their sum is the source with this gain. Always 0 for WAV_FLOAT, which cannot clip.",
        examples=[0.5],
    )
    real_time_factor: float = Field(
        description="Seconds of work per second of audio; 0 for a result that was remembered.", examples=[0.5]
    )
    shared_with: str = Field(
        description="The separation whose work this one shares; empty when it did its own.",
        examples=["artists/nova/separations/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    attempt: int = Field(description="How often it was started; 0 while it never was.", examples=[1])
    error_reason: str = Field(
        description="Stable reason of the failure, as `SEPARATION_INPUT_EMPTY`; empty unless FAILED."
    )
    error_message: str = Field(description="What went wrong and what to do; empty unless FAILED.")
    create_time: Time | None = Field(description="When it was asked for.", examples=["2026-11-21T10:00:00.000000Z"])
    update_time: Time | None = Field(
        description="When anything about it last changed.", examples=["2026-11-21T10:00:00.000000Z"]
    )
    start_time: Time | None = Field(
        description="When a worker first took it; absent before.", examples=["2026-11-21T10:00:00.000000Z"]
    )
    end_time: Time | None = Field(description="When it ended; absent before.", examples=["2026-11-21T10:00:00.000000Z"])
    etag: str = Field(description="Changes with every change of the separation.", examples=["5f1d2c3b4a596877"])
    include_residual: bool = Field(
        description="Whether a further stem `residual` comes last: what the stems, as they are stored, leave of the source, so that all stems together are the source exactly; default false. Not for STEM_SET_TWO_STEMS, nor as MP3.",
        examples=[False],
    )
    publish_chunks: bool = Field(
        description="Whether finished stretches can be played before the whole is done, see WatchSeparation; default false. They are kept for 15 minutes after the end; a separation whose outcome was remembered, or shared with another one, has none.",
        examples=[False],
    )
    webhook: Webhook | None = Field(description="Where to tell the end; absent: nowhere.")


class ListSeparationsResponse(Out):
    """One page of separations."""

    separations: list[Separation] = Field(description="Newest first.")
    next_page_token: str = Field(description="Asks for the page after this one; empty on the last.")


class ListSeparationsQuery(In):
    """Which separations to list."""

    page_size: int | None = Field(default=None, description="At most so many, 1 to 1000; 0: 50.")
    page_token: str | None = Field(
        default=None, description="`next_page_token` of the page before; empty: the first page."
    )
    asset: str | None = Field(default=None, description="Only separations of this asset; empty: of any.")
    state: OperationState | None = Field(
        default=None, description="Only separations in this state; unspecified: in any."
    )


class StemChunkPart(Out):
    """One stem's share of a chunk."""

    stem: str = Field(description="What it holds, as Stem.stem.", examples=["vocals"])
    media_type: str = Field(
        description="Media type of the object: audio/flac, or audio/wav for OUTPUT_FORMAT_WAV_FLOAT. It plays by itself.",
        examples=["audio/wav"],
    )
    url: str = Field(
        description="Signed link to the audio, for an hour; the gateway fills it in, gRPC callers read `object_key`."
    )


class StemChunk(Out):
    """A stretch of all stems, before any common gain: what clips here is turned down in the finished stems."""

    index: int = Field(
        description="Counted from 0, without gaps; work that began again gives the same chunks.", examples=[1]
    )
    offset_frames: int = Field(
        description="First frame, at the source's rate; where the chunk before ended.", examples=[1]
    )
    frame_count: int = Field(description="Length in frames.", examples=[1])
    rate_hz: int = Field(description="Rate of the frames, Hz.", examples=[44100])
    parts: list[StemChunkPart] = Field(description="One per stem, in the order of Separation.stems.")


class WatchSeparationResponse(Out):
    """Something new about a separation."""

    separation: Separation | None = Field(description="The separation as it is now.")
    chunk: StemChunk | None = Field(description="A stretch of all stems that can be played already.")


class WatchSeparationQuery(In):
    """Which separation to follow."""

    include_chunks: bool | None = Field(
        default=None,
        description="Whether finished chunks are told before the whole is done; default false. There are none unless the separation has `publish_chunks`.",
    )
    first_chunk: int | None = Field(
        default=None, description="Index of the first chunk to tell, for one who has those before it; default 0."
    )


class Model(Out):
    """What separates."""

    name: str = Field(
        description="`artists/{artist}/models/{model}`; the last part is what Separation.model takes. All artists see the same models.",
        examples=["artists/nova/models/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    display_name: str = Field(description="For people.", examples=["Night drive"])
    engine: str = Field(description="What runs it: `stub` or `demucs`.", examples=["stub"])
    sources: list[str] = Field(description="The stems that it gives, in their order.")
    rate_hz: int = Field(description="Rate at which it works, Hz; 0: at the source's own.", examples=[44100])
    channels: int = Field(description="Number of channels at which it works; 0: the source's own.", examples=[2])
    licence: str = Field(
        description="What its owner allows, as the operator who mounted it wrote it down; empty: nothing was written down."
    )
    digest: str = Field(description="SHA-256 over its weights and settings, lower-case hex.")
    is_default: bool = Field(description="Whether it is used when none is asked for.", examples=[False])


class ListModelsResponse(Out):
    """One page of models."""

    models: list[Model] = Field(description="By id.")
    next_page_token: str = Field(description="Asks for the page after this one; empty on the last.")


class ListModelsQuery(In):
    """Which models to list."""

    page_size: int | None = Field(default=None, description="At most so many, 1 to 1000; 0: 50.")
    page_token: str | None = Field(
        default=None, description="`next_page_token` of the page before; empty: the first page."
    )


class StemsJob(Out):
    """A separation as an operator sees it."""

    name: str = Field(
        description="The separation's name, `artists/{artist}/separations/{separation}`.", examples=["artists/nova"]
    )
    state: OperationState | None = Field(description="Where it stands.", examples=["QUEUED"])
    engine: str = Field(description="What separates: `stub` or `demucs`.", examples=["stub"])
    model: str = Field(description="Id of the model.", examples=["htdemucs"])
    priority: Priority | None = Field(description="Which jobs go first.", examples=["BATCH"])
    progress_percent: float = Field(description="Share done, 0 to 100.", examples=[100.0])
    worker: str = Field(description="The worker that holds it; empty when none does.")
    lease_expire_time: Time | None = Field(
        description="When the worker's hold ends unless it says that it lives; absent when none holds it.",
        examples=["2026-11-21T10:00:00.000000Z"],
    )
    attempt: int = Field(description="How often it was started.", examples=[1])
    lost_lease_count: int = Field(description="How often a worker died over it.", examples=[1])
    failure_count: int = Field(description="How often the same failure came in a row.", examples=[1])
    error_reason: str = Field(description="Stable reason of the last failure; empty when there was none.")
    error_message: str = Field(description="What went wrong; empty when nothing did.")
    create_time: Time | None = Field(description="When it was asked for.", examples=["2026-11-21T10:00:00.000000Z"])
    start_time: Time | None = Field(
        description="When a worker first took it; absent before.", examples=["2026-11-21T10:00:00.000000Z"]
    )
    end_time: Time | None = Field(description="When it ended; absent before.", examples=["2026-11-21T10:00:00.000000Z"])


class StemsListJobsResponse(Out):
    """One page of jobs."""

    jobs: list[StemsJob] = Field(description="Newest first.")
    next_page_token: str = Field(description="Asks for the page after this one; empty on the last.")


class StemsListJobsQuery(In):
    """Which jobs to list."""

    page_size: int | None = Field(default=None, description="At most so many, 1 to 1000; 0: 50.")
    page_token: str | None = Field(
        default=None, description="`next_page_token` of the page before; empty: the first page."
    )
    state: OperationState | None = Field(default=None, description="Only jobs in this state; unspecified: in any.")


# What each RPC gives, by service and method.
DOCS: dict[str, str] = {
    "StemsService.CreateSeparation": "Starts a separation; answers at once. The operation's response is the finished Separation. A separation whose content was separated before with the same model and parameters has SUCCEEDED in the answer already.",
    "StemsService.BatchCreateSeparations": "Starts several separations of one artist; each succeeds or is refused by itself. A repeat with the same request id goes on where an earlier call was cut off.",
    "StemsService.GetSeparation": "One separation.",
    "StemsService.ListSeparations": "The artist's separations, newest first.",
    "StemsService.CancelSeparation": "Asks a queued or running separation to stop; between two segments it does. One that has ended stays as it is.",
    "StemsService.DeleteSeparation": "Removes a separation that has ended and lets go of its stems.",
    "StemsService.WatchSeparation": "The separation as it is, then each change of it, until it has ended; with `include_chunks` also each stretch of its stems that can be played, in order and none twice, the last one before the separation's end.",
    "StemsService.ListModels": "The models that can be asked for.",
    "StemsService.GetModel": "One model.",
    "StemsService.ListJobs": "Jobs of all artists, newest first. For operators.",
    "StemsService.RetryJob": "Queues a FAILED or CANCELLED job again, with its counters at zero. For operators.",
    "StemsService.CancelJob": "Asks a job of any artist to stop. For operators.",
}
