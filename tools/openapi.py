"""Write the JSON shapes of the gateway and docs/openapi.json from the protos and routes, or check that they are fresh.

python tools/openapi.py           write services/gateway/models and docs/openapi.json
python tools/openapi.py check     fail when they differ from what protos and routes give
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "libs"), str(ROOT / "gen")]

from tools import shapes  # noqa: E402

MODELS = ROOT / "services" / "gateway" / "models"
OPENAPI = ROOT / "docs" / "openapi.json"


def main() -> int:
    command = sys.argv[1] if len(sys.argv) > 1 else "write"
    if command not in ("write", "check"):
        print(f"unknown command {command!r}; write or check", file=sys.stderr)
        return 2
    return write() if command == "write" else check()


def write() -> int:
    for name, text in model_files().items():
        (MODELS / name).write_text(text)
    OPENAPI.parent.mkdir(exist_ok=True)
    OPENAPI.write_text(openapi_text())
    return 0


def check() -> int:
    stale = [str(MODELS / name) for name, text in model_files().items() if _read(MODELS / name) != text]
    # Routes are built from the shapes, so the document can only be judged once those are fresh.
    if not stale and _read(OPENAPI) != openapi_text():
        stale = [str(OPENAPI)]
    if stale:
        print("stale; run `python tools/openapi.py`:", *stale, sep="\n  ", file=sys.stderr)
        return 1
    print("docs/openapi.json and the gateway's models are fresh")
    return 0


def model_files() -> dict[str, str]:
    """The text of each generated module, by file name, formatted as the repository is."""
    with tempfile.TemporaryDirectory() as folder:
        written = shapes.write_all(Path(folder))
        ruff = Path(sys.executable).parent / "ruff"
        settings = ["--config", str(ROOT / "pyproject.toml"), "--config", 'lint.isort.known-first-party=["services"]']
        subprocess.run([str(ruff), "format", "-q", *settings, folder], check=True)
        subprocess.run([str(ruff), "check", "-q", "--select", "I,F401", "--fix", *settings, folder], check=True)
        return {path.name: path.read_text() for path in written}


def openapi_text() -> str:
    """The OpenAPI document, with a stable order."""
    program = "import json; from services.gateway.app import openapi; print(json.dumps(openapi()))"
    # In a process of its own, because the models may just have been written.
    answer = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True)
    return json.dumps(json.loads(answer.stdout), indent=1, ensure_ascii=False) + "\n"


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


if __name__ == "__main__":
    raise SystemExit(main())
