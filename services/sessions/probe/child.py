"""The process that decodes one file: it bounds itself first, then measures, then writes its answer beside the file.

    python -I -S child.py IMPORT_PATHS AUDIO PEAKS ANSWER MEMORY_BYTES CPU_S MAX_DURATION_S

It ends when its standard input does, so that it never outlives the service. Imports are most of what a short file
costs: it loads numpy, the decoder and the modules of this folder, nothing of the chassis.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
from pathlib import Path

# The waveform of the longest recording is a few megabytes.
_MAX_WRITTEN_BYTES = 64 << 20


def main(arguments: list[str]) -> None:
    """Measure one file and write the answer as JSON."""
    sys.path += arguments[0].split(os.pathsep)
    audio, peaks, answer = (Path(argument) for argument in arguments[1:4])
    memory_bytes, cpu_s, max_duration_s = (int(argument) for argument in arguments[4:7])
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _bound(memory_bytes, cpu_s)
    answer.write_text(json.dumps(_answer(audio, peaks, max_duration_s)))


def _answer(audio: Path, peaks: Path, max_duration_s: int) -> dict[str, object]:
    # Loaded within the bounds: the libraries read hostile bytes and count towards the memory.
    from services.sessions.probe.containers import check_container
    from services.sessions.probe.faults import Unfit

    try:
        media_type = check_container(audio)
        from services.sessions.probe.decode import measure

        return {"recording": {"media_type": media_type, **measure(audio, peaks, max_duration_s=max_duration_s)}}
    except Unfit as fault:
        return {"reason": fault.reason, "message": fault.message, "facts": fault.facts}


def _bound(memory_bytes: int, cpu_s: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_MAX_WRITTEN_BYTES, _MAX_WRITTEN_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))


def _end_with_parent() -> None:
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
