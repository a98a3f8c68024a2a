"""A cluster through its command-line clients, and what its pods went through while the tests ran."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar

Manifest = Mapping[str, Any]
Found = TypeVar("Found")


class CommandFailed(AssertionError):
    """A client answered with an error."""


def binary(variable: str, default: str) -> str:
    """A client that the environment names, or the one on PATH.

    Raises:
        CommandFailed: There is none.
    """
    found = shutil.which(os.environ.get(variable, default))
    if found is None:
        raise CommandFailed(f"{default} is missing; name one with {variable}=/path/to/{default}")
    return found


def until(
    holds: Callable[[], Found], *, within_s: float, what: str | Callable[[], object], every_s: float = 0.25
) -> Found:
    """What the question answers once that is true."""
    deadline = time.monotonic() + within_s
    while not (answer := holds()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s} s: {what() if callable(what) else what}")
        time.sleep(every_s)
    return answer


class Kube:
    """kubectl in one namespace of the cluster that KUBECONFIG names."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        self.command = [binary("KUBECTL", "kubectl"), "--namespace", namespace]

    def __call__(self, *arguments: str, stdin: str | None = None, timeout_s: float = 60, check: bool = True) -> str:
        """What kubectl prints."""
        return run([*self.command, *arguments], stdin=stdin, timeout_s=timeout_s, check=check)

    def get(self, kind: str, name: str) -> dict[str, Any]:
        """One object."""
        found: dict[str, Any] = json.loads(self("get", kind, name, "--output", "json"))
        return found

    def list(self, kind: str, selector: str = "") -> list[dict[str, Any]]:
        """Objects of a kind."""
        text = self("get", kind, "--output", "json", *(["--selector", selector] if selector else []))
        found: list[dict[str, Any]] = json.loads(text)["items"]
        return found

    def apply(self, *manifests: Manifest) -> None:
        """Make the objects as they are written."""
        items = {"apiVersion": "v1", "kind": "List", "items": list(manifests)}
        self("apply", "--filename", "-", stdin=json.dumps(items))

    def exec(self, pod: str, *command: str, stdin: str | None = None, timeout_s: float = 60) -> str:
        """What a command inside a pod's first container prints."""
        return self(
            "exec", *(["--stdin"] if stdin is not None else []), pod, "--", *command, stdin=stdin, timeout_s=timeout_s
        )


def run(command: list[str], *, stdin: str | None = None, timeout_s: float = 60, check: bool = True) -> str:
    """What a client prints.

    Raises:
        CommandFailed: It answers with an error, or not in time.
    """
    try:
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, timeout=timeout_s, check=False, errors="replace"
        )
    except subprocess.TimeoutExpired as late:
        raise CommandFailed(f"{' '.join(command)}: no answer within {timeout_s} s") from late
    if check and done.returncode:
        raise CommandFailed(f"{' '.join(command)} answered {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


class PodWatch:
    """Every pod that the namespace had since the watch began: how it is, or how it was last."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self._lock = threading.Lock()
        self._pods: dict[str, dict[str, Any]] = {}
        self._gone: dict[str, float] = {}
        self._is_ended = False
        self._process: subprocess.Popen[str] | None = None
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the watch; what it knows stays."""
        self._is_ended = True
        if self._process is not None:
            self._process.terminate()
        self._thread.join(timeout=5)

    def ever(self) -> dict[str, dict[str, Any]]:
        """Each pod seen, by name, as it was last."""
        with self._lock:
            return dict(self._pods)

    def now(self, component: str = "") -> dict[str, dict[str, Any]]:
        """Each pod that there is; of one component, if that is named."""
        with self._lock:
            there = {name: pod for name, pod in self._pods.items() if name not in self._gone}
        return {name: pod for name, pod in there.items() if not component or component_of(pod) == component}

    def serving(self, component: str) -> dict[str, dict[str, Any]]:
        """The pods of a component that are ready and not on their way out."""
        return {name: pod for name, pod in self.now(component).items() if is_ready(pod) and not is_leaving(pod)}

    def told_to_end_at(self, pod: str) -> float | None:
        """When the stop signal was sent to a pod, seconds since the epoch."""
        metadata = self.ever()[pod]["metadata"]
        if "deletionTimestamp" not in metadata:
            return None
        last = datetime.fromisoformat(metadata["deletionTimestamp"]).timestamp()
        return last - float(metadata.get("deletionGracePeriodSeconds", 0))

    def ended_at(self, pod: str) -> float | None:
        """When a pod's first container ended, seconds since the epoch; when the pod was gone, if that was not told."""
        with self._lock:
            last, gone = self._pods[pod], self._gone.get(pod)
        for status in last.get("status", {}).get("containerStatuses", [])[:1]:
            ended = status.get("state", {}).get("terminated")
            if ended and ended.get("finishedAt"):
                return datetime.fromisoformat(ended["finishedAt"]).timestamp()
        return gone

    def _follow(self) -> None:
        while not self._is_ended:
            arguments = ("get", "pods", "--watch", "--output-watch-events", "--output", "json")
            self._process = subprocess.Popen(
                [*self._kube.command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
            assert self._process.stdout is not None
            for event in _documents(self._process.stdout):
                self._take(event["type"], event["object"])
            self._process.stdout.close()
            self._process.wait()
            time.sleep(0.2)

    def _take(self, kind: str, pod: dict[str, Any]) -> None:
        if pod.get("kind") != "Pod":
            return
        name, now = str(pod["metadata"]["name"]), time.time()
        with self._lock:
            if kind == "DELETED":
                self._gone[name] = now
                # The last state of a deleted pod often lacks how its containers ended.
                if name in self._pods and _has_ended(self._pods[name]) and not _has_ended(pod):
                    return
            else:
                self._gone.pop(name, None)  # pods of a StatefulSet come back under their names
            self._pods[name] = pod


def component_of(pod: Manifest) -> str:
    """The part of the platform that a pod is."""
    labels: Mapping[str, str] = pod["metadata"].get("labels", {})
    return labels.get("app.kubernetes.io/component", "")


def is_ready(pod: Manifest) -> bool:
    """Whether Services send it calls."""
    conditions = pod.get("status", {}).get("conditions", [])
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def is_leaving(pod: Manifest) -> bool:
    """Whether it was told to end."""
    return "deletionTimestamp" in pod["metadata"]


def _has_ended(pod: Manifest) -> bool:
    return any("terminated" in status.get("state", {}) for status in pod.get("status", {}).get("containerStatuses", []))


def _documents(lines: Iterable[str]) -> Iterable[dict[str, Any]]:
    """The JSON objects of a stream, each ended by a brace in the first column."""
    held: list[str] = []
    for line in lines:
        held.append(line)
        if line.startswith("}"):
            yield json.loads("".join(held))
            held = []
        elif len(held) == 1 and line.startswith("{") and line.rstrip().endswith("}"):
            yield json.loads(line)
            held = []
