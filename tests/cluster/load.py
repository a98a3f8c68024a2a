"""Traffic from a pod inside the cluster, and separations, as the tests start and follow them."""

from __future__ import annotations

import json
import wave
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tests.cluster.kube import until
from tests.cluster_house import GATEWAY_PORT, SOCKET_PORT, ClusterHouse
from tonewright_client import ArtistHandle

PROGRAM = Path(__file__).with_name("traffic.py")
POD = "traffic"
STARTED_WITHIN_S = 60
SUMMARY_WITHIN_S = 60
RATE_HZ = 22_050
ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")


class Traffic:
    """The running pod and what it told."""

    def __init__(self, cluster: ClusterHouse) -> None:
        self._cluster = cluster

    def told(self) -> list[dict[str, Any]]:
        """Everything so far."""
        lines = self._cluster.kube("logs", POD, check=False).splitlines()
        return [json.loads(line) for line in lines if line.startswith('{"event"')]

    def words(self, word: str) -> dict[int, list[float]]:
        """When each socket said a word, by the socket's number."""
        said: dict[int, list[float]] = {}
        for event in self.told():
            if event["event"] == "socket" and event["word"] == word:
                said.setdefault(event["number"], []).append(event["at"])
        return said

    def failures(self) -> list[str]:
        """Each failed request in words."""
        failed = [event for event in self.told() if event["event"] == "failed"]
        return [f"{one['at']:.1f} {one['method']} {one['path']} {one['after_s']} s: {one['what']}" for one in failed]

    def stop(self) -> dict[str, Any]:
        """End it and give its summary."""
        self._cluster.kube.exec(POD, "python", "-c", "open('/tmp/stop', 'w')")

        def summary() -> list[dict[str, Any]]:
            return [event for event in self.told() if event["event"] == "summary"]

        return until(summary, within_s=SUMMARY_WITHIN_S, what="the summary of the traffic", every_s=1)[0]


@contextmanager
def traffic(cluster: ClusterHouse, *, rate_per_s: float, sockets: int = 0) -> Iterator[Traffic]:
    """Traffic for the length of the block."""
    settings = {
        "url": f"http://{cluster.name('gateway')}:{GATEWAY_PORT}",
        "key": cluster.keys["ada"],
        "rate_per_s": rate_per_s,
        "sockets": sockets,
        "socket_address": f"{cluster.name('realtime')}:{SOCKET_PORT}",
    }
    program = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": POD},
        "data": {PROGRAM.name: PROGRAM.read_text()},
    }
    cluster.kube("delete", "pod", POD, "--ignore-not-found", "--grace-period=1")
    cluster.kube.apply(program, _pod(f"{cluster.repository}/gateway:{cluster.tag}", json.dumps(settings)))
    running = Traffic(cluster)
    try:
        until(
            lambda: _has_begun(running, sockets),
            within_s=STARTED_WITHIN_S,
            what=lambda: f"traffic; it told:\n{cluster.kube('logs', POD, check=False)}",
            every_s=1,
        )
        yield running
    except AssertionError as fault:
        fault.add_note("the traffic told last:\n" + cluster.kube("logs", POD, "--tail=15", check=False)[-4000:])
        raise
    finally:
        cluster.kube("delete", "pod", POD, "--ignore-not-found", "--grace-period=1", "--wait=false")


def _has_begun(running: Traffic, sockets: int) -> bool:
    told = running.told()
    started = [event for event in told if event["event"] == "socket" and event["word"] == "started"]
    return any(event["event"] == "started" for event in told) and len(started) >= sockets


def _pod(image: str, settings: str) -> dict[str, Any]:
    """A pod under the restricted profile, with nothing but the program."""
    container = {
        "name": POD,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python", f"/traffic/{PROGRAM.name}"],
        "env": [{"name": "TRAFFIC", "value": settings}, {"name": "HOME", "value": "/tmp"}],
        "resources": {"requests": {"cpu": "20m", "memory": "64Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "volumeMounts": [{"name": "program", "mountPath": "/traffic"}, {"name": "tmp", "mountPath": "/tmp"}],
    }
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 1,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "runAsGroup": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [{"name": "program", "configMap": {"name": POD}}, {"name": "tmp", "emptyDir": {}}],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": POD, "labels": {"app": POD}}, "spec": spec}


class Separations:
    """Long separations of different recordings by one artist."""

    def __init__(self, cluster: ClusterHouse, artist: ArtistHandle, folder: Path, *, count: int, clip_s: float) -> None:
        self._cluster = cluster
        self._artist = artist
        with ThreadPoolExecutor(2) as threads:
            clips = [folder / f"clip-{seed}.wav" for seed in range(count)]
            list(threads.map(_write_noise, clips, range(count), [clip_s] * count))
            self._sources = [str(asset["name"]) for asset in threads.map(artist.assets.upload, clips)]

    def start(self) -> list[str]:
        """Ask for all of them; gives their names."""
        asked = [self._artist.separations.start(source, stem_set="TWO_STEMS") for source in self._sources]
        return [str(operation["metadata"]["target"]) for operation in asked]

    def jobs(self) -> dict[str, dict[str, Any]]:
        """The jobs as operators see them, by the separation's name."""
        with self._cluster.http("ops") as http:
            answer = http.get("/v1/operator/jobs/stems", params={"page_size": 1000})
        assert answer.status_code == 200, answer.text
        jobs = {str(job["name"]): job for job in answer.json()["jobs"]}
        return {name: job for name, job in jobs.items() if name.startswith(f"{self._artist.name}/")}

    def states(self) -> dict[str, str]:
        """Where each stands."""
        return {str(one["name"]): str(one["state"]) for one in self._artist.separations.list(page_size=1000)}

    def wait(self, *, within_s: float) -> None:
        """Until all have ended."""
        until(
            lambda: all(state in ENDED for state in self.states().values()),
            within_s=within_s,
            what=lambda: f"the end of all separations: {self.states()}",
            every_s=1,
        )

    def faults(self, names: list[str]) -> list[str]:
        """What is not as it should be: one committed result each, handed back at most once."""
        wrong = []
        jobs, kept = self.jobs(), {str(asset["name"]) for asset in self._artist.assets.list(page_size=1000)}
        stems: set[str] = set()
        for name in names:
            done = self._artist.separations.get(name)
            found = {str(stem["asset"]) for stem in done["stems"]}
            stems |= found
            if done["state"] != "SUCCEEDED" or len(found) != 2 or not found <= kept:
                wrong.append(f"{name}: {done['state']} with {len(found)} stems")
            if jobs[name]["attempt"] > 2 or jobs[name]["lost_lease_count"]:
                wrong.append(f"{name}: attempt {jobs[name]['attempt']}, {jobs[name]['lost_lease_count']} leases lost")
        if extra := kept - stems - set(self._sources):
            wrong.append(f"assets beside sources and stems: {sorted(extra)}")
        return wrong


def _write_noise(path: Path, seed: int, duration_s: float) -> None:
    frames = np.random.default_rng(seed).standard_normal(int(duration_s * RATE_HZ)) * 3000
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        file.writeframes(frames.astype("<i2").tobytes())
