"""How the test process reaches what runs in the cluster, whether it runs inside the cluster's network or outside."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
import time

from tests.cluster.kube import Kube, until

CONNECT_WITHIN_S = 1.0
# A cluster that has only just come up takes some seconds to serve the addresses of Services.
INSIDE_WITHIN_S = 15.0
Address = tuple[str, int]


def connects(address: Address) -> bool:
    """Whether somebody listens there."""
    with contextlib.suppress(OSError), socket.create_connection(address, timeout=CONNECT_WITHIN_S):
        return True
    return False


class Reach:
    """Addresses of Services and pods: their own where these can be reached, else forwarded ports on loopback.

    Attributes:
        is_inside: Whether addresses of Services can be reached.
    """

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self._forwards: dict[tuple[str, int], _Forward] = {}
        api = kube("get", "service", "kubernetes", "--namespace", "default", "--output", "jsonpath={.spec.clusterIP}")
        self.is_inside = False
        with contextlib.suppress(AssertionError):
            self.is_inside = until(lambda: connects((api, 443)), within_s=INSIDE_WITHIN_S, what="addresses of Services")

    def service(self, name: str, port: int) -> Address:
        """Where a port of a Service is reached; of a headless one, at one of its pods."""
        if not self.is_inside:
            return self._forwarded(f"service/{name}", port)
        address = self._kube.get("service", name)["spec"]["clusterIP"]
        if address != "None":
            return address, port
        subsets = self._kube.get("endpoints", name).get("subsets") or []
        return subsets[0]["addresses"][0]["ip"], port

    def pod(self, name: str, port: int) -> Address:
        """Where a port of a pod is reached."""
        if not self.is_inside:
            return self._forwarded(f"pod/{name}", port)
        return self._kube.get("pod", name)["status"]["podIP"], port

    def node_port(self, name: str, port: int) -> Address:
        """Where a port of a NodePort Service is reached from outside, and from inside as well."""
        ports = self._kube.get("service", name)["spec"]["ports"]
        node = self._kube.list("nodes")[0]["status"]["addresses"]
        address = next(one["address"] for one in node if one["type"] == "InternalIP")
        return address, next(int(one["nodePort"]) for one in ports if one["port"] == port)

    def close(self) -> None:
        """End all forwarding."""
        for forward in self._forwards.values():
            forward.stop()
        self._forwards.clear()

    def _forwarded(self, target: str, port: int) -> Address:
        key = (target, port)
        if key not in self._forwards:
            self._forwards[key] = _Forward(self._kube, target, port)
        return self._forwards[key].address


class _Forward:
    """`kubectl port-forward` on one loopback port, started again whenever it ends."""

    def __init__(self, kube: Kube, target: str, port: int) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.address: Address = ("127.0.0.1", probe.getsockname()[1])
        self._command = [*kube.command, "port-forward", target, f"{self.address[1]}:{port}"]
        self._is_ended = False
        self._process: subprocess.Popen[str] | None = None
        self._thread = threading.Thread(target=self._keep, daemon=True)
        self._thread.start()
        until(lambda: connects(self.address), within_s=20, what=f"a forwarded port of {target}")

    def stop(self) -> None:
        self._is_ended = True
        if self._process is not None:
            self._process.terminate()
        self._thread.join(timeout=5)

    def _keep(self) -> None:
        while not self._is_ended:
            self._process = subprocess.Popen(
                self._command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
            )
            assert self._process.stderr is not None
            for line in self._process.stderr:
                # Older clients say this when their pod is gone, and stay.
                if "lost connection" in line or "an error occurred" in line:
                    self._process.terminate()
            self._process.stderr.close()
            self._process.wait()
            time.sleep(0.2)
