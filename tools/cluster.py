"""A one-node Kubernetes for the tests on machines without Docker, from the folder of scripts beside the repository.

`prepare` makes everything that takes long and may run in the background: Kubernetes itself, the base image, the images
of this repository and their archives. `up` starts the cluster, loads them and prints lines for a shell to evaluate.
`load` brings one more archive in, `volumes` renews the volumes that installations have left, `down` ends it all.

State lies in ${K8S_CACHE:-~/.cache/k8s-1.20.2}. Standard library only; root and apt are needed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tools.images import BASE, SERVICES, STAND_INS

ROOT = Path(__file__).resolve().parent.parent
CACHE = Path(os.environ.get("K8S_CACHE") or Path.home() / ".cache/k8s-1.20.2")
STATE = CACHE / "state"
ARCHIVE = CACHE / "images.tar"
STORE = ["--root", str(CACHE / "ctr/root"), "--runroot", str(CACHE / "ctr/run")]
BASE_PACKAGES = "python3,python3-venv,ca-certificates"
REPOSITORY = "localhost/tonewright"
TAG, NEXT_TAG = "test", "test-next"
CLIENT = ["nsenter", "--net=/run/netns/k8ss"]
LOADER = ["ctr", "-a", str(STATE / "ctd.sock"), "-n", "k8s.io", "images", "import"]
# The whole cluster is one group beside everything else on the machine, and pods ask for little of the processor.
SHARES = Path("/sys/fs/cgroup/cpu/k8ss/cpu.shares"), "20480"
STORAGE_CLASS = "tonewright-local"
VOLUMES = 12
VOLUME_SIZE = "10Gi"
ABSENT = 3


class Unfit(RuntimeError):
    """This machine cannot do it; says why."""


def main(words: Sequence[str] | None = None) -> int:
    """Do what the command line asks for; 3 where the scripts of the cluster are absent."""
    parser = argparse.ArgumentParser(prog="python -m tools.cluster", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, meaning in (
        ("prepare", "build Kubernetes, the images and their archives"),
        ("up", "start the cluster and print exports for a shell"),
        ("volumes", "renew the volumes that nobody claims any more"),
        ("down", "end the cluster and remove its state"),
    ):
        commands.add_parser(name, help=meaning)
    commands.add_parser("load", help="import an archive of images").add_argument("archive", type=Path)
    options = parser.parse_args(words)
    scripts = Path(os.environ.get("TONEWRIGHT_SHARED_CLUSTER") or ROOT.parent / "shared/cluster")
    if not (scripts / "up.sh").exists():
        print(f"no cluster here: {scripts} is absent (TONEWRIGHT_SHARED_CLUSTER names another folder)", file=sys.stderr)
        return ABSENT
    try:
        _do(options, scripts)
    except Unfit as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _do(options: argparse.Namespace, scripts: Path) -> None:
    if os.getuid() != 0:
        raise Unfit("the cluster's namespaces, and apt, need root")
    if options.command == "prepare":
        prepare(scripts)
    elif options.command == "up":
        up(scripts)
    elif options.command == "load":
        _call([*LOADER, str(options.archive)])
    elif options.command == "volumes":
        renew_volumes()
    else:
        _call(["bash", str(scripts / "down.sh"), str(STATE)])


def prepare(scripts: Path) -> None:
    """Make all that `up` needs; a second time takes what is there, and builds the images of the code as it is."""
    if not shutil.which("apt-get"):
        raise Unfit("the cluster is built of Debian packages: apt-get is absent")
    CACHE.mkdir(parents=True, exist_ok=True)
    if not all(shutil.which(name) for name in ("buildah", "containerd", "etcd", "debootstrap")) or not _helm().exists():
        _install(["apt-get", "update", "-qq"])
        _install(["bash", str(scripts / "deps.sh"), str(CACHE)])
    _install(["bash", str(scripts / "build.sh"), str(CACHE / "bin")])
    _import_base()
    common = [*STORE, "--engine", "buildah", "--repository", REPOSITORY]
    images = [sys.executable, "-m", "tools.images"]
    _call([*images, "build", *common, "--base", BASE, "--tag", TAG, "--stand-ins"])
    _call([*images, "retag", *common, "--from-tag", TAG, "--tag", NEXT_TAG])
    references = [f"{REPOSITORY}/{name}:{TAG}" for name in (*SERVICES, *STAND_INS)]
    references += [f"{REPOSITORY}/{name}:{NEXT_TAG}" for name in SERVICES]
    _call([*images, "archive", *common, "--file", str(ARCHIVE), *references])


def up(scripts: Path) -> None:
    """Start the cluster unless it runs, load the archives, make the volumes, print the exports."""
    if not ARCHIVE.exists():
        raise Unfit("nothing is prepared: run `python -m tools.cluster prepare` first")
    if _runs():
        _call([*LOADER, str(ARCHIVE)])
    else:
        if STATE.exists():
            _call(["bash", str(scripts / "down.sh"), str(STATE)])  # what a machine that went down has left
        environment = {**os.environ, "KUBECTL": str(CACHE / "kubectl"), "IMAGES": str(ARCHIVE)}
        _call(["bash", str(scripts / "up.sh"), str(CACHE / "bin"), str(STATE)], environment)
    with contextlib.suppress(OSError):  # another layout of control groups: its share is the usual one
        SHARES[0].write_text(SHARES[1])
    renew_volumes()
    print(exports())


def exports() -> str:
    """The shell lines that tests on this cluster need."""
    values = {
        "KUBECONFIG": str(STATE / "pki/admin.kubeconfig"),
        "CLIENT": shlex.join(CLIENT),
        "KUBECTL": str(CACHE / "kubectl"),
        "HELM": str(_helm()),
        "IMAGE_LOADER": shlex.join(LOADER),
        "IMAGE_REPOSITORY": REPOSITORY,
        "IMAGE_TAG": TAG,
        "NEXT_IMAGE_TAG": NEXT_TAG,
        "STORAGE_CLASS": STORAGE_CLASS,
    }
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in values.items())


def renew_volumes() -> None:
    """Make each volume anew that was released: there is no provisioner, and nobody could claim it otherwise."""
    listed = json.loads(_kubectl("get", "persistentvolumes", "--output", "json"))
    phases = {item["metadata"]["name"]: item["status"]["phase"] for item in listed["items"]}
    names = [f"{STORAGE_CLASS}-{number}" for number in range(VOLUMES)]
    for name in names:
        if phases.get(name) in ("Released", "Failed"):
            _kubectl("delete", "persistentvolume", name)
            del phases[name]
    missing = [name for name in names if name not in phases]
    for name in missing:
        folder = STATE / "volumes" / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        folder.chmod(0o777)  # hostPath volumes take no fsGroup, and each server has a user id of its own
    if missing:
        _kubectl("apply", "--filename", "-", stdin=json.dumps(volume_list(missing, STATE / "volumes")))


def volume_list(names: Sequence[str], folder: Path) -> dict[str, object]:
    """PersistentVolumes in folders of this machine, kept after their claim is gone."""
    items = [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": name},
            "spec": {
                "capacity": {"storage": VOLUME_SIZE},
                "accessModes": ["ReadWriteOnce"],
                "persistentVolumeReclaimPolicy": "Retain",
                "storageClassName": STORAGE_CLASS,
                "hostPath": {"path": str(folder / name), "type": "Directory"},
            },
        }
        for name in names
    ]
    return {"apiVersion": "v1", "kind": "List", "items": items}


def _install(words: Sequence[str]) -> None:
    """A command that calls apt, again if another apt was in its way; each may be run twice."""
    patient = CACHE / "apt.conf"
    patient.write_text('DPkg::Lock::Timeout "600";\n')
    for wait_s in (20, 60, None):
        try:
            return _call(words, {**os.environ, "APT_CONFIG": str(patient)})
        except Unfit:
            if wait_s is None:
                raise
            time.sleep(wait_s)


def _import_base() -> None:
    """A Debian with Python by debootstrap, under the name of the public base image, which is out of reach."""
    tarball, rootfs = CACHE / "base.tar", CACHE / "rootfs"
    if not tarball.exists():
        shutil.rmtree(rootfs, ignore_errors=True)
        mirror = _output(["awk", "/^URIs:/{print $2; exit}", "/etc/apt/sources.list.d/debian.sources"]).strip()
        include = f"--include={BASE_PACKAGES}"
        _call(["debootstrap", "--variant=minbase", include, "bookworm", str(rootfs), mirror], quiet=True)
        # Of /etc, what debootstrap copies from this machine.
        excluded = ["./var/cache", "./var/lib/apt/lists", "./etc/resolv.conf", "./etc/hostname"]
        excluded += [f"./usr/share/{name}" for name in ("doc", "man", "locale")]
        unfinished = tarball.with_suffix(".part")
        _call(["tar", "-C", str(rootfs), *(f"--exclude={path}" for path in excluded), "-cf", str(unfinished), "."])
        unfinished.rename(tarball)
    podman = ["podman", *STORE, "--storage-driver", "overlay"]
    if subprocess.run([*podman, "image", "exists", BASE], check=False).returncode:
        _call([*podman, "import", "-q", str(tarball), BASE])


def _helm() -> Path:
    return CACHE / "venv/bin/helm"


def _runs() -> bool:
    pid = STATE / "super.pid"
    if not pid.exists() or not Path(f"/proc/{pid.read_text().strip()}").exists():
        return False
    return " Ready" in _kubectl("get", "nodes")


def _kubectl(*words: str, stdin: str | None = None) -> str:
    kubectl = [*CLIENT, str(CACHE / "kubectl"), "--kubeconfig", str(STATE / "pki/admin.kubeconfig")]
    return _output([*kubectl, *words], stdin=stdin)


def _output(words: Sequence[str], stdin: str | None = None) -> str:
    done = subprocess.run(words, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unfit(f"{shlex.join(words)} ends with {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def _call(words: Sequence[str], environment: dict[str, str] | None = None, *, quiet: bool = False) -> None:
    # Standard output is for the exports alone.
    out = subprocess.DEVNULL if quiet else sys.stderr
    done = subprocess.run(words, cwd=ROOT, env=environment, stdout=out, check=False)
    if done.returncode:
        raise Unfit(f"{shlex.join(words)} ends with {done.returncode}")


if __name__ == "__main__":
    sys.exit(main())
