"""JSON shapes of tonewright.datasets.v1, made by `tools/openapi.py`; never edited."""

# ruff: noqa: E501
from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from services.gateway.shapes import (
    Flag,
    In,
    Int32,
    Int64,
    Json,
    Number,
    Object,
    Out,
    StatusOut,
    Text,
    Time,
)


class Consent(Out):
    """Permission to train on a piece of audio."""

    training_allowed: bool = Field(
        description="Whether training is allowed; false also when nothing is known.", examples=[False]
    )
    given_by: str = Field(description="Who allowed it, 0 to 255 characters.")
    give_time: Time | None = Field(
        description="When it was allowed; absent when unknown.", examples=["2026-11-21T10:00:00.000000Z"]
    )
    evidence: str = Field(description="Where the permission can be read, 0 to 2,048 characters.")


class TrainingItemState(StrEnum):
    """Where an item stands."""

    NEEDS_AUDIO = "NEEDS_AUDIO"
    NEEDS_PROMPT = "NEEDS_PROMPT"
    READY = "READY"
    EXPORTED = "EXPORTED"
    FAILED = "FAILED"


class AudioFacts(Out):
    """Facts of a piece of audio."""

    sha256: str = Field(
        description="SHA-256 of the stored bytes, 64 hexadecimal digits.",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )
    size_bytes: int = Field(description="Size of the stored bytes.", examples=[10584044])
    media_type: str = Field(description="Media type, for example `audio/wav`.", examples=["audio/wav"])
    duration_s: float = Field(description="Length in seconds.", examples=[60.0])
    rate_hz: int = Field(description="Sample rate in hertz.", examples=[44100])
    channels: int = Field(description="Number of channels.", examples=[2])
    pcm_sha256: str = Field(
        description="SHA-256 of the decoded frames with rate and channels: equal for equal sound in two lossless files."
    )
    loudness_lufs: float | None = Field(
        description="Integrated loudness in LUFS; absent when nothing passes the gate.", examples=[0.5]
    )
    peak: float = Field(description="Largest absolute sample value, full scale is 1.0.", examples=[0.5])
    clipped_share: float = Field(description="Share of frames that stand at full scale, 0 to 1.", examples=[0.5])
    tempo_bpm: float = Field(
        description="Tempo heard in the audio in beats per minute; 0 when none was.", examples=[124.0]
    )
    tempo_confidence: float = Field(description="How sure that tempo is, 0 to 1.", examples=[0.5])
    key: str = Field(description="Key heard in the audio, for example `B minor`; empty when none was.")
    key_confidence: float = Field(description="How sure that key is, 0 to 1.", examples=[0.5])


class CaptionSource(StrEnum):
    """Where a caption comes from."""

    GENERATED = "GENERATED"
    EDITED = "EDITED"
    MANUAL = "MANUAL"
    IMPORTED = "IMPORTED"


class FindingSeverity(StrEnum):
    """How much it matters."""

    ERROR = "ERROR"
    WARNING = "WARNING"


class Finding(Out):
    """Something that a person should know, and what to do about it."""

    reason: str = Field(description="Stable reason, for example `FEW_PAIRS`, or a caption rule as `P5`.")
    message: str = Field(description="What it means and what to do.")
    training_item: str = Field(
        description="The item it is about, `artists/{artist}/training-items/{training_item}`; empty when about the whole.",
        examples=["artists/nova/training-items/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    severity: FindingSeverity | None = Field(description="How much it matters.", examples=["ERROR"])


class CaptionProposal(Out):
    """A caption that is not accepted yet."""

    text: str = Field(description="The text.", examples=["warm analog house groove with a round bass, BPM: 124"])
    source_caption: str = Field(
        description="The caption resource it comes from, `artists/{artist}/captions/{caption}`; empty when from none.",
        examples=["artists/nova/captions/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    violations: list[Finding] = Field(description="Rules that it breaks.")
    create_time: Time | None = Field(description="When it was proposed.", examples=["2026-11-21T10:00:00.000000Z"])


class TrainingItem(Out):
    """One piece of audio with the caption that describes it."""

    name: str = Field(
        description="`artists/{artist}/training-items/{training_item}`.",
        examples=["artists/nova/training-items/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    display_name: str = Field(
        description="Title for people, 0 to 255 characters; empty takes the asset's.", examples=["Night drive"]
    )
    asset: str = Field(
        description="The audio, `artists/{artist}/assets/{asset}`; empty while the item has none.",
        examples=["artists/nova/assets/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    caption: str = Field(
        description="What a trainer reads, one line of 1 to 600 characters; empty while the item has none.",
        examples=["warm analog house groove with a round bass, BPM: 124"],
    )
    live_set: str = Field(
        description="The Live Set behind the audio, `artists/{artist}/live-sets/{live_set}`; empty when none is known.",
        examples=["artists/nova/live-sets/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    provenance: Object | None = Field(
        description="How the caption came to be (source, model, prompt version, input hash); up to 16 KiB as JSON.",
        examples=[{}],
    )
    licence: str = Field(description="Licence of the audio, an SPDX identifier or a short text, 0 to 255 characters.")
    consent: Consent | None = Field(description="Whether and by whom training on the audio was allowed.")
    state: TrainingItemState | None = Field(description="Where the item stands.", examples=["NEEDS_AUDIO"])
    failure: str = Field(description="Why the item failed; empty unless the state is FAILED.")
    caption_revision: int = Field(
        description="Number of the current caption, 1 for the first; 0 while there is none.", examples=[1]
    )
    audio: AudioFacts | None = Field(
        description="Facts of the audio, copied when it was attached; absent while there is none."
    )
    last_export: str = Field(
        description="The last finished export that holds this item as it is now, `artists/{artist}/exports/{export}`; empty when none does.",
        examples=["artists/nova/exports/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    create_time: Time | None = Field(description="When the item was made.", examples=["2026-11-21T10:00:00.000000Z"])
    update_time: Time | None = Field(
        description="When anything about it last changed.", examples=["2026-11-21T10:00:00.000000Z"]
    )
    etag: str = Field(description="Changes with every change of the item.", examples=["5f1d2c3b4a596877"])
    tempo_bpm: float = Field(
        description="Tempo in beats per minute as a person gives it, 20 to 999; 0: the Live Set's, else the one heard in the audio.",
        examples=[124.0],
    )
    key: str = Field(
        description="Key as a person gives it, for example `B minor`; empty: the Live Set's where it can be trusted, else the one heard."
    )
    time_signature: str = Field(
        description="Time signature as a person gives it, for example `6/8`; empty: the Live Set's.", examples=["4/4"]
    )
    source_caption: str = Field(
        description="The caption resource that `caption` comes from, `artists/{artist}/captions/{caption}`; its provenance is taken over, and a text that differs from it counts as edited. Empty for a text of one's own.",
        examples=["artists/nova/captions/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    caption_source: CaptionSource | None = Field(description="Where the caption comes from.", examples=["GENERATED"])
    proposal: CaptionProposal | None = Field(
        description="A text that waits for a person, since it breaks rules or the audio or Live Set changed under it; absent when none does."
    )
    findings: list[Finding] = Field(
        description="What in the audio or caption is worth a look: silence, clipping, short audio, rules P6 and P10 to P12."
    )


class ConsentInput(In):
    """Permission to train on a piece of audio."""

    training_allowed: Flag | None = Field(
        default=None, description="Whether training is allowed; false also when nothing is known.", examples=[False]
    )
    given_by: Text | None = Field(default=None, description="Who allowed it, 0 to 255 characters.")
    give_time: Time | None = Field(
        default=None, description="When it was allowed; absent when unknown.", examples=["2026-11-21T10:00:00.000000Z"]
    )
    evidence: Text | None = Field(default=None, description="Where the permission can be read, 0 to 2,048 characters.")


class CreateTrainingItemBody(In):
    """Request of CreateTrainingItem."""

    display_name: Text | None = Field(
        default=None,
        description="Title for people, 0 to 255 characters; empty takes the asset's.",
        examples=["Night drive"],
    )
    asset: Text | None = Field(
        default=None,
        description="The audio, `artists/{artist}/assets/{asset}`; empty while the item has none.",
        examples=["artists/nova/assets/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    caption: Text | None = Field(
        default=None,
        description="What a trainer reads, one line of 1 to 600 characters; empty while the item has none.",
        examples=["warm analog house groove with a round bass, BPM: 124"],
    )
    live_set: Text | None = Field(
        default=None,
        description="The Live Set behind the audio, `artists/{artist}/live-sets/{live_set}`; empty when none is known.",
        examples=["artists/nova/live-sets/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    provenance: Object | None = Field(
        default=None,
        description="How the caption came to be (source, model, prompt version, input hash); up to 16 KiB as JSON.",
        examples=[{}],
    )
    licence: Text | None = Field(
        default=None, description="Licence of the audio, an SPDX identifier or a short text, 0 to 255 characters."
    )
    consent: ConsentInput | None = Field(
        default=None, description="Whether and by whom training on the audio was allowed."
    )
    tempo_bpm: Number | None = Field(
        default=None,
        description="Tempo in beats per minute as a person gives it, 20 to 999; 0: the Live Set's, else the one heard in the audio.",
        examples=[124.0],
    )
    key: Text | None = Field(
        default=None,
        description="Key as a person gives it, for example `B minor`; empty: the Live Set's where it can be trusted, else the one heard.",
    )
    time_signature: Text | None = Field(
        default=None,
        description="Time signature as a person gives it, for example `6/8`; empty: the Live Set's.",
        examples=["4/4"],
    )
    source_caption: Text | None = Field(
        default=None,
        description="The caption resource that `caption` comes from, `artists/{artist}/captions/{caption}`; its provenance is taken over, and a text that differs from it counts as edited. Empty for a text of one's own.",
        examples=["artists/nova/captions/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )


class BatchCreateTrainingItemsResponseResult(Out):
    """What became of one item."""

    training_item: TrainingItem | None = Field(description="The item, when it was made.")
    status: StatusOut | None = Field(description="Why it was not made; absent when it was.")


class BatchCreateTrainingItemsResponse(Out):
    """Response of BatchCreateTrainingItems."""

    results: list[BatchCreateTrainingItemsResponseResult] = Field(
        description="One result per requested item, in the same order."
    )


class TrainingItemInput(In):
    """One piece of audio with the caption that describes it."""

    display_name: Text | None = Field(
        default=None,
        description="Title for people, 0 to 255 characters; empty takes the asset's.",
        examples=["Night drive"],
    )
    asset: Text | None = Field(
        default=None,
        description="The audio, `artists/{artist}/assets/{asset}`; empty while the item has none.",
        examples=["artists/nova/assets/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    caption: Text | None = Field(
        default=None,
        description="What a trainer reads, one line of 1 to 600 characters; empty while the item has none.",
        examples=["warm analog house groove with a round bass, BPM: 124"],
    )
    live_set: Text | None = Field(
        default=None,
        description="The Live Set behind the audio, `artists/{artist}/live-sets/{live_set}`; empty when none is known.",
        examples=["artists/nova/live-sets/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    provenance: Object | None = Field(
        default=None,
        description="How the caption came to be (source, model, prompt version, input hash); up to 16 KiB as JSON.",
        examples=[{}],
    )
    licence: Text | None = Field(
        default=None, description="Licence of the audio, an SPDX identifier or a short text, 0 to 255 characters."
    )
    consent: ConsentInput | None = Field(
        default=None, description="Whether and by whom training on the audio was allowed."
    )
    tempo_bpm: Number | None = Field(
        default=None,
        description="Tempo in beats per minute as a person gives it, 20 to 999; 0: the Live Set's, else the one heard in the audio.",
        examples=[124.0],
    )
    key: Text | None = Field(
        default=None,
        description="Key as a person gives it, for example `B minor`; empty: the Live Set's where it can be trusted, else the one heard.",
    )
    time_signature: Text | None = Field(
        default=None,
        description="Time signature as a person gives it, for example `6/8`; empty: the Live Set's.",
        examples=["4/4"],
    )
    source_caption: Text | None = Field(
        default=None,
        description="The caption resource that `caption` comes from, `artists/{artist}/captions/{caption}`; its provenance is taken over, and a text that differs from it counts as edited. Empty for a text of one's own.",
        examples=["artists/nova/captions/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )


class BatchCreateTrainingItemsBody(In):
    """Request of BatchCreateTrainingItems."""

    training_items: list[TrainingItemInput] = Field(description="The items, 1 to 200.")


class ListTrainingItemsResponse(Out):
    """Response of ListTrainingItems."""

    training_items: list[TrainingItem] = Field(description="The page.")
    next_page_token: str = Field(description="Token of the next page; empty on the last one.")


class ListTrainingItemsQuery(In):
    """Request of ListTrainingItems."""

    page_size: int | None = Field(
        default=None, description="Most items of the answer, 0 to 1,000; 0 means 50, more than 1,000 means 1,000."
    )
    page_token: str | None = Field(
        default=None, description="`next_page_token` of the page before; empty for the first page."
    )
    state: TrainingItemState | None = Field(default=None, description="Only items in this state; unspecified for all.")
    live_set: str | None = Field(
        default=None, description="Only items of this Live Set, `artists/{artist}/live-sets/{live_set}`; empty for all."
    )
    asset: str | None = Field(
        default=None, description="Only items of this audio, `artists/{artist}/assets/{asset}`; empty for all."
    )
    query: str | None = Field(
        default=None,
        description="Only items whose title or caption holds this text, whatever its case, up to 100 characters; empty for all.",
    )
    caption_source: CaptionSource | None = Field(
        default=None, description="Only items whose caption comes from there; unspecified for all."
    )


class UpdateTrainingItemBody(In):
    """Request of UpdateTrainingItem."""

    display_name: Text | None = Field(
        default=None,
        description="Title for people, 0 to 255 characters; empty takes the asset's.",
        examples=["Night drive"],
    )
    asset: Text | None = Field(
        default=None,
        description="The audio, `artists/{artist}/assets/{asset}`; empty while the item has none.",
        examples=["artists/nova/assets/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    caption: Text | None = Field(
        default=None,
        description="What a trainer reads, one line of 1 to 600 characters; empty while the item has none.",
        examples=["warm analog house groove with a round bass, BPM: 124"],
    )
    live_set: Text | None = Field(
        default=None,
        description="The Live Set behind the audio, `artists/{artist}/live-sets/{live_set}`; empty when none is known.",
        examples=["artists/nova/live-sets/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    provenance: Object | None = Field(
        default=None,
        description="How the caption came to be (source, model, prompt version, input hash); up to 16 KiB as JSON.",
        examples=[{}],
    )
    licence: Text | None = Field(
        default=None, description="Licence of the audio, an SPDX identifier or a short text, 0 to 255 characters."
    )
    consent: ConsentInput | None = Field(
        default=None, description="Whether and by whom training on the audio was allowed."
    )
    tempo_bpm: Number | None = Field(
        default=None,
        description="Tempo in beats per minute as a person gives it, 20 to 999; 0: the Live Set's, else the one heard in the audio.",
        examples=[124.0],
    )
    key: Text | None = Field(
        default=None,
        description="Key as a person gives it, for example `B minor`; empty: the Live Set's where it can be trusted, else the one heard.",
    )
    time_signature: Text | None = Field(
        default=None,
        description="Time signature as a person gives it, for example `6/8`; empty: the Live Set's.",
        examples=["4/4"],
    )
    source_caption: Text | None = Field(
        default=None,
        description="The caption resource that `caption` comes from, `artists/{artist}/captions/{caption}`; its provenance is taken over, and a text that differs from it counts as edited. Empty for a text of one's own.",
        examples=["artists/nova/captions/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )


class FailTrainingItemBody(In):
    """Request of FailTrainingItem."""

    failure: Text = Field(description="Why, 1 to 1,000 characters.")


class CaptionRevision(Out):
    """A caption that a training item has or had."""

    name: str = Field(
        description="`artists/{artist}/training-items/{training_item}/caption-revisions/{caption_revision}`; the last part is its number.",
        examples=[
            "artists/nova/training-items/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d/caption-revisions/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"
        ],
    )
    revision: int = Field(description="Number, 1 for the first caption of the item.", examples=[1])
    caption: str = Field(
        description="The text; empty when the caption was taken away.",
        examples=["warm analog house groove with a round bass, BPM: 124"],
    )
    provenance: Object | None = Field(description="How it came to be.", examples=[{}])
    caption_source: CaptionSource | None = Field(description="Where it comes from.", examples=["GENERATED"])
    principal: str = Field(description="Who set it.", examples=["oidc:7d5f0c"])
    create_time: Time | None = Field(description="When it was set.", examples=["2026-11-21T10:00:00.000000Z"])


class ListCaptionRevisionsResponse(Out):
    """Response of ListCaptionRevisions."""

    caption_revisions: list[CaptionRevision] = Field(description="The page.")
    next_page_token: str = Field(description="Token of the next page; empty on the last one.")


class ListCaptionRevisionsQuery(In):
    """Request of ListCaptionRevisions."""

    page_size: int | None = Field(
        default=None, description="Most revisions of the answer, 0 to 1,000; 0 means 50, more than 1,000 means 1,000."
    )
    page_token: str | None = Field(
        default=None, description="`next_page_token` of the page before; empty for the first page."
    )


class MatchFilesResponseMatch(Out):
    """What one file name belongs to."""

    file_name: str = Field(description="The file name as asked.", examples=["night-drive.als"])
    live_set: str = Field(
        description="The Live Set it belongs to, `artists/{artist}/live-sets/{live_set}`; empty when none does."
    )
    training_item: str = Field(
        description="The training item that waits for it, `artists/{artist}/training-items/{training_item}`; empty when none does."
    )
    similarity: float = Field(
        description="How alike the names are, 0 to 1; 1 is exact after normalisation.", examples=[0.5]
    )
    exact: bool = Field(
        description="True for an exact match, which can be taken as it is; false for a proposal that a person should see.",
        examples=[False],
    )


class MatchFilesResponse(Out):
    """Response of MatchFiles."""

    matches: list[MatchFilesResponseMatch] = Field(description="One match per file name, in the same order.")


class MatchFilesBody(In):
    """Request of MatchFiles."""

    file_names: list[Text] = Field(description="File names to match, 1 to 200.")


class ListDuplicateGroupsResponseGroupLikeness(StrEnum):
    """How alike they are."""

    SAME_BYTES = "SAME_BYTES"
    SAME_AUDIO = "SAME_AUDIO"
    SIMILAR = "SIMILAR"


class ListDuplicateGroupsResponseGroup(Out):
    """Items that hold the same audio."""

    likeness: ListDuplicateGroupsResponseGroupLikeness | None = Field(
        description="How alike they are.", examples=["SAME_BYTES"]
    )
    training_items: list[str] = Field(description="Names of the items, 2 or more.")


class ListDuplicateGroupsResponse(Out):
    """Response of ListDuplicateGroups."""

    groups: list[ListDuplicateGroupsResponseGroup] = Field(description="The page.")
    next_page_token: str = Field(description="Token of the next page; empty on the last one.")


class ListDuplicateGroupsQuery(In):
    """Request of ListDuplicateGroups."""

    page_size: int | None = Field(
        default=None, description="Most groups of the answer, 0 to 1,000; 0 means 50, more than 1,000 means 1,000."
    )
    page_token: str | None = Field(
        default=None, description="`next_page_token` of the page before; empty for the first page."
    )


class EditCaptionsResponseResult(Out):
    """What becomes of one item."""

    training_item: str = Field(
        description="The item.", examples=["artists/nova/training-items/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"]
    )
    before: str = Field(description="Its caption before.")
    after: str = Field(description="Its caption after.")
    violations: list[Finding] = Field(description="Rules that the new caption breaks; it is not kept then.")
    warnings: list[Finding] = Field(description="Rules that are worth a look.")
    applied: bool = Field(
        description="Whether it was kept; always false when only validating, and when nothing changes.",
        examples=[False],
    )
    conflict: str = Field(
        description="Why it was not kept although it breaks no rule: somebody changed the item meanwhile; empty otherwise."
    )


class EditCaptionsResponse(Out):
    """Response of EditCaptions."""

    results: list[EditCaptionsResponseResult] = Field(
        description="One result per item whose caption changes, in the order of the selection."
    )
    unchanged_count: int = Field(description="Number of items whose caption stays as it is.", examples=[1])


class SelectionInput(In):
    """Which training items something works on."""

    training_items: list[Text] | None = Field(
        default=None,
        description="Names of the items in the order wanted, 0 to 10,000; empty takes all by `states`.",
        examples=[["artists/nova/training-items/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"]],
    )
    states: list[TrainingItemState] | None = Field(
        default=None,
        description="States to take when no item is named, oldest item first; empty means READY and EXPORTED.",
        examples=[["NEEDS_AUDIO"]],
    )
    new_since: Text | None = Field(
        default=None,
        description="Leave out what this snapshot holds as it is now, `artists/{artist}/snapshots/{snapshot}`; empty leaves nothing out.",
        examples=["artists/nova/snapshots/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )


class FindReplaceInput(In):
    """A text and what takes its place."""

    find: Text = Field(description="The text, 1 to 600 characters.")
    replace: Text | None = Field(default=None, description="What takes its place; empty removes it.")
    match_case: Flag | None = Field(
        default=None, description="Whether capitals must fit; default false.", examples=[False]
    )


class CaptionEditInput(In):
    """One change of a caption's text."""

    prefix: Text | None = Field(default=None, description="Text put before, with a space.")
    suffix: Text | None = Field(default=None, description="Text put after, before the tempo tag, with a space.")
    find_replace: FindReplaceInput | None = Field(
        default=None, description="Text replaced by another, letter by letter."
    )
    tempo_bpm: Number | None = Field(
        default=None,
        description="Tempo written into the tag, 20 to 999 beats per minute; the item has it from then on.",
        examples=[124.0],
    )


class EditCaptionsBody(In):
    """Request of EditCaptions."""

    selection: SelectionInput | None = Field(
        default=None, description="The items, up to 1,000 with captions; empty takes every item that has a caption."
    )
    edits: list[CaptionEditInput] = Field(description="What to change, 1 to 20 edits, one after another.")
    validate_only: Flag | None = Field(
        default=None, description="True shows the outcome and keeps nothing; default false.", examples=[False]
    )


class Readiness(Out):
    """Whether items make a dataset that can be trained on."""

    ready: bool = Field(description="True when nothing stands in the way of a training.", examples=[False])
    pair_count: int = Field(description="Number of pairs that can be trained on.", examples=[1])
    min_pairs: int = Field(description="Fewest pairs that a training wants.", examples=[1])
    duration_s: float = Field(description="Length of their audio in seconds.", examples=[60.0])
    items_by_state: dict[str, int] = Field(
        description="Number of items of the artist in each state, by the state's name.", examples=[{}]
    )
    findings: list[Finding] = Field(description="What stands in the way and what is worth a look.")


class CheckReadinessBody(In):
    """Request of CheckReadiness."""

    selection: SelectionInput | None = Field(
        default=None, description="The items; empty takes all that are ready or exported."
    )


class CreateCaptionRunBody(In):
    """Request of CreateCaptionRun."""

    selection: SelectionInput | None = Field(
        default=None,
        description="Which items; empty takes every item that has audio and no caption. Read only when the run is made.",
    )
    prompt_version: Text | None = Field(
        default=None, description="Version of the instruction; empty: the artist's newest approved one."
    )
    hint: Text | None = Field(default=None, description="What to do differently, up to 300 characters.")
    rewrite_generated: Flag | None = Field(
        default=None,
        description="True also writes anew what a model wrote before; texts of people are never touched. Default false.",
        examples=[False],
    )


class Selection(Out):
    """Which training items something works on."""

    training_items: list[str] = Field(
        description="Names of the items in the order wanted, 0 to 10,000; empty takes all by `states`.",
        examples=[["artists/nova/training-items/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"]],
    )
    states: list[TrainingItemState] = Field(
        description="States to take when no item is named, oldest item first; empty means READY and EXPORTED.",
        examples=[["NEEDS_AUDIO"]],
    )
    new_since: str = Field(
        description="Leave out what this snapshot holds as it is now, `artists/{artist}/snapshots/{snapshot}`; empty leaves nothing out.",
        examples=["artists/nova/snapshots/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )


class CaptionRunState(StrEnum):
    """Where a run stands."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class CaptionRunResultOutcome(StrEnum):
    """What became of it."""

    ACCEPTED = "ACCEPTED"
    PROPOSED = "PROPOSED"
    SKIPPED = "SKIPPED"
    FAILED = "FAILED"


class CaptionRunResult(Out):
    """What became of one item."""

    training_item: str = Field(
        description="The item.", examples=["artists/nova/training-items/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"]
    )
    outcome: CaptionRunResultOutcome | None = Field(description="What became of it.", examples=["ACCEPTED"])
    caption: str = Field(
        description="The caption resource, `artists/{artist}/captions/{caption}`; empty when none was written.",
        examples=["artists/nova/captions/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    error: StatusOut | None = Field(description="Why no text came of it; absent otherwise.")


class CaptionRun(Out):
    """Captions being written for many items."""

    name: str = Field(
        description="`artists/{artist}/caption-runs/{caption_run}`.",
        examples=["artists/nova/caption-runs/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    selection: Selection | None = Field(
        description="Which items; empty takes every item that has audio and no caption. Read only when the run is made."
    )
    prompt_version: str = Field(description="Version of the instruction; empty: the artist's newest approved one.")
    hint: str = Field(description="What to do differently, up to 300 characters.")
    rewrite_generated: bool = Field(
        description="True also writes anew what a model wrote before; texts of people are never touched. Default false.",
        examples=[False],
    )
    state: CaptionRunState | None = Field(description="Where the run stands.", examples=["QUEUED"])
    progress_percent: float = Field(description="Share done, 0 to 100.", examples=[100.0])
    item_count: int = Field(description="Number of items.", examples=[1])
    accepted_count: int = Field(description="Number of captions accepted so far.", examples=[1])
    proposed_count: int = Field(description="Number of texts that wait as proposals.", examples=[1])
    skipped_count: int = Field(description="Number of items left alone.", examples=[1])
    failed_count: int = Field(description="Number of items without a text.", examples=[1])
    results: list[CaptionRunResult] = Field(description="One result per item, in order; only GetCaptionRun gives them.")
    cost_usd_micros: int = Field(
        description="Cost so far in millionths of a US dollar; 0 when unknown or free.", examples=[1]
    )
    error: StatusOut | None = Field(description="Why the run failed; absent unless the state is FAILED.")
    create_time: Time | None = Field(description="When it was asked for.", examples=["2026-11-21T10:00:00.000000Z"])
    update_time: Time | None = Field(
        description="When anything about it last changed.", examples=["2026-11-21T10:00:00.000000Z"]
    )
    end_time: Time | None = Field(
        description="When it ended; absent while it has not.", examples=["2026-11-21T10:00:00.000000Z"]
    )
    etag: str = Field(description="Changes with every change of the row.", examples=["5f1d2c3b4a596877"])


class ListCaptionRunsResponse(Out):
    """Response of ListCaptionRuns."""

    caption_runs: list[CaptionRun] = Field(description="The page.")
    next_page_token: str = Field(description="Token of the next page; empty on the last one.")


class ListCaptionRunsQuery(In):
    """Request of ListCaptionRuns."""

    page_size: int | None = Field(
        default=None, description="Most runs of the answer, 0 to 1,000; 0 means 50, more than 1,000 means 1,000."
    )
    page_token: str | None = Field(
        default=None, description="`next_page_token` of the page before; empty for the first page."
    )


class Snapshot(Out):
    """Training items as they were at one moment; never changes."""

    name: str = Field(
        description="`artists/{artist}/snapshots/{snapshot}`.",
        examples=["artists/nova/snapshots/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    display_name: str = Field(description="Title for people, 0 to 255 characters.", examples=["Night drive"])
    selection: Selection | None = Field(description="Which items it holds; read only when the snapshot is made.")
    item_count: int = Field(description="Number of items.", examples=[1])
    duration_s: float = Field(description="Length of all audio together in seconds.", examples=[60.0])
    content_sha256: str = Field(
        description="SHA-256 over the canonical manifest (RFC 8785) of all members: equal for equal audio, captions and musical facts in equal order, 64 hexadecimal digits."
    )
    findings: list[Finding] = Field(
        description="What is worth a look in it, up to 1,000; lists give only what is about the whole."
    )
    create_time: Time | None = Field(description="When it was made.", examples=["2026-11-21T10:00:00.000000Z"])
    update_time: Time | None = Field(
        description="When it was last touched; the same as `create_time` unless its title changed.",
        examples=["2026-11-21T10:00:00.000000Z"],
    )
    etag: str = Field(description="Changes with every change of the row.", examples=["5f1d2c3b4a596877"])


class CreateSnapshotBody(In):
    """Request of CreateSnapshot."""

    display_name: Text | None = Field(
        default=None, description="Title for people, 0 to 255 characters.", examples=["Night drive"]
    )
    selection: SelectionInput | None = Field(
        default=None, description="Which items it holds; read only when the snapshot is made."
    )


class ListSnapshotsResponse(Out):
    """Response of ListSnapshots."""

    snapshots: list[Snapshot] = Field(description="The page.")
    next_page_token: str = Field(description="Token of the next page; empty on the last one.")


class ListSnapshotsQuery(In):
    """Request of ListSnapshots."""

    page_size: int | None = Field(
        default=None, description="Most snapshots of the answer, 0 to 1,000; 0 means 50, more than 1,000 means 1,000."
    )
    page_token: str | None = Field(
        default=None, description="`next_page_token` of the page before; empty for the first page."
    )


class SnapshotMember(Out):
    """One frozen item of a snapshot."""

    position: int = Field(description="Place in the snapshot, 1 for the first.", examples=[1])
    training_item: str = Field(
        description="The item it was made from, `artists/{artist}/training-items/{training_item}`; the item may be gone."
    )
    asset: str = Field(description="The audio, `artists/{artist}/assets/{asset}`.")
    caption: str = Field(description="The caption.", examples=["warm analog house groove with a round bass, BPM: 124"])
    caption_revision: int = Field(description="Number of that caption.", examples=[1])
    audio: AudioFacts | None = Field(description="Facts of the audio.")
    display_name: str = Field(description="Title of the item.", examples=["Night drive"])
    caption_source: CaptionSource | None = Field(description="Where the caption comes from.", examples=["GENERATED"])
    provenance: Object | None = Field(
        description="How the caption came to be: template version, model, parameters, input hashes, tokens, cost, time.",
        examples=[{}],
    )
    live_set: str = Field(
        description="The Live Set behind the audio, `artists/{artist}/live-sets/{live_set}`; empty when none is known."
    )
    live_set_sha256: str = Field(description="SHA-256 of the Live Set's file; empty when there is none.")
    licence: str = Field(description="Licence of the audio.")
    consent: Consent | None = Field(description="Permission to train on the audio.")
    tempo_bpm: float = Field(
        description="Tempo in beats per minute: a person's, the Live Set's, or the one heard; 0 when unknown.",
        examples=[124.0],
    )
    key: str = Field(description="Key: a person's, the Live Set's, or the one heard; empty when unknown.")
    time_signature: str = Field(description="Time signature; empty when unknown.", examples=["4/4"])


class ListSnapshotMembersResponse(Out):
    """Response of ListSnapshotMembers."""

    members: list[SnapshotMember] = Field(description="The page.")
    next_page_token: str = Field(description="Token of the next page; empty on the last one.")


class ListSnapshotMembersQuery(In):
    """Request of ListSnapshotMembers."""

    page_size: int | None = Field(
        default=None, description="Most members of the answer, 0 to 1,000; 0 means 50, more than 1,000 means 1,000."
    )
    page_token: str | None = Field(
        default=None, description="`next_page_token` of the page before; empty for the first page."
    )


class ExportFormat(StrEnum):
    """What the archive looks like inside."""

    REPLICATE_MUSICGEN = "REPLICATE_MUSICGEN"
    AUDIOCRAFT = "AUDIOCRAFT"
    HF_AUDIOFOLDER = "HF_AUDIOFOLDER"
    ACESTEP_V1 = "ACESTEP_V1"
    ACESTEP_15 = "ACESTEP_15"
    STABLE_AUDIO = "STABLE_AUDIO"
    PAIRED_TEXT = "PAIRED_TEXT"
    MUSICGEN_TRAINER = "MUSICGEN_TRAINER"
    MUSICGEN_DREAMBOOTH = "MUSICGEN_DREAMBOOTH"
    WEBDATASET = "WEBDATASET"


class ExportAudioMode(StrEnum):
    """What is done to the audio."""

    AS_NEEDED = "AS_NEEDED"
    NORMALISED = "NORMALISED"


class ExportOptionsInput(In):
    """Choices that change the bytes of the archive."""

    trigger: Text | None = Field(
        default=None,
        description="Text put before each caption with a space, 0 to 100 characters, one line; empty for none.",
    )
    nested: Flag | None = Field(
        default=None,
        description="Put the files into `dataset/`, which makes the trainer skip cutting, resampling and vocal removal; default false.",
        examples=[False],
    )
    suffix: Text | None = Field(
        default=None,
        description="Text put after each caption and before its tempo tag with a space, 0 to 100 characters, one line; empty for none.",
    )
    audio_mode: ExportAudioMode | None = Field(
        default=None, description="What is done to the audio; default AS_NEEDED.", examples=["AS_NEEDED"]
    )
    rate_hz: Int32 | None = Field(
        default=None,
        description="Sample rate of files made anew, 8,000 to 96,000 Hz; 0 means 44,100.",
        examples=[44100],
    )
    channels: Int32 | None = Field(
        default=None, description="Channels of files made anew, 1 or 2; 0 means 2.", examples=[2]
    )
    loudness_lufs: Number | None = Field(
        default=None,
        description="Integrated loudness of files made anew, -40 to -5 LUFS, as far as the peak stays below -1 dBFS; absent leaves it as it is.",
        examples=[0.5],
    )
    cut: Flag | None = Field(
        default=None,
        description="Cut files above 30 s into pieces of 30 s, the last one kept when longer than 5 s; needs NORMALISED. Default false.",
        examples=[False],
    )
    remove_vocals: Flag | None = Field(
        default=None,
        description="Take the vocals out by the platform's own stem separation; needs NORMALISED. Default false.",
        examples=[False],
    )
    stored: Flag | None = Field(
        default=None,
        description="Also keep the archive as one object, so that links lead to the object store and no byte passes the gateway. Default false.",
        examples=[False],
    )
    validation_share: Number | None = Field(
        default=None,
        description="Share of pairs that go into a validation split in formats that have one, 0 to 0.5; default 0.",
        examples=[0.5],
    )


class CreateExportBody(In):
    """Request of CreateExport."""

    display_name: Text | None = Field(
        default=None,
        description="Title for people and stem of the file name, 0 to 255 characters; empty means `dataset-{date}`.",
        examples=["Night drive"],
    )
    selection: SelectionInput | None = Field(
        default=None,
        description="The items to freeze; read only when the export is made, and only when no snapshot is given.",
    )
    snapshot: Text | None = Field(
        default=None,
        description="The snapshot it is made of, `artists/{artist}/snapshots/{snapshot}`; leave it empty to make it of a selection, which gets a snapshot of its own.",
        examples=["artists/nova/snapshots/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    format: ExportFormat | None = Field(
        default=None,
        description="What the archive looks like inside; default REPLICATE_MUSICGEN.",
        examples=["REPLICATE_MUSICGEN"],
    )
    options: ExportOptionsInput | None = Field(
        default=None, description="Choices that change the bytes of the archive."
    )


class ExportOptions(Out):
    """Choices that change the bytes of the archive."""

    trigger: str = Field(
        description="Text put before each caption with a space, 0 to 100 characters, one line; empty for none."
    )
    nested: bool = Field(
        description="Put the files into `dataset/`, which makes the trainer skip cutting, resampling and vocal removal; default false.",
        examples=[False],
    )
    suffix: str = Field(
        description="Text put after each caption and before its tempo tag with a space, 0 to 100 characters, one line; empty for none."
    )
    audio_mode: ExportAudioMode | None = Field(
        description="What is done to the audio; default AS_NEEDED.", examples=["AS_NEEDED"]
    )
    rate_hz: int = Field(
        description="Sample rate of files made anew, 8,000 to 96,000 Hz; 0 means 44,100.", examples=[44100]
    )
    channels: int = Field(description="Channels of files made anew, 1 or 2; 0 means 2.", examples=[2])
    loudness_lufs: float | None = Field(
        description="Integrated loudness of files made anew, -40 to -5 LUFS, as far as the peak stays below -1 dBFS; absent leaves it as it is.",
        examples=[0.5],
    )
    cut: bool = Field(
        description="Cut files above 30 s into pieces of 30 s, the last one kept when longer than 5 s; needs NORMALISED. Default false.",
        examples=[False],
    )
    remove_vocals: bool = Field(
        description="Take the vocals out by the platform's own stem separation; needs NORMALISED. Default false.",
        examples=[False],
    )
    stored: bool = Field(
        description="Also keep the archive as one object, so that links lead to the object store and no byte passes the gateway. Default false.",
        examples=[False],
    )
    validation_share: float = Field(
        description="Share of pairs that go into a validation split in formats that have one, 0 to 0.5; default 0.",
        examples=[0.5],
    )


class ExportState(StrEnum):
    """Where an export stands."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class Export(Out):
    """An archive in the format of one trainer."""

    name: str = Field(
        description="`artists/{artist}/exports/{export}`.",
        examples=["artists/nova/exports/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    display_name: str = Field(
        description="Title for people and stem of the file name, 0 to 255 characters; empty means `dataset-{date}`.",
        examples=["Night drive"],
    )
    selection: Selection | None = Field(
        description="The items to freeze; read only when the export is made, and only when no snapshot is given."
    )
    snapshot: str = Field(
        description="The snapshot it is made of, `artists/{artist}/snapshots/{snapshot}`; leave it empty to make it of a selection, which gets a snapshot of its own.",
        examples=["artists/nova/snapshots/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    format: ExportFormat | None = Field(
        description="What the archive looks like inside; default REPLICATE_MUSICGEN.", examples=["REPLICATE_MUSICGEN"]
    )
    options: ExportOptions | None = Field(description="Choices that change the bytes of the archive.")
    state: ExportState | None = Field(description="Where the export stands.", examples=["QUEUED"])
    progress_percent: float = Field(description="Share done, 0 to 100.", examples=[100.0])
    item_count: int = Field(description="Number of pairs of audio and caption.", examples=[1])
    duration_s: float = Field(description="Length of all audio together in seconds.", examples=[60.0])
    chunk_count: int = Field(description="Number of 30 s pieces that the trainer will cut.", examples=[1])
    file_name: str = Field(
        description="Name to save the archive under, ends in `.zip` (`.tar` for WEBDATASET); empty until the export has succeeded.",
        examples=["night-drive.als"],
    )
    size_bytes: int = Field(
        description="Exact size of the archive; 0 until the export has succeeded.", examples=[10584044]
    )
    content_etag: str = Field(
        description="Strong validator of the archive's bytes: equal archives have equal values; empty until the export has succeeded."
    )
    error: StatusOut | None = Field(description="Why the export failed; absent unless the state is FAILED.")
    create_time: Time | None = Field(description="When it was asked for.", examples=["2026-11-21T10:00:00.000000Z"])
    update_time: Time | None = Field(
        description="When anything about it last changed.", examples=["2026-11-21T10:00:00.000000Z"]
    )
    end_time: Time | None = Field(
        description="When it ended; absent while it has not.", examples=["2026-11-21T10:00:00.000000Z"]
    )
    etag: str = Field(description="Changes with every change of the row.", examples=["5f1d2c3b4a596877"])
    findings: list[Finding] = Field(
        description="What a person should know about the archive, up to 1,000; lists give only what is about the whole."
    )


class ListExportsResponse(Out):
    """Response of ListExports."""

    exports: list[Export] = Field(description="The page.")
    next_page_token: str = Field(description="Token of the next page; empty on the last one.")


class ListExportsQuery(In):
    """Request of ListExports."""

    page_size: int | None = Field(
        default=None, description="Most exports of the answer, 0 to 1,000; 0 means 50, more than 1,000 means 1,000."
    )
    page_token: str | None = Field(
        default=None, description="`next_page_token` of the page before; empty for the first page."
    )


class ExportFile(Out):
    """One file of an archive."""

    path: str = Field(description="Path inside the archive.")
    size_bytes: int = Field(description="Size in bytes.", examples=[10584044])
    crc32: int = Field(description="CRC-32 of the bytes.", examples=[1])
    training_item: str = Field(
        description="The item behind it, `artists/{artist}/training-items/{training_item}`; empty for files about the whole.",
        examples=["artists/nova/training-items/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    conversion: str = Field(
        description="What was done to the audio, as `flac to wav, 48000 to 44100 Hz, -3.2 dB`; empty when it is the asset's own bytes or a text."
    )
    start_s: float = Field(description="Where a piece of audio begins in the recording, in seconds.", examples=[0.5])
    duration_s: float = Field(description="Length of the audio in seconds; 0 for texts.", examples=[60.0])


class ListExportFilesResponse(Out):
    """Response of ListExportFiles."""

    files: list[ExportFile] = Field(description="The page.")
    next_page_token: str = Field(description="Token of the next page; empty on the last one.")


class ListExportFilesQuery(In):
    """Request of ListExportFiles."""

    page_size: int | None = Field(
        default=None, description="Most files of the answer, 0 to 1,000; 0 means 50, more than 1,000 means 1,000."
    )
    page_token: str | None = Field(
        default=None, description="`next_page_token` of the page before; empty for the first page."
    )


class ExportLayoutBlobRange(Out):
    """Bytes that lie in the object store."""

    offset_bytes: int = Field(description="First byte inside the object.", examples=[1])
    length_bytes: int = Field(description="Number of bytes.", examples=[1])


class ExportLayoutSegment(Out):
    """One run of bytes of the archive."""

    offset_bytes: int = Field(description="First byte inside the archive.", examples=[1])
    inline: str | None = Field(description="Here.")
    blob: ExportLayoutBlobRange | None = Field(description="In the object store.")


class ExportLayout(Out):
    """An archive, or the part of it from some offset, as ordered byte ranges without gaps."""

    export: str = Field(description="The export, `artists/{artist}/exports/{export}`.")
    size_bytes: int = Field(description="Exact size of the whole archive.", examples=[10584044])
    content_etag: str = Field(description="Strong validator of the archive's bytes, without quotes.")
    file_name: str = Field(description="Name to save the archive under.", examples=["night-drive.als"])
    media_type: str = Field(description="Media type of the archive.", examples=["audio/wav"])
    segments: list[ExportLayoutSegment] = Field(description="The segments from the one that holds the wanted offset.")
    next_offset_bytes: int = Field(
        description="Offset to ask for next; equal to `size_bytes` when the answer reaches the end.", examples=[1]
    )


class GetExportLayoutQuery(In):
    """Request of GetExportLayout."""

    offset_bytes: int | None = Field(
        default=None,
        description="First byte of the archive that is wanted, 0 up to its size; the answer begins with the segment that holds it.",
    )
    max_segments: int | None = Field(
        default=None, description="Most segments of the answer, 0 to 2,000; 0 means 1,000."
    )


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class DatasetsJob(Out):
    """A piece of background work as operators see it."""

    name: str = Field(
        description="`artists/{artist}/jobs/{collection}-{uid}`.",
        examples=["artists/nova/jobs/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    target: str = Field(description="The resource that the job makes.")
    state: JobState | None = Field(description="Where it stands.", examples=["QUEUED"])
    attempt: int = Field(description="How often it was started.", examples=[1])
    lost_leases: int = Field(description="How often a worker vanished while it held the job.", examples=[1])
    error_reason: str = Field(description="Stable reason of the failure; empty unless it failed.")
    error_message: str = Field(description="The failure in words; empty unless it failed.")
    create_time: Time | None = Field(description="When it was asked for.", examples=["2026-11-21T10:00:00.000000Z"])
    update_time: Time | None = Field(
        description="When anything about it last changed.", examples=["2026-11-21T10:00:00.000000Z"]
    )


class DatasetsListJobsResponse(Out):
    """Response of ListJobs."""

    jobs: list[DatasetsJob] = Field(description="The page.")
    next_page_token: str = Field(description="Token of the next page; empty on the last one.")


class DatasetsListJobsQuery(In):
    """Request of ListJobs."""

    page_size: int | None = Field(
        default=None, description="Most jobs of the answer, 0 to 1,000; 0 means 50, more than 1,000 means 1,000."
    )
    page_token: str | None = Field(
        default=None, description="`next_page_token` of the page before; empty for the first page."
    )
    state: JobState | None = Field(default=None, description="Only jobs in this state; unspecified for all.")


class ConversationDocumentKind(StrEnum):
    """What a document holds."""

    RAW = "RAW"
    PARSED = "PARSED"
    ENRICHED = "ENRICHED"


class Persona(Out):
    """Who the client of a conversation is."""

    key: str = Field(description="Vocabulary key, lower-case letters, digits and underscores, 0 to 100 characters.")
    display_name: str = Field(description="Name, 0 to 255 characters.", examples=["Night drive"])
    archetype: str = Field(description="Kind of person, 0 to 255 characters, for example `The Steady Builder`.")
    demographics: Json | None = Field(
        description="Facts as an object (age, gender, location, family_status are used) or as one text.",
        examples=["any"],
    )
    background: Json | None = Field(description="Background as one text or an object.", examples=["any"])


class EmotionalArc(Out):
    """How the feeling moves in a conversation."""

    key: str = Field(description="Vocabulary key, lower-case letters, digits and underscores, 0 to 100 characters.")
    display_name: str = Field(
        description="Name, 0 to 255 characters, for example `Doubt → Trust`.", examples=["Night drive"]
    )
    starting_emotion: str = Field(description="Feeling at the start, 0 to 100 characters.")
    ending_emotion: str = Field(description="Feeling at the end, 0 to 100 characters.")


class TrainingTopic(Out):
    """What a conversation is about."""

    key: str = Field(description="Vocabulary key, lower-case letters, digits and underscores, 0 to 100 characters.")
    display_name: str = Field(description="Name, 0 to 255 characters.", examples=["Night drive"])
    complexity_level: str = Field(description="beginner, intermediate or advanced; empty means intermediate.")


class DatasetsPromptTemplate(Out):
    """The template that a conversation was generated with."""

    display_name: str = Field(description="Name, 0 to 255 characters.", examples=["Night drive"])
    category: str = Field(
        description="Category, prefix of the pair ids, for example `educational`; 0 to 100 characters."
    )
    skills: list[str] = Field(
        description="What the pairs show, 0 to 50 entries; empty means empathy and active_listening."
    )


class ConversationReviewState(StrEnum):
    """Where a person's review of a conversation stands."""

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"


class ConversationState(StrEnum):
    """How far a conversation is on the way to training pairs."""

    NOT_STARTED = "NOT_STARTED"
    VALIDATION_FAILED = "VALIDATION_FAILED"
    VALIDATED = "VALIDATED"
    ENRICHMENT_IN_PROGRESS = "ENRICHMENT_IN_PROGRESS"
    ENRICHED = "ENRICHED"
    NORMALIZATION_FAILED = "NORMALIZATION_FAILED"
    COMPLETED = "COMPLETED"


class ValidationReportIssueSeverity(StrEnum):
    """How grave it is."""

    BLOCKER = "BLOCKER"
    WARNING = "WARNING"


class ValidationReportIssue(Out):
    """One finding."""

    code: str = Field(description="Stable code, for example `MISSING_TURNS_ARRAY`.")
    severity: ValidationReportIssueSeverity | None = Field(description="How grave it is.", examples=["BLOCKER"])
    field: str = Field(description="Where in the document, for example `turns[3].content`.")
    message: str = Field(description="What was found.")
    suggestion: str = Field(description="What to do.")


class ValidationReport(Out):
    """What a check of a document found."""

    valid: bool = Field(description="Whether there is no blocker.", examples=[False])
    blockers: list[ValidationReportIssue] = Field(description="Findings that stand in the way.")
    warnings: list[ValidationReportIssue] = Field(description="Findings that do not.")
    summary: str = Field(description="One sentence with the counts.")


class Conversation(Out):
    """A dialogue between a client and a consultant with what is known of its making."""

    name: str = Field(
        description="`artists/{artist}/conversations/{conversation}`.",
        examples=["artists/nova/conversations/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    conversation_id: str = Field(
        description="Lower-case UUID that training files carry, unique for the artist; empty makes it from the name."
    )
    display_name: str = Field(
        description="Title for people, 0 to 255 characters; empty takes the client's persona.", examples=["Night drive"]
    )
    document: str = Field(description="The document as JSON text, UTF-8, up to 10 MiB; only on create.")
    document_kind: ConversationDocumentKind | None = Field(
        description="What the document holds; unspecified finds out.", examples=["RAW"]
    )
    persona: Persona | None = Field(description="Who the client is; absent when unknown.")
    emotional_arc: EmotionalArc | None = Field(description="How the feeling moves; absent when unknown.")
    training_topic: TrainingTopic | None = Field(description="What it is about; absent when unknown.")
    template: DatasetsPromptTemplate | None = Field(
        description="The template it was generated with; absent when none was."
    )
    system_prompt: str = Field(
        description="The system prompt it was generated with, 0 to 32,768 characters; empty takes the profile's default."
    )
    profile: Object | None = Field(
        description="The consultant of the pairs, an object of the file format; absent takes the platform's neutral one.",
        examples=[{}],
    )
    quality_score: float | None = Field(
        description="Score of the whole conversation, 0 to 5; absent when nobody scored it.", examples=[0.5]
    )
    review_state: ConversationReviewState | None = Field(
        description="Where a person's review stands; default PENDING.", examples=["PENDING"]
    )
    batch: str = Field(description="The batch it came from, a free name, 0 to 255 characters.")
    generate_time: Time | None = Field(
        description="When the dialogue was generated, gives `created_date` of the format; absent takes `create_time`.",
        examples=["2026-11-21T10:00:00.000000Z"],
    )
    state: ConversationState | None = Field(description="How far it is.", examples=["NOT_STARTED"])
    validation_report: ValidationReport | None = Field(description="Result of the last check.")
    turn_count: int = Field(description="Number of turns.", examples=[1])
    pair_count: int = Field(description="Number of training pairs, one per turn; 0 until enriched.", examples=[1])
    trainable_pair_count: int = Field(
        description="Number of pairs with an answer to learn; 0 until enriched.", examples=[1]
    )
    quality_tier: str = Field(
        description="seed_dataset, production, experimental or rejected, by the score; empty until enriched."
    )
    enriched_sha256: str = Field(description="SHA-256 of the enriched document's stored bytes; empty until enriched.")
    enriched_size_bytes: int = Field(
        description="Size of the enriched document's stored bytes; 0 until enriched.", examples=[1]
    )
    create_time: Time | None = Field(description="When it was taken in.", examples=["2026-11-21T10:00:00.000000Z"])
    update_time: Time | None = Field(
        description="When anything about it last changed.", examples=["2026-11-21T10:00:00.000000Z"]
    )
    etag: str = Field(description="Changes with every change of the row.", examples=["5f1d2c3b4a596877"])


class PersonaInput(In):
    """Who the client of a conversation is."""

    key: Text | None = Field(
        default=None, description="Vocabulary key, lower-case letters, digits and underscores, 0 to 100 characters."
    )
    display_name: Text | None = Field(default=None, description="Name, 0 to 255 characters.", examples=["Night drive"])
    archetype: Text | None = Field(
        default=None, description="Kind of person, 0 to 255 characters, for example `The Steady Builder`."
    )
    demographics: Json | None = Field(
        default=None,
        description="Facts as an object (age, gender, location, family_status are used) or as one text.",
        examples=["any"],
    )
    background: Json | None = Field(default=None, description="Background as one text or an object.", examples=["any"])


class EmotionalArcInput(In):
    """How the feeling moves in a conversation."""

    key: Text | None = Field(
        default=None, description="Vocabulary key, lower-case letters, digits and underscores, 0 to 100 characters."
    )
    display_name: Text | None = Field(
        default=None, description="Name, 0 to 255 characters, for example `Doubt → Trust`.", examples=["Night drive"]
    )
    starting_emotion: Text | None = Field(default=None, description="Feeling at the start, 0 to 100 characters.")
    ending_emotion: Text | None = Field(default=None, description="Feeling at the end, 0 to 100 characters.")


class TrainingTopicInput(In):
    """What a conversation is about."""

    key: Text | None = Field(
        default=None, description="Vocabulary key, lower-case letters, digits and underscores, 0 to 100 characters."
    )
    display_name: Text | None = Field(default=None, description="Name, 0 to 255 characters.", examples=["Night drive"])
    complexity_level: Text | None = Field(
        default=None, description="beginner, intermediate or advanced; empty means intermediate."
    )


class DatasetsPromptTemplateInput(In):
    """The template that a conversation was generated with."""

    display_name: Text | None = Field(default=None, description="Name, 0 to 255 characters.", examples=["Night drive"])
    category: Text | None = Field(
        default=None, description="Category, prefix of the pair ids, for example `educational`; 0 to 100 characters."
    )
    skills: list[Text] | None = Field(
        default=None, description="What the pairs show, 0 to 50 entries; empty means empathy and active_listening."
    )


class CreateConversationBody(In):
    """Request of CreateConversation."""

    conversation_id: Text | None = Field(
        default=None,
        description="Lower-case UUID that training files carry, unique for the artist; empty makes it from the name.",
    )
    display_name: Text | None = Field(
        default=None,
        description="Title for people, 0 to 255 characters; empty takes the client's persona.",
        examples=["Night drive"],
    )
    document: Text | None = Field(
        default=None, description="The document as JSON text, UTF-8, up to 10 MiB; only on create."
    )
    document_kind: ConversationDocumentKind | None = Field(
        default=None, description="What the document holds; unspecified finds out.", examples=["RAW"]
    )
    persona: PersonaInput | None = Field(default=None, description="Who the client is; absent when unknown.")
    emotional_arc: EmotionalArcInput | None = Field(
        default=None, description="How the feeling moves; absent when unknown."
    )
    training_topic: TrainingTopicInput | None = Field(
        default=None, description="What it is about; absent when unknown."
    )
    template: DatasetsPromptTemplateInput | None = Field(
        default=None, description="The template it was generated with; absent when none was."
    )
    system_prompt: Text | None = Field(
        default=None,
        description="The system prompt it was generated with, 0 to 32,768 characters; empty takes the profile's default.",
    )
    profile: Object | None = Field(
        default=None,
        description="The consultant of the pairs, an object of the file format; absent takes the platform's neutral one.",
        examples=[{}],
    )
    quality_score: Number | None = Field(
        default=None,
        description="Score of the whole conversation, 0 to 5; absent when nobody scored it.",
        examples=[0.5],
    )
    review_state: ConversationReviewState | None = Field(
        default=None, description="Where a person's review stands; default PENDING.", examples=["PENDING"]
    )
    batch: Text | None = Field(default=None, description="The batch it came from, a free name, 0 to 255 characters.")
    generate_time: Time | None = Field(
        default=None,
        description="When the dialogue was generated, gives `created_date` of the format; absent takes `create_time`.",
        examples=["2026-11-21T10:00:00.000000Z"],
    )


class ConversationResult(Out):
    """What became of one conversation of a batch."""

    conversation: Conversation | None = Field(
        description="The conversation; absent when it failed before it had a row."
    )
    status: StatusOut | None = Field(description="Why it failed; absent when it did not.")


class BatchCreateConversationsResponse(Out):
    """Response of BatchCreateConversations."""

    results: list[ConversationResult] = Field(description="One result per requested conversation, in the same order.")


class ConversationInput(In):
    """A dialogue between a client and a consultant with what is known of its making."""

    conversation_id: Text | None = Field(
        default=None,
        description="Lower-case UUID that training files carry, unique for the artist; empty makes it from the name.",
    )
    display_name: Text | None = Field(
        default=None,
        description="Title for people, 0 to 255 characters; empty takes the client's persona.",
        examples=["Night drive"],
    )
    document: Text | None = Field(
        default=None, description="The document as JSON text, UTF-8, up to 10 MiB; only on create."
    )
    document_kind: ConversationDocumentKind | None = Field(
        default=None, description="What the document holds; unspecified finds out.", examples=["RAW"]
    )
    persona: PersonaInput | None = Field(default=None, description="Who the client is; absent when unknown.")
    emotional_arc: EmotionalArcInput | None = Field(
        default=None, description="How the feeling moves; absent when unknown."
    )
    training_topic: TrainingTopicInput | None = Field(
        default=None, description="What it is about; absent when unknown."
    )
    template: DatasetsPromptTemplateInput | None = Field(
        default=None, description="The template it was generated with; absent when none was."
    )
    system_prompt: Text | None = Field(
        default=None,
        description="The system prompt it was generated with, 0 to 32,768 characters; empty takes the profile's default.",
    )
    profile: Object | None = Field(
        default=None,
        description="The consultant of the pairs, an object of the file format; absent takes the platform's neutral one.",
        examples=[{}],
    )
    quality_score: Number | None = Field(
        default=None,
        description="Score of the whole conversation, 0 to 5; absent when nobody scored it.",
        examples=[0.5],
    )
    review_state: ConversationReviewState | None = Field(
        default=None, description="Where a person's review stands; default PENDING.", examples=["PENDING"]
    )
    batch: Text | None = Field(default=None, description="The batch it came from, a free name, 0 to 255 characters.")
    generate_time: Time | None = Field(
        default=None,
        description="When the dialogue was generated, gives `created_date` of the format; absent takes `create_time`.",
        examples=["2026-11-21T10:00:00.000000Z"],
    )


class BatchCreateConversationsBody(In):
    """Request of BatchCreateConversations."""

    conversations: list[ConversationInput] = Field(
        description="The conversations, 1 to 100; the message is up to 16 MiB."
    )


class ListConversationsResponse(Out):
    """Response of ListConversations."""

    conversations: list[Conversation] = Field(description="The page.")
    next_page_token: str = Field(description="Token of the next page; empty on the last one.")


class ListConversationsQuery(In):
    """Request of ListConversations."""

    page_size: int | None = Field(
        default=None,
        description="Most conversations of the answer, 0 to 1,000; 0 means 50, more than 1,000 means 1,000.",
    )
    page_token: str | None = Field(
        default=None, description="`next_page_token` of the page before; empty for the first page."
    )
    state: ConversationState | None = Field(
        default=None, description="Only conversations in this state; unspecified for all."
    )
    batch: str | None = Field(default=None, description="Only conversations of this batch; empty for all.")


class UpdateConversationBody(In):
    """Request of UpdateConversation."""

    conversation_id: Text | None = Field(
        default=None,
        description="Lower-case UUID that training files carry, unique for the artist; empty makes it from the name.",
    )
    display_name: Text | None = Field(
        default=None,
        description="Title for people, 0 to 255 characters; empty takes the client's persona.",
        examples=["Night drive"],
    )
    document_kind: ConversationDocumentKind | None = Field(
        default=None, description="What the document holds; unspecified finds out.", examples=["RAW"]
    )
    persona: PersonaInput | None = Field(default=None, description="Who the client is; absent when unknown.")
    emotional_arc: EmotionalArcInput | None = Field(
        default=None, description="How the feeling moves; absent when unknown."
    )
    training_topic: TrainingTopicInput | None = Field(
        default=None, description="What it is about; absent when unknown."
    )
    template: DatasetsPromptTemplateInput | None = Field(
        default=None, description="The template it was generated with; absent when none was."
    )
    system_prompt: Text | None = Field(
        default=None,
        description="The system prompt it was generated with, 0 to 32,768 characters; empty takes the profile's default.",
    )
    profile: Object | None = Field(
        default=None,
        description="The consultant of the pairs, an object of the file format; absent takes the platform's neutral one.",
        examples=[{}],
    )
    quality_score: Number | None = Field(
        default=None,
        description="Score of the whole conversation, 0 to 5; absent when nobody scored it.",
        examples=[0.5],
    )
    review_state: ConversationReviewState | None = Field(
        default=None, description="Where a person's review stands; default PENDING.", examples=["PENDING"]
    )
    batch: Text | None = Field(default=None, description="The batch it came from, a free name, 0 to 255 characters.")
    generate_time: Time | None = Field(
        default=None,
        description="When the dialogue was generated, gives `created_date` of the format; absent takes `create_time`.",
        examples=["2026-11-21T10:00:00.000000Z"],
    )


class ValidateConversationBody(In):
    """Request of ValidateConversation."""

    document: Text | None = Field(
        default=None, description="The document as JSON text, up to 10 MiB; empty when `conversation` is given."
    )
    conversation: Text | None = Field(
        default=None,
        description="A stored conversation, `artists/{artist}/conversations/{conversation}`; empty when `document` is given.",
        examples=["artists/nova/conversations/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )


class BatchEnrichConversationsResponse(Out):
    """Response of BatchEnrichConversations."""

    results: list[ConversationResult] = Field(description="One result per requested conversation, in the same order.")


class BatchEnrichConversationsBody(In):
    """Request of BatchEnrichConversations."""

    conversations: list[Text] = Field(
        description="The conversations, 1 to 100 names.",
        examples=[["artists/nova/conversations/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"]],
    )


class TrainingFileContent(Out):
    """Where bytes lie and what they are; the gateway makes a signed download of it."""

    size_bytes: int = Field(description="Size in bytes.", examples=[10584044])
    sha256: str = Field(
        description="SHA-256 of the bytes, 64 hexadecimal digits; also the strong validator.",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )
    media_type: str = Field(description="Media type.", examples=["audio/wav"])
    file_name: str = Field(description="Name to save it under.", examples=["night-drive.als"])


class GetConversationContentQuery(In):
    """Request of GetConversationContent."""

    document_kind: ConversationDocumentKind | None = Field(
        default=None,
        description="Which document: RAW or PARSED give the one taken in, ENRICHED the pairs; unspecified means ENRICHED.",
    )


class TrainingFileInput(In):
    """A named set of conversations, built as JSON and JSONL in immutable versions."""

    display_name: Text = Field(
        description="Title and `file_name` of the format, 1 to 255 characters, unique for the artist without regard to case.",
        examples=["Night drive"],
    )
    description: Text | None = Field(
        default=None, description="Description, 0 to 4,096 characters; not written into the files."
    )
    target_model: Text | None = Field(
        default=None,
        description="Model that the file is meant for, `target_model` of the format, 0 to 255 characters; empty leaves the format's default.",
    )
    profile: Object | None = Field(
        default=None,
        description="The consultant of the file, an object of the file format; absent takes the platform's neutral one.",
        examples=[{}],
    )
    jsonl_header: Flag | None = Field(
        default=None,
        description="Write the `_meta` line before the pairs of the JSONL; default false, since most trainers cannot read it.",
        examples=[False],
    )


class CreateTrainingFileBody(In):
    """Request of CreateTrainingFile."""

    training_file: TrainingFileInput = Field(description="The training file.")
    conversations: list[Text] = Field(
        description="The conversations in file order, 1 to 10,000 names, each once.",
        examples=[["artists/nova/conversations/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"]],
    )


class TrainingFileState(StrEnum):
    """Where a training file stands."""

    PROCESSING = "PROCESSING"
    ACTIVE = "ACTIVE"
    ARCHIVED = "ARCHIVED"
    FAILED = "FAILED"


class TrainingFileStatisticsQuality(Out):
    """Scores; a conversation counts once, with its own score or else the mean of its assistant pairs."""

    scored_count: int = Field(description="Conversations that have a score.", examples=[1])
    mean_score: float = Field(description="Mean score, 0 to 5; 0 when nothing is scored.", examples=[0.5])
    min_score: float = Field(description="Lowest score; 0 when nothing is scored.", examples=[0.5])
    max_score: float = Field(description="Highest score; 0 when nothing is scored.", examples=[0.5])
    human_reviewed_count: int = Field(description="Pairs with an answer that a person has reviewed.", examples=[1])
    human_reviewed_percent: float = Field(
        description="The same as a share of all pairs with an answer, 0 to 100.", examples=[0.5]
    )


class TrainingFileStatistics(Out):
    """Quality and balance of a version."""

    conversation_count: int = Field(description="Number of conversations.", examples=[1])
    pair_count: int = Field(description="Number of pairs, one per turn.", examples=[1])
    trainable_pair_count: int = Field(
        description="Number of pairs with an answer to learn; the lines of the JSONL.", examples=[1]
    )
    quality: TrainingFileStatisticsQuality | None = Field(description="Scores.")
    personas: dict[str, int] = Field(description="Conversations per persona key.", examples=[{}])
    emotional_arcs: dict[str, int] = Field(description="Conversations per emotional arc key.", examples=[{}])
    training_topics: dict[str, int] = Field(description="Conversations per training topic key.", examples=[{}])
    quality_tiers: dict[str, int] = Field(description="Conversations per quality tier.", examples=[{}])


class TrainingFile(Out):
    """A named set of conversations, built as JSON and JSONL in immutable versions."""

    name: str = Field(
        description="`artists/{artist}/training-files/{training_file}`.",
        examples=["artists/nova/training-files/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    display_name: str = Field(
        description="Title and `file_name` of the format, 1 to 255 characters, unique for the artist without regard to case.",
        examples=["Night drive"],
    )
    description: str = Field(description="Description, 0 to 4,096 characters; not written into the files.")
    target_model: str = Field(
        description="Model that the file is meant for, `target_model` of the format, 0 to 255 characters; empty leaves the format's default."
    )
    profile: Object | None = Field(
        description="The consultant of the file, an object of the file format; absent takes the platform's neutral one.",
        examples=[{}],
    )
    jsonl_header: bool = Field(
        description="Write the `_meta` line before the pairs of the JSONL; default false, since most trainers cannot read it.",
        examples=[False],
    )
    state: TrainingFileState | None = Field(description="Where the file stands.", examples=["PROCESSING"])
    current_version: str = Field(
        description="The version that reads give, `artists/{artist}/training-files/{training_file}/versions/{version}`; empty until one is built.",
        examples=["artists/nova/training-file-versions/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    statistics: TrainingFileStatistics | None = Field(
        description="Numbers of the current version; absent until one is built."
    )
    json_size_bytes: int = Field(description="Size of the current JSON.", examples=[1])
    jsonl_size_bytes: int = Field(description="Size of the current JSONL.", examples=[1])
    create_time: Time | None = Field(description="When it was made.", examples=["2026-11-21T10:00:00.000000Z"])
    update_time: Time | None = Field(
        description="When anything about it last changed.", examples=["2026-11-21T10:00:00.000000Z"]
    )
    etag: str = Field(description="Changes with every change of the file.", examples=["5f1d2c3b4a596877"])


class ListTrainingFilesResponse(Out):
    """Response of ListTrainingFiles."""

    training_files: list[TrainingFile] = Field(description="The page.")
    next_page_token: str = Field(description="Token of the next page; empty on the last one.")


class ListTrainingFilesQuery(In):
    """Request of ListTrainingFiles."""

    page_size: int | None = Field(
        default=None, description="Most files of the answer, 0 to 1,000; 0 means 50, more than 1,000 means 1,000."
    )
    page_token: str | None = Field(
        default=None, description="`next_page_token` of the page before; empty for the first page."
    )
    state: TrainingFileState | None = Field(default=None, description="Only files in this state; unspecified for all.")


class UpdateTrainingFileBody(In):
    """Request of UpdateTrainingFile."""

    display_name: Text | None = Field(
        default=None,
        description="Title and `file_name` of the format, 1 to 255 characters, unique for the artist without regard to case.",
        examples=["Night drive"],
    )
    description: Text | None = Field(
        default=None, description="Description, 0 to 4,096 characters; not written into the files."
    )
    target_model: Text | None = Field(
        default=None,
        description="Model that the file is meant for, `target_model` of the format, 0 to 255 characters; empty leaves the format's default.",
    )
    profile: Object | None = Field(
        default=None,
        description="The consultant of the file, an object of the file format; absent takes the platform's neutral one.",
        examples=[{}],
    )
    jsonl_header: Flag | None = Field(
        default=None,
        description="Write the `_meta` line before the pairs of the JSONL; default false, since most trainers cannot read it.",
        examples=[False],
    )


class AppendConversationsBody(In):
    """Request of AppendConversations."""

    conversations: list[Text] = Field(
        description="The conversations in file order, 1 to 10,000 names, none of them a member yet.",
        examples=[["artists/nova/conversations/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"]],
    )


class RemoveConversationsBody(In):
    """Request of RemoveConversations."""

    conversations: list[Text] = Field(
        description="The conversations, 1 to 10,000 names of members.",
        examples=[["artists/nova/conversations/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"]],
    )


class TrainingFileVersionState(StrEnum):
    """Where a build stands."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class TrainingFileVersion(Out):
    """One build of a training file; never changes once it has succeeded."""

    name: str = Field(
        description="`artists/{artist}/training-files/{training_file}/versions/{version}`; the last part is its number.",
        examples=[
            "artists/nova/training-files/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d/versions/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"
        ],
    )
    sequence: int = Field(description="Number, 1 for the first.", examples=[1])
    state: TrainingFileVersionState | None = Field(description="Where the build stands.", examples=["QUEUED"])
    progress_percent: float = Field(description="Share done, 0 to 100.", examples=[100.0])
    statistics: TrainingFileStatistics | None = Field(description="Numbers of this version; absent until built.")
    json_size_bytes: int = Field(description="Size of the JSON; 0 until built.", examples=[1])
    json_sha256: str = Field(description="SHA-256 of the JSON; empty until built.")
    jsonl_size_bytes: int = Field(description="Size of the JSONL; 0 until built.", examples=[1])
    jsonl_sha256: str = Field(description="SHA-256 of the JSONL; empty until built.")
    error: StatusOut | None = Field(description="Why the build failed; absent unless the state is FAILED.")
    create_time: Time | None = Field(description="When it was asked for.", examples=["2026-11-21T10:00:00.000000Z"])
    update_time: Time | None = Field(
        description="When anything about it last changed.", examples=["2026-11-21T10:00:00.000000Z"]
    )
    end_time: Time | None = Field(
        description="When it ended; absent while it has not.", examples=["2026-11-21T10:00:00.000000Z"]
    )


class ListTrainingFileVersionsResponse(Out):
    """Response of ListTrainingFileVersions."""

    versions: list[TrainingFileVersion] = Field(description="The page.")
    next_page_token: str = Field(description="Token of the next page; empty on the last one.")


class ListTrainingFileVersionsQuery(In):
    """Request of ListTrainingFileVersions."""

    page_size: int | None = Field(
        default=None, description="Most versions of the answer, 0 to 1,000; 0 means 50, more than 1,000 means 1,000."
    )
    page_token: str | None = Field(
        default=None, description="`next_page_token` of the page before; empty for the first page."
    )


class TrainingFileMember(Out):
    """A conversation inside a training file."""

    conversation: str = Field(description="The conversation, `artists/{artist}/conversations/{conversation}`.")
    conversation_id: str = Field(description="Its UUID inside the files.")
    position: int = Field(description="Place in the file, 1 for the first.", examples=[1])
    added_in_version: int = Field(description="Number of the version that first held it.", examples=[1])
    score: float | None = Field(description="Its score when it was added; absent when it had none.", examples=[0.5])
    quality_tier: str = Field(description="Its tier when it was added.")
    pair_count: int = Field(description="Number of its pairs.", examples=[1])
    trainable_pair_count: int = Field(description="Number of its pairs with an answer.", examples=[1])
    source_sha256: str = Field(description="SHA-256 of the enriched document that was taken.")


class ListTrainingFileMembersResponse(Out):
    """Response of ListTrainingFileMembers."""

    members: list[TrainingFileMember] = Field(description="The page.")
    next_page_token: str = Field(description="Token of the next page; empty on the last one.")


class ListTrainingFileMembersQuery(In):
    """Request of ListTrainingFileMembers."""

    page_size: int | None = Field(
        default=None, description="Most members of the answer, 0 to 1,000; 0 means 50, more than 1,000 means 1,000."
    )
    page_token: str | None = Field(
        default=None, description="`next_page_token` of the page before; empty for the first page."
    )


class DiffTrainingFileVersionsResponse(Out):
    """Response of DiffTrainingFileVersions."""

    added: list[TrainingFileMember] = Field(description="Members that only the newer version holds.")
    removed: list[TrainingFileMember] = Field(description="Members that only the older version holds.")
    changed: list[TrainingFileMember] = Field(
        description="Members of both whose document differs, as the newer version holds them."
    )


class DiffTrainingFileVersionsQuery(In):
    """Request of DiffTrainingFileVersions."""

    base: str | None = Field(
        default=None, description="The older version of the same file; empty takes the one before."
    )


class TrainingFileFormat(StrEnum):
    """How the text of a training file is written."""

    JSON = "JSON"
    JSONL = "JSONL"
    OPENAI = "OPENAI"
    SHAREGPT = "SHAREGPT"
    ALPACA = "ALPACA"
    TRL = "TRL"


class GetTrainingFileContentQuery(In):
    """Request of GetTrainingFileContent."""

    format: TrainingFileFormat | None = Field(default=None, description="How it is written; default JSON.")


class LintTrainingFileResponseFinding(Out):
    """One finding."""

    code: str = Field(description="Stable code.")
    message: str = Field(description="What was found and what to do.")
    conversation: str = Field(
        description="The conversation it is about, `artists/{artist}/conversations/{conversation}`; empty when about the whole."
    )
    turn_number: int = Field(
        description="Number of the pair it is about; 0 when about the conversation or the whole.", examples=[1]
    )


class LintTrainingFileResponse(Out):
    """Response of LintTrainingFile."""

    findings: list[LintTrainingFileResponseFinding] = Field(description="The findings, those about the whole first.")


class PreflightTrainingFileResponseVerdictFinding(StrEnum):
    """What was found."""

    ELIGIBLE = "ELIGIBLE"
    NOT_FOUND = "NOT_FOUND"
    NOT_ENRICHED = "NOT_ENRICHED"
    MISSING_DOCUMENT = "MISSING_DOCUMENT"
    DUPLICATE = "DUPLICATE"


class PreflightTrainingFileResponseVerdict(Out):
    """Whether one conversation can be taken."""

    conversation: str = Field(description="The conversation as asked.")
    finding: PreflightTrainingFileResponseVerdictFinding | None = Field(
        description="What was found.", examples=["ELIGIBLE"]
    )
    message: str = Field(description="The same in words, with what to do; empty when it can be taken.")


class PreflightTrainingFileResponse(Out):
    """Response of PreflightTrainingFile."""

    eligible: bool = Field(description="Whether all can be taken.", examples=[False])
    verdicts: list[PreflightTrainingFileResponseVerdict] = Field(
        description="One verdict per requested conversation, in the same order."
    )


class PreflightTrainingFileBody(In):
    """Request of PreflightTrainingFile."""

    training_file: Text | None = Field(
        default=None,
        description="The file they would be appended to, `artists/{artist}/training-files/{training_file}`; empty for a new one.",
        examples=["artists/nova/training-files/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    conversations: list[Text] = Field(
        description="The conversations, 1 to 10,000 names.",
        examples=[["artists/nova/conversations/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"]],
    )


class ExportTrainingFileBody(In):
    """Request of ExportTrainingFile."""

    format: TrainingFileFormat = Field(
        description="How it is written; any but JSON and JSONL, which every version has.", examples=["JSON"]
    )
    per_conversation: Flag | None = Field(
        default=None, description="One line per conversation instead of one per pair; default false.", examples=[False]
    )
    without_system_prompt: Flag | None = Field(
        default=None, description="Leave the system prompt out; default false.", examples=[False]
    )
    min_score: Number | None = Field(
        default=None, description="Leave out conversations below this score, 0 to 5; 0 keeps all.", examples=[0.5]
    )
    validation_share: Number | None = Field(
        default=None,
        description="Share of conversations held back for validation, 0 to 0.5; 0 for none.",
        examples=[0.5],
    )
    seed: Int64 | None = Field(default=None, description="Seed of the split.", examples=[1])


class TrainedPiece(Out):
    """One piece that is trained on."""

    name: str = Field(
        description="Name that the trainer gives the piece, for example `track-0001_chunk30.wav`.",
        examples=["artists/nova"],
    )
    start_s: float = Field(description="Where it begins in the recording, in seconds.", examples=[0.5])
    duration_s: float = Field(description="Length of its audio in seconds.", examples=[60.0])
    padded_s: float = Field(
        description="Mean length of silence that fills a window of 30 s, in seconds.", examples=[0.5]
    )


class EmulatedItem(Out):
    """What a trainer does with one item."""

    training_item: str = Field(
        description="The item, `artists/{artist}/training-items/{training_item}`; empty for a foreign file."
    )
    path: str = Field(description="Path of the audio file inside the archive.")
    seen: bool = Field(description="Whether the trainer sees the file at all.", examples=[False])
    pieces: list[TrainedPiece] = Field(description="The pieces, in order.")
    caption: str = Field(
        description="The caption that the model is given, before the trainer's random changes; empty when it gets none.",
        examples=["warm analog house groove with a round bass, BPM: 124"],
    )
    prepared_rate_hz: int = Field(description="Sample rate after the trainer's preparation in hertz.", examples=[1])
    prepared_channels: int = Field(description="Channels after the trainer's preparation.", examples=[1])
    chunk_count: int = Field(description="Number of pieces that are trained on.", examples=[1])
    dropped_s: float = Field(description="Length of the tail that is thrown away, in seconds.", examples=[0.5])
    padded_s: float = Field(description="Length of silence that pads the pieces, in seconds.", examples=[0.5])
    caption_used: bool = Field(description="Whether the caption reaches the model.", examples=[False])
    vocals_removed: bool = Field(description="Whether vocals are removed.", examples=[False])
    resampled: bool = Field(
        description="Whether the audio is resampled by the trainer's preparation.", examples=[False]
    )
    findings: list[Finding] = Field(description="What a person should know.")


class EmulateTrainingResponse(Out):
    """Response of EmulateTraining."""

    items: list[EmulatedItem] = Field(description="One entry per item, in order.")
    chunk_count: int = Field(description="Pieces of all items.", examples=[1])
    step_count: int = Field(description="Steps of the training.", examples=[1])
    expected_duration_s: float | None = Field(description="Expected length of the training.", examples=[12.5])
    expected_cost_usd_micros: int = Field(
        description="Expected cost in millionths of a US dollar; 0 when unknown.", examples=[1]
    )
    findings: list[Finding] = Field(
        description="What a person should know about the whole; an ERROR makes the training fail or waste its money."
    )
    sample_count: int = Field(
        description="Samples that the model sees: steps times the batch size that the trainer really uses.",
        examples=[1],
    )
    effective_batch_size: int = Field(description="Batch size that the trainer really uses.", examples=[1])
    succeeds: bool = Field(description="Whether the trainer's run would end with a model.", examples=[False])


class TrainingParametersInput(In):
    """Inputs of a training, as Replicate's MusicGen trainer names them."""

    model_version: Text | None = Field(
        default=None,
        description="Base model: stereo-melody (default), stereo-small, stereo-medium, melody, small, medium.",
    )
    epochs: Int32 | None = Field(default=None, description="Passes over the data, 1 or more; 0 means 3.", examples=[1])
    updates_per_epoch: Int32 | None = Field(
        default=None, description="Steps per pass, 1 or more; 0 means 100.", examples=[1]
    )
    batch_size: Int32 | None = Field(
        default=None, description="Samples per step, a multiple of 8; 0 means 16.", examples=[1]
    )
    optimizer: Text | None = Field(default=None, description="dadam (default) or adamw.")
    learning_rate: Number | None = Field(
        default=None, description="Learning rate; 0 means 1, which suits dadam.", examples=[0.5]
    )
    learning_rate_scheduler: Text | None = Field(
        default=None, description="cosine (default), polynomial_decay, inverse_sqrt or linear_warmup."
    )
    warmup_steps: Int32 | None = Field(
        default=None, description="Steps of warm-up, 0 or more; absent means 8.", examples=[1]
    )
    unconditioned_share: Number | None = Field(
        default=None,
        description="Share of samples trained without conditioning, 0 to 1; absent means 0.3.",
        examples=[0.5],
    )
    auto_labeling: Flag | None = Field(
        default=None,
        description="Let the trainer guess genre, mood, instruments, tempo and key; absent means false.",
        examples=[False],
    )
    drop_vocals: Flag | None = Field(
        default=None,
        description="Let the trainer remove vocals from pieces of files above 30 s; absent means false.",
        examples=[False],
    )
    one_same_description: Text | None = Field(
        default=None,
        description="One text for all audio; the captions are ignored then. Absent means that the captions count; an empty text is refused.",
    )


class ForeignFileInput(In):
    """One file of an archive that was made elsewhere."""

    path: Text = Field(description="Path inside the archive, for example `track-0001.mp3`.")
    duration_s: Number | None = Field(
        default=None, description="Length of the audio in seconds; 0 for other files.", examples=[60.0]
    )
    rate_hz: Int32 | None = Field(
        default=None, description="Sample rate of the audio in hertz; 0 for other files.", examples=[44100]
    )
    channels: Int32 | None = Field(default=None, description="Channels of the audio; 0 for other files.", examples=[2])
    text: Text | None = Field(
        default=None,
        description="Text of a `.txt` file, byte order mark and all lines included; empty for other files.",
        examples=["warm analog house groove with a round bass, BPM: 124"],
    )


class EmulateTrainingBody(In):
    """Request of EmulateTraining."""

    selection: SelectionInput | None = Field(
        default=None, description="The items; read when no snapshot, export or files are given."
    )
    snapshot: Text | None = Field(
        default=None,
        description="The snapshot, `artists/{artist}/snapshots/{snapshot}`; empty to take the selection.",
        examples=["artists/nova/snapshots/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    parameters: TrainingParametersInput | None = Field(default=None, description="Inputs of the training.")
    options: ExportOptionsInput | None = Field(
        default=None, description="How an export of the items would be made; read for a selection or a snapshot."
    )
    export: Text | None = Field(
        default=None,
        description="A finished export, `artists/{artist}/exports/{export}`: its files are what the trainer gets; empty for none.",
        examples=["artists/nova/exports/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    files: list[ForeignFileInput] | None = Field(
        default=None,
        description="The files of an archive made elsewhere, up to 10,000; when given, nothing else is read.",
    )


class TrainingInput(In):
    """A training of a model at a provider."""

    display_name: Text | None = Field(
        default=None, description="Title for people, 0 to 255 characters.", examples=["Night drive"]
    )
    export: Text = Field(
        description="What is trained on, `artists/{artist}/exports/{export}`.",
        examples=["artists/nova/exports/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    destination: Text = Field(description="The provider's model that receives the version, `owner/model`.")
    parameters: TrainingParametersInput | None = Field(default=None, description="Inputs of the training.")


class CreateTrainingBody(In):
    """Request of CreateTraining."""

    training: TrainingInput = Field(description="The training.")
    max_cost_usd_micros: Int64 = Field(
        description="Most that it is expected to cost in millionths of a US dollar, 1 and up; it is the caller's agreement to spend that much.",
        examples=[1],
    )
    create_destination: Flag | None = Field(
        default=None,
        description="Make the destination as a private model if it does not exist; default false.",
        examples=[False],
    )


class TrainingParameters(Out):
    """Inputs of a training, as Replicate's MusicGen trainer names them."""

    model_version: str = Field(
        description="Base model: stereo-melody (default), stereo-small, stereo-medium, melody, small, medium."
    )
    epochs: int = Field(description="Passes over the data, 1 or more; 0 means 3.", examples=[1])
    updates_per_epoch: int = Field(description="Steps per pass, 1 or more; 0 means 100.", examples=[1])
    batch_size: int = Field(description="Samples per step, a multiple of 8; 0 means 16.", examples=[1])
    optimizer: str = Field(description="dadam (default) or adamw.")
    learning_rate: float = Field(description="Learning rate; 0 means 1, which suits dadam.", examples=[0.5])
    learning_rate_scheduler: str = Field(
        description="cosine (default), polynomial_decay, inverse_sqrt or linear_warmup."
    )
    warmup_steps: int | None = Field(description="Steps of warm-up, 0 or more; absent means 8.", examples=[1])
    unconditioned_share: float | None = Field(
        description="Share of samples trained without conditioning, 0 to 1; absent means 0.3.", examples=[0.5]
    )
    auto_labeling: bool | None = Field(
        description="Let the trainer guess genre, mood, instruments, tempo and key; absent means false.",
        examples=[False],
    )
    drop_vocals: bool | None = Field(
        description="Let the trainer remove vocals from pieces of files above 30 s; absent means false.",
        examples=[False],
    )
    one_same_description: str | None = Field(
        description="One text for all audio; the captions are ignored then. Absent means that the captions count; an empty text is refused."
    )


class TrainingState(StrEnum):
    """Where a training stands."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    SUBMITTING = "SUBMITTING"
    LOST = "LOST"


class Training(Out):
    """A training of a model at a provider."""

    name: str = Field(
        description="`artists/{artist}/trainings/{training}`.",
        examples=["artists/nova/trainings/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    display_name: str = Field(description="Title for people, 0 to 255 characters.", examples=["Night drive"])
    export: str = Field(
        description="What is trained on, `artists/{artist}/exports/{export}`.",
        examples=["artists/nova/exports/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    destination: str = Field(description="The provider's model that receives the version, `owner/model`.")
    parameters: TrainingParameters | None = Field(description="Inputs of the training.")
    state: TrainingState | None = Field(description="Where the training stands.", examples=["QUEUED"])
    provider_status: str = Field(description="The provider's own word for where it stands.")
    provider_id: str = Field(description="The provider's id; empty until it answered.")
    progress_percent: float = Field(description="Share done, 0 to 100.", examples=[100.0])
    version: str = Field(description="The trained version at the provider; empty until it exists.")
    weights_uri: str = Field(description="Address of the weights at the provider; empty until they exist.")
    log_tail: str = Field(description="End of the provider's log, up to 16 KiB; up to 1 KiB in lists.")
    cost_usd_micros: int = Field(description="Cost so far in millionths of a US dollar.", examples=[1])
    error: StatusOut | None = Field(description="Why it failed; absent unless the state is FAILED.")
    create_time: Time | None = Field(description="When it was asked for.", examples=["2026-11-21T10:00:00.000000Z"])
    update_time: Time | None = Field(
        description="When anything about it last changed.", examples=["2026-11-21T10:00:00.000000Z"]
    )
    end_time: Time | None = Field(
        description="When it ended; absent while it has not.", examples=["2026-11-21T10:00:00.000000Z"]
    )
    etag: str = Field(description="Changes with every change of the row.", examples=["5f1d2c3b4a596877"])
    expected_cost_usd_micros: int = Field(
        description="Expected cost in millionths of a US dollar when it was asked for.", examples=[1]
    )
    trainer: str = Field(description="The trainer at the provider with its version, `owner/model:version`.")
    snapshot: str = Field(
        description="The snapshot behind the export, `artists/{artist}/snapshots/{snapshot}`.",
        examples=["artists/nova/snapshots/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    snapshot_sha256: str = Field(description="SHA-256 over the snapshot's members, 64 hexadecimal digits.")
    findings: list[Finding] = Field(description="What was known to be odd when it was asked for; up to 5 in lists.")
    epoch: int = Field(description="Epoch that the provider's log tells of; 0 while it tells of none.", examples=[1])
    step: int = Field(
        description="Step in all that the provider's log tells of; 0 while it tells of none.", examples=[1]
    )
    predict_time_s: float = Field(
        description="Seconds of computing that the provider bills; 0 while unknown.", examples=[0.5]
    )


class ListTrainingsResponse(Out):
    """Response of ListTrainings."""

    trainings: list[Training] = Field(description="The page.")
    next_page_token: str = Field(description="Token of the next page; empty on the last one.")


class ListTrainingsQuery(In):
    """Request of ListTrainings."""

    page_size: int | None = Field(
        default=None, description="Most trainings of the answer, 0 to 1,000; 0 means 50, more than 1,000 means 1,000."
    )
    page_token: str | None = Field(
        default=None, description="`next_page_token` of the page before; empty for the first page."
    )
    asset: str | None = Field(
        default=None,
        description="Only trainings that used this audio, `artists/{artist}/assets/{asset}`; empty for all.",
    )
    training_item: str | None = Field(
        default=None,
        description="Only trainings that used this item, `artists/{artist}/training-items/{training_item}`; empty for all.",
    )
    live_set: str | None = Field(
        default=None,
        description="Only trainings that used audio of this Live Set, `artists/{artist}/live-sets/{live_set}`; empty for all.",
    )


class GenerationState(StrEnum):
    """Where a generation stands."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class Generation(Out):
    """Music made by a trained version."""

    name: str = Field(
        description="`artists/{artist}/generations/{generation}`.",
        examples=["artists/nova/generations/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    training: str = Field(
        description="The training whose version plays, `artists/{artist}/trainings/{training}`.",
        examples=["artists/nova/trainings/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    prompt: str = Field(
        description="What to play, 1 to 2,000 characters; words of the captions call the learned style."
    )
    duration_s: int = Field(description="Length in seconds, 1 to 120; 0 means 8.", examples=[60.0])
    seed: int = Field(description="Seed, 1 and up; 0 means a random one.", examples=[1])
    temperature: float | None = Field(
        description="Temperature of sampling, above 0 to 10; absent means 1.", examples=[0.5]
    )
    top_k: int = Field(description="How many tokens to draw from, 1 to 2,048; 0 means 250.", examples=[1])
    top_p: float = Field(
        description="Share of probability to draw from, 0 to 1; 0 leaves it to `top_k`.", examples=[0.5]
    )
    guidance: int = Field(description="How closely to follow the prompt, 1 to 20; 0 means 3.", examples=[1])
    state: GenerationState | None = Field(description="Where the generation stands.", examples=["QUEUED"])
    provider_id: str = Field(description="The provider's id; empty until it answered.")
    asset: str = Field(
        description="The audio, `artists/{artist}/assets/{asset}`; empty until it exists.",
        examples=["artists/nova/assets/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    error: StatusOut | None = Field(description="Why it failed; absent unless the state is FAILED.")
    create_time: Time | None = Field(description="When it was asked for.", examples=["2026-11-21T10:00:00.000000Z"])
    update_time: Time | None = Field(
        description="When anything about it last changed.", examples=["2026-11-21T10:00:00.000000Z"]
    )
    end_time: Time | None = Field(
        description="When it ended; absent while it has not.", examples=["2026-11-21T10:00:00.000000Z"]
    )
    etag: str = Field(description="Changes with every change of the row.", examples=["5f1d2c3b4a596877"])


class Lineage(Out):
    """What something was made of."""

    generation: Generation | None = Field(
        description="The generation that was asked about; absent when a training was."
    )
    training: Training | None = Field(description="The training.")
    export: Export | None = Field(description="The archive that was trained on; absent when it was deleted.")
    snapshot: Snapshot | None = Field(description="The snapshot behind it.")
    members: list[SnapshotMember] = Field(
        description="Its members in order: audio, caption with its provenance, Live Set, licence, consent. One page of them."
    )
    next_page_token: str = Field(description="Token of the next page of members; empty on the last one.")


class GetLineageQuery(In):
    """Request of GetLineage."""

    page_size: int | None = Field(
        default=None, description="Most members of the answer, 0 to 1,000; 0 means 50, more than 1,000 means 1,000."
    )
    page_token: str | None = Field(
        default=None, description="`next_page_token` of the page before; empty for the first page."
    )


class TrainingBudget(Out):
    """What trainings may cost and have cost."""

    configured: bool = Field(
        description="Whether a provider is set up; without one nothing can be trained.", examples=[False]
    )
    price_usd_micros_per_s: int = Field(
        description="Price of a second of training in millionths of a US dollar.", examples=[1]
    )
    training_cap_usd_micros: int = Field(
        description="Most that one training may be expected to cost, in millionths of a US dollar; 0: no cap.",
        examples=[1],
    )
    day_cap_usd_micros: int = Field(
        description="Most that all trainings of the artist may cost within 24 hours, in millionths of a US dollar; 0: no cap.",
        examples=[1],
    )
    spent_today_usd_micros: int = Field(
        description="What trainings of the last 24 hours cost or are expected to cost, in millionths of a US dollar.",
        examples=[1],
    )
    spent_usd_micros: int = Field(
        description="What all trainings of the artist have cost, in millionths of a US dollar.", examples=[1]
    )
    trainer: str = Field(description="The trainer that new trainings run, `owner/model:version`.")
    stand_in: bool = Field(
        description="Whether the provider is a stand-in on this machine, which trains nothing.", examples=[False]
    )


class CreateGenerationBody(In):
    """Request of CreateGeneration."""

    training: Text = Field(
        description="The training whose version plays, `artists/{artist}/trainings/{training}`.",
        examples=["artists/nova/trainings/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    prompt: Text = Field(
        description="What to play, 1 to 2,000 characters; words of the captions call the learned style."
    )
    duration_s: Int32 | None = Field(
        default=None, description="Length in seconds, 1 to 120; 0 means 8.", examples=[60.0]
    )
    seed: Int64 | None = Field(default=None, description="Seed, 1 and up; 0 means a random one.", examples=[1])
    temperature: Number | None = Field(
        default=None, description="Temperature of sampling, above 0 to 10; absent means 1.", examples=[0.5]
    )
    top_k: Int32 | None = Field(
        default=None, description="How many tokens to draw from, 1 to 2,048; 0 means 250.", examples=[1]
    )
    top_p: Number | None = Field(
        default=None, description="Share of probability to draw from, 0 to 1; 0 leaves it to `top_k`.", examples=[0.5]
    )
    guidance: Int32 | None = Field(
        default=None, description="How closely to follow the prompt, 1 to 20; 0 means 3.", examples=[1]
    )


class ListGenerationsResponse(Out):
    """Response of ListGenerations."""

    generations: list[Generation] = Field(description="The page.")
    next_page_token: str = Field(description="Token of the next page; empty on the last one.")


class ListGenerationsQuery(In):
    """Request of ListGenerations."""

    page_size: int | None = Field(
        default=None, description="Most generations of the answer, 0 to 1,000; 0 means 50, more than 1,000 means 1,000."
    )
    page_token: str | None = Field(
        default=None, description="`next_page_token` of the page before; empty for the first page."
    )
    training: str | None = Field(
        default=None,
        description="Only generations of this training, `artists/{artist}/trainings/{training}`; empty for all.",
    )


class ReceiveTrainingWebhookBody(In):
    """Request of ReceiveTrainingWebhook."""

    provider: Text = Field(description="The provider, for example `replicate`.")
    headers: dict[str, Text] = Field(description="Headers of the HTTP request with lower-case names.", examples=[{}])
    body: Text = Field(description="Body of the HTTP request, byte for byte, up to 1 MiB.")


# What each RPC gives, by service and method.
DOCS: dict[str, str] = {
    "DatasetsService.CreateTrainingItem": "Makes a training item from an asset, a caption, or both.",
    "DatasetsService.BatchCreateTrainingItems": "Makes many training items; each succeeds or fails alone, and audio that an item holds already makes none (AUDIO_IN_USE).",
    "DatasetsService.GetTrainingItem": "Gives one training item.",
    "DatasetsService.ListTrainingItems": "Lists training items, newest first.",
    "DatasetsService.UpdateTrainingItem": "Changes the named fields of a training item; a changed caption becomes a new revision.",
    "DatasetsService.DeleteTrainingItem": "Deletes a training item and releases its asset; snapshots and exports made before keep what they froze.",
    "DatasetsService.FailTrainingItem": "Marks a training item as failed, with a reason; it keeps what it has.",
    "DatasetsService.RetryTrainingItem": "Takes a failed training item back to the state that its audio and caption give it.",
    "DatasetsService.ListCaptionRevisions": "Lists the captions that a training item has had, newest first.",
    "DatasetsService.RestoreCaptionRevision": "Makes an earlier caption the current one again, as a new revision.",
    "DatasetsService.MatchFiles": "Proposes which uploaded files belong to which Live Sets and training items, by their names; changes nothing.",
    "DatasetsService.ListDuplicateGroups": "Lists groups of training items that hold the same or nearly the same audio.",
    "DatasetsService.EditCaptions": "Changes many captions by rule: shows each text before and after with what the caption rules say, and keeps what is fine.",
    "DatasetsService.CheckReadiness": "Says whether the chosen items make a dataset that can be trained on, and what is missing.",
    "DatasetsService.CreateCaptionRun": "Writes captions for items that have none, a few at a time; never touches a text that a person wrote or changed. Long work.",
    "DatasetsService.GetCaptionRun": "Gives one caption run with what became of each item.",
    "DatasetsService.ListCaptionRuns": "Lists caption runs, newest first.",
    "DatasetsService.CancelCaptionRun": "Stops a caption run; captions that it has written stay.",
    "DatasetsService.CreateSnapshot": "Freezes training items into an immutable snapshot.",
    "DatasetsService.GetSnapshot": "Gives one snapshot.",
    "DatasetsService.ListSnapshots": "Lists snapshots, newest first.",
    "DatasetsService.ListSnapshotMembers": "Lists the frozen members of a snapshot in their order.",
    "DatasetsService.DeleteSnapshot": "Deletes a snapshot that no export or training uses.",
    "DatasetsService.CreateExport": "Starts an export of training items or of a snapshot; the items are frozen as they are now.",
    "DatasetsService.GetExport": "Gives one export.",
    "DatasetsService.ListExports": "Lists exports, newest first.",
    "DatasetsService.CancelExport": "Stops an export that has not finished; one that has is left as it is.",
    "DatasetsService.DeleteExport": "Deletes an export that has ended and releases its assets.",
    "DatasetsService.ListExportFiles": "Lists the files of a finished export in archive order, with the item, piece and conversion behind each.",
    "DatasetsService.GetExportLayout": "Gives the archive of a finished export as an ordered list of byte ranges, from any offset.",
    "DatasetsService.ListJobs": "Lists jobs of all artists, for operators.",
    "DatasetsService.RetryJob": "Puts a failed job back into the queue, for operators.",
    "DatasetsService.CancelJob": "Stops a job, for operators.",
    "TrainingFilesService.CreateConversation": "Takes a conversation in; a document that cannot be used is refused with every reason at once.",
    "TrainingFilesService.BatchCreateConversations": "Takes many conversations in; each succeeds or fails alone.",
    "TrainingFilesService.GetConversation": "Gives one conversation, without its documents.",
    "TrainingFilesService.ListConversations": "Lists conversations, newest first, without their documents.",
    "TrainingFilesService.UpdateConversation": "Changes the named fields of a conversation; an enriched one has to be enriched again.",
    "TrainingFilesService.DeleteConversation": "Deletes a conversation that no training file holds.",
    "TrainingFilesService.ValidateConversation": "Checks a document, or a stored conversation, and reports blockers and warnings; changes nothing.",
    "TrainingFilesService.EnrichConversation": "Turns a conversation into self-contained training pairs; a repeat gives the same bytes.",
    "TrainingFilesService.BatchEnrichConversations": "Enriches many conversations; each succeeds or fails alone.",
    "TrainingFilesService.GetConversationContent": "Says where a document of a conversation lies, for download.",
    "TrainingFilesService.CreateTrainingFile": "Makes a training file of conversations; all or none are taken.",
    "TrainingFilesService.GetTrainingFile": "Gives one training file with the numbers of its current version.",
    "TrainingFilesService.ListTrainingFiles": "Lists training files, newest first.",
    "TrainingFilesService.UpdateTrainingFile": "Changes title or description of a training file; its content stays.",
    "TrainingFilesService.DeleteTrainingFile": "Deletes a training file with all its versions.",
    "TrainingFilesService.ArchiveTrainingFile": "Takes a training file out of use; it can be read, not extended.",
    "TrainingFilesService.RestoreTrainingFile": "Takes an archived training file back into use.",
    "TrainingFilesService.AppendConversations": "Adds conversations as a new version; all or none are taken, and none twice.",
    "TrainingFilesService.RemoveConversations": "Takes conversations out as a new version.",
    "TrainingFilesService.RebuildTrainingFile": "Builds a new version from the conversations as they are now.",
    "TrainingFilesService.CancelTrainingFileVersion": "Stops a build that has not finished; the training file stays on its current version.",
    "TrainingFilesService.GetTrainingFileVersion": "Gives one version.",
    "TrainingFilesService.ListTrainingFileVersions": "Lists versions, newest first.",
    "TrainingFilesService.ListTrainingFileMembers": "Lists the members of the current version in file order.",
    "TrainingFilesService.DiffTrainingFileVersions": "Says which members two versions do not share.",
    "TrainingFilesService.GetTrainingFileContent": "Says where the bytes of a training file or of one version lie, for download.",
    "TrainingFilesService.GetTrainingFileStatistics": "Gives quality and balance of a training file's current version.",
    "TrainingFilesService.LintTrainingFile": "Reports what a person should look at before training.",
    "TrainingFilesService.PreflightTrainingFile": "Says for each conversation whether it can be taken, and why not; changes nothing.",
    "TrainingFilesService.ExportTrainingFile": "Writes a version in the format of a trainer.",
    "TrainingsService.EmulateTraining": "Says what the trainer will do with each file: pieces, captions lost, seconds dropped, steps, cost; changes nothing.",
    "TrainingsService.CreateTraining": "Starts a training at the provider: once per request, whatever fails on the way.",
    "TrainingsService.GetTraining": "Gives one training.",
    "TrainingsService.ListTrainings": "Lists trainings, newest first; those that used one piece of audio, if asked.",
    "TrainingsService.CancelTraining": "Asks the provider to stop a training.",
    "TrainingsService.GetLineage": "Says what a training was made of: dataset, captions, prompts, Live Sets, audio, licences.",
    "TrainingsService.GetTrainingBudget": "Says what trainings at the provider are set up for: prices, caps, what was spent.",
    "TrainingsService.CreateGeneration": "Generates music from a trained version; the result becomes an asset.",
    "TrainingsService.GetGeneration": "Gives one generation.",
    "TrainingsService.ListGenerations": "Lists generations, newest first.",
    "TrainingsService.CancelGeneration": "Asks the provider to stop a generation.",
    "TrainingsService.ReceiveTrainingWebhook": "Takes a webhook of the provider; its signature is checked over the exact bytes.",
}
