"""What the gateway answers, made from docs/openapi.json by `make generate`; never edited."""

# ruff: noqa: E501
from __future__ import annotations

from typing import Any, Literal, TypedDict

AssetKind = Literal["AUDIO"]

AssetState = Literal["READY", "DELETED"]

AssetVerificationState = Literal["QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"]

AudioStatusState = Literal["PRESENT", "MISSING", "DELETED", "PENDING"]

CaptionRunResultOutcome = Literal["ACCEPTED", "PROPOSED", "SKIPPED", "FAILED"]

CaptionRunState = Literal["QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"]

CaptionSource = Literal["GENERATED", "EDITED", "MANUAL", "IMPORTED"]

CompletenessState = Literal["COMPLETE", "UNSUPPORTED_VERSION", "MISSING_AUDIO_ASSET", "STEMS_NOT_READY"]

ConversationDocumentKind = Literal["RAW", "PARSED", "ENRICHED"]

ConversationReviewState = Literal["PENDING", "APPROVED", "REJECTED"]

ConversationState = Literal[
    "NOT_STARTED",
    "VALIDATION_FAILED",
    "VALIDATED",
    "ENRICHMENT_IN_PROGRESS",
    "ENRICHED",
    "NORMALIZATION_FAILED",
    "COMPLETED",
]

CurveMode = Literal["SMOOTH", "LINEAR", "STEP"]

ExportAudioMode = Literal["AS_NEEDED", "NORMALISED"]

ExportFormat = Literal[
    "REPLICATE_MUSICGEN",
    "AUDIOCRAFT",
    "HF_AUDIOFOLDER",
    "ACESTEP_V1",
    "ACESTEP_15",
    "STABLE_AUDIO",
    "PAIRED_TEXT",
    "MUSICGEN_TRAINER",
    "MUSICGEN_DREAMBOOTH",
    "WEBDATASET",
]

ExportState = Literal["QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"]

FindingSeverity = Literal["ERROR", "WARNING"]

GenerationState = Literal["QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"]

JobState = Literal["QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"]

ListDuplicateGroupsResponseGroupLikeness = Literal["SAME_BYTES", "SAME_AUDIO", "SIMILAR"]

OperationState = Literal["QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"]

OutputFormat = Literal["FLAC_24", "WAV_FLOAT", "MP3"]

PerformanceState = Literal["STARTING", "READY", "LIVE", "STOPPED", "FAILED"]

PerformanceStemsState = Literal["NONE", "PENDING", "READY", "FAILED"]

PreflightTrainingFileResponseVerdictFinding = Literal[
    "ELIGIBLE", "NOT_FOUND", "NOT_ENRICHED", "MISSING_DOCUMENT", "DUPLICATE"
]

Priority = Literal["BATCH", "INTERACTIVE"]

PromptTemplateState = Literal["DRAFT", "APPROVED", "RETIRED"]

ReferenceKind = Literal["TIMBRE", "STRUCTURE"]

Role = Literal["OWNER", "EDITOR", "VIEWER"]

SessionBundleState = Literal["QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"]

SessionState = Literal["SAVED", "DELETED"]

SnapshotChangeKind = Literal["ADDED", "REMOVED", "CHANGED"]

SourceMode = Literal["FULL", "VOCALS", "INSTRUMENTS"]

StemSet = Literal["ALL", "TWO_STEMS", "SUBSET"]

TrainingFileState = Literal["PROCESSING", "ACTIVE", "ARCHIVED", "FAILED"]

TrainingFileVersionState = Literal["QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"]

TrainingItemState = Literal["NEEDS_AUDIO", "NEEDS_PROMPT", "READY", "EXPORTED", "FAILED"]

TrainingState = Literal["QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED", "SUBMITTING", "LOST"]

UploadState = Literal["OPEN", "COMPLETED", "ABORTED", "EXPIRED"]

ValidationReportIssueSeverity = Literal["BLOCKER", "WARNING"]


class Artist(TypedDict):
    """An artist: a tenant of the platform. All other resources live under its name."""

    name: str
    """`artists/{artist}`."""
    display_name: str
    """The artist's name as people write it, 1 to 200 characters. Need not be unique."""
    description: str
    """Free text about the artist, up to 4,000 characters."""
    create_time: str | None
    """When it was made."""
    update_time: str | None
    """When it last changed."""
    delete_time: str | None
    """When it was deleted; absent while it is not."""
    purge_time: str | None
    """When a deleted artist is removed for good; absent while it is not deleted."""
    etag: str
    """Changes with every change of the artist."""


class Asset(TypedDict):
    """One recording of an artist; the bytes of an asset never change."""

    name: str
    """Resource name, `artists/{artist}/assets/{asset}`."""
    display_name: str
    """Name for people, 1 to 200 characters; the uploaded file's name by default."""
    kind: AssetKind | None
    """What it holds."""
    state: AssetState | None
    """Where it stands."""
    sha256: str
    """SHA-256 of the stored bytes, 64 lower-case hex digits."""
    size_bytes: int
    """Size of the stored bytes, 1 and up."""
    crc32: int
    """CRC-32 (IEEE, as in zip) of the stored bytes, 0 to 2^32 - 1."""
    media_type: str
    """Media type as found in the bytes, such as `audio/wav`."""
    frames: int
    """Length in frames, 1 and up."""
    rate_hz: int
    """Frames per second in Hz, 1 and up."""
    channels: int
    """Number of channels, 1 and up."""
    duration_s: float
    """Length in seconds: frames / rate_hz."""
    pcm_sha256: str
    """SHA-256 of the decoded frames with rate and channels, 64 lower-case hex digits: equal for equal sound in two lossless files."""
    loudness_lufs: float | None
    """Integrated loudness in LUFS by ITU-R BS.1770-4; absent when nothing passes the gate, as in silence."""
    peak: float
    """Largest absolute sample value, full scale is 1.0; above 1.0 when a lossy or float file overshoots."""
    hold_count: int
    """How many holders keep it, 0 and up."""
    create_time: str | None
    """When it was made."""
    update_time: str | None
    """When its row last changed."""
    delete_time: str | None
    """When it was deleted; absent while it is not."""
    purge_time: str | None
    """When a deleted asset goes for good; absent while it is not deleted."""
    etag: str
    """Changes whenever the asset changes; send it back to update or delete exactly this state."""
    analysis: AudioAnalysis | None
    """What is heard in it; absent while it was not listened to."""


class AssetHold(TypedDict):
    """One use of an asset by another resource."""

    asset: str
    """The asset, `artists/{artist}/assets/{asset}`."""
    holder: str
    """The resource that uses it, a name under the same artist."""
    create_time: str | None
    """When the hold was taken."""


class AssetPeaks(TypedDict):
    """A waveform for drawing; all channels together."""

    asset: str
    """The asset, `artists/{artist}/assets/{asset}`."""
    level: int
    """Zoom level of these peaks, 0 is the finest."""
    levels: int
    """How many zoom levels there are."""
    frames_per_bucket: int
    """Frames that one bucket covers at this level; the last bucket may cover fewer."""
    rate_hz: int
    """Frames per second in Hz."""
    total_buckets: int
    """Buckets of this level in the whole asset."""
    first_bucket: int
    """Bucket of the first pair in peaks."""
    peaks: str
    """One signed byte of minimum and one of maximum per bucket; 127 is full scale."""


class AssetVerification(TypedDict):
    """What hashing the stored bytes again has found."""

    name: str
    """Resource name, `artists/{artist}/verifications/{verification}`."""
    state: AssetVerificationState | None
    """Where it stands."""
    checked_count: int
    """Assets whose bytes were read, 0 and up."""
    checked_bytes: int
    """Bytes that were read, 0 and up."""
    missing_assets: list[str]
    """Assets whose bytes are gone."""
    damaged_assets: list[str]
    """Assets whose bytes differ from their hash."""
    create_time: str | None
    """When it was asked for."""
    end_time: str | None
    """When it ended; absent while it has not."""


class AudioAnalysis(TypedDict):
    """What is heard in a recording, measured once when it comes in; long recordings are judged by their first ten minutes."""

    tempo_bpm: float
    """Tempo in beats per minute; 0 when none is heard."""
    tempo_confidence: float
    """How sure the tempo is, 0 to 1."""
    key: str
    """Key as `B minor` or `F# major`; empty when none is heard."""
    key_confidence: float
    """How sure the key is, 0 to 1."""
    clipped_share: float
    """Share of frames that stand at full scale, three or more in a row, 0 to 1."""
    silent_share: float
    """Share of the length that is quieter than -60 dBFS, 0 to 1."""


class AudioFacts(TypedDict):
    """Facts of a piece of audio."""

    sha256: str
    """SHA-256 of the stored bytes, 64 hexadecimal digits."""
    size_bytes: int
    """Size of the stored bytes."""
    media_type: str
    """Media type, for example `audio/wav`."""
    duration_s: float
    """Length in seconds."""
    rate_hz: int
    """Sample rate in hertz."""
    channels: int
    """Number of channels."""
    pcm_sha256: str
    """SHA-256 of the decoded frames with rate and channels: equal for equal sound in two lossless files."""
    loudness_lufs: float | None
    """Integrated loudness in LUFS; absent when nothing passes the gate."""
    peak: float
    """Largest absolute sample value, full scale is 1.0."""
    clipped_share: float
    """Share of frames that stand at full scale, 0 to 1."""
    tempo_bpm: float
    """Tempo heard in the audio in beats per minute; 0 when none was."""
    tempo_confidence: float
    """How sure that tempo is, 0 to 1."""
    key: str
    """Key heard in the audio, for example `B minor`; empty when none was."""
    key_confidence: float
    """How sure that key is, 0 to 1."""


class AudioReference(TypedDict):
    """The audio that a session refers to in one place."""

    track: str
    """Which track of the session it belongs to, 1 to 200 characters, such as `deck-a`."""
    role: str
    """What it is on that track, 1 to 64 characters: `full`, `vocals`, `instruments`, `timbre`, `structure` or a name of the caller's."""
    asset: str
    """The audio, `artists/{artist}/assets/{asset}`; empty only while a separation still makes it."""
    separation: str
    """The separation that makes it, `artists/{artist}/separations/{separation}`; needed while asset is empty."""


class AudioStatus(TypedDict):
    """What is known of one audio reference."""

    reference: AudioReference | None
    """The reference."""
    state: AudioStatusState | None
    """Whether the audio is there."""
    asset: Asset | None
    """The asset with its hash, key and format; absent when it is missing or pending."""


class AuditEntry(TypedDict):
    """One thing that somebody did."""

    principal: str
    """Who."""
    method: str
    """What, the full name of the RPC."""
    resource: str
    """To which resource."""
    create_time: str | None
    """When."""


class BatchCheckCaptionsResponse(TypedDict):
    """What was found in many texts."""

    responses: list[CheckCaptionResponse]
    """In the order of the requests."""


class BatchCreateConversationsResponse(TypedDict):
    """Response of BatchCreateConversations."""

    results: list[ConversationResult]
    """One result per requested conversation, in the same order."""


class BatchCreateSeparationsResponse(TypedDict):
    """The operations, one per request and in their order."""

    operations: list[Operation]
    """One per request; a refused one is done, has no name and carries its error."""


class BatchCreateTrainingItemsResponse(TypedDict):
    """Response of BatchCreateTrainingItems."""

    results: list[BatchCreateTrainingItemsResponseResult]
    """One result per requested item, in the same order."""


class BatchCreateTrainingItemsResponseResult(TypedDict):
    """What became of one item."""

    training_item: TrainingItem | None
    """The item, when it was made."""
    status: Status | None
    """Why it was not made; absent when it was."""


class BatchEnrichConversationsResponse(TypedDict):
    """Response of BatchEnrichConversations."""

    results: list[ConversationResult]
    """One result per requested conversation, in the same order."""


class BatchGetAssetsResponse(TypedDict):
    """Several assets."""

    assets: list[Asset]
    """The assets that exist and are not deleted, in the order asked for."""
    missing_names: list[str]
    """The names that do not exist or are deleted."""


class Caption(TypedDict):
    """A caption: one line of text for one piece of audio."""

    name: str
    """`artists/{artist}/captions/{caption}`."""
    text: str
    """The text, one line, ending with the tempo tag `BPM: <number>`."""
    violations: list[CaptionFinding]
    """Rules it breaks that keep it from being accepted or exported; empty for an acceptable caption."""
    warnings: list[CaptionFinding]
    """Rules it breaks that are worth a look."""
    provenance: Provenance | None
    """Where it comes from."""
    create_time: str | None
    """When it was made."""
    etag: str
    """Always the same: captions never change."""


class CaptionFinding(TypedDict):
    """A rule that a caption breaks."""

    rule: str
    """Which rule, `P1` to `P12`."""
    description: str
    """What was found and how to mend it."""


class CaptionProposal(TypedDict):
    """A caption that is not accepted yet."""

    text: str
    """The text."""
    source_caption: str
    """The caption resource it comes from, `artists/{artist}/captions/{caption}`; empty when from none."""
    violations: list[Finding]
    """Rules that it breaks."""
    create_time: str | None
    """When it was proposed."""


class CaptionRevision(TypedDict):
    """A caption that a training item has or had."""

    name: str
    """`artists/{artist}/training-items/{training_item}/caption-revisions/{caption_revision}`; the last part is its number."""
    revision: int
    """Number, 1 for the first caption of the item."""
    caption: str
    """The text; empty when the caption was taken away."""
    provenance: dict[str, Any] | None
    """How it came to be."""
    caption_source: CaptionSource | None
    """Where it comes from."""
    principal: str
    """Who set it."""
    create_time: str | None
    """When it was set."""


class CaptionRun(TypedDict):
    """Captions being written for many items."""

    name: str
    """`artists/{artist}/caption-runs/{caption_run}`."""
    selection: Selection | None
    """Which items; empty takes every item that has audio and no caption. Read only when the run is made."""
    prompt_version: str
    """Version of the instruction; empty: the artist's newest approved one."""
    hint: str
    """What to do differently, up to 300 characters."""
    rewrite_generated: bool
    """True also writes anew what a model wrote before; texts of people are never touched. Default false."""
    state: CaptionRunState | None
    """Where the run stands."""
    progress_percent: float
    """Share done, 0 to 100."""
    item_count: int
    """Number of items."""
    accepted_count: int
    """Number of captions accepted so far."""
    proposed_count: int
    """Number of texts that wait as proposals."""
    skipped_count: int
    """Number of items left alone."""
    failed_count: int
    """Number of items without a text."""
    results: list[CaptionRunResult]
    """One result per item, in order; only GetCaptionRun gives them."""
    cost_usd_micros: int
    """Cost so far in millionths of a US dollar; 0 when unknown or free."""
    error: Status | None
    """Why the run failed; absent unless the state is FAILED."""
    create_time: str | None
    """When it was asked for."""
    update_time: str | None
    """When anything about it last changed."""
    end_time: str | None
    """When it ended; absent while it has not."""
    etag: str
    """Changes with every change of the row."""


class CaptionRunResult(TypedDict):
    """What became of one item."""

    training_item: str
    """The item."""
    outcome: CaptionRunResultOutcome | None
    """What became of it."""
    caption: str
    """The caption resource, `artists/{artist}/captions/{caption}`; empty when none was written."""
    error: Status | None
    """Why no text came of it; absent otherwise."""


class CheckCaptionResponse(TypedDict):
    """What was found in a text."""

    text: str
    """The text with everything mended that can be mended without changing its words."""
    violations: list[CaptionFinding]
    """Broken rules of the mended text that keep it from being accepted or exported."""
    warnings: list[CaptionFinding]
    """Broken rules of the mended text that are worth a look."""
    fixes: list[CaptionFinding]
    """What was mended."""


class CheckDirtyResponse(TypedDict):
    """Whether a state differs from the saved one."""

    dirty: bool
    """Whether it differs."""
    signature: str
    """Signature of the state that was sent."""
    saved_signature: str
    """Signature of the saved state."""
    revision: int
    """Number of the newest revision."""
    etag: str
    """The session's etag."""


class Completeness(TypedDict):
    """Whether everything a session needs is there."""

    state: CompletenessState | None
    """What can be opened; the first of the states above that holds, the worst first."""
    message: str
    """The same in words, with what to do."""
    audio: list[AudioStatus]
    """One entry for each audio reference, in the session's order."""


class Consent(TypedDict):
    """Permission to train on a piece of audio."""

    training_allowed: bool
    """Whether training is allowed; false also when nothing is known."""
    given_by: str
    """Who allowed it, 0 to 255 characters."""
    give_time: str | None
    """When it was allowed; absent when unknown."""
    evidence: str
    """Where the permission can be read, 0 to 2,048 characters."""


class Conversation(TypedDict):
    """A dialogue between a client and a consultant with what is known of its making."""

    name: str
    """`artists/{artist}/conversations/{conversation}`."""
    conversation_id: str
    """Lower-case UUID that training files carry, unique for the artist; empty makes it from the name."""
    display_name: str
    """Title for people, 0 to 255 characters; empty takes the client's persona."""
    document: str
    """The document as JSON text, UTF-8, up to 10 MiB; only on create."""
    document_kind: ConversationDocumentKind | None
    """What the document holds; unspecified finds out."""
    persona: Persona | None
    """Who the client is; absent when unknown."""
    emotional_arc: EmotionalArc | None
    """How the feeling moves; absent when unknown."""
    training_topic: TrainingTopic | None
    """What it is about; absent when unknown."""
    template: DatasetsPromptTemplate | None
    """The template it was generated with; absent when none was."""
    system_prompt: str
    """The system prompt it was generated with, 0 to 32,768 characters; empty takes the profile's default."""
    profile: dict[str, Any] | None
    """The consultant of the pairs, an object of the file format; absent takes the platform's neutral one."""
    quality_score: float | None
    """Score of the whole conversation, 0 to 5; absent when nobody scored it."""
    review_state: ConversationReviewState | None
    """Where a person's review stands; default PENDING."""
    batch: str
    """The batch it came from, a free name, 0 to 255 characters."""
    generate_time: str | None
    """When the dialogue was generated, gives `created_date` of the format; absent takes `create_time`."""
    state: ConversationState | None
    """How far it is."""
    validation_report: ValidationReport | None
    """Result of the last check."""
    turn_count: int
    """Number of turns."""
    pair_count: int
    """Number of training pairs, one per turn; 0 until enriched."""
    trainable_pair_count: int
    """Number of pairs with an answer to learn; 0 until enriched."""
    quality_tier: str
    """seed_dataset, production, experimental or rejected, by the score; empty until enriched."""
    enriched_sha256: str
    """SHA-256 of the enriched document's stored bytes; empty until enriched."""
    enriched_size_bytes: int
    """Size of the enriched document's stored bytes; 0 until enriched."""
    create_time: str | None
    """When it was taken in."""
    update_time: str | None
    """When anything about it last changed."""
    etag: str
    """Changes with every change of the row."""


class ConversationResult(TypedDict):
    """What became of one conversation of a batch."""

    conversation: Conversation | None
    """The conversation; absent when it failed before it had a row."""
    status: Status | None
    """Why it failed; absent when it did not."""


class Curve(TypedDict):
    """A knob that moves along the loop by itself."""

    knob: str
    """The knob, as `gain_db`."""
    points: list[CurvePoint]
    """At least two points by rising position."""


class CurvePoint(TypedDict):
    """One point of a curve."""

    position: float
    """Place in the loop, 0 to 1."""
    value: float
    """Share of the knob's range, 0 to 1."""
    mode: CurveMode | None
    """How the curve goes on from here; default smooth."""


class DatasetsJob(TypedDict):
    """A piece of background work as operators see it."""

    name: str
    """`artists/{artist}/jobs/{collection}-{uid}`."""
    target: str
    """The resource that the job makes."""
    state: JobState | None
    """Where it stands."""
    attempt: int
    """How often it was started."""
    lost_leases: int
    """How often a worker vanished while it held the job."""
    error_reason: str
    """Stable reason of the failure; empty unless it failed."""
    error_message: str
    """The failure in words; empty unless it failed."""
    create_time: str | None
    """When it was asked for."""
    update_time: str | None
    """When anything about it last changed."""


class DatasetsListJobsResponse(TypedDict):
    """Response of ListJobs."""

    jobs: list[DatasetsJob]
    """The page."""
    next_page_token: str
    """Token of the next page; empty on the last one."""


class DatasetsPromptTemplate(TypedDict):
    """The template that a conversation was generated with."""

    display_name: str
    """Name, 0 to 255 characters."""
    category: str
    """Category, prefix of the pair ids, for example `educational`; 0 to 100 characters."""
    skills: list[str]
    """What the pairs show, 0 to 50 entries; empty means empathy and active_listening."""


class DiffRevisionsResponse(TypedDict):
    """What differs between two revisions."""

    from_revision: int
    """Number of the revision started from."""
    to_revision: int
    """Number of the revision arrived at."""
    changes: list[SnapshotChange]
    """The differences in the order of their paths, at most 1000."""
    truncated: bool
    """Whether there are more than these."""


class DiffTrainingFileVersionsResponse(TypedDict):
    """Response of DiffTrainingFileVersions."""

    added: list[TrainingFileMember]
    """Members that only the newer version holds."""
    removed: list[TrainingFileMember]
    """Members that only the older version holds."""
    changed: list[TrainingFileMember]
    """Members of both whose document differs, as the newer version holds them."""


class EditCaptionsResponse(TypedDict):
    """Response of EditCaptions."""

    results: list[EditCaptionsResponseResult]
    """One result per item whose caption changes, in the order of the selection."""
    unchanged_count: int
    """Number of items whose caption stays as it is."""


class EditCaptionsResponseResult(TypedDict):
    """What becomes of one item."""

    training_item: str
    """The item."""
    before: str
    """Its caption before."""
    after: str
    """Its caption after."""
    violations: list[Finding]
    """Rules that the new caption breaks; it is not kept then."""
    warnings: list[Finding]
    """Rules that are worth a look."""
    applied: bool
    """Whether it was kept; always false when only validating, and when nothing changes."""
    conflict: str
    """Why it was not kept although it breaks no rule: somebody changed the item meanwhile; empty otherwise."""


class EmotionalArc(TypedDict):
    """How the feeling moves in a conversation."""

    key: str
    """Vocabulary key, lower-case letters, digits and underscores, 0 to 100 characters."""
    display_name: str
    """Name, 0 to 255 characters, for example `Doubt → Trust`."""
    starting_emotion: str
    """Feeling at the start, 0 to 100 characters."""
    ending_emotion: str
    """Feeling at the end, 0 to 100 characters."""


class EmulateTrainingResponse(TypedDict):
    """Response of EmulateTraining."""

    items: list[EmulatedItem]
    """One entry per item, in order."""
    chunk_count: int
    """Pieces of all items."""
    step_count: int
    """Steps of the training."""
    expected_duration_s: float | None
    """Expected length of the training."""
    expected_cost_usd_micros: int
    """Expected cost in millionths of a US dollar; 0 when unknown."""
    findings: list[Finding]
    """What a person should know about the whole; an ERROR makes the training fail or waste its money."""
    sample_count: int
    """Samples that the model sees: steps times the batch size that the trainer really uses."""
    effective_batch_size: int
    """Batch size that the trainer really uses."""
    succeeds: bool
    """Whether the trainer's run would end with a model."""


class EmulatedItem(TypedDict):
    """What a trainer does with one item."""

    training_item: str
    """The item, `artists/{artist}/training-items/{training_item}`; empty for a foreign file."""
    path: str
    """Path of the audio file inside the archive."""
    seen: bool
    """Whether the trainer sees the file at all."""
    pieces: list[TrainedPiece]
    """The pieces, in order."""
    caption: str
    """The caption that the model is given, before the trainer's random changes; empty when it gets none."""
    prepared_rate_hz: int
    """Sample rate after the trainer's preparation in hertz."""
    prepared_channels: int
    """Channels after the trainer's preparation."""
    chunk_count: int
    """Number of pieces that are trained on."""
    dropped_s: float
    """Length of the tail that is thrown away, in seconds."""
    padded_s: float
    """Length of silence that pads the pieces, in seconds."""
    caption_used: bool
    """Whether the caption reaches the model."""
    vocals_removed: bool
    """Whether vocals are removed."""
    resampled: bool
    """Whether the audio is resampled by the trainer's preparation."""
    findings: list[Finding]
    """What a person should know."""


class Engine(TypedDict):
    """What paints."""

    name: str
    """`artists/{artist}/engines/{engine}`; the last part is what Performance.engine takes."""
    knobs: list[Knob]
    """Its knobs."""


class EventTicket(TypedDict):
    """A short-lived right to one event stream, for EventSource, which sends no headers."""

    ticket: str
    """Goes into the stream's `ticket` parameter."""
    url: str
    """The stream with the ticket in it."""
    expires_in_s: int
    """How long it opens the stream, seconds."""


class Export(TypedDict):
    """An archive in the format of one trainer."""

    name: str
    """`artists/{artist}/exports/{export}`."""
    display_name: str
    """Title for people and stem of the file name, 0 to 255 characters; empty means `dataset-{date}`."""
    selection: Selection | None
    """The items to freeze; read only when the export is made, and only when no snapshot is given."""
    snapshot: str
    """The snapshot it is made of, `artists/{artist}/snapshots/{snapshot}`; leave it empty to make it of a selection, which gets a snapshot of its own."""
    format: ExportFormat | None
    """What the archive looks like inside; default REPLICATE_MUSICGEN."""
    options: ExportOptions | None
    """Choices that change the bytes of the archive."""
    state: ExportState | None
    """Where the export stands."""
    progress_percent: float
    """Share done, 0 to 100."""
    item_count: int
    """Number of pairs of audio and caption."""
    duration_s: float
    """Length of all audio together in seconds."""
    chunk_count: int
    """Number of 30 s pieces that the trainer will cut."""
    file_name: str
    """Name to save the archive under, ends in `.zip` (`.tar` for WEBDATASET); empty until the export has succeeded."""
    size_bytes: int
    """Exact size of the archive; 0 until the export has succeeded."""
    content_etag: str
    """Strong validator of the archive's bytes: equal archives have equal values; empty until the export has succeeded."""
    error: Status | None
    """Why the export failed; absent unless the state is FAILED."""
    create_time: str | None
    """When it was asked for."""
    update_time: str | None
    """When anything about it last changed."""
    end_time: str | None
    """When it ended; absent while it has not."""
    etag: str
    """Changes with every change of the row."""
    findings: list[Finding]
    """What a person should know about the archive, up to 1,000; lists give only what is about the whole."""


class ExportFile(TypedDict):
    """One file of an archive."""

    path: str
    """Path inside the archive."""
    size_bytes: int
    """Size in bytes."""
    crc32: int
    """CRC-32 of the bytes."""
    training_item: str
    """The item behind it, `artists/{artist}/training-items/{training_item}`; empty for files about the whole."""
    conversion: str
    """What was done to the audio, as `flac to wav, 48000 to 44100 Hz, -3.2 dB`; empty when it is the asset's own bytes or a text."""
    start_s: float
    """Where a piece of audio begins in the recording, in seconds."""
    duration_s: float
    """Length of the audio in seconds; 0 for texts."""


class ExportOptions(TypedDict):
    """Choices that change the bytes of the archive."""

    trigger: str
    """Text put before each caption with a space, 0 to 100 characters, one line; empty for none."""
    nested: bool
    """Put the files into `dataset/`, which makes the trainer skip cutting, resampling and vocal removal; default false."""
    suffix: str
    """Text put after each caption and before its tempo tag with a space, 0 to 100 characters, one line; empty for none."""
    audio_mode: ExportAudioMode | None
    """What is done to the audio; default AS_NEEDED."""
    rate_hz: int
    """Sample rate of files made anew, 8,000 to 96,000 Hz; 0 means 44,100."""
    channels: int
    """Channels of files made anew, 1 or 2; 0 means 2."""
    loudness_lufs: float | None
    """Integrated loudness of files made anew, -40 to -5 LUFS, as far as the peak stays below -1 dBFS; absent leaves it as it is."""
    cut: bool
    """Cut files above 30 s into pieces of 30 s, the last one kept when longer than 5 s; needs NORMALISED. Default false."""
    remove_vocals: bool
    """Take the vocals out by the platform's own stem separation; needs NORMALISED. Default false."""
    stored: bool
    """Also keep the archive as one object, so that links lead to the object store and no byte passes the gateway. Default false."""
    validation_share: float
    """Share of pairs that go into a validation split in formats that have one, 0 to 0.5; default 0."""


class Finding(TypedDict):
    """Something that a person should know, and what to do about it."""

    reason: str
    """Stable reason, for example `FEW_PAIRS`, or a caption rule as `P5`."""
    message: str
    """What it means and what to do."""
    training_item: str
    """The item it is about, `artists/{artist}/training-items/{training_item}`; empty when about the whole."""
    severity: FindingSeverity | None
    """How much it matters."""


class Generation(TypedDict):
    """Music made by a trained version."""

    name: str
    """`artists/{artist}/generations/{generation}`."""
    training: str
    """The training whose version plays, `artists/{artist}/trainings/{training}`."""
    prompt: str
    """What to play, 1 to 2,000 characters; words of the captions call the learned style."""
    duration_s: int
    """Length in seconds, 1 to 120; 0 means 8."""
    seed: int
    """Seed, 1 and up; 0 means a random one."""
    temperature: float | None
    """Temperature of sampling, above 0 to 10; absent means 1."""
    top_k: int
    """How many tokens to draw from, 1 to 2,048; 0 means 250."""
    top_p: float
    """Share of probability to draw from, 0 to 1; 0 leaves it to `top_k`."""
    guidance: int
    """How closely to follow the prompt, 1 to 20; 0 means 3."""
    state: GenerationState | None
    """Where the generation stands."""
    provider_id: str
    """The provider's id; empty until it answered."""
    asset: str
    """The audio, `artists/{artist}/assets/{asset}`; empty until it exists."""
    error: Status | None
    """Why it failed; absent unless the state is FAILED."""
    create_time: str | None
    """When it was asked for."""
    update_time: str | None
    """When anything about it last changed."""
    end_time: str | None
    """When it ended; absent while it has not."""
    etag: str
    """Changes with every change of the row."""


class Graph(TypedDict):
    """The motion graph: everything that shapes the loop."""

    knobs: dict[str, float]
    """Knob by name; what is missing has the engine's default. Values outside the knob's range are refused. The `spectral` engine has `gain_db`, `low_db`, `mid_db`, `high_db` and `blend`."""
    overlay: str
    """The stem that `blend` brings in: `vocals` or `instruments`; default `instruments`."""
    curves: list[Curve]
    """Knobs that move by themselves; at most one curve per knob."""
    prompts: Prompts | None
    """For generative engines."""
    references: list[Reference]
    """For generative engines; at most one per kind."""
    loop_band: LoopBand | None
    """Absent: the whole loop."""


class ImportLiveSetsResponse(TypedDict):
    """What became of the files of a zip."""

    results: list[ImportLiveSetsResponseResult]
    """One result per `.als` file, in the order of their paths; backups of Live are left out."""
    ignored_count: int
    """Number of other files in the zip."""


class ImportLiveSetsResponseResult(TypedDict):
    """What became of one file."""

    path: str
    """Path inside the zip."""
    live_set: LiveSet | None
    """The Live Set, without its summary; absent when the file could not be read."""
    already_there: bool
    """True when the artist has the same file already; `live_set` is that one then."""
    reason: str
    """Stable reason of the failure; empty otherwise."""
    message: str
    """What was wrong and what to do; empty otherwise."""


class ImportLocalSessionsResponse(TypedDict):
    """What became of each record."""

    results: list[LocalSessionResult]
    """One result per record, in their order."""


class Knob(TypedDict):
    """A knob of an engine."""

    knob: str
    """As in Graph.knobs."""
    minimum: float
    """Smallest value."""
    maximum: float
    """Largest value."""
    initial: float
    """Value when nothing is said."""
    unit: str
    """`dB`, or empty for a share."""
    description: str
    """What a listener hears."""


class Lineage(TypedDict):
    """What something was made of."""

    generation: Generation | None
    """The generation that was asked about; absent when a training was."""
    training: Training | None
    """The training."""
    export: Export | None
    """The archive that was trained on; absent when it was deleted."""
    snapshot: Snapshot | None
    """The snapshot behind it."""
    members: list[SnapshotMember]
    """Its members in order: audio, caption with its provenance, Live Set, licence, consent. One page of them."""
    next_page_token: str
    """Token of the next page of members; empty on the last one."""


class Link(TypedDict):
    """A signed link."""

    url: str
    """Gives the content to a plain GET, without a key."""
    expire_time: str
    """When it ends."""


class LintTrainingFileResponse(TypedDict):
    """Response of LintTrainingFile."""

    findings: list[LintTrainingFileResponseFinding]
    """The findings, those about the whole first."""


class LintTrainingFileResponseFinding(TypedDict):
    """One finding."""

    code: str
    """Stable code."""
    message: str
    """What was found and what to do."""
    conversation: str
    """The conversation it is about, `artists/{artist}/conversations/{conversation}`; empty when about the whole."""
    turn_number: int
    """Number of the pair it is about; 0 when about the conversation or the whole."""


class ListArtistsResponse(TypedDict):
    """One page of artists."""

    artists: list[Artist]
    """Newest first."""
    next_page_token: str
    """Asks for the next page; empty at the end."""


class ListAssetsResponse(TypedDict):
    """A page of assets."""

    assets: list[Asset]
    """The assets, newest first."""
    next_page_token: str
    """Token of the next page; empty at the end."""


class ListAuditEntriesResponse(TypedDict):
    """One page of what was done."""

    audit_entries: list[AuditEntry]
    """Newest first."""
    next_page_token: str
    """Asks for the next page; empty at the end."""


class ListCaptionRevisionsResponse(TypedDict):
    """Response of ListCaptionRevisions."""

    caption_revisions: list[CaptionRevision]
    """The page."""
    next_page_token: str
    """Token of the next page; empty on the last one."""


class ListCaptionRunsResponse(TypedDict):
    """Response of ListCaptionRuns."""

    caption_runs: list[CaptionRun]
    """The page."""
    next_page_token: str
    """Token of the next page; empty on the last one."""


class ListCaptionsResponse(TypedDict):
    """One page of captions."""

    captions: list[Caption]
    """Newest first."""
    next_page_token: str
    """Asks for the next page; empty at the end."""


class ListConversationsResponse(TypedDict):
    """Response of ListConversations."""

    conversations: list[Conversation]
    """The page."""
    next_page_token: str
    """Token of the next page; empty on the last one."""


class ListDuplicateGroupsResponse(TypedDict):
    """Response of ListDuplicateGroups."""

    groups: list[ListDuplicateGroupsResponseGroup]
    """The page."""
    next_page_token: str
    """Token of the next page; empty on the last one."""


class ListDuplicateGroupsResponseGroup(TypedDict):
    """Items that hold the same audio."""

    likeness: ListDuplicateGroupsResponseGroupLikeness | None
    """How alike they are."""
    training_items: list[str]
    """Names of the items, 2 or more."""


class ListEnginesResponse(TypedDict):
    """One page of engines."""

    engines: list[Engine]
    """By id."""
    next_page_token: str
    """Asks for the page after this one; empty on the last."""


class ListExportFilesResponse(TypedDict):
    """Response of ListExportFiles."""

    files: list[ExportFile]
    """The page."""
    next_page_token: str
    """Token of the next page; empty on the last one."""


class ListExportsResponse(TypedDict):
    """Response of ListExports."""

    exports: list[Export]
    """The page."""
    next_page_token: str
    """Token of the next page; empty on the last one."""


class ListGenerationsResponse(TypedDict):
    """Response of ListGenerations."""

    generations: list[Generation]
    """The page."""
    next_page_token: str
    """Token of the next page; empty on the last one."""


class ListHoldsResponse(TypedDict):
    """A page of holds."""

    holds: list[AssetHold]
    """The holds, newest first."""
    next_page_token: str
    """Token of the next page; empty at the end."""


class ListLiveSetsResponse(TypedDict):
    """One page of Live Sets."""

    live_sets: list[LiveSet]
    """Newest first."""
    next_page_token: str
    """Asks for the next page; empty at the end."""


class ListMembersResponse(TypedDict):
    """One page of members."""

    members: list[Member]
    """Newest first."""
    next_page_token: str
    """Asks for the next page; empty at the end."""


class ListModelsResponse(TypedDict):
    """One page of models."""

    models: list[Model]
    """By id."""
    next_page_token: str
    """Asks for the page after this one; empty on the last."""


class ListPerformancesResponse(TypedDict):
    """One page of performances."""

    performances: list[Performance]
    """Newest first."""
    next_page_token: str
    """Asks for the page after this one; empty on the last."""


class ListPromptTemplatesResponse(TypedDict):
    """One page of prompt templates."""

    prompt_templates: list[PromptPromptTemplate]
    """Newest first."""
    next_page_token: str
    """Asks for the next page; empty at the end."""


class ListRevisionsResponse(TypedDict):
    """A page of revisions."""

    revisions: list[SessionRevision]
    """The revisions without their snapshots, newest first."""
    next_page_token: str
    """Token of the next page; empty at the end."""


class ListSeparationsResponse(TypedDict):
    """One page of separations."""

    separations: list[Separation]
    """Newest first."""
    next_page_token: str
    """Asks for the page after this one; empty on the last."""


class ListSessionsResponse(TypedDict):
    """A page of sessions."""

    sessions: list[Session]
    """The sessions without their snapshots, newest first."""
    next_page_token: str
    """Token of the next page; empty at the end."""


class ListSnapshotMembersResponse(TypedDict):
    """Response of ListSnapshotMembers."""

    members: list[SnapshotMember]
    """The page."""
    next_page_token: str
    """Token of the next page; empty on the last one."""


class ListSnapshotsResponse(TypedDict):
    """Response of ListSnapshots."""

    snapshots: list[Snapshot]
    """The page."""
    next_page_token: str
    """Token of the next page; empty on the last one."""


class ListTrainingFileMembersResponse(TypedDict):
    """Response of ListTrainingFileMembers."""

    members: list[TrainingFileMember]
    """The page."""
    next_page_token: str
    """Token of the next page; empty on the last one."""


class ListTrainingFileVersionsResponse(TypedDict):
    """Response of ListTrainingFileVersions."""

    versions: list[TrainingFileVersion]
    """The page."""
    next_page_token: str
    """Token of the next page; empty on the last one."""


class ListTrainingFilesResponse(TypedDict):
    """Response of ListTrainingFiles."""

    training_files: list[TrainingFile]
    """The page."""
    next_page_token: str
    """Token of the next page; empty on the last one."""


class ListTrainingItemsResponse(TypedDict):
    """Response of ListTrainingItems."""

    training_items: list[TrainingItem]
    """The page."""
    next_page_token: str
    """Token of the next page; empty on the last one."""


class ListTrainingsResponse(TypedDict):
    """Response of ListTrainings."""

    trainings: list[Training]
    """The page."""
    next_page_token: str
    """Token of the next page; empty on the last one."""


class LiveSet(TypedDict):
    """An Ableton Live Set: the uploaded file and what it says."""

    name: str
    """`artists/{artist}/live-sets/{live_set}`."""
    display_name: str
    """Name for people, 1 to 200 characters; the file's name without `.als` by default."""
    project_name: str
    """Name of the Live project, up to 200 characters."""
    file_name: str
    """Name of the uploaded file, up to 255 characters."""
    sha256: str
    """SHA-256 of the file, lower-case hex."""
    size_bytes: int
    """Size of the file."""
    creator: str
    """Program and version that saved it, as `Ableton Live 11.3.21`."""
    live_version: int
    """Major version of Live that saved it, 8 to 12."""
    tempo_bpm: float
    """Tempo at the start in beats per minute, rounded to 3 decimals; 0 when the file holds none."""
    time_signature: str
    """Time signature at the start, as `4/4`; empty when the file holds none."""
    track_count: int
    """Number of MIDI, audio, group and return tracks together."""
    clip_count: int
    """Number of session and arrangement clips."""
    device_count: int
    """Number of devices, those inside racks included."""
    summary: dict[str, Any] | None
    """The whole summary: `overview`, `plugin_usage`, `plugins_by_track`, `sample_index`, `track_breakdown`, `track_hierarchy`, `genre_indicators`, `tracks`, `key`, `locators`, `scenes`, `arrangement`, `midi_stats`, `warnings`, and more keys later."""
    warnings: list[str]
    """What in the file could not be read or looks odd."""
    create_time: str | None
    """When it was read."""
    update_time: str | None
    """When it last changed."""
    delete_time: str | None
    """When it was deleted; absent while it is not."""
    purge_time: str | None
    """When a deleted Live Set is removed for good; absent while it is not deleted."""
    etag: str
    """Changes with every change of the Live Set."""
    key: str
    """Key, as `B minor`; empty when the file gives none that can be trusted."""
    key_evidence: str
    """What the key rests on: `set`, `clips`, `notes` or `samples`; empty without a key."""
    duration_s: float
    """Length of the arrangement in seconds; 0 when it is empty."""


class Liveness(TypedDict):
    """Whether the process lives."""

    status: Literal["ok"]
    """Always the same."""


class LocalSessionResult(TypedDict):
    """What became of one record."""

    local_id: str
    """Id of the record in the browser."""
    session: str
    """The session that it became or had become before; empty when refused."""
    error_reason: str
    """Why it was refused, a reason of docs/contracts.md; empty otherwise."""
    error_message: str
    """The same in words."""


class LoopBand(TypedDict):
    """A part of the loop that is repeated instead of the whole."""

    start_frames: int
    """First frame, 48 kHz."""
    end_frames: int
    """Frame after the last one, 48 kHz."""


class MatchFilesResponse(TypedDict):
    """Response of MatchFiles."""

    matches: list[MatchFilesResponseMatch]
    """One match per file name, in the same order."""


class MatchFilesResponseMatch(TypedDict):
    """What one file name belongs to."""

    file_name: str
    """The file name as asked."""
    live_set: str
    """The Live Set it belongs to, `artists/{artist}/live-sets/{live_set}`; empty when none does."""
    training_item: str
    """The training item that waits for it, `artists/{artist}/training-items/{training_item}`; empty when none does."""
    similarity: float
    """How alike the names are, 0 to 1; 1 is exact after normalisation."""
    exact: bool
    """True for an exact match, which can be taken as it is; false for a proposal that a person should see."""


class Me(TypedDict):
    """Who the key or token belongs to, and where it works."""

    principal: str
    """The person or machine behind the key."""
    operator: bool
    """Whether it operates the platform."""
    memberships: list[Membership]
    """The first 1000 artists it works on."""


class Member(TypedDict):
    """A principal's role on an artist."""

    name: str
    """`artists/{artist}/members/{member}`."""
    principal: str
    """Who it is, as the identity provider or the key file names them, 1 to 255 characters. Fixed once made."""
    role: Role | None
    """What they may do."""
    display_name: str
    """How to call them, up to 200 characters."""
    create_time: str | None
    """When they became a member."""
    update_time: str | None
    """When it last changed."""
    etag: str
    """Changes with every change of the member."""


class Membership(TypedDict):
    """A principal's role on one artist, as the gateway needs it."""

    artist: str
    """`artists/{artist}`."""
    principal: str
    """The principal."""
    role: Role | None
    """What it may do."""
    artist_deleted: bool
    """True when the artist is deleted and can still be brought back."""
    artist_display_name: str
    """The artist's name as people write it."""


class Model(TypedDict):
    """What separates."""

    name: str
    """`artists/{artist}/models/{model}`; the last part is what Separation.model takes. All artists see the same models."""
    display_name: str
    """For people."""
    engine: str
    """What runs it: `stub` or `demucs`."""
    sources: list[str]
    """The stems that it gives, in their order."""
    rate_hz: int
    """Rate at which it works, Hz; 0: at the source's own."""
    channels: int
    """Number of channels at which it works; 0: the source's own."""
    licence: str
    """What its owner allows, as the operator who mounted it wrote it down; empty: nothing was written down."""
    digest: str
    """SHA-256 over its weights and settings, lower-case hex."""
    is_default: bool
    """Whether it is used when none is asked for."""


class OpenSessionResponse(TypedDict):
    """A session ready to be opened."""

    session: Session | None
    """The session with its snapshot."""
    completeness: Completeness | None
    """Whether all of it is there."""


class OperationMetadata(TypedDict):
    """What a piece of long work says of itself."""

    target: str
    """Name of the resource that the work makes."""
    state: OperationState | None
    """Where it stands."""
    progress_percent: float
    """Share done, 0 to 100."""
    stage: str
    """What is being done now; empty while queued."""
    eta_s: float | None
    """Seconds left as estimated; null when unknown."""
    create_time: str | None
    """When it was asked for."""
    update_time: str | None
    """When it last changed."""
    end_time: str | None
    """When it ended; null before."""
    attempt: int
    """How often it was started."""


class Operation(TypedDict):
    """A piece of long work: a view of the resource that it makes."""

    name: str
    """`artists/{artist}/operations/{operation}`."""
    done: bool
    """Whether it has ended."""
    metadata: OperationMetadata
    """What the work says of itself."""
    response: dict[str, Any] | None
    """The finished resource; null until there is one."""
    error: Status | None
    """Why it failed; null otherwise."""


class Operations(TypedDict):
    """One page of operations."""

    operations: list[Operation]
    """Newest first within each service."""
    next_page_token: str
    """Asks for the page after this one; empty on the last."""


class Performance(TypedDict):
    """A loop of audio, its motion graph and the engine that repaints it."""

    name: str
    """`artists/{artist}/performances/{performance}`."""
    display_name: str
    """For people, at most 200 characters; default: empty."""
    asset: str
    """The recording that is played; required unless `session` is given. Another one swaps the source."""
    session: str
    """The saved session that is opened: source, stems, graph and playhead come from it. Default: none."""
    engine: str
    """What paints: `spectral` (signal processing on the CPU); default `spectral`."""
    graph: Graph | None
    """Everything that shapes the loop; default: the engine's defaults."""
    source_mode: SourceMode | None
    """What the loop is made of; default the whole mix."""
    skip_stem_extraction: bool
    """Whether no separation is started, whatever `source_mode` says; default false. Stems of a saved session are used all the same."""
    state: PerformanceState | None
    """Where it stands."""
    stems_state: PerformanceStemsState | None
    """Where the stems stand."""
    stems: list[PerformanceStem]
    """The stems of the source, vocals first; empty until they are ready."""
    separation: str
    """The separation that made the stems; empty when none was needed."""
    stems_error_reason: str
    """Stable reason why there are no stems; empty unless FAILED."""
    rate_hz: int
    """Rate of the loop, always 48,000 Hz."""
    channels: int
    """Channels of the loop, always 2."""
    loop_frames: int
    """Length of the loop in frames, a multiple of 9,600, at most 240 s; 0 until READY."""
    epoch: int
    """Counts the sources of this performance from 1; a swap adds 1."""
    playhead_frames: int
    """Playhead in the loop at the last checkpoint, frames."""
    checkpoint_time: str | None
    """When the state above was kept last; at most 1 s ago while it is played."""
    error_reason: str
    """Stable reason of the failure, as `SOURCE_TOO_SHORT`; empty unless FAILED."""
    error_message: str
    """What went wrong and what to do; empty unless FAILED."""
    create_time: str | None
    """When it was started."""
    update_time: str | None
    """When anything but the checkpoint last changed."""
    end_time: str | None
    """When it ended; absent before."""
    etag: str
    """Changes with every change but checkpoints."""


class PerformanceStatus(TypedDict):
    """A performance as an operator sees it."""

    name: str
    """`artists/{artist}/performances/{performance}`."""
    state: PerformanceState | None
    """Where it stands."""
    engine: str
    """What paints."""
    worker: str
    """The process that holds it; empty when none does."""
    fence: int
    """Fencing token; each process that takes it over adds 1."""
    lease_expire_time: str | None
    """When the hold ends unless the process says that it lives; absent when none holds it."""
    checkpoint_time: str | None
    """When its state was kept last."""
    create_time: str | None
    """When it was started."""


class PerformanceStem(TypedDict):
    """One stem of the source."""

    stem: str
    """`vocals` or `instruments`."""
    asset: str
    """The asset with its audio."""


class Persona(TypedDict):
    """Who the client of a conversation is."""

    key: str
    """Vocabulary key, lower-case letters, digits and underscores, 0 to 100 characters."""
    display_name: str
    """Name, 0 to 255 characters."""
    archetype: str
    """Kind of person, 0 to 255 characters, for example `The Steady Builder`."""
    demographics: Any | None
    """Facts as an object (age, gender, location, family_status are used) or as one text."""
    background: Any | None
    """Background as one text or an object."""


class PreflightTrainingFileResponse(TypedDict):
    """Response of PreflightTrainingFile."""

    eligible: bool
    """Whether all can be taken."""
    verdicts: list[PreflightTrainingFileResponseVerdict]
    """One verdict per requested conversation, in the same order."""


class PreflightTrainingFileResponseVerdict(TypedDict):
    """Whether one conversation can be taken."""

    conversation: str
    """The conversation as asked."""
    finding: PreflightTrainingFileResponseVerdictFinding | None
    """What was found."""
    message: str
    """The same in words, with what to do; empty when it can be taken."""


class Profile(TypedDict):
    """What is known of an artist's style; feeds captions and chat."""

    name: str
    """`artists/{artist}/profile`."""
    display_name: str
    """Title of the profile, up to 200 characters; empty: the artist's name."""
    notes: str
    """Free notes on style for people and captions, up to 4,000 characters."""
    master_schema: dict[str, Any] | None
    """The artist's style as a document (`artist`, `catalog`, `semantic_views`, `creative_policy`, ...). Known keys are checked for type, unknown keys are kept. At most 256 KiB as JSON, 12 levels deep, 5,000 values."""
    master_schema_sha256: str
    """SHA-256 of the document as canonical JSON, lower-case hex."""
    create_time: str | None
    """When the profile was made, with its artist."""
    update_time: str | None
    """When it last changed."""
    etag: str
    """Changes with every change of the profile."""


class PromptPromptTemplate(TypedDict):
    """One version of an instruction for captions; never changes."""

    name: str
    """`artists/{artist}/prompt-templates/{prompt_template}`; the last part is the version label."""
    display_name: str
    """Name for people, up to 200 characters."""
    instruction: str
    """The instruction, 1 to 20,000 characters."""
    temperature: float | None
    """Sampling temperature, 0 to 2; 0.7 by default."""
    create_time: str | None
    """When it was made."""
    etag: str
    """Changes with the state; the instruction never changes."""
    state: PromptTemplateState | None
    """Where it stands."""
    creator: str
    """Who made it; empty for a built-in one."""
    approver: str
    """Who approved it; empty while nobody has."""
    approve_time: str | None
    """When it was approved; absent while it was not."""
    instruction_sha256: str
    """SHA-256 of the instruction, lower-case hex."""
    max_tokens: int
    """Most tokens of an answer, 50 to 2,000; 0 means 300."""
    built_in: bool
    """Whether it is one of the platform's own; those cannot be changed."""


class Prompts(TypedDict):
    """What a generative engine is asked for."""

    prompt_a: str
    """The first prompt."""
    prompt_b: str
    """The second prompt; empty: as the first."""
    blend: float
    """From the first (0) to the second (1); default 0."""


class Provenance(TypedDict):
    """Where a caption comes from."""

    engine: str
    """Who wrote it: `openai` or `offline-composer`."""
    model: str
    """The model, as `gpt-4o-mini`; the composer's version for the offline composer."""
    prompt_version: str
    """Version label of the instruction, as `train-v2`."""
    temperature: float
    """Sampling temperature; 0 for the offline composer."""
    input_sha256: str
    """SHA-256 of the projected input that was sent, lower-case hex."""
    master_schema_sha256: str
    """SHA-256 of the artist's master schema as it was used, lower-case hex; empty when there is none."""
    live_set: str
    """The Live Set it was written from; empty when there was none."""
    asset: str
    """The asset it was written for; empty when there was none."""
    raw_text: str
    """The text as the engine gave it, before it was tidied."""
    attempts: int
    """How often the engine was asked, 1 to 3."""
    prompt_tokens: int
    """Tokens read by the model over all attempts; 0 when unknown."""
    completion_tokens: int
    """Tokens written by the model over all attempts; 0 when unknown."""
    latency_ms: int
    """Milliseconds from the first question to the final text."""
    generate_time: str | None
    """When the text was made."""
    principal: str
    """Who asked for it."""
    cost_usd_micros: int
    """Cost over all attempts in millionths of a US dollar; 0 when free or unknown."""
    variant: int
    """Number of the variant, 0 for the first."""
    hint: str
    """What the caller asked to do differently; empty for nothing."""
    tempo_bpm: float
    """Tempo that the tag had to give in beats per minute; 0 when none was known."""
    tempo_source: str
    """Where that tempo comes from: `hints`, `live_set`, `audio`; empty when none was known."""
    instruction_sha256: str
    """SHA-256 of the exact instruction text, lower-case hex."""
    live_set_sha256: str
    """SHA-256 of the Live Set's file, lower-case hex; empty when there was none."""
    seed: int
    """Seed sent to the model; 0 when none was."""


class Quota(TypedDict):
    """Limits of an artist and how much of them is used; a limit of 0 means none."""

    name: str
    """`artists/{artist}/quota`."""
    limit_bytes: int
    """Bytes that all assets may take together."""
    limit_jobs: int
    """Jobs that may be queued or running at once."""
    limit_spend_cents: int
    """US cents that trainings and captions may cost in a month."""
    used_bytes: int
    """Bytes in use."""
    used_jobs: int
    """Jobs queued or running."""
    used_spend_cents: int
    """US cents spent this month."""
    etag: str
    """Changes with every change of the limits."""


class ReadinessCheck(TypedDict):
    """How one thing is that the gateway stands on."""

    status: str
    """How it is."""
    detail: str
    """What is wrong with it; empty when nothing is."""
    failing: list[str]
    """What it lacks itself."""


class Reference(TypedDict):
    """Audio that shapes the result."""

    kind: ReferenceKind | None
    """What of it counts."""
    asset: str
    """The asset."""
    strength: float | None
    """How much it counts, 0 to 1; default 1."""


class SavePerformanceResponse(TypedDict):
    """What was kept."""

    session: str
    """The saved session, `artists/{artist}/sessions/{session}`."""
    session_etag: str
    """Its etag."""


class SearchArtistsResponse(TypedDict):
    """One page of artists of the platform."""

    artists: list[Artist]
    """Newest first."""
    next_page_token: str
    """Asks for the next page; empty at the end."""


class SearchPerformancesResponse(TypedDict):
    """One page of performances."""

    performances: list[PerformanceStatus]
    """Newest first."""
    next_page_token: str
    """Asks for the page after this one; empty on the last."""


class Selection(TypedDict):
    """Which training items something works on."""

    training_items: list[str]
    """Names of the items in the order wanted, 0 to 10,000; empty takes all by `states`."""
    states: list[TrainingItemState]
    """States to take when no item is named, oldest item first; empty means READY and EXPORTED."""
    new_since: str
    """Leave out what this snapshot holds as it is now, `artists/{artist}/snapshots/{snapshot}`; empty leaves nothing out."""


class Separation(TypedDict):
    """A recording taken apart."""

    name: str
    """`artists/{artist}/separations/{separation}`."""
    asset: str
    """The asset that is separated, of 1 to 8 channels. More than two are mixed down to stereo first, as ITU-R BS.775 says: centre and surrounds at -3 dB, a single back centre at -6 dB, without the low-frequency channel, and not scaled."""
    model: str
    """Id of the model, as `htdemucs`; default: the service's default model, filled in by the answer."""
    stem_set: StemSet | None
    """Which stems come out; default all of them."""
    target_stem: str
    """For STEM_SET_TWO_STEMS: the source that is taken out; default `vocals`."""
    wanted_stems: list[str]
    """For STEM_SET_SUBSET: sources of the model, at least one, none twice."""
    output_format: OutputFormat | None
    """How the stems are stored; default FLAC with 24 bits."""
    parameters: SeparationParameters | None
    """What the engine is told; default: the defaults of its fields."""
    priority: Priority | None
    """Which jobs go first; default batch."""
    labels: dict[str, str]
    """Free labels of the client, at most 64; keys 1 to 63 characters, values up to 255."""
    engine: str
    """What separates: `stub` (signal processing, no model) or `demucs`."""
    content_key: str
    """SHA-256 over the decoded source, engine, model and parameters, lower-case hex; what has the same key has the same stems."""
    state: OperationState | None
    """Where it stands."""
    progress_percent: float
    """Share done, 0 to 100."""
    stage: str
    """What is being done now: `fetching`, `waiting` (for equal work under way), `decoding`, `separating` (encoding goes on beside it), `encoding` (its end), `storing`; empty while queued or ended."""
    eta_s: float | None
    """Time left as estimated; absent when unknown."""
    stems: list[Stem]
    """The stems, in the model's order; empty until SUCCEEDED."""
    output_gain_db: float
    """Gain in dB, 0 or below, that all stems got alike so that none clips; their sum is the source with this gain. Always 0 for WAV_FLOAT, which cannot clip."""
    real_time_factor: float
    """Seconds of work per second of audio; 0 for a result that was remembered."""
    shared_with: str
    """The separation whose work this one shares; empty when it did its own."""
    attempt: int
    """How often it was started; 0 while it never was."""
    error_reason: str
    """Stable reason of the failure, as `SEPARATION_INPUT_EMPTY`; empty unless FAILED."""
    error_message: str
    """What went wrong and what to do; empty unless FAILED."""
    create_time: str | None
    """When it was asked for."""
    update_time: str | None
    """When anything about it last changed."""
    start_time: str | None
    """When a worker first took it; absent before."""
    end_time: str | None
    """When it ended; absent before."""
    etag: str
    """Changes with every change of the separation."""
    include_residual: bool
    """Whether a further stem `residual` comes last: what the stems, as they are stored, leave of the source, so that all stems together are the source exactly; default false. Not for STEM_SET_TWO_STEMS, nor as MP3."""
    publish_chunks: bool
    """Whether finished stretches can be played before the whole is done, see WatchSeparation; default false. They are kept for 15 minutes after the end; a separation whose outcome was remembered, or shared with another one, has none."""
    webhook: Webhook | None
    """Where to tell the end; absent: nowhere."""


class SeparationEvent(TypedDict):
    """The data of one event: the member that the event's name says."""

    separation: Separation | None
    """Of events `separation`: as it is now."""
    chunk: StemChunk | None
    """Of events `chunk`: a stretch that can be played."""


class SeparationParameters(TypedDict):
    """What the engine is told."""

    overlap: float | None
    """Share of two neighbouring segments that overlaps, 0 to 0.9; default 0.25. Ignored by the `stub` engine."""
    shifts: int
    """Number of shifted passes whose mean is taken, 0 to 10; default 0. Each costs as much as the whole. Ignored by the `stub` engine."""
    seed: int
    """Seed of the shifts; default 0. The same seed gives the same stems."""
    deterministic: bool
    """Whether the stems' bytes depend on nothing but input, model and parameters on the same device, whatever runs beside them; default false: they may differ by 1e-6 of full scale. Costs speed on a GPU. The `stub` engine always does so."""


class Session(TypedDict):
    """A saved state of a performance."""

    name: str
    """Resource name, `artists/{artist}/sessions/{session}`."""
    display_name: str
    """Name for people, 1 to 200 characters; default `Untitled session`."""
    snapshot: dict[str, Any] | None
    """The state as an object with an integer `version` (1), up to 1 MiB as canonical JSON and 32 levels deep. `captured_at` and `capturedAt` at its top are not part of the signature. Left out in lists."""
    audio: list[AudioReference]
    """All audio that the snapshot needs, 0 to 256 references, one per track and role."""
    snapshot_version: int
    """Version of the snapshot's layout, 1."""
    signature: str
    """SHA-256 of the canonical JSON (RFC 8785) of the snapshot without volatile members and of the audio references, 64 lower-case hex digits. Two states that sound the same have the same signature."""
    revision: int
    """Number of the newest revision, 1 and up."""
    copied_from: str
    """The session that this one was copied from; empty otherwise."""
    state: SessionState | None
    """Where it stands."""
    snapshot_bytes: int
    """Size of the canonical snapshot in bytes."""
    create_time: str | None
    """When it was first saved."""
    update_time: str | None
    """When it was last saved or renamed."""
    delete_time: str | None
    """When it was deleted; absent while it is not."""
    purge_time: str | None
    """When a deleted session goes for good; absent while it is not deleted."""
    etag: str
    """Changes whenever the session changes; send it back to save into exactly this state."""


class SessionBundle(TypedDict):
    """A session and its audio in one file."""

    name: str
    """Resource name, `artists/{artist}/bundles/{bundle}`."""
    session: str
    """The session that it holds."""
    revision: int
    """Number of the revision that it holds."""
    state: SessionBundleState | None
    """Where it stands."""
    size_bytes: int
    """Size of the file in bytes; 0 until it is ready."""
    sha256: str
    """SHA-256 of the file, 64 lower-case hex digits; empty until it is ready."""
    create_time: str | None
    """When it was asked for."""
    end_time: str | None
    """When it ended; absent while it has not."""


class SessionRevision(TypedDict):
    """One saved state in a session's history; never changes."""

    name: str
    """Resource name, `artists/{artist}/sessions/{session}/revisions/{revision}`; the last part is the number."""
    revision: int
    """Number of the revision, 1 and up."""
    snapshot: dict[str, Any] | None
    """The state that was saved. Left out in lists."""
    audio: list[AudioReference]
    """All audio that the snapshot needs."""
    snapshot_version: int
    """Version of the snapshot's layout."""
    signature: str
    """SHA-256 of the canonical state, 64 lower-case hex digits."""
    principal: str
    """Who saved it."""
    restored_from: int
    """Number of the revision that it restores; 0 when it restores none."""
    create_time: str | None
    """When it was saved."""


class Snapshot(TypedDict):
    """Training items as they were at one moment; never changes."""

    name: str
    """`artists/{artist}/snapshots/{snapshot}`."""
    display_name: str
    """Title for people, 0 to 255 characters."""
    selection: Selection | None
    """Which items it holds; read only when the snapshot is made."""
    item_count: int
    """Number of items."""
    duration_s: float
    """Length of all audio together in seconds."""
    content_sha256: str
    """SHA-256 over the canonical manifest (RFC 8785) of all members: equal for equal audio, captions and musical facts in equal order, 64 hexadecimal digits."""
    findings: list[Finding]
    """What is worth a look in it, up to 1,000; lists give only what is about the whole."""
    create_time: str | None
    """When it was made."""
    update_time: str | None
    """When it was last touched; the same as `create_time` unless its title changed."""
    etag: str
    """Changes with every change of the row."""


class SnapshotChange(TypedDict):
    """One difference between two revisions."""

    path: str
    """The place as a JSON Pointer (RFC 6901) into the object with the members `snapshot` and `audio`."""
    kind: SnapshotChangeKind | None
    """How it differs."""
    before: Any | None
    """The earlier value; absent when added."""
    after: Any | None
    """The later value; absent when removed."""


class SnapshotMember(TypedDict):
    """One frozen item of a snapshot."""

    position: int
    """Place in the snapshot, 1 for the first."""
    training_item: str
    """The item it was made from, `artists/{artist}/training-items/{training_item}`; the item may be gone."""
    asset: str
    """The audio, `artists/{artist}/assets/{asset}`."""
    caption: str
    """The caption."""
    caption_revision: int
    """Number of that caption."""
    audio: AudioFacts | None
    """Facts of the audio."""
    display_name: str
    """Title of the item."""
    caption_source: CaptionSource | None
    """Where the caption comes from."""
    provenance: dict[str, Any] | None
    """How the caption came to be: template version, model, parameters, input hashes, tokens, cost, time."""
    live_set: str
    """The Live Set behind the audio, `artists/{artist}/live-sets/{live_set}`; empty when none is known."""
    live_set_sha256: str
    """SHA-256 of the Live Set's file; empty when there is none."""
    licence: str
    """Licence of the audio."""
    consent: Consent | None
    """Permission to train on the audio."""
    tempo_bpm: float
    """Tempo in beats per minute: a person's, the Live Set's, or the one heard; 0 when unknown."""
    key: str
    """Key: a person's, the Live Set's, or the one heard; empty when unknown."""
    time_signature: str
    """Time signature; empty when unknown."""


class Status(TypedDict):
    """An error inside a result."""

    code: str
    """gRPC code."""
    reason: str
    """Stable reason of docs/contracts.md."""
    domain: str
    """The service that says so."""
    message: str
    """What was wrong and what to do."""
    metadata: dict[str, str]
    """Facts a program can read."""


class Stem(TypedDict):
    """One stem of a finished separation."""

    stem: str
    """What it holds: a source of the model (`drums`, `bass`, `other`, `vocals`, …), or of two stems the rest: `instruments` beside vocals, `no_{target}` beside any other; or `residual`, see Separation.include_residual."""
    asset: str
    """The asset with its audio: same rate and number of frames as the source, and its channels; a source of more than two gives stereo."""


class StemChunk(TypedDict):
    """A stretch of all stems, before any common gain: what clips here is turned down in the finished stems."""

    index: int
    """Counted from 0, without gaps; work that began again gives the same chunks."""
    offset_frames: int
    """First frame, at the source's rate; where the chunk before ended."""
    frame_count: int
    """Length in frames."""
    rate_hz: int
    """Rate of the frames, Hz."""
    parts: list[StemChunkPart]
    """One per stem, in the order of Separation.stems."""


class StemChunkPart(TypedDict):
    """One stem's share of a chunk."""

    stem: str
    """What it holds, as Stem.stem."""
    media_type: str
    """Media type of the object: audio/flac, or audio/wav for OUTPUT_FORMAT_WAV_FLOAT. It plays by itself."""
    url: str
    """Signed link to the audio, for an hour; the gateway fills it in, gRPC callers read `object_key`."""


class StemsJob(TypedDict):
    """A separation as an operator sees it."""

    name: str
    """The separation's name, `artists/{artist}/separations/{separation}`."""
    state: OperationState | None
    """Where it stands."""
    engine: str
    """What separates: `stub` or `demucs`."""
    model: str
    """Id of the model."""
    priority: Priority | None
    """Which jobs go first."""
    progress_percent: float
    """Share done, 0 to 100."""
    worker: str
    """The worker that holds it; empty when none does."""
    lease_expire_time: str | None
    """When the worker's hold ends unless it says that it lives; absent when none holds it."""
    attempt: int
    """How often it was started."""
    lost_lease_count: int
    """How often a worker died over it."""
    failure_count: int
    """How often the same failure came in a row."""
    error_reason: str
    """Stable reason of the last failure; empty when there was none."""
    error_message: str
    """What went wrong; empty when nothing did."""
    create_time: str | None
    """When it was asked for."""
    start_time: str | None
    """When a worker first took it; absent before."""
    end_time: str | None
    """When it ended; absent before."""


class StemsListJobsResponse(TypedDict):
    """One page of jobs."""

    jobs: list[StemsJob]
    """Newest first."""
    next_page_token: str
    """Asks for the page after this one; empty on the last."""


class Ticket(TypedDict):
    """What opens a socket, once."""

    ticket: str
    """The secret; good for one connection."""
    socket_url: str
    """Address of the socket with the ticket in it, as `ws://127.0.0.1:8081/v1/performances/socket?ticket=…`."""
    subprotocol: str
    """The subprotocol to ask for, `tonewright.realtime.v1`."""
    expire_time: str | None
    """When it stops to be good, 60 s after it was made."""


class TrainedPiece(TypedDict):
    """One piece that is trained on."""

    name: str
    """Name that the trainer gives the piece, for example `track-0001_chunk30.wav`."""
    start_s: float
    """Where it begins in the recording, in seconds."""
    duration_s: float
    """Length of its audio in seconds."""
    padded_s: float
    """Mean length of silence that fills a window of 30 s, in seconds."""


class Training(TypedDict):
    """A training of a model at a provider."""

    name: str
    """`artists/{artist}/trainings/{training}`."""
    display_name: str
    """Title for people, 0 to 255 characters."""
    export: str
    """What is trained on, `artists/{artist}/exports/{export}`."""
    destination: str
    """The provider's model that receives the version, `owner/model`."""
    parameters: TrainingParameters | None
    """Inputs of the training."""
    state: TrainingState | None
    """Where the training stands."""
    provider_status: str
    """The provider's own word for where it stands."""
    provider_id: str
    """The provider's id; empty until it answered."""
    progress_percent: float
    """Share done, 0 to 100."""
    version: str
    """The trained version at the provider; empty until it exists."""
    weights_uri: str
    """Address of the weights at the provider; empty until they exist."""
    log_tail: str
    """End of the provider's log, up to 16 KiB; up to 1 KiB in lists."""
    cost_usd_micros: int
    """Cost so far in millionths of a US dollar."""
    error: Status | None
    """Why it failed; absent unless the state is FAILED."""
    create_time: str | None
    """When it was asked for."""
    update_time: str | None
    """When anything about it last changed."""
    end_time: str | None
    """When it ended; absent while it has not."""
    etag: str
    """Changes with every change of the row."""
    expected_cost_usd_micros: int
    """Expected cost in millionths of a US dollar when it was asked for."""
    trainer: str
    """The trainer at the provider with its version, `owner/model:version`."""
    snapshot: str
    """The snapshot behind the export, `artists/{artist}/snapshots/{snapshot}`."""
    snapshot_sha256: str
    """SHA-256 over the snapshot's members, 64 hexadecimal digits."""
    findings: list[Finding]
    """What was known to be odd when it was asked for; up to 5 in lists."""
    epoch: int
    """Epoch that the provider's log tells of; 0 while it tells of none."""
    step: int
    """Step in all that the provider's log tells of; 0 while it tells of none."""
    predict_time_s: float
    """Seconds of computing that the provider bills; 0 while unknown."""


class TrainingBudget(TypedDict):
    """What trainings may cost and have cost."""

    configured: bool
    """Whether a provider is set up; without one nothing can be trained."""
    price_usd_micros_per_s: int
    """Price of a second of training in millionths of a US dollar."""
    training_cap_usd_micros: int
    """Most that one training may be expected to cost, in millionths of a US dollar; 0: no cap."""
    day_cap_usd_micros: int
    """Most that all trainings of the artist may cost within 24 hours, in millionths of a US dollar; 0: no cap."""
    spent_today_usd_micros: int
    """What trainings of the last 24 hours cost or are expected to cost, in millionths of a US dollar."""
    spent_usd_micros: int
    """What all trainings of the artist have cost, in millionths of a US dollar."""
    trainer: str
    """The trainer that new trainings run, `owner/model:version`."""
    stand_in: bool
    """Whether the provider is a stand-in on this machine, which trains nothing."""


class TrainingFile(TypedDict):
    """A named set of conversations, built as JSON and JSONL in immutable versions."""

    name: str
    """`artists/{artist}/training-files/{training_file}`."""
    display_name: str
    """Title and `file_name` of the format, 1 to 255 characters, unique for the artist without regard to case."""
    description: str
    """Description, 0 to 4,096 characters; not written into the files."""
    target_model: str
    """Model that the file is meant for, `target_model` of the format, 0 to 255 characters; empty leaves the format's default."""
    profile: dict[str, Any] | None
    """The consultant of the file, an object of the file format; absent takes the platform's neutral one."""
    jsonl_header: bool
    """Write the `_meta` line before the pairs of the JSONL; default false, since most trainers cannot read it."""
    state: TrainingFileState | None
    """Where the file stands."""
    current_version: str
    """The version that reads give, `artists/{artist}/training-files/{training_file}/versions/{version}`; empty until one is built."""
    statistics: TrainingFileStatistics | None
    """Numbers of the current version; absent until one is built."""
    json_size_bytes: int
    """Size of the current JSON."""
    jsonl_size_bytes: int
    """Size of the current JSONL."""
    create_time: str | None
    """When it was made."""
    update_time: str | None
    """When anything about it last changed."""
    etag: str
    """Changes with every change of the file."""


class TrainingFileMember(TypedDict):
    """A conversation inside a training file."""

    conversation: str
    """The conversation, `artists/{artist}/conversations/{conversation}`."""
    conversation_id: str
    """Its UUID inside the files."""
    position: int
    """Place in the file, 1 for the first."""
    added_in_version: int
    """Number of the version that first held it."""
    score: float | None
    """Its score when it was added; absent when it had none."""
    quality_tier: str
    """Its tier when it was added."""
    pair_count: int
    """Number of its pairs."""
    trainable_pair_count: int
    """Number of its pairs with an answer."""
    source_sha256: str
    """SHA-256 of the enriched document that was taken."""


class TrainingFileStatistics(TypedDict):
    """Quality and balance of a version."""

    conversation_count: int
    """Number of conversations."""
    pair_count: int
    """Number of pairs, one per turn."""
    trainable_pair_count: int
    """Number of pairs with an answer to learn; the lines of the JSONL."""
    quality: TrainingFileStatisticsQuality | None
    """Scores."""
    personas: dict[str, int]
    """Conversations per persona key."""
    emotional_arcs: dict[str, int]
    """Conversations per emotional arc key."""
    training_topics: dict[str, int]
    """Conversations per training topic key."""
    quality_tiers: dict[str, int]
    """Conversations per quality tier."""


class TrainingFileStatisticsQuality(TypedDict):
    """Scores; a conversation counts once, with its own score or else the mean of its assistant pairs."""

    scored_count: int
    """Conversations that have a score."""
    mean_score: float
    """Mean score, 0 to 5; 0 when nothing is scored."""
    min_score: float
    """Lowest score; 0 when nothing is scored."""
    max_score: float
    """Highest score; 0 when nothing is scored."""
    human_reviewed_count: int
    """Pairs with an answer that a person has reviewed."""
    human_reviewed_percent: float
    """The same as a share of all pairs with an answer, 0 to 100."""


class TrainingFileVersion(TypedDict):
    """One build of a training file; never changes once it has succeeded."""

    name: str
    """`artists/{artist}/training-files/{training_file}/versions/{version}`; the last part is its number."""
    sequence: int
    """Number, 1 for the first."""
    state: TrainingFileVersionState | None
    """Where the build stands."""
    progress_percent: float
    """Share done, 0 to 100."""
    statistics: TrainingFileStatistics | None
    """Numbers of this version; absent until built."""
    json_size_bytes: int
    """Size of the JSON; 0 until built."""
    json_sha256: str
    """SHA-256 of the JSON; empty until built."""
    jsonl_size_bytes: int
    """Size of the JSONL; 0 until built."""
    jsonl_sha256: str
    """SHA-256 of the JSONL; empty until built."""
    error: Status | None
    """Why the build failed; absent unless the state is FAILED."""
    create_time: str | None
    """When it was asked for."""
    update_time: str | None
    """When anything about it last changed."""
    end_time: str | None
    """When it ended; absent while it has not."""


class TrainingItem(TypedDict):
    """One piece of audio with the caption that describes it."""

    name: str
    """`artists/{artist}/training-items/{training_item}`."""
    display_name: str
    """Title for people, 0 to 255 characters; empty takes the asset's."""
    asset: str
    """The audio, `artists/{artist}/assets/{asset}`; empty while the item has none."""
    caption: str
    """What a trainer reads, one line of 1 to 600 characters; empty while the item has none."""
    live_set: str
    """The Live Set behind the audio, `artists/{artist}/live-sets/{live_set}`; empty when none is known."""
    provenance: dict[str, Any] | None
    """How the caption came to be (source, model, prompt version, input hash); up to 16 KiB as JSON."""
    licence: str
    """Licence of the audio, an SPDX identifier or a short text, 0 to 255 characters."""
    consent: Consent | None
    """Whether and by whom training on the audio was allowed."""
    state: TrainingItemState | None
    """Where the item stands."""
    failure: str
    """Why the item failed; empty unless the state is FAILED."""
    caption_revision: int
    """Number of the current caption, 1 for the first; 0 while there is none."""
    audio: AudioFacts | None
    """Facts of the audio, copied when it was attached; absent while there is none."""
    last_export: str
    """The last finished export that holds this item as it is now, `artists/{artist}/exports/{export}`; empty when none does."""
    create_time: str | None
    """When the item was made."""
    update_time: str | None
    """When anything about it last changed."""
    etag: str
    """Changes with every change of the item."""
    tempo_bpm: float
    """Tempo in beats per minute as a person gives it, 20 to 999; 0: the Live Set's, else the one heard in the audio."""
    key: str
    """Key as a person gives it, for example `B minor`; empty: the Live Set's where it can be trusted, else the one heard."""
    time_signature: str
    """Time signature as a person gives it, for example `6/8`; empty: the Live Set's."""
    source_caption: str
    """The caption resource that `caption` comes from, `artists/{artist}/captions/{caption}`; its provenance is taken over, and a text that differs from it counts as edited. Empty for a text of one's own."""
    caption_source: CaptionSource | None
    """Where the caption comes from."""
    proposal: CaptionProposal | None
    """A text that waits for a person, since it breaks rules or the audio or Live Set changed under it; absent when none does."""
    findings: list[Finding]
    """What in the audio or caption is worth a look: silence, clipping, short audio, rules P6 and P10 to P12."""


class TrainingParameters(TypedDict):
    """Inputs of a training, as Replicate's MusicGen trainer names them."""

    model_version: str
    """Base model: stereo-melody (default), stereo-small, stereo-medium, melody, small, medium."""
    epochs: int
    """Passes over the data, 1 or more; 0 means 3."""
    updates_per_epoch: int
    """Steps per pass, 1 or more; 0 means 100."""
    batch_size: int
    """Samples per step, a multiple of 8; 0 means 16."""
    optimizer: str
    """dadam (default) or adamw."""
    learning_rate: float
    """Learning rate; 0 means 1, which suits dadam."""
    learning_rate_scheduler: str
    """cosine (default), polynomial_decay, inverse_sqrt or linear_warmup."""
    warmup_steps: int | None
    """Steps of warm-up, 0 or more; absent means 8."""
    unconditioned_share: float | None
    """Share of samples trained without conditioning, 0 to 1; absent means 0.3."""
    auto_labeling: bool | None
    """Let the trainer guess genre, mood, instruments, tempo and key; absent means false."""
    drop_vocals: bool | None
    """Let the trainer remove vocals from pieces of files above 30 s; absent means false."""
    one_same_description: str | None
    """One text for all audio; the captions are ignored then. Absent means that the captions count; an empty text is refused."""


class TrainingTopic(TypedDict):
    """What a conversation is about."""

    key: str
    """Vocabulary key, lower-case letters, digits and underscores, 0 to 100 characters."""
    display_name: str
    """Name, 0 to 255 characters."""
    complexity_level: str
    """beginner, intermediate or advanced; empty means intermediate."""


class Upload(TypedDict):
    """The arrival of one file."""

    name: str
    """Resource name, `artists/{artist}/uploads/{upload}`."""
    state: UploadState | None
    """Where it stands."""
    put_url: str
    """Presigned address for one HTTP PUT of the bytes; empty when the store cannot sign: then stream them through the gateway."""
    asset: str
    """The asset it became, `artists/{artist}/assets/{asset}`; set at once when the artist already has these bytes."""
    sha256: str
    """SHA-256 that was announced, 64 lower-case hex digits; empty when it was not."""
    size_bytes: int
    """Size that was announced in bytes; 0 when it was not."""
    media_type: str
    """Media type that was announced; empty when it was not."""
    display_name: str
    """Display name that the asset gets."""
    create_time: str | None
    """When it was opened."""
    expire_time: str | None
    """When it ends unless completed before, 24 h after create_time."""


class ValidationReport(TypedDict):
    """What a check of a document found."""

    valid: bool
    """Whether there is no blocker."""
    blockers: list[ValidationReportIssue]
    """Findings that stand in the way."""
    warnings: list[ValidationReportIssue]
    """Findings that do not."""
    summary: str
    """One sentence with the counts."""


class ValidationReportIssue(TypedDict):
    """One finding."""

    code: str
    """Stable code, for example `MISSING_TURNS_ARRAY`."""
    severity: ValidationReportIssueSeverity | None
    """How grave it is."""
    field: str
    """Where in the document, for example `turns[3].content`."""
    message: str
    """What was found."""
    suggestion: str
    """What to do."""


class Webhook(TypedDict):
    """Where to tell the end of a separation: one POST of a JSON event, signed as Standard Webhooks say (headers webhook-id, webhook-timestamp, webhook-signature) and repeated for some days until it is answered with 2xx. Types of events: `separation.succeeded`, `separation.failed`, `separation.cancelled`. `data` holds `name`, `operation`, `state`, `stems` (each `stem` and `asset`), and `error_reason` of a failure."""

    url: str
    """Where to post: https, a public host, no credentials in it, at most 2000 characters."""


class services__gateway__health__Readiness(TypedDict):
    """How the gateway and everything behind it is."""

    status: str
    """All in all."""
    failing: list[str]
    """Names of the checks that are not ok."""
    checks: dict[str, ReadinessCheck]
    """Each check by its name."""


class services__gateway__models__datasets__Readiness(TypedDict):
    """Whether items make a dataset that can be trained on."""

    ready: bool
    """True when nothing stands in the way of a training."""
    pair_count: int
    """Number of pairs that can be trained on."""
    min_pairs: int
    """Fewest pairs that a training wants."""
    duration_s: float
    """Length of their audio in seconds."""
    items_by_state: dict[str, int]
    """Number of items of the artist in each state, by the state's name."""
    findings: list[Finding]
    """What stands in the way and what is worth a look."""
