"""Bytes in and out: negotiated uploads, ranges, conditional reads, archives and links."""

from __future__ import annotations

import contextlib
import hashlib
import io
import random
import socket
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx2
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from prometheus_client.parser import text_string_to_metric_families

from chassis.context import Caller, Role
from chassis.testing import FakeClock
from services.gateway.links import Signer
from tests.house import House
from tonewright_client import ArtistHandle, Tonewright
from tonewright_client.demo_material import write_piece

SEED = 11
ANNOUNCEMENT_BYTES = 4096


@pytest.fixture
def http(house: House) -> Iterator[httpx2.Client]:
    with house.http() as connected:
        yield connected


@pytest.fixture
def stranger(house: House) -> Iterator[httpx2.Client]:
    """Has no key."""
    with house.http(None) as connected:
        yield connected


@pytest.fixture(scope="session")
def export(house: House, piece: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A finished export of three recordings."""
    folder = tmp_path_factory.mktemp("songs")
    with house.client("ada") as client:
        artist = client.create_artist("Archivist")
        songs = [piece, *(write_piece(folder / f"song-{seed}.wav", bars=3, seed=seed) for seed in (1, 2))]
        for take, song in enumerate(songs):
            asset = artist.assets.upload(song)
            caption = f"Warm pads over a steady beat, take {take}. BPM: 120"
            artist.training_items.create(asset=asset["name"], caption=caption)
        return artist.operations.wait(artist.exports.start())


def _announce(http: httpx2.Client, artist: ArtistHandle, content: bytes) -> dict[str, Any]:
    body = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "size_bytes": len(content),
        "media_type": "audio/wav",
        "display_name": "Take 1",
    }
    answer = http.post(f"/v1/{artist.name}/uploads", json=body)
    assert answer.status_code == 201, answer.text
    upload: dict[str, Any] = answer.json()
    return upload


def _received_bytes(http: httpx2.Client) -> float:
    """Body bytes that the gateway has taken in so far."""
    families = {family.name: family for family in text_string_to_metric_families(http.get("/metrics").text)}
    family = families["tonewright_gateway_received_bytes"]
    return sum(sample.value for sample in family.samples if sample.name.endswith("_total"))


@pytest.mark.target("backends", "cluster")
def test_announced_bytes_go_straight_to_the_object_store(
    house: House, http: httpx2.Client, artist: ArtistHandle, piece: Path
) -> None:
    content = piece.read_bytes()
    before = _received_bytes(http)
    upload = _announce(http, artist, content)
    unfinished = http.post(f"/v1/{upload['name']}:complete", json={})
    with httpx2.Client(trust_env=False, timeout=30) as store:
        headers = {"Content-Type": "audio/wav"}
        short = store.put(upload["put_url"], content=content[:-1], headers=headers)
        sent = store.put(upload["put_url"], content=content, headers=headers)

    done = http.post(f"/v1/{upload['name']}:complete", json={})

    assert urlsplit(upload["put_url"]).netloc == urlsplit(house.object_store()).netloc
    assert urlsplit(upload["put_url"]).netloc != urlsplit(house.url).netloc
    assert (unfinished.status_code, unfinished.json()["reason"]) == (400, "UPLOAD_NOT_RECEIVED")
    assert 400 <= short.status_code < 500, "the link is for exactly the announced size"
    assert sent.status_code == 200, sent.text
    assert (done.status_code, done.json()["sha256"]) == (200, upload["sha256"])
    assert _received_bytes(http) - before < ANNOUNCEMENT_BYTES
    assert http.get(f"/v1/{done.json()['name']}/content").content == content


@pytest.mark.target("embedded")
def test_announced_bytes_go_through_the_gateway(http: httpx2.Client, artist: ArtistHandle, piece: Path) -> None:
    content, headers = piece.read_bytes(), {"Content-Type": "audio/wav"}
    before = _received_bytes(http)
    upload = _announce(http, artist, content)
    unfinished = http.post(f"/v1/{upload['name']}:complete", json={})
    short = http.put(f"/v1/{upload['name']}/content", content=content[:-1], headers=headers)
    sent = http.put(f"/v1/{upload['name']}/content", content=content, headers=headers)

    done = http.post(f"/v1/{upload['name']}:complete", json={})

    late = http.put(f"/v1/{upload['name']}/content", content=content, headers=headers)
    assert upload["put_url"] == ""
    assert (unfinished.status_code, unfinished.json()["reason"]) == (400, "UPLOAD_NOT_RECEIVED")
    assert (short.status_code, short.json()["reason"]) == (400, "DIGEST_MISMATCH")
    assert sent.status_code == 204
    assert (done.status_code, done.json()["sha256"]) == (200, upload["sha256"])
    assert (late.status_code, late.json()["reason"]) == (400, "UPLOAD_NOT_OPEN")
    assert _received_bytes(http) - before >= len(content)
    assert http.get(f"/v1/{done.json()['name']}/content").content == content


def test_bytes_that_are_here_need_not_be_sent(http: httpx2.Client, artist: ArtistHandle, piece: Path) -> None:
    asset = artist.assets.upload(piece)
    body = {"sha256": asset["sha256"], "size_bytes": asset["size_bytes"], "media_type": "audio/wav"}

    answer = http.post(f"/v1/{artist.name}/uploads", json=body)

    assert (answer.status_code, answer.json()["asset"], answer.json()["put_url"]) == (200, asset["name"], "")


def test_other_bytes_than_announced_make_no_asset(http: httpx2.Client, artist: ArtistHandle, piece: Path) -> None:
    content = piece.read_bytes()
    upload = _announce(http, artist, content)
    other = bytes([content[0], *content[1:-1], content[-1] ^ 1])
    with httpx2.Client(base_url=http.base_url, trust_env=False, timeout=30) as sender:
        key = {} if upload["put_url"] else {"Authorization": http.headers["Authorization"]}
        url = upload["put_url"] or f"/v1/{upload['name']}/content"
        sender.put(url, content=other, headers={"Content-Type": "audio/wav", **key})

    done = http.post(f"/v1/{upload['name']}:complete", json={})

    assert done.status_code == 400, done.text
    assert not list(artist.assets.list())


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=1000-1999", 1000, 1999),
        ("bytes=-100", -100, -1),
        ("bytes=5000-", 5000, -1),
        ("bytes=5000-99999999", 5000, -1),
    ],
    ids=["first", "middle", "suffix", "rest", "past-the-end"],
)
def test_a_range_gives_its_bytes(
    http: httpx2.Client, artist: ArtistHandle, piece: Path, asked: str, first: int, last: int
) -> None:
    content = piece.read_bytes()
    size = len(content)
    asset = artist.assets.upload(piece)
    begin, end = first % size, last % size

    answer = http.get(f"/v1/{asset['name']}/content", headers={"Range": asked})

    assert answer.status_code == 206
    assert answer.content == content[begin : end + 1]
    assert answer.headers["Content-Range"] == f"bytes {begin}-{end}/{size}"
    assert int(answer.headers["Content-Length"]) == end - begin + 1
    assert answer.headers["Accept-Ranges"] == "bytes"


def test_conditions_on_content_are_honoured(http: httpx2.Client, artist: ArtistHandle, piece: Path) -> None:
    content, asset = piece.read_bytes(), artist.assets.upload(piece)
    path, etag = f"/v1/{asset['name']}/content", f'"{asset["sha256"]}"'

    same = http.get(path, headers={"Range": "bytes=5-9", "If-Range": etag})
    changed = http.get(path, headers={"Range": "bytes=5-9", "If-Range": '"of-yesterday"'})
    known = http.get(path, headers={"If-None-Match": f'"other", {etag}'})
    outside = http.get(path, headers={"Range": f"bytes={len(content)}-"})
    head = http.head(path)
    head_of_range = http.head(path, headers={"Range": "bytes=5-9"})

    assert (same.status_code, same.content) == (206, content[5:10])
    assert (changed.status_code, changed.content) == (200, content)
    assert (known.status_code, known.content, known.headers["ETag"]) == (304, b"", etag)
    assert (outside.status_code, outside.headers["Content-Range"]) == (416, f"bytes */{len(content)}")
    assert outside.json()["reason"] == "RANGE_UNSATISFIABLE"
    # Ranges are of GET alone (RFC 9110, 14.2).
    for answer in (head, head_of_range):
        assert (answer.status_code, answer.content) == (200, b"")
        assert (int(answer.headers["Content-Length"]), answer.headers["ETag"]) == (len(content), etag)


def test_an_archive_is_the_same_bytes_each_time_with_its_files_at_the_root(
    http: httpx2.Client, export: dict[str, Any]
) -> None:
    path = f"/v1/{export['name']}/content"

    first, second, head = http.get(path), http.get(path), http.head(path)

    assert first.content == second.content
    assert len(first.content) == int(first.headers["Content-Length"]) == export["size_bytes"]
    assert first.headers["ETag"] == second.headers["ETag"] == head.headers["ETag"] == f'"{export["content_etag"]}"'
    assert (head.headers["Content-Length"], head.content) == (first.headers["Content-Length"], b"")
    assert first.headers["Content-Type"] == "application/zip"
    assert export["file_name"] in first.headers["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(first.content)) as archive:
        assert archive.testzip() is None
        names = [Path(name) for name in archive.namelist()]
        captions = [archive.read(str(name)).decode() for name in names if name.suffix == ".txt"]
    assert len({name.stem for name in names}) == 3
    assert {name.suffix for name in names} == {".wav", ".txt"}
    assert {name.parent for name in names} == {Path()}
    assert all("steady beat" in caption for caption in captions)


def test_a_broken_download_of_an_archive_goes_on_where_it_stopped(http: httpx2.Client, export: dict[str, Any]) -> None:
    path = f"/v1/{export['name']}/content"
    whole = http.get(path)
    chance = random.Random(SEED)
    offsets = [1, len(whole.content) - 1, *(chance.randrange(len(whole.content)) for _ in range(6))]

    resumed = {
        offset: http.get(path, headers={"Range": f"bytes={offset}-", "If-Range": whole.headers["ETag"]})
        for offset in offsets
    }

    assert {answer.status_code for answer in resumed.values()} == {206}
    wrong = [offset for offset, answer in resumed.items() if whole.content[:offset] + answer.content != whole.content]
    assert not wrong


def test_the_client_resumes_a_download_whose_connection_is_cut(
    house: House, http: httpx2.Client, export: dict[str, Any], tmp_path: Path
) -> None:
    whole = http.get(f"/v1/{export['name']}/content").content
    artist = "/".join(export["name"].split("/")[:2])

    with _CutOnce(house, after_bytes=len(whole) // 2) as way, Tonewright(way.url, house.keys["ada"]) as client:
        target = client.artist(artist).exports.download(export["name"], tmp_path / "dataset.zip")

    assert target.read_bytes() == whole
    assert way.connections >= 2
    assert len(whole) < way.sent_bytes < len(whole) * 1.5


class _CutOnce:
    """A way to the gateway whose first connection is cut after so many bytes of answers."""

    def __init__(self, house: House, *, after_bytes: int) -> None:
        self._gateway = house.gateway_address()
        self._after_bytes = after_bytes
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.connections = self.sent_bytes = 0
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> _CutOnce:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(timeout=5)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                limit = self._after_bytes if self.connections == 1 else 1 << 40
                server = socket.create_connection(self._gateway)
                for source, target, most in ((client, server, 1 << 40), (server, client, limit)):
                    self._threads.append(threading.Thread(target=self._relay, args=(source, target, most)))
                    self._threads[-1].start()

    def _relay(self, source: socket.socket, target: socket.socket, most_bytes: int) -> None:
        passed = 0
        with contextlib.suppress(OSError), source, target:
            while passed < most_bytes and (data := source.recv(min(65536, most_bytes - passed))):
                target.sendall(data)
                passed += len(data)
                self.sent_bytes += len(data)
            for end in (source, target):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)


def test_a_link_to_an_archive_ends_in_zip_and_needs_no_key(
    http: httpx2.Client, stranger: httpx2.Client, export: dict[str, Any]
) -> None:
    whole = http.get(f"/v1/{export['name']}/content").content

    link = http.post(f"/v1/{export['name']}:link").json()

    answer, head = stranger.get(link["url"]), stranger.head(link["url"])
    part = stranger.get(link["url"], headers={"Range": "bytes=-50"})
    assert unquote(urlsplit(link["url"]).path).endswith(".zip")
    assert (answer.status_code, answer.content) == (200, whole)
    assert int(head.headers["Content-Length"]) == len(whole)
    assert (part.status_code, part.content) == (206, whole[-50:])
    assert link["expire_time"] > export["create_time"]


def test_a_link_whose_time_is_over_is_refused(house: House, stranger: httpx2.Client, export: dict[str, Any]) -> None:
    ada = Caller("gateway", "ada", export["name"].split("/")[1], Role.VIEWER)
    # Signed by the gateway's own key, at a time that is over.
    expired = _signer(house).link(export["name"], ada, 60)

    answer = stranger.get(f"/v1/links/{expired}/dataset.zip")

    assert (answer.status_code, answer.json()["reason"]) == (403, "LINK_EXPIRED")
    assert "ask for a new one" in answer.json()["detail"]
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_link_ends_with_what_it_leads_to(
    http: httpx2.Client, stranger: httpx2.Client, client: Tonewright, export: dict[str, Any]
) -> None:
    artist = client.artist("/".join(export["name"].split("/")[:2]))
    second = artist.operations.wait(artist.exports.start())
    link = http.post(f"/v1/{second['name']}:link").json()["url"]
    artist.exports.delete(str(second["name"]))

    answer = stranger.get(link)

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def _signer(house: House) -> Signer:
    key = load_pem_private_key((house.home / "keys" / "gateway.key").read_bytes(), None)
    return Signer(key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()), FakeClock())
