"""The two programs that build images: docker (BuildKit) and buildah."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from tools.pip_settings import PipSettings

_UNITS = {"B": 1e-6, "KB": 1e-3, "MB": 1.0, "GB": 1e3}


class BuildFailed(RuntimeError):
    """A command of the engine failed; says how."""


class Engine(Protocol):
    """Builds, runs, measures and packs images."""

    def build(
        self, reference: str, target: str, file: Path, context: Path, arguments: Mapping[str, str], pip: PipSettings
    ) -> None:
        """Build a target of a Dockerfile."""
        ...

    def run(self, reference: str, command: Sequence[str]) -> str:
        """What the command prints in the image, with an empty home; raises `BuildFailed` when it fails."""
        ...

    def size_mb(self, reference: str) -> float:
        """Unpacked size in MB (10^6 bytes)."""
        ...

    def retag(self, reference: str, new: str) -> None:
        """The same image under a further name, with an id of its own."""
        ...

    def archive(self, references: Sequence[str], file: Path) -> None:
        """Write images into one archive that containerd, docker and podman read."""
        ...


class Docker:
    """Docker with BuildKit."""

    @staticmethod
    def answers() -> bool:
        """Whether a daemon is there."""
        return bool(shutil.which("docker")) and _succeeds(["docker", "info"])

    def build(
        self, reference: str, target: str, file: Path, context: Path, arguments: Mapping[str, str], pip: PipSettings
    ) -> None:
        """`docker build` with the pip settings as secrets."""
        words = [
            "docker",
            "build",
            *_given(target, file, reference, arguments, pip),
            "--progress",
            "plain",
            str(context),
        ]
        _call(words)

    def run(self, reference: str, command: Sequence[str]) -> str:
        """In a container without network and with a read-only root."""
        home = "/var/lib/tonewright:uid=10001,gid=10001,mode=0700"
        shut = ["--rm", "--network", "none", "--read-only", "--tmpfs", "/tmp", "--tmpfs", home]
        return _call(["docker", "run", *shut, "--entrypoint", command[0], reference, *command[1:]])

    def size_mb(self, reference: str) -> float:
        """From the image's description."""
        return int(_call(["docker", "image", "inspect", "--format", "{{.Size}}", reference])) / 1e6

    def retag(self, reference: str, new: str) -> None:
        """By a label, so that ids differ."""
        with _label_of(reference, new) as folder:
            _call(["docker", "build", "--quiet", "--tag", new, str(folder)])

    def archive(self, references: Sequence[str], file: Path) -> None:
        """`docker save`."""
        _call(["docker", "save", "--output", str(file), *references])


class Buildah:
    """Buildah, isolated by chroot alone, so that it works where no container runs."""

    def __init__(self, root: str | None = None, runroot: str | None = None) -> None:
        store = [*(["--root", root] if root else []), *(["--runroot", runroot] if runroot else [])]
        self._buildah = ["buildah", *store, *(["--storage-driver", "overlay"] if root else [])]

    def build(
        self, reference: str, target: str, file: Path, context: Path, arguments: Mapping[str, str], pip: PipSettings
    ) -> None:
        """`buildah build`, layer by layer."""
        how = ["--layers", "--isolation", "chroot", "--network", "host"]
        _call([*self._buildah, "bud", *how, *_given(target, file, reference, arguments, pip), str(context)])

    def run(self, reference: str, command: Sequence[str]) -> str:
        """In a working container that goes afterwards."""
        container = _call([*self._buildah, "from", reference]).strip()
        try:
            return _call([*self._buildah, "run", "--isolation", "chroot", container, "--", *command])
        finally:
            _call([*self._buildah, "rm", container])

    def size_mb(self, reference: str) -> float:
        """From the list of images, which rounds."""
        printed = _call([*self._buildah, "images", "--format", "{{.Size}}", reference]).split("\n")[0]
        return megabytes(printed)

    def retag(self, reference: str, new: str) -> None:
        """By a label, so that ids differ."""
        with _label_of(reference, new) as folder:
            _call([*self._buildah, "bud", "--quiet", "--isolation", "chroot", "--tag", new, str(folder)])

    def archive(self, references: Sequence[str], file: Path) -> None:
        """One OCI layout, in which images share their layers, packed."""
        with tempfile.TemporaryDirectory(dir=file.parent) as folder:
            for reference in references:
                quick = ["--quiet", "--compression-format", "zstd"]
                _call([*self._buildah, "push", *quick, reference, f"oci:{folder}/layout:{reference}"])
            _call(["tar", "--create", "--file", f"{folder}/archive", "--directory", f"{folder}/layout", "."])
            Path(f"{folder}/archive").replace(file)


def megabytes(printed: str) -> float:
    """`239 MB`, `1.2 GB` as a number of MB (10^6 bytes)."""
    matched = re.fullmatch(r"([\d.]+)\s*([kKMG]?B)", printed.strip())
    if matched is None:
        raise BuildFailed(f"no size: {printed!r}")
    return float(matched[1]) * _UNITS[matched[2].upper()]


def _given(target: str, file: Path, reference: str, arguments: Mapping[str, str], pip: PipSettings) -> list[str]:
    words = ["--target", target, "--file", str(file), "--tag", reference, "--secret", f"id=pip,src={pip.file}"]
    if pip.authorities:
        words += ["--secret", f"id=ca,src={pip.authorities}"]
    if pip.wheels:
        words += ["--build-context", f"wheels={pip.wheels}"]
    used = set(re.findall(r"(?:^ARG | )(\w+)=", file.read_text("utf-8"), re.MULTILINE))
    for name in sorted(used & arguments.keys()):
        words += ["--build-arg", f"{name}={arguments[name]}"]
    return words


@contextlib.contextmanager
def _label_of(reference: str, new: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        text = f"FROM {reference}\nLABEL org.opencontainers.image.ref.name={json.dumps(new)}\n"
        (Path(folder) / "Dockerfile").write_text(text)
        yield Path(folder)


def _succeeds(words: Sequence[str]) -> bool:
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def _call(words: Sequence[str]) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).splitlines()[-40:])
        raise BuildFailed(f"{' '.join(words[:2])} ends with {done.returncode}:\n{last}")
    return done.stdout
