"""Artists, their members and profiles: shapes, rules and errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from chassis.context import Role
from chassis.errors import AlreadyExists, FailedPrecondition, NotFound, collect
from chassis.ids import SLUG

# How long a deleted artist or Live Set can be brought back.
KEPT_AFTER_DELETION = timedelta(days=30)


class ArtistNotFound(NotFound):
    """No such artist for this caller."""

    REASON = "ARTIST_NOT_FOUND"


class ArtistIdTaken(AlreadyExists):
    """The id that was asked for names another artist."""

    REASON = "ARTIST_ID_TAKEN"


class ArtistNotDeleted(FailedPrecondition):
    """The artist is not deleted, so it cannot be brought back."""

    REASON = "ARTIST_NOT_DELETED"


class MemberNotFound(NotFound):
    """No such member for this caller."""

    REASON = "MEMBER_NOT_FOUND"


class MembershipNotFound(NotFound):
    """The principal has no role on the artist, or there is no such artist."""

    REASON = "MEMBERSHIP_NOT_FOUND"


class MemberExists(AlreadyExists):
    """The principal is a member already."""

    REASON = "MEMBER_EXISTS"


class LastOwner(FailedPrecondition):
    """An artist without an owner could never be managed again."""

    REASON = "LAST_OWNER"


@dataclass(frozen=True, slots=True)
class Artist:
    """A tenant of the platform."""

    id: str
    display_name: str
    description: str
    create_time: datetime
    update_time: datetime
    delete_time: datetime | None
    etag: str

    @property
    def name(self) -> str:
        """The resource name."""
        return f"artists/{self.id}"

    @property
    def purge_time(self) -> datetime | None:
        """When a deleted artist goes for good."""
        return self.delete_time and self.delete_time + KEPT_AFTER_DELETION


@dataclass(frozen=True, slots=True)
class Member:
    """A principal's role on an artist."""

    artist: str
    uid: str
    principal: str
    role: Role
    display_name: str
    create_time: datetime
    update_time: datetime
    etag: str

    @property
    def name(self) -> str:
        """The resource name."""
        return f"artists/{self.artist}/members/{self.uid}"


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of an artist's style."""

    artist: str
    display_name: str
    notes: str
    master_schema: Mapping[str, Any]
    master_schema_sha256: str
    create_time: datetime
    update_time: datetime
    etag: str

    @property
    def name(self) -> str:
        """The resource name."""
        return f"artists/{self.artist}/profile"


@dataclass(frozen=True, slots=True)
class Membership:
    """A principal's role as the gateway needs it."""

    artist: str
    artist_display_name: str
    is_deleted: bool
    principal: str
    role: Role


def check_artist(display_name: str, description: str, artist_id: str = "") -> None:
    """Raise with every field of an artist that breaks its rule."""
    with collect() as violations:
        violations.require(1 <= len(display_name.strip()) <= 200, "artist.display_name", "1 to 200 characters")
        violations.require(is_clean(display_name), "artist.display_name", "no control characters")
        violations.require(len(description) <= 4000, "artist.description", "at most 4,000 characters")
        violations.require(is_clean(description, lines=True), "artist.description", "no control characters")
        valid_id = not artist_id or SLUG.fullmatch(artist_id) is not None
        violations.require(valid_id, "artist_id", "3 to 63 of a-z, 0-9 and '-', starting with a letter; or empty")


def check_member(principal: str, role: Role | None, display_name: str) -> None:
    """Raise with every field of a member that breaks its rule."""
    with collect() as violations:
        check_principal = 1 <= len(principal) <= 255 and is_clean(principal)
        violations.require(check_principal, "member.principal", "1 to 255 characters, none of them control characters")
        violations.require(role is not None, "member.role", "one of OWNER, EDITOR, VIEWER")
        named = len(display_name) <= 200 and is_clean(display_name)
        violations.require(named, "member.display_name", "at most 200 characters, none of them control characters")


def is_clean(text: str, *, lines: bool = False) -> bool:
    """Whether the text holds no control characters; line ends are allowed if `lines`."""
    return all((c >= " " and c != "\x7f") or (lines and c in "\n\r\t") for c in text)
