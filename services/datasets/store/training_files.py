"""Training files in SQL; rows of their versions are jobs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict

import sqlalchemy as sa
from sqlalchemy.orm import Session

from chassis.db import artist_scope
from chassis.jobs import Jobs
from chassis.paging import Page
from services.datasets.domain.exports import JobState
from services.datasets.domain.ports import Built, RequestKey
from services.datasets.domain.training_files import (
    Finding,
    Member,
    TrainingFile,
    TrainingFileBusy,
    TrainingFileNameTaken,
    TrainingFileNotFound,
    TrainingFileState,
    TrainingFileVersionNotFound,
    Verdict,
    Version,
    refuse_ineligible,
)
from services.datasets.store.shared import Ground, changed_meanwhile, earlier
from services.datasets.store.tables import TrainingFileMembers, TrainingFiles, TrainingFileVersions
from services.datasets.store.training_file_rows import (
    FAILED,
    VERSION,
    file_columns,
    member_columns,
    name_key,
    renumbered,
    to_file,
    to_member,
    to_version,
    version_of,
)


class SqlTrainingFiles:
    """Training files with versions and members, in SQL."""

    def __init__(self, ground: Ground, jobs: Jobs[TrainingFileVersions]) -> None:
        self._ground, self._jobs = ground, jobs

    def add(self, file: TrainingFile, version: Version, members: Sequence[Member], key: RequestKey) -> Version:
        """The first version, queued, of a new file; a repeat gives what the first request made."""
        with self._ground.db.transaction(artist_scope(file.artist)) as session:
            if made := earlier(session, key, version.uid, self._ground.clock):
                return to_version(_build(session, file.artist, made))
            _refuse_taken(session, file)
            values = file_columns(file) | {"uid": file.uid, "artist": file.artist, "create_time": file.create_time}
            session.add(TrainingFiles(**values))
            try:
                session.flush()
            except sa.exc.IntegrityError as error:  # a twin was faster
                raise _taken(file) from error
            return self._enqueue(session, file, version, members)

    def append(
        self, file: TrainingFile, version: Version, members: Sequence[Member], key: RequestKey, *, etag: str
    ) -> Version:
        """A next version, queued, with members more; ConversationsNotEligible if one is there already."""
        with self._ground.db.transaction(artist_scope(file.artist)) as session:
            if made := earlier(session, key, version.uid, self._ground.clock):
                return to_version(_build(session, file.artist, made))
            row = _row(session, file.artist, file.uid, lock=True)
            if etag and etag != to_file(session, row).etag:
                raise changed_meanwhile(file.name)
            self._leave_failed_build(session, row)
            there = _taken_of(session, row.uid, [member.conversation_uid for member in members])
            refuse_ineligible(
                [
                    Verdict(member.conversation, Finding.DUPLICATE, "it is in the training file already")
                    if member.conversation_uid in there
                    else Verdict(member.conversation, Finding.ELIGIBLE)
                    for member in members
                ]
            )
            newest = row.newest_version + 1
            last = session.scalar(
                sa.select(sa.func.max(TrainingFileMembers.position)).where(
                    TrainingFileMembers.training_file_uid == row.uid
                )
            )
            row.newest_version, row.revision = newest, row.revision + 1
            row.update_time = self._ground.clock.now()
            session.flush()
            numbered = [(last or 0, newest, member) for member in members]
            return self._enqueue(session, file, version, [renumbered(*each) for each in numbered], sequence=newest)

    def get(self, artist: str, uid: str) -> TrainingFile:
        """The file with its current version, or TrainingFileNotFound."""
        with self._ground.db.transaction(artist_scope(artist), write=False) as session:
            return to_file(session, _row(session, artist, uid))

    def page(self, artist: str, *, state: TrainingFileState | None, size: int, token: str) -> Page[TrainingFile]:
        """Files, newest first."""
        select = sa.select(TrainingFiles).where(TrainingFiles.artist == artist, *_in_state(state))
        with self._ground.db.transaction(artist_scope(artist), write=False) as session:
            rows, following = self._ground.pager.page(
                session,
                select,
                order=(TrainingFiles.create_time, TrainingFiles.uid),
                size=size,
                token=token,
                filter=f"training-files/{artist}/{state or ''}",
            )
            return Page([to_file(session, row) for row in rows], following)

    def replace(self, before: TrainingFile, after: TrainingFile) -> TrainingFile:
        """The file with a new title, description or state, if it still is as before."""
        with self._ground.db.transaction(artist_scope(before.artist)) as session:
            if name_key(after) != name_key(before):
                _refuse_taken(session, after)
            changed = session.execute(
                sa.update(TrainingFiles)
                .where(
                    TrainingFiles.artist == before.artist,
                    TrainingFiles.uid == before.uid,
                    TrainingFiles.revision == before.revision,
                )
                .values(file_columns(after))
            )
            if not changed.rowcount:  # type: ignore[attr-defined]
                raise changed_meanwhile(before.name)
            return after

    def delete(self, file: TrainingFile) -> None:
        """Remove the file with all versions, if it still is as it was."""
        with self._ground.db.transaction(artist_scope(file.artist)) as session:
            row = _row(session, file.artist, file.uid, lock=True)
            if row.revision != file.revision:
                raise changed_meanwhile(file.name)
            session.delete(row)

    def version(self, artist: str, file_uid: str, sequence: int) -> Version:
        """One version, or TrainingFileVersionNotFound."""
        with self._ground.db.transaction(artist_scope(artist), write=False) as session:
            _row(session, artist, file_uid)
            found = version_of(session, artist, file_uid, sequence)
            if found is None:
                raise TrainingFileVersionNotFound(f"training file {file_uid!r} has no version {sequence}")
            return found

    def versions(self, file: TrainingFile, *, size: int, token: str) -> Page[Version]:
        """Versions, newest first."""
        select = sa.select(TrainingFileVersions).where(
            TrainingFileVersions.artist == file.artist, TrainingFileVersions.training_file_uid == file.uid
        )
        order = (TrainingFileVersions.sequence,)
        with self._ground.db.transaction(artist_scope(file.artist), write=False) as session:
            rows, following = self._ground.pager.page(
                session, select, order=order, size=size, token=token, filter=file.name
            )
            return Page([to_version(row) for row in rows], following)

    def build(self, artist: str, uid: str) -> Version:
        """One version by its job's uid, or TrainingFileVersionNotFound."""
        with self._ground.db.transaction(artist_scope(artist), write=False) as session:
            return to_version(_build(session, artist, uid))

    def cancel(self, artist: str, uid: str) -> Version:
        """The version after the wish to stop its build."""
        with self._ground.db.transaction(artist_scope(artist)) as session:
            row = self._jobs.request_cancel(session, artist, uid)
            if row is None:
                raise _no_build(uid)
            return to_version(row)

    def members(self, version: Version) -> list[Member]:
        """Members of the version, in file order."""
        wanted = sa.select(TrainingFileMembers).where(*_of_version(version)).order_by(TrainingFileMembers.position)
        with self._ground.db.transaction(artist_scope(version.artist), write=False) as session:
            return [to_member(row) for row in session.scalars(wanted)]

    def member_page(self, file: TrainingFile, *, size: int, token: str) -> Page[Member]:
        """Members of the current version, in file order."""
        if file.current is None:
            return Page([])
        select = sa.select(TrainingFileMembers).where(*_of_version(file.current))
        # The pager gives descending pages, so the order is by the position counted from the end.
        with self._ground.db.transaction(artist_scope(file.artist), write=False) as session:
            after = int(self._ground.pager.unseal(token)[0]) if token else 0
            limit = min(size or 50, 1000)
            rows = list(
                session.scalars(
                    select.where(TrainingFileMembers.position > after)
                    .order_by(TrainingFileMembers.position)
                    .limit(limit + 1)
                )
            )
            following = self._ground.pager.seal([rows[limit - 1].position]) if len(rows) > limit else ""
            return Page([to_member(row) for row in rows[:limit]], following)

    def taken(self, file: TrainingFile, uids: Collection[str]) -> set[str]:
        """Those of the conversations that are members already."""
        with self._ground.db.transaction(artist_scope(file.artist), write=False) as session:
            return _taken_of(session, file.uid, uids)

    def finish(self, version: Version, fence: int, built: Built) -> None:
        """Commit the build and make it current; LeaseLost if another worker has the job."""
        with self._ground.db.transaction(artist_scope(version.artist)) as session:
            columns = asdict(built)
            self._jobs.finish(session, version.uid, fence, **columns)
            session.execute(
                sa.update(TrainingFiles)
                .where(
                    TrainingFiles.uid == version.training_file_uid,
                    TrainingFiles.artist == version.artist,
                    TrainingFiles.current_version < version.sequence,
                )
                .values(
                    current_version=version.sequence,
                    revision=TrainingFiles.revision + 1,
                    update_time=self._ground.clock.now(),
                )
                .execution_options(synchronize_session=False)
            )

    def _enqueue(
        self, session: Session, file: TrainingFile, version: Version, members: Sequence[Member], *, sequence: int = 1
    ) -> Version:
        values = {name: getattr(version, name) for name in VERSION} | {"sequence": sequence}
        row = self._jobs.enqueue(session, TrainingFileVersions(**values, state=version.state.value))
        session.flush()
        session.execute(sa.insert(TrainingFileMembers), [member_columns(file, member) for member in members])
        return to_version(row)

    def _leave_failed_build(self, session: Session, row: TrainingFiles) -> None:
        """Take back what a build that gave no version had added; a build that still runs stands in the way."""
        newest = session.scalars(
            sa.select(TrainingFileVersions).where(
                TrainingFileVersions.training_file_uid == row.uid,
                TrainingFileVersions.sequence == row.newest_version,
            )
        ).one()
        if newest.state not in (*FAILED, JobState.SUCCEEDED.value):
            raise TrainingFileBusy(f"version {newest.sequence} is being built; wait until it has ended")
        if newest.state in FAILED:
            session.execute(
                sa.delete(TrainingFileMembers).where(
                    TrainingFileMembers.training_file_uid == row.uid,
                    TrainingFileMembers.added_in_version == newest.sequence,
                )
            )


def _in_state(state: TrainingFileState | None) -> list[sa.ColumnElement[bool]]:
    if state is None:
        return []
    if state is TrainingFileState.ARCHIVED:
        return [TrainingFiles.archived.is_(True)]
    if state is TrainingFileState.ACTIVE:
        return [TrainingFiles.archived.is_(False), TrainingFiles.current_version > 0]
    failed = (
        sa.select(TrainingFileVersions.uid)
        .where(
            TrainingFileVersions.training_file_uid == TrainingFiles.uid,
            TrainingFileVersions.sequence == TrainingFiles.newest_version,
            TrainingFileVersions.state.in_(FAILED),
        )
        .exists()
    )
    wanted = failed if state is TrainingFileState.FAILED else sa.not_(failed)
    return [TrainingFiles.archived.is_(False), TrainingFiles.current_version == 0, wanted]


def _of_version(version: Version) -> list[sa.ColumnElement[bool]]:
    removed = TrainingFileMembers.removed_in_version
    return [
        TrainingFileMembers.artist == version.artist,
        TrainingFileMembers.training_file_uid == version.training_file_uid,
        TrainingFileMembers.added_in_version <= version.sequence,
        sa.or_(removed == 0, removed > version.sequence),
    ]


def _taken_of(session: Session, file_uid: str, uids: Collection[str]) -> set[str]:
    there = sa.select(TrainingFileMembers.conversation_uid).where(
        TrainingFileMembers.training_file_uid == file_uid, TrainingFileMembers.removed_in_version == 0
    )
    return set(session.scalars(there)) & set(uids)


def _refuse_taken(session: Session, file: TrainingFile) -> None:
    same = sa.select(TrainingFiles.uid).where(
        TrainingFiles.artist == file.artist, TrainingFiles.name_key == name_key(file), TrainingFiles.uid != file.uid
    )
    if session.scalar(same):
        raise _taken(file)


def _taken(file: TrainingFile) -> TrainingFileNameTaken:
    return TrainingFileNameTaken(
        f"there is a training file named {file.display_name!r}; append to it, or choose another name",
        metadata={"display_name": file.display_name},
    )


def _no_build(uid: str) -> TrainingFileVersionNotFound:
    return TrainingFileVersionNotFound(f"training file build {uid!r} does not exist")


def _row(session: Session, artist: str, uid: str, *, lock: bool = False) -> TrainingFiles:
    wanted = sa.select(TrainingFiles).where(TrainingFiles.artist == artist, TrainingFiles.uid == uid)
    row = session.scalars(wanted.with_for_update() if lock else wanted).one_or_none()
    if row is None:
        raise TrainingFileNotFound(f"training file {uid!r} does not exist")
    return row


def _build(session: Session, artist: str, uid: str) -> TrainingFileVersions:
    row = session.scalars(
        sa.select(TrainingFileVersions).where(TrainingFileVersions.artist == artist, TrainingFileVersions.uid == uid)
    ).one_or_none()
    if row is None:
        raise _no_build(uid)
    return row
