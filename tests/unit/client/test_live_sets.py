"""Live Sets travel one by one or as a zip of a folder."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import httpx2
import pytest

from tests.unit.client.fake_gateway import transport_to
from tonewright_client.live_sets import LiveSets


def test_a_folder_becomes_a_zip_of_its_live_sets_without_backups(tmp_path: Path) -> None:
    for name in (
        "Song Project/Song.als",
        "Song Project/Backup/Song 1.als",
        "Song Project/.trash.als",
        "b.als",
        "b.wav",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    packed: list[bytes] = []
    asked: list[httpx2.URL] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        packed.append(request.read())
        asked.append(request.url)
        return httpx2.Response(200, json={"results": [], "ignored_count": 0})

    LiveSets(transport_to(answer), "artists/nova").import_folder(tmp_path, project_name="Night & Day")

    with zipfile.ZipFile(io.BytesIO(packed[0])) as archive:
        assert archive.namelist() == ["Song Project/Song.als", "b.als"]
    assert asked[0].path == "/v1/artists/nova/live-sets:import"
    assert dict(asked[0].params) == {"project_name": "Night & Day"}


def test_a_folder_without_live_sets_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no \.als file"):
        LiveSets(transport_to(lambda _request: httpx2.Response(500)), "artists/nova").import_folder(tmp_path)


def test_names_of_files_keep_their_signs(tmp_path: Path) -> None:
    file = tmp_path / "50% & more? #1.als"
    file.write_bytes(b"als")
    names: list[str] = []
    keys: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        names.append(request.url.params["file_name"])
        keys.append(request.headers["Idempotency-Key"])
        return httpx2.Response(201, json={"name": "artists/nova/live-sets/1"})

    LiveSets(transport_to(answer), "artists/nova").upload(file)

    assert names == ["50% & more? #1.als"]
    assert keys[0]
