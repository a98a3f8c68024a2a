"""Pieces become folders of stems; what goes wrong with one is its own; what is stopped is cancelled."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.unit.client.fake_gateway import separation, stream, told, transport_to
from tonewright_client.client import ArtistHandle
from tonewright_client.splitting import Piece, Splitter, name_folders


class FakeGateway:
    """Separations by the asset's last part; an asset is called as its file."""

    def __init__(self, streams: dict[str, list[str]]) -> None:
        self.streams = streams
        self.refused: set[str] = set()
        self.interrupts = 0
        self.keys: list[str] = []
        self.cancelled: list[str] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path
        name = path.removeprefix("/v1/")
        if path.endswith("/uploads"):
            called = json.loads(request.content)["display_name"]
            return httpx2.Response(201, json={"name": "u", "asset": f"artists/nova/assets/{Path(called).stem}"})
        if path.endswith("/content"):
            return httpx2.Response(200, content=b"sound")
        if "/assets/" in path:
            return httpx2.Response(200, json={"name": name, "display_name": "its name.wav", "sha256": ""})
        if path.endswith(":batchCreate"):
            return self.create(request)
        if path.endswith("/events"):
            return stream(self.streams[path.split("/")[5]].pop(0))
        if path.endswith(":cancel"):
            self.cancelled.append(name.removesuffix(":cancel"))
            return httpx2.Response(200, json=separation("CANCELLED", name=self.cancelled[-1]))
        return httpx2.Response(200, json=separation("RUNNING", name=name))

    def create(self, request: httpx2.Request) -> httpx2.Response:
        self.keys.append(request.headers["Idempotency-Key"])
        if self.interrupts:
            self.interrupts -= 1
            raise KeyboardInterrupt
        operations = []
        for one in json.loads(request.content)["requests"]:
            uid = one["separation"]["asset"].rpartition("/")[2]
            made = {"name": "o", "error": None, "metadata": {"target": f"artists/nova/separations/{uid}"}}
            error = {"reason": "MODEL_NOT_FOUND", "message": "there is no model x"}
            operations.append({"name": "", "error": error} if uid in self.refused else made)
        return httpx2.Response(200, json={"operations": operations})


class Silent:
    """A view that shows nothing but remembers the order of ends; it can press Ctrl-C."""

    def __init__(self, *, interrupts: bool = False) -> None:
        self.done: list[str] = []
        self.interrupts = interrupts

    def uploading(self, piece: Piece, done: int, total: int) -> None: ...

    def cancelling(self, pieces: Sequence[Piece]) -> None: ...

    def downloading(self, piece: Piece, done: int, total: int) -> None: ...

    def changed(self, piece: Piece) -> None:
        if self.interrupts and piece.state == "RUNNING":
            raise KeyboardInterrupt

    def finished(self, piece: Piece) -> None:
        self.done.append(piece.title)


def _finished(uid: str) -> list[str]:
    stems = [{"stem": "drums", "asset": f"artists/nova/assets/{uid}-drums"}]
    return [told("RUNNING", 40) + told("SUCCEEDED", 100, name=f"artists/nova/separations/{uid}", stems=stems)]


def _splitter(gateway: FakeGateway, view: Silent) -> Splitter:
    return Splitter(ArtistHandle(transport_to(gateway), "nova"), {}, view, wants_picture=False)


def _files(folder: Path, *names: str) -> list[Piece]:
    for name in names:
        (folder / name).write_bytes(b"RIFF")
    return [Piece(str(folder / name)) for name in names]


def test_each_piece_gets_a_folder_of_stems(tmp_path: Path) -> None:
    gateway, view = FakeGateway({"one": _finished("one"), "two": _finished("two")}), Silent()
    pieces = _files(tmp_path, "one.wav", "two.mp3")

    _splitter(gateway, view).run(pieces, tmp_path / "out")

    assert [piece.files["drums"] for piece in pieces] == [
        tmp_path / "out" / "one" / "drums.flac",
        tmp_path / "out" / "two" / "drums.flac",
    ]
    assert all(piece.files["drums"].read_bytes() == b"sound" for piece in pieces)
    assert sorted(view.done) == ["one.wav", "two.mp3"]


def test_an_asset_is_called_by_its_name(tmp_path: Path) -> None:
    gateway = FakeGateway({"x": _finished("x")})
    piece = Piece("artists/nova/assets/x")

    _splitter(gateway, Silent()).run([piece], tmp_path)

    assert piece.folder == tmp_path / "its name"


def test_what_goes_wrong_with_one_does_not_stop_the_others(tmp_path: Path) -> None:
    failed = told("FAILED", 10, error_reason="SEPARATION_INPUT_DAMAGED", error_message="upload it again")
    gateway = FakeGateway({"bad": [failed], "good": _finished("good")})
    gateway.refused = {"odd"}
    pieces = _files(tmp_path, "bad.wav", "odd.wav", "good.wav")

    _splitter(gateway, Silent()).run(pieces, tmp_path / "out")

    assert [piece.error for piece in pieces] == [
        "SEPARATION_INPUT_DAMAGED: upload it again",
        "MODEL_NOT_FOUND: there is no model x",
        "",
    ]
    assert pieces[2].files


def test_an_interrupt_cancels_what_has_not_ended(tmp_path: Path) -> None:
    gateway = FakeGateway({"one": [told("RUNNING", 40)], "two": [told("RUNNING", 40)]})
    pieces = _files(tmp_path, "one.wav", "two.wav")

    with pytest.raises(KeyboardInterrupt):
        _splitter(gateway, Silent(interrupts=True)).run(pieces, tmp_path)

    assert sorted(gateway.cancelled) == ["artists/nova/separations/one", "artists/nova/separations/two"]
    assert {piece.state for piece in pieces} == {"CANCELLED"}


def test_an_interrupt_while_they_are_started_cancels_them_as_well(tmp_path: Path) -> None:
    gateway = FakeGateway({})
    gateway.interrupts = 1
    pieces = _files(tmp_path, "one.wav")

    with pytest.raises(KeyboardInterrupt):
        _splitter(gateway, Silent()).run(pieces, tmp_path)

    assert gateway.cancelled == ["artists/nova/separations/one"]
    assert gateway.keys[0] == gateway.keys[1]


@pytest.mark.parametrize(
    ("titles", "folders"),
    [
        (["song.wav", "song.mp3", "Song.flac"], ["song", "song-2", "Song-3"]),
        (["a.b.wav", ".wav", " . "], ["a.b", "wav", "stems"]),
        (["../../etc/passwd"], ["passwd"]),
    ],
)
def test_folders_never_collide(titles: list[str], folders: list[str]) -> None:
    pieces: list[Any] = [Piece(source=title, title=title) for title in titles]

    name_folders(pieces, Path("out"))

    assert [piece.folder for piece in pieces] == [Path("out") / folder for folder in folders]
