"""What the MusicGen fine-tuner at Replicate does with an archive, replayed on real files.

Written from the description of its pipeline alone (spec, steps 1 to 6 of the fine-tuner) and sharing nothing with the
emulator: it unpacks the archive, decodes and cuts the audio, walks the folder and reads the texts. Two things are left
out that change no file's name, length, rate or channels: which vocals Demucs takes out, and what its classifiers hear.
"""

from __future__ import annotations

import shutil
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile as sf

_CUT_RATE_HZ = 44_100
_SOLVER_RATE_HZ = 32_000


class RunFailed(Exception):
    """The trainer's run ends without a model."""


@dataclass(frozen=True, slots=True)
class TrainedFile:
    """A file that the trainer trains on, as it lies on its disk."""

    path: str
    duration_ms: int
    rate_hz: int
    channels: int
    caption: str


@dataclass(frozen=True, slots=True)
class Inputs:
    """Those inputs that preparation looks at, under the trainer's own names."""

    auto_labeling: bool = True
    drop_vocals: bool = True
    one_same_description: str | None = None
    model_version: str = "stereo-melody"
    batch_size: int = 16
    lr_scheduler: str = "cosine"


def prepare_and_start(archive: Path, work: Path, inputs: Inputs) -> list[TrainedFile]:
    """Everything up to the first step of training; the files by path.

    Raises:
        RunFailed: It ends before.
    """
    data = work / "train_data"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    _unpack(archive, data)
    for junk in (data / "__MACOSX", data / ".DS_Store"):
        if junk.is_dir():
            shutil.rmtree(junk)
        elif junk.exists():
            junk.unlink()
    _cut_top_level(data, drop_vocals=inputs.drop_vocals)
    listed = _labelled(data) if inputs.auto_labeling else _listed(data)
    if not listed:
        raise RunFailed("no audio")
    facts = {path: _probe(path) for path in listed}
    captions = _captions(data, inputs.one_same_description)
    if max(rate_hz for _, rate_hz, _ in facts.values()) < _SOLVER_RATE_HZ:
        raise RunFailed("the highest sample rate is below the solver's")
    _start(inputs)
    return [TrainedFile(str(path.relative_to(data)), *facts[path], captions.get(path, "")) for path in sorted(listed)]


def _unpack(archive: Path, data: Path) -> None:
    match archive.name.rsplit(".", 1)[-1]:
        case "zip":
            _unzip(archive, data)
        case "tar" | "gz" | "tgz":
            try:
                with tarfile.open(archive) as tar:
                    tar.extractall(data, filter="data")
            except tarfile.TarError:
                return  # the exit status of tar is not looked at
        case "wav" | "mp3" | "flac" | "mp4":
            shutil.copy(archive, data / archive.name)
        case kind:
            raise RunFailed(f"not an archive: {kind}")


def _unzip(archive: Path, data: Path) -> None:
    with zipfile.ZipFile(archive) as zipped:
        for entry in zipped.infolist():
            target = data / entry.filename
            if entry.is_dir() or target.exists():  # unzip asks what to do, hears nothing, and skips the file
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(zipped.read(entry))


def _cut_top_level(data: Path, *, drop_vocals: bool) -> None:
    for path in sorted(data.iterdir()):
        name = path.name
        if not name.endswith((".mp3", ".wav", ".flac", ".mp4")):
            continue
        if name.endswith(".mp4"):
            raise RunFailed("the function for video does not exist")
        frames, rate_hz = _decode(path)
        length_ms = round(1000 * len(frames) / rate_hz)
        if length_ms <= 30_000:
            continue
        start_ms = 0
        while start_ms < length_ms:
            end_ms = min(start_ms + 30_000, length_ms)
            if end_ms - start_ms == 30_000 or end_ms - start_ms > 5_000:
                cut = frames[start_ms * rate_hz // 1000 : end_ms * rate_hz // 1000]
                made = _at_44100(cut, rate_hz)
                if drop_vocals:
                    stereo = made if made.shape[1] == 2 else np.repeat(made[:, :1], 2, axis=1)
                    piece = data / f"{name[:-4]}_chunk{start_ms // 1000}.wav"
                    sf.write(piece, stereo, _CUT_RATE_HZ, subtype="FLOAT", format="WAV")
                else:
                    piece = data / f"{name[:-4]}_chunk{start_ms // 1000}.wav"
                    sf.write(piece, made, _CUT_RATE_HZ, subtype="PCM_16", format="WAV")
            start_ms += 30_000
        path.unlink()


def _at_44100(frames: npt.NDArray[np.int16], rate_hz: int) -> npt.NDArray[np.int16]:
    # The nearest frame will do: nobody listens to it.
    count = round(len(frames) * _CUT_RATE_HZ / rate_hz)
    nearest = np.minimum((np.arange(count) * rate_hz) // _CUT_RATE_HZ, len(frames) - 1)
    return frames[nearest]


def _decode(path: Path) -> tuple[npt.NDArray[np.int16], int]:
    try:
        frames, rate_hz = sf.read(path, dtype="int16", always_2d=True)
    except sf.LibsndfileError as error:
        raise RunFailed(f"{path.name} cannot be decoded") from error
    return frames, rate_hz


def _probe(path: Path) -> tuple[int, int, int]:
    try:
        info = sf.info(path)
    except sf.LibsndfileError as error:
        raise RunFailed(f"{path.name} cannot be decoded") from error
    return round(1000 * info.frames / info.samplerate), info.samplerate, info.channels


def _labelled(data: Path) -> list[Path]:
    return [path for pattern in ("*.mp3", "*.wav", "*.flac") for path in data.rglob(pattern) if path.is_file()]


def _listed(data: Path) -> list[Path]:
    suffixes = {".wav", ".mp3", ".flac", ".ogg", ".m4a"}
    return [path for path in data.rglob("*") if path.is_file() and path.suffix.lower() in suffixes]


def _captions(data: Path, one_same_description: str | None) -> dict[Path, str]:
    captions = {}
    for pattern in ("*.mp3", "*.wav"):
        for path in data.rglob(pattern):
            if one_same_description is not None:
                captions[path] = one_same_description
                continue
            own = path.with_name(path.stem + ".txt")
            whole = Path(str(path).rsplit("_chunk", 1)[0] + ".txt")
            if (text := own if own.exists() else whole).exists():
                with text.open(encoding="utf-8") as lines:
                    captions[path] = lines.readline().rstrip("\n")
    return captions


def _start(inputs: Inputs) -> None:
    batch_size = inputs.batch_size - inputs.batch_size % 8
    if inputs.model_version in ("melody", "stereo-melody", "medium", "stereo-medium"):
        batch_size = 8
    if batch_size < 1:
        raise RunFailed("a batch of no samples")
    if inputs.lr_scheduler == "exponential":
        raise RunFailed("gamma is not a number")
