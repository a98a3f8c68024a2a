"""Builds the images of every service with docker or buildah, holds them to their size, and lets each check itself.

`python -m tools.images build` builds, `retag` gives built images a further tag, `archive` writes them into one archive
for clusters without a registry, and `lock` rewrites the versions that the builds install. Standard library only.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.image_engines import Buildah, BuildFailed, Docker, Engine
from tools.pip_settings import PipSettings

ROOT = Path(__file__).resolve().parent.parent
DOCKERFILE = ROOT / "deploy/docker/Dockerfile"
STAND_INS_DOCKERFILE = ROOT / "deploy/docker/stand-ins/Dockerfile"
CONSTRAINTS = ROOT / "deploy/docker/constraints.txt"
BASE = "docker.io/library/python:3.11-slim"

# Target of the Dockerfile, which is the image's name, and the service in it. Demucs comes with torch and on request.
SERVICES = {
    "gateway": "gateway",
    "prompt": "prompt",
    "datasets": "datasets",
    "sessions": "sessions",
    "stems-stub": "stems",
    "realtime": "realtime",
}
TORCH = "stems"
STAND_INS = {
    "seaweedfs": ["weed", "version"],
    "postgres": ["postgres", "--version"],
    "rabbitmq": ["sh", "-c", "command -v rabbitmq-server rabbitmqctl"],
}

# Megabytes (10^6 bytes), unpacked, as `docker images` prints them.
BUDGET_MB = 250
TORCH_BUDGET_MB = {"cpu": 1500, "cuda": 9000}

# Runs inside an image on an empty home: a key pair that only this run knows, the schema, then the service's own check.
CHECK = """
import os, pathlib, subprocess, sys
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

service = sys.argv[1]
home = pathlib.Path(os.environ["TONEWRIGHT_HOME"])
for name in ("keys", "db", "objects", "queue", "models"):
    (home / name).mkdir(exist_ok=True)
key = Ed25519PrivateKey.generate()
private = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
public = key.public_key().public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)
(home / "keys" / f"{service}.key").write_bytes(private)
(home / "keys" / f"{service}.pub").write_bytes(public)
(home / "api-keys.toml").write_text("")
for words in [["migrate"]] * (service != "gateway") + [["--check"]]:
    code = subprocess.run([sys.executable, "-m", f"services.{service}", *words]).returncode
    if code:
        sys.exit(f"`{' '.join(words)}` of {service} ends with {code}")
"""
TORCH_CHECK = "import demucs.apply, torch; print('cuda' if torch.version.cuda else 'cpu')"


@dataclass(frozen=True, slots=True)
class Built:
    """An image that was built, and how it stands to its budget."""

    name: str
    size_mb: float
    budget_mb: float | None
    wall_s: float

    @property
    def fits(self) -> bool:
        """Whether it is within its budget; an image without one always is."""
        return self.budget_mb is None or self.size_mb <= self.budget_mb


def main(words: Sequence[str] | None = None) -> int:
    """Do what the command line asks for; 0 when all images fit and answer."""
    options = _parser().parse_args(words)
    if options.command == "lock":
        return lock()
    try:
        engine = _engine(options)
        if options.command == "build":
            return build(engine, options)
        names = options.only or list(SERVICES)
        if options.command == "retag":
            for name in names:
                engine.retag(*(f"{options.repository}/{name}:{tag}" for tag in (options.from_tag, options.tag)))
        else:
            made = [f"{options.repository}/{name}:{options.tag}" for name in names]
            engine.archive(options.reference or made, options.file)
    except BuildFailed as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def build(engine: Engine, options: argparse.Namespace) -> int:
    """Build what is asked for, print the table of sizes, run each image's check."""
    stand_ins = [name for name in STAND_INS if options.stand_ins or name in (options.only or ())]
    wanted = [name for name in [*SERVICES, *[TORCH] * options.torch] if name in (options.only or [*SERVICES, TORCH])]
    arguments = {
        "BASE_IMAGE": options.base,
        "REVISION": options.revision or _revision(),
        "SOURCE": options.source,
        "VERSION": _version(),
        "TORCH_INDEX_URL": options.torch_index_url,
        "TORCH_VERSION": options.torch_version,
    }
    built, faults = [], []
    with PipSettings.of_this_machine() as pip:
        for dockerfile, names in ((DOCKERFILE, wanted), (STAND_INS_DOCKERFILE, stand_ins)):
            for name in names:
                reference = f"{options.repository}/{name}:{options.tag}"
                began = time.monotonic()
                engine.build(reference, name, dockerfile, ROOT, arguments, pip)
                wall_s = time.monotonic() - began
                fault = None if options.no_check else check(engine, reference, name)
                faults += [fault] if fault else []
                built.append(Built(name, engine.size_mb(reference), _budget_mb(engine, reference, name), wall_s))
                print(f"{reference}: {wall_s:.0f} s{', ' + fault if fault else ''}", flush=True)
    print(table(built, options.base))
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults or not all(image.fits for image in built) else 0


def check(engine: Engine, reference: str, name: str) -> str | None:
    """What is wrong with an image that was built, None for nothing."""
    try:
        if name in STAND_INS:
            engine.run(reference, STAND_INS[name])
        else:
            engine.run(reference, ["python", "-c", CHECK, SERVICES.get(name, "stems")])
    except BuildFailed as error:
        return f"{reference} does not answer --check: {error}"
    return None


def table(built: Sequence[Built], base: str) -> str:
    """Sizes beside budgets, one line per image."""
    lines = [f"unpacked sizes in MB (10^6 bytes), on {base}", f"{'image':<12}{'size':>7}{'budget':>8}{'build':>8}"]
    for image in built:
        budget = "-" if image.budget_mb is None else f"{image.budget_mb:.0f}"
        verdict = "" if image.fits else "  over its budget"
        lines.append(f"{image.name:<12}{image.size_mb:>7.0f}{budget:>8}{image.wall_s:>6.0f} s{verdict}")
    return "\n".join(lines)


def lock() -> int:
    """Write the versions of the environment that runs this, but for local ones, to constraints.txt."""
    frozen = subprocess.run([sys.executable, "-m", "pip", "freeze"], check=True, capture_output=True, text=True).stdout
    CONSTRAINTS.write_text(constraints(frozen), "utf-8")
    return 0


def constraints(frozen: str) -> str:
    """The plain `name==version` lines; torch is left to TORCH_VERSION, and its libraries to torch."""
    lines = [line for line in frozen.splitlines() if "==" in line and not line.startswith(("#", "-e"))]
    kept = [line for line in lines if "+" not in line and not line.lower().startswith(("torch", "nvidia-", "triton"))]
    return "\n".join(sorted(kept, key=str.lower)) + "\n"


def _budget_mb(engine: Engine, reference: str, name: str) -> float | None:
    if name in STAND_INS:
        return None
    if name != TORCH:
        return BUDGET_MB
    return TORCH_BUDGET_MB[engine.run(reference, ["python", "-c", TORCH_CHECK]).split()[-1]]


def _engine(options: argparse.Namespace) -> Engine:
    if options.engine == "docker" or (options.engine == "auto" and Docker.answers()):
        return Docker()
    return Buildah(options.root, options.runroot)


def _revision() -> str:
    asked = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return asked.stdout.strip() or "unknown"


def _version() -> str:
    lines = (ROOT / "pyproject.toml").read_text("utf-8").splitlines()
    return next(line.split('"')[1] for line in lines if line.startswith("version = "))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.images", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("lock", help="rewrite deploy/docker/constraints.txt from this environment")
    made = {name: commands.add_parser(name) for name in ("build", "retag", "archive")}
    for command in made.values():
        command.add_argument("--engine", choices=["auto", "docker", "buildah"], default="auto")
        command.add_argument("--root", help="buildah's folder of images, instead of its own")
        command.add_argument("--runroot", help="buildah's folder of running state")
        command.add_argument("--repository", default="localhost/tonewright", help="what comes before /gateway:TAG")
        command.add_argument("--tag", default="dev")
        command.add_argument("--only", nargs="+", metavar="IMAGE", choices=[*SERVICES, TORCH, *STAND_INS])
    made["retag"].add_argument("--from-tag", required=True)
    made["archive"].add_argument("--file", type=Path, required=True, help="OCI archive to write")
    made["archive"].add_argument("reference", nargs="*", help="REPOSITORY/NAME:TAG, not --only and --tag")
    build = made["build"]
    build.add_argument("--base", default=BASE, help="image of Debian with Python that everything is built from and on")
    build.add_argument("--torch", action="store_true", help="build the image `stems` with Demucs, too")
    build.add_argument("--torch-index-url", default="", help="index that pip takes torch from; chooses CPU or CUDA")
    build.add_argument("--torch-version", default="2.13.0")
    build.add_argument("--stand-ins", action="store_true", help="build the stand-ins of the backends, too")
    build.add_argument("--revision", default="", help="label of the revision; git's when not given")
    build.add_argument("--source", default="", help="label of the repository's address")
    build.add_argument("--no-check", action="store_true", help="do not run the images")
    return parser


if __name__ == "__main__":
    sys.exit(main())
