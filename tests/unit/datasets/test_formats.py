"""Every format, packed for real and read by the rules of its trainer."""

import dataclasses
import hashlib
import io
import tarfile
import wave
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from chassis.errors import FieldInvalid
from services.datasets.archive import lay_out
from services.datasets.domain import formats
from services.datasets.domain.emulator import emulate
from services.datasets.domain.exports import Entry, ExportFormat, ExportOptions
from services.datasets.domain.recipes import AudioMode, Piece
from services.datasets.domain.snapshots import SnapshotMember
from services.datasets.domain.training_parameters import TrainingParameters
from services.datasets.use_cases.emulation import planned_files
from tests.material import dataset_readers as readers
from tests.material.dataset_pieces import CAPTIONS, members, pieces
from tests.material.trainer import Inputs, TrainedFile, prepare_and_start

NORMALISED = ExportOptions(audio_mode=AudioMode.NORMALISED)
TEMPI = [95.0, 127.5, 72.0, 60.0]
KEYS = ["B minor", "F# Major", "", "D Dorian"]


def sound(piece: Piece) -> bytes:
    """Silence as long as the piece, one byte per frame where that is allowed."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(piece.channels)
        file.setsampwidth(2)
        file.setframerate(piece.rate_hz)
        file.writeframes(bytes(round(piece.duration_s * piece.rate_hz) * piece.channels * 2))
    return out.getvalue()


def unpacked(
    folder: Path, export_format: ExportFormat, options: ExportOptions = NORMALISED, *, is_real: bool = False
) -> Path:
    """An archive of the dataset, packed as exports pack it, and unpacked into the folder."""
    data = archive(export_format, options, is_real=is_real)
    folder.mkdir(exist_ok=True)
    if formats.archive_kind(export_format) is formats.ZIP:
        with zipfile.ZipFile(io.BytesIO(data)) as zipped:
            assert zipped.testzip() is None
            zipped.extractall(folder)
    return folder


def archive(export_format: ExportFormat, options: ExportOptions, *, is_real: bool = False) -> bytes:
    objects: dict[str, bytes] = {}
    made = []
    for piece in pieces(export_format, options):
        data = sound(piece) if is_real else f"{piece.member.item_uid}/{piece.index}".encode()
        objects[piece.object_key] = data
        digest = hashlib.sha256(data).hexdigest()
        made.append(dataclasses.replace(piece, size_bytes=len(data), crc32=zlib.crc32(data), sha256=digest))
    return packed(formats.layout(export_format, made, options, name="night-set"), export_format, objects)


def packed(entries: Sequence[Entry], export_format: ExportFormat, objects: dict[str, bytes]) -> bytes:
    found = lay_out(entries, suffix=formats.archive_kind(export_format).suffix)
    return b"".join(segment.inline or objects[segment.object_key] for segment in found.segments)


def told(heard: Sequence[readers.Heard]) -> list[tuple[str, float, str]]:
    return [(one.caption, one.bpm, one.key) for one in heard]


def test_audiocraft_reads_captions_tempi_and_keys(tmp_path: Path) -> None:
    found = readers.audiocraft(unpacked(tmp_path, ExportFormat.AUDIOCRAFT))

    assert told(found["train"]) == list(zip(CAPTIONS, TEMPI, [key.lower() for key in KEYS], strict=True))
    assert found["valid"] == found["train"]
    assert found["train"][0].extra["moods"] == ["slow", "melancholic", "deep"]
    assert found["train"][3].extra["instrument"] == "organ"
    assert "nova" not in found["train"][0].extra["artist"]


def test_audiocraft_never_validates_on_what_it_trains_on(tmp_path: Path) -> None:
    options = dataclasses.replace(NORMALISED, validation_share=0.5)

    found = readers.audiocraft(unpacked(tmp_path, ExportFormat.AUDIOCRAFT, options))

    assert {one.caption for one in found["train"] + found["valid"]} == set(CAPTIONS)
    assert not {one.caption for one in found["train"]} & {one.caption for one in found["valid"]}
    assert found["valid"] == found["evaluate"] == found["generate"] != []


@pytest.mark.parametrize("mode", AudioMode)
def test_audiofolder_reads_every_column(mode: AudioMode, tmp_path: Path) -> None:
    found = readers.audiofolder(unpacked(tmp_path, ExportFormat.HF_AUDIOFOLDER, ExportOptions(audio_mode=mode)))

    assert told(found["train"]) == list(zip(CAPTIONS, TEMPI, KEYS, strict=True))
    assert found["train"][2].extra["license"] == "all rights reserved"
    assert [one.extra["duration"] for one in found["train"]] == [72.5, 200.25, 31.0, 64.0]
    assert all(one.audio.exists() for one in found["train"])


def test_audiofolder_splits_by_song(tmp_path: Path) -> None:
    options = dataclasses.replace(NORMALISED, validation_share=0.25)

    found = readers.audiofolder(unpacked(tmp_path, ExportFormat.HF_AUDIOFOLDER, options))

    train, valid = ({one.audio.stem for one in found[split]} for split in ("train", "validation"))
    assert train | valid == {"track-0001", "track-0002", "track-0003", "track-0004"}
    assert valid
    assert ("track-0001" in train) == ("track-0004" in train)  # one Live Set


def test_acestep_v1_reads_tags_tempi_and_lyrics(tmp_path: Path) -> None:
    found = readers.acestep_v1(unpacked(tmp_path, ExportFormat.ACESTEP_V1))

    assert [one.bpm for one in found] == TEMPI
    assert found[1].extra["tags"][:3] == ["Nächtlicher Techno", "driving kick", "acid synthesizer"]
    assert {one.extra["lyrics"] for one in found} == {"[Instrumental]"}


def test_acestep_v1_keeps_the_tempo_when_tags_are_cut(tmp_path: Path) -> None:
    options = dataclasses.replace(NORMALISED, trigger="nova" * 25, suffix="x" * 100)

    found = readers.acestep_v1(unpacked(tmp_path, ExportFormat.ACESTEP_V1, options))

    assert [one.bpm for one in found] == TEMPI
    assert all(one.extra["tags"][0] == "nova" * 25 for one in found)
    assert {finding.reason for finding in formats.findings(ExportFormat.ACESTEP_V1, members(), options)} == {
        "CAPTION_CUT"
    }


def test_acestep_15_reads_fields_in_their_ranges_and_no_tempo_in_captions(tmp_path: Path) -> None:
    options = dataclasses.replace(NORMALISED, trigger="nova style")

    found = readers.acestep_15(unpacked(tmp_path, ExportFormat.ACESTEP_15, options))

    assert [one.bpm for one in found] == [95, 128, 72, 60]
    assert [one.key for one in found] == ["B minor", "F# major", "", ""]
    assert [one.extra["timesignature"] for one in found] == ["4", "6", "", ""]
    assert [one.caption for one in found] == [f"nova style, {text.rsplit(' BPM', 1)[0]}" for text in CAPTIONS]
    assert all(one.audio.exists() for one in found)


@pytest.mark.parametrize("mode", AudioMode)
def test_stable_audio_gets_prompts_from_its_module(mode: AudioMode, tmp_path: Path) -> None:
    found = readers.stable_audio(unpacked(tmp_path, ExportFormat.STABLE_AUDIO, ExportOptions(audio_mode=mode)))

    assert told(found) == list(zip(CAPTIONS, TEMPI, KEYS, strict=True))


def test_stable_audio_leaves_out_a_file_without_a_caption(tmp_path: Path) -> None:
    folder = unpacked(tmp_path, ExportFormat.STABLE_AUDIO)
    (folder / "audio" / "stray.wav").write_bytes(b"")

    assert len(readers.stable_audio(folder)) == len(CAPTIONS)


@pytest.mark.parametrize(
    "export_format", [ExportFormat.PAIRED_TEXT, ExportFormat.MUSICGEN_TRAINER, ExportFormat.REPLICATE_MUSICGEN]
)
def test_pairs_read_captions_with_trigger_and_suffix(export_format: ExportFormat, tmp_path: Path) -> None:
    options = dataclasses.replace(NORMALISED, trigger="nova style", suffix="tape")

    found = readers.pairs(unpacked(tmp_path, export_format, options))

    assert found[0].caption == CAPTIONS[0].replace("Dusty", "nova style Dusty").replace("BPM", "tape BPM")
    assert len(found) == len(CAPTIONS)
    assert all("_chunk" not in one.audio.name for one in found)


def test_dreambooth_gets_pieces_of_30_s_at_most_each_with_its_caption(tmp_path: Path) -> None:
    found = readers.audiofolder(unpacked(tmp_path, ExportFormat.MUSICGEN_DREAMBOOTH, ExportOptions()))
    entries = formats.layout(
        ExportFormat.MUSICGEN_DREAMBOOTH,
        pieces(ExportFormat.MUSICGEN_DREAMBOOTH, ExportOptions()),
        ExportOptions(),
    )

    lengths = [entry.duration_s for entry in entries if entry.object_key]
    assert lengths == [30, 30, 12.5, *[30] * 6, 20.25, 30, 30, 30]
    assert [one.caption for one in found["train"]] == [
        *[CAPTIONS[0]] * 3, *[CAPTIONS[1]] * 7, CAPTIONS[2], *[CAPTIONS[3]] * 2
    ]  # fmt: skip
    assert [entry.start_s for entry in entries if entry.training_item.endswith("item1")] == [0, 30, 60]


def test_webdataset_groups_audio_with_text_by_key() -> None:
    data = archive(ExportFormat.WEBDATASET, ExportOptions())

    found = readers.webdataset(data)

    assert tarfile.is_tarfile(io.BytesIO(data))
    assert [(facts["prompt"], facts["bpm"]) for _, facts in found] == list(zip(CAPTIONS, TEMPI, strict=True))
    assert [audio for audio, _ in found] == [b"item1/0", b"item2/0", b"item3/0", b"item4/0"]


@pytest.mark.parametrize(
    "options", [ExportOptions(), NORMALISED, ExportOptions(nested=True)], ids=["plain", "normalised", "nested"]
)
def test_the_trainer_gets_from_an_archive_what_the_emulator_foretells(options: ExportOptions, tmp_path: Path) -> None:
    path = tmp_path / "night-set.zip"
    path.write_bytes(archive(ExportFormat.REPLICATE_MUSICGEN, options, is_real=True))

    done = prepare_and_start(path, tmp_path, Inputs(auto_labeling=False, drop_vocals=False))
    files = planned_files(ExportFormat.REPLICATE_MUSICGEN, members(), options)
    emulation = emulate(files, TrainingParameters())

    foretold = [
        TrainedFile(piece.name, round(piece.duration_s * 1000), piece.rate_hz, piece.channels, piece.caption)
        for item in emulation.items
        for piece in item.pieces
    ]
    assert sorted(foretold, key=lambda file: file.path) == sorted(done, key=lambda file: file.path)
    assert emulation.succeeds


def test_what_is_too_short_for_its_reader_is_refused_by_name() -> None:
    short = dataclasses.replace(members()[0], audio=dataclasses.replace(members()[0].audio, duration_s=29.9))

    (refused,) = formats.refusals(ExportFormat.MUSICGEN_TRAINER, [short, *members()[1:]], ExportOptions())

    assert refused.field == short.item_name
    assert "29.9 s" in refused.description
    assert not formats.refusals(ExportFormat.REPLICATE_MUSICGEN, [short], ExportOptions())


@pytest.mark.parametrize(
    ("export_format", "options"),
    [
        (ExportFormat.AUDIOCRAFT, ExportOptions(nested=True)),
        (ExportFormat.MUSICGEN_TRAINER, ExportOptions(audio_mode=AudioMode.NORMALISED, cut=True)),
    ],
)
def test_options_that_a_format_cannot_keep_are_refused(export_format: ExportFormat, options: ExportOptions) -> None:
    with pytest.raises(FieldInvalid):
        formats.recipe(export_format, options)


def findings(export_format: ExportFormat, of: Sequence[SnapshotMember], options: ExportOptions) -> set[str]:
    return {finding.reason for finding in formats.findings(export_format, of, options)}


def test_findings_tell_what_each_reader_loses() -> None:
    long = dataclasses.replace(members()[0], audio=dataclasses.replace(members()[0].audio, duration_s=300.0))
    low = dataclasses.replace(members()[0], audio=dataclasses.replace(members()[0].audio, rate_hz=22_050))
    no_tempo = dataclasses.replace(members()[3], caption="Drone", tempo_bpm=0.0)

    assert findings(ExportFormat.ACESTEP_V1, [long], NORMALISED) == {"LONG_AUDIO"}
    assert findings(ExportFormat.ACESTEP_15, [no_tempo], NORMALISED) == {"TEMPO_UNKNOWN", "KEY_NOT_TAKEN"}
    assert findings(ExportFormat.PAIRED_TEXT, [long], ExportOptions(validation_share=0.1)) == {"NO_VALIDATION_SPLIT"}
    assert findings(ExportFormat.REPLICATE_MUSICGEN, [low], ExportOptions(nested=True)) == {"NESTED_LAYOUT", "LOW_RATE"}
    assert findings(ExportFormat.REPLICATE_MUSICGEN, [members()[2], members()[3]], ExportOptions()) == {"TAIL_DROPPED"}
