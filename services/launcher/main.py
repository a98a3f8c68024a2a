"""Start the platform, say when it is ready, keep it up until asked to stop."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

import httpx2

from services.launcher.home import HomeInUseError, ensure_api_key, ensure_signing_keys, locked
from services.launcher.settings import SERVICES, LauncherSettings
from services.launcher.supervisor import GaveUpError, PortTakenError, Supervisor

READY_WITHIN_S = 120.0
TEND_EVERY_S = 0.2


class _Stop:
    """Set by the signals that end the platform."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True


def main() -> int:
    """Run until stopped; 0 after a clean stop, 1 when the platform cannot start or stay up."""
    parser = argparse.ArgumentParser(prog="tonewright up", description="Start every process of tonewright here.")
    parser.add_argument("--home", type=Path, help="state folder (default: $TONEWRIGHT_HOME or .tonewright)")
    settings = LauncherSettings.read(parser.parse_args().home)
    stop = _Stop()
    try:
        with locked(settings.home):
            return _run(settings, stop)
    except (HomeInUseError, PortTakenError) as refused:
        print(f"tonewright: {refused}", file=sys.stderr)
        return 1


def _run(settings: LauncherSettings, stop: _Stop) -> int:
    ensure_signing_keys(settings.home, SERVICES)
    key_file, is_new = ensure_api_key(settings.home)
    supervisor = Supervisor(settings)
    parent = os.getppid()
    try:
        supervisor.start()
        print(f"tonewright is starting; logs are in {supervisor.logs}", flush=True)
        ready_by: float | None = time.monotonic() + READY_WITHIN_S
        while not stop.asked and not (settings.exit_with_parent and os.getppid() != parent):
            for name in supervisor.tend():
                print(f"tonewright: {name} fell and was started again:\n{supervisor.last_lines(name)}", file=sys.stderr)
            if ready_by is not None:
                is_ready, said = _readiness(settings)
                if is_ready:
                    _greet(settings, key_file, is_new=is_new)
                    ready_by = None
                elif time.monotonic() > ready_by:
                    print(f"tonewright: not ready after {READY_WITHIN_S:.0f} s: {said}", file=sys.stderr)
                    ready_by += READY_WITHIN_S
            time.sleep(TEND_EVERY_S)
    except GaveUpError as fault:
        print(f"tonewright: {fault}", file=sys.stderr)
        return 1
    finally:
        print("tonewright is stopping", flush=True)
        supervisor.stop()
    return 0


def _readiness(settings: LauncherSettings) -> tuple[bool, str]:
    """Whether the platform is ready, and what the gateway says of it."""
    try:
        answer = httpx2.get(f"{settings.gateway_url()}/readyz", timeout=2.0, trust_env=False)
    except httpx2.HTTPError as fault:
        return False, f"the gateway does not answer ({fault})"
    return answer.status_code == 200, answer.text


def _greet(settings: LauncherSettings, key_file: Path, *, is_new: bool) -> None:
    url = settings.gateway_url()
    print(f"tonewright is ready at {url}")
    print(f"API key: {key_file.read_text().strip()}")
    print(f"  ({'made just now' if is_new else 'the one from before'}; kept in {key_file}, readable by you alone)")
    if settings.has_standin:
        print("Trainings run on a stand-in that plays tones; set TONEWRIGHT_DATASETS_REPLICATE_TOKEN for Replicate")
    print(f'Try: curl -H "Authorization: Bearer $(cat {key_file})" {url}/v1/me')
    print(
        f"Reference: {url}/docs    Walk through everything: make demo, or tonewright demo SONG.wav SET.als", flush=True
    )
