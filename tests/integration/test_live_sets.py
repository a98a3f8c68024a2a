"""Live Sets over HTTP: every major version, hostile files, zips of projects, pictures."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from xml.etree import ElementTree

import httpx2
import pytest

from chassis.ids import new_uid
from tests.house import House
from tests.material.live_set import MAJORS, ClipPlan, LiveSetPlan, TrackPlan, full_plan, live_set_bytes, small_plan
from tonewright_client import ArtistHandle

pytestmark = pytest.mark.target("embedded")
HEAD = b'<?xml version="1.0"?><Ableton MinorVersion="11.0_1" Creator="Ableton Live 11.0"><LiveSet><Tracks>'
TAIL = b"</Tracks></LiveSet></Ableton>"
LAUGHS = b"".join(b"<!ENTITY l%d '%s'>" % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
BILLION_LAUGHS = b"<!DOCTYPE a [<!ENTITY l0 'lol'>" + LAUGHS + b"]><Ableton><LiveSet>&l9;</LiveSet></Ableton>"
HOSTILE = {
    "empty.als": (b"\n", "LIVE_SET_NOT_GZIP"),
    "text.als": (b"these are the lyrics", "LIVE_SET_NOT_GZIP"),
    "zip.als": (b"PK\x03\x04" + b"\0" * 60, "LIVE_SET_NOT_GZIP"),
    "cut.als": (live_set_bytes()[:700], "LIVE_SET_TRUNCATED"),
    "root.als": (gzip.compress(b"<Cubase/>"), "LIVE_SET_WRONG_ROOT"),
    "laughs.als": (gzip.compress(BILLION_LAUGHS), "LIVE_SET_DOCTYPE_REFUSED"),
    "bomb.als": (gzip.compress(HEAD + b" " * (64 << 20)), "LIVE_SET_EXPANDS_TOO_MUCH"),
    "deep.als": (gzip.compress(HEAD + b"<a>" * 5_000 + b"</a>" * 5_000 + TAIL), "LIVE_SET_TOO_DEEP"),
    "old.als": (gzip.compress(b'<Ableton MinorVersion="7.0_1"><LiveSet/></Ableton>'), "LIVE_SET_VERSION_UNSUPPORTED"),
}


@pytest.fixture
def http(house: House) -> Iterator[httpx2.Client]:
    with house.http() as connected:
        yield connected


def _send(http: httpx2.Client, artist: ArtistHandle, name: str, content: bytes) -> httpx2.Response:
    return http.post(f"/v1/{artist.name}/live-sets", params={"file_name": name}, content=content)


def _bring(http: httpx2.Client, artist: ArtistHandle, content: bytes, key: str = "") -> httpx2.Response:
    headers = {"Idempotency-Key": key} if key else {}
    return http.post(f"/v1/{artist.name}/live-sets:import", content=content, headers=headers)


def _zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return buffer.getvalue()


def test_every_major_version_is_read(http: httpx2.Client, artist: ArtistHandle) -> None:
    made = {major: _send(http, artist, f"v{major}.als", live_set_bytes(full_plan(major))).json() for major in MAJORS}

    for major, live_set in made.items():
        facts = (
            "live_version",
            "tempo_bpm",
            "time_signature",
            "track_count",
            "clip_count",
            "device_count",
            "duration_s",
        )
        assert [live_set[fact] for fact in facts] == [major, 100, "6/8", 9, 6, 16, 12.5]
        assert (live_set["key"], live_set["key_evidence"]) == (("B minor", "set") if major >= 10 else ("", ""))
        assert live_set["summary"]["track_breakdown"]["Keys (2)"]["clips"] == 1
    shown = json.dumps(made)
    assert not [word for word in ("Users", "someone", "C:\\\\", "Imported") if word in shown]


def test_live_sets_are_found_by_a_part_of_their_names(http: httpx2.Client, artist: ArtistHandle) -> None:
    for name in ("Nachtfahrt.als", "Größe.als"):
        _send(http, artist, name, live_set_bytes())

    found = http.get(f"/v1/{artist.name}/live-sets", params={"query": "GRÖ"}).json()

    assert [live_set["file_name"] for live_set in found["live_sets"]] == ["Größe.als"]


def test_hostile_files_are_refused_by_name_and_nothing_dies(
    house: House, http: httpx2.Client, artist: ArtistHandle, figures: Callable[..., None]
) -> None:
    before = house.processes()["prompt"].pid

    for name, (content, reason) in HOSTILE.items():
        answer = _send(http, artist, name, content)
        problem = answer.json()
        assert answer.headers["content-type"] == "application/problem+json"
        assert (answer.status_code, problem["reason"], problem["domain"]) == (400, reason, "prompt.tonewright.dev")
        assert any(word in problem["detail"] for word in ("send", "save", "upload", "split", "unpack")), problem

    assert house.processes()["prompt"].pid == before
    assert _send(http, artist, "good.als", live_set_bytes()).status_code == 201
    assert len(http.get(f"/v1/{artist.name}/live-sets").json()["live_sets"]) == 1
    figures(hostile_files=len(HOSTILE))


@pytest.mark.long
def test_a_million_nodes_are_read(http: httpx2.Client, artist: ArtistHandle) -> None:
    nodes = b"".join(b'<P%d Value="%d"/>' % (number % 40, number) for number in range(1_000_000))

    answer = _send(http, artist, "large.als", gzip.compress(HEAD + b"<MidiTrack>" + nodes + b"</MidiTrack>" + TAIL, 1))

    assert (answer.status_code, answer.json()["track_count"]) == (201, 1)


def test_a_project_folder_comes_in_at_once(http: httpx2.Client, artist: ArtistHandle) -> None:
    files = {
        "Night Project/Night.als": live_set_bytes(small_plan(101)),
        "Night Project/Backup/Night [2024-01-01 101010].als": live_set_bytes(small_plan(99)),
        "Night Project/Samples/kick.wav": b"RIFF",
        "__MACOSX/Night Project/._Night.als": b"mac",
        "Bad Project/Bad.als": b"no Live Set",
        "../Out.als": live_set_bytes(small_plan(98)),
        "Copy Project/Night copy.als": live_set_bytes(small_plan(101)),
    }
    key = new_uid()

    answer = _bring(http, artist, _zipped(files), key)

    assert answer.status_code == 200, answer.text
    outcome = answer.json()
    told = {result["path"]: (result["reason"], result["already_there"]) for result in outcome["results"]}
    assert told == {
        "../Out.als": ("LIVE_SET_ENTRY_REFUSED", False),
        "Bad Project/Bad.als": ("LIVE_SET_NOT_GZIP", False),
        "Copy Project/Night copy.als": ("", False),
        "Night Project/Night.als": ("", True),
    }
    assert outcome["ignored_count"] == 3
    assert outcome["results"][2]["live_set"]["project_name"] == "Copy Project"
    assert _bring(http, artist, _zipped(files), key).json() == outcome
    assert len(http.get(f"/v1/{artist.name}/live-sets").json()["live_sets"]) == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"no zip", "LIVE_SET_ARCHIVE_INVALID"),
        (_zipped({"song.txt": b"la"}), "LIVE_SET_ARCHIVE_EMPTY"),
        (_zipped({f"{number}.als": b"" for number in range(201)}), "LIVE_SET_ARCHIVE_TOO_LARGE"),
    ],
    ids=["no zip", "nothing in it", "too much in it"],
)
def test_a_zip_of_no_use_is_refused(http: httpx2.Client, artist: ArtistHandle, content: bytes, reason: str) -> None:
    answer = _bring(http, artist, content)

    assert (answer.status_code, answer.json()["reason"]) == (400, reason)
    assert any(word in answer.json()["detail"] for word in ("zip", "send"))


def test_the_timeline_is_a_picture_that_can_do_nothing(http: httpx2.Client, artist: ArtistHandle) -> None:
    nasty = '"/><script>alert(1)</script>'
    plan = LiveSetPlan(tracks=[TrackPlan(nasty, clips=[ClipPlan(nasty, 0, 64)])], locators=[(8, nasty)])
    name = _send(http, artist, "nasty.als", live_set_bytes(plan)).json()["name"]

    answer = http.get(f"/v1/{name}/timeline.svg", params={"width": 2000})

    assert answer.headers["content-type"].startswith("image/svg+xml")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    picture = ElementTree.fromstring(answer.content)
    assert {element.tag.rpartition("}")[2] for element in picture.iter()} == {"svg", "title", "rect", "line", "text"}
    assert nasty in [element.text for element in picture.iter()]
    assert http.get(f"/v1/{name}/timeline.svg", params={"width": 100}).status_code in {400, 422}


def test_a_stranger_sees_no_timeline_and_brings_nothing(
    house: House, http: httpx2.Client, artist: ArtistHandle
) -> None:
    name = _send(http, artist, "mine.als", live_set_bytes()).json()["name"]

    with house.http("bob") as strange:
        assert strange.get(f"/v1/{name}/timeline.svg").status_code in {403, 404}
        assert _bring(strange, artist, _zipped({"a.als": live_set_bytes()})).status_code in {403, 404}
