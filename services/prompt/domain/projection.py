"""The compact input of a caption: what is heard and wanted, without names, files, paths or plugin data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from services.prompt.domain.captions import Hints
from services.prompt.domain.profile_shape import canonical_json
from services.prompt.domain.vocabulary import DEVICE_SOUNDS, ROLES, TREATMENTS, role_of, words_of

# About 6,000 tokens.
MAX_CHARACTERS = 24_000
_MAX_TRACKS, _MAX_DEVICES, _MAX_SOUNDS, _MAX_TEXT = 60, 25, 40, 300


def project(
    *,
    master_schema: Mapping[str, Any],
    profile_notes: str,
    summary: Mapping[str, Any],
    hints: Hints,
    asset_duration_s: float | None,
) -> dict[str, Any]:
    """The input that the writer sees, the same for the same facts, at most `MAX_CHARACTERS` as JSON.

    Args:
        master_schema: The artist's style document; names, titles and catalog stay out.
        profile_notes: Free notes of the profile.
        summary: The Live Set's summary; empty when there is none.
        hints: What a person knows; wins over the summary.
        asset_duration_s: Length of the audio in seconds, if there is an asset.
    """
    profile = _profile(master_schema, profile_notes)
    document: dict[str, Any] = {
        "profile": profile,
        "live_set": _live_set(summary, _MAX_TRACKS),
        "hints": _without_empty(
            {
                "genres": list(hints.genres),
                "moods": list(hints.moods),
                "instruments": list(hints.instruments),
                "notes": hints.notes,
                "key": hints.key,
            }
        ),
        "tempo_bpm": hints.tempo_bpm or tempo_of(summary),
        "time_signature": hints.time_signature or _text(_part(summary, "overview").get("time_signature")),
        "audio_seconds": asset_duration_s and round(asset_duration_s, 1),
    }
    for tracks in (30, 10, 0):
        if len(canonical_json(document)) <= MAX_CHARACTERS:
            break
        document["live_set"] = _live_set(summary, tracks)
    if len(canonical_json(document)) > MAX_CHARACTERS:
        document["profile"] = {"core_identities": profile.get("core_identities", {})}
    return _without_empty(document)


def tempo_of(summary: Mapping[str, Any]) -> float | None:
    """The tempo of a Live Set, if it holds one that a caption can name."""
    tempo = _part(summary, "overview").get("tempo")
    return float(tempo) if isinstance(tempo, int | float) and 20 <= tempo <= 999 else None


def _profile(master_schema: Mapping[str, Any], notes: str) -> dict[str, Any]:
    artist = _part(master_schema, "artist")
    views = _part(master_schema, "semantic_views")
    fingerprint = dict(_part(master_schema, "daw_fingerprint_aggregates"))
    fingerprint.pop("frequent_plugins_tools", None)  # product names
    descriptions = [
        view["description"]
        for group in views.values()
        if isinstance(group, Mapping)
        for view in group.values()
        if isinstance(view, Mapping) and view.get("description")
    ]
    parts = {
        "core_identities": _part(artist, "core_identities"),
        "tone": _part(artist, "brand_narrative").get("tone"),
        "creative_policy": _part(master_schema, "creative_policy"),
        "views": descriptions[:20],
        "fingerprint": fingerprint,
        "notes": notes,
    }
    return _without_empty({key: _clipped(value) for key, value in parts.items()})


def _live_set(summary: Mapping[str, Any], max_tracks: int) -> dict[str, Any]:
    if not summary:
        return {}
    overview = _part(summary, "overview")
    key = _part(summary, "key")
    tracks = [track for track in summary.get("tracks") or [] if isinstance(track, Mapping)]
    counts = ("midi_tracks", "audio_tracks", "group_tracks", "return_tracks", "clips", "devices")
    return _without_empty(
        {
            "track_counts": {name: overview.get(name) for name in counts},
            "key": f"{key.get('root_name')} {key.get('scale')}" if key.get("trusted") else "",
            "devices": _devices(summary),
            "tracks": [_track(track) for track in tracks[:max_tracks]],
            "sounds": _sounds(summary),
            "arrangement_seconds": _part(summary, "arrangement").get("length_seconds"),
            "sections": [
                _clipped(mark.get("name"))[:60] for mark in (summary.get("locators") or [])[:20] if mark.get("name")
            ],
            "genre_indicators": summary.get("genre_indicators"),
            "tempo_changes": len(summary.get("tempo_automation") or []) or None,
        }
    )


def _devices(summary: Mapping[str, Any]) -> dict[str, int]:
    """What the devices sound like, most frequent first; product names stay out."""
    heard: Counter[str] = Counter()
    for name, count in _part(summary, "plugin_usage").items():
        if sound := DEVICE_SOUNDS.get(name) or TREATMENTS.get(name):
            heard[sound] += int(count)
    return dict(sorted(heard.items(), key=lambda item: (-item[1], item[0]))[:_MAX_DEVICES])


def _track(track: Mapping[str, Any]) -> dict[str, Any]:
    """A track without its name, which may hold anything."""
    return _without_empty(
        {
            "role": role_of(_text(track.get("name"))),
            "type": track.get("type"),
            "clips": track.get("clip_count"),
            "devices": track.get("device_count"),
            "automated": track.get("has_automation"),
        }
    )


def _sounds(summary: Mapping[str, Any]) -> dict[str, int]:
    """Sound words in the names of samples, which themselves stay out: they carry vendors, keys and other tempos."""
    heard: Counter[str] = Counter()
    for name in _part(summary, "sample_index"):
        heard.update({ROLES[word] for word in words_of(name) if word in ROLES})
    return dict(sorted(heard.items(), key=lambda item: (-item[1], item[0]))[:_MAX_SOUNDS])


def _clipped(value: Any, depth: int = 6) -> Any:
    if isinstance(value, str):
        return " ".join(value.split())[:_MAX_TEXT]
    if isinstance(value, Mapping):
        return {str(key)[:60]: _clipped(inner, depth - 1) for key, inner in list(value.items())[:40]} if depth else {}
    if isinstance(value, list | tuple):
        return [_clipped(inner, depth - 1) for inner in value[:20]] if depth else []
    return value


def _part(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = document.get(key)
    return found if isinstance(found, Mapping) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _without_empty(document: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if value not in (None, "", [], {}, False)}
