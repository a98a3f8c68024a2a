"""An archive of a dataset: ours beside `zip -0`, the writer alone and the whole way through the gateway.

    python -m bench.export [--items 64] [--rounds 5]

Starts a platform of its own on embedded defaults, uploads that many WAV files of 5 MB, and exports them for Replicate.
All files lie in the page cache. In turns: Info-ZIP stores the same files into an archive that goes to /dev/null; our
writer puts the export's byte ranges, read from the object store, to /dev/null; a client on loopback downloads the
archive from the gateway and drops it. The least time of the rounds counts.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import psutil

from bench.report import Row, compared, publish
from chassis.context import Caller, Role
from chassis.objects import ObjectRange, Part
from chassis.objects.disk import write_parts
from chassis.tokens import Signer
from tests.house import House
from tonewright.datasets.v1 import datasets_pb2, datasets_pb2_grpc
from tonewright_client.client import ArtistHandle

_ITEM_BYTES = 5_000_000
_PIECE = 1 << 18
_SEED = 5
_WORDS = ("dense", "wide", "steady", "hissing", "grainy", "bright", "dark", "rough", "soft", "static", "open", "dry")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=64, help="files of 5 MB")
    parser.add_argument("--rounds", type=int, default=5, help="how often each way is gone")
    chosen = parser.parse_args()
    if shutil.which("zip") is None:
        sys.exit("bench.export compares with Info-ZIP: install the package `zip`")
    with tempfile.TemporaryDirectory() as folder:
        files = _recordings(Path(folder, "files"), chosen.items)
        house = House(Path(folder, "home"), {}).start()
        try:
            rows = _compare(house, files, chosen.rounds)
        finally:
            house.stop()
    print(f"written to {publish('export', rows)}")


def _recordings(folder: Path, count: int) -> list[Path]:
    """WAV files of noise, 5 MB each, all different."""
    folder.mkdir()
    noise, files = random.Random(_SEED), []
    for number in range(count):
        files.append(folder / f"track-{number:04d}.wav")
        with wave.open(str(files[-1]), "wb") as out:
            out.setnchannels(2)
            out.setsampwidth(2)
            out.setframerate(44_100)
            out.writeframes(noise.randbytes(_ITEM_BYTES - 44))
    return files


def _compare(house: House, files: list[Path], rounds: int) -> list[Row]:
    name, size = _export(house, files)
    parts = list(_parts(house, name))
    gateway = house.processes()["gateway"]
    idle = gateway.memory_info().rss
    peak = [idle]
    ways: dict[str, Callable[[], int]] = {
        "zip": lambda: _zip(files, size),
        "writer": lambda: _write(house, parts),
        "gateway": lambda: _download(house, name, gateway, peak),
    }
    least = dict.fromkeys(ways, float("inf"))
    for _ in range(rounds):
        for way, go in ways.items():
            began = time.perf_counter()
            moved = go()
            least[way] = min(least[way], time.perf_counter() - began)
            if moved != size:
                raise SystemExit(f"{way} gave {moved} bytes of {size}")
    rate = {way: size / wall_s / 1e6 for way, wall_s in least.items()}
    grown_mib = (max(peak) - idle) / (1 << 20)
    return [
        compared("writer, to /dev/null", "MB/s", rate["writer"], rate["zip"], "zip -0", better="higher"),
        compared("through the gateway", "MB/s", rate["gateway"], rate["zip"], "zip -0", better="higher"),
        compared("gateway's memory above idle", "MiB", grown_mib, 64, "bound", better="lower"),
    ]


def _export(house: House, files: list[Path]) -> tuple[str, int]:
    """Name and size of a finished export of these files."""
    luck = random.Random(_SEED)
    with house.client() as client:
        artist = client.create_artist("Bench")
        for number, path in enumerate(files):
            _add_item(artist, path, number, luck)
        done = artist.operations.wait(artist.exports.start())
        return str(done["name"]), int(done["size_bytes"])


def _add_item(artist: ArtistHandle, path: Path, number: int, luck: random.Random) -> None:
    asset = artist.assets.upload(path)
    told = " ".join(luck.choice(_WORDS) for _ in range(16))
    caption = f"Experimental noise, {told}, kept level from start to end in an open field. BPM: {80 + number % 80}"
    artist.training_items.create(asset=asset["name"], caption=caption)


def _zip(files: list[Path], size: int) -> int:
    """The size of our archive: Info-ZIP's differs by its headers."""
    with Path(os.devnull).open("wb") as null:
        subprocess.run(["zip", "-0", "-q", "-j", "-", *map(str, files)], stdout=null, check=True)
    return size


def _parts(house: House, name: str) -> Iterator[Part]:
    """The export's byte ranges, as the datasets service tells them."""
    caller = Caller(service="gateway", principal="ada", artist=name.split("/")[1], role=Role.OWNER)
    token = Signer("gateway", house.home / "keys" / "gateway.key").sign("datasets", caller)
    host, port = house.grpc_address("datasets")
    with grpc.insecure_channel(f"{host}:{port}") as channel:
        stub, at, size = datasets_pb2_grpc.DatasetsServiceStub(channel), 0, 1
        while at < size:
            asked = datasets_pb2.GetExportLayoutRequest(name=name, offset_bytes=at)
            layout = stub.GetExportLayout(asked, metadata=(("authorization", f"Bearer {token}"),))
            for segment in layout.segments:
                blob = segment.blob
                is_inline = segment.WhichOneof("source") == "inline"
                whole = ObjectRange(blob.object_key, blob.offset_bytes, blob.length_bytes)
                yield segment.inline if is_inline else whole
            at, size = layout.next_offset_bytes, layout.size_bytes


def _write(house: House, parts: list[Part]) -> int:
    with Path(os.devnull).open("wb", buffering=0) as null:
        return write_parts(house.home / "objects", parts, null)


def _download(house: House, name: str, gateway: psutil.Process, peak: list[int]) -> int:
    """Bytes of the body, read from the socket and dropped."""
    request = (
        f"GET /v1/{name}/content HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {house.keys['ada']}\r\n"
        "Connection: close\r\n\r\n"
    )
    buffer, moved, reads = bytearray(_PIECE), 0, 0
    with socket.create_connection(house.gateway_address()) as connection:
        connection.sendall(request.encode())
        seen = connection.recv_into(buffer)
        head, _, _ = bytes(buffer[:seen]).partition(b"\r\n\r\n")
        if b" 200 " not in head.partition(b"\r\n")[0]:
            raise SystemExit(head.decode())
        moved -= len(head) + 4
        while seen:
            moved += seen
            reads += 1
            if reads % 256 == 0:
                peak.append(gateway.memory_info().rss)
            seen = connection.recv_into(buffer)
    return moved


if __name__ == "__main__":
    main()
