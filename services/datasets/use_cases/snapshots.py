"""What a person does with snapshots."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol, TypeVar

from chassis.clock import Clock
from chassis.errors import AppError, EtagMismatch, NotFound, require
from chassis.ids import format_name, new_uid
from chassis.paging import Page
from services.datasets.domain import items
from services.datasets.domain.captions import CaptionCheck, CaptionRules, LiveSetFacts
from services.datasets.domain.duplicates import DuplicateGroup
from services.datasets.domain.export_rules import item_fault, once, refuse, snapshot_findings
from services.datasets.domain.exports import AudioMissing, NothingToExport
from services.datasets.domain.findings import Finding
from services.datasets.domain.item_findings import findings_of
from services.datasets.domain.items import Selection, TrainingItem
from services.datasets.domain.ports import Assets, ReleaseStore, RequestKey, SnapshotStore
from services.datasets.domain.snapshots import NAME, Snapshot, SnapshotMember, manifest

Kept = TypeVar("Kept")
# Why a member cannot be used for what is made of the snapshot; empty when it can.
Fault = Callable[[SnapshotMember], str]


class Choose(Protocol):
    """Turns selections into items."""

    def resolve(self, artist: str, selection: Selection) -> list[TrainingItem]:
        """The items, in order."""
        ...


class CaptionHome(CaptionRules, Protocol):
    """The prompt service, as far as snapshots need it."""

    def live_sets(self, artist: str, names: Sequence[str]) -> dict[str, LiveSetFacts]:
        """Facts of those that exist, by name."""
        ...


@dataclass(frozen=True, slots=True)
class SnapshotWish:
    """What a caller wants frozen."""

    display_name: str = ""
    selection: Selection = field(default_factory=Selection)


@dataclass(frozen=True, slots=True)
class Frozen:
    """Members of a snapshot that is being made, with what was found in their captions."""

    members: list[SnapshotMember]
    findings: list[Finding]


class SnapshotDesk:
    """Snapshots as people ask for them and read them.

    Args:
        store: Where they are kept.
        choose: What selections mean.
        captions: What captions are checked by, and what Live Sets say.
        assets: The audio, which every snapshot holds.
        releases: Holds that are to be given back.
        clock: Where times come from.
        canonical: JSON in the form of RFC 8785.
        alike: Items of an artist that hold the same audio, or nearly.
    """

    def __init__(
        self,
        store: SnapshotStore,
        choose: Choose,
        captions: CaptionHome,
        assets: Assets,
        releases: ReleaseStore,
        clock: Clock,
        canonical: Callable[[Any], bytes],
        alike: Callable[[str], Sequence[DuplicateGroup]],
    ) -> None:
        self._store, self._choose, self._captions, self._clock = store, choose, captions, clock
        self._assets, self._releases, self._canonical, self._alike = assets, releases, canonical, alike

    def create(self, artist: str, principal: str, wish: SnapshotWish, key: RequestKey) -> Snapshot:
        """A new snapshot of items as they are now."""
        check_title(wish.display_name, "snapshot.display_name")
        if (made := self._store.replayed(artist, key)) is not None:
            return made
        frozen = self.frozen(artist, wish.selection, "frozen")
        snapshot = self.of(artist, principal, wish.display_name, frozen)

        def keep() -> tuple[Snapshot, str]:
            kept = self._store.add(snapshot, frozen.members, key)
            return kept, kept.uid

        return self.holding(snapshot, frozen.members, keep)

    def get(self, artist: str, uid: str) -> Snapshot:
        """One snapshot."""
        return self._store.get(artist, uid)

    def page(self, artist: str, *, size: int, token: str) -> Page[Snapshot]:
        """Snapshots, newest first."""
        return self._store.page(artist, size=size, token=token)

    def member_page(self, artist: str, uid: str, *, size: int, token: str) -> Page[SnapshotMember]:
        """Members of the snapshot, in order."""
        return self._store.member_page(artist, uid, size=size, token=token)

    def delete(self, artist: str, uid: str, etag: str) -> None:
        """Remove a snapshot that nothing is made of."""
        found = self._store.get(artist, uid)
        if etag and etag != found.etag:
            raise EtagMismatch(f"{found.name} has changed since it was read; read it again and repeat")
        self._store.delete(found)

    def freeze(self, artist: str, selection: Selection) -> list[SnapshotMember]:
        """The members that a snapshot of the selection would have; nothing is kept or held."""
        return self.frozen(artist, selection, "frozen").members

    def frozen(self, artist: str, selection: Selection, what: str, fault: Fault = lambda _member: "") -> Frozen:
        """The selected items with their musical facts, their captions checked again.

        Args:
            artist: Whose items.
            selection: Which of them.
            what: What is made of them, as `exported as PAIRED_TEXT`.
            fault: Why one cannot be used for that.

        Raises:
            NothingToExport: No item is ready.
            ItemsNotExportable: Some cannot be used; one violation names each.
        """
        chosen = self._choose.resolve(artist, selection)
        if not chosen and selection.new_since:
            since = format_name(NAME, artist=artist, snapshot=selection.new_since)
            raise NothingToExport(f"E1: nothing is new since {since}: it holds every chosen item as it is")
        faults = {item.name: item_fault(item) for item in chosen}
        usable = [item for item in chosen if not faults[item.name]]
        live_sets = self._live_sets(artist, usable)
        members = [_member(place, item, live_sets.get(item.live_set)) for place, item in enumerate(usable, start=1)]
        findings: list[Finding] = []
        for item, verdict in zip(usable, self._verdicts(artist, usable), strict=True):
            broken = "; ".join(f"{one.reason}: {one.message}" for one in verdict.violations)
            faults[item.name] = f"E5: {broken}" if broken else ""
            findings += findings_of(replace(item, caption_findings=()))
            findings += [replace(warning, training_item=item.name) for warning in verdict.warnings]
        for member in members:
            faults[member.item_name] = faults[member.item_name] or fault(member)
        refuse(faults.items(), len(chosen), what)
        for item in usable:
            if item.live_set and item.live_set not in live_sets:
                text = f"{item.live_set} does not exist any more; tempo and key come from the item or its audio"
                findings.append(Finding("LIVE_SET_MISSING", text, item.name))
        return Frozen(members, findings)

    def of(self, artist: str, principal: str, display_name: str, frozen: Frozen, *, implicit: bool = False) -> Snapshot:
        """The snapshot of these members; it is not kept yet."""
        now, members = self._clock.now(), frozen.members
        return Snapshot(
            artist=artist,
            uid=new_uid(),
            principal=principal,
            display_name=display_name or f"snapshot-{now:%Y-%m-%d}",
            item_count=len(members),
            duration_s=sum(member.audio.duration_s for member in members),
            content_sha256=hashlib.sha256(self._canonical(manifest(members))).hexdigest(),
            create_time=now,
            update_time=now,
            findings=once([*snapshot_findings(members, self._alike(artist)), *frozen.findings]),
            implicit=implicit,
        )

    def holding(
        self, snapshot: Snapshot, members: Sequence[SnapshotMember], keep: Callable[[], tuple[Kept, str]]
    ) -> Kept:
        """Take the holds before the rows, and give them back when the rows do not come.

        Args:
            snapshot: What holds the audio.
            members: Whose audio is held.
            keep: Adds the rows; gives what was made, with the uid of its snapshot.
        """
        try:
            self._hold(snapshot, members)
            kept, snapshot_uid = keep()
        except AppError:
            self._releases.add("", snapshot.name)
            raise
        if snapshot_uid != snapshot.uid:  # a twin of the request was faster
            self._releases.add("", snapshot.name)
        return kept

    def _hold(self, snapshot: Snapshot, members: Sequence[SnapshotMember]) -> None:
        wanted = {member.audio.asset: member for member in members}
        try:
            found = self._assets.hold_all(snapshot.artist, list(wanted), snapshot.name)
        except NotFound as error:
            raise AudioMissing(
                f"audio of the items is gone: {error.message}; attach other audio to the item, and try again",
                metadata=error.metadata,
            ) from error
        changed = [wanted[audio.asset] for audio in found if audio.sha256 != wanted[audio.asset].audio.sha256]
        refuse(
            [(member.item_name, "E11: its audio has changed; attach it again") for member in changed],
            len(members),
            "frozen",
        )

    def _live_sets(self, artist: str, chosen: Sequence[TrainingItem]) -> dict[str, LiveSetFacts]:
        names = sorted({item.live_set for item in chosen if item.live_set})
        return self._captions.live_sets(artist, names) if names else {}

    def _verdicts(self, artist: str, chosen: Sequence[TrainingItem]) -> Sequence[Any]:
        checks = [CaptionCheck(item.caption, item.live_set, item.tempo_bpm) for item in chosen]
        return self._captions.batch_check(artist, checks, compare_each_other=True) if checks else []


def check_title(title: str, field: str) -> None:
    """Nothing if the title is one."""
    require(len(title) <= 255, field, "0 to 255 characters")
    require(not title or title.isprintable(), field, "one line without control characters")


def dated(title: str, now: datetime) -> str:
    """The title, or one that tells the day."""
    return title or f"dataset-{now:%Y-%m-%d}"


def _member(position: int, item: TrainingItem, live_set: LiveSetFacts | None) -> SnapshotMember:
    assert item.audio is not None, "items without audio were refused"
    return SnapshotMember(
        position=position,
        item_uid=item.uid,
        item_name=item.name,
        display_name=item.display_name,
        audio=item.audio,
        caption=item.caption,
        caption_revision=item.caption_revision,
        content_revision=item.content_revision,
        caption_source=item.caption_source.value,
        provenance=item.provenance,
        live_set=item.live_set,
        live_set_sha256=live_set.sha256 if live_set else "",
        licence=item.licence,
        consent=item.consent,
        tempo_bpm=items.tempo_of(item, live_set),
        key=items.key_of(item, live_set),
        time_signature=items.time_signature_of(item, live_set),
    )
