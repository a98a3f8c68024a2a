"""JSON shapes of tonewright.prompt.v1, made by `tools/openapi.py`; never edited."""

# ruff: noqa: E501
from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from services.gateway.shapes import (
    In,
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
    """Asks for a caption. When neither `live_set` nor `hints.tempo_bpm` gives a tempo, the caption comes without its tag and carries the violation P4."""

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
    prompt_version: Text | None = Field(default=None, description="Version of the instruction; empty: the newest.")


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
    """Asks for a caption. When neither `live_set` nor `hints.tempo_bpm` gives a tempo, the caption comes without its tag and carries the violation P4."""

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
    prompt_version: Text | None = Field(default=None, description="Version of the instruction; empty: the newest.")


class StreamCaptionBody(In):
    """Asks for a caption, word by word."""

    caption: GenerateCaptionRequestInput = Field(description="What to write; its `parent` may be empty.")


class BatchGenerateCaptionsBody(In):
    """Asks for many captions."""

    requests: list[GenerateCaptionRequestInput] = Field(
        description="What to write, 1 to 1,000; each one's `parent` is empty or the same."
    )


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


class PromptPromptTemplate(Out):
    """One version of an instruction for captions; never changes."""

    name: str = Field(
        description="`artists/{artist}/prompt-templates/{prompt_template}`; the last part is the version label.",
        examples=["artists/nova/prompt-templates/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    display_name: str = Field(description="Name for people, up to 200 characters.", examples=["Night drive"])
    instruction: str = Field(description="The instruction, 1 to 20,000 characters.")
    temperature: float = Field(description="Sampling temperature, 0 to 2; 0.7 by default.", examples=[0.5])
    create_time: Time | None = Field(description="When it was made.", examples=["2026-11-21T10:00:00.000000Z"])
    etag: str = Field(description="Always the same: templates never change.", examples=["5f1d2c3b4a596877"])


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


# What each RPC gives, by service and method.
DOCS: dict[str, str] = {
    "PromptService.CreateLiveSet": "Reads an uploaded `.als` file (Live 8 to 12) into a Live Set with its summary.",
    "PromptService.GetLiveSet": "Gives one Live Set with its summary.",
    "PromptService.ListLiveSets": "Lists the Live Sets of an artist, newest first.",
    "PromptService.UpdateLiveSet": "Changes the fields named in the mask.",
    "PromptService.DeleteLiveSet": "Deletes a Live Set softly: hidden at once, gone after 30 days. A repeat answers the same.",
    "PromptService.UndeleteLiveSet": "Brings a deleted Live Set back within its 30 days.",
    "PromptService.GenerateCaption": "Writes a caption from what is known and gives it once it is final, with its violations and its provenance.",
    "PromptService.StreamCaption": "Writes a caption and gives its text as it comes; the last message holds the final caption.",
    "PromptService.BatchGenerateCaptions": "Writes captions for many Live Sets or assets. Long work.",
    "PromptService.CheckCaption": "Says which caption rules a text breaks, without writing anything.",
    "PromptService.GetCaption": "Gives one caption.",
    "PromptService.ListCaptions": "Lists the captions of an artist, newest first.",
    "PromptService.CreatePromptTemplate": "Makes a prompt template, an immutable version of the instruction that captions are asked for with.",
    "PromptService.GetPromptTemplate": "Gives one prompt template.",
    "PromptService.ListPromptTemplates": "Lists the prompt templates of an artist and the built-in ones, newest first.",
    "PromptService.DeletePromptTemplate": "Deletes a prompt template; captions made with it keep its version.",
    "PromptService.StreamChat": "Answers a conversation about the project, word by word.",
}
