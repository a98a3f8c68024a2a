"""JSON shapes of tonewright.prompt.v1, made by `tools/openapi.py`; never edited."""

# ruff: noqa: E501
from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from services.gateway.shapes import (
    Flag,
    In,
    Int32,
    Number,
    Object,
    Out,
    Text,
    Time,
)


class LiveSet(Out):
    """An Ableton Live Set: the uploaded file and what it says."""

    name: str = Field(
        description="`artists/{artist}/live-sets/{live_set}`.",
        examples=["artists/nova/live-sets/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    display_name: str = Field(
        description="Name for people, 1 to 200 characters; the file's name without `.als` by default.",
        examples=["Night drive"],
    )
    project_name: str = Field(description="Name of the Live project, up to 200 characters.")
    file_name: str = Field(description="Name of the uploaded file, up to 255 characters.", examples=["night-drive.als"])
    sha256: str = Field(
        description="SHA-256 of the file, lower-case hex.",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )
    size_bytes: int = Field(description="Size of the file.", examples=[10584044])
    creator: str = Field(description="Program and version that saved it, as `Ableton Live 11.3.21`.")
    live_version: int = Field(description="Major version of Live that saved it, 8 to 12.", examples=[1])
    tempo_bpm: float = Field(
        description="Tempo at the start in beats per minute, rounded to 3 decimals; 0 when the file holds none.",
        examples=[124.0],
    )
    time_signature: str = Field(
        description="Time signature at the start, as `4/4`; empty when the file holds none.", examples=["4/4"]
    )
    track_count: int = Field(description="Number of MIDI, audio, group and return tracks together.", examples=[1])
    clip_count: int = Field(description="Number of session and arrangement clips.", examples=[1])
    device_count: int = Field(description="Number of devices, those inside racks included.", examples=[1])
    summary: Object | None = Field(
        description="The whole summary: `overview`, `plugin_usage`, `plugins_by_track`, `sample_index`, `track_breakdown`, `track_hierarchy`, `genre_indicators`, `tracks`, `key`, `locators`, `scenes`, `arrangement`, `midi_stats`, `warnings`, and more keys later.",
        examples=[{}],
    )
    warnings: list[str] = Field(description="What in the file could not be read or looks odd.")
    create_time: Time | None = Field(description="When it was read.", examples=["2026-11-21T10:00:00.000000Z"])
    update_time: Time | None = Field(description="When it last changed.", examples=["2026-11-21T10:00:00.000000Z"])
    delete_time: Time | None = Field(
        description="When it was deleted; absent while it is not.", examples=["2026-11-21T10:00:00.000000Z"]
    )
    purge_time: Time | None = Field(
        description="When a deleted Live Set is removed for good; absent while it is not deleted.",
        examples=["2026-11-21T10:00:00.000000Z"],
    )
    etag: str = Field(description="Changes with every change of the Live Set.", examples=["5f1d2c3b4a596877"])
    key: str = Field(description="Key, as `B minor`; empty when the file gives none that can be trusted.")
    key_evidence: str = Field(
        description="What the key rests on: `set`, `clips`, `notes` or `samples`; empty without a key."
    )
    duration_s: float = Field(description="Length of the arrangement in seconds; 0 when it is empty.", examples=[60.0])


class CreateLiveSetBody(In):
    """Asks to read an uploaded file."""

    file_name: Text | None = Field(
        default=None,
        description="Name of the file, `.als` included, up to 255 characters; empty: the display name with `.als`.",
        examples=["night-drive.als"],
    )
    display_name: Text | None = Field(
        default=None,
        description="Name for people, up to 200 characters; empty: the file's name without `.als`.",
        examples=["Night drive"],
    )
    project_name: Text | None = Field(default=None, description="Name of the Live project, up to 200 characters.")


class ImportLiveSetsResponseResult(Out):
    """What became of one file."""

    path: str = Field(description="Path inside the zip.")
    live_set: LiveSet | None = Field(
        description="The Live Set, without its summary; absent when the file could not be read."
    )
    already_there: bool = Field(
        description="True when the artist has the same file already; `live_set` is that one then.", examples=[False]
    )
    reason: str = Field(description="Stable reason of the failure; empty otherwise.")
    message: str = Field(description="What was wrong and what to do; empty otherwise.")


class ImportLiveSetsResponse(Out):
    """What became of the files of a zip."""

    results: list[ImportLiveSetsResponseResult] = Field(
        description="One result per `.als` file, in the order of their paths; backups of Live are left out."
    )
    ignored_count: int = Field(description="Number of other files in the zip.", examples=[1])


class ImportLiveSetsBody(In):
    """Asks to read a zip of Live Sets."""

    project_name: Text | None = Field(
        default=None, description="Name of the Live project; empty: the folder of each file inside the zip."
    )


class LiveSetTimeline(Out):
    """A picture of an arrangement."""

    content: str = Field(description="The picture.")
    media_type: str = Field(description="`image/svg+xml`.", examples=["audio/wav"])


class GetLiveSetTimelineQuery(In):
    """Asks for a picture of the arrangement."""

    width: int | None = Field(default=None, description="Width in pixels, 200 to 8,000; 0 means 1,200.")


class LiveSetView(StrEnum):
    """How much of a Live Set an answer holds."""

    BASIC = "BASIC"
    FULL = "FULL"


class GetLiveSetQuery(In):
    """Asks for one Live Set."""

    view: LiveSetView | None = Field(default=None, description="How much to give; all by default.")


class ListLiveSetsResponse(Out):
    """One page of Live Sets."""

    live_sets: list[LiveSet] = Field(description="Newest first.")
    next_page_token: str = Field(description="Asks for the next page; empty at the end.")


class ListLiveSetsQuery(In):
    """Asks for an artist's Live Sets."""

    page_size: int | None = Field(default=None, description="How many at most, 0 to 1000; 0 means 50.")
    page_token: str | None = Field(
        default=None, description="`next_page_token` of the page before; empty for the first page."
    )
    view: LiveSetView | None = Field(default=None, description="How much of each to give; the short form by default.")
    show_deleted: bool | None = Field(
        default=None, description="True also lists the deleted ones that can still be brought back. Default false."
    )
    query: str | None = Field(
        default=None,
        description="Only those whose name, file or project holds this text, whatever its case, up to 100 characters; empty for all.",
    )


class UpdateLiveSetBody(In):
    """Asks for a change of a Live Set."""

    display_name: Text | None = Field(
        default=None,
        description="Name for people, 1 to 200 characters; the file's name without `.als` by default.",
        examples=["Night drive"],
    )
    project_name: Text | None = Field(default=None, description="Name of the Live project, up to 200 characters.")


class CaptionFinding(Out):
    """A rule that a caption breaks."""

    rule: str = Field(description="Which rule, `P1` to `P12`.")
    description: str = Field(description="What was found and how to mend it.")


class Provenance(Out):
    """Where a caption comes from."""

    engine: str = Field(description="Who wrote it: `openai` or `offline-composer`.", examples=["stub"])
    model: str = Field(
        description="The model, as `gpt-4o-mini`; the composer's version for the offline composer.",
        examples=["htdemucs"],
    )
    prompt_version: str = Field(description="Version label of the instruction, as `train-v2`.")
    temperature: float = Field(description="Sampling temperature; 0 for the offline composer.", examples=[0.5])
    input_sha256: str = Field(description="SHA-256 of the projected input that was sent, lower-case hex.")
    master_schema_sha256: str = Field(
        description="SHA-256 of the artist's master schema as it was used, lower-case hex; empty when there is none."
    )
    live_set: str = Field(
        description="The Live Set it was written from; empty when there was none.",
        examples=["artists/nova/live-sets/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    asset: str = Field(
        description="The asset it was written for; empty when there was none.",
        examples=["artists/nova/assets/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    raw_text: str = Field(description="The text as the engine gave it, before it was tidied.")
    attempts: int = Field(description="How often the engine was asked, 1 to 3.", examples=[1])
    prompt_tokens: int = Field(description="Tokens read by the model over all attempts; 0 when unknown.", examples=[1])
    completion_tokens: int = Field(
        description="Tokens written by the model over all attempts; 0 when unknown.", examples=[1]
    )
    latency_ms: int = Field(description="Milliseconds from the first question to the final text.", examples=[1])
    generate_time: Time | None = Field(description="When the text was made.", examples=["2026-11-21T10:00:00.000000Z"])
    principal: str = Field(description="Who asked for it.", examples=["oidc:7d5f0c"])
    cost_usd_micros: int = Field(
        description="Cost over all attempts in millionths of a US dollar; 0 when free or unknown.", examples=[1]
    )
    variant: int = Field(description="Number of the variant, 0 for the first.", examples=[1])
    hint: str = Field(description="What the caller asked to do differently; empty for nothing.")
    tempo_bpm: float = Field(
        description="Tempo that the tag had to give in beats per minute; 0 when none was known.", examples=[124.0]
    )
    tempo_source: str = Field(
        description="Where that tempo comes from: `hints`, `live_set`, `audio`; empty when none was known."
    )
    instruction_sha256: str = Field(description="SHA-256 of the exact instruction text, lower-case hex.")
    live_set_sha256: str = Field(
        description="SHA-256 of the Live Set's file, lower-case hex; empty when there was none."
    )
    seed: int = Field(description="Seed sent to the model; 0 when none was.", examples=[1])


class Caption(Out):
    """A caption: one line of text for one piece of audio."""

    name: str = Field(
        description="`artists/{artist}/captions/{caption}`.",
        examples=["artists/nova/captions/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    text: str = Field(
        description="The text, one line, ending with the tempo tag `BPM: <number>`.",
        examples=["warm analog house groove with a round bass, BPM: 124"],
    )
    violations: list[CaptionFinding] = Field(
        description="Rules it breaks that keep it from being accepted or exported; empty for an acceptable caption."
    )
    warnings: list[CaptionFinding] = Field(description="Rules it breaks that are worth a look.")
    provenance: Provenance | None = Field(description="Where it comes from.")
    create_time: Time | None = Field(description="When it was made.", examples=["2026-11-21T10:00:00.000000Z"])
    etag: str = Field(description="Always the same: captions never change.", examples=["5f1d2c3b4a596877"])


class CaptionHintsInput(In):
    """What a person knows about a piece; wins over what the Live Set says."""

    tempo_bpm: Number | None = Field(
        default=None, description="Tempo in beats per minute, 20 to 999; 0: taken from the Live Set.", examples=[124.0]
    )
    time_signature: Text | None = Field(
        default=None, description="Time signature, as `6/8`; empty: taken from the Live Set.", examples=["4/4"]
    )
    key: Text | None = Field(
        default=None, description="Key, as `B minor`; empty: taken from the Live Set where it can be trusted."
    )
    genres: list[Text] | None = Field(default=None, description="Genres, up to 10 of up to 60 characters.")
    moods: list[Text] | None = Field(default=None, description="Moods, up to 10 of up to 60 characters.")
    instruments: list[Text] | None = Field(
        default=None, description="Instruments and sounds, up to 20 of up to 60 characters."
    )
    notes: Text | None = Field(default=None, description="Anything else, up to 1,000 characters.")


class GenerateCaptionBody(In):
    """Asks for a caption. Its tempo is that of `hints.tempo_bpm`, else of `live_set`, else as heard in `asset`; when none gives one, the caption comes without its tag and carries the violation P4."""

    live_set: Text | None = Field(
        default=None,
        description="The Live Set to write from, `artists/{artist}/live-sets/{live_set}`; empty: none.",
        examples=["artists/nova/live-sets/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    asset: Text | None = Field(
        default=None,
        description="The asset to write for, `artists/{artist}/assets/{asset}`; empty: none.",
        examples=["artists/nova/assets/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    hints: CaptionHintsInput | None = Field(default=None, description="What a person knows.")
    prompt_version: Text | None = Field(
        default=None,
        description="Version of the instruction: a template of the artist or a built-in one; empty: the artist's newest approved one.",
    )
    hint: Text | None = Field(
        default=None, description="What to do differently than before, up to 300 characters; empty for nothing."
    )
    variant: Int32 | None = Field(
        default=None, description="Which of several texts for the same input, 0 to 7.", examples=[1]
    )
    siblings: list[Text] | None = Field(
        default=None, description="Captions of the same dataset, which the new one must not repeat, up to 1,000."
    )


class CaptionRetry(Out):
    """Why a new attempt starts."""

    attempt: int = Field(description="Number of the attempt that starts, 2 or 3.", examples=[1])
    violations: list[CaptionFinding] = Field(description="Rules that the attempt before broke.")


class StreamCaptionResponse(Out):
    """A step of a caption being written."""

    delta: str | None = Field(description="More text of the current attempt.")
    retry: CaptionRetry | None = Field(
        description="The attempt broke a rule and a new one starts: forget the text so far."
    )
    caption: Caption | None = Field(description="The final caption; the last message.")


class GenerateCaptionRequestInput(In):
    """Asks for a caption. Its tempo is that of `hints.tempo_bpm`, else of `live_set`, else as heard in `asset`; when none gives one, the caption comes without its tag and carries the violation P4."""

    live_set: Text | None = Field(
        default=None,
        description="The Live Set to write from, `artists/{artist}/live-sets/{live_set}`; empty: none.",
        examples=["artists/nova/live-sets/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    asset: Text | None = Field(
        default=None,
        description="The asset to write for, `artists/{artist}/assets/{asset}`; empty: none.",
        examples=["artists/nova/assets/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    hints: CaptionHintsInput | None = Field(default=None, description="What a person knows.")
    prompt_version: Text | None = Field(
        default=None,
        description="Version of the instruction: a template of the artist or a built-in one; empty: the artist's newest approved one.",
    )
    hint: Text | None = Field(
        default=None, description="What to do differently than before, up to 300 characters; empty for nothing."
    )
    variant: Int32 | None = Field(
        default=None, description="Which of several texts for the same input, 0 to 7.", examples=[1]
    )
    siblings: list[Text] | None = Field(
        default=None, description="Captions of the same dataset, which the new one must not repeat, up to 1,000."
    )


class StreamCaptionBody(In):
    """Asks for a caption, word by word."""

    caption: GenerateCaptionRequestInput = Field(description="What to write; its `parent` may be empty.")


class CheckCaptionResponse(Out):
    """What was found in a text."""

    text: str = Field(
        description="The text with everything mended that can be mended without changing its words.",
        examples=["warm analog house groove with a round bass, BPM: 124"],
    )
    violations: list[CaptionFinding] = Field(
        description="Broken rules of the mended text that keep it from being accepted or exported."
    )
    warnings: list[CaptionFinding] = Field(description="Broken rules of the mended text that are worth a look.")
    fixes: list[CaptionFinding] = Field(description="What was mended.")


class CheckCaptionBody(In):
    """Asks which rules a text breaks."""

    text: Text = Field(
        description="The text, up to 10,000 characters.",
        examples=["warm analog house groove with a round bass, BPM: 124"],
    )
    live_set: Text | None = Field(
        default=None,
        description="The Live Set whose tempo and names count; empty: none.",
        examples=["artists/nova/live-sets/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    tempo_bpm: Number | None = Field(
        default=None,
        description="The tempo to end with in beats per minute; 0: the Live Set's, or any.",
        examples=[124.0],
    )
    siblings: list[Text] | None = Field(
        default=None, description="Captions of the same dataset, to find near copies, up to 1,000."
    )


class BatchCheckCaptionsResponse(Out):
    """What was found in many texts."""

    responses: list[CheckCaptionResponse] = Field(description="In the order of the requests.")


class CheckCaptionRequestInput(In):
    """Asks which rules a text breaks."""

    text: Text = Field(
        description="The text, up to 10,000 characters.",
        examples=["warm analog house groove with a round bass, BPM: 124"],
    )
    live_set: Text | None = Field(
        default=None,
        description="The Live Set whose tempo and names count; empty: none.",
        examples=["artists/nova/live-sets/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    tempo_bpm: Number | None = Field(
        default=None,
        description="The tempo to end with in beats per minute; 0: the Live Set's, or any.",
        examples=[124.0],
    )
    siblings: list[Text] | None = Field(
        default=None, description="Captions of the same dataset, to find near copies, up to 1,000."
    )


class BatchCheckCaptionsBody(In):
    """Asks which rules many texts break."""

    requests: list[CheckCaptionRequestInput] = Field(
        description="The texts, 1 to 1,000; each one's `parent` is empty or the same."
    )
    compare_each_other: Flag | None = Field(
        default=None,
        description="True counts the texts of this call as one dataset, to find near copies among them; default false.",
        examples=[False],
    )


class ListCaptionsResponse(Out):
    """One page of captions."""

    captions: list[Caption] = Field(description="Newest first.")
    next_page_token: str = Field(description="Asks for the next page; empty at the end.")


class ListCaptionsQuery(In):
    """Asks for an artist's captions."""

    page_size: int | None = Field(default=None, description="How many at most, 0 to 1000; 0 means 50.")
    page_token: str | None = Field(
        default=None, description="`next_page_token` of the page before; empty for the first page."
    )
    live_set: str | None = Field(default=None, description="Only captions written from this Live Set; empty for all.")
    asset: str | None = Field(default=None, description="Only captions written for this asset; empty for all.")


class PromptTemplateState(StrEnum):
    """Where a template stands."""

    DRAFT = "DRAFT"
    APPROVED = "APPROVED"
    RETIRED = "RETIRED"


class PromptPromptTemplate(Out):
    """One version of an instruction for captions; never changes."""

    name: str = Field(
        description="`artists/{artist}/prompt-templates/{prompt_template}`; the last part is the version label.",
        examples=["artists/nova/prompt-templates/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    display_name: str = Field(description="Name for people, up to 200 characters.", examples=["Night drive"])
    instruction: str = Field(description="The instruction, 1 to 20,000 characters.")
    temperature: float | None = Field(description="Sampling temperature, 0 to 2; 0.7 by default.", examples=[0.5])
    create_time: Time | None = Field(description="When it was made.", examples=["2026-11-21T10:00:00.000000Z"])
    etag: str = Field(
        description="Changes with the state; the instruction never changes.", examples=["5f1d2c3b4a596877"]
    )
    state: PromptTemplateState | None = Field(description="Where it stands.", examples=["DRAFT"])
    creator: str = Field(description="Who made it; empty for a built-in one.")
    approver: str = Field(description="Who approved it; empty while nobody has.")
    approve_time: Time | None = Field(
        description="When it was approved; absent while it was not.", examples=["2026-11-21T10:00:00.000000Z"]
    )
    instruction_sha256: str = Field(description="SHA-256 of the instruction, lower-case hex.")
    max_tokens: int = Field(description="Most tokens of an answer, 50 to 2,000; 0 means 300.", examples=[1])
    built_in: bool = Field(
        description="Whether it is one of the platform's own; those cannot be changed.", examples=[False]
    )


class CreatePromptTemplateQuery(In):
    """Asks for a new prompt template."""

    prompt_template_id: str = Field(description="The version label, `[a-z][a-z0-9-]{2,62}`.")


class CreatePromptTemplateBody(In):
    """Asks for a new prompt template."""

    display_name: Text | None = Field(
        default=None, description="Name for people, up to 200 characters.", examples=["Night drive"]
    )
    instruction: Text = Field(description="The instruction, 1 to 20,000 characters.")
    temperature: Number | None = Field(
        default=None, description="Sampling temperature, 0 to 2; 0.7 by default.", examples=[0.5]
    )
    max_tokens: Int32 | None = Field(
        default=None, description="Most tokens of an answer, 50 to 2,000; 0 means 300.", examples=[1]
    )


class ListPromptTemplatesResponse(Out):
    """One page of prompt templates."""

    prompt_templates: list[PromptPromptTemplate] = Field(description="Newest first.")
    next_page_token: str = Field(description="Asks for the next page; empty at the end.")


class ListPromptTemplatesQuery(In):
    """Asks for an artist's prompt templates."""

    page_size: int | None = Field(default=None, description="How many at most, 0 to 1000; 0 means 50.")
    page_token: str | None = Field(
        default=None, description="`next_page_token` of the page before; empty for the first page."
    )


class DeletePromptTemplateResponse(Out):
    """Says that the prompt template is gone."""

    pass


class ChatReply(Out):
    """A whole answer."""

    content: str = Field(description="The text.")
    model: str = Field(description="The model that answered.", examples=["htdemucs"])
    prompt_tokens: int = Field(description="Tokens read by the model; 0 when unknown.", examples=[1])
    completion_tokens: int = Field(description="Tokens written by the model; 0 when unknown.", examples=[1])
    cost_usd_micros: int = Field(description="Cost in millionths of a US dollar; 0 when free or unknown.", examples=[1])
    dropped_messages: int = Field(
        description="Number of earlier messages that were left out to keep within the limit.", examples=[1]
    )


class StreamChatResponse(Out):
    """A piece of an answer."""

    delta: str | None = Field(description="More text.")
    reply: ChatReply | None = Field(description="The whole answer; the last message.")


class ChatMode(StrEnum):
    """What a conversation is about."""

    PRODUCTION = "PRODUCTION"
    TRAIN = "TRAIN"
    GENERATE = "GENERATE"


class ChatRole(StrEnum):
    """Who said something."""

    USER = "USER"
    ASSISTANT = "ASSISTANT"


class ChatMessageInput(In):
    """Something said."""

    role: ChatRole = Field(description="Who said it.", examples=["USER"])
    content: Text = Field(description="What was said, 1 to 20,000 characters.")


class StreamChatBody(In):
    """Asks for an answer."""

    mode: ChatMode | None = Field(
        default=None, description="What it is about; production by default.", examples=["PRODUCTION"]
    )
    messages: list[ChatMessageInput] = Field(
        description="The conversation so far, 1 to 200 messages, the person's last."
    )
    live_set: Text | None = Field(
        default=None,
        description="The Live Set to ground the answer in; empty: none.",
        examples=["artists/nova/live-sets/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    captions: list[Text] | None = Field(
        default=None,
        description="Captions of the dataset that a model was tuned on, to suggest their words in mode GENERATE, up to 100.",
    )


# What each RPC gives, by service and method.
DOCS: dict[str, str] = {
    "PromptService.CreateLiveSet": "Reads an uploaded `.als` file (Live 8 to 12) into a Live Set with its summary.",
    "PromptService.ImportLiveSets": "Reads every `.als` file of an uploaded zip, as of a project folder; each succeeds or fails alone.",
    "PromptService.GetLiveSetTimeline": "Draws the arrangement: tracks and clips over time.",
    "PromptService.GetLiveSet": "Gives one Live Set with its summary.",
    "PromptService.ListLiveSets": "Lists the Live Sets of an artist, newest first.",
    "PromptService.UpdateLiveSet": "Changes the fields named in the mask.",
    "PromptService.DeleteLiveSet": "Deletes a Live Set softly: hidden at once, gone after 30 days. A repeat answers the same.",
    "PromptService.UndeleteLiveSet": "Brings a deleted Live Set back within its 30 days.",
    "PromptService.GenerateCaption": "Writes a caption from what is known and gives it once it is final, with its violations and its provenance.",
    "PromptService.StreamCaption": "Writes a caption and gives its text as it comes; the last message holds the final caption.",
    "PromptService.CheckCaption": "Says which caption rules a text breaks, without writing anything.",
    "PromptService.BatchCheckCaptions": "Says of many texts which caption rules they break.",
    "PromptService.GetCaption": "Gives one caption.",
    "PromptService.ListCaptions": "Lists the captions of an artist, newest first.",
    "PromptService.CreatePromptTemplate": "Makes a prompt template, an immutable version of the instruction that captions are asked for with.",
    "PromptService.GetPromptTemplate": "Gives one prompt template.",
    "PromptService.ListPromptTemplates": "Lists the prompt templates of an artist and the built-in ones, newest first.",
    "PromptService.ApprovePromptTemplate": "Lets a draft be used for everything; the newest approved template of an artist is its default.",
    "PromptService.RetirePromptTemplate": "Takes a template out of use; captions made with it keep their provenance.",
    "PromptService.DeletePromptTemplate": "Deletes a prompt template that no caption was made with.",
    "PromptService.StreamChat": "Answers a conversation about the project, word by word.",
}
