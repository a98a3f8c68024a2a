"""The summary of a Live Set, as captions and people read it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from services.prompt.alsfile.clips import scale_values
from services.prompt.alsfile.container import FileRefused, Limits
from services.prompt.alsfile.devices import Device, clip_text, devices_of
from services.prompt.alsfile.drums import no_beat
from services.prompt.alsfile.genres import genre_indicators
from services.prompt.alsfile.listing import Listing
from services.prompt.alsfile.notes import NoteCounts
from services.prompt.alsfile.scales import read_key
from services.prompt.alsfile.tempo import TempoMap, decode_signature, read_signatures, read_tempo
from services.prompt.alsfile.tracks import KINDS, Track, read_track
from services.prompt.alsfile.tree import Node, SectionReader

SCHEMA_VERSION = 2
_MAX_TRACKS, _MAX_MARKS = 2_000, 1_000


@dataclass(slots=True)
class _Parts:
    tracks: list[Track] = field(default_factory=list)
    tempo: TempoMap = field(default_factory=lambda: TempoMap(None))
    signature: str = ""
    signature_changes: list[dict[str, object]] = field(default_factory=list)
    master_devices: list[Device] = field(default_factory=list)
    locators: list[tuple[float, str]] = field(default_factory=list)
    scenes: list[dict[str, Any]] = field(default_factory=list)
    scale: tuple[str, str] | None = None
    in_key: bool = False
    loop: dict[str, Any] | None = None
    warnings: list[str] = field(default_factory=list)

    def take(self, node: Node) -> None:
        """Read one section."""
        if node.tag in KINDS:
            if len(self.tracks) >= _MAX_TRACKS:
                raise FileRefused("LIVE_SET_TOO_LARGE", f"the Live Set has more than {_MAX_TRACKS:,} tracks; split it")
            self.tracks.append(read_track(node, len(self.tracks)))
        elif node.tag in {"MasterTrack", "MainTrack"}:
            self.tempo = read_tempo(node)
            self.signature, self.signature_changes = read_signatures(node)
            self.master_devices = devices_of(node)
        elif node.tag == "Locators":
            found = ((item.number("Time"), clip_text(item.value("Name"))) for item in node.under("Locators"))
            self.locators = sorted((beat, name) for beat, name in found if beat is not None)
        elif node.tag in {"Scenes", "SceneNames"}:
            self.scenes = [_scene(item) for item in node.children if item.tag == "Scene"]
        elif node.tag == "ScaleInformation":
            self.scale = scale_values(node)
        elif node.tag == "InKey":
            self.in_key = node.attributes.get("Value") == "true"
        elif node.tag == "Transport":
            start, length = node.number("LoopStart"), node.number("LoopLength")
            if start is not None and length is not None:
                self.loop = {"on": node.value("LoopOn") == "true", "start_beat": start, "length_beats": length}


def summarize(source: BinaryIO, limits: Limits) -> dict[str, Any]:
    """The summary of the Live Set in the file.

    Raises:
        FileRefused: It is no readable Live Set within the limits.
    """
    parts = _Parts()
    reader = SectionReader(limits, parts.take)
    reader.read(source)
    creator = clip_text(reader.root.get("Creator", ""))
    version = _live_version(reader.root)
    if version and version < 8:
        raise FileRefused(
            "LIVE_SET_VERSION_UNSUPPORTED",
            f"{creator or 'Live ' + str(version)} saved this; save it in Live 8 or newer",
        )
    if not 8 <= version <= 12:
        parts.warnings.append(f"the file was saved by {creator or 'an unknown program'}; Live 8 to 12 are known")
    _warn(parts)
    return _assemble(parts, creator, version)


def _live_version(root: dict[str, str]) -> int:
    match = re.match(r"(\d{1,3})\.", root.get("MinorVersion", ""), re.ASCII)
    return int(match.group(1)) if match else 0


def _warn(parts: _Parts) -> None:
    if parts.tempo.bpm is None:
        parts.warnings.append("the file holds no tempo; say it when you ask for a caption")
    if not parts.signature:
        parts.warnings.append("the file holds no time signature")
    tempos = [bpm for _beat, bpm in parts.tempo.points]
    if tempos:
        parts.warnings.append(
            f"the tempo moves between {min(tempos):g} and {max(tempos):g} BPM; {parts.tempo.bpm:g} is taken"
        )
    frozen = sum(track.is_frozen for track in parts.tracks)
    if frozen:
        parts.warnings.append(f"{frozen} frozen track(s): what is counted is what they held before freezing")
    for count, what in ((len(parts.locators), "locators"), (len(parts.scenes), "scenes")):
        if count > _MAX_MARKS:
            parts.warnings.append(f"only the first {_MAX_MARKS:,} of {count:,} {what} are listed")


def _assemble(parts: _Parts, creator: str, version: int) -> dict[str, Any]:
    listing = Listing(parts.tracks)
    counts = listing.counts()
    counts["devices"] += len(parts.master_devices)
    key, key_evidence = _key(parts)
    indicators = _genres(parts, listing)
    tempo = parts.tempo
    summary = {
        "schema_version": SCHEMA_VERSION,
        "live_version": creator,
        "live_major_version": version,
        "overview": {"tempo": tempo.bpm, "time_signature": parts.signature, **counts},
        "plugin_usage": _usage(parts.tracks, {"stock", "max", "vst", "vst3", "au"}),
        "stock_devices": _usage(parts.tracks, {"stock"}),
        "max_devices": _usage(parts.tracks, {"max"}),
        "third_party_plugins": _usage(parts.tracks, {"vst", "vst3", "au"}),
        "master_devices": [device.name for device in parts.master_devices[:_MAX_MARKS]],
        "plugins_by_track": listing.plugins_by_track(),
        "sample_index": listing.sample_index(),
        "track_breakdown": listing.breakdown(),
        "track_hierarchy": listing.hierarchy(),
        "tracks": listing.track_list(),
        "muted_tracks": [listing.names[track.index] for track in parts.tracks if track.is_muted],
        "frozen_tracks": [listing.names[track.index] for track in parts.tracks if track.is_frozen],
        "genre_indicators": [one["genre"] for one in indicators],
        "genre_evidence": indicators,
        "key": key,
        "key_evidence": key_evidence,
        "tempo_automation": [{"beat": beat, "bpm": bpm} for beat, bpm in tempo.points[:_MAX_MARKS]],
        "time_signature_changes": parts.signature_changes[:_MAX_MARKS],
        "arrangement": _arrangement(parts),
        "locators": [{"beat": b, "seconds": _seconds(tempo, b), "name": n} for b, n in parts.locators[:_MAX_MARKS]],
        "scenes": parts.scenes[:_MAX_MARKS],
        "midi_stats": _midi_stats(parts.tracks),
    }
    return {**summary, "warnings": [*parts.warnings, *listing.warnings]}


def _scene(node: Node) -> dict[str, Any]:
    name = node.value("Name") or node.attributes.get("Value", "")
    scene: dict[str, Any] = {"name": clip_text(name)}
    if node.value("IsTempoEnabled") == "true" and (tempo := node.number("Tempo")):
        scene["tempo"] = round(tempo, 3)
    if node.value("IsTimeSignatureEnabled") == "true":
        scene["time_signature"] = decode_signature(node.number("TimeSignatureId"))
    return scene


def _usage(tracks: list[Track], kinds: set[str]) -> dict[str, int]:
    counted = Counter(device.name for track in tracks for device in track.devices if device.kind in kinds)
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:_MAX_MARKS])


def _arrangement(parts: _Parts) -> dict[str, Any]:
    ends = [c.end_beat for t in parts.tracks for c in t.playing_clips if c.place == "arrangement"]
    length = max(ends, default=0.0)
    return {"length_beats": length, "length_seconds": _seconds(parts.tempo, length), "loop": parts.loop}


def _seconds(tempo: TempoMap, beat: float) -> float | None:
    seconds = tempo.seconds_at(beat)
    return None if seconds is None else round(seconds, 3)


def _midi_stats(tracks: list[Track]) -> dict[str, Any]:
    """Notes of clips that play: of the session once through each clip, of the arrangement with loops played out."""
    counts = NoteCounts()
    for track in tracks:
        counts.add(track.counts)
    histogram = [0] * 12
    for pitch, count in counts.pitches.items():
        histogram[pitch % 12] += count
    return {
        "notes": counts.session + counts.arrangement,
        "notes_written": counts.written,
        "notes_in_session": counts.session,
        "notes_in_arrangement": counts.arrangement,
        "drum_notes": sum(t.counts.session + t.counts.arrangement for t in tracks if t.is_drums),
        "pitch_min": min(counts.pitches, default=None),
        "pitch_max": max(counts.pitches, default=None),
        "pitch_class_histogram": histogram,
    }


def _pitched(tracks: list[Track]) -> NoteCounts:
    """The notes that are heard as pitches."""
    counts = NoteCounts()
    for track in tracks:
        if not track.is_drums and not track.is_muted:
            counts.add(track.counts)
    return counts


def _key(parts: _Parts) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    pitched = _pitched(parts.tracks)
    return read_key(
        parts.scale,
        in_key=parts.in_key,
        clips=[clip.scale for track in parts.tracks for clip in track.clips if clip.scale],
        note_beats=pitched.beats,
        notes=pitched.pitches.total(),
        samples=sorted({name for track in parts.tracks for name in track.samples}),
    )


def _genres(parts: _Parts, listing: Listing) -> list[dict[str, Any]]:
    beat, pitched = no_beat(), _pitched(parts.tracks)
    for track in parts.tracks:
        if track.beat is not None and not track.is_muted:
            beat.add(track.beat)
    heard = pitched.pitches.total()
    names = [*listing.names, *(name for _beat, name in parts.locators), *(scene["name"] for scene in parts.scenes)]
    return genre_indicators(
        [*names, *(clip.name for track in parts.tracks for clip in track.playing_clips)],
        (name.rpartition(".")[0] or name for track in parts.tracks for name in track.samples),
        bpm=parts.tempo.bpm,
        signature=parts.signature,
        beat=beat,
        mean_note_beats=sum(pitched.beats.values()) / heard if heard else None,
    )
