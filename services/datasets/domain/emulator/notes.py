"""What a person should know about what the trainer will do, before paying for it.

Source: spec, validation before an upload: E4, E6, E7, E10 and W1 to W8.
"""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from services.datasets.domain.emulator.replica import PREPARED_RATE_HZ, Prepared, TrainerFile
from services.datasets.domain.export_rules import LITTLE_S, MIN_PAIRS, MIN_S, MUCH_S
from services.datasets.domain.exports import CHUNK_S
from services.datasets.domain.findings import Finding, Severity
from services.datasets.domain.training_parameters import TrainingParameters

_MIN_RATE_HZ, _NAME_MAX_BYTES = 32_000, 100


class _Piece(Protocol):
    @property
    def cut(self) -> bool: ...
    @property
    def duration_s(self) -> float: ...


class _Item(Protocol):
    @property
    def file(self) -> TrainerFile: ...
    @property
    def pieces(self) -> Sequence[_Piece]: ...
    @property
    def caption(self) -> str: ...
    @property
    def caption_used(self) -> bool: ...
    @property
    def vocals_removed(self) -> bool: ...
    @property
    def dropped_s(self) -> float: ...


def of_item(item: _Item, parameters: TrainingParameters, *, is_duplicate: bool) -> list[Finding]:
    """About one audio file."""
    if is_duplicate:
        return [_error(item, "PATH_TWICE", "an earlier file has the same path, and the trainer keeps that one")]
    if not item.pieces:
        return [_error(item, "AUDIO_NOT_SEEN", _why_not_seen(item.file, parameters))]
    return [*_of_name(item), *_of_caption(item, parameters), *_of_audio(item, parameters)]


def _why_not_seen(file: TrainerFile, parameters: TrainingParameters) -> str:
    suffix = posixpath.splitext(file.path)[1]
    if suffix != suffix.lower():
        return f"the trainer does not see {suffix}; write the suffix in lower case"
    if suffix in (".ogg", ".m4a") and parameters.auto_labeling:
        return f"the trainer does not see {suffix} while auto_labeling is on, and never its caption; use WAV or MP3"
    return f"the trainer does not train on {suffix or 'it'}; use WAV or MP3"


def _of_name(item: _Item) -> list[Finding]:
    stem, found = posixpath.splitext(posixpath.basename(item.file.path))[0], []
    if "_chunk" in stem:
        found.append(_error(item, "CHUNK_IN_NAME", "the trainer takes _chunk for its own mark; rename the file"))
    unsafe = stem.startswith((".", "-")) or not stem.isprintable() or len(stem.encode()) > _NAME_MAX_BYTES
    if unsafe:
        text = "names must not begin with . or -, hold control characters or exceed 100 bytes; rename the file"
        found.append(_error(item, "NAME_UNSAFE", text))
    return found


def _of_caption(item: _Item, parameters: TrainingParameters) -> list[Finding]:
    found = []
    if item.caption.startswith("\ufeff"):
        found.append(_warning(item, "CAPTION_BOM", "the caption begins with a byte order mark, and the model reads it"))
    if item.caption_used:
        return found
    suffix = posixpath.splitext(item.file.path)[1]
    if suffix not in (".wav", ".mp3"):
        text = f"the trainer never reads the caption of {suffix}; it trains without text: use WAV or MP3"
        return [*found, _error(item, "CAPTION_NEVER_READ", text)]
    if parameters.one_same_description is not None:
        return found
    text = "no caption is found for it, or an empty one; give it a .txt of the same name with one line"
    return [*found, _error(item, "CAPTION_MISSING", text)]


def _of_audio(item: _Item, parameters: TrainingParameters) -> list[Finding]:
    file, found = item.file, []
    is_cut = any(piece.cut for piece in item.pieces)
    if file.duration_s < MIN_S:
        text = f"{file.duration_s:.1f} s is too short to learn from; the rest of each 30 s is silence"
        found.append(_error(item, "AUDIO_TOO_SHORT", text))
    elif file.duration_s < CHUNK_S:
        text = f"{file.duration_s:.1f} s: kept whole, padded with silence to 30 s, vocals stay in"
        found.append(_warning(item, "SHORT_AUDIO", text))
    if item.dropped_s:
        found.append(_warning(item, "TAIL_DROPPED", f"{item.dropped_s:.1f} s are thrown away"))
    if not is_cut and file.rate_hz < _MIN_RATE_HZ:
        found.append(
            _warning(item, "LOW_RATE", f"{file.rate_hz} Hz; the trainer works at 32,000 Hz and cannot add more")
        )
    elif file.rate_hz < PREPARED_RATE_HZ:
        found.append(_warning(item, "LOW_RATE", f"{file.rate_hz} Hz; 44,100 Hz or more is better"))
    if file.channels == 1 and parameters.channels == 2:
        text = f"{parameters.model_version} trains in stereo; both channels are the same"
        found.append(_warning(item, "MONO_AUDIO", text))
    if parameters.drop_vocals and not item.vocals_removed:
        text = "drop_vocals does nothing here: it needs a file above 30 s at the archive's root"
        found.append(_warning(item, "VOCALS_STAY", text))
    return found


def of_whole(files: Sequence[TrainerFile], items: Sequence[_Item], prepared: Prepared) -> list[Finding]:
    """About the archive."""
    found = []
    pairs = sum(1 for item in items if item.caption_used)
    if pairs < MIN_PAIRS:
        text = f"{pairs} pairs; a training wants at least {MIN_PAIRS}, better more"
        found.append(Finding("FEW_PAIRS", text, severity=Severity.ERROR))
    stems = Counter(posixpath.splitext(path)[0] for path in {item.file.path for item in items})
    for stem in (stem for stem, count in stems.items() if count > 1):
        text = f"several files are named {stem}: their pieces and captions overwrite each other; rename them"
        found.append(Finding("SAME_STEM", text, severity=Severity.ERROR))
    if any("/" in item.file.path and item.pieces for item in items):
        text = "files inside a folder are neither cut nor resampled, and keep their vocals"
        found.append(Finding("NESTED_LAYOUT", text))
    total_s = sum(held.duration_ms for held in prepared.trained.values()) / 1000
    if prepared.trained and total_s < LITTLE_S:
        found.append(Finding("LITTLE_AUDIO", f"{total_s / 60:.1f} minutes in all; 15 minutes or more train better"))
    if total_s > MUCH_S:
        found.append(Finding("MUCH_AUDIO", f"{total_s / 3600:.1f} hours in all; more than 9 train no better"))
    return found + _of_texts(files, items)


def _of_texts(files: Sequence[TrainerFile], items: Sequence[_Item]) -> list[Finding]:
    found = []
    for file in files:
        if file.path.endswith(".txt") and len(file.text.strip("\r\n").splitlines()) > 1:
            text = f"{file.path}: only the first line is read; write the caption in one line"
            found.append(Finding("CAPTION_LINES_LOST", text, file.training_item))
    stems = {posixpath.splitext(item.file.path)[0] for item in items}
    if any(file.path.endswith(".json") and posixpath.splitext(file.path)[0] in stems for file in files):
        text = "the trainer writes its own .json beside each file over those of the archive"
        found.append(Finding("METADATA_OVERWRITTEN", text))
    return found


def _error(item: _Item, reason: str, text: str) -> Finding:
    return Finding(reason, f"{item.file.path}: {text}", item.file.training_item, Severity.ERROR)


def _warning(item: _Item, reason: str, text: str) -> Finding:
    return Finding(reason, f"{item.file.path}: {text}", item.file.training_item)
