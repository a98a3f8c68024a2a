"""The settings of this machine's pip, in the form that an image build takes them: nothing of them stays in an image."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_PASSED = {"index-url", "extra-index-url", "find-links", "trusted-host", "timeout", "retries", "proxy", "no-index"}
# Where the Dockerfiles mount what comes from outside.
_WHEELS, _AUTHORITIES = "/run/wheels", "/run/secrets/ca"


@dataclass(slots=True)
class PipSettings:
    """A pip.conf for the build, the certificates it names, and a folder of wheels."""

    text: str
    authorities: Path | None = None
    wheels: Path | None = None
    _folder: tempfile.TemporaryDirectory[str] | None = None

    @classmethod
    def of_this_machine(cls) -> PipSettings:
        """What `pip config list` says here: files and environment together."""
        listed = subprocess.run(
            [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
        )
        if listed.returncode:
            # Debian's Python has no pip, but brings one for virtual environments.
            with tempfile.TemporaryDirectory() as folder:
                subprocess.run([sys.executable, "-m", "venv", folder], capture_output=True, check=True)
                words = [f"{folder}/bin/pip", "config", "list"]
                listed = subprocess.run(words, capture_output=True, text=True, check=True)
        return cls.of(parse(listed.stdout))

    @classmethod
    def of(cls, settings: Mapping[str, str]) -> PipSettings:
        """Local folders become a mount each or are left out; everything else stays."""
        lines, authorities, wheels = ["[global]"], None, None
        if Path(settings.get("cert", "")).is_file():
            authorities = Path(settings["cert"])
            lines.append(f"cert = {_AUTHORITIES}")
        for name in sorted(_PASSED & settings.keys()):
            values = settings[name].split()
            if name == "find-links":
                local = [
                    Path(value.removeprefix("file://"))
                    for value in values
                    if "://" not in value.removeprefix("file://")
                ]
                wheels = next((path for path in local if path.is_dir()), None)
                values = [value for value in values if value.startswith("http")] + [_WHEELS] * (wheels is not None)
            values = [value for value in values if not value.startswith("file:")]
            if values:
                lines.append(f"{name} = {' '.join(values)}")
        return cls("\n".join(lines) + "\n", authorities, wheels)

    @property
    def file(self) -> Path:
        """The pip.conf; there while these settings are entered."""
        assert self._folder is not None
        return Path(self._folder.name) / "pip.conf"

    def __enter__(self) -> PipSettings:
        self._folder = tempfile.TemporaryDirectory()  # readable by its owner alone: an index may have a password in it
        self.file.write_text(self.text)
        return self

    def __exit__(self, *error: object) -> None:
        assert self._folder is not None
        self._folder.cleanup()


def parse(listed: str) -> dict[str, str]:
    """Names to values of `pip config list`; the environment wins over files, `install` over `global`."""
    found: dict[str, str] = {}
    for section in ("global", "install", ":env:"):
        for name, value in re.findall(rf"^{section}\.([\w-]+)='(.*)'$", listed, re.MULTILINE):
            found["timeout" if name == "default-timeout" else name] = value.replace("\\n", " ")
    return found
