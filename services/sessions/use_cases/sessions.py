"""Saving, opening and going back."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from chassis.clock import Clock
from chassis.context import caller
from chassis.errors import require
from chassis.ids import new_uid
from chassis.paging import Page
from services.sessions.domain import snapshots
from services.sessions.domain.assets import ASSET, AssetState, blob_key, clean_display_name, clean_sha256
from services.sessions.domain.errors import RevisionNotFound, SessionAudioMissing, session_not_found
from services.sessions.domain.ports import Blobs, Records, SessionRecords, Store
from services.sessions.domain.sessions import (
    DEFAULT_DISPLAY_NAME,
    REVISION,
    SESSION,
    AudioReference,
    AudioState,
    AudioStatus,
    Completeness,
    Revision,
    Session,
    SessionState,
    check_audio,
    completeness,
)
from services.sessions.domain.snapshots import Canonical, Change, Snapshot
from services.sessions.use_cases.assets import check_etag


@dataclass(frozen=True, slots=True)
class Changes:
    """What an update sets; None leaves a part as it is."""

    display_name: str | None = None
    snapshot: Mapping[str, Any] | None = None
    audio: Sequence[AudioReference] | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A state beside the saved one."""

    signature: str
    session: Session

    @property
    def dirty(self) -> bool:
        """Whether they differ."""
        return self.signature != self.session.newest.signature


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs between two revisions; cut off at the limit."""

    from_revision: int
    to_revision: int
    changes: list[Change]
    truncated: bool


@dataclass(frozen=True, slots=True)
class Sessions:
    """The saved sessions of artists."""

    store: Store
    blobs: Blobs
    clock: Clock
    canonical: Canonical

    def create(
        self,
        artist: str,
        display_name: str,
        members: Mapping[str, Any],
        audio: Sequence[AudioReference],
        *,
        request_id: str = "",
    ) -> Session:
        """A new session with its first revision."""
        snapshot = snapshots.check(members, self.canonical)
        references = check_audio(artist, audio)
        name = clean_display_name(display_name, DEFAULT_DISPLAY_NAME, "session.display_name")
        signed = self._signature(snapshot.members, references)
        session = self._fresh(artist, name, snapshot, references, signed)
        with self.store.write(artist) as records:
            earlier = records.once(
                method="CreateSession", request_id=request_id, fingerprint=f"{name}\0{signed}", resource=session.name
            )
            if earlier is not None:
                return _found(records.sessions, artist, earlier.rpartition("/")[2], deleted_too=True)
            self._hold_all(records, session.name, references)
            return records.sessions.add(session, snapshot.canonical)

    def get(self, artist: str, uid: str) -> Session:
        """The session with its snapshot, deleted or not."""
        with self.store.read(artist) as records:
            return _found(records.sessions, artist, uid, deleted_too=True)

    def list(self, artist: str, *, show_deleted: bool, size: int, token: str) -> Page[Session]:
        """A page of the artist's sessions without snapshots, newest first."""
        with self.store.read(artist) as records:
            found, following = records.sessions.page(show_deleted=show_deleted, size=size, token=token)
        return Page(found, following)

    def update(self, artist: str, uid: str, changes: Changes, *, etag: str) -> Session:
        """The session with its new name, and with a new revision if its state differs."""
        snapshot = None if changes.snapshot is None else snapshots.check(changes.snapshot, self.canonical)
        references = None if changes.audio is None else check_audio(artist, changes.audio)
        with self.store.write(artist) as records:
            session = _found(records.sessions, artist, uid)
            check_etag(session.name, session.etag, etag)
            renamed = session
            if changes.display_name is not None:
                name = clean_display_name(changes.display_name, "", "session.display_name")
                require(bool(name), "session.display_name", "1 to 200 characters")
                renamed = replace(session, display_name=name)
            state = snapshot or self._stored(session.newest)
            audio = session.newest.audio if references is None else references
            return self._save(records, session, renamed, state, audio)

    def delete(self, artist: str, uid: str, *, etag: str) -> Session:
        """The session, deleted softly; what it held is released."""
        with self.store.write(artist) as records:
            session = _found(records.sessions, artist, uid, deleted_too=True)
            if session.state is SessionState.DELETED:
                return session
            check_etag(session.name, session.etag, etag)
            records.assets.release_all(session.name)
            return records.sessions.save(replace(session, state=SessionState.DELETED, delete_time=self.clock.now()))

    def undelete(self, artist: str, uid: str) -> Session:
        """The session, deleted no more; it holds again what is still there of its audio."""
        with self.store.write(artist) as records:
            session = _found(records.sessions, artist, uid, deleted_too=True)
            if session.state is SessionState.SAVED:
                return session
            uids = sorted(name.rpartition("/")[2] for name in records.sessions.audio_of_history(uid))
            for asset_uid in uids:
                asset = records.assets.asset(asset_uid)
                if asset is not None and asset.state is not AssetState.PURGING:
                    records.assets.hold(asset_uid, session.name)
            return records.sessions.save(replace(session, state=SessionState.SAVED, delete_time=None))

    def copy(self, artist: str, uid: str, *, display_name: str, revision: int, request_id: str) -> Session:
        """A new session with the state of one revision of this one."""
        require(revision >= 0, "revision", "0 or more")
        with self.store.write(artist) as records:
            original = _found(records.sessions, artist, uid)
            source = self._revision(records.sessions, original, revision)
            default = f"{original.display_name[:193]} (copy)"
            name = clean_display_name(display_name, default)
            copied = self._fresh(artist, name, self._stored(source), source.audio, source.signature)
            copied = replace(copied, copied_from=original.name)
            fingerprint = f"{original.name}\0{name}\0{revision}"
            earlier = records.once(
                method="CopySession", request_id=request_id, fingerprint=fingerprint, resource=copied.name
            )
            if earlier is not None:
                return _found(records.sessions, artist, earlier.rpartition("/")[2], deleted_too=True)
            self._hold_all(records, copied.name, source.audio, known=source.audio)
            return records.sessions.add(copied, self._stored(source).canonical)

    def open(self, artist: str, uid: str) -> tuple[Session, Completeness]:
        """The session and whether all of its audio is there."""
        with self.store.read(artist) as records:
            session = _found(records.sessions, artist, uid)
            uids = [one.asset.rpartition("/")[2] for one in session.newest.audio if one.asset]
            found = records.assets.assets(uids)
        statuses = [self._status(artist, one, found) for one in session.newest.audio]
        return session, completeness(statuses, version_known=session.newest.snapshot_version == snapshots.VERSION)

    def compare(
        self, artist: str, uid: str, members: Mapping[str, Any] | None, audio: Sequence[AudioReference], signature: str
    ) -> Comparison:
        """The state, given itself or by its signature, beside the saved one."""
        require((members is None) != (not signature), "snapshot", "either a snapshot or a signature")
        given = clean_sha256(signature, "signature")
        if members is not None:
            checked = snapshots.check(members, self.canonical)
            given = self._signature(checked.members, check_audio(artist, audio))
        with self.store.read(artist) as records:
            return Comparison(given, _found(records.sessions, artist, uid))

    def revision(self, artist: str, uid: str, number: int) -> Revision:
        """The revision with its snapshot."""
        with self.store.read(artist) as records:
            return self._revision(records.sessions, _found(records.sessions, artist, uid), number)

    def revisions(self, artist: str, uid: str, *, size: int, token: str) -> Page[Revision]:
        """A page of the session's revisions without snapshots, newest first."""
        with self.store.read(artist) as records:
            _found(records.sessions, artist, uid)
            found, following = records.sessions.page_revisions(uid, size=size, token=token)
        return Page(found, following)

    def restore(self, artist: str, uid: str, number: int, *, etag: str) -> Session:
        """The session with a new revision that equals the earlier one; unchanged if its state is that one already."""
        with self.store.write(artist) as records:
            session = _found(records.sessions, artist, uid)
            check_etag(session.name, session.etag, etag)
            source = self._revision(records.sessions, session, number)
            return self._save(records, session, session, self._stored(source), source.audio, restored_from=number)

    def diff(self, artist: str, uid: str, from_revision: int, to_revision: int) -> Difference:
        """What differs between two revisions; 0 stands for the newest and the one before."""
        with self.store.read(artist) as records:
            session = _found(records.sessions, artist, uid)
            later = self._revision(records.sessions, session, to_revision)
            before = from_revision or max(1, later.number - 1)
            earlier = self._revision(records.sessions, session, before)
        found = snapshots.differences(_as_members(earlier), _as_members(later))
        changes = list(itertools.islice(found, snapshots.MAX_CHANGES + 1))
        cut = len(changes) > snapshots.MAX_CHANGES
        return Difference(earlier.number, later.number, changes[: snapshots.MAX_CHANGES], cut)

    def _save(
        self,
        records: Records,
        session: Session,
        renamed: Session,
        state: Snapshot,
        audio: Sequence[AudioReference],
        *,
        restored_from: int = 0,
    ) -> Session:
        signed = self._signature(state.members, audio)
        if signed == session.newest.signature:
            return session if renamed == session else records.sessions.save(renamed)
        known = audio if restored_from else session.newest.audio
        self._hold_all(records, session.name, audio, known=known)
        number = session.newest.number + 1
        newest = self._revision_of(session.artist, session.uid, number, state, audio, signed, restored_from)
        return records.sessions.save(replace(renamed, newest=newest), state.canonical)

    def _hold_all(
        self,
        records: Records,
        holder: str,
        audio: Sequence[AudioReference],
        known: Sequence[AudioReference] = (),
    ) -> None:
        # Audio that was saved before may be gone by now: that must not keep anybody from saving the rest.
        tolerated = {one.asset for one in known}
        # In one order for all transactions, so that two of them never wait for one another.
        uids = sorted({one.asset.rpartition("/")[2] for one in audio if one.asset})
        missing = []
        for uid in uids:
            asset = records.assets.asset(uid)
            if asset is None or asset.state is not AssetState.READY:
                missing.append(ASSET.format(artist=holder.split("/")[1], asset=uid))
            else:
                records.assets.hold(uid, holder)
        missing = [name for name in missing if name not in tolerated]
        if missing:
            names = ", ".join(missing[:10])
            raise SessionAudioMissing(
                f"{len(missing)} of the session's recordings are not there: {names}; "
                "upload or undelete them, then save again",
                metadata={"missing_count": str(len(missing)), "missing": names},
            )

    def _status(self, artist: str, one: AudioReference, found: Mapping[str, Any]) -> AudioStatus:
        if not one.asset:
            return AudioStatus(one, AudioState.PENDING)
        asset = found.get(one.asset.rpartition("/")[2])
        if asset is None or asset.state is AssetState.PURGING:
            return AudioStatus(one, AudioState.MISSING)
        if asset.state is AssetState.DELETED:
            return AudioStatus(one, AudioState.DELETED, asset)
        if self.blobs.head(blob_key(artist, asset.content.sha256)) is None:
            return AudioStatus(one, AudioState.MISSING)
        return AudioStatus(one, AudioState.PRESENT, asset)

    def _fresh(
        self, artist: str, name: str, snapshot: Snapshot, audio: Sequence[AudioReference], signed: str
    ) -> Session:
        uid, now = new_uid(), self.clock.now()
        newest = self._revision_of(artist, uid, 1, snapshot, audio, signed, 0)
        return Session(artist, uid, name, SessionState.SAVED, newest, now, now)

    def _revision_of(
        self,
        artist: str,
        uid: str,
        number: int,
        state: Snapshot,
        audio: Sequence[AudioReference],
        signed: str,
        restored_from: int,
    ) -> Revision:
        return Revision(
            artist=artist,
            session_uid=uid,
            number=number,
            snapshot=state.members,
            snapshot_version=state.version,
            snapshot_bytes=len(state.canonical),
            audio=tuple(audio),
            signature=signed,
            principal=caller().principal,
            restored_from=restored_from,
            create_time=self.clock.now(),
        )

    def _revision(self, records: SessionRecords, session: Session, number: int) -> Revision:
        found = records.revision(session.uid, number) if number else session.newest
        if found is None:
            name = REVISION.format(artist=session.artist, session=session.uid, revision=number)
            raise RevisionNotFound(
                f"there is no revision {name}; the newest is {session.newest.number}", metadata={"name": name}
            )
        return found

    def _stored(self, revision: Revision) -> Snapshot:
        assert revision.snapshot is not None, "revisions are read one by one with their snapshot"
        return Snapshot(revision.snapshot, revision.snapshot_version, self.canonical(revision.snapshot))

    def _signature(self, members: Mapping[str, Any], audio: Sequence[AudioReference]) -> str:
        return snapshots.signature(members, [one.as_members() for one in audio], self.canonical)


def _as_members(revision: Revision) -> dict[str, Any]:
    audio = {f"{one.track}:{one.role}": one.as_members() for one in revision.audio}
    return {"snapshot": revision.snapshot, "audio": audio}


def _found(records: SessionRecords, artist: str, uid: str, *, deleted_too: bool = False) -> Session:
    session = records.session(uid)
    if session is None or (session.state is SessionState.DELETED and not deleted_too):
        raise session_not_found(SESSION.format(artist=artist, session=uid))
    return session
