"""The `tonewright` command as people run it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner, Result

from tests.house import House
from tonewright_client.cli import app

COMMAND = Path(sys.executable).with_name("tonewright")


def environment(house: House, *, key: str = "ada", artist: str = "") -> dict[str, str]:
    """What a person's shell has; `key` is a principal or a key itself."""
    return {
        **house.environment(),
        "TONEWRIGHT_URL": house.url,
        "TONEWRIGHT_API_KEY": house.keys.get(key, key),
        "TONEWRIGHT_ARTIST": artist,
        "COLUMNS": "200",
    }


def run(house: House, *arguments: str, key: str = "ada", artist: str = "") -> subprocess.CompletedProcess[str]:
    """The command once it has ended."""
    known = environment(house, key=key, artist=artist)
    return subprocess.run(
        [str(COMMAND), *arguments], env=known, capture_output=True, text=True, timeout=120, check=False
    )


def start(house: House, *arguments: str, artist: str = "") -> subprocess.Popen[str]:
    """The command while it runs; it hears Ctrl-C also where the tests themselves do not, as jobs in the background."""
    known = environment(house, artist=artist)
    return subprocess.Popen(
        [str(COMMAND), *arguments],
        env=known,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def run_here(house: House, *arguments: str, artist: str = "") -> Result:
    """The command in the test's own process: a shell pays a second of imports for each."""
    return CliRunner().invoke(app, list(arguments), env=environment(house, artist=artist))
