"""From a folder of Live Sets and recordings to a checked dataset, step by step; a second run goes on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar, cast

from tonewright_client.audio import OnBytes, file_sha256
from tonewright_client.client import ArtistHandle
from tonewright_client.errors import ApiError, OperationFailed
from tonewright_client.guide_outcome import Choices, Outcome, Row, View
from tonewright_client.models import (
    Export,
    MatchFilesResponseMatch,
    Operation,
    Snapshot,
    TrainingItem,
)
from tonewright_client.training_folder import Folder
from tonewright_client.training_items import ConsentFacts, ItemFields, SelectionFields
from tonewright_client.transport import Json

Made = TypeVar("Made")
_LIVE_SETS_AT_ONCE = 50
_NOT_FOUND = 404


class Guide:
    """Makes a dataset of a folder for one artist.

    Args:
        artist: Whose it is.
        choices: What a person wants.
        view: Is told of everything.
    """

    def __init__(self, artist: ArtistHandle, choices: Choices, view: View) -> None:
        self._artist, self._choices, self._view = artist, choices, view

    def gather(self, folder: Folder) -> Outcome:
        """Upload, import, match, make items and write the missing captions; what goes wrong is kept for its row.

        Raises:
            ApiError: The gateway refuses all of it, as with a wrong key.
            GatewayUnreachable: Nothing answers.
        """
        outcome = Outcome(rows=[Row(recording) for recording in folder.recordings])
        self._upload(outcome)
        self._import(outcome, folder)
        self._match(outcome)
        self._make_items(outcome)
        self._write_captions(outcome)
        return outcome

    def _upload(self, outcome: Outcome) -> None:
        self._view.step("recordings")
        for row in outcome.rows:
            path = row.recording.path
            tell = self._view.uploading(path.name)
            try:
                row.asset = self._artist.assets.upload(path, on_bytes=_noting(row, tell))
            except ApiError as refused:
                row.error = f"{refused.reason}: {refused.detail}"
        _leave_copies_out(outcome.rows)
        _tell(self._view, outcome.rows)
        there = sum(1 for row in outcome.rows if row.asset and row.was_there)
        sent = sum(1 for row in outcome.rows if row.asset) - there
        self._view.said(f"{sent} sent, {there} were there already")

    def _import(self, outcome: Outcome, folder: Folder) -> None:
        self._view.step("Live Sets")
        known = {live_set["sha256"]: live_set for live_set in self._artist.live_sets.list(page_size=1000)}
        new = [path for path in folder.live_sets if file_sha256(path) not in known]
        for at in range(0, len(new), _LIVE_SETS_AT_ONCE):
            found = self._artist.live_sets.import_files(folder.path, new[at : at + _LIVE_SETS_AT_ONCE])
            for result in found["results"]:
                if result["reason"]:
                    outcome.refused[result["path"]] = f"{result['reason']}: {result['message']}"
                elif result["live_set"]:
                    known[result["live_set"]["sha256"]] = result["live_set"]
        outcome.live_sets = {live_set["name"]: live_set for live_set in known.values()}
        for path, why in outcome.refused.items():
            self._view.warned(f"{path}: {why}")
        read = len(new) - len(outcome.refused)
        self._view.said(f"{read} read, {len(folder.live_sets) - len(new)} were there already")

    def _match(self, outcome: Outcome) -> None:
        self._view.step("which recording belongs to which Live Set")
        rows = [row for row in outcome.rows if row.asset and not row.copy_of]
        matches = self._artist.training_items.match_files([row.recording.path.name for row in rows]) if rows else []
        for row, match in zip(rows, matches, strict=True):
            self._take(row, match, outcome)
        alone = [row.recording.path.name for row in rows if not row.live_set]
        self._view.said(f"{len(rows) - len(alone)} belong to a Live Set, {len(alone)} to none that is known")
        if alone:
            outcome.advice.append(
                f"name these as their Live Sets, or say their tempo with `tonewright items`: {', '.join(alone)}"
            )

    def _take(self, row: Row, match: MatchFilesResponseMatch, outcome: Outcome) -> None:
        live_set = outcome.live_sets.get(match["live_set"])
        if match["exact"] or live_set is None:
            row.live_set = match["live_set"]
            return
        name = row.recording.path.name
        question = f"does {name} belong to {live_set['display_name']}? (names alike to {match['similarity']:.2f})"
        answer = self._view.agrees(question)
        row.live_set = match["live_set"] if answer else ""
        if answer is None:
            row.unsure = match["live_set"]
            self._view.warned(f"{name}: perhaps {live_set['display_name']}; not taken, run without --yes to be asked")

    def _make_items(self, outcome: Outcome) -> None:
        self._view.step("training items")
        there = {item["asset"]: item for item in self._artist.training_items.list(page_size=1000)}
        new = []
        for row in outcome.rows:
            if row.copy_of or row.asset is None:
                continue
            row.item = there.get(row.asset["name"])
            if row.item is None:
                new.append(row)
            else:
                self._complete(row, row.item)
        self._create(new)
        self._view.said(f"{sum(1 for row in new if row.item)} made, {len(outcome.items) - len(new)} were there already")

    def _create(self, rows: Sequence[Row]) -> None:
        for captioned in (True, False):  # a caption that breaks rules is left out, not the recording
            waiting = [row for row in rows if row.item is None and not row.error]
            wanted = [self._fields(row, captioned=captioned) for row in waiting]
            results = self._artist.training_items.create_all(wanted) if wanted else []
            for row, result in zip(waiting, results, strict=True):
                row.item = result["training_item"]
                status = result["status"]
                if row.item or status is None:
                    continue
                if captioned and row.recording.caption and status["reason"] == "CAPTION_INVALID":
                    self._refuse_caption(row)
                else:
                    row.error = f"{status['reason']}: {status['message']}"
                    self._view.warned(f"{row.recording.path.name}: {row.error}")

    def _refuse_caption(self, row: Row) -> None:
        name = row.recording.path.with_suffix(".txt").name
        found = self._artist.captions.check(row.recording.caption, live_set=row.live_set)
        rules = "; ".join(f"{one['rule']} {one['description']}" for one in found["violations"])
        self._view.warned(f"{name} is not taken, a new caption is written instead: {rules}")

    def _fields(self, row: Row, *, captioned: bool) -> ItemFields:
        assert row.asset is not None, "only what was uploaded becomes an item"
        fields: ItemFields = {"asset": row.asset["name"], "display_name": row.recording.path.stem[:255]}
        if row.live_set:
            fields["live_set"] = row.live_set
        if captioned and row.recording.caption:
            text = row.recording.path.with_suffix(".txt").name
            fields["caption"], fields["provenance"] = row.recording.caption, {"source": "imported", "file_name": text}
            if row.recording.extra_lines:
                self._view.warned(f"{text}: only its first line counts, as for the trainer")
        return cast(ItemFields, {**fields, **self._rights()})

    def _rights(self) -> ItemFields:
        fields: ItemFields = {}
        if self._choices.licence:
            fields["licence"] = self._choices.licence
        if self._choices.consent_by:
            fields["consent"] = ConsentFacts(training_allowed=True, given_by=self._choices.consent_by)
        return fields

    def _complete(self, row: Row, item: TrainingItem) -> None:
        """Give an item that was there what the folder knows and it does not."""
        changes: ItemFields = {}
        rights = self._rights()
        if row.live_set and not item["live_set"]:
            changes["live_set"] = row.live_set
        if "licence" in rights and not item["licence"]:
            changes["licence"] = rights["licence"]
        if "consent" in rights and not any((item["consent"] or {}).values()):  # a refusal stays one
            changes["consent"] = rights["consent"]
        if changes:
            row.item = item = self._artist.training_items.update(item, **changes)
        row.live_set = row.live_set or item["live_set"]
        if row.recording.caption and not item["caption"]:
            fields = self._fields(row, captioned=True)
            try:
                row.item = self._artist.training_items.update(
                    item, caption=fields["caption"], provenance=fields["provenance"]
                )
            except ApiError as refused:
                if refused.reason != "CAPTION_INVALID":
                    raise
                self._refuse_caption(row)

    def _write_captions(self, outcome: Outcome) -> None:
        self._view.step("captions")
        for run in self._artist.caption_runs.list():
            if run["state"] in ("QUEUED", "RUNNING"):
                self._view.wait(self._artist.operations.of(run["name"]), "captions, begun before")
        self.refresh(outcome)
        missing = [one["name"] for one in outcome.items if one["state"] == "NEEDS_PROMPT" and not one["proposal"]]
        if missing:
            operation = self._artist.caption_runs.start(selection={"training_items": missing})
            self._view.wait(operation, "writing captions")
            outcome.run = self._artist.caption_runs.get(operation["metadata"]["target"])
            self.refresh(outcome)
        self._view.said(f"{len(missing)} asked for, {len(outcome.complete)} of {len(outcome.items)} items are complete")

    def refresh(self, outcome: Outcome) -> None:
        """Read the folder's items anew."""
        now = {item["name"]: item for item in self._artist.training_items.list(page_size=1000)}
        for row in outcome.rows:
            row.item = now.get(row.item["name"]) if row.item else None

    def check(self, outcome: Outcome) -> None:
        """Ask for readiness and duplicates."""
        self._view.step("is it ready?")
        mine = {item["name"] for item in outcome.items}
        chosen = [item["name"] for item in outcome.complete]
        if chosen:
            outcome.readiness = self._artist.training_items.readiness({"training_items": chosen})
        groups = self._artist.training_items.duplicates()
        outcome.duplicates = [group for group in groups if len(mine & set(group["training_items"])) > 1]

    def freeze(self, outcome: Outcome, title: str) -> Snapshot:
        """A snapshot of the folder's complete items; an unchanged folder gives the snapshot of before."""
        self._view.step("snapshot")
        facts = [[cast(Json, item)[part] for part in _FROZEN] for item in outcome.complete]
        selection = SelectionFields(training_items=[item["name"] for item in outcome.complete])

        def create(key: str | None) -> Snapshot:
            made = self._artist.snapshots.create(selection=selection, display_name=title, idempotency_key=key)
            return self._artist.snapshots.get(made["name"])

        outcome.snapshot = _not_gone(create, key_of("snapshot", title, facts))
        self._view.said(f"{outcome.snapshot['item_count']} pairs, content {outcome.snapshot['content_sha256'][:16]}…")
        return outcome.snapshot

    def emulate(self, outcome: Outcome, snapshot: Snapshot) -> None:
        """Say what the trainer will do with it."""
        self._view.step("what the trainer will do")
        outcome.emulation = self._artist.trainings.emulate(
            snapshot=snapshot["name"], parameters=self._choices.inputs, options=self._choices.options
        )

    def pack(self, outcome: Outcome, snapshot: Snapshot, title: str, target: Path) -> Export:
        """The archive of a snapshot, downloaded and checked."""
        self._view.step("archive")
        options = self._choices.options

        def start(key: str | None) -> Operation:
            return self._artist.exports.start(
                snapshot=snapshot["name"], display_name=title, options=options, idempotency_key=key
            )

        def finish(key: str | None) -> Export:
            done = self._finished(start, key, "packing")
            return self._artist.exports.get(str(done["name"]))

        outcome.export = _not_gone(finish, key_of("export", snapshot["name"], title, options))
        outcome.archive = self._artist.exports.download(
            outcome.export["name"], target, on_bytes=self._view.uploading(target.name)
        )
        pieces = outcome.export["chunk_count"]
        self._view.said(f"{target}: {outcome.export['size_bytes']:,} bytes, {pieces} pieces, every byte checked")
        return outcome.export

    def _finished(self, start: Callable[[str | None], Operation], key: str | None, what: str) -> Json:
        try:
            return self._view.wait(start(key), what)
        except OperationFailed as failed:  # perhaps one of an earlier run, which the key gave back
            self._view.warned(f"{failed.reason or failed.state}: {failed.message or 'stopped'}; trying once more")
            return self._view.wait(start(None), what)


# What of an item a snapshot freezes.
_FROZEN = (
    "name",
    "asset",
    "caption",
    "caption_revision",
    "live_set",
    "licence",
    "consent",
    "tempo_bpm",
    "key",
    "time_signature",
    "display_name",
)


def key_of(*facts: object) -> str:
    """An Idempotency-Key that equal facts share, so that a second run makes nothing twice."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _not_gone(make: Callable[[str | None], Made], key: str) -> Made:
    """What an equal run made, or, when that was deleted since, a new one."""
    try:
        return make(key)
    except ApiError as refused:
        if refused.status != _NOT_FOUND:
            raise
        return make(None)


def _noting(row: Row, tell: OnBytes) -> OnBytes:
    def on_bytes(done: int, total: int) -> None:
        row.was_there = False
        tell(done, total)

    return on_bytes


def _leave_copies_out(rows: Iterable[Row]) -> None:
    """Of recordings with the same bytes the one with the shortest name stays: copies are called `… copy` or `… (2)`."""
    first: dict[str, Path] = {}
    for row in sorted(rows, key=lambda row: (len(row.recording.path.stem), row.recording.path)):
        path = row.recording.path
        twin = first.setdefault(row.asset["name"], path) if row.asset else path
        row.copy_of = twin.name if twin != path else ""


def _tell(view: View, rows: Iterable[Row]) -> None:
    for row in rows:
        if row.error:
            view.warned(f"{row.recording.path.name}: {row.error}")
        if row.copy_of:
            view.said(f"{row.recording.path.name} has the same bytes as {row.copy_of} and is left out")
