"""The child process: reads one file from stdin under limits and prints the summary or the refusal as JSON."""

from __future__ import annotations

import contextlib
import gc
import json
import resource
import sys
from dataclasses import asdict
from typing import Any

from services.prompt.alsfile.container import FileRefused, Limits
from services.prompt.alsfile.summary import summarize


def main() -> None:
    """Read the limits from the first argument and the file from stdin."""
    limits = Limits(**json.loads(sys.argv[1]))
    _confine(limits)
    gc.disable()  # the tree holds no cycles, and looking for them in a million elements takes seconds
    answer = json.dumps(_outcome(limits), separators=(",", ":"), allow_nan=False)
    if len(answer) > limits.summary_bytes:
        text = f"the summary of the Live Set would be larger than {limits.summary_bytes >> 10:,} KiB; split the set"
        answer = json.dumps({"reason": "LIVE_SET_TOO_LARGE", "text": text})
    sys.stdout.write(answer)


def arguments(limits: Limits) -> str:
    """The limits as the child's argument."""
    return json.dumps(asdict(limits))


def _outcome(limits: Limits) -> dict[str, Any]:
    try:
        return {"summary": summarize(sys.stdin.buffer, limits)}
    except FileRefused as refusal:
        return {"reason": refusal.reason, "text": refusal.text}
    except (MemoryError, RecursionError):
        return {
            "reason": "LIVE_SET_TOO_LARGE",
            "text": "the Live Set needs too much memory; split it or remove unused tracks",
        }


def _confine(limits: Limits) -> None:
    """Lower what the process may take; a platform that lacks a limit keeps the parent's timeout."""
    bounds = {
        "RLIMIT_AS": limits.memory_bytes,
        "RLIMIT_CPU": limits.seconds,
        "RLIMIT_CORE": 0,
        "RLIMIT_FSIZE": 0,
        "RLIMIT_NPROC": 0,
        "RLIMIT_NOFILE": 16,
    }
    for name, most in bounds.items():
        with contextlib.suppress(AttributeError, ValueError, OSError):
            resource.setrlimit(getattr(resource, name), (most, most))
