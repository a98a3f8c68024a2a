"""Artists, members and profiles."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chassis.context import Role, in_request
from chassis.errors import EtagMismatch, FieldInvalid, PageTokenInvalid, RequestIdReused
from chassis.testing import FakeClock, caller_for
from services.prompt.domain.artists import (
    ArtistIdTaken,
    ArtistNotDeleted,
    ArtistNotFound,
    LastOwner,
    MemberExists,
    MembershipNotFound,
)
from tests.unit.prompt.house import House, ada, is_replayed

PLATFORM = caller_for("-")


def test_the_one_who_makes_an_artist_owns_it(house: House) -> None:
    artist = house.artists.create(PLATFORM, "", "Nova Tide", "", "")

    assert house.artists.membership(artist.id, "ada", show_deleted=False).role is Role.OWNER
    assert [found.id for found, _role in house.artists.list("ada", 0, "", show_deleted=False).items] == [artist.id]
    assert house.profiles.get(artist.id).master_schema == {}


def test_an_id_is_taken_once(nova: House) -> None:
    with pytest.raises(ArtistIdTaken):
        nova.artists.create(caller_for("-", principal="bob"), "nova", "Other", "", "")


def test_the_same_request_makes_one_artist(house: House) -> None:
    with in_request():
        first = house.artists.create(PLATFORM, "", "Nova", "", "r1")
        assert not is_replayed()
        assert house.artists.create(PLATFORM, "", "Nova", "", "r1") == first
        assert is_replayed()
    with pytest.raises(RequestIdReused):
        house.artists.create(PLATFORM, "", "Other", "", "r1")


@pytest.mark.parametrize(
    ("artist_id", "name"), [("No", "x"), ("a", "x"), ("nova", ""), ("nova", "x" * 201), ("nova", "a\x00")]
)
def test_bad_artists_are_refused(house: House, artist_id: str, name: str) -> None:
    with pytest.raises(FieldInvalid):
        house.artists.create(PLATFORM, artist_id, name, "", "")


def test_strangers_see_nothing(nova: House) -> None:
    assert nova.artists.list("bob", 0, "", show_deleted=True).items == []
    with pytest.raises(MembershipNotFound) as stranger:
        nova.artists.membership("nova", "bob", show_deleted=True)
    with pytest.raises(MembershipNotFound) as nobody:
        nova.artists.membership("missing", "bob", show_deleted=True)
    assert stranger.value.message.replace("nova", "missing") == nobody.value.message


def test_an_old_etag_changes_nothing(nova: House) -> None:
    old = nova.artists.get("nova").etag
    nova.artists.update("nova", old, {"display_name": "One"})

    with pytest.raises(EtagMismatch):
        nova.artists.update("nova", old, {"display_name": "Two"})

    assert nova.artists.get("nova").display_name == "One"


def test_a_deleted_artist_comes_back_within_thirty_days(nova: House) -> None:
    deleted = nova.artists.delete("nova", "")
    assert deleted.purge_time == nova.clock.now() + timedelta(days=30)
    assert nova.artists.delete("nova", "anything") == deleted
    with pytest.raises(ArtistNotFound):
        nova.profiles.get("nova")
    with pytest.raises(MembershipNotFound):
        nova.artists.membership("nova", "ada", show_deleted=False)
    assert nova.artists.membership("nova", "ada", show_deleted=True).is_deleted

    nova.artists.undelete("nova")

    assert nova.artists.get("nova").delete_time is None
    with pytest.raises(ArtistNotDeleted):
        nova.artists.undelete("nova")


def test_after_thirty_days_an_artist_is_gone_and_its_id_stays_taken(nova: House, clock: FakeClock) -> None:
    live_set = nova.add_live_set()
    nova.artists.delete("nova", "")
    clock.advance(timedelta(days=29).total_seconds())
    assert nova.purge() == 0

    clock.advance(timedelta(days=2).total_seconds())
    assert nova.purge() == 1

    with pytest.raises(ArtistNotFound):
        nova.artists.undelete("nova")
    with pytest.raises(ArtistIdTaken):
        nova.artists.create(caller_for("-", principal="bob"), "nova", "Bob's", "", "")
    assert nova.objects.head(live_set.blob_key) is None
    assert nova.purge() == 0


def test_members_come_and_go(nova: House) -> None:
    bob = nova.members.create(ada(), "nova", "bob", Role.VIEWER, "Bob", "")

    bob = nova.members.update("nova", bob.uid, bob.etag, {"role": Role.EDITOR})

    assert nova.artists.membership("nova", "bob", show_deleted=False).role is Role.EDITOR
    assert {member.principal for member in nova.members.list("nova", 0, "").items} == {"ada", "bob"}
    nova.members.delete("nova", bob.uid, bob.etag)
    with pytest.raises(MembershipNotFound):
        nova.artists.membership("nova", "bob", show_deleted=False)


def test_a_principal_is_a_member_once(nova: House) -> None:
    with pytest.raises(MemberExists):
        nova.members.create(ada(), "nova", "ada", Role.VIEWER, "", "")


def test_the_last_owner_stays(nova: House) -> None:
    owner = nova.members.list("nova", 0, "").items[0]

    with pytest.raises(LastOwner):
        nova.members.delete("nova", owner.uid, "")
    with pytest.raises(LastOwner):
        nova.members.update("nova", owner.uid, "", {"role": Role.VIEWER})

    nova.members.create(ada(), "nova", "bob", Role.OWNER, "", "")
    nova.members.delete("nova", owner.uid, "")


def test_pages_hold_everything_once(nova: House, clock: FakeClock) -> None:
    for number in range(5):
        clock.advance(1)
        nova.members.create(ada(), "nova", f"p{number}", Role.VIEWER, "", "")

    first = nova.members.list("nova", 4, "")
    second = nova.members.list("nova", 4, first.next_page_token)

    assert [member.principal for member in (*first.items, *second.items)] == ["p4", "p3", "p2", "p1", "p0", "ada"]
    assert second.next_page_token == ""
    with pytest.raises(PageTokenInvalid):
        nova.live_sets.list("nova", 4, first.next_page_token, show_deleted=False)


def test_a_profile_is_replaced_under_its_etag(nova: House) -> None:
    old = nova.profiles.get("nova")

    new = nova.profiles.update("nova", old.etag, {"master_schema": {"artist": {"name": "N"}}})

    assert new.master_schema == {"artist": {"name": "N"}}
    assert new.master_schema_sha256 != old.master_schema_sha256
    assert new.notes == ""
    with pytest.raises(EtagMismatch):
        nova.profiles.update("nova", old.etag, {"notes": "late"})


def test_a_bad_profile_is_refused(nova: House) -> None:
    with pytest.raises(FieldInvalid):
        nova.profiles.update("nova", "", {"master_schema": {"catalog": "none"}})
    with pytest.raises(FieldInvalid):
        nova.profiles.update("nova", "", {"notes": "x" * 4001})
