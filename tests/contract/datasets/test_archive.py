import io
import shutil
import subprocess
import zipfile
import zlib
from pathlib import Path

import pytest

from services.datasets.archive import INLINE_MAX, lay_out
from services.datasets.domain.exports import Entry, Layout

BLOBS = {"blobs/a": b"a" * 1000, "blobs/b": bytes(range(256)) * 40, "blobs/empty": b""}


def file(name: str, text: bytes) -> Entry:
    return Entry(name, zlib.crc32(text), len(text), "", text)


def blob(name: str, key: str) -> Entry:
    data = BLOBS[key]
    return Entry(name, zlib.crc32(data), len(data), key, b"", key)


def read(layout: Layout) -> bytes:
    out = bytearray()
    for segment in layout.segments:
        assert segment.offset_bytes == len(out)
        out += segment.inline or BLOBS[segment.object_key][: segment.length_bytes]
    assert len(out) == layout.size_bytes
    return bytes(out)


def pairs() -> list[Entry]:
    return [
        blob("track-0001.wav", "blobs/a"),
        file("track-0001.txt", "Bright café. BPM: 120".encode()),
        blob("track-0002.mp3", "blobs/b"),
        file("track-0002.txt", b"Low drone. BPM: 60"),
    ]


def test_the_layout_reads_back_as_a_stored_zip_with_the_files_in_order() -> None:
    archive = zipfile.ZipFile(io.BytesIO(read(lay_out(pairs()))))

    assert archive.testzip() is None
    assert archive.namelist() == ["track-0001.wav", "track-0001.txt", "track-0002.mp3", "track-0002.txt"]
    assert archive.read("track-0001.wav") == BLOBS["blobs/a"]
    assert archive.read("track-0001.txt").decode() == "Bright café. BPM: 120"
    assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}


@pytest.mark.skipif(shutil.which("unzip") is None, reason="unzip is not installed")
def test_info_zip_accepts_the_archive(tmp_path: Path) -> None:
    path = tmp_path / "dataset.zip"
    path.write_bytes(read(lay_out(pairs())))

    result = subprocess.run(["unzip", "-t", str(path)], capture_output=True, check=False)

    assert result.returncode == 0, result.stdout


def test_equal_files_give_equal_bytes_and_etag_and_other_bytes_another_etag() -> None:
    first, second, other = lay_out(pairs()), lay_out(pairs()), lay_out([*pairs()[:3], file("track-0002.txt", b"New")])

    assert read(first) == read(second)
    assert first.content_etag == second.content_etag
    assert first.content_etag != other.content_etag


def test_files_beyond_4_gib_and_65535_entries_use_zip64() -> None:
    size = 5 * 2**30
    huge = Entry("track-0001.wav", 1, size, "x", b"", "blobs/huge")
    layout = lay_out([huge, *(file(f"t{n}.txt", b"x") for n in range(70_000))])

    tail = bytearray()
    for segment in layout.segments[2:]:
        tail += segment.inline
    # zipfile reads from the end, so zeros may stand for the audio that is not there.
    head = layout.segments[0].inline
    sparse = _Sparse(head, size, bytes(tail))
    archive = zipfile.ZipFile(sparse)

    infos = archive.infolist()
    assert (len(infos), infos[0].file_size, infos[-1].filename) == (70_001, size, "t69999.txt")
    assert archive.read("t69999.txt") == b"x"


def test_an_empty_archive_is_a_valid_zip() -> None:
    assert zipfile.ZipFile(io.BytesIO(read(lay_out([])))).namelist() == []


def test_an_empty_file_and_an_empty_object_are_kept() -> None:
    archive = zipfile.ZipFile(io.BytesIO(read(lay_out([file("a.txt", b""), blob("b.wav", "blobs/empty")]))))

    assert archive.namelist() == ["a.txt", "b.wav"]
    assert archive.testzip() is None


def test_header_bytes_come_in_bounded_segments() -> None:
    layout = lay_out([file(f"track-{n:04d}.txt", b"x" * 100) for n in range(5000)])

    assert max(len(segment.inline) for segment in layout.segments) <= INLINE_MAX
    assert len(layout.segments) > 1


def test_two_files_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="same name"):
        lay_out([file("a", b""), file("a", b"")])


class _Sparse(io.RawIOBase):
    """Head, a gap of zeros, tail."""

    def __init__(self, head: bytes, gap: int, tail: bytes) -> None:
        self._head, self._gap, self._tail = head, gap, tail
        self._size, self._at = len(head) + gap + len(tail), 0

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (self._at if whence == 1 else self._size if whence == 2 else 0)
        return self._at

    def read(self, size: int = -1) -> bytes:
        size = self._size - self._at if size < 0 else min(size, self._size - self._at)
        start, self._at = self._at, self._at + size
        tail_from = len(self._head) + self._gap
        if start >= tail_from:
            return self._tail[start - tail_from : start - tail_from + size]
        if start + size <= len(self._head):
            return self._head[start : start + size]
        raise AssertionError("the gap is not to be read")
