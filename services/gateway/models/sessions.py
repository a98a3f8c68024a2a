"""JSON shapes of tonewright.sessions.v1, made by `tools/openapi.py`; never edited."""

# ruff: noqa: E501
from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from services.gateway.models.assets import Asset
from services.gateway.shapes import (
    In,
    Int64,
    Json,
    Object,
    Out,
    Text,
    Time,
)


class AudioReference(Out):
    """The audio that a session refers to in one place."""

    track: str = Field(description="Which track of the session it belongs to, 1 to 200 characters, such as `deck-a`.")
    role: str = Field(
        description="What it is on that track, 1 to 64 characters: `full`, `vocals`, `instruments`, `timbre`, `structure` or a name of the caller's."
    )
    asset: str = Field(
        description="The audio, `artists/{artist}/assets/{asset}`; empty only while a separation still makes it.",
        examples=["artists/nova/assets/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    separation: str = Field(
        description="The separation that makes it, `artists/{artist}/separations/{separation}`; needed while asset is empty.",
        examples=["artists/nova/separations/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )


class SessionState(StrEnum):
    """Where a session stands."""

    SAVED = "SAVED"
    DELETED = "DELETED"


class Session(Out):
    """A saved state of a performance."""

    name: str = Field(
        description="Resource name, `artists/{artist}/sessions/{session}`.",
        examples=["artists/nova/sessions/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    display_name: str = Field(
        description="Name for people, 1 to 200 characters; default `Untitled session`.", examples=["Night drive"]
    )
    snapshot: Object | None = Field(
        description="The state as an object with an integer `version` (1), up to 1 MiB as canonical JSON and 32 levels deep. `captured_at` and `capturedAt` at its top are not part of the signature. Left out in lists.",
        examples=[{}],
    )
    audio: list[AudioReference] = Field(
        description="All audio that the snapshot needs, 0 to 256 references, one per track and role."
    )
    snapshot_version: int = Field(description="Version of the snapshot's layout, 1.", examples=[1])
    signature: str = Field(
        description="SHA-256 of the canonical JSON (RFC 8785) of the snapshot without volatile members and of the audio references, 64 lower-case hex digits. Two states that sound the same have the same signature."
    )
    revision: int = Field(description="Number of the newest revision, 1 and up.", examples=[1])
    copied_from: str = Field(
        description="The session that this one was copied from; empty otherwise.",
        examples=["artists/nova/sessions/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    state: SessionState | None = Field(description="Where it stands.", examples=["SAVED"])
    snapshot_bytes: int = Field(description="Size of the canonical snapshot in bytes.", examples=[1])
    create_time: Time | None = Field(description="When it was first saved.", examples=["2026-11-21T10:00:00.000000Z"])
    update_time: Time | None = Field(
        description="When it was last saved or renamed.", examples=["2026-11-21T10:00:00.000000Z"]
    )
    delete_time: Time | None = Field(
        description="When it was deleted; absent while it is not.", examples=["2026-11-21T10:00:00.000000Z"]
    )
    purge_time: Time | None = Field(
        description="When a deleted session goes for good; absent while it is not deleted.",
        examples=["2026-11-21T10:00:00.000000Z"],
    )
    etag: str = Field(
        description="Changes whenever the session changes; send it back to save into exactly this state.",
        examples=["5f1d2c3b4a596877"],
    )


class ListSessionsResponse(Out):
    """A page of sessions."""

    sessions: list[Session] = Field(description="The sessions without their snapshots, newest first.")
    next_page_token: str = Field(description="Token of the next page; empty at the end.")


class ListSessionsQuery(In):
    """Asks for an artist's sessions."""

    page_size: int | None = Field(default=None, description="Most sessions per page, 0 to 1000, default 50.")
    page_token: str | None = Field(
        default=None, description="Where to go on, from the page before; empty for the first page."
    )
    show_deleted: bool | None = Field(default=None, description="Whether deleted sessions are listed too, default no.")


class AudioReferenceInput(In):
    """The audio that a session refers to in one place."""

    track: Text = Field(description="Which track of the session it belongs to, 1 to 200 characters, such as `deck-a`.")
    role: Text = Field(
        description="What it is on that track, 1 to 64 characters: `full`, `vocals`, `instruments`, `timbre`, `structure` or a name of the caller's."
    )
    asset: Text | None = Field(
        default=None,
        description="The audio, `artists/{artist}/assets/{asset}`; empty only while a separation still makes it.",
        examples=["artists/nova/assets/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    separation: Text | None = Field(
        default=None,
        description="The separation that makes it, `artists/{artist}/separations/{separation}`; needed while asset is empty.",
        examples=["artists/nova/separations/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )


class CreateSessionBody(In):
    """Asks to save a new session."""

    display_name: Text | None = Field(
        default=None,
        description="Name for people, 1 to 200 characters; default `Untitled session`.",
        examples=["Night drive"],
    )
    snapshot: Object | None = Field(
        default=None,
        description="The state as an object with an integer `version` (1), up to 1 MiB as canonical JSON and 32 levels deep. `captured_at` and `capturedAt` at its top are not part of the signature. Left out in lists.",
        examples=[{}],
    )
    audio: list[AudioReferenceInput] | None = Field(
        default=None, description="All audio that the snapshot needs, 0 to 256 references, one per track and role."
    )


class UpdateSessionBody(In):
    """Asks to save into a session or to rename it."""

    display_name: Text | None = Field(
        default=None,
        description="Name for people, 1 to 200 characters; default `Untitled session`.",
        examples=["Night drive"],
    )
    snapshot: Object | None = Field(
        default=None,
        description="The state as an object with an integer `version` (1), up to 1 MiB as canonical JSON and 32 levels deep. `captured_at` and `capturedAt` at its top are not part of the signature. Left out in lists.",
        examples=[{}],
    )
    audio: list[AudioReferenceInput] | None = Field(
        default=None, description="All audio that the snapshot needs, 0 to 256 references, one per track and role."
    )


class CopySessionBody(In):
    """Asks for a copy."""

    display_name: Text | None = Field(
        default=None,
        description="Display name of the copy, up to 200 characters; default the name of the original with ` (copy)` behind it.",
        examples=["Night drive"],
    )
    revision: Int64 | None = Field(
        default=None, description="Number of the revision to copy; 0 for the newest.", examples=[1]
    )


class CompletenessState(StrEnum):
    """What can be opened."""

    COMPLETE = "COMPLETE"
    UNSUPPORTED_VERSION = "UNSUPPORTED_VERSION"
    MISSING_AUDIO_ASSET = "MISSING_AUDIO_ASSET"
    STEMS_NOT_READY = "STEMS_NOT_READY"


class AudioStatusState(StrEnum):
    """Whether the audio is there."""

    PRESENT = "PRESENT"
    MISSING = "MISSING"
    DELETED = "DELETED"
    PENDING = "PENDING"


class AudioStatus(Out):
    """What is known of one audio reference."""

    reference: AudioReference | None = Field(description="The reference.")
    state: AudioStatusState | None = Field(description="Whether the audio is there.", examples=["PRESENT"])
    asset: Asset | None = Field(
        description="The asset with its hash, key and format; absent when it is missing or pending."
    )


class Completeness(Out):
    """Whether everything a session needs is there."""

    state: CompletenessState | None = Field(
        description="What can be opened; the first of the states above that holds, the worst first.",
        examples=["COMPLETE"],
    )
    message: str = Field(description="The same in words, with what to do.")
    audio: list[AudioStatus] = Field(description="One entry for each audio reference, in the session's order.")


class OpenSessionResponse(Out):
    """A session ready to be opened."""

    session: Session | None = Field(description="The session with its snapshot.")
    completeness: Completeness | None = Field(description="Whether all of it is there.")


class CheckDirtyResponse(Out):
    """Whether a state differs from the saved one."""

    dirty: bool = Field(description="Whether it differs.", examples=[False])
    signature: str = Field(description="Signature of the state that was sent.")
    saved_signature: str = Field(description="Signature of the saved state.")
    revision: int = Field(description="Number of the newest revision.", examples=[1])
    etag: str = Field(description="The session's etag.", examples=["5f1d2c3b4a596877"])


class CheckDirtyBody(In):
    """Asks whether a state differs from the saved one."""

    snapshot: Object | None = Field(
        default=None, description="The state to compare; absent when only its signature is given.", examples=[{}]
    )
    audio: list[AudioReferenceInput] | None = Field(default=None, description="The audio that goes with the snapshot.")
    signature: Text | None = Field(
        default=None, description="The signature to compare, 64 hex digits; instead of a snapshot."
    )


class SessionRevision(Out):
    """One saved state in a session's history; never changes."""

    name: str = Field(
        description="Resource name, `artists/{artist}/sessions/{session}/revisions/{revision}`; the last part is the number.",
        examples=["artists/nova/sessions/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d/revisions/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    revision: int = Field(description="Number of the revision, 1 and up.", examples=[1])
    snapshot: Object | None = Field(description="The state that was saved. Left out in lists.", examples=[{}])
    audio: list[AudioReference] = Field(description="All audio that the snapshot needs.")
    snapshot_version: int = Field(description="Version of the snapshot's layout.", examples=[1])
    signature: str = Field(description="SHA-256 of the canonical state, 64 lower-case hex digits.")
    principal: str = Field(description="Who saved it.", examples=["oidc:7d5f0c"])
    restored_from: int = Field(
        description="Number of the revision that it restores; 0 when it restores none.", examples=[1]
    )
    create_time: Time | None = Field(description="When it was saved.", examples=["2026-11-21T10:00:00.000000Z"])


class ListRevisionsResponse(Out):
    """A page of revisions."""

    revisions: list[SessionRevision] = Field(description="The revisions without their snapshots, newest first.")
    next_page_token: str = Field(description="Token of the next page; empty at the end.")


class ListRevisionsQuery(In):
    """Asks for a session's history."""

    page_size: int | None = Field(default=None, description="Most revisions per page, 0 to 1000, default 50.")
    page_token: str | None = Field(
        default=None, description="Where to go on, from the page before; empty for the first page."
    )


class SnapshotChangeKind(StrEnum):
    """How the place differs."""

    ADDED = "ADDED"
    REMOVED = "REMOVED"
    CHANGED = "CHANGED"


class SnapshotChange(Out):
    """One difference between two revisions."""

    path: str = Field(
        description="The place as a JSON Pointer (RFC 6901) into the object with the members `snapshot` and `audio`."
    )
    kind: SnapshotChangeKind | None = Field(description="How it differs.", examples=["ADDED"])
    before: Json | None = Field(description="The earlier value; absent when added.", examples=["any"])
    after: Json | None = Field(description="The later value; absent when removed.", examples=["any"])


class DiffRevisionsResponse(Out):
    """What differs between two revisions."""

    from_revision: int = Field(description="Number of the revision started from.", examples=[1])
    to_revision: int = Field(description="Number of the revision arrived at.", examples=[1])
    changes: list[SnapshotChange] = Field(description="The differences in the order of their paths, at most 1000.")
    truncated: bool = Field(description="Whether there are more than these.", examples=[False])


class DiffRevisionsQuery(In):
    """Asks what differs between two revisions."""

    from_revision: int | None = Field(
        default=None, description="Number of the revision to start from; 0 for the one before the newest."
    )
    to_revision: int | None = Field(default=None, description="Number of the revision to arrive at; 0 for the newest.")


class LocalSessionResult(Out):
    """What became of one record."""

    local_id: str = Field(description="Id of the record in the browser.")
    session: str = Field(
        description="The session that it became or had become before; empty when refused.",
        examples=["artists/nova/sessions/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    error_reason: str = Field(description="Why it was refused, a reason of docs/contracts.md; empty otherwise.")
    error_message: str = Field(description="The same in words.")


class ImportLocalSessionsResponse(Out):
    """What became of each record."""

    results: list[LocalSessionResult] = Field(description="One result per record, in their order.")


class LocalSessionInput(In):
    """One saved session out of a browser."""

    local_id: Text = Field(description="Id of the record in the browser, 1 to 200 characters.")
    display_name: Text | None = Field(
        default=None, description="Name of the record, up to 200 characters.", examples=["Night drive"]
    )
    snapshot: Object = Field(description="The record's snapshot.", examples=[{}])
    assets: dict[str, Text] | None = Field(
        default=None, description="Assets by the browser's own asset ids.", examples=[{}]
    )
    update_time: Time | None = Field(
        default=None, description="When the record was last saved.", examples=["2026-11-21T10:00:00.000000Z"]
    )


class ImportLocalSessionsBody(In):
    """Asks to import a browser's saved sessions."""

    records: list[LocalSessionInput] = Field(description="The records, 1 to 100.")


class SessionBundleState(StrEnum):
    """Where a bundle stands."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class SessionBundle(Out):
    """A session and its audio in one file."""

    name: str = Field(
        description="Resource name, `artists/{artist}/bundles/{bundle}`.",
        examples=["artists/nova/bundles/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    session: str = Field(
        description="The session that it holds.", examples=["artists/nova/sessions/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"]
    )
    revision: int = Field(description="Number of the revision that it holds.", examples=[1])
    state: SessionBundleState | None = Field(description="Where it stands.", examples=["QUEUED"])
    size_bytes: int = Field(description="Size of the file in bytes; 0 until it is ready.", examples=[10584044])
    sha256: str = Field(
        description="SHA-256 of the file, 64 lower-case hex digits; empty until it is ready.",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )
    create_time: Time | None = Field(description="When it was asked for.", examples=["2026-11-21T10:00:00.000000Z"])
    end_time: Time | None = Field(
        description="When it ended; absent while it has not.", examples=["2026-11-21T10:00:00.000000Z"]
    )


# What each RPC gives, by service and method.
DOCS: dict[str, str] = {
    "SessionsService.GetSession": "Gives one session with its snapshot.",
    "SessionsService.ListSessions": "Lists an artist's sessions without their snapshots, newest first.",
    "SessionsService.CreateSession": "Saves a new session; its first revision is 1.",
    "SessionsService.UpdateSession": "Saves into a session or renames it. A snapshot that differs makes a new revision; a name alone does not.",
    "SessionsService.DeleteSession": "Deletes a session softly; it can be undeleted for 30 days.",
    "SessionsService.UndeleteSession": "Takes a deletion back. A repeat changes nothing.",
    "SessionsService.CopySession": "Saves a copy under a new name; no audio is copied.",
    "SessionsService.OpenSession": "Gives the session with a report on whether all of its audio is there, in one call.",
    "SessionsService.CheckDirty": "Says whether a snapshot differs from what is saved, and its signature.",
    "SessionsService.GetRevision": "Gives one revision with its snapshot.",
    "SessionsService.ListRevisions": "Lists a session's revisions without their snapshots, newest first.",
    "SessionsService.RestoreRevision": "Makes an earlier revision the newest one; nothing of the history is removed.",
    "SessionsService.DiffRevisions": "Gives what differs between two revisions.",
    "SessionsService.ImportLocalSessions": "Imports saved sessions of a browser, each by itself; a repeat makes nothing twice.",
    "SessionsService.ExportBundle": "Packs a session and its audio into one file. The response is a SessionBundle.",
    "SessionsService.GetBundle": "Gives one bundle.",
}
