from __future__ import annotations

import subprocess
import sys

import pytest

from services.sessions.domain.errors import AudioUnreadable, UnsupportedMedia
from services.sessions.probe.prober import Bounds, ChildProber, ProbesBusy
from tests.material import audio


def measure(prober: ChildProber, data: bytes) -> float:
    with prober.scratch() as folder:
        (folder / "audio").write_bytes(data)
        return prober.measure(folder / "audio", folder / "peaks").peak


def test_a_child_measures_and_its_folder_is_gone_after() -> None:
    prober = ChildProber()
    with prober.scratch() as folder:
        (folder / "audio").write_bytes(audio.wav(0.5))
        found = prober.measure(folder / "audio", folder / "peaks")

    assert found.frames == 24_000
    assert not folder.exists()


def test_a_childs_refusal_arrives_as_the_domains_error() -> None:
    with pytest.raises(UnsupportedMedia, match="holds text"):
        measure(ChildProber(), b"text renamed to .wav")


def test_a_child_that_takes_too_much_memory_is_a_refusal() -> None:
    with pytest.raises(AudioUnreadable, match="bounds"):
        measure(ChildProber(Bounds(memory_bytes=64 << 20)), audio.wav(0.5))


def test_a_child_that_takes_too_long_is_a_refusal() -> None:
    with pytest.raises(AudioUnreadable, match="takes too long"):
        measure(ChildProber(Bounds(timeout_s=0)), audio.wav(0.5))


def test_what_a_child_loads_is_the_decoder_alone() -> None:
    # Imports are nearly all that measuring a short file costs.
    code = f"""
import sys
sys.path += {sys.path!r}
import audiofiles.child, services.sessions.probe.decode
print(*{{name.partition(".")[0] for name in sys.modules}})
"""

    listed = subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True, capture_output=True, text=True)

    loaded = set(listed.stdout.split())
    assert {"numpy", "soundfile"} < loaded
    assert loaded.isdisjoint({"chassis", "sphn", "pydantic", "scipy", "structlog", "grpc", "sqlalchemy"})


def test_a_file_that_finds_no_free_turn_is_told_to_come_back() -> None:
    with pytest.raises(ProbesBusy) as caught:
        measure(ChildProber(Bounds(at_once=0, queue_s=0)), audio.wav(0.5))

    assert caught.value.retry_after_s
