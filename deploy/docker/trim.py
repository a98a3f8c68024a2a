"""Cut an installation of packages down to what the images run, and compile what they import; run in a build stage.

`trim.py PREFIX NAME`: tests, headers, sources of extensions, debug symbols and the parts of big packages that no
service imports go. Bytecode is made for the modules of that name in modules.txt and for all that they import, not for
everything: that is a third of the size, and the images never write any themselves.
"""

from __future__ import annotations

import importlib
import py_compile
import shutil
import subprocess
import sys
from pathlib import Path

FOLDERS = [
    "**/tests", "**/__pycache__", "sqlalchemy/testing", "numpy/_pyinstaller", "torch/include",
    "torch/share", "caffe2", "functorch/test",
    *(f"sqlalchemy/dialects/{name}" for name in ("mssql", "mysql", "oracle")),
    "click_repl", "prompt_toolkit", "wcwidth",  # of Celery's own shell
]  # fmt: skip
FILES = [
    "**/*.pyi",
    "**/*.pyx",
    "**/*.pxd",
    "**/*.pxi",
    "**/*.c",
    "**/*.h",
    "**/*.cc",
    "**/*.cpp",
    "**/*.hpp",
    "**/*.a",
]
# Wheels that come with symbols for debuggers, 100 MB of them. Not all: strip breaks what auditwheel has moved about.
WITH_SYMBOLS = ["uvloop/*.so", "sqlalchemy/**/*.so", "cryptography/**/*.so", "sphn/*.so"]
# What stays of folders that otherwise go: the AWS services of S3 and of signing in, the lexers of a traceback.
ONLY = {
    "botocore/data": {"s3", "sts", "sso", "sso-oidc", "*.json"},
    "boto3/data": {"s3", "*.json"},
    "pygments/lexers": {"__init__.py", "_mapping.py", "python.py", "special.py", "data.py", "_builtins*"},
    "pygments/styles": {"__init__.py", "_mapping.py", "default.py", "monokai.py"},
}


def main(prefix: Path, name: str) -> None:
    """Trim `prefix`, then import the modules of the name from there to compile all that comes with them."""
    (site,) = prefix.glob("lib/python3*/site-packages")
    before = _size(site)
    for pattern in FOLDERS:
        for path in list(site.glob(pattern)):
            shutil.rmtree(path, ignore_errors=True)
    for pattern in FILES:
        for file in site.glob(pattern):
            file.unlink()
    for folder, kept in ONLY.items():
        for path in (site / folder).glob("*"):
            if not any(path.match(pattern) for pattern in kept):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    for pattern in WITH_SYMBOLS:
        for library in site.glob(pattern):
            subprocess.run(["strip", "--strip-unneeded", library], check=True)
    count = _compile(site, _modules(name))
    print(f"{prefix}: {before / 1e6:.0f} MB to {_size(site) / 1e6:.0f} MB, bytecode of {count} modules")


def _modules(name: str) -> list[str]:
    lines = Path(__file__).with_name("modules.txt").read_text("utf-8").splitlines()
    return [word for line in lines for word in line.split()[1:] if line.split()[0] == name]


def _compile(site: Path, modules: list[str]) -> int:
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(site))
    for module in modules:
        importlib.import_module(module)
    files = [Path(file) for module in list(sys.modules.values()) if (file := getattr(module, "__file__", None))]
    wanted = [file for file in files if file.is_relative_to(site) and file.suffix == ".py"]
    for file in wanted:
        # Never looked up against the source: the files do not change, and times may on their way into a layer.
        final = Path("/opt/tonewright") / file.relative_to(site.parents[2])
        mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
        py_compile.compile(str(file), dfile=str(final), doraise=True, invalidation_mode=mode)
    return len(wanted)


def _size(site: Path) -> int:
    return sum(path.lstat().st_size for path in site.rglob("*") if path.is_file())


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
