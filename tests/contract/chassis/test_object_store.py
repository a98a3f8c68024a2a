"""One suite for every object store."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest

from chassis.errors import DependencyUnavailable, InvalidArgument
from chassis.objects import ObjectNotFound, ObjectRange, ObjectStore, Part, open_store
from chassis.objects.port import ObjectTooLarge
from chassis.objects.s3 import S3Store
from chassis.testing.data import MemoryStore
from tools.backends import Backend, free_port

BIG = bytes(range(256)) * (20 << 12)  # 20 MiB: three parts on S3


def test_what_is_put_is_read_back_with_its_facts(store: ObjectStore) -> None:
    info = store.put("artists/ada/blobs/a.wav", b"0123456789", media_type="audio/x-wav")

    assert (info.size_bytes, info.sha256) == (10, hashlib.sha256(b"0123456789").hexdigest())
    assert store.read_bytes("artists/ada/blobs/a.wav", limit=10) == b"0123456789"
    head = store.head("artists/ada/blobs/a.wav")
    assert head is not None
    assert (head.size_bytes, head.media_type, head.etag) == (10, "audio/x-wav", info.etag)
    assert head.update_time.tzinfo is not None


@pytest.mark.parametrize(
    ("offset", "length", "expected"),
    [
        (0, None, b"0123456789"),
        (3, 4, b"3456"),
        (8, 100, b"89"),
        (9, None, b"9"),
        (10, None, b""),
        (50, 5, b""),
        (2, 0, b""),
    ],
)
def test_ranges_end_where_the_object_ends(store: ObjectStore, offset: int, length: int | None, expected: bytes) -> None:
    store.put("k", b"0123456789")

    assert b"".join(store.read("k", offset=offset, length=length, chunk=3)) == expected


def test_large_objects_travel_in_bounded_pieces(store: ObjectStore, tmp_path: Path) -> None:
    def source() -> Iterator[bytes]:
        for at in range(0, len(BIG), 100_000):
            yield BIG[at : at + 100_000]

    info = store.put("big", source())
    pieces = list(store.read("big"))
    store.fetch("big", tmp_path / "copy")

    assert info.sha256 == hashlib.sha256(BIG).hexdigest()
    assert max(map(len, pieces)) <= 1 << 20
    assert b"".join(pieces) == BIG == (tmp_path / "copy").read_bytes()


def test_bytes_files_and_paths_can_be_put(store: ObjectStore, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc")

    store.put("path", path)
    store.put("file", io.BytesIO(b"abc"))
    store.put("empty", b"")

    assert store.read_bytes("path", limit=3) == store.read_bytes("file", limit=3) == b"abc"
    assert store.read_bytes("empty", limit=0) == b""


def test_an_object_appears_at_commit_alone(store: ObjectStore) -> None:
    def broken() -> Iterator[bytes]:
        yield BIG
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        store.put("half", broken())
    with store.writer("never") as writer:
        writer.write(b"x")

    assert store.head("half") is None
    assert store.head("never") is None
    assert list(store.list("")) == []


def test_the_newest_put_wins(store: ObjectStore) -> None:
    first = store.put("k", b"one")
    second = store.put("k", b"three")

    assert store.read_bytes("k", limit=9) == b"three"
    assert first.etag != second.etag


def test_a_missing_object_is_named(store: ObjectStore) -> None:
    assert store.head("a/b") is None
    with pytest.raises(ObjectNotFound):
        store.read("a/b")
    with pytest.raises(ObjectNotFound):
        store.copy("a/b", "c")
    store.delete("a/b")


def test_list_finds_by_prefix(store: ObjectStore) -> None:
    for key in ("a/1", "a/2", "a/b/3", "ab/4", "b/5"):
        store.put(key, b"x")

    assert {info.key for info in store.list("a/")} == {"a/1", "a/2", "a/b/3"}
    assert {info.key for info in store.list("a")} == {"a/1", "a/2", "a/b/3", "ab/4"}
    assert {info.key for info in store.list("nowhere/")} == set()


def test_a_copy_outlives_its_source(store: ObjectStore) -> None:
    store.put("uploads/1", b"data", media_type="audio/flac")
    store.copy("uploads/1", "blobs/2.flac")
    store.copy("uploads/1", "blobs/2.flac")
    store.delete("uploads/1")

    assert store.read_bytes("blobs/2.flac", limit=4) == b"data"
    assert store.head("uploads/1") is None


def test_an_object_above_the_limit_is_not_read_whole(store: ObjectStore) -> None:
    store.put("k", b"0123456789")

    with pytest.raises(ObjectTooLarge):
        store.read_bytes("k", limit=9)


@pytest.mark.parametrize(
    "key", ["", "/etc/passwd", "a/../b", "..", ".drafts/x", "a//b", "a/", "a\0b", "a b", "a" * 1025]
)
def test_a_key_that_is_none_is_refused(store: ObjectStore, key: str) -> None:
    with pytest.raises(InvalidArgument):
        store.put(key, b"x")
    with pytest.raises(InvalidArgument):
        store.head(key)


def test_signed_links_work_for_their_object_alone(s3_server: Backend, tmp_path: Path) -> None:
    store = open_store(s3_server.url.replace("/objects?", f"/{tmp_path.name}?"))
    put = store.sign_put("up", size_bytes=4, expires_s=60, media_type="audio/flac") or ""
    get = store.sign_get("up", expires_s=60, filename="Ä b.flac") or ""

    wrong_type = httpx2.put(put, content=b"data", headers={"content-type": "text/html"})
    wrong_size = httpx2.put(put, content=b"more data", headers={"content-type": "audio/flac"})
    stored = httpx2.put(put, content=b"data", headers={"content-type": "audio/flac"})
    read = httpx2.get(get, headers={"range": "bytes=1-2"})

    assert wrong_type.status_code == 403
    assert wrong_size.status_code == 403
    assert stored.status_code == 200
    assert (read.status_code, read.content) == (206, b"at")
    assert "%C3%84%20b.flac" in read.headers["content-disposition"]
    assert httpx2.get(get.replace("/up?", "/other?")).status_code in (403, 404)
    assert httpx2.get(get.partition("?")[0]).status_code == 403


def test_a_public_endpoint_is_what_links_name(s3_server: Backend) -> None:
    store = open_store(s3_server.url, public_endpoint="https://objects.example.com")

    assert (store.sign_get("k", expires_s=60) or "").startswith("https://objects.example.com/tonewright/")


def test_s3_that_is_down_is_unavailable_and_comes_back(s3_server: Backend) -> None:
    store = open_store(s3_server.url)
    store.put("kept", b"x")

    s3_server.pause()
    try:
        with pytest.raises(DependencyUnavailable) as caught:
            store.put("k", b"x")
        with pytest.raises(DependencyUnavailable):
            store.ping()
        with pytest.raises(DependencyUnavailable):
            store.head("kept")
    finally:
        s3_server.resume()

    assert caught.value.metadata == {"dependency": "objects"}
    assert store.read_bytes("kept", limit=1) == b"x"
    store.ping()


def test_a_server_that_starts_later_gets_its_bucket_then(s3_server: Backend, tmp_path: Path) -> None:
    url = f"s3://late-{tmp_path.stat().st_ino}?create=1&endpoint=http://127.0.0.1:{free_port()}"
    store = open_store(url)
    assert isinstance(store, S3Store)
    with pytest.raises(DependencyUnavailable):
        store.ping()

    there = open_store(s3_server.url)
    assert isinstance(there, S3Store)
    store.client = there.client
    store.ping()

    store.put("k", b"x")
    assert store.read_bytes("k", limit=1) == b"x"


def test_a_disk_that_is_gone_is_unavailable_and_not_empty(tmp_path: Path) -> None:
    store = open_store(f"file://{tmp_path}/objects")
    store.put("kept", b"x")
    (tmp_path / "objects").rename(tmp_path / "away")

    with pytest.raises(DependencyUnavailable):
        store.head("kept")
    with pytest.raises(DependencyUnavailable):
        store.put("k", b"x")
    with pytest.raises(DependencyUnavailable):
        store.ping()
    (tmp_path / "away").rename(tmp_path / "objects")

    assert store.read_bytes("kept", limit=1) == b"x"


def test_disk_leaves_no_drafts_and_no_way_out(tmp_path: Path) -> None:
    store = open_store(f"file://{tmp_path}/objects")
    store.put("a", b"x")
    store.copy("a", "b")
    store.copy("a", "b")
    with store.writer("c") as writer:
        writer.write(b"x")

    assert list((tmp_path / "objects" / ".drafts").iterdir()) == []
    assert {path.name for path in tmp_path.iterdir()} == {"objects"}


def composed_of() -> tuple[list[Part], bytes]:
    """Parts on both sides of what S3 copies by itself, and the bytes that they make."""
    mib = 1 << 20
    parts: list[Part] = [
        b"head",
        ObjectRange("big", 3, 11 * mib),  # a head of 5 MiB is read, the rest is copied
        ObjectRange("small", 0, 5),
        ObjectRange("big", 5 * mib, 6 * mib),
        ObjectRange("big", 1, 14 * mib),  # 5 MiB are full, so that all of it can be copied
        b"",
        ObjectRange("big", 0, 100),
        b"tail",
    ]
    sources = {"big": BIG, "small": b"small"}
    data = b"".join(
        part if isinstance(part, bytes) else sources[part.key][part.offset : part.offset + part.length]
        for part in parts
    )
    return parts, data


def test_an_object_is_composed_of_bytes_and_ranges_in_order(store: ObjectStore) -> None:
    store.put("big", BIG)
    store.put("small", b"small")
    parts, data = composed_of()
    told: list[int] = []

    made = store.compose("whole.zip", parts, media_type="application/zip", tell=told.append)

    assert (made.key, made.size_bytes) == ("whole.zip", len(data))
    assert store.read_bytes("whole.zip", limit=len(data)) == data
    head = store.head("whole.zip")
    assert head is not None
    assert head.media_type == "application/zip"
    assert told == sorted(told)
    assert told[-1] == len(data)


def test_an_empty_object_can_be_composed(store: ObjectStore) -> None:
    assert store.compose("none", []).size_bytes == 0
    assert store.read_bytes("none", limit=1) == b""


def test_a_part_that_is_missing_leaves_no_object(store: ObjectStore) -> None:
    store.put("big", BIG)

    for part in (ObjectRange("gone", 0, 6 << 20), ObjectRange("big", len(BIG) - 100, 200)):
        with pytest.raises(ObjectNotFound):
            store.compose("whole", [b"x" * (6 << 20), part])

    assert store.head("whole") is None
    assert store.drop_unfinished(datetime.now(UTC) + timedelta(days=1)) == 0


def test_what_a_dead_writer_left_is_dropped_once_it_is_old(store: ObjectStore) -> None:
    writer = store.writer("k")
    writer.write(b"x" * (9 << 20))
    abandoned = 0 if isinstance(store, MemoryStore) else 1

    assert store.drop_unfinished(datetime.now(UTC) - timedelta(hours=1)) == 0
    assert store.drop_unfinished(datetime.now(UTC) + timedelta(hours=1)) == abandoned
    writer.abort()

    assert store.head("k") is None
