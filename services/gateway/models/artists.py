"""JSON shapes of tonewright.artists.v1, made by `tools/openapi.py`; never edited."""

# ruff: noqa: E501
from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from services.gateway.shapes import (
    Flag,
    In,
    Int64,
    Object,
    Out,
    Text,
    Time,
)


class Artist(Out):
    """An artist: a tenant of the platform. All other resources live under its name."""

    name: str = Field(description="`artists/{artist}`.", examples=["artists/nova"])
    display_name: str = Field(
        description="The artist's name as people write it, 1 to 200 characters. Need not be unique.",
        examples=["Night drive"],
    )
    description: str = Field(description="Free text about the artist, up to 4,000 characters.")
    create_time: Time | None = Field(description="When it was made.", examples=["2026-11-21T10:00:00.000000Z"])
    update_time: Time | None = Field(description="When it last changed.", examples=["2026-11-21T10:00:00.000000Z"])
    delete_time: Time | None = Field(
        description="When it was deleted; absent while it is not.", examples=["2026-11-21T10:00:00.000000Z"]
    )
    purge_time: Time | None = Field(
        description="When a deleted artist is removed for good; absent while it is not deleted.",
        examples=["2026-11-21T10:00:00.000000Z"],
    )
    etag: str = Field(description="Changes with every change of the artist.", examples=["5f1d2c3b4a596877"])


class CreateArtistQuery(In):
    """Asks for a new artist."""

    artist_id: str | None = Field(
        default=None,
        description="The last part of the artist's name, `[a-z][a-z0-9-]{2,62}`, unique on the platform; empty: one is made.",
    )


class CreateArtistBody(In):
    """Asks for a new artist."""

    display_name: Text = Field(
        description="The artist's name as people write it, 1 to 200 characters. Need not be unique.",
        examples=["Night drive"],
    )
    description: Text | None = Field(default=None, description="Free text about the artist, up to 4,000 characters.")


class ListArtistsResponse(Out):
    """One page of artists."""

    artists: list[Artist] = Field(description="Newest first.")
    next_page_token: str = Field(description="Asks for the next page; empty at the end.")


class ListArtistsQuery(In):
    """Asks for the caller's artists."""

    page_size: int | None = Field(default=None, description="How many at most, 0 to 1000; 0 means 50.")
    page_token: str | None = Field(
        default=None, description="`next_page_token` of the page before; empty for the first page."
    )
    show_deleted: bool | None = Field(
        default=None, description="True also lists the deleted ones that can still be brought back. Default false."
    )


class UpdateArtistBody(In):
    """Asks for a change of an artist."""

    display_name: Text | None = Field(
        default=None,
        description="The artist's name as people write it, 1 to 200 characters. Need not be unique.",
        examples=["Night drive"],
    )
    description: Text | None = Field(default=None, description="Free text about the artist, up to 4,000 characters.")


class Role(StrEnum):
    """What a member may do; each role may do all that the ones after it may."""

    OWNER = "OWNER"
    EDITOR = "EDITOR"
    VIEWER = "VIEWER"


class Member(Out):
    """A principal's role on an artist."""

    name: str = Field(
        description="`artists/{artist}/members/{member}`.",
        examples=["artists/nova/members/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    principal: str = Field(
        description="Who it is, as the identity provider or the key file names them, 1 to 255 characters. Fixed once made.",
        examples=["oidc:7d5f0c"],
    )
    role: Role | None = Field(description="What they may do.", examples=["OWNER"])
    display_name: str = Field(description="How to call them, up to 200 characters.", examples=["Night drive"])
    create_time: Time | None = Field(description="When they became a member.", examples=["2026-11-21T10:00:00.000000Z"])
    update_time: Time | None = Field(description="When it last changed.", examples=["2026-11-21T10:00:00.000000Z"])
    etag: str = Field(description="Changes with every change of the member.", examples=["5f1d2c3b4a596877"])


class CreateMemberBody(In):
    """Asks for a new member."""

    principal: Text = Field(
        description="Who it is, as the identity provider or the key file names them, 1 to 255 characters. Fixed once made.",
        examples=["oidc:7d5f0c"],
    )
    role: Role = Field(description="What they may do.", examples=["OWNER"])
    display_name: Text | None = Field(
        default=None, description="How to call them, up to 200 characters.", examples=["Night drive"]
    )


class ListMembersResponse(Out):
    """One page of members."""

    members: list[Member] = Field(description="Newest first.")
    next_page_token: str = Field(description="Asks for the next page; empty at the end.")


class ListMembersQuery(In):
    """Asks for an artist's members."""

    page_size: int | None = Field(default=None, description="How many at most, 0 to 1000; 0 means 50.")
    page_token: str | None = Field(
        default=None, description="`next_page_token` of the page before; empty for the first page."
    )


class UpdateMemberBody(In):
    """Asks for a change of a member."""

    principal: Text | None = Field(
        default=None,
        description="Who it is, as the identity provider or the key file names them, 1 to 255 characters. Fixed once made.",
        examples=["oidc:7d5f0c"],
    )
    role: Role | None = Field(default=None, description="What they may do.", examples=["OWNER"])
    display_name: Text | None = Field(
        default=None, description="How to call them, up to 200 characters.", examples=["Night drive"]
    )


class DeleteMemberResponse(Out):
    """Says that the member is off."""

    pass


class Profile(Out):
    """What is known of an artist's style; feeds captions and chat."""

    name: str = Field(description="`artists/{artist}/profile`.", examples=["artists/nova/profile"])
    display_name: str = Field(
        description="Title of the profile, up to 200 characters; empty: the artist's name.", examples=["Night drive"]
    )
    notes: str = Field(description="Free notes on style for people and captions, up to 4,000 characters.")
    master_schema: Object | None = Field(
        description="The artist's style as a document (`artist`, `catalog`, `semantic_views`, `creative_policy`, ...). Known keys are checked for type, unknown keys are kept. At most 256 KiB as JSON, 12 levels deep, 5,000 values.",
        examples=[{}],
    )
    master_schema_sha256: str = Field(description="SHA-256 of the document as canonical JSON, lower-case hex.")
    create_time: Time | None = Field(
        description="When the profile was made, with its artist.", examples=["2026-11-21T10:00:00.000000Z"]
    )
    update_time: Time | None = Field(description="When it last changed.", examples=["2026-11-21T10:00:00.000000Z"])
    etag: str = Field(description="Changes with every change of the profile.", examples=["5f1d2c3b4a596877"])


class UpdateProfileBody(In):
    """Asks for a change of a profile."""

    display_name: Text | None = Field(
        default=None,
        description="Title of the profile, up to 200 characters; empty: the artist's name.",
        examples=["Night drive"],
    )
    notes: Text | None = Field(
        default=None, description="Free notes on style for people and captions, up to 4,000 characters."
    )
    master_schema: Object | None = Field(
        default=None,
        description="The artist's style as a document (`artist`, `catalog`, `semantic_views`, `creative_policy`, ...). Known keys are checked for type, unknown keys are kept. At most 256 KiB as JSON, 12 levels deep, 5,000 values.",
        examples=[{}],
    )


class Membership(Out):
    """A principal's role on one artist, as the gateway needs it."""

    artist: str = Field(
        description="`artists/{artist}`.", examples=["artists/nova/artists/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"]
    )
    principal: str = Field(description="The principal.", examples=["oidc:7d5f0c"])
    role: Role | None = Field(description="What it may do.", examples=["OWNER"])
    artist_deleted: bool = Field(
        description="True when the artist is deleted and can still be brought back.", examples=[False]
    )
    artist_display_name: str = Field(description="The artist's name as people write it.")


class ResolveMembershipBody(In):
    """Asks for a role."""

    principal: Text = Field(description="The principal, 1 to 255 characters.", examples=["oidc:7d5f0c"])
    show_deleted: Flag | None = Field(
        default=None,
        description="True also answers for a deleted artist, as UndeleteArtist needs. Default false: NOT_FOUND.",
        examples=[False],
    )


class ListMembershipsResponse(Out):
    """One page of roles."""

    memberships: list[Membership] = Field(description="Newest first.")
    next_page_token: str = Field(description="Asks for the next page; empty at the end.")


class ListMembershipsQuery(In):
    """Asks for the roles of a principal."""

    principal: str = Field(description="The principal, 1 to 255 characters.")
    page_size: int | None = Field(default=None, description="How many at most, 0 to 1000; 0 means 50.")
    page_token: str | None = Field(
        default=None, description="`next_page_token` of the page before; empty for the first page."
    )


class SearchArtistsResponse(Out):
    """One page of artists of the platform."""

    artists: list[Artist] = Field(description="Newest first.")
    next_page_token: str = Field(description="Asks for the next page; empty at the end.")


class SearchArtistsQuery(In):
    """Asks for artists of the whole platform."""

    query: str | None = Field(default=None, description="Part of a display name; empty: all.")
    page_size: int | None = Field(default=None, description="How many at most, 0 to 1000; 0 means 50.")
    page_token: str | None = Field(
        default=None, description="`next_page_token` of the page before; empty for the first page."
    )
    show_deleted: bool | None = Field(default=None, description="True also lists deleted ones. Default false.")


class Quota(Out):
    """Limits of an artist and how much of them is used; a limit of 0 means none."""

    name: str = Field(description="`artists/{artist}/quota`.", examples=["artists/nova/quota"])
    limit_bytes: int = Field(description="Bytes that all assets may take together.", examples=[1])
    limit_jobs: int = Field(description="Jobs that may be queued or running at once.", examples=[1])
    limit_spend_cents: int = Field(
        description="US cents that trainings and captions may cost in a month.", examples=[1]
    )
    used_bytes: int = Field(description="Bytes in use.", examples=[1])
    used_jobs: int = Field(description="Jobs queued or running.", examples=[1])
    used_spend_cents: int = Field(description="US cents spent this month.", examples=[1])
    etag: str = Field(description="Changes with every change of the limits.", examples=["5f1d2c3b4a596877"])


class UpdateQuotaBody(In):
    """Asks for other limits."""

    limit_bytes: Int64 | None = Field(
        default=None, description="Bytes that all assets may take together.", examples=[1]
    )
    limit_jobs: Int64 | None = Field(
        default=None, description="Jobs that may be queued or running at once.", examples=[1]
    )
    limit_spend_cents: Int64 | None = Field(
        default=None, description="US cents that trainings and captions may cost in a month.", examples=[1]
    )


class AuditEntry(Out):
    """One thing that somebody did."""

    principal: str = Field(description="Who.", examples=["oidc:7d5f0c"])
    method: str = Field(description="What, the full name of the RPC.")
    resource: str = Field(description="To which resource.")
    create_time: Time | None = Field(description="When.", examples=["2026-11-21T10:00:00.000000Z"])


class ListAuditEntriesResponse(Out):
    """One page of what was done."""

    audit_entries: list[AuditEntry] = Field(description="Newest first.")
    next_page_token: str = Field(description="Asks for the next page; empty at the end.")


class ListAuditEntriesQuery(In):
    """Asks who did what."""

    page_size: int | None = Field(default=None, description="How many at most, 0 to 1000; 0 means 50.")
    page_token: str | None = Field(
        default=None, description="`next_page_token` of the page before; empty for the first page."
    )


# What each RPC gives, by service and method.
DOCS: dict[str, str] = {
    "ArtistsService.CreateArtist": "Makes an artist; the calling principal becomes its owner. Platform scope: the token names no artist.",
    "ArtistsService.GetArtist": "Gives one artist.",
    "ArtistsService.ListArtists": "Lists the artists that the calling principal is a member of, newest first. Platform scope.",
    "ArtistsService.UpdateArtist": "Changes the fields named in the mask. Needs the editor role.",
    "ArtistsService.DeleteArtist": "Deletes an artist softly: hidden at once, gone after 30 days. Needs the owner role. A repeat answers the same.",
    "ArtistsService.UndeleteArtist": "Brings a deleted artist back within its 30 days. Needs the owner role.",
    "ArtistsService.CreateMember": "Gives a principal a role on an artist. Needs the owner role.",
    "ArtistsService.GetMember": "Gives one member.",
    "ArtistsService.ListMembers": "Lists the members of an artist, newest first.",
    "ArtistsService.UpdateMember": "Changes a member's role or display name. Needs the owner role; the last owner stays an owner.",
    "ArtistsService.DeleteMember": "Takes a member off an artist. Needs the owner role; the last owner stays.",
    "ArtistsService.GetProfile": "Gives the profile of an artist; every artist has one, empty at first.",
    "ArtistsService.UpdateProfile": "Replaces the fields of the profile named in the mask.",
    "ArtistsService.ResolveMembership": "Says which role a principal has on an artist; NOT_FOUND when it has none. Platform scope, for the gateway.",
    "ArtistsService.ListMemberships": "Lists every artist of a principal with its role, newest first. Platform scope, for the gateway.",
    "ArtistsService.SearchArtists": "Lists all artists of the platform, newest first. For operators.",
    "ArtistsService.GetQuota": "Gives the limits of an artist and how much of them is used. For operators.",
    "ArtistsService.UpdateQuota": "Changes the limits of an artist. For operators.",
    "ArtistsService.ExportArtist": "Writes everything that all services keep of an artist into one archive. For operators; long work.",
    "ArtistsService.PurgeArtist": "Removes everything that all services keep of a deleted artist, at once and for good. For operators; long work.",
    "ArtistsService.ListAuditEntries": "Lists who did what to an artist, newest first. For operators.",
}
