import io
import zipfile

import pytest

from chassis.errors import EtagMismatch, FieldInvalid
from chassis.jobs import LeaseLost
from services.datasets.domain.exports import (
    Export,
    ExportNotFinished,
    ExportNotFound,
    ExportOptions,
    ExportStillRunning,
    ItemsNotExportable,
    JobState,
    NothingToExport,
    OffsetOutOfRange,
    archive_name,
    chunk_count,
)
from services.datasets.domain.items import ItemState, Selection, TrainingItem, TrainingItemNotFound
from services.datasets.use_cases.exports import ExportWish
from services.datasets.use_cases.items import ItemFacts
from tests.unit.datasets.house import ARTIST, House, key


def item(house: House, uid: str, **audio: object) -> TrainingItem:
    house.clock.advance(1)
    asset = house.assets.keep(uid, **audio)  # type: ignore[arg-type]
    return house.items.create(ARTIST, ItemFacts(asset=asset, caption=f"Take {uid}. BPM: 90"), key())


def export(house: House, wish: ExportWish | None = None) -> Export:
    made = house.exports.create(ARTIST, "ada", wish or ExportWish(display_name="Night set"), key())
    house.work()
    return house.exports.get(ARTIST, made.uid)


def archive(house: House, made: Export, *, step: int = 0) -> bytes:
    out, at = bytearray(), 0
    while at < made.size_bytes:
        part = house.exports.layout(ARTIST, made.uid, offset_bytes=at, max_segments=step)
        for segment in part.segments:
            assert segment.offset_bytes == len(out)
            out += segment.inline or house.objects.read_bytes(segment.object_key, limit=10**6)
        at = part.next_offset_bytes
    return bytes(out)


def test_ready_items_become_a_zip_with_pairs_at_its_root_oldest_first(house: House) -> None:
    item(house, "a1", data=b"first")
    item(house, "a2", data=b"second", media_type="audio/mpeg")

    made = export(house)

    found = zipfile.ZipFile(io.BytesIO(archive(house, made)))
    assert found.testzip() is None
    assert found.namelist() == ["track-0001.wav", "track-0001.txt", "track-0002.mp3", "track-0002.txt"]
    assert found.read("track-0002.mp3") == b"second"
    assert found.read("track-0001.txt") == b"Take a1. BPM: 90"
    assert (made.state, made.file_name, made.item_count) == (JobState.SUCCEEDED, "Night-set.zip", 2)


def test_the_archive_reads_the_same_in_any_steps(house: House) -> None:
    for number in range(4):
        item(house, f"a{number}", data=bytes(100 + number))
    made = export(house)

    assert archive(house, made) == archive(house, made, step=1)


def test_a_layout_begins_with_the_segment_that_holds_the_offset(house: House) -> None:
    item(house, "a1", data=b"x" * 500)
    made = export(house)

    part = house.exports.layout(ARTIST, made.uid, offset_bytes=200, max_segments=1)
    end = house.exports.layout(ARTIST, made.uid, offset_bytes=made.size_bytes, max_segments=0)

    assert part.segments[0].offset_bytes <= 200 < part.next_offset_bytes
    assert (end.segments, end.next_offset_bytes) == ([], made.size_bytes)
    with pytest.raises(OffsetOutOfRange):
        house.exports.layout(ARTIST, made.uid, offset_bytes=made.size_bytes + 1, max_segments=0)


def test_equal_content_gives_an_equal_validator_and_other_options_another(house: House) -> None:
    item(house, "a1")

    first, second = export(house), export(house)
    nested = export(house, ExportWish(options=ExportOptions(nested=True)))

    assert first.content_etag == second.content_etag != nested.content_etag
    assert zipfile.ZipFile(io.BytesIO(archive(house, nested))).namelist()[0] == "dataset/track-0001.wav"


def test_an_export_marks_its_items_and_an_edit_makes_them_ready_again(house: House) -> None:
    made_of = item(house, "a1")

    made = export(house)
    exported = house.items.get(ARTIST, made_of.uid)
    edited = house.items.update(ARTIST, made_of.uid, ItemFacts(caption="New. BPM: 91"), {"caption"}, "")

    assert (exported.state, exported.last_export) == (ItemState.EXPORTED, made.name)
    assert (edited.state, edited.last_export) == (ItemState.READY, "")


def test_what_is_edited_while_an_export_waits_stays_as_it_was_frozen(house: House) -> None:
    made_of = item(house, "a1")
    waiting = house.exports.create(ARTIST, "ada", ExportWish(), key())
    house.items.update(ARTIST, made_of.uid, ItemFacts(caption="Changed. BPM: 91"), {"caption"}, "")

    house.work()

    made = house.exports.get(ARTIST, waiting.uid)
    assert zipfile.ZipFile(io.BytesIO(archive(house, made))).read("track-0001.txt") == b"Take a1. BPM: 90"
    assert house.items.get(ARTIST, made_of.uid).state == ItemState.READY


def test_exported_items_can_be_exported_again(house: House) -> None:
    item(house, "a1")
    export(house)

    assert export(house).item_count == 1


def test_few_pairs_are_a_warning(house: House) -> None:
    item(house, "a1", duration_s=63.0)
    item(house, "a2", duration_s=10.0)

    made = export(house)

    assert {warning.reason for warning in made.warnings} >= {"FEW_PAIRS", "TAIL_DROPPED", "SHORT_AUDIO"}
    assert made.chunk_count == 3


@pytest.mark.parametrize("media_type", ["video/mp4", ""])
def test_what_the_trainer_cannot_read_is_refused_with_what_to_do(house: House, media_type: str) -> None:
    item(house, "a1")
    other = item(house, "a2", media_type=media_type)

    with pytest.raises(ItemsNotExportable, match="upload the audio as WAV") as caught:
        export(house)

    assert [violation.field for violation in caught.value.violations] == [other.name]


def test_without_ready_items_there_is_nothing_to_export(house: House) -> None:
    house.items.create(ARTIST, ItemFacts(caption="Only words. BPM: 90"), key())

    with pytest.raises(NothingToExport):
        export(house)


def test_items_are_chosen_by_name_in_the_order_named(house: House) -> None:
    first, second = item(house, "a1"), item(house, "a2")

    made = export(house, ExportWish(selection=Selection((second.uid, first.uid))))

    assert zipfile.ZipFile(io.BytesIO(archive(house, made))).read("track-0001.txt") == b"Take a2. BPM: 90"
    with pytest.raises(TrainingItemNotFound):
        export(house, ExportWish(selection=Selection((first.uid, "0" * 32))))
    with pytest.raises(FieldInvalid):
        export(house, ExportWish(selection=Selection((first.uid, first.uid))))


def test_same_request_id_starts_one_export(house: House) -> None:
    item(house, "a1")
    wish = ExportWish()

    first = house.exports.create(ARTIST, "ada", wish, key("r1"))
    house.work()
    second = house.exports.create(ARTIST, "ada", wish, key("r1"))

    assert (second.uid, second.state) == (first.uid, JobState.SUCCEEDED)
    assert len(house.exports.page(ARTIST, size=0, token="").items) == 1


def test_audio_that_is_gone_fails_the_export_with_its_reason(house: House) -> None:
    made_of = item(house, "a1")
    assert made_of.audio is not None
    waiting = house.exports.create(ARTIST, "ada", ExportWish(), key())
    house.objects.delete(made_of.audio.object_key)

    house.work()

    failed = house.exports.get(ARTIST, waiting.uid)
    assert (failed.state, failed.error_reason) == (JobState.FAILED, "AUDIO_MISSING")
    with pytest.raises(ExportNotFinished):
        house.exports.layout(ARTIST, waiting.uid, offset_bytes=0, max_segments=0)


def test_a_worker_that_lost_its_lease_commits_nothing(house: House) -> None:
    item(house, "a1")
    waiting = house.exports.create(ARTIST, "ada", ExportWish(), key())
    late = house.export_jobs.claim("late")
    assert late is not None
    house.clock.advance(60)
    house.export_jobs.sweep()
    house.work()

    with pytest.raises(LeaseLost):
        house.export_bench.run(ARTIST, waiting.uid, late.fence, lambda _percent, _stage: None)

    assert archive(house, house.exports.get(ARTIST, waiting.uid))


def test_a_waiting_export_can_be_cancelled_and_then_deleted(house: House) -> None:
    item(house, "a1")
    waiting = house.exports.create(ARTIST, "ada", ExportWish(), key())
    with pytest.raises(ExportStillRunning):
        house.exports.delete(ARTIST, waiting.uid, "")

    cancelled = house.exports.cancel(ARTIST, waiting.uid)
    with pytest.raises(EtagMismatch):
        house.exports.delete(ARTIST, waiting.uid, waiting.etag)
    house.exports.delete(ARTIST, waiting.uid, cancelled.etag)

    assert cancelled.state == JobState.CANCELLED
    with pytest.raises(ExportNotFound):
        house.exports.get(ARTIST, waiting.uid)


def test_deleting_an_export_takes_its_mark_from_the_items(house: House) -> None:
    made_of = item(house, "a1")
    made = export(house)

    house.exports.delete(ARTIST, made.uid, "")

    found = house.items.get(ARTIST, made_of.uid)
    assert (found.state, found.last_export) == (ItemState.READY, "")
    assert {release.holder for release in house.releases.due(10)} == {made.name, made.snapshot}


@pytest.mark.parametrize(
    ("duration_s", "chunks"), [(4, 1), (30, 1), (33, 1), (35, 1), (35.1, 2), (60, 2), (70, 3), (95, 3)]
)
def test_pieces_follow_the_trainers_rule(duration_s: float, chunks: int) -> None:
    assert chunk_count(duration_s) == chunks


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Night set", "Night-set.zip"),
        ("../../etc", "etc.zip"),
        ("ночь", "dataset.zip"),
        ("a.zip", "a.zip"),
        ("", "dataset.zip"),
    ],
)
def test_archive_names_are_safe_and_end_in_zip(title: str, name: str) -> None:
    assert archive_name(title) == name
