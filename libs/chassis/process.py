"""How a process hears that it must end: signals, and the pipe that its parent holds."""

from __future__ import annotations

import asyncio
import os
import signal
import threading

from chassis.logs import get_logger

log = get_logger(__name__)


def stop_event(lifeline_fd: int | None, *, hard_after_s: float) -> asyncio.Event:
    """An event of the running loop, set by SIGTERM, SIGINT, or the end of the parent.

    Args:
        lifeline_fd: Read end of a pipe; it ends when the parent is gone, however it went.
        hard_after_s: How long after that the process is ended without further ado.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    interrupts = 0

    def ask() -> None:
        if not stop.is_set():
            stop.set()
            timer = threading.Timer(hard_after_s, _give_up)
            timer.daemon = True
            timer.start()

    def interrupt() -> None:
        nonlocal interrupts
        interrupts += 1
        if interrupts > 1:
            os._exit(130)
        ask()

    loop.add_signal_handler(signal.SIGTERM, ask)
    loop.add_signal_handler(signal.SIGINT, interrupt)
    if lifeline_fd is not None:

        def watch() -> None:
            try:
                while os.read(lifeline_fd, 1):
                    pass
            except OSError as error:
                log.warning("lifeline_unusable", error=str(error))
                return
            log.warning("parent_gone")
            try:
                loop.call_soon_threadsafe(ask)
            except RuntimeError:  # the loop has ended by itself
                return

        threading.Thread(target=watch, name="lifeline", daemon=True).start()
    return stop


def leave_within(seconds: float) -> None:
    """End the process soon although threads of it may still be busy."""
    timer = threading.Timer(seconds, os._exit, (0,))
    timer.daemon = True
    timer.start()


def _give_up() -> None:
    log.error("drain_took_too_long")
    os._exit(1)
