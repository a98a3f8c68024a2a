"""Generate the gRPC stubs from proto/, check that the committed ones are fresh, lint the contracts.

    python tools/proto.py            generate gen/
    python tools/proto.py check      fail when gen/ differs from what proto/ gives
    python tools/proto.py lint       buf lint
    python tools/proto.py breaking   compare with the contracts of the main branch

The generator lives in an environment of its own (.tools/proto): it wants an older protobuf than the services run on.
"""

from __future__ import annotations

import filecmp
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROTO = ROOT / "proto"
GEN = ROOT / "gen"
STAGE = ROOT / "build" / "googleapis"
TOOL_ENV = ROOT / ".tools" / "proto"
# Stubs refuse a runtime older than their generator, so an old generator gives the widest range of runtimes.
TOOL_PINS = ["grpcio-tools==1.76.0", "mypy-protobuf==5.1.0", "setuptools<81"]


def main() -> int:
    command = sys.argv[1] if len(sys.argv) > 1 else "generate"
    commands = {"generate": generate, "check": check, "lint": lint, "breaking": breaking}
    if command not in commands:
        print(f"unknown command {command!r}; one of {', '.join(commands)}", file=sys.stderr)
        return 2
    return commands[command]()


def generate() -> int:
    _compile_to(GEN)
    return 0


def check() -> int:
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder)
        _compile_to(fresh)
        stale = sorted(_differences(fresh, GEN))
    if stale:
        print("gen/ is stale; run `make proto`:", *stale, sep="\n  ", file=sys.stderr)
        return 1
    print("gen/ is fresh")
    return 0


def lint() -> int:
    _stage_googleapis()
    return _buf("lint", "--path", "proto")


def breaking() -> int:
    branch = os.environ.get("PROTO_BASE", "origin/main")
    known = subprocess.run(["git", "rev-parse", "--verify", "-q", branch], cwd=ROOT, capture_output=True, check=False)
    if known.returncode != 0:
        print(f"no branch {branch} to compare with; set PROTO_BASE")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder) / "base"
        subprocess.run(
            f"mkdir -p {base} && git archive {branch} proto | tar -x -C {base}", shell=True, cwd=ROOT, check=True
        )
        head_image, base_image = Path(folder) / "head.binpb", Path(folder) / "base.binpb"
        for source, image in ((PROTO, head_image), (base / "proto", base_image)):
            _protoc(source, [f"--descriptor_set_out={image}", "--include_imports"])
        return _buf("breaking", str(head_image), "--against", str(base_image))


def _compile_to(target: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        _protoc(
            PROTO, [f"--python_out={out}", f"--grpc_python_out={out}", f"--mypy_out={out}", f"--mypy_grpc_out={out}"]
        )
        (out / "tonewright" / "py.typed").touch()
        for name in _differences(out, target):
            fresh, old = out / name, target / name
            if not fresh.exists():
                old.unlink()
                continue
            old.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(fresh, old)


def _protoc(source: Path, outputs: list[str]) -> None:
    python = _tool_python()
    _stage_googleapis()
    files = sorted(str(path.relative_to(source)) for path in source.rglob("*.proto"))
    environment = {**os.environ, "PATH": f"{python.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    subprocess.run(
        [str(python), "-m", "grpc_tools.protoc", f"-I{source}", f"-I{STAGE}", *outputs, *files],
        cwd=ROOT,
        env=environment,
        check=True,
    )


def _tool_python() -> Path:
    python = TOOL_ENV / "bin" / "python"
    stamp = TOOL_ENV / "pins.txt"
    if not stamp.exists() or stamp.read_text() != "\n".join(TOOL_PINS):
        venv.create(TOOL_ENV, with_pip=True, clear=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *TOOL_PINS], check=True)
        stamp.write_text("\n".join(TOOL_PINS))
    return python


def _stage_googleapis() -> None:
    """Copy Google's protos out of the installed package.

    The package ships longrunning's file as `operations_proto.proto` while the descriptor it registers keeps the
    original name, so the copy gets that name back.
    """
    spec = find_spec("google.api")
    places = list(spec.submodule_search_locations or []) if spec else []
    assert places, "googleapis-common-protos is not installed"
    google = Path(places[0]).parent
    for package in ("api", "rpc", "longrunning", "type"):
        for source in (google / package).glob("*.proto"):
            name = source.name.replace("operations_proto.proto", "operations.proto")
            target = STAGE / "google" / package / name
            target.parent.mkdir(parents=True, exist_ok=True)
            text = source.read_text()
            if not target.exists() or target.read_text() != text:
                target.write_text(text)


def _buf(*arguments: str) -> int:
    buf = Path(sys.executable).parent / "buf"
    if arguments[0] == "lint":
        # Google's protos are an input, not part of the module, so buf reads a workspace that holds both.
        with tempfile.TemporaryDirectory(dir=ROOT / "build") as folder:  # buf passes over hidden folders
            work = Path(folder)
            shutil.copytree(PROTO, work / "proto")
            shutil.copytree(STAGE, work / "googleapis")
            settings = (ROOT / "buf.yaml").read_text()
            (work / "buf.yaml").write_text(
                settings.replace("  - path: proto\n", "  - path: proto\n  - path: googleapis\n")
            )
            return subprocess.run([str(buf), "lint", "proto"], cwd=work, check=False).returncode
    return subprocess.run([str(buf), *arguments], cwd=ROOT, check=False).returncode


def _differences(fresh: Path, committed: Path) -> set[str]:
    fresh_files = {path.relative_to(fresh) for path in fresh.rglob("*") if path.is_file()}
    committed_files = {
        path.relative_to(committed) for path in committed.rglob("*") if path.is_file() and path.suffix != ".pyc"
    }
    changed = {
        path for path in fresh_files & committed_files if not filecmp.cmp(fresh / path, committed / path, shallow=False)
    }
    return {str(path) for path in (fresh_files ^ committed_files) | changed}


if __name__ == "__main__":
    raise SystemExit(main())
