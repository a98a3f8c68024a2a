"""Where promtool is: on the PATH, in .tools, or unpacked there from Debian's `prometheus` package."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent.parent / ".tools" / "prometheus"


class PromtoolMissing(RuntimeError):
    """There is no promtool and no way to get one."""


def path() -> Path:
    """The program.

    Raises:
        PromtoolMissing: It is not installed and cannot be downloaded.
    """
    if found := shutil.which("promtool"):
        return Path(found)
    program = _FOLDER / "usr" / "bin" / "promtool"
    if not program.exists() and shutil.which("apt-get") and shutil.which("dpkg-deb"):
        _unpack()
    if not program.exists():
        raise PromtoolMissing("promtool is not installed; install Prometheus, or Debian's package of that name")
    return program


def run(*arguments: str | Path) -> str:
    """What promtool has against its input; empty when it is content."""
    done = subprocess.run([path(), *arguments], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else (done.stdout + done.stderr).strip()


def _unpack() -> None:
    _FOLDER.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_FOLDER.parent) as folder:
        for words in (["download", "prometheus"], ["update", "-q"], ["download", "prometheus"]):
            subprocess.run(["apt-get", *words], cwd=folder, capture_output=True, check=False)
            packages = list(Path(folder).glob("*.deb"))
            if packages:
                unpacked = Path(folder) / "unpacked"
                subprocess.run(["dpkg-deb", "-x", packages[0], unpacked], check=True, capture_output=True)
                shutil.rmtree(_FOLDER, ignore_errors=True)
                unpacked.rename(_FOLDER)
                return


if __name__ == "__main__":
    print(path())
