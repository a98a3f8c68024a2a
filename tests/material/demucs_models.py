"""Tiny networks of the Demucs kind with random weights, saved as the published ones are; needs torch and demucs."""

from __future__ import annotations

import json
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from demucs.apply import BagOfModels, apply_model
from demucs.htdemucs import HTDemucs
from safetensors.torch import save_file

from services.stems.demucs.engine import DemucsEngine
from services.stems.domain import Block, Parameters, Priority, Recording, Task

# Networks as small as these only lose by more threads.
torch.set_num_threads(1)

Float32 = npt.NDArray[np.float32]
SOURCES = ("drums", "bass", "other", "vocals")
RATE_HZ = 44100
SEGMENT = 10_749  # frames of a window: 39/160 s
SMALL: dict[str, Any] = {
    "sources": list(SOURCES),
    "channels": 4,
    "dconv_comp": 2,
    "t_layers": 1,
    "t_heads": 2,
    "bottom_channels": 16,
    "samplerate": RATE_HZ,
    "segment": Fraction(39, 160),
}


def small_network(seed: int = 0) -> HTDemucs:
    """A network whose windows are SEGMENT frames."""
    torch.manual_seed(seed)
    network: HTDemucs = HTDemucs(**SMALL).eval()
    return network


def plain(settings: dict[str, Any]) -> dict[str, Any]:
    """A network's arguments as JSON has them."""
    segment = settings["segment"]
    fraction = {"_type": "fraction", "numerator": segment.numerator, "denominator": segment.denominator}
    return {**settings, "segment": fraction}


def save_published(folder: Path, signature: str = "tiny", seed: int = 0) -> HTDemucs:
    """Save it as safetensors with its arguments in the metadata."""
    network = small_network(seed)
    metadata = {"klass": "demucs.htdemucs.HTDemucs", "args": "[]", "kwargs": json.dumps(plain(SMALL))}
    save_file(network.state_dict(), folder / f"{signature}.safetensors", metadata=metadata)
    return network


def save_package(folder: Path, signature: str = "tiny-0a1b2c3d") -> HTDemucs:
    """Save it as a Demucs package."""
    network = small_network()
    package = {"klass": HTDemucs, "args": (), "kwargs": SMALL, "state": network.state_dict(), "training_args": {}}
    torch.save(package, folder / f"{signature}.th")
    return network


def save_plain(folder: Path) -> HTDemucs:
    """Save it as a plain state with its arguments beside it."""
    network = small_network()
    torch.save(network.state_dict(), folder / "tiny.th")
    (folder / "tiny.json").write_text(json.dumps({"class": "HTDemucs", "kwargs": plain(SMALL)}))
    return network


def mix_file(path: Path, frames: Float32, rate_hz: int = RATE_HZ) -> Recording:
    """The frames, (n_frames, n_channels), as a decoded mix."""
    frames.tofile(path)
    return Recording(path, rate_hz, frames.shape[1], len(frames))


def noise(frame_count: int, channels: int = 2, offset: float = 0.0, seed: int = 5) -> Float32:
    """Loud noise, with a constant added."""
    made = np.random.default_rng(seed).standard_normal((frame_count, channels)) * 0.2 + offset
    return made.astype(np.float32)


def task(
    engine: DemucsEngine,
    mix: Recording,
    parameters: Parameters = Parameters(),
    *,
    sources: tuple[str, ...] = SOURCES,
    priority: Priority = Priority.BATCH,
) -> Task:
    """The mix for the engine's first model."""
    model = next(iter(engine._mounted.values())).model
    return Task(mix, model, sources, parameters, priority, mix.path.parent)


def blocks(engine: DemucsEngine, given: Task) -> list[Block]:
    """What the engine gives, empty blocks left out."""
    with closing(engine.separate(given)) as made:  # type: ignore[type-var]
        return [block for block in made if block]


def separated(engine: DemucsEngine, given: Task) -> dict[str, Float32]:
    """The engine's sources as whole tracks."""
    made = blocks(engine, given)
    return {name: np.concatenate([block[name] for block in made]) for name in given.sources}


def by_demucs(network: HTDemucs | BagOfModels, frames: Float32, **options: Any) -> dict[str, Float32]:
    """What the demucs package gives, the mix's mean added once."""
    wav = torch.from_numpy(frames.T.copy())
    ref = wav.mean(0)
    mean, deviation = ref.mean(), ref.std(correction=min(1, len(frames) - 1)) + 1e-8
    out = apply_model(network, ((wav - mean) / deviation)[None], **options)[0] * deviation
    out[SOURCES.index("other")] += mean
    return {name: out[index].T.numpy() for index, name in enumerate(SOURCES)}


def furthest(ours: Block, theirs: Block) -> float:
    """The largest difference of a sample."""
    return max(float(np.abs(ours[name] - theirs[name]).max()) for name in ours)
