"""The options, refusals and stages of exports."""

import io
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chassis.errors import DependencyUnavailable, FieldInvalid
from chassis.jobs import JobCancelled, LeaseLost
from services.datasets import archive as archives
from services.datasets.domain.exports import (
    ArchiveInvalid,
    ArchiveTooLarge,
    Export,
    ExportFormat,
    ExportInUse,
    ExportOptions,
    ItemsNotExportable,
    JobState,
)
from services.datasets.domain.recipes import AudioMode
from services.datasets.domain.snapshots import SnapshotInUse
from services.datasets.use_cases.export_bench import ExportBench, archive_key
from services.datasets.use_cases.exports import ExportDesk, ExportWish
from services.datasets.use_cases.items import ItemFacts
from tests.unit.datasets.house import ARTIST, House, key
from tests.unit.datasets.test_exports import archive, export, item
from tests.unit.datasets.training_house import ScriptedProvider, TrainingHouse

ANEW = AudioMode.NORMALISED
STORED = ExportWish(display_name="Night set", options=ExportOptions(stored=True))


def run(house: House, made: Export, report: Callable[[float, str], None]) -> None:
    row = house.export_jobs.claim("test")
    assert row is not None
    house.export_bench.run(ARTIST, made.uid, row.fence, report)


@pytest.mark.parametrize(
    ("field", "options"),
    [
        ("options.trigger", {"trigger": "two\nlines"}),
        ("options.trigger", {"trigger": "x" * 101}),
        ("options.suffix", {"suffix": " spaced "}),
        ("options.suffix", {"suffix": "fast BPM: 90"}),
        ("options.rate_hz", {"rate_hz": 7_999}),
        ("options.channels", {"channels": 3}),
        ("options.loudness_lufs", {"loudness_lufs": -4.0, "audio_mode": ANEW}),
        ("options.loudness_lufs", {"loudness_lufs": -14.0}),
        ("options.cut", {"cut": True}),
        ("options.remove_vocals", {"remove_vocals": True}),
        ("options.validation_share", {"validation_share": 0.6}),
    ],
)
def test_options_outside_their_range_say_what_fits(field: str, options: dict[str, Any]) -> None:
    with pytest.raises(FieldInvalid) as caught:
        ExportOptions(**options)

    assert [violation.field for violation in caught.value.violations] == [field]


def test_an_option_that_the_format_does_not_know_is_refused(house: House) -> None:
    item(house, "a1")
    wish = ExportWish(export_format=ExportFormat.PAIRED_TEXT, options=ExportOptions(nested=True))

    with pytest.raises(FieldInvalid, match="nested"):
        house.exports.create(ARTIST, "ada", wish, key())


@pytest.mark.parametrize(
    ("code", "facts"),
    [
        ("E3", {"media_type": "video/mp4"}),
        ("E4", {"duration_s": 4.9}),
        ("E8", {"peak": 0.0005, "loudness_lufs": None, "pcm_sha256": "p"}),
    ],
)
def test_audio_that_no_trainer_learns_from_is_refused_by_number(house: House, code: str, facts: dict[str, Any]) -> None:
    item(house, "a1")
    name = house.assets.keep("a2")
    house.assets.audios[name] = replace(house.assets.audios[name], **facts)
    bad = house.items.create(ARTIST, _facts(name, "a2"), key())

    with pytest.raises(ItemsNotExportable) as caught:
        export(house)

    (violation,) = caught.value.violations
    assert (violation.field, violation.description.partition(":")[0]) == (bad.name, code)


def test_low_rates_inside_a_folder_are_refused(house: House) -> None:
    name = house.assets.keep("a1")
    house.assets.audios[name] = replace(house.assets.audios[name], rate_hz=22_050)
    house.items.create(ARTIST, _facts(name, "a1"), key())

    with pytest.raises(ItemsNotExportable, match="W3b"):
        export(house, ExportWish(options=ExportOptions(nested=True)))
    assert "LOW_RATE" in {warning.reason for warning in export(house).warnings}


def test_a_caption_too_long_with_its_trigger_is_refused(house: House) -> None:
    name = house.assets.keep("a1")
    words = "wide pads and slow strings " * 21
    house.items.create(ARTIST, replace(_facts(name, "a1"), caption=f"{words.strip()}. BPM: 90"), key())

    with pytest.raises(ItemsNotExportable, match="E5"):
        export(house, ExportWish(options=ExportOptions(trigger="t" * 100)))


def test_an_archive_above_the_limit_is_not_begun_and_not_finished(house: House) -> None:
    item(house, "a1", data=b"x" * 300)
    small = ExportDesk(house.export_store, house.snapshot_store, house.snapshots, house.clock, max_bytes=299)
    with pytest.raises(ArchiveTooLarge, match="E9"):
        small.create(ARTIST, "ada", ExportWish(), key())

    made = house.exports.create(ARTIST, "ada", ExportWish(), key())
    house.export_bench = _bench(house, max_bytes=400)
    house.work()

    assert house.exports.get(ARTIST, made.uid).error_reason == "ARCHIVE_TOO_LARGE"


def test_findings_name_what_is_odd_about_the_audio(house: House) -> None:
    name = house.assets.keep("a1", media_type="audio/flac")
    house.assets.audios[name] = replace(house.assets.audios[name], channels=1, loudness_lufs=-40.0)
    house.items.create(ARTIST, replace(_facts(name, "a1"), caption="Warm choir vocals over pads. BPM: 90"), key())

    told = {warning.reason for warning in export(house).warnings}

    assert {"CONVERTED", "MONO_AUDIO", "QUIET_AUDIO", "VOCALS_SUSPECTED", "CONSENT_UNKNOWN", "FEW_PAIRS"} <= told


@pytest.mark.parametrize("export_format", list(ExportFormat))
def test_every_format_makes_an_archive_that_holds_every_item_once_or_more(
    house: House, export_format: ExportFormat
) -> None:
    items = [item(house, f"a{number}", duration_s=40.0, data=bytes([number]) * 99) for number in range(3)]

    made = export(house, ExportWish(display_name="Set", export_format=export_format))

    files = house.exports.file_page(ARTIST, made.uid, size=0, token="").items
    tar = export_format is ExportFormat.WEBDATASET
    names = (_tar_names if tar else _zip_names)(archive(house, made))
    assert [file.path for file in files] == names
    assert {file.training_item for file in files} >= {one.name for one in items}
    assert made.file_name == ("Set.tar" if tar else "Set.zip")


def test_files_tell_what_was_done_to_the_audio(house: House) -> None:
    made_of = item(house, "a1", media_type="audio/flac", duration_s=70.0)
    options = ExportOptions(audio_mode=ANEW, cut=True)

    made = export(house, ExportWish(options=options))

    files = house.exports.file_page(ARTIST, made.uid, size=0, token="").items
    told = [(file.conversion, file.start_s, file.duration_s) for file in files if file.path.endswith(".wav")]
    assert told == [("turned round", 0.0, 30.0), ("turned round", 30.0, 30.0), ("turned round", 60.0, 10.0)]
    assert {file.training_item for file in files} == {made_of.name}
    assert files[1].text == "Take a1. BPM: 90"


def test_a_stored_archive_is_one_object_with_the_same_bytes(house: House) -> None:
    item(house, "a1", data=b"first")
    laid, stored = export(house), export(house, STORED)

    (segment,) = house.exports.layout(ARTIST, stored.uid, offset_bytes=0, max_segments=0).segments

    assert (segment.object_key, segment.length_bytes) == (archive_key(stored), stored.size_bytes)
    assert archive(house, stored) == archive(house, laid)
    assert stored.content_etag == laid.content_etag


def test_stages_are_told_in_order_and_progress_never_goes_back(house: House) -> None:
    item(house, "a1")
    made = house.exports.create(ARTIST, "ada", STORED, key())
    told: list[tuple[float, str]] = []

    run(house, made, lambda percent, stage: told.append((percent, stage)))

    stages = list(dict.fromkeys(stage.split()[0] for _percent, stage in told))
    assert stages == ["validating", "preparing", "packing", "uploading", "verifying"]
    assert [percent for percent, _stage in told] == sorted(percent for percent, _stage in told)
    assert max(len(stage) for _percent, stage in told) <= 64
    assert house.exports.get(ARTIST, made.uid).stage == ""


@pytest.mark.parametrize("stage", ["uploading 0", "verifying"])
def test_a_cancelled_export_leaves_no_archive(house: House, stage: str) -> None:
    item(house, "a1")
    made = house.exports.create(ARTIST, "ada", STORED, key())

    def report(_percent: float, told: str) -> None:
        if told.startswith(stage):
            raise JobCancelled("enough")

    with pytest.raises(JobCancelled):
        run(house, made, report)

    assert house.objects.head(archive_key(made)) is None


def test_a_worker_without_its_lease_leaves_the_archive_to_the_next(house: House) -> None:
    item(house, "a1")
    made = house.exports.create(ARTIST, "ada", STORED, key())

    def report(_percent: float, told: str) -> None:
        if told.startswith("verifying"):
            raise LeaseLost("another has it")

    with pytest.raises(LeaseLost):
        run(house, made, report)

    assert house.objects.head(archive_key(made)) is not None


def test_an_archive_that_does_not_read_back_is_not_kept(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    item(house, "a1")
    made = house.exports.create(ARTIST, "ada", STORED, key())
    compose = house.objects.compose

    def torn(name: str, parts: Any, **named: Any) -> Any:
        return compose(name, [*parts[:-1], b"?" * len(parts[-1])], **named)

    monkeypatch.setattr(house.objects, "compose", torn)
    with pytest.raises(ArchiveInvalid, match="export again"):
        run(house, made, lambda _percent, _stage: None)

    assert house.objects.head(archive_key(made)) is None


def test_an_object_that_vanishes_while_it_is_packed_is_found_out(house: House) -> None:
    made_of = item(house, "a1")
    made = house.exports.create(ARTIST, "ada", ExportWish(), key())
    assert made_of.audio is not None
    gone = made_of.audio.object_key

    def report(_percent: float, told: str) -> None:
        if told.startswith("packing"):
            house.objects.delete(gone)

    with pytest.raises(ArchiveInvalid):
        run(house, made, report)


def test_a_store_that_is_away_is_waited_for(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    item(house, "a1")
    made = house.exports.create(ARTIST, "ada", ExportWish(), key())

    def away(_key: str) -> None:
        raise DependencyUnavailable("objects")

    with monkeypatch.context() as patched:
        patched.setattr(house.objects, "head", away)
        house.work()
    assert house.exports.get(ARTIST, made.uid).state == JobState.QUEUED
    house.clock.advance(60)
    house.work()

    assert house.exports.get(ARTIST, made.uid).state == JobState.SUCCEEDED


def test_the_collector_takes_what_nothing_refers_to_once_it_is_old(house: House) -> None:
    item(house, "a1", media_type="audio/flac")
    kept, stored = export(house), export(house, STORED)
    waiting = house.exports.create(ARTIST, "ada", STORED, key())
    prefix = f"artists/{ARTIST}/datasets"
    for name in (f"{prefix}/audio/orphan/0.wav", f"{prefix}/exports/{'0' * 32}.zip", archive_key(waiting)):
        house.objects.put(name, b"left")
    assert house.collector.collect() == 0

    house.clock.advance(4000)
    house.objects.put(f"{prefix}/audio/fresh/0.wav", b"young")

    assert house.collector.collect() == 2
    assert archive(house, house.exports.get(ARTIST, kept.uid))
    assert archive(house, house.exports.get(ARTIST, stored.uid))
    assert house.objects.head(archive_key(waiting)) is not None
    assert house.objects.head(f"{prefix}/audio/fresh/0.wav") is not None


def test_the_collector_takes_the_audio_and_archive_of_deleted_exports(house: House) -> None:
    item(house, "a1", media_type="audio/flac")
    for made in (export(house), export(house, STORED)):
        house.exports.delete(ARTIST, made.uid, "")
    house.clock.advance(4000)

    house.collector.collect()

    assert list(house.objects.list(f"artists/{ARTIST}/datasets/")) == []


def _bench(house: House, *, max_bytes: int) -> ExportBench:
    return ExportBench(
        house.export_store, house.snapshot_store, house.renderer, archives, house.objects, max_bytes=max_bytes
    )


def _facts(asset: str, uid: str) -> Any:
    return ItemFacts(asset=asset, caption=f"Take {uid}. BPM: 90")


def _tar_names(data: bytes) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(data)) as found:
        return found.getnames()


def _zip_names(data: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(data)) as found:
        assert found.testzip() is None
        return found.namelist()


def test_an_export_that_a_training_reads_stays_until_the_training_ends(house: House) -> None:
    place = TrainingHouse(house, ScriptedProvider(house.clock.now))
    name = place.export()
    uid = name.rpartition("/")[2]
    training = place.start(name)
    snapshot_uid = house.exports.get(ARTIST, uid).snapshot_uid

    with pytest.raises(ExportInUse, match="cancel the training") as caught:
        house.exports.delete(ARTIST, uid, "")
    place.desk.cancel(ARTIST, training.uid)
    house.exports.delete(ARTIST, uid, "")

    assert caught.value.metadata == {"training": training.name}
    with pytest.raises(SnapshotInUse, match="1 trainings are made of"):
        house.snapshots.delete(ARTIST, snapshot_uid, "")
