"""The shape of a profile's master schema: limits, and the types of the keys that captions read."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from chassis.errors import InvalidArgument, Violation, collect

MAX_BYTES, MAX_DEPTH, MAX_VALUES, MAX_VIOLATIONS = 256 << 10, 12, 5_000, 50


class MasterSchemaTooLarge(InvalidArgument):
    """The document is larger, deeper or fuller than a profile may be."""

    REASON = "MASTER_SCHEMA_TOO_LARGE"


_TEXTS = {"type": "array", "items": {"type": "string"}}
_TEXT = {"type": "string"}
_NUMBER = {"type": "number"}
_TEXT_OR_TEXTS: dict[str, Any] = {"type": ["string", "array"], "items": {"type": "string"}}


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties)}


def _texts(*keys: str) -> dict[str, Any]:
    return dict.fromkeys(keys, _TEXT_OR_TEXTS)


def _views(*keys: str) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": _object({"description": _TEXT, **_texts(*keys)})}


# JSON Schema (the keywords type, properties, additionalProperties, items); other keys are kept as they are.
SHAPE: Mapping[str, Any] = _object(
    {
        "schema_version": _TEXT,
        "uuids": _object({"name": _TEXT, "artist_id": _TEXT}),
        "artist": _object(
            {
                "name": _TEXT,
                "origin": _object({"city": _TEXT, "country": _TEXT}),
                "members": _TEXTS,
                "brand_narrative": _object({"tone": _TEXT_OR_TEXTS, "description": _TEXT}),
                "core_identities": _object(
                    {
                        "tempo_center": {"type": ["string", "number"]},
                        **_texts(
                            "energy_profile",
                            "primary_genre_space",
                            "secondary_spaces",
                            "melodic_character",
                            "sound_design_signature",
                            "sync_pitch_identity",
                        ),
                    }
                ),
            }
        ),
        "catalog": {
            "type": "array",
            "items": _object(
                {
                    "work_id": _TEXT,
                    "title": _TEXT,
                    "primary_artist": _TEXT,
                    "release_role": _TEXT,
                    "remixer": {"type": ["string", "null"]},
                    "label": {"type": ["string", "null"]},
                    "tempo_bpm": {"type": ["number", "null"]},
                    "key_center": {"type": ["string", "null"]},
                    "energy_arc": {"type": ["string", "null"]},
                    **_texts("core_tags", "mood_profile", "sync_notes"),
                }
            ),
        },
        "semantic_views": _object(
            {
                "by_mood": _views("typical_elements", "suitable_for"),
                "by_usage": _views("features", "ideal_for"),
                "by_energy_arc": _views("structure_traits"),
            }
        ),
        "creative_policy": _object(
            _texts("keep_foreground", "no_go_zones", "production_guides", "sync_specific_notes")
        ),
        "daw_fingerprint_aggregates": _object(
            {
                "core_bpm_range": _object(
                    {"min": _NUMBER, "max": _NUMBER, "cluster_centers": {"type": "array", "items": _NUMBER}}
                ),
                "keys_and_modes": _object(_texts("common_keys", "modal_tendencies")),
                "drum_palette": _object(_texts("kick_character", "snare_clap_character", "percussion_notes")),
                **_texts(
                    "bass_workflow",
                    "core_synth_palette",
                    "frequent_plugins_tools",
                    "arrangement_habits",
                    "tempo_tendencies",
                ),
            }
        ),
        "provenance": {"type": "object"},
    }
)


def check_master_schema(document: Mapping[str, Any]) -> None:
    """Nothing if the document is a master schema.

    Raises:
        MasterSchemaTooLarge: It breaks a limit of size.
        FieldInvalid: Keys that are known have another type, each with its path.
    """
    _check_size(document)
    with collect() as violations:
        for place, (path, expectation) in enumerate(_mismatches(document, SHAPE, "profile.master_schema")):
            if place < MAX_VIOLATIONS:
                violations.found.append(Violation(path, expectation))


def canonical_json(document: object) -> str:
    """The document as compact JSON with sorted keys; whole numbers without a fraction."""
    return json.dumps(_whole(document), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(document: object) -> str:
    """SHA-256 of the canonical JSON, lower-case hex."""
    return hashlib.sha256(canonical_json(document).encode()).hexdigest()


def _whole(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _whole(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_whole(inner) for inner in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value


def _check_size(document: Mapping[str, Any]) -> None:
    values = 0
    level: list[object] = [document]
    for _depth in range(MAX_DEPTH):
        values += len(level)
        if values > MAX_VALUES:
            raise MasterSchemaTooLarge(f"master_schema holds more than {MAX_VALUES} values; shorten its lists")
        if any(isinstance(value, float) and not math.isfinite(value) for value in level):
            raise MasterSchemaTooLarge("master_schema holds a number that is not finite; JSON has none")
        level = [inner for value in level for inner in _inside(value)]
        if not level:
            break
    else:
        raise MasterSchemaTooLarge(f"master_schema nests deeper than {MAX_DEPTH} levels; flatten it")
    size = len(canonical_json(document).encode())
    if size > MAX_BYTES:
        raise MasterSchemaTooLarge(f"master_schema takes {size} bytes as JSON; at most {MAX_BYTES} are kept")


def _inside(value: object) -> list[object]:
    if isinstance(value, Mapping):
        return list(value.values())
    return list(value) if isinstance(value, list | tuple) else []


_TYPES: dict[str, tuple[type, ...]] = {
    "object": (Mapping,),
    "array": (list, tuple),
    "string": (str,),
    "number": (int, float),
    "null": (type(None),),
}


def _mismatches(value: object, shape: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    allowed = shape.get("type", [])
    allowed = [allowed] if isinstance(allowed, str) else allowed
    if not any(isinstance(value, _TYPES[kind]) and not isinstance(value, bool) for kind in allowed):
        yield path, " or ".join(allowed)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            inner_shape = shape.get("properties", {}).get(key) or shape.get("additionalProperties")
            if inner_shape:
                yield from _mismatches(inner, inner_shape, f"{path}.{key}")
    elif isinstance(value, list | tuple) and "items" in shape:
        for index, inner in enumerate(value):
            yield from _mismatches(inner, shape["items"], f"{path}[{index}]")
