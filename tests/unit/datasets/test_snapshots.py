import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest

from chassis.errors import DependencyUnavailable, EtagMismatch, FieldInvalid
from services.datasets.api.export_messages import to_export
from services.datasets.api.snapshot_messages import to_snapshot
from services.datasets.domain.captions import LiveSetFacts
from services.datasets.domain.exports import AudioMissing, ExportFormat, ItemsNotExportable, NothingToExport
from services.datasets.domain.findings import Finding, Severity
from services.datasets.domain.items import Consent, Selection, TrainingItem
from services.datasets.domain.snapshots import Snapshot, SnapshotInUse, SnapshotMember, SnapshotNotFound
from services.datasets.use_cases.exports import ExportWish
from services.datasets.use_cases.items import ItemFacts
from services.datasets.use_cases.snapshots import SnapshotWish
from tests.unit.datasets.house import ARTIST, House, key

LIVE_SET = f"artists/{ARTIST}/live-sets/l1"


def item(house: House, uid: str, *, facts: dict[str, object] | None = None, **audio: object) -> TrainingItem:
    house.clock.advance(1)
    asset = house.assets.keep(uid, **audio)  # type: ignore[arg-type]
    given = {"caption": f"Take {uid}. BPM: 90", **(facts or {})}
    return house.items.create(ARTIST, ItemFacts(asset=asset, **given), key())  # type: ignore[arg-type]


def freeze(house: House, *uids: str, title: str = "", request_id: str = "", new_since: str = "") -> Snapshot:
    wish = SnapshotWish(title, Selection(uids, (), new_since))
    return house.snapshots.create(ARTIST, "ada", wish, key(request_id))


def members(house: House, snapshot: Snapshot) -> list[SnapshotMember]:
    return house.snapshots.member_page(ARTIST, snapshot.uid, size=0, token="").items


def heard(house: House, uid: str, **facts: object) -> None:
    name = f"artists/{ARTIST}/assets/{uid}"
    house.assets.audios[name] = replace(house.assets.audios[name], **facts)  # type: ignore[arg-type]


def test_a_snapshot_freezes_ready_items_oldest_first_with_all_that_is_known(house: House) -> None:
    consent = Consent(training_allowed=True, given_by="Ada")
    first = item(house, "a1", facts={"licence": "CC-BY-4.0", "consent": consent, "provenance": {"seed": 7}})
    second = item(house, "a2")

    made = freeze(house, title="Spring")

    kept = members(house, made)
    assert [member.item_uid for member in kept] == [first.uid, second.uid]
    assert (kept[0].caption, kept[0].caption_revision, kept[0].content_revision) == ("Take a1. BPM: 90", 1, 1)
    assert (kept[0].licence, kept[0].consent, kept[0].provenance) == ("CC-BY-4.0", consent, first.provenance)
    assert (made.display_name, made.item_count, made.duration_s) == ("Spring", 2, 80.0)


def test_later_edits_and_deletions_change_nothing_in_it(house: House) -> None:
    kept, gone = item(house, "a1"), item(house, "a2")
    made = freeze(house)

    house.items.update(ARTIST, kept.uid, ItemFacts(caption="Other words. BPM: 91"), {"caption"}, "")
    house.items.delete(ARTIST, gone.uid, "")

    assert [member.caption for member in members(house, made)] == ["Take a1. BPM: 90", "Take a2. BPM: 90"]
    assert house.snapshots.get(ARTIST, made.uid) == made


def test_its_hash_is_that_of_the_canonical_manifest(house: House) -> None:
    item(house, "a1")
    member = {"audio_sha256": "a1", "caption": "Take a1. BPM: 90", "key": "", "tempo_bpm": 0, "time_signature": ""}
    manifest = json.dumps({"members": [member], "version": 1}, separators=(",", ":"), sort_keys=True)

    assert freeze(house).content_sha256 == hashlib.sha256(manifest.encode()).hexdigest()


def test_equal_content_in_equal_order_has_an_equal_hash(house: House) -> None:
    first, second = item(house, "a1"), item(house, "a2")
    one, other = freeze(house), freeze(house, first.uid, second.uid, title="Again")
    turned = freeze(house, second.uid, first.uid)

    assert one.content_sha256 == other.content_sha256
    assert turned.content_sha256 != one.content_sha256


def test_musical_facts_come_from_the_person_the_live_set_or_the_audio(house: House) -> None:
    house.captions.known_live_sets[LIVE_SET] = LiveSetFacts(LIVE_SET, "Set", "s.als", "f" * 64, 124.0, "6/8", "B minor")
    for uid in ("a1", "a2", "a3", "a4"):
        house.assets.keep(uid)
    for uid, confidence in (("a3", 0.9), ("a4", 0.2)):
        heard(house, uid, tempo_bpm=90.4, tempo_confidence=confidence, key="C major", key_confidence=confidence)
    facts: tuple[dict[str, Any], ...] = (
        {"live_set": LIVE_SET, "tempo_bpm": 140.0, "key": "D minor"},
        {"live_set": LIVE_SET},
        {},
        {},
    )
    for uid, bpm, given in zip(("a1", "a2", "a3", "a4"), (140, 124, 90, 90), facts, strict=True):
        house.clock.advance(1)
        asset = f"artists/{ARTIST}/assets/{uid}"
        house.items.create(ARTIST, ItemFacts(asset=asset, caption=f"Take {uid}. BPM: {bpm}", **given), key())

    kept = members(house, freeze(house))

    assert [member.tempo_bpm for member in kept] == [140.0, 124.0, 90.4, 0.0]
    assert [member.key for member in kept] == ["D minor", "B minor", "C major", ""]
    assert [member.time_signature for member in kept] == ["6/8", "6/8", "", ""]
    assert [member.live_set_sha256 for member in kept] == ["f" * 64, "f" * 64, "", ""]


def test_captions_are_checked_again(house: House) -> None:
    item(house, "a1")
    broken = item(house, "a2")
    house.captions.broken["Take a2. BPM: 90"] = (Finding("P8", "it names somebody", severity=Severity.ERROR),)

    with pytest.raises(ItemsNotExportable, match="E5: P8: it names somebody") as caught:
        freeze(house)
    house.captions.broken.clear()
    made = freeze(house)

    assert [violation.field for violation in caught.value.violations] == [broken.name]
    names = {member.item_name for member in members(house, made)}
    assert {finding.training_item for finding in made.findings if finding.reason == "P6"} == names


def test_every_unusable_item_is_named_with_what_to_do(house: House) -> None:
    bare = house.items.create(ARTIST, ItemFacts(caption="Only words. BPM: 90"), key())
    silent = house.items.create(ARTIST, ItemFacts(asset=house.assets.keep("a1")), key())

    with pytest.raises(ItemsNotExportable) as caught:
        freeze(house, bare.uid, silent.uid)

    told = {violation.field: violation.description for violation in caught.value.violations}
    assert told == {
        bare.name: "E2: it has no audio; attach an asset",
        silent.name: "E10: it has no caption; write or generate one",
    }


def test_nothing_ready_is_nothing_to_freeze(house: House) -> None:
    with pytest.raises(NothingToExport, match="E1"):
        freeze(house)


def test_new_since_leaves_out_what_an_earlier_one_holds_as_it_is(house: House) -> None:
    changed = item(house, "a1")
    item(house, "a2")
    before = freeze(house)
    house.items.update(ARTIST, changed.uid, ItemFacts(caption="Other words. BPM: 91"), {"caption"}, "")
    added = item(house, "a3")

    made = freeze(house, new_since=before.uid)

    assert [member.item_uid for member in members(house, made)] == [changed.uid, added.uid]
    with pytest.raises(SnapshotNotFound):
        freeze(house, new_since="0" * 32)
    with pytest.raises(NothingToExport, match="nothing is new since"):
        freeze(house, new_since=freeze(house).uid)


def test_it_holds_its_audio_until_it_is_deleted(house: House) -> None:
    item(house, "a1")
    made = freeze(house)
    hold = (f"artists/{ARTIST}/assets/a1", made.name)
    assert hold in house.assets.holds

    house.snapshots.delete(ARTIST, made.uid, made.etag)
    for release in house.releases.due(10):
        house.assets.release(release.asset, release.holder)

    assert hold not in house.assets.holds
    with pytest.raises(SnapshotNotFound):
        house.snapshots.get(ARTIST, made.uid)


def test_audio_that_is_gone_keeps_a_snapshot_from_being_made(house: House) -> None:
    item(house, "a1")
    house.assets.audios.clear()

    with pytest.raises(AudioMissing):
        freeze(house)

    assert house.snapshots.page(ARTIST, size=0, token="").items == []
    assert [release.asset for release in house.releases.due(10)] == [""]


def test_audio_that_changed_under_an_item_is_refused(house: House) -> None:
    made_of = item(house, "a1")
    heard(house, "a1", sha256="other")

    with pytest.raises(ItemsNotExportable, match="E11") as caught:
        freeze(house)

    assert [violation.field for violation in caught.value.violations] == [made_of.name]


def test_the_same_request_makes_one_snapshot(house: House) -> None:
    item(house, "a1")

    first, second = freeze(house, request_id="r1"), freeze(house, request_id="r1")

    assert first == second
    assert len(house.snapshots.page(ARTIST, size=0, token="").items) == 1


def test_one_that_an_export_is_made_of_cannot_be_deleted(house: House) -> None:
    item(house, "a1")
    made = freeze(house)
    export = house.exports.create(ARTIST, "ada", ExportWish(snapshot_uid=made.uid), key())

    with pytest.raises(SnapshotInUse, match="1 exports are made of"):
        house.snapshots.delete(ARTIST, made.uid, "")
    house.work()
    house.exports.delete(ARTIST, export.uid, "")
    with pytest.raises(EtagMismatch):
        house.snapshots.delete(ARTIST, made.uid, "1-other")
    house.snapshots.delete(ARTIST, made.uid, "")

    assert house.snapshots.page(ARTIST, size=0, token="").items == []


def test_an_export_of_a_selection_brings_its_own_snapshot_and_takes_it_along(house: House) -> None:
    item(house, "a1")
    export = house.exports.create(ARTIST, "ada", ExportWish(display_name="Night set"), key())

    (own,) = house.snapshots.page(ARTIST, size=0, token="").items
    house.work()
    house.exports.delete(ARTIST, export.uid, "")

    assert (own.name, own.display_name, own.implicit) == (export.snapshot, "Night set", True)
    assert house.snapshots.page(ARTIST, size=0, token="").items == []


def test_exports_of_one_snapshot_are_equal_whatever_became_of_the_items(house: House) -> None:
    made_of = item(house, "a1")
    made = freeze(house)
    wish = ExportWish(display_name="Set", snapshot_uid=made.uid, export_format=ExportFormat.PAIRED_TEXT)
    first = house.exports.create(ARTIST, "ada", wish, key())
    house.work()
    house.items.update(ARTIST, made_of.uid, ItemFacts(caption="Other words. BPM: 91"), {"caption"}, "")

    second = house.exports.create(ARTIST, "ada", wish, key())
    house.work()

    etags = {house.exports.get(ARTIST, export.uid).content_etag for export in (first, second)}
    assert len(etags) == 1
    assert "" not in etags


def test_a_snapshot_and_a_selection_are_one_too_many(house: House) -> None:
    made_of = item(house, "a1")
    wish = ExportWish(snapshot_uid=freeze(house).uid, selection=Selection((made_of.uid,)))

    with pytest.raises(FieldInvalid, match="selection"):
        house.exports.create(ARTIST, "ada", wish, key())


def test_members_come_in_pages(house: House) -> None:
    uids = [item(house, f"a{number}").uid for number in range(5)]
    made = freeze(house)
    found, token = list[str](), ""

    for _ in range(3):
        page = house.snapshots.member_page(ARTIST, made.uid, size=2, token=token)
        found += [member.item_uid for member in page.items]
        token = page.next_page_token

    assert (found, token) == (uids, "")


def test_findings_tell_of_consent_and_of_the_same_audio(house: House) -> None:
    item(house, "a1", facts={"consent": Consent(training_allowed=True)})
    house.clock.advance(1)
    asset = f"artists/{ARTIST}/assets/a1"
    twin = house.items.create(ARTIST, ItemFacts(asset=asset, caption="Twin take. BPM: 90"), key())

    told = {(finding.reason, finding.training_item) for finding in freeze(house).findings}

    assert {("CONSENT_UNKNOWN", twin.name), ("DUPLICATE_AUDIO", twin.name), ("FEW_PAIRS", "")} <= told
    assert len([reason for reason, _name in told if reason == "CONSENT_UNKNOWN"]) == 1


def test_without_the_keeper_of_rules_nothing_is_frozen(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    item(house, "a1")

    def away(*_asked: object, **_named: object) -> list[object]:
        raise DependencyUnavailable("prompt")

    monkeypatch.setattr(house.captions, "batch_check", away)
    with pytest.raises(DependencyUnavailable):
        freeze(house)

    assert house.snapshots.page(ARTIST, size=0, token="").items == []


def test_lists_tell_only_what_is_about_the_whole(house: House) -> None:
    item(house, "a1")
    made = freeze(house)
    house.exports.create(ARTIST, "ada", ExportWish(snapshot_uid=made.uid), key())
    (export,) = house.exports.page(ARTIST, size=0, token="").items

    whole, listed = to_snapshot(made).findings, to_snapshot(made, listed=True).findings
    in_list = to_export(export, listed=True).findings

    assert {finding.reason for finding in whole} > {finding.reason for finding in listed}
    assert {finding.training_item for finding in (*listed, *in_list)} == {""}
