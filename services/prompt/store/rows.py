"""Between rows and what the domain knows."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from chassis.context import Role
from chassis.db import etag_of
from services.prompt.domain.artists import Artist, Member, Profile
from services.prompt.domain.captions import Caption, Provenance, Usage
from services.prompt.domain.findings import Finding
from services.prompt.domain.live_sets import LiveSet
from services.prompt.store.tables import ArtistRow, CaptionRow, LiveSetRow, MemberRow, ProfileRow


def etag(*parts: object) -> str:
    """The etag of a row: its identity and its revision."""
    return etag_of(*parts)


def to_artist(row: ArtistRow) -> Artist:
    """The artist of a row."""
    return Artist(
        id=row.artist,
        display_name=row.display_name,
        description=row.description,
        create_time=row.create_time,
        update_time=row.update_time,
        delete_time=row.delete_time,
        etag=etag("artist", row.artist, row.revision),
    )


def to_member(row: MemberRow) -> Member:
    """The member of a row."""
    return Member(
        artist=row.artist,
        uid=row.uid,
        principal=row.principal,
        role=Role(row.role),
        display_name=row.display_name,
        create_time=row.create_time,
        update_time=row.update_time,
        etag=etag("member", row.uid, row.revision),
    )


def to_profile(row: ProfileRow) -> Profile:
    """The profile of a row."""
    return Profile(
        artist=row.artist,
        display_name=row.display_name,
        notes=row.notes,
        master_schema=row.master_schema,
        master_schema_sha256=row.master_schema_sha256,
        create_time=row.create_time,
        update_time=row.update_time,
        etag=etag("profile", row.artist, row.revision),
    )


def to_live_set(row: LiveSetRow) -> LiveSet:
    """The Live Set of a row."""
    return LiveSet(
        artist=row.artist,
        uid=row.uid,
        display_name=row.display_name,
        project_name=row.project_name,
        file_name=row.file_name,
        sha256=row.sha256,
        size_bytes=row.size_bytes,
        summary=row.summary,
        create_time=row.create_time,
        update_time=row.update_time,
        delete_time=row.delete_time,
        etag=etag("live_set", row.uid, row.revision),
    )


def to_caption(row: CaptionRow) -> Caption:
    """The caption of a row."""
    kept: dict[str, Any] = dict(row.provenance)
    usage, generated = Usage(**kept.pop("usage")), datetime.fromisoformat(kept.pop("generate_time"))
    return Caption(
        artist=row.artist,
        uid=row.uid,
        text=row.text,
        violations=tuple(Finding(**finding) for finding in row.violations),
        warnings=tuple(Finding(**finding) for finding in row.warnings),
        provenance=Provenance(**kept, usage=usage, generate_time=generated),
        create_time=row.create_time,
    )


def of_caption(caption: Caption) -> CaptionRow:
    """The row of a caption."""
    kept = asdict(caption.provenance)
    kept["generate_time"] = caption.provenance.generate_time.isoformat()
    return CaptionRow(
        artist=caption.artist,
        uid=caption.uid,
        text=caption.text,
        violations=[asdict(finding) for finding in caption.violations],
        warnings=[asdict(finding) for finding in caption.warnings],
        provenance=kept,
        create_time=caption.create_time,
        live_set=caption.provenance.live_set,
        asset=caption.provenance.asset,
        prompt_version=caption.provenance.prompt_version,
    )
