"""Live Sets: shape, rules and the errors of files that cannot be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chassis.errors import FailedPrecondition, InvalidArgument, NotFound, Unavailable, collect
from services.prompt.domain.artists import KEPT_AFTER_DELETION, is_clean


class LiveSetNotFound(NotFound):
    """No such Live Set for this caller."""

    REASON = "LIVE_SET_NOT_FOUND"


class LiveSetNotDeleted(FailedPrecondition):
    """The Live Set is not deleted, so it cannot be brought back."""

    REASON = "LIVE_SET_NOT_DELETED"


class UploadNotFound(NotFound):
    """There is no uploaded file at the object key."""

    REASON = "UPLOAD_NOT_FOUND"


class LiveSetReaderBusy(Unavailable):
    """All readers are at work."""

    REASON = "LIVE_SET_READER_BUSY"


class LiveSetNotGzip(InvalidArgument):
    """The file is neither gzip nor XML."""

    REASON = "LIVE_SET_NOT_GZIP"


class LiveSetTruncated(InvalidArgument):
    """The file ends in the middle."""

    REASON = "LIVE_SET_TRUNCATED"


class LiveSetDamaged(InvalidArgument):
    """The gzip data of the file is damaged."""

    REASON = "LIVE_SET_DAMAGED"


class LiveSetNotXml(InvalidArgument):
    """The XML inside the file is broken."""

    REASON = "LIVE_SET_NOT_XML"


class LiveSetDoctypeRefused(InvalidArgument):
    """The XML declares a document type or entities."""

    REASON = "LIVE_SET_DOCTYPE_REFUSED"


class LiveSetWrongRoot(InvalidArgument):
    """The XML is not that of a Live Set."""

    REASON = "LIVE_SET_WRONG_ROOT"


class LiveSetVersionUnsupported(InvalidArgument):
    """The file is older than Live 8."""

    REASON = "LIVE_SET_VERSION_UNSUPPORTED"


class LiveSetTooLarge(InvalidArgument):
    """The file, its XML or its number of elements is over the limit."""

    REASON = "LIVE_SET_TOO_LARGE"


class LiveSetTooDeep(InvalidArgument):
    """The XML nests too deep."""

    REASON = "LIVE_SET_TOO_DEEP"


class LiveSetExpandsTooMuch(InvalidArgument):
    """The file expands as no Live Set does."""

    REASON = "LIVE_SET_EXPANDS_TOO_MUCH"


class LiveSetTooSlow(InvalidArgument):
    """Reading the file takes too long."""

    REASON = "LIVE_SET_TOO_SLOW"


class LiveSetUnreadable(InvalidArgument):
    """The reader gave up on the file."""

    REASON = "LIVE_SET_UNREADABLE"


class LiveSetArchiveInvalid(InvalidArgument):
    """The uploaded file is no zip, or a damaged one."""

    REASON = "LIVE_SET_ARCHIVE_INVALID"


class LiveSetArchiveTooLarge(InvalidArgument):
    """The zip holds more entries or bytes than one call reads."""

    REASON = "LIVE_SET_ARCHIVE_TOO_LARGE"


class LiveSetArchiveEmpty(InvalidArgument):
    """The zip holds no Live Set."""

    REASON = "LIVE_SET_ARCHIVE_EMPTY"


class LiveSetEntryRefused(InvalidArgument):
    """A file of the zip is encrypted, damaged or badly named."""

    REASON = "LIVE_SET_ENTRY_REFUSED"


REFUSALS: Mapping[str, type[InvalidArgument]] = {
    kind.REASON: kind
    for kind in (
        LiveSetNotGzip,
        LiveSetTruncated,
        LiveSetDamaged,
        LiveSetNotXml,
        LiveSetDoctypeRefused,
        LiveSetWrongRoot,
        LiveSetVersionUnsupported,
        LiveSetTooLarge,
        LiveSetTooDeep,
        LiveSetExpandsTooMuch,
        LiveSetTooSlow,
    )
}


@dataclass(frozen=True, slots=True)
class ReadFile:
    """What the reader found in a file."""

    sha256: str
    size_bytes: int
    summary: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LiveSet:
    """An uploaded Live Set and its summary."""

    artist: str
    uid: str
    display_name: str
    project_name: str
    file_name: str
    sha256: str
    size_bytes: int
    summary: Mapping[str, Any]
    create_time: datetime
    update_time: datetime
    delete_time: datetime | None
    etag: str

    @property
    def name(self) -> str:
        """The resource name."""
        return f"artists/{self.artist}/live-sets/{self.uid}"

    @property
    def blob_key(self) -> str:
        """Where the file is in the object store."""
        return blob_key(self.artist, self.sha256)

    @property
    def purge_time(self) -> datetime | None:
        """When a deleted Live Set goes for good."""
        return self.delete_time and self.delete_time + KEPT_AFTER_DELETION


def blob_key(artist: str, sha256: str) -> str:
    """Where a Live Set's file is kept; the same bytes are kept once per artist."""
    return f"artists/{artist}/prompt/live-sets/{sha256}.als"


def check_upload(artist: str, object_key: str, file_name: str, display_name: str, project_name: str) -> None:
    """Raise with every field of a new Live Set that breaks its rule."""
    prefix = f"artists/{artist}/uploads/"
    upload = object_key.removeprefix(prefix)
    own = object_key.startswith(prefix) and 0 < len(upload) <= 128 and upload.replace("-", "").isalnum()
    with collect() as violations:
        violations.require(own, "object_key", f"{prefix}{{id}} as the upload was answered with")
        fits = len(file_name) <= 255 and is_clean(file_name)
        violations.require(fits, "file_name", "at most 255 printable characters")
        with violations.within():
            check_names("", display_name=display_name, project_name=project_name)


def check_names(prefix: str, **names: str) -> None:
    """Raise with every name that is too long or holds control characters."""
    with collect() as violations:
        for field, text in names.items():
            path = f"{prefix}.{field}" if prefix else field
            violations.require(len(text) <= 200 and is_clean(text), path, "at most 200 printable characters")


def names_of(file_name: str, display_name: str) -> tuple[str, str]:
    """File name and display name of a Live Set, each made from the other where it is missing."""
    file_name = file_name.replace("\\", "/").rpartition("/")[2].strip()
    stem = file_name[:-4] if file_name.lower().endswith(".als") else file_name
    shown = display_name.strip() or stem.strip()[:200] or "Live Set"
    return file_name or f"{shown}.als", shown


def finished_summary(
    summary: Mapping[str, Any], file_name: str, project_name: str, artist_name: str, project_folder: str = ""
) -> dict[str, Any]:
    """The summary with the names that the file itself does not hold."""
    stem = file_name[:-4] if file_name.lower().endswith(".als") else file_name
    return {
        "als_stem": stem,
        "als_filename": file_name,
        "project_name": project_name,
        "project_folder": project_folder,
        "artist_name": artist_name,
        **summary,
    }


def key_of(summary: Mapping[str, Any]) -> tuple[str, str]:
    """The key as `B minor` and what it rests on; empty texts when the summary gives none that can be trusted."""
    key = summary.get("key") or {}
    root, scale = key.get("root_name"), key.get("scale")
    if not (key.get("trusted") and root and scale):
        return "", ""
    shown = str(scale).lower() if scale in {"Major", "Minor"} else str(scale)
    return f"{root} {shown}", str(key.get("evidence", "set"))
