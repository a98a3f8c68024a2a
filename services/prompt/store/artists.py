"""Rows of artists, members and profiles."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.context import Role
from chassis.paging import Page, Pager
from services.prompt.domain.artists import (
    Artist,
    ArtistIdTaken,
    ArtistNotDeleted,
    ArtistNotFound,
    Member,
    MemberExists,
    MemberNotFound,
    Membership,
    MembershipNotFound,
    Profile,
)
from services.prompt.domain.profile_shape import digest
from services.prompt.store.changes import change, check_etag
from services.prompt.store.rows import to_artist, to_member, to_profile
from services.prompt.store.tables import (
    ArtistRow,
    CaptionRow,
    LiveSetRow,
    MemberRow,
    ProfileRow,
    PromptTemplateRow,
    RequestRow,
)


class ArtistRows:
    """The part of a transaction that keeps artists."""

    session: Session
    pager: Pager
    clock: Clock

    def add_artist(self, artist: Artist) -> None:
        """Keep a new artist with an empty profile."""
        postgres = self.session.get_bind().dialect.name == "postgresql"
        insert = postgresql.insert if postgres else sqlite.insert
        values = {
            "artist": artist.id,
            "display_name": artist.display_name,
            "description": artist.description,
            "revision": 1,
            "create_time": artist.create_time,
            "update_time": artist.update_time,
        }
        statement = insert(ArtistRow).values(values).on_conflict_do_nothing().returning(ArtistRow.artist)
        if self.session.scalar(statement) is None:
            raise ArtistIdTaken(f"the artist id {artist.id!r} is taken; choose another one or leave it empty")
        profile = ProfileRow(
            artist=artist.id,
            display_name="",
            notes="",
            master_schema={},
            master_schema_sha256=digest({}),
            create_time=artist.create_time,
            update_time=artist.create_time,
        )
        self.session.add(profile)
        self.session.flush()

    def artist(self, artist: str, *, deleted: bool = False) -> Artist:
        """The artist, also a deleted one if asked for."""
        return to_artist(self._artist_row(artist, deleted=None if deleted else False))

    def change_artist(self, artist: str, etag: str, *, deleted: bool | None = False, **columns: Any) -> Artist:
        """Change columns if the etag fits; `deleted` says how the artist must be, None for either."""
        row = self._artist_row(artist, deleted=deleted)
        change(self.session, row, [ArtistRow.artist == artist], etag, lambda r: to_artist(r).etag, self.clock, columns)
        return to_artist(row)

    def artists_of(self, principal: str, *, size: int, token: str, show_deleted: bool) -> Page[tuple[Artist, Role]]:
        """The artists of a principal with its roles, newest first."""
        mine = sa.select(MemberRow.artist).where(MemberRow.principal == principal)
        select = sa.select(ArtistRow).where(ArtistRow.artist.in_(mine))
        if not show_deleted:
            select = select.where(ArtistRow.delete_time.is_(None))
        rows, next_token = self.pager.page(
            self.session,
            select,
            order=(ArtistRow.create_time, ArtistRow.artist),
            size=size,
            token=token,
            filter=f"artists of {principal} {show_deleted}",
        )
        found = sa.select(MemberRow.artist, MemberRow.role).where(
            MemberRow.principal == principal, MemberRow.artist.in_([row.artist for row in rows])
        )
        roles = {artist: Role(role) for artist, role in self.session.execute(found)}
        return Page([(to_artist(row), roles[row.artist]) for row in rows if row.artist in roles], next_token)

    def membership(self, artist: str, principal: str, *, show_deleted: bool) -> Membership:
        """The role of a principal."""
        select = (
            sa.select(ArtistRow, MemberRow.role)
            .join(MemberRow, MemberRow.artist == ArtistRow.artist)
            .where(ArtistRow.artist == artist, MemberRow.principal == principal)
        )
        found = self.session.execute(select).one_or_none()
        if found is None or (found[0].delete_time is not None and not show_deleted):
            raise MembershipNotFound(f"artists/{artist} does not exist or the principal has no role on it")
        row, role = found
        return Membership(row.artist, row.display_name, row.delete_time is not None, principal, Role(role))

    def add_member(self, member: Member) -> None:
        """Keep a new member."""
        taken = sa.select(MemberRow.uid).where(
            MemberRow.artist == member.artist, MemberRow.principal == member.principal
        )
        if self.session.scalar(taken) is not None:
            raise MemberExists("the principal is a member already; change its role instead")
        row = MemberRow(
            artist=member.artist,
            uid=member.uid,
            principal=member.principal,
            role=member.role.value,
            display_name=member.display_name,
            create_time=member.create_time,
            update_time=member.update_time,
        )
        try:
            with self.session.begin_nested():
                self.session.add(row)
        except sa.exc.IntegrityError as error:  # a twin came first
            raise MemberExists("the principal is a member already; change its role instead") from error

    def member(self, artist: str, uid: str) -> Member:
        """The member."""
        return to_member(self._member_row(artist, uid))

    def members(self, artist: str, *, size: int, token: str) -> Page[Member]:
        """The members, newest first."""
        self._artist_row(artist, deleted=False)
        rows, next_token = self.pager.page(
            self.session,
            sa.select(MemberRow).where(MemberRow.artist == artist),
            order=(MemberRow.create_time, MemberRow.uid),
            size=size,
            token=token,
            filter=f"members of {artist}",
        )
        return Page([to_member(row) for row in rows], next_token)

    def count_owners(self, artist: str) -> int:
        """How many owners there are; their rows stay locked until the end, so two owners cannot leave at once."""
        owners = sa.select(MemberRow.uid).where(MemberRow.artist == artist, MemberRow.role == Role.OWNER.value)
        return len(self.session.scalars(owners.with_for_update()).all())

    def change_member(self, artist: str, uid: str, etag: str, **columns: Any) -> Member:
        """Change columns if the etag fits."""
        row = self._member_row(artist, uid)
        key = [MemberRow.artist == artist, MemberRow.uid == uid]
        change(self.session, row, key, etag, lambda r: to_member(r).etag, self.clock, columns)
        return to_member(row)

    def remove_member(self, artist: str, uid: str, etag: str) -> None:
        """Remove the member if the etag fits."""
        row = self._member_row(artist, uid)
        check_etag(row, etag, lambda r: to_member(r).etag)
        self.session.delete(row)

    def profile(self, artist: str) -> Profile:
        """The profile of an artist that is not deleted."""
        return to_profile(self._profile_row(artist))

    def change_profile(self, artist: str, etag: str, **columns: Any) -> Profile:
        """Change columns if the etag fits."""
        row = self._profile_row(artist)
        key = [ProfileRow.artist == artist]
        change(self.session, row, key, etag, lambda r: to_profile(r).etag, self.clock, columns)
        return to_profile(row)

    def purge_artists(self, before: datetime, limit: int) -> list[str]:
        """Empty artists deleted before the moment; a platform job.

        The row itself stays, nameless, so that nobody can take the id and meet what other services still hold of it.
        """
        due = sa.select(ArtistRow.artist).where(ArtistRow.delete_time < before, ArtistRow.display_name != "")
        artists = list(self.session.scalars(due.limit(limit)))
        for table in (MemberRow, ProfileRow, LiveSetRow, CaptionRow, PromptTemplateRow, RequestRow):
            self.session.execute(sa.delete(table).where(table.artist.in_(artists)))
        emptied = sa.update(ArtistRow).where(ArtistRow.artist.in_(artists)).values(display_name="", description="")
        self.session.execute(emptied.execution_options(synchronize_session=False))
        return artists

    def _artist_row(self, artist: str, *, deleted: bool | None) -> ArtistRow:
        row = self.session.get(ArtistRow, artist)
        is_gone = row is None or not row.display_name
        if row is None or is_gone or (deleted is False and row.delete_time is not None):
            raise ArtistNotFound(f"artists/{artist} does not exist")
        if deleted and row.delete_time is None:
            raise ArtistNotDeleted(f"artists/{artist} is not deleted; there is nothing to bring back")
        return row

    def _member_row(self, artist: str, uid: str) -> MemberRow:
        self._artist_row(artist, deleted=False)
        row = self.session.get(MemberRow, {"artist": artist, "uid": uid})
        if row is None:
            raise MemberNotFound(f"artists/{artist}/members/{uid} does not exist")
        return row

    def _profile_row(self, artist: str) -> ProfileRow:
        self._artist_row(artist, deleted=False)
        row = self.session.get(ProfileRow, artist)
        if row is None:
            raise ArtistNotFound(f"artists/{artist} does not exist")
        return row
