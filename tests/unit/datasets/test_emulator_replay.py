"""The emulator against a replay of the trainer's preparation on real archives."""

import gzip
import io
import random
import tarfile
import wave
import zipfile
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from services.datasets.domain.emulator import Emulation, TrainerFile, emulate
from services.datasets.domain.training_parameters import TrainingParameters
from tests.material.trainer import Inputs, RunFailed, TrainedFile, prepare_and_start

LONG_S = 70.0
KINDS = {"ogg": ("OGG", "VORBIS"), "flac": ("FLAC", "PCM_16"), "mp3": ("MP3", "MPEG_LAYER_III")}
TEXT = "Warm pads over a steady beat. BPM: 95"


@dataclass(frozen=True)
class Sound:
    """Silence of a length, as a file."""

    kind: str
    duration_s: float
    rate_hz: int
    channels: int = 1
    width: int = 2

    @property
    def data(self) -> bytes:
        return made(self)


@cache
def made(sound: Sound) -> bytes:
    out = io.BytesIO()
    if sound.kind == "wav":
        with wave.open(out, "wb") as file:
            file.setnchannels(sound.channels)
            file.setsampwidth(sound.width)
            file.setframerate(sound.rate_hz)
            file.writeframes(bytes(round(sound.duration_s * sound.rate_hz) * sound.channels * sound.width))
        return out.getvalue()
    kind, subtype = KINDS[sound.kind]
    second = np.zeros((sound.rate_hz, 1), np.float32)
    with sf.SoundFile(out, "w", sound.rate_hz, 1, subtype, format=kind) as file:
        for _ in range(round(sound.duration_s)):  # one long block of Vorbis is too much for the encoder's stack
            file.write(second)
    return out.getvalue()


def wav(duration_s: float, *, rate_hz: int = 32_000, channels: int = 1, width: int = 2) -> Sound:
    return Sound("wav", duration_s, rate_hz, channels, width)


def encoded(kind: str, duration_s: float) -> Sound:
    return Sound(kind, duration_s, 44_100)


Files = list[tuple[str, bytes | Sound]]


@dataclass
class Case:
    """An archive with inputs, and what the spec says of it: trained paths with captions, or None where it crashes."""

    files: Files
    expected: dict[str, str] | None
    inputs: TrainingParameters = field(default_factory=TrainingParameters)
    archive: str = "dataset.zip"


LABEL, VOCALS = TrainingParameters(auto_labeling=True), TrainingParameters(drop_vocals=True)
SHORT, LONG = wav(10), wav(LONG_S)
CHUNKS = ("chunk0", "chunk30", "chunk60")


def txt(text: str = TEXT) -> bytes:
    return text.encode()


def cut(stem: str, caption: str = TEXT) -> dict[str, str]:
    return {f"{stem}_{chunk}.wav": caption for chunk in CHUNKS}


CASES: dict[str, Case] = {
    # The matrix of inputs, row by row.
    "mp3 at the root": Case([("a.mp3", encoded("mp3", 8)), ("a.txt", txt())], {"a.mp3": TEXT}),
    "long mp3 at the root": Case([("a.mp3", encoded("mp3", LONG_S)), ("a.txt", txt())], cut("a")),
    "nested mp3": Case([("dataset/a.mp3", encoded("mp3", 8)), ("dataset/a.txt", txt())], {"dataset/a.mp3": TEXT}),
    "wav at the root": Case([("a.wav", SHORT), ("a.txt", txt())], {"a.wav": TEXT}),
    "long wav at the root": Case([("a.wav", LONG), ("a.txt", txt())], cut("a")),
    "long wav at the root, labelled": Case([("a.wav", LONG), ("a.txt", txt())], cut("a"), LABEL),
    "nested long wav stays whole": Case([("dataset/a.wav", LONG), ("dataset/a.txt", txt())], {"dataset/a.wav": TEXT}),
    "short flac never has a caption": Case([("a.flac", encoded("flac", 8)), ("a.txt", txt())], {"a.flac": ""}),
    "long flac looks for name..txt": Case([("a.flac", encoded("flac", LONG_S)), ("a.txt", txt())], cut("a.", "")),
    "long flac finds name..txt": Case([("a.flac", encoded("flac", LONG_S)), ("a..txt", txt())], cut("a.")),
    "nested flac": Case([("d/a.flac", encoded("flac", 8)), ("d/a.txt", txt())], {"d/a.flac": ""}),
    "ogg without labels": Case([("a.ogg", encoded("ogg", 8)), ("a.txt", txt())], {"a.ogg": ""}),
    "long ogg stays whole": Case([("a.ogg", encoded("ogg", LONG_S)), ("a.txt", txt())], {"a.ogg": ""}),
    "ogg with labels is no audio": Case([("a.ogg", encoded("ogg", 8)), ("a.txt", txt())], None, LABEL),
    "ogg with labels beside a wav": Case([("a.ogg", encoded("ogg", 8)), ("b.wav", SHORT)], {"b.wav": ""}, LABEL),
    "m4a without labels": Case([("a.m4a", SHORT), ("a.txt", txt())], {"a.m4a": ""}),
    "m4a with labels is no audio": Case([("a.m4a", SHORT)], None, LABEL),
    "nested m4a": Case([("d/a.m4a", SHORT), ("d/a.txt", txt())], {"d/a.m4a": ""}),
    "upper case without labels": Case([("a.WAV", LONG), ("a.txt", txt())], {"a.WAV": ""}),
    "upper case with labels is no audio": Case([("a.MP3", encoded("mp3", 8)), ("a.txt", txt())], None, LABEL),
    "nested upper case with labels": Case([("d/a.WAV", SHORT), ("b.wav", SHORT)], {"b.wav": ""}, LABEL),
    "aiff, opus and wma are ignored": Case(
        [("a.aif", SHORT), ("b.opus", SHORT), ("c.wma", SHORT), ("e.aiff", SHORT), ("d.wav", SHORT)], {"d.wav": ""}
    ),
    "mp4 at the root crashes": Case([("a.mp4", SHORT), ("b.wav", SHORT)], None),
    "nested mp4 is ignored": Case([("d/a.mp4", SHORT), ("b.wav", SHORT)], {"b.wav": ""}),
    "8 bit stereo": Case([("a.wav", wav(8, channels=2, width=1)), ("a.txt", txt())], {"a.wav": TEXT}),
    "24 bit at 96 kHz": Case([("a.wav", wav(8, rate_hz=96_000, width=3)), ("a.txt", txt())], {"a.wav": TEXT}),
    "32 bit at 48 kHz, cut": Case([("a.wav", wav(LONG_S, rate_hz=48_000, width=4)), ("a.txt", txt())], cut("a")),
    "low rate crashes": Case([("a.wav", wav(8, rate_hz=22_050)), ("a.txt", txt())], None),
    "low rate passes when something is cut": Case(
        [("a.wav", wav(8, rate_hz=22_050)), ("b.wav", wav(LONG_S, rate_hz=8_000))], {"a.wav": "", **cut("b", "")}
    ),
    "nested low rate crashes however long": Case([("d/a.wav", wav(LONG_S, rate_hz=8_000))], None),
    "odd names": Case(
        [("Ночь (mix 2).wav", SHORT), ("Ночь (mix 2).txt", txt()), ("東京 1.wav", LONG), ("東京 1.txt", txt())],
        {"Ночь (mix 2).wav": TEXT, **cut("東京 1")},
    ),
    # Captions.
    "byte order mark": Case([("a.wav", SHORT), ("a.txt", b"\xef\xbb\xbf" + txt())], {"a.wav": "\ufeff" + TEXT}),
    "two lines": Case([("a.wav", SHORT), ("a.txt", txt(f"{TEXT}\nMore. BPM: 2"))], {"a.wav": TEXT}),
    "two lines of another system": Case([("a.wav", SHORT), ("a.txt", txt(f"{TEXT}\r\nMore"))], {"a.wav": TEXT}),
    "empty first line": Case([("a.wav", SHORT), ("a.txt", txt(f"\n{TEXT}"))], {"a.wav": ""}),
    "empty text": Case([("a.wav", SHORT), ("a.txt", b"")], {"a.wav": ""}),
    "missing text": Case([("a.wav", SHORT)], {"a.wav": ""}),
    "name.wav.txt": Case([("a.wav", SHORT), ("a.wav.txt", txt())], {"a.wav": TEXT}),
    "name.wav.txt of a cut file": Case([("a.wav", LONG), ("a.wav.txt", txt())], cut("a", "")),
    "name.txt before name.wav.txt": Case(
        [("a.wav", SHORT), ("a.txt", txt()), ("a.wav.txt", txt("Other"))], {"a.wav": TEXT}
    ),
    "_chunk in a name": Case([("foo_chunk_x.wav", SHORT), ("foo.txt", txt())], {"foo_chunk_x.wav": TEXT}),
    "_chunk in the name of a long file": Case([("foo_chunk_x.wav", LONG), ("foo.txt", txt())], cut("foo_chunk_x", "")),
    "_chunk in a folder's name": Case([("my_chunks/a.wav", SHORT), ("my.txt", txt())], {"my_chunks/a.wav": TEXT}),
    "a text for one piece": Case(
        [("a.wav", LONG), ("a.txt", txt()), ("a_chunk30.txt", txt("Bridge. BPM: 95"))],
        {**cut("a"), "a_chunk30.wav": "Bridge. BPM: 95"},
    ),
    "same stem twice": Case([("a.mp3", encoded("mp3", LONG_S)), ("a.wav", wav(40)), ("a.txt", txt())], cut("a")),
    "same stem twice, short": Case(
        [("a.mp3", encoded("mp3", 8)), ("a.wav", SHORT), ("a.txt", txt())], {"a.mp3": TEXT, "a.wav": TEXT}
    ),
    "a piece over a file": Case([("a.wav", LONG), ("a.txt", txt()), ("a_chunk0.wav", SHORT)], cut("a")),
    "one description": Case(
        [("a.wav", SHORT), ("a.txt", txt()), ("b.flac", encoded("flac", 8))],
        {"a.wav": "All alike", "b.flac": ""},
        TrainingParameters(one_same_description="All alike"),
    ),
    "one description for a long flac": Case(
        [("b.flac", encoded("flac", LONG_S))], cut("b.", "All"), TrainingParameters(one_same_description="All")
    ),
    "empty description wipes all": Case(
        [("a.wav", SHORT), ("a.txt", txt())], {"a.wav": ""}, TrainingParameters(one_same_description="")
    ),
    # Vocals, junk, and archives.
    "vocals out of pieces": Case([("a.wav", LONG), ("a.txt", txt())], cut("a"), VOCALS),
    "vocals stay in short files": Case([("a.wav", SHORT), ("a.txt", txt())], {"a.wav": TEXT}, VOCALS),
    "vocals stay in nested files": Case([("d/a.wav", LONG), ("d/a.txt", txt())], {"d/a.wav": TEXT}, VOCALS),
    "junk at the root": Case([("__MACOSX/._a.wav", b"\0\5"), (".DS_Store", b"x"), ("a.wav", SHORT)], {"a.wav": ""}),
    "nested ._ file crashes": Case([("d/._a.wav", b"\0\5"), ("d/a.wav", SHORT)], None),
    "nested ._ file in __MACOSX crashes": Case([("d/__MACOSX/._a.mp3", b"\0\5"), ("d/a.wav", SHORT)], None),
    "._ file at the root crashes": Case([("._a.wav", b"\0\5"), ("a.wav", SHORT)], None),
    "broken audio crashes": Case([("b.wav", b"RIFF?"), ("a.wav", SHORT)], None),
    "no audio": Case([("a.txt", txt())], None),
    "same path twice keeps the first": Case(
        [("a.wav", SHORT), ("a.txt", txt()), ("a.wav", LONG), ("a.txt", txt("Other"))], {"a.wav": TEXT}
    ),
    ".ZIP": Case([("a.wav", SHORT)], None, archive="dataset.ZIP"),
    "tar": Case([("a.wav", SHORT), ("a.txt", txt())], {"a.wav": TEXT}, archive="dataset.tar"),
    "tar.gz": Case([("a.wav", SHORT), ("a.txt", txt())], {"a.wav": TEXT}, archive="dataset.tar.gz"),
    "tgz": Case([("a.wav", LONG), ("a.txt", txt())], cut("a"), archive="dataset.tgz"),
    "plain gz": Case([("a.wav", SHORT)], None, archive="dataset.gz"),
    "no suffix": Case([("a.wav", SHORT)], None, archive="dataset"),
    "one file alone": Case([("song.wav", LONG)], cut("song", ""), archive="song.wav"),
    "a dot in the name": Case([("a.wav", SHORT)], {"a.wav": ""}, archive="my.set.zip"),
    # Inputs.
    "a batch below 8": Case([("a.wav", SHORT)], None, TrainingParameters(model_version="small", batch_size=4)),
    "a batch below 8 where 8 is forced": Case([("a.wav", SHORT)], {"a.wav": ""}, TrainingParameters(batch_size=4)),
    "exponential": Case([("a.wav", SHORT)], None, TrainingParameters(learning_rate_scheduler="exponential")),
}


@pytest.mark.parametrize("name", CASES)
def test_the_emulator_foretells_what_the_trainer_does(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    archive = packed(tmp_path / case.archive, case.files)

    done = replayed(archive, tmp_path, case.inputs)
    told = emulate(facts(case.files), case.inputs, archive_name=case.archive)

    assert (done is None, crashes(told)) == (case.expected is None, case.expected is None)
    assert foretold(told) == done or done is None
    assert done is None or {file.path: file.caption for file in done} == case.expected


@pytest.mark.parametrize(
    ("seconds", "count"),
    [(4, 1), (30, 1), (30.001, 1), (34.9, 1), (35.0, 1), (35.001, 2), (64.9, 2), (65.1, 3), (180, 6), (214.3, 7)],
)
def test_lengths_give_the_pieces_of_the_trainer(seconds: float, count: int, tmp_path: Path) -> None:
    files: Files = [("a.wav", wav(seconds, rate_hz=32_000, width=1)), ("a.txt", txt())]

    done = replayed(packed(tmp_path / "dataset.zip", files), tmp_path, TrainingParameters())
    told = emulate(facts(files), TrainingParameters())

    assert (len(done or ()), told.chunk_count) == (count, count)
    assert foretold(told) == done


def drawn(rng: random.Random) -> Files:
    """Files with names, lengths, rates and texts that meet each other in odd ways; in the order of their paths."""
    stems = ["a", "b", "a_chunk0", "a_chunk30", "a.b", "b_chunk_x", "a.", "._a", "a.wav", "c d"]
    suffixes = [".wav", ".wav", ".flac", ".ogg", ".WAV", ".m4a", ".aif", ".txt", ".txt", ".json"]
    sounds = [wav(2), wav(31, rate_hz=8_000, width=1), wav(66, rate_hz=44_100, channels=2, width=1), wav(36)]
    paths = {
        rng.choice(["", "", "", "d/", "a_chunks/", "__MACOSX/"]) + rng.choice(stems) + rng.choice(suffixes)
        for _ in range(rng.randint(1, 9))
    }
    files: Files = []
    for path in sorted(paths):
        if path.endswith(".txt"):
            files.append((path, rng.choice([txt(path), b"", txt(f"{path}\nsecond")])))
        else:
            is_broken = rng.random() < 0.05 or path.endswith(".json")
            files.append((path, b"?" if is_broken else rng.choice(sounds)))
    return files


def drawn_parameters(rng: random.Random) -> TrainingParameters:
    return TrainingParameters(
        auto_labeling=rng.random() < 0.3,
        drop_vocals=rng.random() < 0.3,
        one_same_description=rng.choice([None, None, None, "All alike"]),
    )


@pytest.mark.parametrize("seed", [*range(4), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(4, 44))])
def test_random_archives_are_foretold(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    outcomes = set()
    for number in range(20):
        files, parameters = drawn(rng), drawn_parameters(rng)

        done = replayed(packed(tmp_path / "dataset.zip", files), tmp_path / str(number), parameters)
        told = emulate(facts(files), parameters)

        assert crashes(told) == (done is None), files
        assert done is None or foretold(told) == done, files
        outcomes.add(done is None)
    assert outcomes == {True, False}


def packed(path: Path, files: Files) -> Path:
    """The files as an archive of the kind that its name says."""
    if path.suffix in (".tar", ".gz", ".tgz"):
        return tarred(path, files)
    if path.name == files[0][0]:
        path.write_bytes(bytes_of(files[0][1]))
        return path
    has_repeats = len({name for name, _ in files}) < len(files)
    told = pytest.warns(UserWarning, match="Duplicate") if has_repeats else nullcontext()
    with zipfile.ZipFile(path, "w") as archive, told:
        for name, data in files:
            archive.writestr(name, bytes_of(data))
    return path


def tarred(path: Path, files: Files) -> Path:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in files:
            entry = tarfile.TarInfo(name)
            entry.size = len(bytes_of(data))
            archive.addfile(entry, io.BytesIO(bytes_of(data)))
    whole = out.getvalue()
    if path.name == "dataset.gz":
        whole = gzip.compress(b"one file and no tar")
    elif path.suffix in (".gz", ".tgz"):
        whole = gzip.compress(whole, compresslevel=1)
    path.write_bytes(whole)
    return path


def bytes_of(data: bytes | Sound) -> bytes:
    return data.data if isinstance(data, Sound) else data


def replayed(archive: Path, work: Path, parameters: TrainingParameters) -> list[TrainedFile] | None:
    inputs = Inputs(
        parameters.auto_labeling,
        parameters.drop_vocals,
        parameters.one_same_description,
        parameters.model_version,
        parameters.batch_size,
        parameters.learning_rate_scheduler,
    )
    try:
        return prepare_and_start(archive, work, inputs)
    except RunFailed:
        return None


def facts(files: Files) -> list[TrainerFile]:
    found = []
    for path, data in files:
        if path.endswith(".txt"):
            found.append(TrainerFile(path, text=bytes_of(data).decode()))
            continue
        if path.endswith(".json"):
            found.append(TrainerFile(path))
            continue
        try:
            info = sf.info(io.BytesIO(bytes_of(data)))
        except sf.LibsndfileError:
            found.append(TrainerFile(path))
        else:
            found.append(TrainerFile(path, info.frames / info.samplerate, info.samplerate, info.channels))
    return found


def foretold(emulation: Emulation) -> list[TrainedFile]:
    found = [
        TrainedFile(piece.name, round(piece.duration_s * 1000), piece.rate_hz, piece.channels, piece.caption)
        for item in emulation.items
        for piece in item.pieces
    ]
    return sorted(found, key=lambda file: file.path.split("/"))


def crashes(emulation: Emulation) -> bool:
    return not emulation.succeeds
