"""Rows of training files, versions and members to domain values and back."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from chassis.ids import format_name
from services.datasets.domain import conversations
from services.datasets.domain.exports import JobState
from services.datasets.domain.training_files import (
    Member,
    Statistics,
    TrainingFile,
    TrainingFileState,
    Version,
)
from services.datasets.store.tables import TrainingFileMembers, TrainingFiles, TrainingFileVersions

VERSION = (
    "uid",
    "artist",
    "principal",
    "training_file_uid",
    "sequence",
    "progress_percent",
    "stage",
    "attempt",
    "eta_s",
    "json_key",
    "json_size_bytes",
    "json_sha256",
    "jsonl_key",
    "jsonl_size_bytes",
    "jsonl_sha256",
    "create_time",
    "update_time",
    "end_time",
)
_MEMBER = (
    "conversation_uid",
    "conversation_id",
    "position",
    "added_in_version",
    "score",
    "quality_tier",
    "pair_count",
    "trainable_pair_count",
    "human_reviewed_count",
    "persona_key",
    "arc_key",
    "topic_key",
    "source_sha256",
    "json_key",
    "jsonl_key",
    "json_size_bytes",
    "jsonl_size_bytes",
)
FAILED = (JobState.FAILED.value, JobState.CANCELLED.value)


def file_columns(file: TrainingFile) -> dict[str, Any]:
    """The columns of a file."""
    return {
        "display_name": file.display_name,
        "name_key": name_key(file),
        "description": file.description,
        "target_model": file.target_model,
        "profile": file.profile,
        "jsonl_header": file.jsonl_header,
        "archived": file.state is TrainingFileState.ARCHIVED,
        "revision": file.revision,
        "update_time": file.update_time,
    }


def to_file(session: Session, row: TrainingFiles) -> TrainingFile:
    """The file that a row holds, with its current version."""
    current = version_of(session, row.artist, row.uid, row.current_version) if row.current_version else None
    state = TrainingFileState.ACTIVE if current else TrainingFileState.PROCESSING
    if row.archived:
        state = TrainingFileState.ARCHIVED
    elif current is None:
        newest = version_of(session, row.artist, row.uid, row.newest_version)
        if newest is not None and newest.state.value in FAILED:
            state = TrainingFileState.FAILED
    return TrainingFile(
        artist=row.artist,
        uid=row.uid,
        display_name=row.display_name,
        create_time=row.create_time,
        update_time=row.update_time,
        description=row.description,
        target_model=row.target_model,
        profile=row.profile,
        jsonl_header=row.jsonl_header,
        state=state,
        current=current,
        revision=row.revision,
    )


def to_version(row: TrainingFileVersions) -> Version:
    """The version that a row holds."""
    return Version(
        **{name: getattr(row, name) for name in VERSION},
        state=JobState(row.state),
        statistics=Statistics(**row.statistics) if row.statistics else None,
        error_reason=row.error_reason or "",
        error_message=row.error_message or "",
    )


def member_columns(file: TrainingFile, member: Member) -> dict[str, Any]:
    """The columns of a member."""
    columns = {name: getattr(member, name) for name in _MEMBER}
    return columns | {"training_file_uid": file.uid, "artist": file.artist, "removed_in_version": 0}


def renumbered(last: int, sequence: int, member: Member) -> Member:
    """The member as part of a later version, after those that are there."""
    columns = {name: getattr(member, name) for name in _MEMBER}
    columns |= {"position": last + member.position, "added_in_version": sequence}
    return Member(conversation=member.conversation, **columns)


def to_member(row: TrainingFileMembers) -> Member:
    """The member that a row holds."""
    name = format_name(conversations.NAME, artist=row.artist, conversation=row.conversation_uid)
    return Member(conversation=name, **{column: getattr(row, column) for column in _MEMBER})


def name_key(file: TrainingFile) -> str:
    """What must be unique of a name."""
    return file.display_name.strip().casefold()


def version_of(session: Session, artist: str, file_uid: str, sequence: int) -> Version | None:
    """One version; None if there is none."""
    row = session.scalars(
        sa.select(TrainingFileVersions).where(
            TrainingFileVersions.artist == artist,
            TrainingFileVersions.training_file_uid == file_uid,
            TrainingFileVersions.sequence == sequence,
        )
    ).one_or_none()
    return to_version(row) if row else None
