"""Cut a Debian system with Python down to what runs Python, in place; run inside a build stage, never on a machine.

What stays: Python with its standard library (compiled), the libraries that it and any manylinux wheel load, a shell
with a few commands to look around, certificates, time zones, and the package list that vulnerability scanners read.
Package managers, Perl, pip and everything with a set-user-id bit go.
"""

from __future__ import annotations

import compileall
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path
from py_compile import PycInvalidationMode

COMMANDS = {
    "sh", "dash", "cat", "cp", "date", "df", "du", "env", "false", "grep", "head", "id", "ldconfig", "ln", "ls",
    "mkdir", "mv", "openssl", "ps", "rm", "sed", "sleep", "sort", "tail", "tar", "tee", "test", "touch", "true",
    "uname", "wc",
}  # fmt: skip
# Loaded by name at run time, or by wheels that follow the manylinux policy.
LIBRARIES = (
    "ld-linux", "libc.", "libm.", "libmvec.", "libdl.", "libpthread.", "librt.", "libutil.", "libresolv.", "libnss_",
    "libnsl.", "libanl.", "libBrokenLocale.", "libthread_db.", "libgcc_s.", "libstdc++.", "libz.", "libgomp.",
)  # fmt: skip
LIBRARY_FOLDERS = {"ossl-modules", "engines-3"}
LIB = {"locale", "os-release", "ssl", "python3"}
SHARE = {"ca-certificates", "common-licenses", "zoneinfo", "doc", "python3"}
UNUSED_STANDARD_LIBRARY = [
    "ensurepip", "idlelib", "lib2to3", "tkinter", "turtledemo", "turtle.py", "test", "pydoc_data", "distutils",
    "site-packages", "config-*",
]  # fmt: skip


def main() -> None:
    """Do it; refuses to on anything that does not look like a build stage."""
    if not Path("/build/slim.py").exists():
        sys.exit("slim.py cuts the system that it runs in; it belongs into a build stage")
    stdlib = Path(sysconfig.get_path("stdlib"))
    (triplet,) = Path("/usr/lib").glob("*-linux-gnu*")
    kept = [path for path in _commands() if path.name in COMMANDS or path.name.startswith("python")]
    programs = [
        Path(os.path.realpath(sys.executable)),
        *kept,
        *stdlib.rglob("*.so"),
        *Path("/usr/local/lib").glob("*.so*"),
    ]
    libraries = _libraries(programs)

    _remove(path for path in _commands() if path not in kept)
    _remove(path for path in triplet.iterdir() if not _stays(path, libraries))
    _remove(path for path in Path("/usr/lib").iterdir() if path.name not in LIB and path not in (triplet, stdlib))
    _remove(path for path in Path("/usr/share").iterdir() if path.name not in SHARE)
    _remove(path for path in Path("/usr/share/doc").rglob("*") if path.is_file() and path.name != "copyright")
    _remove(path for path in Path("/var/lib").iterdir() if path.name != "dpkg")
    _remove(path for path in Path("/var/lib/dpkg").iterdir() if not path.name.startswith("status"))
    _remove(path for name in UNUSED_STANDARD_LIBRARY for path in stdlib.glob(name))
    _remove(stdlib.rglob("__pycache__"))
    _remove(Path(name) for name in ("/usr/local/include", "/usr/local/share", "/usr/include", "/var/cache", "/var/log"))
    _remove(path for folder in ("/root", "/tmp", "/boot", "/media", "/srv") for path in Path(folder).glob("*"))
    for name in ("/var/cache", "/var/log"):
        Path(name).mkdir()
    home = Path("/var/lib/tonewright")
    home.mkdir(mode=0o700)
    os.chown(home, 10001, 10001)
    compileall.compile_dir(stdlib, quiet=2, workers=1, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)


def _commands() -> list[Path]:
    folders = {Path(os.path.realpath(name)) for name in ("/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin")}
    return [path for folder in folders for path in folder.iterdir()]


def _libraries(programs: Iterable[Path]) -> set[Path]:
    listing = subprocess.run(["ldd", *map(str, programs)], capture_output=True, text=True, check=False).stdout
    found = {
        Path(word) for line in listing.splitlines() for word in line.split() if word.startswith("/") and ":" not in word
    }
    return {Path(os.path.realpath(path)) for path in found}


def _stays(path: Path, libraries: set[Path]) -> bool:
    if path.is_dir() and not path.is_symlink():
        return path.name in LIBRARY_FOLDERS
    return Path(os.path.realpath(path)) in libraries or path.name.startswith(LIBRARIES)


def _remove(paths: Iterable[Path]) -> None:
    for path in list(paths):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
