"""Zips of Live projects: what is read, what fails alone, what is refused whole."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterator, Mapping

import pytest

from chassis.context import in_request
from chassis.errors import InvalidArgument, RequestIdReused
from services.prompt.domain.live_sets import (
    LiveSet,
    LiveSetArchiveEmpty,
    LiveSetArchiveInvalid,
    LiveSetArchiveTooLarge,
    LiveSetEntryRefused,
    UploadNotFound,
)
from services.prompt.domain.project_zip import ProjectZip, ZipLimits
from services.prompt.use_cases.live_set_imports import ImportResult
from tests.material.live_set import live_set_bytes, small_plan
from tests.unit.prompt.house import House, ada, is_replayed

ONE, TWO = live_set_bytes(small_plan(101)), live_set_bytes(small_plan(102))
FOLDER = {
    "Night Project/Night.als": ONE,
    "Night Project/Samples/kick.wav": b"RIFF",
    "Night Project/Backup/Night [2024-01-01 101010].als": ONE,
    "__MACOSX/Night Project/._Night.als": b"mac",
    "Night Project/._Night.als": b"mac",
    "Night Project/Ableton Project Info/Project8_1.cfg": b"cfg",
    "Sketches/Two.als": TWO,
    "broken.als": b"no Live Set",
}


def zipped(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of the files in their order."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return buffer.getvalue()


def bring(
    house: House, data: bytes, *, project_name: str = "", request_id: str = "", key: str = ""
) -> tuple[list[tuple[ImportResult, LiveSet | None]], int]:
    """Import a zip as the service does."""
    imports = house.live_sets.imports
    asked = imports.begin(ada(), "nova", key or house.upload(data), project_name, request_id)
    for entry in asked.files:
        imports.read(asked, entry)
    return imports.finish(ada(), asked)


def opened(data: bytes, limits: ZipLimits | None = None) -> ProjectZip:
    def read_part(offset: int, length: int) -> Iterator[bytes]:
        yield data[offset : offset + length]

    return ProjectZip(read_part, len(data), limits)


def test_each_live_set_of_a_project_folder_is_read_and_backups_are_left_out(nova: House) -> None:
    results, ignored_count = bring(nova, zipped(FOLDER))

    assert [(result.path, result.reason) for result, _ in results] == [
        ("Night Project/Night.als", ""),
        ("Sketches/Two.als", ""),
        ("broken.als", "LIVE_SET_NOT_GZIP"),
    ]
    assert ignored_count == 5
    night = results[0][1]
    assert night is not None
    assert (night.display_name, night.file_name, night.project_name) == ("Night", "Night.als", "Night Project")
    assert night.summary["project_folder"] == "Night Project"
    assert night.summary["overview"]["tempo"] == 101
    assert nova.objects.read_bytes(night.blob_key, limit=1 << 20) == ONE
    assert "send an .als file" in results[2][0].message


def test_a_file_that_the_artist_has_is_said_to_be_there(nova: House) -> None:
    mine = nova.add_live_set(ONE)

    results, _ = bring(nova, zipped({"a/One.als": ONE, "b/Copy.als": TWO, "c/Two.als": TWO}))

    assert [result.already_there for result, _ in results] == [True, False, True]
    assert results[0][1] == mine
    assert results[1][1] == results[2][1]
    assert len(nova.live_sets.list("nova", 0, "", show_deleted=False).items) == 2


def test_a_given_project_name_holds_for_all_files(nova: House) -> None:
    results, _ = bring(nova, zipped(FOLDER), project_name="Album")

    assert {live_set.project_name for _, live_set in results if live_set} == {"Album"}


def test_the_nearest_folder_that_live_calls_a_project_names_it(nova: House) -> None:
    results, _ = bring(nova, zipped({"Music/Night Project/Old takes/Night.als": ONE, "Top.als": TWO}))

    assert [live_set.project_name for _, live_set in results if live_set] == ["Night Project", ""]


def test_a_repeat_gets_the_same_answer_and_reads_nothing(nova: House) -> None:
    data = zipped(FOLDER)
    key = nova.upload(data)
    with in_request():
        first = bring(nova, data, request_id="r1", key=key)
        assert not is_replayed()
        assert bring(nova, data, request_id="r1", key=key) == first
        assert is_replayed()
        assert bring(nova, data, request_id="r1") == first
    with pytest.raises(RequestIdReused):
        bring(nova, zipped({"Two.als": TWO}), request_id="r1")
    with pytest.raises(UploadNotFound):
        bring(nova, data, key=key)


def test_an_import_uses_its_upload_up(nova: House) -> None:
    key = nova.upload(zipped(FOLDER))

    bring(nova, b"", key=key)

    assert nova.objects.head(key) is None


def test_an_import_that_is_given_up_keeps_what_was_read_and_no_upload(nova: House) -> None:
    key = nova.upload(zipped(FOLDER))
    imports = nova.live_sets.imports
    asked = imports.begin(ada(), "nova", key, "", "r1")
    imports.read(asked, asked.files[0])

    imports.abandon(asked)

    assert nova.objects.head(key) is None
    again, _ = bring(nova, zipped(FOLDER), request_id="r1")
    assert [result.already_there for result, _ in again] == [True, False, False]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", LiveSetArchiveInvalid),
        (ONE, LiveSetArchiveInvalid),
        (zipped(FOLDER)[:-30], LiveSetArchiveInvalid),
        (zipped({"a.txt": b"x"}), LiveSetArchiveEmpty),
        (zipped({f"{number}.als": b"" for number in range(201)}), LiveSetArchiveTooLarge),
    ],
    ids=["empty", "live set", "cut", "no live set", "many"],
)
def test_a_zip_that_is_none_is_refused_whole_and_removed(
    nova: House, data: bytes, reason: type[InvalidArgument]
) -> None:
    key = nova.upload(data)

    with pytest.raises(reason, match=r"zip|send"):
        bring(nova, data, key=key)

    assert nova.objects.head(key) is None


def _with(data: bytes, *patches: tuple[bytes, int, bytes]) -> bytes:
    """The zip with bytes changed at an offset after the first record of a kind."""
    changed = bytearray(data)
    for record, offset, value in patches:
        at = data.index(record) + offset
        changed[at : at + len(value)] = value
    return bytes(changed)


ENTRY, LOCAL, END = b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06"
PLAIN = zipped({"One.als": ONE}, zipfile.ZIP_STORED)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (_with(PLAIN, (ENTRY, 8, b"\x01\x00")), "is encrypted"),
        (_with(PLAIN, (ENTRY, 10, b"\x0e\x00")), "is packed with method 14"),
        (_with(PLAIN, (ENTRY, 16, b"\x00\x00\x00\x00")), "checksum differs"),
        (_with(PLAIN, (ENTRY, 24, struct.pack("<I", len(ONE) - 1))), "unpacks to more than the zip says"),
        (_with(PLAIN, (ENTRY, 24, struct.pack("<I", 65 << 20))), "is larger than 64 MiB"),
        (_with(PLAIN, (ENTRY, 24, struct.pack("<I", 60 << 20))), "expands more than 100 times"),
        (_with(PLAIN, (LOCAL, 0, b"none")), "no header where the zip says"),
        (_with(PLAIN, (ENTRY, 42, b"\xff\xff\xff\x7f")), "no header where the zip says"),
        (_with(zipped({"One.als": ONE}), (LOCAL, 50, b"\xff" * 40)), "damaged"),
        (zipped({"../One.als": ONE}), "leads out of the zip"),
        (zipped({"/etc/One.als": ONE}), "leads out of the zip"),
        (zipped({"C:/One.als": ONE}), "leads out of the zip"),
        (zipped({"a\u202eb/One.als": ONE}), "leads out of the zip"),
    ],
)
def test_a_bad_entry_is_refused_by_name(data: bytes, fault: str) -> None:
    archive = opened(data)

    with pytest.raises(LiveSetEntryRefused, match=fault):
        list(archive.pieces(archive.files[0]))


@pytest.mark.parametrize(
    ("limits", "fault"),
    [
        (ZipLimits(entries=7), "the zip lists 8 entries"),
        (ZipLimits(directory_bytes=100), "the zip lists 8 entries"),
        (ZipLimits(live_sets=2), "the zip holds 3 Live Sets"),
        (ZipLimits(unpacked_bytes=1000), "unpack to more than"),
    ],
)
def test_a_zip_keeps_within_its_limits(limits: ZipLimits, fault: str) -> None:
    with pytest.raises(LiveSetArchiveTooLarge, match=fault):
        opened(zipped(FOLDER), limits)


def test_entries_that_share_bytes_are_refused() -> None:
    data = zipped({"a.als": ONE, "b.als": ONE}, zipfile.ZIP_STORED)
    both = data.index(ENTRY) + 20, data.rindex(ENTRY) + 20
    changed = bytearray(data)
    for place in both:
        changed[place : place + 4] = struct.pack("<I", len(data) - 10)

    with pytest.raises(LiveSetArchiveInvalid, match="overlap"):
        opened(bytes(changed))


def test_a_zip_with_64_bit_records_is_read() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive, archive.open("One.als", "w", force_zip64=True) as file:
        file.write(ONE)
    data = buffer.getvalue()
    end = data.index(END)
    count, length, offset = struct.unpack_from("<HII", data, end + 10)
    record = b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, count, count, length, offset)
    locator = b"PK\x06\x07" + struct.pack("<IQI", 0, end, 1)
    short = _with(data[end:], (END, 8, b"\xff" * 12))

    found = opened(data[:end] + record + locator + short)

    assert b"".join(found.pieces(found.files[0])) == ONE


def test_a_zip_behind_other_bytes_is_read() -> None:
    found = opened(b"#!/bin/sh\n" * 50 + PLAIN)

    assert b"".join(found.pieces(found.files[0])) == ONE


def test_any_damage_to_a_zip_gives_a_reason() -> None:
    whole = zipped({"a/One.als": ONE[:400], "b.txt": b"x", "Two.als": TWO[:300]})
    outcomes = 0
    for place in range(0, len(whole), 3):
        for value in (0x00, 0x7F, 0xFF):
            damaged = whole[:place] + bytes([value]) + whole[place + 1 :]
            outcomes += _read_all(damaged)

    assert outcomes > 500


def _read_all(data: bytes) -> int:
    try:
        archive = opened(data)
        for entry in archive.files:
            b"".join(archive.pieces(entry))
    except InvalidArgument:
        pass
    return 1
