import pytest

from chassis.errors import FieldInvalid
from services.datasets.domain.emulator import Emulation, TrainerFile, emulate, mean_silence_s
from services.datasets.domain.findings import Finding, Severity
from services.datasets.domain.training_parameters import (
    TrainingParameters,
    checked,
    chosen,
    effective_batch_size,
    findings,
)

CAPTION = "Warm pads over a steady beat. BPM: 95"


def pair(stem: str, *, duration_s: float = 200.0, rate_hz: int = 44_100, channels: int = 2) -> list[TrainerFile]:
    item = f"artists/nova/training-items/{stem}"
    audio = TrainerFile(f"{stem}.wav", duration_s, rate_hz, channels, training_item=item)
    return [audio, TrainerFile(f"{stem}.txt", text=CAPTION, training_item=item)]


def eight() -> list[TrainerFile]:
    return [file for number in range(8) for file in pair(f"track-000{number}")]


def reasons(found: tuple[Finding, ...] | list[Finding], severity: Severity | None = None) -> set[str]:
    return {finding.reason for finding in found if severity in (None, finding.severity)}


def about(emulation: Emulation, path: str) -> set[str]:
    (item,) = (item for item in emulation.items if item.file.path == path)
    return reasons(item.findings)


def test_a_good_dataset_has_nothing_to_tell() -> None:
    emulation = emulate(eight(), TrainingParameters())

    assert emulation.all_findings == ()
    assert emulation.succeeds
    assert (emulation.chunk_count, emulation.items[0].dropped_s) == (56, 0)


@pytest.mark.parametrize(
    ("seconds", "silence"), [(30, 3.0), (10, 20.0), (24, 6.0), (27, 4.5), (180, 18 / 156), (4, 26.0)]
)
def test_silence_in_samples_is_a_mean_over_where_they_start(seconds: float, silence: float) -> None:
    drawn = [max(0.0, 30 - (seconds - start * max(0.0, seconds - 24) / 10_000)) for start in range(10_001)]

    assert mean_silence_s(seconds) == pytest.approx(silence)
    assert mean_silence_s(seconds) == pytest.approx(sum(drawn) / len(drawn), abs=1e-3)


def test_pieces_say_where_they_are_in_the_recording() -> None:
    file = TrainerFile("a-02.wav", 70.0, 48_000, 1, start_s=90.0)

    (item,) = emulate([file], TrainingParameters(drop_vocals=True)).items

    assert [(piece.name, piece.start_s, piece.duration_s) for piece in item.pieces] == [
        ("a-02_chunk0.wav", 90, 30),
        ("a-02_chunk30.wav", 120, 30),
        ("a-02_chunk60.wav", 150, 10),
    ]
    assert {(piece.rate_hz, piece.channels) for piece in item.pieces} == {(44_100, 2)}
    assert (item.resampled, item.vocals_removed, item.padded_s) == (True, True, 26)


def test_every_fault_of_a_file_is_told_by_name() -> None:
    files = [
        *eight(),
        *pair("short", duration_s=12),
        *pair("tiny", duration_s=4),
        *pair("tail", duration_s=64, channels=1),
        *pair("low", duration_s=20, rate_hz=22_050),
        *pair("a_chunk1"),
        *pair("-x"),
        TrainerFile("bom.wav", 40, 44_100, 2),
        TrainerFile("bom.txt", text="\ufeff" + CAPTION),
        TrainerFile("no.wav", 40, 44_100, 2),
        TrainerFile("f.flac", 20, 44_100, 2),
        TrainerFile("u.WAV", 20, 44_100, 2),
        TrainerFile("x.aif", 20, 44_100, 2),
        TrainerFile("sub/deep.mp3", 20, 44_100, 2),
        TrainerFile("sub/deep.txt", text=CAPTION),
        TrainerFile("track-0001.wav", 20, 44_100, 2),
    ]

    emulation = emulate(files, TrainingParameters(drop_vocals=True))

    assert about(emulation, "short.wav") == {"SHORT_AUDIO", "VOCALS_STAY"}
    assert about(emulation, "tiny.wav") == {"AUDIO_TOO_SHORT", "VOCALS_STAY"}
    assert about(emulation, "tail.wav") == {"TAIL_DROPPED", "MONO_AUDIO"}
    assert about(emulation, "low.wav") == {"SHORT_AUDIO", "LOW_RATE", "VOCALS_STAY"}
    assert about(emulation, "a_chunk1.wav") == {"CHUNK_IN_NAME"}
    assert about(emulation, "-x.wav") == {"NAME_UNSAFE"}
    assert about(emulation, "bom.wav") == {"CAPTION_BOM"}
    assert about(emulation, "no.wav") == {"CAPTION_MISSING"}
    assert about(emulation, "f.flac") == {"CAPTION_NEVER_READ", "SHORT_AUDIO", "VOCALS_STAY"}
    assert "CAPTION_NEVER_READ" in about(emulation, "u.WAV")
    assert about(emulation, "x.aif") == {"AUDIO_NOT_SEEN"}
    assert reasons(emulation.items[-1].findings) == {"PATH_TWICE"}
    assert reasons(emulation.findings) == {"NESTED_LAYOUT"}
    assert emulation.succeeds


def test_what_ends_the_run_is_an_error_and_no_success() -> None:
    broken = emulate([TrainerFile("a.mp4", 20, 44_100, 2), TrainerFile("d/._b.wav"), TrainerFile("c.wav")],
                     TrainingParameters(learning_rate_scheduler="exponential"), archive_name="x.ZIP")  # fmt: skip
    low = emulate(pair("a", duration_s=20, rate_hz=16_000), TrainingParameters())
    empty = emulate([], TrainingParameters())

    errors = reasons(broken.all_findings, Severity.ERROR)
    assert {"MP4_CRASHES", "HIDDEN_FILE_CRASHES", "AUDIO_UNREADABLE", "ARCHIVE_NOT_READ", "PARAMETER_INVALID"} <= errors
    assert "RATE_TOO_LOW" in reasons(low.findings, Severity.ERROR)
    assert "NO_AUDIO" in reasons(empty.findings, Severity.ERROR)
    assert not broken.succeeds | low.succeeds | empty.succeeds


def test_what_is_odd_about_the_whole_is_told() -> None:
    files = [*pair("a", duration_s=40_000), TrainerFile("a.mp3", 20, 44_100, 2), TrainerFile("a.json")]
    lines = [TrainerFile("b.wav", 20, 44_100, 2), TrainerFile("b.txt", text="One\nTwo")]

    told = emulate([*files, *lines], TrainingParameters(one_same_description="All"))

    assert reasons(told.findings) == {
        "FEW_PAIRS", "SAME_STEM", "MUCH_AUDIO", "CAPTIONS_IGNORED", "CAPTION_LINES_LOST", "METADATA_OVERWRITTEN"
    }  # fmt: skip
    assert "LITTLE_AUDIO" in reasons(emulate(lines, TrainingParameters()).findings)


@pytest.mark.parametrize(
    ("model", "asked", "real"),
    [("stereo-melody", 16, 8), ("melody", 64, 8), ("medium", 4, 8), ("stereo-small", 16, 16), ("small", 23, 16),
     ("small", 7, 0)],
)  # fmt: skip
def test_the_batch_is_what_the_trainer_makes_of_it(model: str, asked: int, real: int) -> None:
    assert effective_batch_size(model, asked) == real


def test_steps_samples_and_inputs_by_default() -> None:
    parameters = chosen({"model_version": "", "epochs": 0, "warmup_steps": 0})

    assert (parameters.steps, parameters.samples, parameters.channels) == (300, 2400, 2)
    assert parameters.to_inputs() == {
        "model_version": "stereo-melody", "epochs": 3, "updates_per_epoch": 100, "batch_size": 16,
        "optimizer": "dadam", "lr": 1.0, "lr_scheduler": "cosine", "warmup": 0, "cfg_p": 0.3,
        "auto_labeling": False, "drop_vocals": False,
    }  # fmt: skip
    assert chosen({"one_same_description": "All"}).to_inputs()["one_same_description"] == "All"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("model_version", "large"),
        ("epochs", -1),
        ("updates_per_epoch", 100_001),
        ("batch_size", 7),
        ("optimizer", "sgd"),
        ("learning_rate", float("nan")),
        ("learning_rate_scheduler", "exponential"),
        ("warmup_steps", -1),
        ("unconditioned_share", 1.1),
        ("one_same_description", " "),
        ("one_same_description", ""),
    ],
)
def test_parameters_that_waste_a_training_are_refused_by_field(field: str, value: object) -> None:
    with pytest.raises(FieldInvalid) as refused:
        checked(chosen({field: value}))

    assert [violation.field for violation in refused.value.violations] == [f"parameters.{field}"]


def test_odd_parameters_are_worth_a_word() -> None:
    assert reasons(findings(TrainingParameters(learning_rate=1e-4))) == {"LEARNING_RATE_LOW"}
    assert reasons(findings(TrainingParameters(optimizer="adamw"))) == {"LEARNING_RATE_HIGH"}
    assert reasons(findings(TrainingParameters(batch_size=24))) == {"BATCH_SIZE_CHANGED"}
    assert reasons(findings(TrainingParameters(auto_labeling=True))) == {"AUTO_LABELING"}
    assert findings(checked(TrainingParameters(optimizer="adamw", learning_rate=1e-4))) == []
