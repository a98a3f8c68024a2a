"""Start the platform on PostgreSQL, RabbitMQ and S3: those that the environment names, or ones started here.

The servers end after the platform; they keep their state under the home folder.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType


def main() -> int:
    home = Path(os.environ.get("TONEWRIGHT_HOME", ".tonewright")).absolute()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    print("tonewright is starting PostgreSQL, RabbitMQ and S3", flush=True)
    # A session of its own: Ctrl-C must not reach the servers before the platform has drained. Its end of the pipe
    # closes with this process, however that ends.
    backends = subprocess.Popen(
        [sys.executable, "-m", "tools.backends", "up", "--home", str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        exports = _read_exports(backends)
        if exports is None:
            return 1
        return _run_platform(exports)
    finally:
        assert backends.stdin is not None
        backends.stdin.close()
        backends.wait(timeout=30)


def _read_exports(backends: subprocess.Popen[str]) -> dict[str, str] | None:
    assert backends.stdout is not None
    exports: dict[str, str] = {}
    for line in backends.stdout:
        if line.startswith("# ready"):
            return exports
        words = shlex.split(line)
        if len(words) == 2 and words[0] == "export":
            name, _, value = words[1].partition("=")
            exports[name] = value
    return None


def _run_platform(exports: dict[str, str]) -> int:
    environment = {**os.environ, **exports, "TONEWRIGHT_EXIT_WITH_PARENT": "1"}
    platform = subprocess.Popen([sys.executable, "-m", "services.launcher"], env=environment)

    def pass_on(number: int, frame: FrameType | None) -> None:
        platform.send_signal(number)

    # A terminal sends SIGINT to the platform as well; being asked twice does no harm.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, pass_on)
    parent = os.getppid()
    while True:
        try:
            return platform.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            if os.environ.get("TONEWRIGHT_EXIT_WITH_PARENT") == "1" and os.getppid() != parent:
                platform.send_signal(signal.SIGTERM)


if __name__ == "__main__":
    raise SystemExit(main())
