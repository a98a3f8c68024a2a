"""The platform as a Helm release on a real cluster, with the interface that journeys know from `tests.house`."""

from __future__ import annotations

import base64
import json
import os
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import httpx2

from services.launcher.settings import PROCESSES, SERVICES
from tests.cluster.kube import CommandFailed, Kube, PodWatch, binary, run, until
from tests.cluster.reach import Address, Reach
from tests.cluster.volumes import empty_volumes, free_volumes
from tests.house import PRINCIPALS, ROOT, House

NAMESPACE = "tonewright-test"
RELEASE = "tonewright"
CHART = ROOT / "deploy" / "helm" / "tonewright"
VALUES = ROOT / "tests" / "cluster" / "values.yaml"
KEYS_SECRET = "tonewright-test-keys"
COMPONENTS = tuple(spec.name for spec in PROCESSES)
GRPC_PORTS = {
    spec.name: port.default for spec in PROCESSES for port in spec.ports if port.variable.endswith("_GRPC_PORT")
}
GATEWAY_PORT, SOCKET_PORT, S3_PORT = 8080, 8081, 8333
BACKENDS = ("postgres", "rabbitmq", "s3")
READY_WITHIN_S = 120
_INSTALLS = 3


@dataclass(frozen=True, slots=True)
class Installed:
    """When things happened during the installation, seconds since the epoch."""

    began: float
    backends_ready: float
    deployed: float
    told: str  # what helm printed


class _Public(NamedTuple):
    host: str  # with its port
    service: dict[str, str]


class ClusterHouse(House):
    """One release in a namespace of its own.

    Attributes:
        kube: kubectl in the namespace.
        watch: Every pod the namespace has or had.
        installed: Times of the installation; None when an installed release was taken over.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.kube = Kube(NAMESPACE)
        self.helm_command = [binary("HELM", "helm"), "--namespace", NAMESPACE]
        self.reach = Reach(self.kube)
        self.repository = os.environ.get("IMAGE_REPOSITORY", "localhost/tonewright")
        self.tag = os.environ.get("IMAGE_TAG", "test")
        self.next_tag = os.environ.get("NEXT_IMAGE_TAG", "test-next")
        self.keys = {principal: f"twk_{secrets.token_urlsafe(32)}" for principal in PRINCIPALS}
        self.installed: Installed | None = None
        self.baseline: set[str] = set()
        self.watch: PodWatch
        self.ports = {}
        self._extra = {}

    # Bringing it up and taking it down.

    def open(self) -> ClusterHouse:
        """Install the release, or take over the one that is there when CLUSTER_REUSE is set."""
        if os.environ.get("CLUSTER_REUSE") and self._is_installed():
            self._read_keys()
            self.watch = PodWatch(self.kube)
        else:
            self._install()
        self._read_signing_keys()
        self.url = "http://{}:{}".format(*self.gateway_address())
        self.wait_ready()
        return self

    def close(self) -> None:
        """Take the namespace away with all that is in it, unless CLUSTER_REUSE is set."""
        if hasattr(self, "watch"):
            self.watch.stop()
        self.reach.close()
        if not os.environ.get("CLUSTER_REUSE"):
            self._delete_namespace()

    def helm(self, *arguments: str, timeout_s: float = 300) -> str:
        """What helm prints."""
        return run([*self.helm_command, *arguments], timeout_s=timeout_s)

    def upgrade(self, *arguments: str, timeout_s: int = 240) -> str:
        """`helm upgrade --wait` of the release with its values and images, changed by these arguments."""
        files = ("--values", str(VALUES), "--values", str(self.home / "values.json"))
        kept = ("--set", f"image.tag={self.running_tag()}", "--wait", "--timeout", f"{timeout_s}s")
        return self.helm("upgrade", RELEASE, str(CHART), *files, *kept, *arguments, timeout_s=timeout_s + 30)

    def _install(self) -> None:
        for _ in range(_INSTALLS - 1):
            try:
                return self._install_once()
            except CommandFailed as fault:
                # Between the look for a free address and the release's Service, another Service may be given it.
                if "already allocated" not in str(fault):
                    raise
                self.watch.stop()
        return self._install_once()

    def _install_once(self) -> None:
        self._delete_namespace()
        self.kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        until(lambda: self.kube("get", "serviceaccount", "default", check=False), within_s=30, what="a namespace")
        self.watch = PodWatch(self.kube)
        self._make_keys()
        self._write_values()
        self.baseline = self.inventory()
        began = time.time()
        files = ("--values", str(VALUES), "--values", str(self.home / "values.json"))
        told = self.helm("install", RELEASE, str(CHART), *files, "--wait", "--timeout", "300s", timeout_s=330)
        deployed = time.time()
        ready = [_ready_since(pod) for name in BACKENDS for pod in self.watch.now(name).values()]
        assert len(ready) == len(BACKENDS), f"backends: {sorted(self.watch.now())}"
        self.installed = Installed(began, max(ready), deployed, told)

    def _write_values(self) -> None:
        """Values that are known at run time alone: images, keys, storage, and where clients reach things."""
        gateway, socket, objects = (
            self._public(component, port)
            for component, port in (("gateway", GATEWAY_PORT), ("realtime", SOCKET_PORT), ("s3", S3_PORT))
        )
        storage = {"enabled": True, "size": "1Gi", "storageClass": os.environ.get("STORAGE_CLASS", "")}
        backends: dict[str, Any] = {name: {"persistence": storage} for name in BACKENDS}
        if os.environ.get("BACKEND_IMAGES") != "public":  # no registry: images made of Debian's packages
            for name, image in (("postgres", "postgres"), ("rabbitmq", "rabbitmq"), ("s3", "seaweedfs")):
                backends[name]["image"] = f"{self.repository}/{image}:{self.tag}"
        backends["s3"]["service"] = objects.service
        keys = {"existingSecret": KEYS_SECRET, "testKey": "api-key"}
        values = {
            "image": {"repository": self.repository, "tag": self.tag},
            "gateway": {"apiKeys": keys, "publicUrl": f"http://{gateway.host}", "service": gateway.service},
            "realtime": {"socket": {"publicUrl": f"ws://{socket.host}"}, "service": socket.service},
            "objects": {"publicUrl": f"http://{objects.host}"},
            "devBackends": backends,
        }
        (self.home / "values.json").write_text(json.dumps(values, indent=1))

    def _public(self, component: str, port: int) -> _Public:
        """An address of a component that the test process reaches, and the values that give it to its Service."""
        if self.reach.is_inside:
            address = self._unused_cluster_ip(component)
            return _Public(f"{address}:{port}", {"clusterIP": address})
        return _Public("{}:{}".format(*self._node_port(component, port)), {})

    def _unused_cluster_ip(self, name: str) -> str:
        """An address that the cluster gave a Service which is gone again; the release's own Service takes it."""
        spec = {"ports": [{"port": 80}]}
        self.kube.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": f"probe-{name}"}, "spec": spec})
        address = str(self.kube.get("service", f"probe-{name}")["spec"]["clusterIP"])
        self.kube("delete", "service", f"probe-{name}")
        return address

    def _node_port(self, component: str, port: int) -> Address:
        """The address of a NodePort Service of the tests' own, for clients outside the cluster."""
        name = f"test-{component}"
        labels = {"app.kubernetes.io/instance": RELEASE, "app.kubernetes.io/component": component}
        spec = {"type": "NodePort", "selector": labels, "ports": [{"port": port}]}
        self.kube.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec})
        return self.reach.node_port(name, port)

    def _make_keys(self) -> None:
        self._write_keys()
        files = {"api-key": self.keys["ops"], "api-keys.toml": (self.home / "api-keys.toml").read_text()}
        files |= {f"{principal}.key": key for principal, key in self.keys.items()}
        metadata = {"name": KEYS_SECRET}
        self.kube.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": files})

    def _read_keys(self) -> None:
        for principal in PRINCIPALS:
            self.keys[principal] = self.secret(KEYS_SECRET)[f"{principal}.key"]
        self._write_keys()
        stored = self.helm("get", "values", RELEASE, "--output", "json")
        (self.home / "values.json").write_text(stored)

    def _read_signing_keys(self) -> None:
        (self.home / "keys").mkdir(exist_ok=True)
        for service in SERVICES:
            key = self.secret(f"{RELEASE}-{service}-signing-key")["tls.key"]
            (self.home / "keys" / f"{service}.key").write_text(key)

    def _is_installed(self) -> bool:
        return '"deployed"' in run([*self.helm_command, "status", RELEASE, "--output", "json"], check=False)

    def _delete_namespace(self) -> None:
        if not self.kube("get", "namespace", NAMESPACE, "--ignore-not-found"):
            return
        run([*self.helm_command, "uninstall", RELEASE, "--no-hooks"], check=False)
        self.kube("delete", "deployments,statefulsets,jobs,pods", "--all", "--grace-period=1", timeout_s=120)
        empty_volumes(self.kube, f"{self.repository}/gateway:{self.tag}")
        self.kube("delete", "namespace", NAMESPACE, "--wait", "--timeout=120s", timeout_s=150)
        free_volumes(self.kube)

    # What tests ask of a house.

    def wait_ready(self, *, within_s: float = READY_WITHIN_S) -> None:
        until(self.is_ready, within_s=within_s, what=f"{self.url}/readyz")

    def is_ready(self) -> bool:
        """Whether the gateway says that all is well."""
        try:
            return httpx2.get(f"{self.url}/readyz", timeout=5, trust_env=False).status_code == 200
        except httpx2.TransportError:
            return False

    def environment(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("TONEWRIGHT_")}
        return {**clean, "TONEWRIGHT_HOME": str(self.home)}

    def gateway_address(self) -> Address:
        return self.reach.service(self.name("gateway"), GATEWAY_PORT)

    def grpc_address(self, service: str) -> Address:
        return self.reach.service(self.name(service), GRPC_PORTS[service])

    def object_store(self) -> str:
        values = json.loads((self.home / "values.json").read_text())
        return str(values["objects"]["publicUrl"])

    @contextmanager
    def held_stems_worker(self) -> Iterator[Callable[[], None]]:
        """No stems worker is there until the given function is called or the block ends."""
        before = self.scale("stems-worker", 0)
        until(lambda: not self.watch.now("stems-worker"), within_s=60, what="no stems worker")
        try:
            yield lambda: void(self.scale("stems-worker", before))
        finally:
            self.scale("stems-worker", before)

    # What only a cluster has.

    def name(self, component: str) -> str:
        """The name of a component's objects."""
        return f"{RELEASE}-{component}"

    def scale(self, component: str, replicas: int) -> int:
        """Change how many pods a Deployment has; gives how many it had."""
        before = int(self.kube.get("deployment", self.name(component))["spec"]["replicas"])
        self.kube("scale", "deployment", self.name(component), f"--replicas={replicas}")
        return before

    def wait_serving(self, component: str, count: int, *, within_s: float = READY_WITHIN_S) -> list[str]:
        """The pods of a component once exactly so many are there, all ready."""

        def all_ready() -> list[str]:
            serving = sorted(self.watch.serving(component))
            return serving if len(serving) == count == len(self.watch.now(component)) else []

        return until(all_ready, within_s=within_s, what=f"{count} ready pods of {component}")

    def secret(self, name: str) -> dict[str, str]:
        """What a Secret holds, as text."""
        data: Mapping[str, str] = self.kube.get("secret", name)["data"]
        return {key: base64.b64decode(value).decode() for key, value in data.items()}

    def running_tag(self) -> str:
        """The tag of the images that run."""
        image = self.kube.get("deployment", self.name("gateway"))["spec"]["template"]["spec"]["containers"][0]["image"]
        return str(image).partition("@")[0].rpartition(":")[2]

    def other_tag(self) -> str:
        """Of the two tags that the images have, the one that does not run."""
        return self.tag if self.running_tag() == self.next_tag else self.next_tag

    def revision(self) -> int:
        """The number of the release's newest revision."""
        history = json.loads(self.helm("history", RELEASE, "--output", "json"))
        return max(int(entry["revision"]) for entry in history)

    def inventory(self) -> set[str]:
        """Every object of the namespace as kind/name, but for what the cluster keeps for itself and what passes."""
        kinds = self.kube("api-resources", "--namespaced", "--verbs=list", "--output=name").split()
        passing = {"events", "events.events.k8s.io", "endpoints", "endpointslices.discovery.k8s.io"}
        passing |= {kind for kind in kinds if kind.endswith("metrics.k8s.io")}
        asked = ",".join(kind for kind in kinds if kind not in passing)
        return set(self.kube("get", asked, "--output=name", "--ignore-not-found").split())

    def state(self) -> str:
        """Pods, events and logs, for the report of a failure."""
        if not hasattr(self, "watch"):
            return "nothing was installed"
        events = self.kube("get", "events", "--sort-by=.lastTimestamp", check=False).splitlines()
        parts = [self.kube("get", "pods", "--output=wide", check=False), *events[-15:]]
        for name, pod in sorted(self.watch.now().items()):
            restarts = [status.get("restartCount", 0) for status in pod["status"].get("containerStatuses", [])]
            for old in [False, True][: 1 + any(restarts)]:
                arguments = ("logs", name, "--all-containers", "--tail=8", *(["--previous"] if old else []))
                lines = [line[:300] for line in self.kube(*arguments, check=False).splitlines()]
                parts.append(f"--- {name}{' before its restart' if old else ''}\n" + "\n".join(lines))
        return "\n".join(parts)


def void(_: object) -> None:
    """Nothing, whatever it is."""


def _ready_since(pod: Mapping[str, Any]) -> float:
    conditions = {one["type"]: one for one in pod["status"]["conditions"]}
    return datetime.fromisoformat(conditions["Ready"]["lastTransitionTime"]).timestamp()
