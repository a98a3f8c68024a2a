"""The summary of a Live Set, as captions and people read it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from services.prompt.alsfile.container import FileRefused, Limits
from services.prompt.alsfile.devices import clip_text, devices_of
from services.prompt.alsfile.scales import read_key
from services.prompt.alsfile.tempo import TempoMap, decode_signature, read_signatures, read_tempo
from services.prompt.alsfile.tracks import KINDS, Track, read_track, scale_values
from services.prompt.alsfile.tree import Node, SectionReader

SCHEMA_VERSION = 1
_MAX_TRACKS, _MAX_CLIPS_LISTED, _MAX_MARKS = 2_000, 2_000, 1_000
_GENRES = str.split(
    """
    house techno trance dubstep trap drill garage grime jungle breakbeat ambient downtempo electro disco funk
    soul jazz blues rock metal punk pop reggae dancehall dub latin salsa folk country gospel classical
    orchestral cinematic lofi dnb
    """
)


@dataclass(slots=True)
class _Parts:
    tracks: list[Track] = field(default_factory=list)
    tempo: TempoMap = field(default_factory=lambda: TempoMap(None))
    signature: str = ""
    signature_changes: list[dict[str, object]] = field(default_factory=list)
    master_devices: list[str] = field(default_factory=list)
    locators: list[tuple[float, str]] = field(default_factory=list)
    scenes: list[dict[str, Any]] = field(default_factory=list)
    scale: tuple[str, str] | None = None
    in_key: bool = False
    warnings: list[str] = field(default_factory=list)

    def take(self, node: Node) -> None:
        """Read one section."""
        if node.tag in KINDS:
            if len(self.tracks) >= _MAX_TRACKS:
                raise FileRefused("LIVE_SET_TOO_LARGE", f"the Live Set has more than {_MAX_TRACKS} tracks; split it")
            self.tracks.append(read_track(node, len(self.tracks)))
        elif node.tag in {"MasterTrack", "MainTrack"}:
            self.tempo = read_tempo(node)
            self.signature, self.signature_changes = read_signatures(node)
            self.master_devices = [device.name for device in devices_of(node)]
        elif node.tag == "Locators":
            found = ((item.number("Time"), clip_text(item.value("Name"))) for item in node.under("Locators"))
            self.locators = sorted((beat, name) for beat, name in found if beat is not None)[:_MAX_MARKS]
        elif node.tag in {"Scenes", "SceneNames"}:
            self.scenes = [_scene(item) for item in node.children if item.tag == "Scene"][:_MAX_MARKS]
        elif node.tag == "ScaleInformation":
            self.scale = scale_values(node)
        elif node.tag == "InKey":
            self.in_key = node.attributes.get("Value") == "true"


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
    if parts.tempo.bpm is None:
        parts.warnings.append("the file holds no tempo")
    return _assemble(parts, creator, version)


def _live_version(root: dict[str, str]) -> int:
    match = re.match(r"(\d{1,3})\.", root.get("MinorVersion", ""))
    return int(match.group(1)) if match else 0


def _assemble(parts: _Parts, creator: str, version: int) -> dict[str, Any]:
    names = _unique_names(parts.tracks)
    levels = _levels(parts.tracks)
    counts = Counter(track.kind for track in parts.tracks)
    usage = {kinds: Counter[str]() for kinds in ("all", "stock", "max")}
    for track in parts.tracks:
        for device in track.devices:
            if device.kind != "rack":
                usage["all"][device.name] += 1
            if device.kind in usage:
                usage[device.kind][device.name] += 1
    midi_and_audio = [track for track in parts.tracks if track.kind in {"MIDI", "Audio"}]
    return {
        "schema_version": SCHEMA_VERSION,
        "live_version": creator,
        "live_major_version": version,
        "overview": {
            "tempo": parts.tempo.bpm,
            "time_signature": parts.signature,
            "midi_tracks": counts["MIDI"],
            "audio_tracks": counts["Audio"],
            "group_tracks": counts["Group"],
            "return_tracks": counts["Return"],
            "total_tracks": len(parts.tracks),
            "clips": sum(_playing(track) for track in parts.tracks),
            "devices": sum(len(track.devices) for track in parts.tracks) + len(parts.master_devices),
        },
        "plugin_usage": _ranked(usage["all"]),
        "stock_devices": _ranked(usage["stock"]),
        "max_devices": _ranked(usage["max"]),
        "master_devices": parts.master_devices,
        "plugins_by_track": {names[t.index]: _plugins(t) for t in parts.tracks if _plugins(t)},
        "sample_index": _sample_index(parts.tracks, names),
        "track_breakdown": {names[track.index]: _breakdown(track, parts.tracks, names) for track in midi_and_audio},
        "track_hierarchy": _hierarchy(parts.tracks, names, levels),
        "tracks": _track_list(parts, names, levels),
        "muted_tracks": [names[track.index] for track in parts.tracks if track.is_muted],
        "genre_indicators": _genres(parts, names),
        "key": read_key(parts.scale, in_key=parts.in_key, clips=[s for t in parts.tracks for s in t.in_key_scales]),
        "tempo_automation": [{"beat": beat, "bpm": bpm} for beat, bpm in parts.tempo.points[:_MAX_MARKS]],
        "time_signature_changes": parts.signature_changes[:_MAX_MARKS],
        "arrangement": _arrangement(parts),
        "locators": [{"beat": b, "seconds": _seconds(parts.tempo, b), "name": name} for b, name in parts.locators],
        "scenes": parts.scenes,
        "midi_stats": _midi_stats(parts.tracks),
        "warnings": parts.warnings,
    }


def _scene(node: Node) -> dict[str, Any]:
    name = node.value("Name") or node.attributes.get("Value", "")
    scene: dict[str, Any] = {"name": clip_text(name)}
    if node.value("IsTempoEnabled") == "true" and (tempo := node.number("Tempo")):
        scene["tempo"] = round(tempo, 3)
    if node.value("IsTimeSignatureEnabled") == "true":
        scene["time_signature"] = decode_signature(node.number("TimeSignatureId"))
    return scene


def _unique_names(tracks: list[Track]) -> list[str]:
    taken: set[str] = set()
    names: list[str] = []
    for track in tracks:
        name, number = track.name, 1
        while name in taken:
            number += 1
            name = f"{track.name} ({number})"
        taken.add(name)
        names.append(name)
    return names


def _levels(tracks: list[Track]) -> list[int]:
    """Depth of each track in the groups; a group that is missing or contains itself counts as none."""
    groups = {track.id: track for track in tracks if track.kind == "Group"}
    levels: list[int] = []
    for track in tracks:
        seen: set[str] = {track.id}
        parent = groups.get(track.group_id)
        while parent is not None and parent.id not in seen:
            seen.add(parent.id)
            parent = groups.get(parent.group_id)
        levels.append(len(seen) - 1)
    return levels


def _group_name(track: Track, tracks: list[Track], names: list[str]) -> str | None:
    return next((names[other.index] for other in tracks if other.kind == "Group" and other.id == track.group_id), None)


def _playing(track: Track) -> int:
    return sum(clip.is_enabled for clip in track.clips)


def _plugins(track: Track) -> list[str]:
    return list(dict.fromkeys(device.name for device in track.devices if device.kind != "rack"))


def _top_level(track: Track) -> int:
    return sum(device.depth == 0 for device in track.devices)


def _ranked(counter: Counter[str]) -> dict[str, int]:
    return dict(sorted(counter.items(), key=lambda item: (-item[1], item[0])))


def _breakdown(track: Track, tracks: list[Track], names: list[str]) -> dict[str, Any]:
    return {
        "type": track.kind,
        "clips": _playing(track),
        "group": _group_name(track, tracks, names),
        "devices": _top_level(track),
        "plugins": _plugins(track),
        "sample_files": sorted(track.samples),
        "has_automation": track.has_automation,
    }


def _sample_index(tracks: list[Track], names: list[str]) -> dict[str, Any]:
    index: dict[str, Any] = {}
    for track in tracks:
        for name, path in sorted(track.samples.items()):
            index.setdefault(name, {"path": path, "tracks": []})["tracks"].append(names[track.index])
    return index


def _hierarchy(tracks: list[Track], names: list[str], levels: list[int]) -> list[dict[str, Any]]:
    groups = {track.id for track in tracks if track.kind == "Group"}
    result: list[dict[str, Any]] = []
    for track in tracks:
        if track.kind == "Return":
            continue
        own: dict[str, Any] = {
            "name": names[track.index],
            "type": track.kind,
            "index": track.index,
            "level": levels[track.index],
        }
        if track.kind == "Group" and track.id in groups:
            children = [other for other in tracks if other.group_id == track.id and other is not track]
            own["children"] = [
                {"name": names[c.index], "type": c.kind, "index": c.index, "level": levels[c.index]} for c in children
            ]
        result.append(own)
    return result


def _track_list(parts: _Parts, names: list[str], levels: list[int]) -> list[dict[str, Any]]:
    left = _MAX_CLIPS_LISTED
    result: list[dict[str, Any]] = []
    for track in parts.tracks:
        listed, left = track.clips[:left], max(0, left - len(track.clips))
        result.append(
            {
                "id": track.id,
                "index": track.index,
                "name": names[track.index],
                "type": track.kind,
                "group_id": None if track.group_id == "-1" else track.group_id,
                "level": levels[track.index],
                "muted": track.is_muted,
                "frozen": track.is_frozen,
                "has_automation": track.has_automation,
                "clip_count": len(track.clips),
                "device_count": _top_level(track),
                "nested_device_count": len(track.devices) - _top_level(track),
                "devices": [
                    {"name": d.name, "kind": d.kind, "enabled": d.is_enabled, "depth": d.depth} for d in track.devices
                ],
                "clips": [
                    {
                        "name": clip.name,
                        "type": clip.kind,
                        "place": clip.place,
                        "start_beat": clip.start_beat,
                        "end_beat": clip.end_beat,
                        "looped": clip.is_looped,
                        "enabled": clip.is_enabled,
                        "notes": clip.notes,
                        "has_envelopes": clip.has_envelopes,
                    }
                    for clip in listed
                ],
            }
        )
    if sum(len(track.clips) for track in parts.tracks) > _MAX_CLIPS_LISTED:
        parts.warnings.append(f"only the first {_MAX_CLIPS_LISTED} clips are listed; the counts hold all")
    return result


def _arrangement(parts: _Parts) -> dict[str, Any]:
    ends = [c.end_beat for t in parts.tracks for c in t.clips if c.place == "arrangement" and c.is_enabled]
    length = max(ends, default=0.0)
    return {"length_beats": length, "length_seconds": _seconds(parts.tempo, length)}


def _seconds(tempo: TempoMap, beat: float) -> float | None:
    seconds = tempo.seconds_at(beat)
    return None if seconds is None else round(seconds, 3)


def _midi_stats(tracks: list[Track]) -> dict[str, Any]:
    pitches = sum((track.pitches for track in tracks), Counter[int]())
    histogram = [0] * 12
    for pitch, count in pitches.items():
        histogram[pitch % 12] += count
    return {
        "notes": sum(pitches.values()),
        "pitch_min": min(pitches, default=None),
        "pitch_max": max(pitches, default=None),
        "pitch_class_histogram": histogram,
    }


def _genres(parts: _Parts, names: list[str]) -> list[str]:
    """Genre words that occur in names of tracks, clips, locators and scenes."""
    texts = [*names, *(name for _beat, name in parts.locators), *(scene["name"] for scene in parts.scenes)]
    texts += [clip.name for track in parts.tracks for clip in track.clips]
    words = {word for text in texts for word in re.findall(r"[a-z]+", text.lower())}
    return [genre for genre in _GENRES if genre in words]
