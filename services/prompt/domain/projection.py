"""The compact input of a caption: what is heard and wanted, without names, files, paths or plugin data.

Of a Live Set only numbers and known words pass, since its names may hold anything. Of what people write about their
music, known keys pass, with names, files, paths and orders taken out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.prompt.domain.captions import Hints
from services.prompt.domain.profile_shape import canonical_json
from services.prompt.domain.rules import RuleContext
from services.prompt.domain.scrubbing import safe_text
from services.prompt.domain.vocabulary import (
    DEVICE_SOUNDS,
    ROLES,
    TREATMENTS,
    role_of,
    section_of,
    words_of,
)

# About 6,000 tokens, as UTF-8.
MAX_BYTES = 24_000
# How much goes in, from all to what always fits: tracks, texts of a list, characters of a text.
_FITS = ((60, 20, 300), (30, 20, 300), (10, 12, 200), (0, 6, 120), (0, 3, 60))
# Below this the tempo or key heard in the audio is not used.
SURE = 0.5
_MAX_DEVICES, _MAX_SOUNDS, _MAX_SECTIONS = 25, 40, 20
_CORE = (
    "tempo_center",
    "energy_profile",
    "primary_genre_space",
    "secondary_spaces",
    "melodic_character",
    "sound_design_signature",
    "sync_pitch_identity",
)
_POLICY = ("keep_foreground", "no_go_zones", "production_guides", "sync_specific_notes")
# `frequent_plugins_tools` stays out: product names.
_FINGERPRINT = ("bass_workflow", "core_synth_palette", "arrangement_habits", "tempo_tendencies")
_DRUMS = ("kick_character", "snare_clap_character", "percussion_notes")
_KEYS = ("common_keys", "modal_tendencies")
_KEY = re.compile(r"[A-G](?:[#b♯♭]| sharp| flat)? ?[A-Za-z ]{0,24}")
_GENRE = re.compile(r"[a-z0-9][a-z0-9 &-]{1,30}")
_SIGNATURE = re.compile(r"[0-9]{1,2}/[0-9]{1,2}")


def project(
    *,
    master_schema: Mapping[str, Any],
    profile_notes: str,
    summary: Mapping[str, Any],
    hints: Hints,
    audio: Mapping[str, Any],
    tempo_bpm: float | None,
    context: RuleContext,
    wish: str = "",
) -> dict[str, Any]:
    """The input that the writer sees, the same for the same facts, at most `MAX_BYTES` as JSON.

    Args:
        master_schema: The artist's style document; names, titles and catalog stay out.
        profile_notes: Free notes of the profile.
        summary: The Live Set's summary; empty when there is none.
        hints: What a person knows; wins over the summary.
        audio: What is heard in the audio: `seconds`, `key`; empty when there is none.
        tempo_bpm: The tempo that the caption ends with, if one is known.
        context: What may not be named.
        wish: What a person wants done differently this time.
    """
    overview = _part(summary, "overview")
    signature = hints.time_signature or overview.get("time_signature")
    document: dict[str, Any] = {}
    for tracks, items, longest in _FITS:
        words = _Words(context, items, longest)
        live_set = _live_set(summary, tracks, words)
        document = {
            "profile": _profile(master_schema, profile_notes, words),
            "live_set": live_set,
            "hints": _hints(hints, words),
            "wish": words.one(wish),
            "tempo_bpm": tempo_bpm,
            "time_signature": signature if _SIGNATURE.fullmatch(str(signature)) else None,
            "audio": dict(audio),
        }
        if len(canonical_json(document).encode()) <= MAX_BYTES:
            break
    return without_empty(document)


def tempo_of(summary: Mapping[str, Any]) -> float | None:
    """The tempo of a Live Set, if it holds one that a caption can name."""
    tempo = _part(summary, "overview").get("tempo")
    return float(tempo) if isinstance(tempo, int | float) and 20 <= tempo <= 999 else None


def without_empty(document: Mapping[str, Any]) -> dict[str, Any]:
    """The entries that say something."""
    return {key: value for key, value in document.items() if value not in (None, "", [], {}, False)}


@dataclass(frozen=True, slots=True)
class _Words:
    """What people write, made fit to be sent: so many texts of a list, so many characters of a text."""

    context: RuleContext
    items: int
    longest: int

    def one(self, text: object, times: int = 1) -> str:
        """A text; empty for something else."""
        return safe_text(text, self.context, longest=times * self.longest) if isinstance(text, str) else ""

    def some(self, value: object) -> list[str]:
        """The texts of a list, or of a single text or number."""
        texts = value if isinstance(value, list | tuple) else [value]
        safe = (self.one(str(text)) for text in texts[: self.items] if isinstance(text, str | int | float))
        return [text for text in safe if text]

    def under(self, document: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
        """The texts under known keys; other keys stay out."""
        return without_empty({key: self.some(document.get(key)) for key in keys})

    def known(self, word: str) -> str:
        """A word of ours, unless it is a name."""
        return " ".join(self.context.without_names(word).split())

    def counted(self, words: Counter[str], most: int) -> dict[str, int]:
        """Words of ours with their counts, most frequent first."""
        ranked = sorted(words.items(), key=lambda item: (-item[1], item[0]))[:most]
        return {word: count for word, count in ranked if self.known(word) == word}


def _profile(master_schema: Mapping[str, Any], notes: str, words: _Words) -> dict[str, Any]:
    artist = _part(master_schema, "artist")
    fingerprint = _part(master_schema, "daw_fingerprint_aggregates")
    heard: dict[str, Any] = words.under(fingerprint, _FINGERPRINT)
    heard["keys"] = words.under(_part(fingerprint, "keys_and_modes"), _KEYS)
    heard["drums"] = words.under(_part(fingerprint, "drum_palette"), _DRUMS)
    views = [
        view.get("description")
        for group in _part(master_schema, "semantic_views").values()
        if isinstance(group, Mapping)
        for view in group.values()
        if isinstance(view, Mapping)
    ]
    return without_empty(
        {
            "core_identities": words.under(_part(artist, "core_identities"), _CORE),
            "tone": words.some(_part(artist, "brand_narrative").get("tone")),
            "creative_policy": words.under(_part(master_schema, "creative_policy"), _POLICY),
            "views": words.some(views),
            "fingerprint": without_empty(heard),
            "notes": words.one(notes, 3),
        }
    )


def _hints(hints: Hints, words: _Words) -> dict[str, Any]:
    return without_empty(
        {
            "genres": words.some(hints.genres),
            "moods": words.some(hints.moods),
            "instruments": words.some(hints.instruments),
            "notes": words.one(hints.notes, 3),
            "key": hints.key if _KEY.fullmatch(hints.key) else "",
        }
    )


def _live_set(summary: Mapping[str, Any], max_tracks: int, words: _Words) -> dict[str, Any]:
    if not summary:
        return {}
    overview = _part(summary, "overview")
    key = _part(summary, "key")
    key_text = f"{key.get('root_name')} {key.get('scale')}" if key.get("trusted") else ""
    tracks = [track for track in summary.get("tracks") or [] if isinstance(track, Mapping)]
    counts = ("midi_tracks", "audio_tracks", "group_tracks", "return_tracks", "clips", "devices")
    marks = [mark for mark in summary.get("locators") or [] if isinstance(mark, Mapping)]
    sections = [words.known(section_of(_text(mark.get("name")))) for mark in marks]
    genres = [genre for genre in summary.get("genre_indicators") or [] if _GENRE.fullmatch(str(genre))]
    return without_empty(
        {
            "track_counts": without_empty({name: _number(overview.get(name)) for name in counts}),
            "key": key_text if _KEY.fullmatch(key_text) else "",
            "devices": words.counted(_devices(summary), _MAX_DEVICES),
            "tracks": [_track(track, words) for track in tracks[:max_tracks]],
            "sounds": words.counted(_sounds(summary), _MAX_SOUNDS),
            "arrangement_seconds": _number(_part(summary, "arrangement").get("length_seconds")),
            "sections": [section for section in sections if section][:_MAX_SECTIONS],
            "genre_indicators": [genre for genre in genres[:10] if words.known(genre) == genre],
            "tempo_changes": len(summary.get("tempo_automation") or []) or None,
        }
    )


def _devices(summary: Mapping[str, Any]) -> Counter[str]:
    """What the devices sound like; product names stay out."""
    heard: Counter[str] = Counter()
    for name, count in _part(summary, "plugin_usage").items():
        if (sound := DEVICE_SOUNDS.get(name) or TREATMENTS.get(name)) and isinstance(count, int | float):
            heard[sound] += int(count)
    return heard


def _track(track: Mapping[str, Any], words: _Words) -> dict[str, Any]:
    """A track without its name, which may hold anything."""
    kind = track.get("type")
    return without_empty(
        {
            "role": words.known(role_of(_text(track.get("name")))),
            "type": kind if kind in {"MIDI", "Audio", "Group", "Return"} else None,
            "clips": _number(track.get("clip_count")),
            "devices": _number(track.get("device_count")),
            "automated": track.get("has_automation") is True,
        }
    )


def _sounds(summary: Mapping[str, Any]) -> Counter[str]:
    """Sound words in the names of samples, which themselves stay out: they carry vendors, keys and other tempos."""
    heard: Counter[str] = Counter()
    for name in _part(summary, "sample_index"):
        heard.update({ROLES[word] for word in words_of(name) if word in ROLES})
    return heard


def _number(value: object) -> float | int | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _part(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = document.get(key)
    return found if isinstance(found, Mapping) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
