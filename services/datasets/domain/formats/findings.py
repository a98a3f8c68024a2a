"""What is worth a look in a dataset before it goes to the reader of one format."""

from __future__ import annotations

from collections.abc import Sequence

from services.datasets.domain.exports import CHUNK_S, TAIL_S, ExportFormat, ExportOptions
from services.datasets.domain.findings import Finding
from services.datasets.domain.formats import acestep
from services.datasets.domain.formats.captions import major_or_minor
from services.datasets.domain.formats.shape import Sample, Shape

_TRAINER_RATE_HZ = 32_000


def of_options(export_format: ExportFormat, shape: Shape, options: ExportOptions) -> list[Finding]:
    """About the choices."""
    found = []
    if options.nested:
        found.append(Finding("NESTED_LAYOUT", "inside dataset/ the trainer neither cuts, resamples nor removes vocals"))
    if options.validation_share and not shape.has_split:
        text = f"{export_format.value} has no validation split; every pair is for training"
        found.append(Finding("NO_VALIDATION_SPLIT", text))
    return found


def of_samples(
    export_format: ExportFormat, shape: Shape, samples: Sequence[Sample], options: ExportOptions
) -> list[Finding]:
    """About single items."""
    found: list[Finding] = []
    for sample in samples:
        if export_format is ExportFormat.REPLICATE_MUSICGEN:
            found += _replicate(sample, nested=options.nested)
        if shape.longest_s and sample.piece.duration_s > shape.longest_s:
            text = f"{sample.piece.duration_s:.1f} s; the reader takes {shape.longest_s:.0f} s at most"
            found.append(Finding("LONG_AUDIO", text, sample.member.item_name))
        if export_format is ExportFormat.ACESTEP_V1:
            found += _acestep_v1(sample, options)
        if export_format is ExportFormat.ACESTEP_15:
            found += _acestep_15(sample)
    return found


def _replicate(sample: Sample, *, nested: bool) -> list[Finding]:
    piece, found = sample.piece, []
    if piece.duration_s < CHUNK_S:
        text = f"{piece.duration_s:.1f} s: kept whole, padded with silence to 30 s, vocals stay in"
        found.append(Finding("SHORT_AUDIO", text, sample.member.item_name))
    rest_s = piece.duration_s % CHUNK_S
    if piece.duration_s > CHUNK_S and 0 < rest_s <= TAIL_S and not nested:
        found.append(Finding("TAIL_DROPPED", f"the last {rest_s:.1f} s are thrown away", sample.member.item_name))
    if piece.rate_hz < _TRAINER_RATE_HZ:
        text = f"{piece.rate_hz} Hz; the trainer wants 32 kHz or more"
        found.append(Finding("LOW_RATE", text, sample.member.item_name))
    return found


def _acestep_v1(sample: Sample, options: ExportOptions) -> list[Finding]:
    lost = len(acestep.all_tags(sample, options.trigger)) - len(acestep.tags(sample, options.trigger))
    if not lost:
        return []
    text = f"the reader takes {acestep.PROMPT_MAX} characters of tags; {lost} characters are left out"
    return [Finding("CAPTION_CUT", text, sample.member.item_name)]


def _acestep_15(sample: Sample) -> list[Finding]:
    found = []
    if acestep.whole_bpm(sample) is None:
        text = "the tempo is unknown or outside 30 to 300 and stays empty; say it in the item's tempo"
        found.append(Finding("TEMPO_UNKNOWN", text, sample.member.item_name))
    if sample.member.key and not major_or_minor(sample.member.key):
        text = f"the trainer knows major and minor only; {sample.member.key} stays empty"
        found.append(Finding("KEY_NOT_TAKEN", text, sample.member.item_name))
    return found
