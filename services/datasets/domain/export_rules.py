"""What keeps items out of a dataset, and what a person should know before a training is paid for.

Source of the numbers E1 to E11 and W1 to W10: spec, validation that an exporter does before an upload.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from chassis.errors import Violation, require
from services.datasets.domain import formats
from services.datasets.domain.duplicates import DuplicateGroup, Likeness
from services.datasets.domain.exports import (
    MAX_ITEMS,
    ExportFormat,
    ExportOptions,
    ItemsNotExportable,
    NothingToExport,
    chunk_count,
)
from services.datasets.domain.findings import Finding
from services.datasets.domain.formats.captions import composed
from services.datasets.domain.item_findings import SILENT_PEAK
from services.datasets.domain.items import Audio, TrainingItem
from services.datasets.domain.recipes import AudioMode, Recipe
from services.datasets.domain.snapshots import SnapshotMember

MIN_PAIRS = 8  # below this the trainer's own guide expects a poor model
MIN_S = 5.0
CAPTION_MAX = 600  # characters, trigger and suffix included
QUIET_LUFS = -30.0
LITTLE_S, MUCH_S = 15 * 60.0, 9 * 3600.0
MAX_FINDINGS = 1000
_VOICES = re.compile(r"\b(vocals?|vocalists?|voices?|singing|singers?|sung|rapping|choirs?|acapella)\b", re.IGNORECASE)
_NO_VOICES = re.compile(r"\b(no|without|free of) (vocals?|voices?|singing)|instrumental\b", re.IGNORECASE)


def item_fault(item: TrainingItem) -> str:
    """Why the item cannot go into a snapshot; empty when it can."""
    if item.failure:
        return "E2: it is marked as failed; retry it first"
    if item.audio is None:
        return "E2: it has no audio; attach an asset"
    if not item.caption:
        return "E10: it has no caption; write or generate one"
    if item.consent.is_refused:
        return "its consent says that training on it is not allowed; leave it out, or correct its consent"
    return ""


def audio_fault(audio: Audio) -> str:
    """Why no trainer learns from this audio; empty when one does."""
    if not audio.media_type.startswith("audio/"):
        known = audio.media_type or "of an unknown media type"
        return f"E3: it is {known}, which no trainer reads; upload the audio as WAV, FLAC or MP3"
    if audio.duration_s < MIN_S:
        return f"E4: it is {audio.duration_s:.1f} s long and trainers want {MIN_S:.0f} s or more; upload a longer take"
    # A peak of exactly 0 on audio that was never measured says nothing.
    if audio.peak < SILENT_PEAK and audio.loudness_lufs is None and audio.pcm_sha256:
        return "E8: it is silent (its peak lies below -60 dBFS); upload audio that can be heard"
    return ""


def member_fault(member: SnapshotMember, export_format: ExportFormat, options: ExportOptions) -> str:
    """Why the member cannot go into this archive; empty when it can."""
    if fault := audio_fault(member.audio):
        return fault
    rate_hz = options.rate_hz if options.audio_mode is AudioMode.NORMALISED else member.audio.rate_hz
    if options.nested and export_format is ExportFormat.REPLICATE_MUSICGEN and rate_hz < 32_000:
        return f"W3b: {rate_hz} Hz inside dataset/ stops the trainer; export at the root, or NORMALISED at 44,100 Hz"
    length = len(composed(member.caption, trigger=options.trigger, suffix=options.suffix))
    if length > CAPTION_MAX:
        return f"E5: its caption has {length} characters with trigger and suffix; shorten them to {CAPTION_MAX} in all"
    return ""


def refuse(faults: Iterable[tuple[str, str]], count: int, what: str) -> None:
    """Nothing if there are no faults.

    Args:
        faults: Names of items, each with what is wrong; empty texts do not count.
        count: Number of items in all.
        what: What is being made, as `exported as PAIRED_TEXT`.

    Raises:
        NothingToExport: There are no items.
        ItemsNotExportable: Some have faults; one violation names each.
    """
    if not count:
        raise NothingToExport("E1: no training item is ready; give items audio and a caption, or name items")
    require(count <= MAX_ITEMS, "selection", f"up to {MAX_ITEMS} items, not {count}")
    found = [Violation(name, fault) for name, fault in faults if fault]
    if found:
        shown = "; ".join(f"{fault.field}: {fault.description}" for fault in found[:3])
        raise ItemsNotExportable(
            f"{len(found)} of {count} items cannot be {what}: {shown}",
            violations=found[:100],
            metadata={"count": str(len(found))},
        )


def snapshot_findings(members: Sequence[SnapshotMember], groups: Sequence[DuplicateGroup] = ()) -> list[Finding]:
    """What a person should know of a dataset, whatever is made of it.

    Args:
        members: What it holds.
        groups: Items of the artist that hold the same audio, or nearly.
    """
    found = []
    if len(members) < MIN_PAIRS:
        found.append(Finding("FEW_PAIRS", f"{len(members)} pairs; a training wants at least {MIN_PAIRS}, better more"))
    total_s = sum(member.audio.duration_s for member in members)
    if total_s < LITTLE_S:
        found.append(Finding("LITTLE_AUDIO", f"{total_s / 60:.1f} minutes in all; a training wants 15 or more"))
    if total_s > MUCH_S:
        found.append(Finding("MUCH_AUDIO", f"{total_s / 3600:.1f} hours in all; the trainer is made for up to 9"))
    found += _alike(members, groups)
    for member in members:
        loudness = member.audio.loudness_lufs
        if loudness is not None and loudness < QUIET_LUFS:
            text = f"{loudness:.1f} LUFS; make it louder, or export NORMALISED with loudness_lufs"
            found.append(Finding("QUIET_AUDIO", text, member.item_name))
    return found


def _alike(members: Sequence[SnapshotMember], groups: Sequence[DuplicateGroup]) -> list[Finding]:
    names = {member.item_uid: member.item_name for member in members}
    found: dict[str, Finding] = {}
    for group in groups:
        here = [names[uid] for uid in group.item_uids if uid in names]
        reason = "SIMILAR_AUDIO" if group.likeness is Likeness.SIMILAR else "DUPLICATE_AUDIO"
        words = "sounds nearly the same as" if group.likeness is Likeness.SIMILAR else "the same audio as"
        for name in here[1:]:
            found.setdefault(name, Finding(reason, f"{words} {here[0]}; leave one out", name))
    return list(found.values())


def export_findings(
    members: Sequence[SnapshotMember], export_format: ExportFormat, options: ExportOptions
) -> list[Finding]:
    """What a person should know of this archive."""
    how = formats.recipe(export_format, options)
    found = formats.findings(export_format, members, options)
    for member in members:
        found += _audio_findings(member, how)
    return found


def _audio_findings(member: SnapshotMember, how: Recipe) -> list[Finding]:
    audio, name, found = member.audio, member.item_name, []
    if how.mode is AudioMode.AS_NEEDED and audio.media_type not in how.accepted:
        text = f"{audio.media_type} is made into {how.encoding.value}: the reader of this format does not take it"
        found.append(Finding("CONVERTED", text, name))
    if audio.channels == 1 and how.channels == 2:
        found.append(Finding("MONO_AUDIO", "mono; a stereo model learns no width from it", name))
    if not how.remove_vocals and _VOICES.search(member.caption) and not _NO_VOICES.search(member.caption):
        text = "its caption tells of voices and vocals stay in; export with remove_vocals if they are not to be learned"
        found.append(Finding("VOCALS_SUSPECTED", text, name))
    return found


def once(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings without those that say the same of one item again, a thousand at most."""
    kept: dict[tuple[str, str], Finding] = {}
    for finding in found:
        kept.setdefault((finding.reason, finding.training_item), finding)
    return tuple(kept.values())[:MAX_FINDINGS]


def chunks(members: Sequence[SnapshotMember], options: ExportOptions) -> int:
    """How many pieces a trainer hears."""
    # Inside a folder the trainer cuts nothing.
    whole = options.nested and not options.cut
    return sum(1 if whole else chunk_count(member.audio.duration_s) for member in members)
