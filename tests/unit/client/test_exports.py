"""An archive is downloaded once, goes on where an earlier run broke, and is checked byte for byte."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.unit.client.fake_gateway import transport_to
from tonewright_client.errors import ApiError, DownloadDamaged
from tonewright_client.exports import Exports

NAME = "artists/nova/exports/1"
FILES = {"track-0001.wav": b"RIFF" + bytes(range(256)) * 40, "track-0001.txt": b"Warm pads. BPM: 120"}


def _archive() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, data in FILES.items():
            archive.writestr(name, data)
    return made.getvalue()


class _Gateway:
    """Gives one export; remembers which ranges were asked for.

    Attributes:
        ranges: The `Range` of each request for bytes, empty for all of them.
        sent: What it sends as the archive.
    """

    def __init__(self, *, etag: str = "abc123") -> None:
        self.ranges: list[str] = []
        self.archive = self.sent = _archive()
        self.etag = etag

    def exports(self) -> Exports:
        return Exports(transport_to(self._answer), "artists/nova")

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/files"):
            files = [{"path": name, "size_bytes": len(data), "crc32": zlib.crc32(data)} for name, data in FILES.items()]
            return httpx2.Response(200, json={"files": files, "next_page_token": ""})
        if not request.url.path.endswith("/content"):
            facts: dict[str, Any] = {"name": NAME, "content_etag": self.etag, "size_bytes": len(self.archive)}
            return httpx2.Response(200, json=facts)
        self.ranges.append(request.headers.get("Range", ""))
        headers = {"ETag": f'"{self.etag}"'}
        if self.ranges[-1] and request.headers["If-Range"] == f'"{self.etag}"':
            start = int(self.ranges[-1].removeprefix("bytes=").rstrip("-"))
            return httpx2.Response(206, content=self.sent[start:], headers=headers)
        return httpx2.Response(200, content=self.sent, headers=headers)


def test_a_run_that_broke_leaves_what_the_next_one_begins_with(tmp_path: Path) -> None:
    gateway = _Gateway()
    (tmp_path / ".data.zip.abc123.part").write_bytes(gateway.archive[:777])

    path = gateway.exports().download(NAME, tmp_path / "data.zip")

    assert gateway.ranges == ["bytes=777-"]
    assert path.read_bytes() == gateway.archive
    assert [file.name for file in tmp_path.iterdir()] == ["data.zip"]


def test_parts_of_another_archive_are_thrown_away(tmp_path: Path) -> None:
    gateway = _Gateway()
    (tmp_path / ".data.zip.0ther0.part").write_bytes(b"something else")

    gateway.exports().download(NAME, tmp_path / "data.zip")

    assert gateway.ranges == [""]
    assert [file.name for file in tmp_path.iterdir()] == ["data.zip"]


def test_an_archive_that_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    gateway = _Gateway()
    (tmp_path / "data.zip").write_bytes(gateway.archive)

    gateway.exports().download(NAME, tmp_path / "data.zip")

    assert gateway.ranges == []


def test_one_flipped_bit_is_found_and_nothing_is_kept(tmp_path: Path) -> None:
    gateway = _Gateway()
    at = gateway.archive.index(b"Warm pads")
    gateway.sent = gateway.archive[:at] + b"V" + gateway.archive[at + 1 :]

    with pytest.raises(DownloadDamaged, match="download it again"):
        gateway.exports().download(NAME, tmp_path / "data.zip")
    assert list(tmp_path.iterdir()) == []


def test_an_archive_that_ends_early_is_found(tmp_path: Path) -> None:
    gateway = _Gateway()
    gateway.sent = gateway.archive[:-30]

    with pytest.raises(DownloadDamaged, match=f"has {len(gateway.archive)} bytes"):
        gateway.exports().download(NAME, tmp_path / "data.zip")


def test_a_file_that_nobody_announced_is_found(tmp_path: Path) -> None:
    gateway = _Gateway()
    made = io.BytesIO(gateway.archive)
    with zipfile.ZipFile(made, "a") as archive:
        archive.writestr("track-0002.wav", b"RIFF")
    gateway.archive = gateway.sent = made.getvalue()

    with pytest.raises(DownloadDamaged, match=r"track-0002\.wav"):
        gateway.exports().download(NAME, tmp_path / "data.zip")


def test_an_export_that_is_not_ready_says_so(tmp_path: Path) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/content"):
            return httpx2.Response(400, json={"reason": "EXPORT_NOT_READY", "detail": "it runs"})
        return httpx2.Response(200, json={"name": NAME, "content_etag": "", "size_bytes": 0})

    with pytest.raises(ApiError, match="EXPORT_NOT_READY"):
        Exports(transport_to(answer), "artists/nova").download(NAME, tmp_path / "data.zip")
