"""What people do with artists, members and profiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chassis.clock import Clock
from chassis.context import Caller, Role
from chassis.errors import require
from chassis.ids import new_uid
from chassis.paging import Page
from services.prompt.domain.artists import (
    Artist,
    LastOwner,
    Member,
    Membership,
    Profile,
    check_artist,
    check_member,
    is_clean,
)
from services.prompt.domain.ports import Store
from services.prompt.domain.profile_shape import check_master_schema, digest
from services.prompt.use_cases.repeats import fingerprint


class Artists:
    """Artists and their members."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def create(self, caller: Caller, artist_id: str, display_name: str, description: str, request_id: str) -> Artist:
        """A new artist that belongs to the caller."""
        check_artist(display_name, description, artist_id)
        now = self._clock.now()
        artist_id, wanted = artist_id or f"a{new_uid()}", artist_id
        artist = Artist(artist_id, display_name.strip(), description, now, now, None, "")
        owner = Member(artist_id, new_uid(), caller.principal, Role.OWNER, "", now, now, "")
        body = fingerprint(wanted, display_name, description)
        # An artist is made outside of any artist, so the row is written in the platform's scope.
        with self._store.of_platform("create-artist") as transaction:
            known = transaction.once(replace(caller, artist="-"), "CreateArtist", request_id, body, artist.name)
            if known is None:
                transaction.add_artist(artist)
                transaction.add_member(owner)
            return transaction.artist((known or artist.name).removeprefix("artists/"), deleted=True)

    def get(self, artist: str) -> Artist:
        """The artist."""
        with self._store.of_artist(artist, write=False) as transaction:
            return transaction.artist(artist)

    def list(self, principal: str, size: int, token: str, *, show_deleted: bool) -> Page[tuple[Artist, Role]]:
        """The artists of a principal with its roles, newest first."""
        require(0 < len(principal) <= 255, "principal", "1 to 255 characters")
        with self._store.of_platform("memberships", write=False) as transaction:
            return transaction.artists_of(principal, size=size, token=token, show_deleted=show_deleted)

    def update(self, artist: str, etag: str, changes: Mapping[str, Any]) -> Artist:
        """The artist with other texts."""
        with self._store.of_artist(artist) as transaction:
            now = transaction.artist(artist)
            check_artist(changes.get("display_name", now.display_name), changes.get("description", now.description))
            return transaction.change_artist(artist, etag, **changes)

    def delete(self, artist: str, etag: str) -> Artist:
        """The artist, deleted; a repeat gives the same."""
        with self._store.of_artist(artist) as transaction:
            found = transaction.artist(artist, deleted=True)
            if found.delete_time is not None:
                return found
            return transaction.change_artist(artist, etag, delete_time=self._clock.now())

    def undelete(self, artist: str) -> Artist:
        """The artist, no longer deleted."""
        with self._store.of_artist(artist) as transaction:
            return transaction.change_artist(artist, "", deleted=True, delete_time=None)

    def membership(self, artist: str, principal: str, *, show_deleted: bool) -> Membership:
        """The role of a principal."""
        with self._store.of_platform("memberships", write=False) as transaction:
            return transaction.membership(artist, principal, show_deleted=show_deleted)


class Members:
    """Who works on an artist."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def create(
        self, caller: Caller, artist: str, principal: str, role: Role | None, display_name: str, request_id: str
    ) -> Member:
        """A new member."""
        check_member(principal, role, display_name)
        assert role is not None
        now = self._clock.now()
        member = Member(artist, new_uid(), principal, role, display_name, now, now, "")
        body = fingerprint(principal, role, display_name)
        with self._store.of_artist(artist) as transaction:
            transaction.artist(artist)
            known = transaction.once(caller, "CreateMember", request_id, body, member.name)
            if known is None:
                transaction.add_member(member)
            return transaction.member(artist, (known or member.name).rpartition("/")[2])

    def get(self, artist: str, uid: str) -> Member:
        """The member."""
        with self._store.of_artist(artist, write=False) as transaction:
            return transaction.member(artist, uid)

    def list(self, artist: str, size: int, token: str) -> Page[Member]:
        """The members, newest first."""
        with self._store.of_artist(artist, write=False) as transaction:
            return transaction.members(artist, size=size, token=token)

    def update(self, artist: str, uid: str, etag: str, changes: Mapping[str, Any]) -> Member:
        """The member with another role or name."""
        with self._store.of_artist(artist) as transaction:
            member = transaction.member(artist, uid)
            role = changes.get("role", member.role)
            check_member(member.principal, role, changes.get("display_name", member.display_name))
            if member.role is Role.OWNER and role is not Role.OWNER:
                self._keep_an_owner(transaction.count_owners(artist))
            columns = {**changes, "role": role.value}
            return transaction.change_member(artist, uid, etag, **columns)

    def delete(self, artist: str, uid: str, etag: str) -> None:
        """Take the member off."""
        with self._store.of_artist(artist) as transaction:
            if transaction.member(artist, uid).role is Role.OWNER:
                self._keep_an_owner(transaction.count_owners(artist))
            transaction.remove_member(artist, uid, etag)

    @staticmethod
    def _keep_an_owner(owners: int) -> None:
        if owners <= 1:
            raise LastOwner("this is the artist's last owner; make another member an owner first")


class Profiles:
    """What is known of an artist's style."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, artist: str) -> Profile:
        """The profile."""
        with self._store.of_artist(artist, write=False) as transaction:
            return transaction.profile(artist)

    def update(self, artist: str, etag: str, changes: Mapping[str, Any]) -> Profile:
        """The profile with other texts or another document."""
        columns = dict(changes)
        name, notes = columns.get("display_name", ""), columns.get("notes", "")
        require(len(name) <= 200 and is_clean(name), "profile.display_name", "at most 200 printable characters")
        fits = len(notes) <= 4000 and is_clean(notes, lines=True)
        require(fits, "profile.notes", "at most 4,000 characters, none of them control characters")
        if "master_schema" in columns:
            check_master_schema(columns["master_schema"])
            columns["master_schema_sha256"] = digest(columns["master_schema"])
        with self._store.of_artist(artist) as transaction:
            return transaction.change_profile(artist, etag, **columns)
