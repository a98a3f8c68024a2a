from __future__ import annotations

from dataclasses import replace

import pytest

from chassis.context import response_flags
from chassis.errors import EtagMismatch, FieldInvalid, RequestIdReused
from services.sessions.domain.errors import RevisionNotFound, SessionAudioMissing, SessionNotFound
from services.sessions.domain.sessions import AudioReference, AudioState, Readiness, SessionState
from services.sessions.use_cases.sessions import Changes
from tests.unit.sessions.conftest import OTHER_WAV, Room

STATE = {"version": 1.0, "controls": {"gain": 0.5}}
LOUDER = {"version": 1.0, "controls": {"gain": 0.9}}


def test_a_saved_session_is_read_back_as_it_was(room: Room) -> None:
    asset = room.upload()

    saved = room.save(asset, wild={"big": 1e20, "small": 5e-324, "nul": "\0", "list": [None, True, -0.5]})

    assert room.sessions.get("nova", saved.uid) == saved
    assert saved.newest.snapshot == {
        **STATE,
        "wild": {"big": 1e20, "small": 5e-324, "nul": "\0", "list": [None, True, -0.5]},
    }
    assert (saved.newest.number, saved.newest.principal, saved.state) == (1, "ada", SessionState.SAVED)


def test_the_same_request_id_saves_one_session(room: Room) -> None:
    first, second = (room.save(request_id="r") for _ in range(2))

    assert first == second
    assert response_flags().replayed
    with pytest.raises(RequestIdReused):
        room.save(request_id="r", more=1.0)


def test_a_session_without_a_name_gets_one(room: Room) -> None:
    assert room.sessions.create("nova", " ", STATE, []).display_name == "Untitled session"


def test_a_foreign_session_is_unknown(room: Room) -> None:
    saved = room.save()

    with pytest.raises(SessionNotFound):
        room.sessions.get("vega", saved.uid)


def test_lists_have_no_snapshots(room: Room) -> None:
    saved = room.save()

    listed = room.sessions.list("nova", show_deleted=False, size=0, token="").items

    assert listed == [replace(saved, newest=replace(saved.newest, snapshot=None))]


def test_saving_another_state_makes_a_revision(room: Room) -> None:
    saved = room.save()

    again = room.sessions.update("nova", saved.uid, Changes(snapshot=LOUDER), etag=saved.etag)

    assert (again.newest.number, again.newest.snapshot) == (2, LOUDER)
    assert again.etag != saved.etag


def test_saving_the_same_state_changes_nothing(room: Room) -> None:
    saved = room.save()

    again = room.sessions.update("nova", saved.uid, Changes(snapshot={**STATE, "captured_at": 9.0}), etag=saved.etag)

    assert again == saved


def test_saving_into_another_state_than_was_read_is_refused(room: Room) -> None:
    saved = room.save()
    room.sessions.update("nova", saved.uid, Changes(snapshot=LOUDER), etag=saved.etag)

    with pytest.raises(EtagMismatch):
        room.sessions.update("nova", saved.uid, Changes(snapshot=STATE), etag=saved.etag)


def test_renaming_makes_no_revision(room: Room) -> None:
    saved = room.save()

    renamed = room.sessions.update("nova", saved.uid, Changes(display_name="Dawn"), etag="")

    assert (renamed.display_name, renamed.newest) == ("Dawn", saved.newest)
    assert renamed.etag != saved.etag


def test_restoring_adds_a_revision_that_equals_the_old_one(room: Room) -> None:
    saved = room.save()
    room.sessions.update("nova", saved.uid, Changes(snapshot=LOUDER), etag="")

    restored = room.sessions.restore("nova", saved.uid, 1, etag="")

    numbers = [one.number for one in room.sessions.revisions("nova", saved.uid, size=0, token="").items]
    assert (restored.newest.number, restored.newest.restored_from, numbers) == (3, 1, [3, 2, 1])
    assert restored.newest.signature == saved.newest.signature


def test_an_unknown_revision_is_named(room: Room) -> None:
    saved = room.save()

    with pytest.raises(RevisionNotFound, match="the newest is 1"):
        room.sessions.restore("nova", saved.uid, 7, etag="")


def test_a_diff_says_what_changed_between_the_last_two(room: Room) -> None:
    saved = room.save()
    room.sessions.update("nova", saved.uid, Changes(snapshot=LOUDER), etag="")

    found = room.sessions.diff("nova", saved.uid, 0, 0)

    changes = [(one.path, one.before, one.after) for one in found.changes]
    assert (found.from_revision, found.to_revision) == (1, 2)
    assert changes == [("/snapshot/controls/gain", 0.5, 0.9)]


def test_dirty_means_changed(room: Room) -> None:
    saved = room.save()

    same = room.sessions.compare("nova", saved.uid, {**STATE, "capturedAt": 5.0}, [], "")
    other = room.sessions.compare("nova", saved.uid, LOUDER, [], "")
    by_signature = room.sessions.compare("nova", saved.uid, None, [], saved.newest.signature)

    assert (same.dirty, other.dirty, by_signature.dirty) == (False, True, False)


def test_dirty_needs_a_snapshot_or_a_signature(room: Room) -> None:
    saved = room.save()

    for members, signature in ((None, ""), (STATE, "0" * 64)):
        with pytest.raises(FieldInvalid):
            room.sessions.compare("nova", saved.uid, members, [], signature)


def test_a_copy_shares_the_audio_and_says_where_it_is_from(room: Room) -> None:
    asset = room.upload()
    saved = room.save(asset)

    copied = room.sessions.copy("nova", saved.uid, display_name="", revision=0, request_id="c")
    again = room.sessions.copy("nova", saved.uid, display_name="", revision=0, request_id="c")

    assert copied == again
    assert (copied.display_name, copied.copied_from) == ("Late night (copy)", saved.name)
    assert (copied.newest.signature, copied.newest.number) == (saved.newest.signature, 1)
    assert room.assets.get("nova", asset.uid).hold_count == 2


def test_saving_with_audio_that_is_not_there_names_it(room: Room) -> None:
    asset = room.upload()
    room.assets.delete("nova", asset.uid, etag="")

    with pytest.raises(SessionAudioMissing, match=asset.uid):
        room.save(asset)

    assert not room.sessions.list("nova", show_deleted=True, size=0, token="").items


@pytest.mark.parametrize(
    "reference",
    [
        AudioReference("", "full", "artists/nova/assets/1"),
        AudioReference("a", "", "artists/nova/assets/1"),
        AudioReference("a", "full"),
        AudioReference("a", "full", "artists/vega/assets/1"),
        AudioReference("a", "full", "nova/assets/1"),
        AudioReference("a", "full", separation="artists/nova/assets/1"),
    ],
)
def test_a_bad_reference_is_refused(room: Room, reference: AudioReference) -> None:
    with pytest.raises(FieldInvalid) as caught:
        room.sessions.create("nova", "", STATE, [reference])

    assert caught.value.violations[0].field.startswith("audio[0]")


def test_one_place_holds_one_recording(room: Room) -> None:
    pending = AudioReference("a", "vocals", separation="artists/nova/separations/1")

    with pytest.raises(FieldInvalid, match="one reference per track and role"):
        room.sessions.create("nova", "", STATE, [pending, pending])


def test_audio_of_older_revisions_stays_held(room: Room) -> None:
    first, second = room.upload(), room.upload(OTHER_WAV)
    saved = room.save(first)

    room.sessions.update("nova", saved.uid, Changes(audio=[AudioReference("deck-0", "full", second.name)]), etag="")

    assert [room.assets.get("nova", one.uid).hold_count for one in (first, second)] == [1, 1]


def test_deleting_releases_the_audio_and_undeleting_holds_it_again(room: Room) -> None:
    asset = room.upload()
    saved = room.save(asset)

    deleted = room.sessions.delete("nova", saved.uid, etag=saved.etag)
    released = room.assets.get("nova", asset.uid).hold_count
    back = room.sessions.undelete("nova", saved.uid)

    assert (deleted.state, released, back.state) == (SessionState.DELETED, 0, SessionState.SAVED)
    assert room.assets.get("nova", asset.uid).hold_count == 1


def test_a_deleted_session_cannot_be_saved_into_or_opened(room: Room) -> None:
    saved = room.save()
    room.sessions.delete("nova", saved.uid, etag="")

    with pytest.raises(SessionNotFound):
        room.sessions.update("nova", saved.uid, Changes(snapshot=LOUDER), etag="")
    with pytest.raises(SessionNotFound):
        room.sessions.open("nova", saved.uid)


def test_opening_a_whole_session_reports_it_complete(room: Room) -> None:
    saved = room.save(room.upload())

    session, report = room.sessions.open("nova", saved.uid)

    assert (session, report.readiness) == (saved, Readiness.COMPLETE)
    assert [one.state for one in report.audio] == [AudioState.PRESENT]


def test_opening_tells_pending_deleted_and_missing_apart(room: Room) -> None:
    gone, deleted = room.upload(), room.upload(OTHER_WAV)
    references = [
        AudioReference("a", "full", gone.name),
        AudioReference("b", "full", deleted.name),
        AudioReference("b", "vocals", separation="artists/nova/separations/1"),
    ]
    saved = room.sessions.create("nova", "", STATE, references)
    room.blobs.delete(gone.blob_key)
    room.sessions.delete("nova", saved.uid, etag="")
    room.assets.delete("nova", deleted.uid, etag="")
    room.sessions.undelete("nova", saved.uid)

    report = room.sessions.open("nova", saved.uid)[1]

    assert report.readiness is Readiness.MISSING_AUDIO_ASSET
    assert [one.state for one in report.audio] == [AudioState.MISSING, AudioState.DELETED, AudioState.PENDING]
    assert "1 missing" in report.message
    assert "1 deleted" in report.message


def test_opening_with_stems_still_being_made_says_so(room: Room) -> None:
    pending = AudioReference("b", "vocals", separation="artists/nova/separations/1")
    saved = room.sessions.create("nova", "", STATE, [pending])

    assert room.sessions.open("nova", saved.uid)[1].readiness is Readiness.STEMS_NOT_READY


def test_lost_audio_does_not_keep_anybody_from_saving_the_rest(room: Room) -> None:
    asset = room.upload()
    saved = room.save(asset)
    room.sessions.delete("nova", saved.uid, etag="")
    room.assets.delete("nova", asset.uid, etag="")
    room.sessions.undelete("nova", saved.uid)

    again = room.sessions.update("nova", saved.uid, Changes(snapshot=LOUDER), etag="")

    assert again.newest.number == 2
