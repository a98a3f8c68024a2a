"""Formats of audio with a text file of the same stem: Replicate's trainer, kohya-style folders, musicgen_trainer."""

from __future__ import annotations

from collections.abc import Sequence

from services.datasets.domain.exports import Entry, ExportOptions
from services.datasets.domain.formats.shape import MP3, WAV, Sample, Shape, audio, text

NESTED_FOLDER = "dataset/"
MUSICGEN_TRAINER_MIN_S = 30.0


def _lay_out(samples: Sequence[Sample], options: ExportOptions, name: str) -> list[Entry]:
    folder = NESTED_FOLDER if options.nested else ""
    files = []
    for sample in samples:
        files.append(audio(sample, f"{folder}{sample.stem}{sample.suffix}"))
        # Without a newline at its end: a trainer that reads the whole file gets the caption and nothing else.
        files.append(text(f"{folder}{sample.stem}.txt", sample.caption, sample))
    return files


# Source: spec, B.1. The trainer reads captions of MP3 and WAV only.
REPLICATE_MUSICGEN = Shape(accepted=WAV | MP3, lay_out=_lay_out)
# Source: spec, B.7 and its table B.10.
PAIRED_TEXT = Shape(accepted=WAV, lay_out=_lay_out)
# Source: spec, B.8: files below 30 s are skipped, a missing text is an error.
MUSICGEN_TRAINER = Shape(accepted=WAV, lay_out=_lay_out, shortest_s=MUSICGEN_TRAINER_MIN_S)
