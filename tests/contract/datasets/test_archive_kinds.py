"""Tar and zip archives as other people's readers see them, and what the read-back finds."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from services.datasets.archive import lay_out, read_back, read_stored
from services.datasets.domain.exports import ArchiveInvalid, Entry, Layout, Segment
from tests.contract.datasets.test_archive import BLOBS, blob, file, pairs, read

SUFFIXES = (".zip", ".tar")
LONG = "folder-" * 9 + "a/" + "name-" * 18 + ".txt"  # fits as prefix and rest
LONGER = "name-" * 40 + ".txt"


def odd() -> list[Entry]:
    return [
        *pairs(),
        file(LONG, b"long"),
        file(LONGER, b"longer"),
        file("ночь.txt", b"not ASCII"),
        blob("empty.wav", "blobs/empty"),
        file("empty.txt", b""),
    ]


def test_tarfile_reads_every_file_in_order() -> None:
    data = read(lay_out(odd(), suffix=".tar"))

    with tarfile.open(fileobj=io.BytesIO(data)) as found:
        contents = {member.name: found.extractfile(member).read() for member in found.getmembers()}  # type: ignore[union-attr]

    assert list(contents) == [entry.name for entry in odd()]
    assert contents["track-0002.mp3"] == BLOBS["blobs/b"]
    assert contents["ночь.txt"] == b"not ASCII"
    assert len(data) % 10_240 == 0


@pytest.mark.skipif(shutil.which("tar") is None, reason="tar is not installed")
def test_gnu_tar_lists_the_same_names(tmp_path: Path) -> None:
    path = tmp_path / "dataset.tar"
    path.write_bytes(read(lay_out(odd(), suffix=".tar")))

    listed = subprocess.run(
        ["tar", "--quoting-style=literal", "-tf", str(path)], capture_output=True, check=True, text=True
    )

    assert listed.stdout.splitlines() == [entry.name for entry in odd()]


def test_a_tar_beyond_8_gib_tells_its_size_in_a_pax_header() -> None:
    size = 9 * 2**30
    layout = lay_out([Entry("huge.wav", 1, size, "x", b"", "blobs/huge"), file("a.txt", b"x")], suffix=".tar")

    head = tarfile.TarInfo.frombuf(layout.segments[0].inline[:512], "utf-8", "strict")

    assert (head.type, b"size=9663676416\n" in layout.segments[0].inline) == (tarfile.XHDTYPE, True)
    read_back([Entry("huge.wav", 1, size, "x", b"", "blobs/huge"), file("a.txt", b"x")], layout, suffix=".tar")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_equal_files_give_equal_bytes(suffix: str) -> None:
    first, second = lay_out(odd(), suffix=suffix), lay_out(odd(), suffix=suffix)

    assert read(first) == read(second)
    assert first.content_etag == second.content_etag


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_was_laid_out_reads_back(suffix: str) -> None:
    layout = lay_out(odd(), suffix=suffix)
    data = read(layout)

    read_back(odd(), layout, suffix=suffix)
    read_stored(odd(), layout, lambda offset, length: data[offset : offset + length], suffix=suffix)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("fault", ["order", "missing", "text", "object", "size", "gap"])
def test_a_layout_that_differs_is_found_out(suffix: str, fault: str) -> None:
    entries, layout = odd(), lay_out(odd(), suffix=suffix)
    segments = list(layout.segments)
    place = next(place for place, segment in enumerate(segments) if segment.object_key)
    changed = {
        "order": (entries[::-1], layout),
        "missing": (entries[1:], layout),
        "text": ([*entries[:1], file("track-0001.txt", b"Other words here. BPM: 9"), *entries[2:]], layout),
        "object": (entries, _with(layout, place, replace(segments[place], object_key="blobs/other"))),
        "size": (entries, replace(layout, size_bytes=layout.size_bytes + 1)),
        "gap": (entries, _with(layout, place, replace(segments[place], length_bytes=1))),
    }[fault]

    with pytest.raises(ArchiveInvalid, match="export again"):
        read_back(*changed, suffix=suffix)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_stored_archive_with_another_end_is_found_out(suffix: str) -> None:
    layout = lay_out(odd(), suffix=suffix)
    data = bytearray(read(layout))
    data[-600] ^= 1

    with pytest.raises(ArchiveInvalid):
        read_stored(odd(), layout, lambda offset, length: bytes(data[offset : offset + length]), suffix=suffix)


def _with(layout: Layout, place: int, segment: Segment) -> Layout:
    return replace(layout, segments=(*layout.segments[:place], segment, *layout.segments[place + 1 :]))
