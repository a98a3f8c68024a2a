"""The tracks of a Live Set as the summary lists them: by name, as a tree, and one by one."""

from __future__ import annotations

from collections import Counter
from typing import Any

from services.prompt.alsfile.clips import Clip
from services.prompt.alsfile.devices import Device
from services.prompt.alsfile.tracks import Track

MOST_CLIPS, MOST_DEVICES, MOST_PADS, MOST_SAMPLES = 2_000, 3_000, 1_000, 3_000


class Listing:
    """The tracks with names that are unique and their depth in the groups."""

    def __init__(self, tracks: list[Track]) -> None:
        self.tracks = tracks
        self.names = _unique_names(tracks)
        self.warnings: list[str] = []
        self._groups = {track.id: track for track in reversed(tracks) if track.kind == "Group"}
        self._levels = [self._level(track) for track in tracks]

    def counts(self) -> dict[str, int]:
        """The numbers of tracks, clips and devices of the overview, those of the master left out."""
        kinds = Counter(track.kind for track in self.tracks)
        return {
            "midi_tracks": kinds["MIDI"],
            "audio_tracks": kinds["Audio"],
            "group_tracks": kinds["Group"],
            "return_tracks": kinds["Return"],
            "total_tracks": len(self.tracks),
            "clips": sum(len(track.playing_clips) for track in self.tracks),
            "devices": sum(len(track.devices) for track in self.tracks),
        }

    def plugins_by_track(self) -> dict[str, list[str]]:
        """Devices that are no racks, by track, each once; tracks without are left out."""
        return {self.names[t.index]: _plugins(t) for t in self.tracks if _plugins(t)}

    def sample_index(self) -> dict[str, Any]:
        """Tracks by sample file; `path` is the file's name again, as folders stay out."""
        index: dict[str, Any] = {}
        for track in self.tracks:
            for name in sorted(track.samples):
                if name in index or len(index) < MOST_SAMPLES:
                    index.setdefault(name, {"path": name, "tracks": []})["tracks"].append(self.names[track.index])
        self._warn_of(len({name for track in self.tracks for name in track.samples}), MOST_SAMPLES, "sample files")
        return index

    def breakdown(self) -> dict[str, Any]:
        """MIDI and audio tracks by name."""
        return {
            self.names[track.index]: {
                "type": track.kind,
                "clips": len(track.playing_clips),
                "group": self._group_name(track),
                "devices": _top_level(track),
                "plugins": _plugins(track),
                "sample_files": sorted(track.samples)[:MOST_SAMPLES],
                "has_automation": track.has_automation,
            }
            for track in self.tracks
            if track.kind in {"MIDI", "Audio"}
        }

    def hierarchy(self) -> list[dict[str, Any]]:
        """All tracks but returns in their order; groups name what is right inside them."""
        return [
            {**self._place(track), **({"children": self._children(track)} if track.kind == "Group" else {})}
            for track in self.tracks
            if track.kind != "Return"
        ]

    def track_list(self) -> list[dict[str, Any]]:
        """Every track with its devices and clips, up to the limits of lists."""
        left = {"clips": MOST_CLIPS, "devices": MOST_DEVICES, "pads": MOST_PADS}

        def take(kind: str, items: list[Any]) -> list[Any]:
            taken = items[: left[kind]]
            left[kind] -= len(taken)
            return taken

        listed = [
            {
                **self._facts(track),
                "devices": [_device(device) for device in take("devices", track.devices)],
                "drum_pads": [
                    {"pitch": pad.pitch, "name": pad.name, "samples": list(pad.samples)}
                    for pad in take("pads", track.pads)
                ],
                "clips": [_clip(clip) for clip in take("clips", track.clips)],
            }
            for track in self.tracks
        ]
        self._warn_of(sum(len(track.clips) for track in self.tracks), MOST_CLIPS, "clips")
        self._warn_of(sum(len(track.devices) for track in self.tracks), MOST_DEVICES, "devices")
        self._warn_of(sum(len(track.pads) for track in self.tracks), MOST_PADS, "drum pads")
        return listed

    def _facts(self, track: Track) -> dict[str, Any]:
        places = Counter(clip.place for clip in track.playing_clips)
        top = _top_level(track)
        return {
            "id": track.id,
            **self._place(track),
            "group_id": None if track.group_id == "-1" else track.group_id,
            "group": self._group_name(track),
            "color": track.color,
            "muted": track.is_muted,
            "frozen": track.is_frozen,
            "has_automation": track.has_automation,
            "automated_parameters": track.automated,
            "clip_envelopes": sum(clip.envelopes for clip in track.playing_clips),
            "clip_count": len(track.playing_clips),
            "session_clips": places["session"],
            "arrangement_clips": places["arrangement"],
            "disabled_clips": len(track.clips) - len(track.playing_clips),
            "device_count": top,
            "nested_device_count": len(track.devices) - top,
            "notes": track.counts.session + track.counts.arrangement,
        }

    def _place(self, track: Track) -> dict[str, Any]:
        return {
            "name": self.names[track.index],
            "type": track.kind,
            "index": track.index,
            "level": self._levels[track.index],
        }

    def _children(self, group: Track) -> list[dict[str, Any]]:
        return [self._place(track) for track in self.tracks if track.group_id == group.id and track is not group]

    def _group_name(self, track: Track) -> str | None:
        group = self._groups.get(track.group_id)
        return self.names[group.index] if group is not None and group is not track else None

    def _level(self, track: Track) -> int:
        """Depth in the groups; a group that is missing or contains itself counts as none."""
        seen: set[str] = {track.id}
        parent = self._groups.get(track.group_id)
        while parent is not None and parent.id not in seen:
            seen.add(parent.id)
            parent = self._groups.get(parent.group_id)
        return len(seen) - 1

    def _warn_of(self, count: int, most: int, what: str) -> None:
        if count > most:
            self.warnings.append(f"only the first {most:,} of {count:,} {what} are listed; the counts hold all")


def _unique_names(tracks: list[Track]) -> list[str]:
    taken: set[str] = set()
    numbers: Counter[str] = Counter()
    names: list[str] = []
    for track in tracks:
        name = track.name
        while name in taken:
            numbers[track.name] += 1
            name = f"{track.name} ({numbers[track.name] + 1})"
        taken.add(name)
        names.append(name)
    return names


def _plugins(track: Track) -> list[str]:
    return list(dict.fromkeys(device.name for device in track.devices if device.kind != "rack"))[:MOST_DEVICES]


def _top_level(track: Track) -> int:
    return sum(device.depth == 0 for device in track.devices)


def _device(device: Device) -> dict[str, Any]:
    named = {"label": device.label} if device.label else {}
    return {
        "name": device.name,
        "kind": device.kind,
        "enabled": device.is_enabled,
        "depth": device.depth,
        **named,
    }


def _clip(clip: Clip) -> dict[str, Any]:
    placed = {} if clip.slot is None else {"slot": clip.slot}
    return {
        "name": clip.name,
        "type": clip.kind,
        "place": clip.place,
        **placed,
        "start_beat": clip.start_beat,
        "end_beat": clip.end_beat,
        "looped": clip.is_looped,
        "enabled": clip.is_enabled,
        "color": clip.color,
        "notes": clip.counts.written,
        "has_envelopes": clip.envelopes > 0,
    }
