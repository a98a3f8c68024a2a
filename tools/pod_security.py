"""What keeps a pod from the restricted Pod Security Standard, and from the two rules this platform adds to it.

The fields are those of the standard's published table (Kubernetes documentation, Pod Security Standards, profile
Restricted). The added rules: the root file system is read-only, and no token of the API server is mounted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Fields = Mapping[str, Any]

_HOST_SWITCHES = ("hostNetwork", "hostPID", "hostIPC")
_VOLUMES = frozenset(
    ("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret")
)
_SECCOMP = ("RuntimeDefault", "Localhost")
_SYSCTLS = frozenset(
    (
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_syncookies",
    )
)
_CONTAINER_LISTS = ("initContainers", "containers", "ephemeralContainers")


def restricted_faults(pod_spec: Fields) -> list[str]:
    """Every field of a pod's spec that breaks a rule, with its path; none for a pod that keeps all of them."""
    faults = [f"{name}: must be false" for name in _HOST_SWITCHES if pod_spec.get(name)]
    if pod_spec.get("automountServiceAccountToken") is not False:
        faults.append("automountServiceAccountToken: must be false")
    faults += _volume_faults(pod_spec)
    shared = pod_spec.get("securityContext") or {}
    faults += _shared_faults(shared)
    for path, container in _containers(pod_spec):
        faults += [f"{path}.{fault}" for fault in _container_faults(container, shared)]
    return faults


def pod_specs(manifest: Fields) -> list[Fields]:
    """The specs of the pods that an object is or makes; none for kinds without pods."""
    kind, spec = manifest.get("kind"), manifest.get("spec") or {}
    if kind == "Pod":
        return [spec]
    if kind == "CronJob":
        return [spec["jobTemplate"]["spec"]["template"]["spec"]]
    if kind == "ScaledJob":
        return [spec["jobTargetRef"]["template"]["spec"]]
    if kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"):
        return [spec["template"]["spec"]]
    return []


def _containers(pod_spec: Fields) -> Iterator[tuple[str, Fields]]:
    for name in _CONTAINER_LISTS:
        for container in pod_spec.get(name) or ():
            yield f"{name}[{container.get('name')}]", container


def _volume_faults(pod_spec: Fields) -> list[str]:
    faults = []
    for volume in pod_spec.get("volumes") or ():
        # A volume without a source is an emptyDir.
        for source in volume.keys() - {"name"} - _VOLUMES:
            faults.append(f"volumes[{volume.get('name')}].{source}: not among the volume types of the profile")
    return faults


def _shared_faults(shared: Fields) -> list[str]:
    names = [sysctl.get("name") for sysctl in shared.get("sysctls") or ()]
    return [f"securityContext.sysctls: {name} is not safe" for name in names if name not in _SYSCTLS]


def _container_faults(container: Fields, shared: Fields) -> list[str]:
    own = container.get("securityContext") or {}
    faults = [f"ports: host port {port['hostPort']}" for port in container.get("ports") or () if port.get("hostPort")]
    if own.get("privileged"):
        faults.append("securityContext.privileged: must be false")
    if own.get("allowPrivilegeEscalation") is not False:
        faults.append("securityContext.allowPrivilegeEscalation: must be false")
    if own.get("readOnlyRootFilesystem") is not True:
        faults.append("securityContext.readOnlyRootFilesystem: must be true")
    if own.get("procMount", "Default") != "Default":
        faults.append("securityContext.procMount: must be Default")
    return faults + _capability_faults(own) + _identity_faults(own, shared)


def _capability_faults(own: Fields) -> list[str]:
    capabilities = own.get("capabilities") or {}
    faults = []
    if "ALL" not in (capabilities.get("drop") or ()):
        faults.append("securityContext.capabilities.drop: must contain ALL")
    if added := set(capabilities.get("add") or ()) - {"NET_BIND_SERVICE"}:
        faults.append(f"securityContext.capabilities.add: {', '.join(sorted(added))}")
    return faults


def _identity_faults(own: Fields, shared: Fields) -> list[str]:
    faults = []
    if own.get("runAsNonRoot", shared.get("runAsNonRoot")) is not True:
        faults.append("securityContext.runAsNonRoot: must be true")
    if own.get("runAsUser", shared.get("runAsUser")) == 0:
        faults.append("securityContext.runAsUser: must not be 0")
    profile = own.get("seccompProfile") or shared.get("seccompProfile") or {}
    if profile.get("type") not in _SECCOMP:
        faults.append(f"securityContext.seccompProfile.type: must be {' or '.join(_SECCOMP)}")
    return faults
