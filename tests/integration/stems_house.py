"""Sessions, stems and a stems worker as processes, and a caller of both; the gateway is not needed."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import soundfile

from chassis.channels import Channels
from chassis.context import Caller, Role, acting_as, caller, in_request
from chassis.errors import Unavailable
from chassis.objects import ObjectStore, open_store
from chassis.settings import Settings
from services.launcher.home import ensure_signing_keys
from services.launcher.settings import SERVICES
from tests.house import ROOT
from tonewright.assets.v1 import assets_pb2 as assets
from tonewright.assets.v1.assets_pb2 import Asset
from tonewright.assets.v1.assets_pb2_grpc import AssetsServiceStub
from tonewright.stems.v1 import stems_pb2 as pb
from tonewright.stems.v1.stems_pb2_grpc import StemsServiceStub
from tools.backends import free_port

ARTIST = "nova"
PARENT = f"artists/{ARTIST}"
READY_WITHIN_S = 60.0
ADA = Caller(service="gateway", principal="ada", artist=ARTIST, role=Role.OWNER)
OPERATOR = Caller(service="gateway", principal="ops", artist="-", role=Role.OWNER, operator=True)
T = TypeVar("T")


def wav_bytes(frames: npt.NDArray[np.float32], rate_hz: int = 44100) -> bytes:
    """The frames as a WAV file of 32-bit floats."""
    buffer = io.BytesIO()
    soundfile.write(buffer, frames, rate_hz, format="WAV", subtype="FLOAT")
    return buffer.getvalue()


class StemsHouse:
    """The three processes from one state folder; a test calls them under the fixture `as_ada`.

    Attributes:
        assets: The assets service, called as the gateway does for ada.
        stems: The stems service, called the same way.
    """

    assets: AssetsServiceStub
    stems: StemsServiceStub

    def __init__(self, home: Path, environment: Mapping[str, str]) -> None:
        self.home = home
        ports = {
            f"TONEWRIGHT_{name}_PORT": str(free_port())
            for name in ("SESSIONS_GRPC", "SESSIONS_OPS", "STEMS_GRPC", "STEMS_OPS")
        }
        targets = {
            f"TONEWRIGHT_{name}_TARGET": f"127.0.0.1:{ports[f'TONEWRIGHT_{name}_GRPC_PORT']}"
            for name in ("SESSIONS", "STEMS")
        }
        clean = {name: value for name, value in os.environ.items() if not name.startswith("TONEWRIGHT_")}
        self.environment = {**clean, **ports, **targets, **environment, "TONEWRIGHT_HOME": str(home)}
        self.environment["TONEWRIGHT_STEMS_WORKER_OPS_PORT"] = "0"  # any: there may be several workers
        self._processes: list[subprocess.Popen[bytes]] = []
        home.mkdir(parents=True, exist_ok=True)
        ensure_signing_keys(home, SERVICES)

    @property
    def parent(self) -> str:
        """The artist for whom is called: nova, unless the test acts for another."""
        return f"artists/{caller().artist}"

    @contextmanager
    def running(self) -> Iterator[StemsHouse]:
        """The services without a worker; everything ends at the end of the block."""
        for name in ("sessions", "stems"):
            self._start(name)
        settings = type("GatewaySettings", (Settings,), {"SERVICE": "gateway", "target_of": self._target})
        channels = Channels(settings(home=self.home))
        self.assets = AssetsServiceStub(channels.sync("sessions"))
        self.stems = StemsServiceStub(channels.sync("stems"))
        try:
            self._wait(lambda: self.assets.ListAssets(assets.ListAssetsRequest(parent=PARENT)))
            self._wait(lambda: self.stems.ListSeparations(pb.ListSeparationsRequest(parent=PARENT)))
            yield self
        finally:
            asyncio.run(channels.close())
            for process in self._processes:
                process.send_signal(signal.SIGTERM)
            for process in self._processes:
                process.wait(timeout=15)

    def start_worker(self) -> subprocess.Popen[bytes]:
        """A stems worker; it ends with the house."""
        return self._start("stems", "worker")

    def start_faulty_worker(self, *faults: str, **environment: str) -> subprocess.Popen[bytes]:
        """A worker whose stub engine is out of order, see `tests.material.faulty_worker`; it ends with the house."""
        return self._run("stems-worker", "tests.material.faulty_worker", *faults, **environment)

    @contextmanager
    def worker(self) -> Iterator[None]:
        """A stems worker for the length of the block."""
        process = self.start_worker()
        yield
        assert process.poll() is None, self.logs()
        process.terminate()
        process.wait(timeout=15)

    def upload(self, frames: npt.NDArray[np.float32], rate_hz: int = 44100) -> str:
        """The asset that holds these frames."""
        return self.upload_bytes(wav_bytes(frames, rate_hz))

    def upload_bytes(self, data: bytes) -> str:
        """The asset that holds this file."""
        upload = self.assets.CreateUpload(assets.CreateUploadRequest(parent=self.parent, size_bytes=len(data)))
        self._objects().put(upload.object_key, data)
        return str(self.assets.CompleteUpload(assets.CompleteUploadRequest(name=upload.name), timeout=60).name)

    def put_bytes(self, asset: str, data: bytes) -> None:
        """Put other bytes in the place of an asset's, as a failing disk or a hand in the store would."""
        key = self.assets.GetAsset(assets.GetAssetRequest(name=asset)).blob_key
        self._objects().put(key, data)

    def download(self, asset: str) -> npt.NDArray[np.float64]:
        """The frames of an asset."""
        key = self.assets.GetAsset(assets.GetAssetRequest(name=asset)).blob_key
        data = self._objects().read_bytes(key, limit=1 << 30)
        frames: npt.NDArray[np.float64] = soundfile.read(io.BytesIO(data), always_2d=True)[0]
        return frames

    def separate(self, asset: str, **asked: object) -> str:
        """The name of a new separation."""
        wanted = pb.Separation(asset=asset, **asked)  # type: ignore[arg-type]
        operation = self.stems.CreateSeparation(pb.CreateSeparationRequest(parent=self.parent, separation=wanted))
        return f"{self.parent}/separations/{operation.name.rpartition('-')[2]}"

    def separations(self) -> dict[str, pb.Separation]:
        """Every separation by name."""
        page = self.stems.ListSeparations(pb.ListSeparationsRequest(parent=self.parent, page_size=1000))
        return {separation.name: separation for separation in page.separations}

    def jobs(self) -> dict[str, pb.Job]:
        """Every separation by name, as an operator sees it."""
        with acting_as(OPERATOR):
            page = self.stems.ListJobs(pb.ListJobsRequest(page_size=1000))
        return {job.name: job for job in page.jobs}

    def kept(self) -> dict[str, Asset]:
        """Every asset by name."""
        page = self.assets.ListAssets(assets.ListAssetsRequest(parent=self.parent, page_size=1000))
        return {asset.name: asset for asset in page.assets}

    def log_lines(self, process: str) -> list[dict[str, object]]:
        """What a process logged; the house runs with TONEWRIGHT_LOG_FORMAT=json."""
        lines = (self.home / f"{process}.log").read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]

    def scratch(self) -> list[Path]:
        """Files and folders that running work has made."""
        return sorted((self.home / "work" / "stems").glob("*/*"))

    def finished(self, name: str, *, within_s: float = 60) -> pb.Separation:
        """The separation once it has ended."""
        last = pb.Separation()
        for update in self.stems.WatchSeparation(pb.WatchSeparationRequest(name=name), timeout=within_s):
            last = update.separation
        return last

    def logs(self) -> str:
        """The end of each process's log."""
        return "\n".join(f"--- {log.name}\n{log.read_text()[-3000:]}" for log in sorted(self.home.glob("*.log")))

    def _start(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        return self._run("-".join((name, *arguments)), f"services.{name}", *arguments)

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

    def _objects(self) -> ObjectStore:
        given = self.environment.get("TONEWRIGHT_OBJECTS_URL", f"file://{self.home}/objects")
        return open_store(given)

    @property
    def _target(self) -> Callable[[object, str], str]:
        return lambda _settings, peer: self.environment[f"TONEWRIGHT_{peer.upper()}_TARGET"]
