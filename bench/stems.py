"""Stems: the demucs package and this engine on the same audio, model, device and precision, in one run.

    python -m bench.stems [--device cpu|cuda] [--seconds 60] [--precision auto|float32|mixed] [--rounds 3]

Both have a process of their own and take turns; the least of the rounds is shown. On the CPU that is CPU time, which
other work on the machine disturbs least. The weights are random, which changes no speed; the demucs package separates
several recordings one after another, as it does by itself.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from bench.report import Row, compared, publish
from bench.stems_contenders import MODEL, Contender, Figures, Job, Setup, least

RATE_HZ = 44100
PEER = "demucs package"
MODELS: dict[str, dict[str, Any]] = {
    # As the published htdemucs; the class's own defaults are another, smaller network.
    "released": {
        "bottom_channels": 512,
        "dconv_mode": 3,
        "t_layers": 5,
        "segment": Fraction(39, 5),
    },
    "small": {
        "channels": 8,
        "bottom_channels": 32,
        "dconv_mode": 3,
        "t_layers": 3,
        "t_heads": 2,
        "segment": Fraction(39, 20),
    },
}


@dataclass(frozen=True, slots=True)
class Measured:
    """The least figures of both, and what they made of the one track."""

    alone: dict[str, Figures]
    together: dict[str, Figures]
    unbatched: Figures
    error: float
    peaks: dict[str, dict[str, float]]


def main() -> None:
    chosen = _chosen()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        save_model(folder, chosen.model)
        setup = Setup(folder, chosen.device, chosen.precision, chosen.runtime, chosen.threads, chosen.tracks)
        measured = _measure(setup, folder, chosen)
    print(f"written to {publish(chosen.name, _rows(measured, chosen))}")


def _chosen() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N")
    parser.add_argument("--precision", default="auto", choices=("auto", "float32", "mixed"))
    parser.add_argument("--runtime", default="auto", choices=("auto", "torch", "openvino"), help="on the CPU")
    parser.add_argument("--model", default="released", choices=tuple(MODELS))
    parser.add_argument("--seconds", type=float, default=60, help="length of the one track")
    parser.add_argument("--tracks", type=int, default=8, help="how many at once")
    parser.add_argument("--track-seconds", type=float, help="length of each of these; 5.8 on the CPU, else --seconds")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1, help="on the CPU")
    parser.add_argument("--name", default="stems", help="of the file in bench/results")
    chosen = parser.parse_args()
    if chosen.track_seconds is None:
        chosen.track_seconds = 5.8 if chosen.device == "cpu" else chosen.seconds
    return chosen


def save_model(folder: Path, kind: str) -> None:
    """A network with random weights, saved as the published ones are."""
    import torch
    from demucs.htdemucs import HTDemucs
    from safetensors.torch import save_file

    kwargs = {"sources": ["drums", "bass", "other", "vocals"], **MODELS[kind]}
    torch.manual_seed(0)
    network: Any = HTDemucs(**kwargs)
    for name, scale in network.named_parameters():
        # New ones are near zero and would hide what the transformer and the residual branches do.
        if name.endswith(".scale"):
            torch.nn.init.uniform_(scale, -0.3, 0.3)
    metadata = {"klass": "demucs.htdemucs.HTDemucs", "args": "[]", "kwargs": json.dumps(kwargs, default=_plain)}
    save_file(network.state_dict(), folder / f"{MODEL}.safetensors", metadata=metadata)


def _plain(value: Fraction) -> dict[str, Any]:
    return {"_type": "fraction", "numerator": value.numerator, "denominator": value.denominator}


def save_mix(path: Path, seconds: float, seed: int) -> Path:
    """Tones that come and go over noise, in stereo."""
    draw = np.random.default_rng(seed)
    times = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    frames = draw.standard_normal((len(times), 2)) * 0.05
    for hz in draw.uniform(50, 5000, 12):
        swell = np.maximum(0, np.sin(2 * np.pi * draw.uniform(0.2, 3) * times + draw.uniform(0, 6)))
        frames += 0.08 * (np.sin(2 * np.pi * hz * times) * swell)[:, None] * draw.uniform(0.2, 1, 2)
    frames.astype(np.float32).tofile(path)
    return path


def _measure(setup: Setup, folder: Path, chosen: argparse.Namespace) -> Measured:
    one = save_mix(folder / "one.f32", chosen.seconds, 1)
    several = tuple(save_mix(folder / f"{n}.f32", chosen.track_seconds, n + 2) for n in range(chosen.tracks))
    contenders = {name: Contender(name, setup) for name in ("ours", PEER)}
    alone: dict[str, list[Figures]] = {name: [] for name in contenders}
    together: dict[str, list[Figures]] = {name: [] for name in contenders}
    unbatched = []
    for contender in contenders.values():
        contender.run(Job(several[:1]))
    for number in range(chosen.rounds):
        for name, contender in contenders.items():
            alone[name].append(contender.run(Job((one,), keep=folder / f"{name}.npy")))
            together[name].append(contender.run(Job(several)))
        if number == 0 or setup.device != "cpu":
            unbatched.append(contenders["ours"].run(Job(several, is_pinned=True)))
        print(f"round {number + 1}: {alone['ours'][-1]} {alone[PEER][-1]}", flush=True)
    mix = np.fromfile(one, np.float32)
    ours, theirs = (np.load(folder / f"{name}.npy") for name in contenders)
    error = float(np.abs(ours - theirs).max() / np.abs(mix).max())
    peaks = {name: dict(contender.close()) for name, contender in contenders.items()}
    return Measured(
        {name: least(runs) for name, runs in alone.items()},
        {name: least(runs) for name, runs in together.items()},
        least(unbatched),
        error,
        peaks,
    )


def _rows(measured: Measured, chosen: argparse.Namespace) -> list[Row]:
    on_cpu = chosen.device == "cpu"
    clock = "CPU time" if on_cpu else "wall time"

    def taken(figures: Figures) -> float:
        return figures.cpu_s if on_cpu else figures.wall_s

    ours, peer = measured.alone["ours"], measured.alone[PEER]
    ours_8, peer_8 = measured.together["ours"], measured.together[PEER]
    one, several = f"{chosen.seconds:g} s", f"{chosen.tracks} tracks of {chosen.track_seconds:g} s"
    length = chosen.tracks * chosen.track_seconds
    rows = [
        compared(f"{one}, {clock}", "s", taken(ours), taken(peer), PEER, better="lower"),
        compared(
            f"{one}, speed",
            f"s per s of {clock}",
            chosen.seconds / taken(ours),
            chosen.seconds / taken(peer),
            PEER,
            better="higher",
        ),
        compared(f"{one}, wall time", "s", ours.wall_s, peer.wall_s, PEER, better="lower"),
        compared(f"{one}, first chunk, wall time", "s", ours.first_s, peer.first_s, PEER, better="lower"),
        compared(f"{one}, first chunk", "% of own", 100 * ours.first_s / ours.wall_s, 100.0, PEER, better="lower"),
        compared(f"{several}, {clock}", "s", taken(ours_8), taken(peer_8), PEER, better="lower"),
        compared(
            f"{several}, speed",
            f"s per s of {clock}",
            length / taken(ours_8),
            length / taken(peer_8),
            PEER,
            better="higher",
        ),
        compared(f"{several}, first chunk, wall time", "s", ours_8.first_s, peer_8.first_s, PEER, better="lower"),
        compared(
            f"{several}, {clock}",
            "s",
            taken(ours_8),
            taken(measured.unbatched),
            "ours, one window at a time",
            better="lower",
        ),
        compared(
            f"{one}, furthest sample",
            "1e-6 of mix's peak",
            measured.error * 1e6,
            10.0,
            "bound in float32",
            better="lower",
        ),
    ]
    for place, mib in measured.peaks["ours"].items():
        rows.append(compared(f"peak memory, {place}", "MiB", mib, measured.peaks[PEER][place], PEER, better="lower"))
    return rows


if __name__ == "__main__":
    main()
