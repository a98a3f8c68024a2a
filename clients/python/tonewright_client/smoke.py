"""The shortest proof that a platform works: a clip of 3 seconds goes through the gateway, is separated and removed."""

from __future__ import annotations

import math
import sys
import tempfile
import time
import wave
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from tonewright_client.client import ArtistHandle, Tonewright
from tonewright_client.demo_material import write_piece
from tonewright_client.errors import ApiError
from tonewright_client.models import Asset, Separation

CLIP_S = 3.0
# Full scale is 1: 32-bit float keeps far more than this of 16-bit sound.
_TOLERANCE = 1e-3
_AUDIBLE = 1e-3
_FLOAT_FORMATS = (3, 0xFFFE)
OnStep = Callable[[str, str, float], None]


class SmokeFailed(Exception):
    """The platform answered, but with something else than it should."""


@dataclass
class _Made:
    artist: ArtistHandle
    assets: list[str] = field(default_factory=list)
    separations: list[str] = field(default_factory=list)


def smoke(client: Tonewright, *, on_step: OnStep) -> None:
    """Create an artist, upload a clip, separate it, check the stems; what was made is deleted, come what may.

    Args:
        client: The gateway and an operator's key, or one that may create artists.
        on_step: Called after each step with its name, its result and its seconds.

    Raises:
        SmokeFailed: The stems are not what they should be.
        ApiError: The gateway refused a step.
    """
    step = _Steps(on_step)
    artist = step("create an artist", lambda: client.create_artist("Smoke test"), lambda one: one.name)
    made = _Made(artist)
    try:
        with tempfile.TemporaryDirectory() as place:
            _separate(made, Path(place), step)
    finally:
        step("delete what was made", lambda: _delete(made), lambda left: ", ".join(left) or "nothing is left")


def _separate(made: _Made, folder: Path, step: _Steps) -> None:
    artist = made.artist
    clip = write_clip(folder / "clip.wav")
    asset: Asset = step("upload 3 seconds", lambda: artist.assets.upload(clip), lambda one: one["name"])
    made.assets.append(asset["name"])
    operation = artist.separations.start(asset["name"], output_format="WAV_FLOAT")
    finished = step(
        "separate", lambda: artist.operations.wait(operation), lambda one: f"{one['engine']}, model {one['model']}"
    )
    separation = cast(Separation, finished)
    made.separations.append(separation["name"])
    made.assets += [stem["asset"] for stem in separation["stems"]]
    step("check the stems", lambda: _check(artist, separation, clip, folder), str)


def _check(artist: ArtistHandle, separation: Separation, clip: Path, folder: Path) -> str:
    source = _pcm16(clip)
    total = array("d", bytes(8 * len(source)))
    loudest = 0.0
    names = [stem["stem"] for stem in separation["stems"]]
    for stem in separation["stems"]:
        path = artist.assets.download(stem["asset"], folder / f"{stem['stem']}.wav")
        samples = read_float_wav(path.read_bytes())
        if len(samples) != len(source):
            raise SmokeFailed(f"stem {stem['stem']} has {len(samples)} samples, the source {len(source)}")
        total = array("d", map(float.__add__, total, samples))
        loudest = max(loudest, *map(abs, samples))
    if loudest < _AUDIBLE:
        raise SmokeFailed(f"the stems {', '.join(names)} are silent")
    frames = len(source) // 2
    if separation["engine"] != "stub":
        return f"{len(names)} stems of {frames} frames, peak {loudest:.2f}"
    gain = 10 ** (separation["output_gain_db"] / 20)
    worst = max(abs(mixed - gain * was) for mixed, was in zip(total, source, strict=True))
    if worst > _TOLERANCE:
        raise SmokeFailed(f"the stems' sum differs from the source by up to {worst:.4f} of full scale")
    return f"{len(names)} stems of {frames} frames; their sum is the source to {worst:.1e}"


def _delete(made: _Made) -> list[str]:
    artist, left = made.artist, []
    removals: list[tuple[str, Callable[[], Any]]] = [
        *((name, lambda name=name: artist.separations.delete(name)) for name in made.separations),
        *((name, lambda name=name: artist.assets.delete(name)) for name in made.assets),
        (artist.name, artist.delete),
    ]
    for name, remove in removals:
        try:
            remove()
        except ApiError as refused:
            if refused.status != 404:
                left.append(f"{name} stays: {refused.reason}")
    return left


def write_clip(path: Path) -> Path:
    """A WAV file of 3 seconds: the beginning of the demo's piece."""
    with wave.open(str(write_piece(path, bars=math.ceil(CLIP_S / 2)))) as piece:
        facts = piece.getparams()
        data = piece.readframes(int(CLIP_S * facts.framerate))
    with wave.open(str(path), "wb") as clip:
        clip.setparams(facts)
        clip.writeframes(data)
    return path


def read_float_wav(data: bytes) -> array[float]:
    """The interleaved samples of a WAV file of 32-bit float, which the standard library does not read.

    Raises:
        SmokeFailed: It is not such a file.
    """
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise SmokeFailed("a stem is not a WAV file")
    at, is_float = 12, False
    while at + 8 <= len(data):
        kind, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        body = data[at + 8 : at + 8 + size]
        if kind == b"fmt ":
            is_float = int.from_bytes(body[:2], "little") in _FLOAT_FORMATS and body[14:16] == b"\x20\x00"
        if kind == b"data" and is_float:
            samples = array("f", body[: len(body) // 4 * 4])
            if sys.byteorder == "big":
                samples.byteswap()
            return samples
        at += 8 + size + size % 2
    raise SmokeFailed("a stem has no samples of 32-bit float")


def _pcm16(path: Path) -> array[float]:
    with wave.open(str(path)) as file:
        samples = array("h", file.readframes(file.getnframes()))
    return array("d", (sample / 32_768 for sample in samples))


class _Steps:
    """Runs steps and tells of each what came out and how long it took."""

    def __init__(self, on_step: OnStep) -> None:
        self._on_step = on_step

    def __call__(self, name: str, do: Callable[[], Any], result: Callable[[Any], str]) -> Any:
        start = time.monotonic()
        given = do()
        self._on_step(name, result(given), time.monotonic() - start)
        return given
