"""The process that reads one hostile file: it bounds itself first, then calls a function, then writes the answer.

    python -I -S child.py ORDER

ORDER is JSON: `paths` to import from, `call` as `module:function`, `arguments` by name, `answer` as the file to write
and `bounds`. It ends when its standard input does, so that it never outlives the service. Imports are most of what a
short file costs, so that nothing is loaded but what the function needs.
"""

from __future__ import annotations

import errno
import importlib
import json
import os
import resource
import sys
import threading
from pathlib import Path
from typing import Any


def main(text: str) -> None:
    """Do what the order says."""
    order = json.loads(text)
    sys.path += order["paths"]
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _bound(**order["bounds"])
    Path(order["answer"]).write_text(json.dumps(_answer(order["call"], order["arguments"])))


def _answer(call: str, arguments: dict[str, Any]) -> dict[str, object]:
    # Loaded within the bounds: the libraries read hostile bytes and count towards the memory.
    from audiofiles.faults import Unfit

    module, _, name = call.partition(":")
    try:
        return {"found": getattr(importlib.import_module(module), name)(**arguments)}
    except Unfit as fault:
        return {"reason": fault.reason, "message": fault.message, "facts": fault.facts}
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        return {"reason": "NO_SPACE", "message": "there is no room left for what is made of the file", "facts": {}}


def _bound(memory_bytes: int, timeout_s: int, written_bytes: int) -> None:
    # The first limit ends it by a signal that tells why, the second for certain.
    resource.setrlimit(resource.RLIMIT_CPU, (timeout_s, timeout_s + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (written_bytes, written_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))


def _end_with_parent() -> None:
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1])
