"""Archives of gigabytes: every process stays small, two are equal byte for byte, and a cut download goes on."""

from __future__ import annotations

import hashlib
import io
import random
import wave
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.house import House
from tests.sizes import Watch, grown, sizes
from tonewright_client import ArtistHandle
from tonewright_client.training_items import ItemFields

pytestmark = pytest.mark.target("embedded", "backends")  # reads the sizes of processes
SEED = 5
ITEM_BYTES = 5_000_000
ALLOWED_GROWTH_MIB = 64
_PIECE = 1 << 20
_BATCH = 200
_WORDS = ("dense", "wide", "steady", "hissing", "grainy", "bright", "dark", "rough", "soft", "static", "open", "dry")


@pytest.mark.parametrize(
    "count", [8, pytest.param(2000, marks=[pytest.mark.long, pytest.mark.timeout(3600)])], ids=lambda count: f"{count}"
)
def test_a_large_archive_is_exact_and_no_process_grows(
    house: House, artist: ArtistHandle, tmp_path: Path, count: int, figures: Callable[..., None]
) -> None:
    luck = random.Random(SEED)
    _add_items(artist, tmp_path, count, luck)
    idle, watch = sizes(house), Watch(house)

    with house.http() as http:
        snapshot = _post(http, f"/v1/{artist.name}/snapshots", {"display_name": "Large"})
        first, second = (_export(http, artist, snapshot["name"]) for _ in range(2))
        whole, size = _hashed(http, first["name"], 0, None)
        cut = luck.randrange(1, size)
        again = _cut_and_resumed(http, second["name"], cut, size)
        names = _directory(http, first["name"], size)

    growth = grown(idle, watch.stop())
    assert size == first["size_bytes"] == second["size_bytes"] > count * ITEM_BYTES
    assert whole == again, f"the archives differ, or the download cut at byte {cut} was joined wrongly"
    assert len(names) == 2 * count
    assert max(growth.values()) <= ALLOWED_GROWTH_MIB, growth
    figures(items=count, archive_bytes=size, grown_mib={name: round(mib, 1) for name, mib in growth.items()})


def _add_items(artist: ArtistHandle, folder: Path, count: int, luck: random.Random) -> None:
    items: list[ItemFields] = []
    for number in range(count):
        asset = artist.assets.upload(_noise(folder / "noise.wav", luck))
        items.append({"asset": asset["name"], "caption": _caption(number, luck)})
    for start in range(0, count, _BATCH):
        made = artist.training_items.create_all(items[start : start + _BATCH])
        assert all(result["training_item"] for result in made), made


def _noise(path: Path, luck: random.Random) -> Path:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(44_100)
        out.writeframes(luck.randbytes(ITEM_BYTES - 44))
    return path


def _caption(number: int, luck: random.Random) -> str:
    told = " ".join(luck.choice(_WORDS) for _ in range(16))
    return f"Experimental noise, {told}, kept level from start to end in an open stereo field. BPM: {80 + number % 80}"


def _post(http: httpx2.Client, path: str, body: dict[str, Any]) -> Any:
    answer = http.post(path, json=body, timeout=300.0)
    assert answer.is_success, answer.text
    return answer.json()


def _export(http: httpx2.Client, artist: ArtistHandle, snapshot: str) -> Any:
    return artist.operations.wait(_post(http, f"/v1/{artist.name}/exports", {"snapshot": snapshot}))


def _hashed(http: httpx2.Client, name: str, start: int, stop_after: int | None, digest: Any = None) -> tuple[str, int]:
    """SHA-256 (going on from `digest`) and number of the archive's bytes from `start`, at most `stop_after` of them."""
    digest = digest or hashlib.sha256()
    headers = {"Range": f"bytes={start}-"} if start else {}
    taken = 0
    with http.stream("GET", f"/v1/{name}/content", headers=headers, timeout=300.0) as answer:
        assert answer.status_code == (206 if start else 200)
        for piece in answer.iter_bytes(_PIECE):
            wanted = piece if stop_after is None else piece[: stop_after - taken]
            digest.update(wanted)
            taken += len(wanted)
            if taken == stop_after:
                break
        else:
            assert taken == int(answer.headers["content-length"])
    return digest.hexdigest(), taken


def _cut_and_resumed(http: httpx2.Client, name: str, cut: int, size: int) -> str:
    digest = hashlib.sha256()
    _, taken = _hashed(http, name, 0, cut, digest)
    assert taken == cut
    found, rest = _hashed(http, name, cut, None, digest)
    assert cut + rest == size
    return found


def _directory(http: httpx2.Client, name: str, size: int) -> list[str]:
    with zipfile.ZipFile(_Remote(http, name, size)) as archive:
        first = archive.infolist()[0]
        assert first.file_size == first.compress_size == ITEM_BYTES
        with wave.open(archive.open(first)) as audio:
            assert audio.getnchannels() == 2
        return archive.namelist()


class _Remote(io.RawIOBase):
    """An archive behind the gateway as a file that is read by ranges."""

    def __init__(self, http: httpx2.Client, name: str, size: int) -> None:
        self._http, self._name, self._size, self._at = http, name, size, 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, length: int = -1) -> bytes:
        end = self._size if length < 0 else min(self._at + length, self._size)
        if end <= self._at:
            return b""
        answer = self._http.get(f"/v1/{self._name}/content", headers={"Range": f"bytes={self._at}-{end - 1}"})
        assert answer.status_code == 206
        self._at = end
        return answer.content
