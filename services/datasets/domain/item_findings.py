"""What in an item's audio, caption and papers is worth a look."""

from __future__ import annotations

from collections.abc import Iterator

from services.datasets.domain.captions import tag_tempo
from services.datasets.domain.findings import Finding, Severity
from services.datasets.domain.items import HEARD_CONFIDENCE, Audio, TrainingItem

SHORT_S, TOO_SHORT_S = 30.0, 5.0
LOW_RATE_HZ = 44_100
SILENT_PEAK = 10 ** (-60 / 20)
_CLIPPED_SHARE = 0.0001  # one frame in ten thousand stands at full scale
_SILENT_SHARE = 0.5
_TEMPO_TOLERANCE = 0.04


def findings_of(item: TrainingItem) -> tuple[Finding, ...]:
    """Everything that a person should know of the item, errors first.

    Source: spec, validation before upload: E4, E8, W1, W3, W4, W9; caption rules P6 and P10 to P12 as they were told.
    """
    found = [*item.caption_findings]
    if item.audio is not None:
        found += [*_of_audio(item.audio, item.name), *_of_tempo(item, item.audio)]
    if item.consent.is_refused:
        text = "its consent says that training on it is not allowed; leave it out, or correct `consent`"
        found.append(Finding("CONSENT_REFUSED", text, item.name, Severity.ERROR))
    elif not item.consent.training_allowed:
        text = "nobody has said that training on this audio is allowed; set `consent` once somebody has"
        found.append(Finding("CONSENT_UNKNOWN", text, item.name))
    return tuple(sorted(found, key=lambda finding: finding.severity is not Severity.ERROR))


def unusable(item: TrainingItem) -> Iterator[Finding]:
    """What in its audio keeps it out of every training."""
    if item.audio is not None:
        yield from (found for found in _of_audio(item.audio, item.name) if found.severity is Severity.ERROR)


def _of_audio(audio: Audio, name: str) -> Iterator[Finding]:
    if audio.duration_s < TOO_SHORT_S:
        text = f"{audio.duration_s:.1f} s and a trainer needs 5 s, better 30 s; bounce it longer, or delete the item"
        yield Finding("AUDIO_TOO_SHORT", text, name, Severity.ERROR)
    elif audio.duration_s < SHORT_S:
        yield Finding("SHORT_AUDIO", f"{audio.duration_s:.1f} s: kept whole and padded with silence to 30 s", name)
    # A peak of exactly 0 on audio that has a loudness means that it was never measured.
    if audio.peak < SILENT_PEAK and audio.loudness_lufs is None and audio.pcm_sha256:
        yield Finding(
            "SILENT_AUDIO", "the recording is silent; attach another, or delete the item", name, Severity.ERROR
        )
    elif audio.silent_share > _SILENT_SHARE:
        yield Finding("SILENT_AUDIO", f"{audio.silent_share:.0%} of the recording is silence; cut it out", name)
    if audio.clipped_share > _CLIPPED_SHARE:
        text = f"{audio.clipped_share:.2%} of the recording stands at full scale; bounce it with less gain"
        yield Finding("CLIPPED_AUDIO", text, name)
    if 0 < audio.rate_hz < LOW_RATE_HZ:
        text = f"{audio.rate_hz} Hz; trainers want 44,100 Hz, and nothing above {audio.rate_hz // 2} Hz can be learnt"
        yield Finding("LOW_RATE", text, name)


def _of_tempo(item: TrainingItem, audio: Audio) -> Iterator[Finding]:
    told, heard = tag_tempo(item.caption), audio.tempo_bpm
    if not told or not heard or audio.tempo_confidence < HEARD_CONFIDENCE:
        return
    if all(abs(told * factor - heard) > _TEMPO_TOLERANCE * heard for factor in (0.5, 1.0, 2.0)):
        text = f"the caption says {told:g} BPM and {heard:.1f} are heard; check the tempo"
        yield Finding("TEMPO_DIFFERS", text, item.name)
