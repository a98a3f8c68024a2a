from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from chassis.errors import DependencyUnavailable
from tests.unit.gateway.conftest import Backend, Gateway
from tonewright.assets.v1 import assets_pb2
from tonewright.datasets.v1 import datasets_pb2, training_files_pb2
from tonewright.prompt.v1 import prompt_pb2

A = "/v1/artists/nova"
DATA = bytes(range(256)) * 20_000
SHA = hashlib.sha256(DATA).hexdigest()
KEY = "artists/nova/blobs/sha256/aa/aa"


def asset(**changes: Any) -> assets_pb2.Asset:
    facts = {"name": "artists/nova/assets/1", "display_name": "tone", "sha256": SHA, "size_bytes": len(DATA)}
    return assets_pb2.Asset(**{**facts, "media_type": "audio/wav", "blob_key": KEY, **changes})


@pytest.fixture
def stored(gateway: Gateway) -> Gateway:
    """A gateway whose object store holds one asset."""
    gateway.objects.put(KEY, DATA)
    gateway.backend.on("GetAsset", asset())
    return gateway


@pytest.fixture
def uploading(gateway: Gateway) -> Gateway:
    """A gateway whose sessions service takes uploads."""
    opened = assets_pb2.Upload(
        name="artists/nova/uploads/u",
        object_key="artists/nova/uploads/u",
        state=assets_pb2.Upload.STATE_OPEN,
    )
    opened.create_time.FromSeconds(100)
    made = asset()
    made.create_time.FromSeconds(101)
    gateway.backend.on("CreateUpload", opened)
    gateway.backend.on("GetUpload", opened)
    gateway.backend.on("CompleteUpload", made)
    gateway.backend.on("GetAsset", made)
    return gateway


async def test_content_is_streamed_with_its_facts(stored: Gateway) -> None:
    answer = await stored.client().get(f"{A}/assets/1/content")

    assert answer.content == DATA
    assert answer.headers["content-length"] == str(len(DATA))
    assert answer.headers["etag"] == f'"{SHA}"'
    assert answer.headers["content-type"] == "audio/wav"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-disposition"] == "inline; filename*=UTF-8''tone.wav"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_head_gives_the_facts_alone(stored: Gateway) -> None:
    answer = await stored.client().head(f"{A}/assets/1/content")

    assert (answer.content, answer.headers["content-length"]) == (b"", str(len(DATA)))


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("bytes=0-0", 0, 1), ("bytes=5-", 5, None), ("bytes=-7", -7, None), ("bytes=10-99999999", 10, None)],
)
async def test_one_range_is_given(stored: Gateway, asked: str, start: int, end: int | None) -> None:
    answer = await stored.client().get(f"{A}/assets/1/content", headers={"range": asked})

    expected = DATA[start:end]
    first = start % len(DATA)
    assert (answer.status_code, answer.content) == (206, expected)
    assert answer.headers["content-range"] == f"bytes {first}-{first + len(expected) - 1}/{len(DATA)}"


@pytest.mark.parametrize("asked", ["bytes=0-1,3-4", "bytes=9-3", "bytes=-", "lines=0-1", "bytes=a-b"])
async def test_range_that_makes_no_sense_gives_everything(stored: Gateway, asked: str) -> None:
    answer = await stored.client().get(f"{A}/assets/1/content", headers={"range": asked})

    assert (answer.status_code, len(answer.content)) == (200, len(DATA))


@pytest.mark.parametrize("asked", [f"bytes={len(DATA)}-", "bytes=-0"])
async def test_range_outside_the_content_is_416(stored: Gateway, asked: str) -> None:
    answer = await stored.client().get(f"{A}/assets/1/content", headers={"range": asked})

    assert (answer.status_code, answer.json()["reason"]) == (416, "RANGE_UNSATISFIABLE")
    assert answer.headers["content-range"] == f"bytes */{len(DATA)}"


@pytest.mark.parametrize(("etag", "status"), [(f'"{SHA}"', 206), ('"other"', 200), ("Tue, 01 Jan 2030", 200)])
async def test_range_of_another_version_gives_everything(stored: Gateway, etag: str, status: int) -> None:
    headers = {"range": "bytes=0-1", "if-range": etag}

    assert (await stored.client().get(f"{A}/assets/1/content", headers=headers)).status_code == status


async def test_known_content_is_304(stored: Gateway) -> None:
    answer = await stored.client().get(f"{A}/assets/1/content", headers={"if-none-match": f'"{SHA}"'})

    assert (answer.status_code, answer.content) == (304, b"")


async def test_link_reads_one_content_without_a_key_until_it_expires(stored: Gateway) -> None:
    link = (await stored.client().post(f"{A}/assets/1:link")).json()
    stranger = stored.client(None)

    read = await stranger.get(link["url"], headers={"range": "bytes=0-3"})
    changed = await stranger.get(link["url"].replace("/v1/links/ey", "/v1/links/ez"))
    stored.clock.advance(3601)
    late = await stranger.get(link["url"])

    assert link["url"].startswith("http://gateway/v1/links/")
    assert link["url"].endswith("/tone.wav")
    assert link["expire_time"] == "2026-01-01T01:00:00.000000Z"
    assert (read.status_code, read.content) == (206, DATA[:4])
    assert (changed.status_code, changed.json()["reason"]) == (404, "LINK_UNKNOWN")
    assert (late.status_code, late.json()["reason"]) == (403, "LINK_EXPIRED")


async def test_ticket_is_no_link(stored: Gateway) -> None:
    caller = stored.tools.signer
    from tests.unit.gateway.test_streams import CALLER

    token = caller.ticket("artists/nova/assets/1", CALLER, 60)

    assert (await stored.client(None).get(f"/v1/links/{token}/x")).status_code == 404


async def test_body_becomes_an_asset(uploading: Gateway) -> None:
    answer = await uploading.client().post(
        f"{A}/assets?display_name=tone", content=DATA, headers={"content-type": "audio/wav"}
    )

    asked, completed = (uploading.backend.requests(name)[0] for name in ("CreateUpload", "CompleteUpload"))
    assert (asked.parent, asked.display_name, asked.media_type) == ("artists/nova", "tone", "audio/wav")
    assert completed.sha256 == SHA
    assert uploading.objects.read_bytes("artists/nova/uploads/u", limit=len(DATA)) == DATA
    assert (answer.status_code, answer.headers["location"]) == (201, f"{A}/assets/1")


async def test_bytes_that_were_here_before_answer_200(uploading: Gateway) -> None:
    older = asset()
    older.create_time.FromSeconds(99)
    uploading.backend.on("CompleteUpload", older)

    answer = await uploading.client().post(f"{A}/assets", content=DATA)

    assert answer.status_code == 200


async def test_announced_bytes_that_are_here_are_not_stored_again(uploading: Gateway) -> None:
    uploading.backend.on("CreateUpload", assets_pb2.Upload(asset="artists/nova/assets/1"))

    answer = await uploading.client().post(f"{A}/assets", content=DATA, headers={"x-content-sha256": SHA})

    assert (answer.status_code, answer.json()["name"]) == (200, "artists/nova/assets/1")
    assert uploading.objects.objects == {}


@pytest.mark.parametrize(("body", "status"), [(DATA, 200), (b"another", 409)])
async def test_repeated_key_needs_the_same_file(uploading: Gateway, body: bytes, status: int) -> None:
    uploading.backend.on("CreateUpload", assets_pb2.Upload(asset="artists/nova/assets/1"))

    answer = await uploading.client().post(f"{A}/assets", content=body, headers={"idempotency-key": "k"})

    assert answer.status_code == status
    assert uploading.objects.objects == {}


@pytest.mark.parametrize(
    "headers",
    [
        {"x-content-sha256": "0" * 64},
        {"content-digest": f"sha-256=:{base64.b64encode(bytes(32)).decode()}:"},
    ],
)
async def test_bytes_with_another_digest_are_refused_and_dropped(uploading: Gateway, headers: dict[str, str]) -> None:
    answer = await uploading.client().post(f"{A}/assets", content=DATA, headers=headers)

    assert (answer.status_code, answer.json()["reason"]) == (400, "DIGEST_MISMATCH")
    assert uploading.objects.objects == {}
    assert uploading.backend.requests("CompleteUpload") == []


async def test_digest_that_cannot_be_one_is_refused(uploading: Gateway) -> None:
    answer = await uploading.client().post(f"{A}/assets", content=DATA, headers={"x-content-sha256": "abc"})

    assert (answer.status_code, answer.json()["reason"]) == (400, "HEADER_INVALID")


async def test_empty_body_is_refused(uploading: Gateway) -> None:
    answer = await uploading.client().post(f"{A}/assets", content=b"")

    assert (answer.status_code, answer.json()["reason"]) == (400, "BODY_INVALID")


async def test_first_file_of_a_form_becomes_an_asset(uploading: Gateway) -> None:
    answer = await uploading.client().post(
        f"{A}/assets", data={"note": "x" * 3000}, files={"file": ("tone.wav", DATA, "audio/wav")}
    )

    asked = uploading.backend.requests("CreateUpload")[0]
    assert (answer.status_code, asked.display_name, asked.media_type) == (201, "tone.wav", "audio/wav")
    assert uploading.objects.read_bytes("artists/nova/uploads/u", limit=len(DATA)) == DATA


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"--x\r\n", "multipart/form-data"),
        (b"nonsense", "multipart/form-data; boundary=x"),
        (b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--x--\r\n', "multipart/form-data; boundary=x"),
        (
            b'--x\r\nContent-Disposition: form-data; name="a"; filename="a.wav"\r\n\r\nhalf',
            "multipart/form-data; boundary=x",
        ),
        (b"--x\r\nX-Long: " + b"y" * 9000, "multipart/form-data; boundary=x"),
    ],
)
async def test_form_without_a_whole_file_is_refused(uploading: Gateway, body: bytes, content_type: str) -> None:
    answer = await uploading.client().post(f"{A}/assets", content=body, headers={"content-type": content_type})

    assert (answer.status_code, answer.json()["reason"]) == (400, "BODY_INVALID")
    assert uploading.objects.objects == {}


async def test_upload_is_negotiated_then_sent_then_completed(uploading: Gateway) -> None:
    client = uploading.client()

    opened = await client.post(f"{A}/uploads", json={"sha256": SHA, "size_bytes": len(DATA)})
    sent = await client.put(f"{A}/uploads/u/content", content=DATA)
    done = await client.post(f"{A}/uploads/u:complete")

    assert (opened.status_code, sent.status_code, done.status_code) == (201, 204, 200)
    assert uploading.backend.requests("CreateUpload")[0].sha256 == SHA


async def test_upload_of_another_size_is_refused(uploading: Gateway) -> None:
    opened = assets_pb2.Upload(object_key="artists/nova/uploads/u", state=assets_pb2.Upload.STATE_OPEN, size_bytes=3)
    uploading.backend.on("GetUpload", opened)

    answer = await uploading.client().put(f"{A}/uploads/u/content", content=DATA)

    assert (answer.status_code, answer.json()["reason"]) == (400, "DIGEST_MISMATCH")
    assert uploading.objects.objects == {}


async def test_closed_upload_takes_no_bytes(uploading: Gateway) -> None:
    uploading.backend.on("GetUpload", assets_pb2.Upload(object_key="k", state=assets_pb2.Upload.STATE_COMPLETED))

    answer = await uploading.client().put(f"{A}/uploads/u/content", content=DATA)

    assert (answer.status_code, answer.json()["reason"]) == (400, "UPLOAD_NOT_OPEN")


async def test_store_that_is_away_is_503(uploading: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any, **__: Any) -> Any:
        raise DependencyUnavailable("objects")

    monkeypatch.setattr(uploading.objects, "writer", away)

    answer = await uploading.client().post(f"{A}/assets", content=DATA)

    assert (answer.status_code, answer.json()["metadata"]) == (503, {"dependency": "objects"})


async def test_live_set_is_stored_and_read(http: httpx2.AsyncClient, gateway: Gateway) -> None:
    gateway.backend.on("CreateLiveSet", prompt_pb2.LiveSet(name="artists/nova/live-sets/1"))

    answer = await http.post(f"{A}/live-sets?file_name=a.als", content=b"gzip", headers={"idempotency-key": "k"})

    asked = gateway.backend.requests("CreateLiveSet")[0]
    assert (asked.file_name, asked.request_id) == ("a.als", "k")
    assert gateway.objects.read_bytes(asked.object_key, limit=10) == b"gzip"
    assert answer.status_code == 201


def layout(request: datasets_pb2.GetExportLayoutRequest) -> datasets_pb2.ExportLayout:
    """An archive of three runs, told in pages of two."""
    Segment, Blob = datasets_pb2.ExportLayout.Segment, datasets_pb2.ExportLayout.BlobRange
    runs = [
        Segment(offset_bytes=0, inline=b"head"),
        Segment(offset_bytes=4, blob=Blob(object_key=KEY, offset_bytes=10, length_bytes=1000)),
        Segment(offset_bytes=1004, inline=b"tail"),
    ]
    ends = [4, 1004, 1008]
    first = next((i for i, end in enumerate(ends) if end > request.offset_bytes), 2)
    page = runs[first : first + 2]
    return datasets_pb2.ExportLayout(
        size_bytes=1008,
        content_etag="e",
        file_name="dataset.zip",
        media_type="application/zip",
        segments=page,
        next_offset_bytes=ends[first + len(page) - 1],
    )


ARCHIVE = b"head" + DATA[10:1010] + b"tail"


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [(None, 0, 1008), ("bytes=2-5", 2, 6), ("bytes=1000-", 1000, 1008), ("bytes=-3", 1005, 1008), ("bytes=4-4", 4, 5)],
)
async def test_archive_is_put_together_from_its_runs(stored: Gateway, asked: str | None, start: int, end: int) -> None:
    stored.backend.on("GetExportLayout", layout)

    answer = await stored.client().get(f"{A}/exports/1/content", headers={"range": asked} if asked else {})

    assert answer.content == ARCHIVE[start:end]
    assert answer.headers["content-length"] == str(end - start)
    assert (answer.headers["etag"], answer.headers["content-type"]) == ('"e"', "application/zip")


async def test_link_of_an_archive_ends_in_zip(stored: Gateway) -> None:
    stored.backend.on("GetExportLayout", layout)

    url = (await stored.client().post(f"{A}/exports/1:link")).json()["url"]

    assert url.endswith("/dataset.zip")
    assert (await stored.client(None).get(url)).content == ARCHIVE


async def test_training_file_is_given_in_the_format_asked_for(stored: Gateway) -> None:
    content = training_files_pb2.TrainingFileContent(
        object_key=KEY, size_bytes=len(DATA), sha256=SHA, media_type="application/jsonl", file_name="café.jsonl"
    )
    stored.backend.on("GetTrainingFileContent", content)

    answer = await stored.client().get(f"{A}/training-files/1/content?format=JSONL")

    asked = stored.backend.requests("GetTrainingFileContent")[0]
    assert asked.format == training_files_pb2.TRAINING_FILE_FORMAT_JSONL
    assert answer.content == DATA
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''caf%C3%A9.jsonl"


async def test_json_that_is_too_large_is_413_before_it_is_read(http: httpx2.AsyncClient, backend: Backend) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(200):
            sent += 1
            yield b" " * (1 << 20)

    headers = {"content-type": "application/json"}
    announced = await http.post(
        f"{A}/sessions", content=endless(), headers={**headers, "content-length": str(200 << 20)}
    )
    chunked = await http.post(f"{A}/sessions", content=endless(), headers=headers)

    assert [a.status_code for a in (announced, chunked)] == [413, 413]
    assert {a.json()["reason"] for a in (announced, chunked)} == {"BODY_TOO_LARGE"}
    assert backend.requests("CreateSession") == []


async def test_link_of_a_stored_archive_leads_to_the_object_store(
    stored: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = datasets_pb2.ExportLayout.Segment(
        offset_bytes=0, blob=datasets_pb2.ExportLayout.BlobRange(object_key=KEY, length_bytes=1008)
    )
    stored.backend.on(
        "GetExportLayout", datasets_pb2.ExportLayout(size_bytes=1008, file_name="d.zip", segments=[whole])
    )
    signed = f"https://objects.example.com/{KEY}?signed"
    monkeypatch.setattr(stored.objects, "sign_get", lambda key, **_: signed if key == KEY else None)

    first = (await stored.client().post(f"{A}/exports/1:link")).json()["url"]
    monkeypatch.setattr(stored.objects, "sign_get", lambda key, **_: None)
    second = (await stored.client().post(f"{A}/exports/1:link")).json()["url"]

    assert first == signed
    assert urlsplit(second).path.startswith("/v1/links/")
    assert second.endswith("/d.zip")
