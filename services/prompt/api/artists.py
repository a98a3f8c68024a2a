"""ArtistsService over gRPC."""

from __future__ import annotations

from typing import Any

from google.protobuf.struct_pb2 import Struct

from chassis.context import Role, caller
from services.prompt.api.messages import artist_in, changes_of, from_struct, ids_in, time_of, to_struct
from services.prompt.domain.artists import Artist, Member, Profile
from services.prompt.domain.ports import Run
from services.prompt.use_cases.artists import Artists, Members, Profiles
from tonewright.artists.v1 import artists_pb2 as pb
from tonewright.artists.v1 import artists_pb2_grpc

_ROLES = {pb.ROLE_OWNER: Role.OWNER, pb.ROLE_EDITOR: Role.EDITOR, pb.ROLE_VIEWER: Role.VIEWER}
_WIRE_ROLES = {role: wire for wire, role in _ROLES.items()}
_MEMBER = "artists/{artist}/members/{member}"
_PROFILE = "artists/{artist}/profile"


class ArtistsServicer(artists_pb2_grpc.ArtistsServiceServicer):
    """Artists, members and profiles."""

    def __init__(self, artists: Artists, members: Members, profiles: Profiles, run: Run) -> None:
        self._artists = artists
        self._members = members
        self._profiles = profiles
        self._run = run

    async def CreateArtist(self, request: pb.CreateArtistRequest, context: Any) -> pb.Artist:
        """A new artist of the caller."""
        asked = request.artist
        return artist_message(
            await self._run(
                self._artists.create,
                caller(),
                request.artist_id,
                asked.display_name,
                asked.description,
                request.request_id,
            )
        )

    async def GetArtist(self, request: pb.GetArtistRequest, context: Any) -> pb.Artist:
        """One artist."""
        return artist_message(await self._run(self._artists.get, artist_in(request.name)))

    async def ListArtists(self, request: pb.ListArtistsRequest, context: Any) -> pb.ListArtistsResponse:
        """The caller's artists."""
        page = await self._run(
            self._artists.list,
            caller().principal,
            request.page_size,
            request.page_token,
            show_deleted=request.show_deleted,
        )
        artists = [artist_message(artist) for artist, _role in page.items]
        return pb.ListArtistsResponse(artists=artists, next_page_token=page.next_page_token)

    async def UpdateArtist(self, request: pb.UpdateArtistRequest, context: Any) -> pb.Artist:
        """The artist with other texts."""
        artist = artist_in(request.artist.name, "artist.name")
        changes = changes_of(request.artist, request.update_mask, ("display_name", "description"))
        return artist_message(await self._run(self._artists.update, artist, request.artist.etag, changes))

    async def DeleteArtist(self, request: pb.DeleteArtistRequest, context: Any) -> pb.Artist:
        """The deleted artist."""
        return artist_message(await self._run(self._artists.delete, artist_in(request.name), request.etag))

    async def UndeleteArtist(self, request: pb.UndeleteArtistRequest, context: Any) -> pb.Artist:
        """The artist, back again."""
        return artist_message(await self._run(self._artists.undelete, artist_in(request.name)))

    async def CreateMember(self, request: pb.CreateMemberRequest, context: Any) -> pb.Member:
        """A new member."""
        asked = request.member
        return member_message(
            await self._run(
                self._members.create,
                caller(),
                artist_in(request.parent, "parent"),
                asked.principal,
                _ROLES.get(asked.role),
                asked.display_name,
                request.request_id,
            )
        )

    async def GetMember(self, request: pb.GetMemberRequest, context: Any) -> pb.Member:
        """One member."""
        return member_message(await self._run(self._members.get, *ids_in(_MEMBER, request.name)))

    async def ListMembers(self, request: pb.ListMembersRequest, context: Any) -> pb.ListMembersResponse:
        """The members of an artist."""
        artist = artist_in(request.parent, "parent")
        page = await self._run(self._members.list, artist, request.page_size, request.page_token)
        members = [member_message(member) for member in page.items]
        return pb.ListMembersResponse(members=members, next_page_token=page.next_page_token)

    async def UpdateMember(self, request: pb.UpdateMemberRequest, context: Any) -> pb.Member:
        """The member with another role or name."""
        ids = ids_in(_MEMBER, request.member.name, "member.name")
        changes = changes_of(request.member, request.update_mask, ("role", "display_name"))
        if "role" in changes:
            changes["role"] = _ROLES.get(changes["role"])
        return member_message(await self._run(self._members.update, *ids, request.member.etag, changes))

    async def DeleteMember(self, request: pb.DeleteMemberRequest, context: Any) -> pb.DeleteMemberResponse:
        """Nothing; the member is off."""
        await self._run(self._members.delete, *ids_in(_MEMBER, request.name), request.etag)
        return pb.DeleteMemberResponse()

    async def GetProfile(self, request: pb.GetProfileRequest, context: Any) -> pb.Profile:
        """The profile."""
        return profile_message(await self._run(self._profiles.get, *ids_in(_PROFILE, request.name)))

    async def UpdateProfile(self, request: pb.UpdateProfileRequest, context: Any) -> pb.Profile:
        """The profile with other texts or another document."""
        ids = ids_in(_PROFILE, request.profile.name, "profile.name")
        changes = changes_of(request.profile, request.update_mask, ("display_name", "notes", "master_schema"))
        if isinstance(document := changes.get("master_schema"), Struct):
            changes["master_schema"] = from_struct(document, "profile.master_schema")
        return profile_message(await self._run(self._profiles.update, *ids, request.profile.etag, changes))

    async def ResolveMembership(self, request: pb.ResolveMembershipRequest, context: Any) -> pb.Membership:
        """The role of a principal."""
        found = await self._run(
            self._artists.membership,
            artist_in(request.artist, "artist"),
            request.principal,
            show_deleted=request.show_deleted,
        )
        return pb.Membership(
            artist=f"artists/{found.artist}",
            principal=found.principal,
            role=_WIRE_ROLES[found.role],
            artist_deleted=found.is_deleted,
            artist_display_name=found.artist_display_name,
        )

    async def ListMemberships(self, request: pb.ListMembershipsRequest, context: Any) -> pb.ListMembershipsResponse:
        """The roles of a principal."""
        page = await self._run(
            self._artists.list, request.principal, request.page_size, request.page_token, show_deleted=True
        )
        memberships = [
            pb.Membership(
                artist=artist.name,
                principal=request.principal,
                role=_WIRE_ROLES[role],
                artist_deleted=artist.delete_time is not None,
                artist_display_name=artist.display_name,
            )
            for artist, role in page.items
        ]
        return pb.ListMembershipsResponse(memberships=memberships, next_page_token=page.next_page_token)


def artist_message(artist: Artist) -> pb.Artist:
    """The artist as a message."""
    return pb.Artist(
        name=artist.name,
        display_name=artist.display_name,
        description=artist.description,
        create_time=time_of(artist.create_time),
        update_time=time_of(artist.update_time),
        delete_time=time_of(artist.delete_time),
        purge_time=time_of(artist.purge_time),
        etag=artist.etag,
    )


def member_message(member: Member) -> pb.Member:
    """The member as a message."""
    return pb.Member(
        name=member.name,
        principal=member.principal,
        role=_WIRE_ROLES[member.role],
        display_name=member.display_name,
        create_time=time_of(member.create_time),
        update_time=time_of(member.update_time),
        etag=member.etag,
    )


def profile_message(profile: Profile) -> pb.Profile:
    """The profile as a message."""
    return pb.Profile(
        name=profile.name,
        display_name=profile.display_name,
        notes=profile.notes,
        master_schema=to_struct(profile.master_schema),
        master_schema_sha256=profile.master_schema_sha256,
        create_time=time_of(profile.create_time),
        update_time=time_of(profile.update_time),
        etag=profile.etag,
    )
