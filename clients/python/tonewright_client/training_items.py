"""Training items, the bulk work on their captions, and runs that write captions for many of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, TypedDict, Unpack, cast

from tonewright_client.collections import Collection
from tonewright_client.models import (
    BatchCreateTrainingItemsResponseResult,
    CaptionRevision,
    CaptionRun,
    EditCaptionsResponse,
    ListDuplicateGroupsResponseGroup,
    MatchFilesResponse,
    MatchFilesResponseMatch,
    Operation,
    TrainingItem,
)
from tonewright_client.models import services__gateway__models__datasets__Readiness as Readiness
from tonewright_client.transport import Json

_BATCH = 200


class ConsentFacts(TypedDict, total=False):
    """Permission to train on a piece of audio."""

    training_allowed: bool
    given_by: str
    give_time: str
    """RFC 3339."""
    evidence: str
    """Where the permission can be read."""


class ItemFields(TypedDict, total=False):
    """What can be said of an item; a field left out stays as it is, or unknown."""

    display_name: str
    asset: str
    caption: str
    live_set: str
    provenance: Json
    licence: str
    consent: ConsentFacts
    tempo_bpm: float
    key: str
    time_signature: str
    source_caption: str
    """The caption resource that `caption` comes from; its provenance is taken over."""


class SelectionFields(TypedDict, total=False):
    """Which items; nothing given takes all that are ready or exported."""

    training_items: Sequence[str]
    states: Sequence[Literal["NEEDS_AUDIO", "NEEDS_PROMPT", "READY", "EXPORTED", "FAILED"]]
    new_since: str
    """Leave out what this snapshot holds as it is now."""


class FindReplaceFields(TypedDict, total=False):
    """A text and what takes its place."""

    find: str
    replace: str
    match_case: bool


class EditFields(TypedDict, total=False):
    """One change of many captions; exactly one of the fields."""

    prefix: str
    suffix: str
    """Put before the tempo tag."""
    find_replace: FindReplaceFields
    tempo_bpm: float


class TrainingItems(Collection[TrainingItem]):
    """Pairs of audio and caption."""

    COLLECTION = "training-items"
    FIELD = "training_items"

    def create(self, *, idempotency_key: str | None = None, **fields: Unpack[ItemFields]) -> TrainingItem:
        """An item of an asset, a caption, or both."""
        return self._create(dict(fields), idempotency_key=idempotency_key)

    def create_all(self, items: Sequence[ItemFields]) -> list[BatchCreateTrainingItemsResponseResult]:
        """Many items, 200 a request; one result each, in order: `training_item`, or `status` with the reason."""
        results: list[BatchCreateTrainingItemsResponseResult] = []
        for at in range(0, len(items), _BATCH):
            body = {"training_items": list(items[at : at + _BATCH])}
            results += self._transport.post(f"{self._base}:batchCreate", body)["results"]
        return results

    def update(self, item: TrainingItem, **fields: Unpack[ItemFields]) -> TrainingItem:
        """It with these fields changed; a changed caption is a new revision. Refused if it changed meanwhile."""
        return cast(TrainingItem, self._transport.patch(self.path(item["name"]), dict(fields), etag=item["etag"]))

    def fail(self, name: str, failure: str) -> TrainingItem:
        """Mark it as failed; it keeps what it has."""
        return cast(TrainingItem, self._transport.post(f"{self.path(name)}:fail", {"failure": failure}))

    def retry(self, name: str) -> TrainingItem:
        """Take a failed one back to the state that its audio and caption give it."""
        return cast(TrainingItem, self._transport.post(f"{self.path(name)}:retry"))

    def revisions(self, name: str) -> Iterator[CaptionRevision]:
        """The captions that it has had, newest first."""
        yield from self._transport.pages(f"{self.path(name)}/caption-revisions", "caption_revisions")

    def restore(self, name: str, revision: int) -> TrainingItem:
        """Make an earlier caption the current one again, as a new revision."""
        path = f"{self.path(name)}/caption-revisions/{revision}:restore"
        return cast(TrainingItem, self._transport.post(path))

    def edit_captions(
        self, edits: Sequence[EditFields], *, selection: SelectionFields | None = None, preview: bool = False
    ) -> EditCaptionsResponse:
        """Change many captions by rule: each text before and after, and what the caption rules say.

        A text that breaks rules is not kept; with `preview` none is.
        """
        body: Json = {"edits": list(edits), "validate_only": preview}
        if selection:
            body["selection"] = selection
        found = self._transport.post(f"{self._base}:editCaptions", body, timeout_s=130.0)
        return cast(EditCaptionsResponse, found)

    def match_files(self, file_names: Sequence[str]) -> list[MatchFilesResponseMatch]:
        """Which Live Set, or waiting item, each file belongs to by its name; one match per name, in order."""
        matches: list[MatchFilesResponseMatch] = []
        for at in range(0, len(file_names), _BATCH):
            body = {"file_names": list(file_names[at : at + _BATCH])}
            found = cast(MatchFilesResponse, self._transport.post(f"{self._base}:matchFiles", body))
            matches += found["matches"]
        return matches

    def duplicates(self) -> Iterator[ListDuplicateGroupsResponseGroup]:
        """Groups of items that hold the same or nearly the same audio."""
        yield from self._transport.pages(f"/v1/{self._artist}/duplicate-groups", "groups")

    def readiness(self, selection: SelectionFields | None = None) -> Readiness:
        """Whether items make a dataset that can be trained on, and what is missing."""
        body: Json = {"selection": selection} if selection else {}
        return cast(Readiness, self._transport.post(f"{self._base}:readiness", body))


class CaptionRunFields(TypedDict, total=False):
    """How captions are written for many items."""

    selection: SelectionFields
    """Default: every item that has audio and no caption."""
    prompt_version: str
    hint: str
    rewrite_generated: bool
    """Also write anew what a model wrote before; texts of people are never touched."""


class CaptionRuns(Collection[CaptionRun]):
    """Runs that write captions for many items, a few at a time."""

    COLLECTION = "caption-runs"
    FIELD = "caption_runs"

    def start(self, *, idempotency_key: str | None = None, **run: Unpack[CaptionRunFields]) -> Operation:
        """Begin one; wait for it with `artist.operations.wait`, then `get` it for what became of each item."""
        return self._start(self._base, dict(run), idempotency_key=idempotency_key)

    def cancel(self, name: str) -> CaptionRun:
        """Stop it; captions that it has written stay."""
        return cast(CaptionRun, self._transport.post(f"{self.path(name)}:cancel"))
