"""Sessions, prompt and datasets as processes, with workers that a test starts; the gateway is not needed."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np
import soundfile

from chassis.channels import Channels
from chassis.context import acting_as, in_request
from chassis.errors import Unavailable
from chassis.objects import ObjectStore, open_store
from chassis.settings import Settings
from services.launcher.home import ensure_signing_keys
from services.launcher.settings import SERVICES
from tests.house import ROOT
from tests.integration.stems_house import ADA, PARENT, READY_WITHIN_S
from tonewright.artists.v1.artists_pb2 import Artist, CreateArtistRequest
from tonewright.artists.v1.artists_pb2_grpc import ArtistsServiceStub
from tonewright.assets.v1 import assets_pb2 as assets
from tonewright.assets.v1.assets_pb2_grpc import AssetsServiceStub
from tonewright.datasets.v1 import datasets_pb2 as pb
from tonewright.datasets.v1.datasets_pb2_grpc import DatasetsServiceStub
from tools.backends import free_port

SERVING = ("sessions", "prompt", "datasets")
ENDED = {pb.Export.STATE_SUCCEEDED, pb.Export.STATE_FAILED, pb.Export.STATE_CANCELLED}
T = TypeVar("T")


class DatasetsHouse:
    """The processes from one state folder; a test calls them under the fixture `as_ada`.

    Attributes:
        assets: The assets service, called as the gateway does for ada.
        datasets: The datasets service, called the same way.
    """

    assets: AssetsServiceStub
    datasets: DatasetsServiceStub

    def __init__(self, home: Path, environment: Mapping[str, str]) -> None:
        self.home = home
        ports = {
            f"TONEWRIGHT_{name.upper()}_{kind}_PORT": str(free_port()) for name in SERVING for kind in ("GRPC", "OPS")
        }
        targets = {
            f"TONEWRIGHT_{name.upper()}_TARGET": f"127.0.0.1:{ports[f'TONEWRIGHT_{name.upper()}_GRPC_PORT']}"
            for name in SERVING
        }
        clean = {name: value for name, value in os.environ.items() if not name.startswith("TONEWRIGHT_")}
        self.environment = {**clean, **ports, **targets, **environment, "TONEWRIGHT_HOME": str(home)}
        self.environment["TONEWRIGHT_DATASETS_WORKER_OPS_PORT"] = "0"  # any: there may be several workers
        self._processes: list[subprocess.Popen[bytes]] = []
        home.mkdir(parents=True, exist_ok=True)
        ensure_signing_keys(home, SERVICES)

    @contextmanager
    def running(self) -> Iterator[DatasetsHouse]:
        """The services without a worker; everything ends at the end of the block."""
        for name in SERVING:
            self._run(name, f"services.{name}")
        settings = type("GatewaySettings", (Settings,), {"SERVICE": "gateway", "target_of": self._target})
        channels = Channels(settings(home=self.home))
        self.assets = AssetsServiceStub(channels.sync("sessions"))
        self.datasets = DatasetsServiceStub(channels.sync("datasets"))
        try:
            artists = ArtistsServiceStub(channels.sync("prompt"))
            nova = CreateArtistRequest(artist_id=ADA.artist, artist=Artist(display_name="Nova"))
            self._wait(lambda: artists.CreateArtist(nova))
            self._wait(lambda: self.assets.ListAssets(assets.ListAssetsRequest(parent=PARENT)))
            self._wait(lambda: self.datasets.ListExports(pb.ListExportsRequest(parent=PARENT)))
            yield self
        finally:
            asyncio.run(channels.close())
            for process in self._processes:
                process.send_signal(signal.SIGTERM)
            for process in self._processes:
                process.wait(timeout=15)

    @contextmanager
    def worker(self, *faults: str) -> Iterator[subprocess.Popen[bytes]]:
        """A datasets worker for the length of the block; with faults it is `tests.material.faulty_exporter`."""
        module, arguments = ("tests.material.faulty_exporter", faults) if faults else ("services.datasets", ("worker",))
        process = self._run("datasets-worker", module, *arguments)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(timeout=15)

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """A second datasets process that gives objects no time to be nobody's."""
        environment = {
            "TONEWRIGHT_DATASETS_GRPC_PORT": "0",
            "TONEWRIGHT_DATASETS_OPS_PORT": "0",
            "TONEWRIGHT_DATASETS_COLLECT_S": "0.2",
            "TONEWRIGHT_DATASETS_COLLECT_GRACE_S": "0",
        }
        process = self._run("datasets-collecting", "services.datasets", **environment)
        yield
        process.terminate()
        process.wait(timeout=15)

    def item(self, number: int, *, form: str = "WAV", duration_s: float = 6.0) -> pb.TrainingItem:
        """A new item with noise of its own and a caption."""
        rng = np.random.default_rng(number)
        frames = (rng.standard_normal(round(duration_s * 44_100)) * 0.1).astype(np.float32)
        buffer = io.BytesIO()
        soundfile.write(buffer, frames, 44_100, format=form, subtype="PCM_16")
        upload = self.assets.CreateUpload(assets.CreateUploadRequest(parent=PARENT, size_bytes=len(buffer.getvalue())))
        self.objects.put(upload.object_key, buffer.getvalue())
        asset = self.assets.CompleteUpload(assets.CompleteUploadRequest(name=upload.name), timeout=60)
        item = pb.TrainingItem(asset=asset.name, caption=caption(number))
        return self.datasets.CreateTrainingItem(pb.CreateTrainingItemRequest(parent=PARENT, training_item=item))

    def export(self, **fields: object) -> str:
        """The name of a new export."""
        export = pb.Export(**fields)  # type: ignore[arg-type]
        operation = self.datasets.CreateExport(pb.CreateExportRequest(parent=PARENT, export=export))
        return f"{PARENT}/exports/{operation.name.rpartition('-')[2]}"

    def get(self, export: str) -> pb.Export:
        """The export as it is now."""
        return self.datasets.GetExport(pb.GetExportRequest(name=export))

    def finished(self, export: str, *, within_s: float = 60.0) -> pb.Export:
        """The export once it has ended."""
        return self.until(lambda: self.get(export), lambda found: found.state in ENDED, within_s=within_s)

    def until(self, ask: Callable[[], T], is_enough: Callable[[T], object], *, within_s: float = 60.0) -> T:
        """What is asked for once it is enough."""
        deadline = time.monotonic() + within_s
        while not is_enough(found := ask()):
            assert time.monotonic() < deadline, f"{found}\n{self.logs()}"
            time.sleep(0.05)
        return found

    def archive(self, export: str) -> bytes:
        """The bytes of an archive."""
        out, size = bytearray(), self.get(export).size_bytes
        while len(out) < size:
            part = self.datasets.GetExportLayout(pb.GetExportLayoutRequest(name=export, offset_bytes=len(out)))
            for segment in part.segments:
                out += segment.inline if segment.inline else self._blob(segment.blob)
        return bytes(out)

    def _blob(self, blob: pb.ExportLayout.BlobRange) -> bytes:
        return b"".join(self.objects.read(blob.object_key, offset=blob.offset_bytes, length=blob.length_bytes))

    def zip(self, export: str) -> zipfile.ZipFile:
        """The archive, read as a trainer does; every checksum is right."""
        found = zipfile.ZipFile(io.BytesIO(self.archive(export)))
        assert found.testzip() is None
        return found

    def files(self, export: str) -> list[pb.ExportFile]:
        """The archive's files."""
        asked = pb.ListExportFilesRequest(parent=export, page_size=1000)
        return list(self.datasets.ListExportFiles(asked).files)

    def holders(self, asset: str) -> list[str]:
        """Names of what holds an asset."""
        return [hold.holder for hold in self.assets.ListHolds(assets.ListHoldsRequest(asset=asset)).holds]

    def kept(self) -> set[str]:
        """Keys of everything that datasets keep in the object store."""
        return {info.key for info in self.objects.list(f"{PARENT}/datasets/")}

    @property
    def objects(self) -> ObjectStore:
        """The object store."""
        given = self.environment.get("TONEWRIGHT_OBJECTS_URL", f"file://{self.home}/objects")
        return open_store(given)

    def logs(self) -> str:
        """The end of each process's log."""
        return "\n".join(f"--- {log.name}\n{log.read_text()[-3000:]}" for log in sorted(self.home.glob("*.log")))

    def _run(self, name: str, module: str, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        with (self.home / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                cwd=ROOT,
                env={**self.environment, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._processes.append(process)
        return process

    def _wait(self, ask: Callable[[], T]) -> T:
        deadline = time.monotonic() + READY_WITHIN_S
        while True:
            assert all(process.poll() is None for process in self._processes), self.logs()
            try:
                with acting_as(ADA), in_request():
                    return ask()
            except Unavailable:
                assert time.monotonic() < deadline, self.logs()
                time.sleep(0.1)

    @property
    def _target(self) -> Callable[[object, str], str]:
        return lambda _settings, peer: self.environment[f"TONEWRIGHT_{peer.upper()}_TARGET"]


def caption(number: int) -> str:
    """A caption that keeps every rule, another for each number."""
    moods = ("calm", "bright", "driving", "tense", "warm", "dreamy", "raw", "hopeful")
    places = ("a night drive", "an open field", "a slow dawn", "a crowded club", "a quiet film scene")
    mood, place = moods[number % len(moods)], places[number // len(moods) % len(places)]
    return (
        f"Ambient noise texture number {number} with a {mood} mood, wide filtered hiss and soft swells, "
        f"steady energy for {place}, minimal electronic production. BPM: {90 + number % 40}"
    )
