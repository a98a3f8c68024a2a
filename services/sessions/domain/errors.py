"""What can go wrong with audio and saved sessions, each with what to do."""

from __future__ import annotations

from chassis.errors import Aborted, FailedPrecondition, InvalidArgument, NotFound


class UploadNotFound(NotFound):
    """There is no such upload."""

    REASON = "UPLOAD_NOT_FOUND"


class UploadExpired(FailedPrecondition):
    """The upload was not completed in time."""

    REASON = "UPLOAD_EXPIRED"


class UploadAborted(FailedPrecondition):
    """The upload was given up."""

    REASON = "UPLOAD_ABORTED"


class UploadFinished(FailedPrecondition):
    """The upload became an asset already and cannot be given up."""

    REASON = "UPLOAD_FINISHED"


class UploadNotReceived(FailedPrecondition):
    """No bytes have arrived yet."""

    REASON = "UPLOAD_NOT_RECEIVED"


class UploadChanged(Aborted):
    """The bytes were replaced while they were verified."""

    REASON = "UPLOAD_CHANGED"


class UploadTooLarge(InvalidArgument):
    """The file is larger than the service takes."""

    REASON = "UPLOAD_TOO_LARGE"


class UploadSizeMismatch(InvalidArgument):
    """The bytes are more or fewer than announced."""

    REASON = "UPLOAD_SIZE_MISMATCH"


class UploadHashMismatch(InvalidArgument):
    """The bytes are other than announced."""

    REASON = "UPLOAD_HASH_MISMATCH"


class UnsupportedMedia(InvalidArgument):
    """The bytes are no audio that we read."""

    REASON = "UNSUPPORTED_MEDIA"


class AudioTruncated(InvalidArgument):
    """The file ends before its header says."""

    REASON = "AUDIO_TRUNCATED"


class AudioUnreadable(InvalidArgument):
    """The decoder cannot make sound of the file."""

    REASON = "AUDIO_UNREADABLE"


class AudioTooLong(InvalidArgument):
    """The recording lasts longer than the service takes."""

    REASON = "AUDIO_TOO_LONG"


class AssetNotFound(NotFound):
    """There is no such asset."""

    REASON = "ASSET_NOT_FOUND"


class AssetHeld(FailedPrecondition):
    """Something still uses the asset."""

    REASON = "ASSET_HELD"


class AssetBeingPurged(Aborted):
    """A deleted asset with the same bytes is being removed this moment."""

    REASON = "ASSET_BEING_PURGED"


class SessionNotFound(NotFound):
    """There is no such saved session."""

    REASON = "SESSION_NOT_FOUND"


class RevisionNotFound(NotFound):
    """The session has no such revision."""

    REASON = "REVISION_NOT_FOUND"


class SnapshotInvalid(InvalidArgument):
    """The snapshot does not have the form that a snapshot has."""

    REASON = "SNAPSHOT_INVALID"


class SnapshotTooLarge(InvalidArgument):
    """The snapshot is larger or deeper than a session takes."""

    REASON = "SNAPSHOT_TOO_LARGE"


class SnapshotVersionUnsupported(InvalidArgument):
    """The snapshot's layout is not one that this release reads."""

    REASON = "SNAPSHOT_VERSION_UNSUPPORTED"


class SessionAudioMissing(FailedPrecondition):
    """The session refers to audio that the artist does not have."""

    REASON = "SESSION_AUDIO_MISSING"


# What the probe may answer, by reason.
PROBE_ERRORS: dict[str, type[InvalidArgument]] = {
    kind.REASON: kind for kind in (UnsupportedMedia, AudioTruncated, AudioUnreadable, AudioTooLong)
}


def upload_not_found(name: str) -> UploadNotFound:
    """The one answer for an upload that is not there or not the caller's."""
    return UploadNotFound(f"there is no upload {name}; open one with CreateUpload", metadata={"name": name})


def asset_not_found(name: str) -> AssetNotFound:
    """The one answer for an asset that is not there or not the caller's."""
    return AssetNotFound(
        f"there is no asset {name}; list the artist's assets to see what is there", metadata={"name": name}
    )


def session_not_found(name: str) -> SessionNotFound:
    """The one answer for a session that is not there or not the caller's."""
    return SessionNotFound(
        f"there is no session {name}; list the artist's sessions to see what is there", metadata={"name": name}
    )
