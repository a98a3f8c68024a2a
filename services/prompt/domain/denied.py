"""What captions of an artist may not name: people, works, files, products, and what its policy refuses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from services.prompt.domain.rules import RuleContext
from services.prompt.domain.vocabulary import is_generic

_PROGRAMS = ("Ableton", "Live Set")
_VENDORS = str.split(
    """
    FabFilter|Soundtoys|Valhalla|Native Instruments|Kontakt|Serum|Massive|Sylenth1|Omnisphere|Waves|iZotope|Arturia|UAD
    |Universal Audio|Xfer|Splice|u-he|Diva|Vital|Max for Live|Spitfire Audio|Slate Digital|Plugin Alliance|Roland
    |Korg|Moog|Yamaha|Logic Pro|FL Studio|Cubase|Pro Tools|Bitwig|Reaktor|EastWest|Spectrasonics|Cableguys|Kilohearts
    """,
    "|",
)
_OWN_NAMES = ("als_stem", "als_filename", "project_name", "project_folder", "artist_name")
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,5}$")
_REFUSAL = re.compile(r"^(?:please\s+)?(?:no|avoid|never(?: use)?|not|without|do not use|don't use)\s+", re.IGNORECASE)
_BETWEEN_REFUSALS = re.compile(r"[,;\n]|\s/\s|\s(?:or|nor)\s")


def context_of(
    *,
    tempo_bpm: float | None,
    master_schema: Mapping[str, Any],
    summary: Mapping[str, Any],
    artist_names: Iterable[str],
    denied: Iterable[str] = (),
    file_names: Iterable[str] = (),
    siblings: Iterable[str] = (),
) -> RuleContext:
    """What captions of this artist and Live Set are checked against.

    Args:
        tempo_bpm: The tempo to end with; None accepts any.
        master_schema: The artist's style document.
        summary: The Live Set's summary; empty when there is none.
        artist_names: Names of the artist and its members.
        denied: Further names that no caption may hold, as of public artists.
        file_names: Further files and ids; those of generic words alone name nothing.
        siblings: Captions of the same dataset.
    """
    people = [*artist_names, *_people(master_schema), *denied, *_PROGRAMS]
    samples = [_EXTENSION.sub("", name) or name for name in _mapping(summary.get("sample_index"))]
    own = [_text(summary.get(key)) for key in _OWN_NAMES]
    files = [*own, *samples, *(_EXTENSION.sub("", name) for name in file_names)]
    policy = _mapping(master_schema.get("creative_policy"))
    return RuleContext(
        tempo_bpm=tempo_bpm,
        denied=_terms(people) | {term for term in _terms(files) if not is_generic(term)},
        no_go=_terms(_refused(_list(policy.get("no_go_zones")))),
        brands=frozenset(term for term in _terms([*_devices(summary), *_VENDORS]) if not is_generic(term)),
        siblings=tuple(siblings),
    )


def _devices(summary: Mapping[str, Any]) -> Iterable[str]:
    for track in _list(summary.get("tracks")):
        for device in _list(_mapping(track).get("devices")):
            if _mapping(device).get("kind") in {"vst", "vst3", "au", "max"}:
                yield _text(_mapping(device).get("name"))


def _people(master_schema: Mapping[str, Any]) -> Iterable[str]:
    artist = _mapping(master_schema.get("artist"))
    yield _text(artist.get("name"))
    yield _text(_mapping(master_schema.get("uuids")).get("name"))
    yield from map(_text, _list(artist.get("members")))
    for work in _list(master_schema.get("catalog")):
        yield from (_text(_mapping(work).get(key)) for key in ("title", "primary_artist", "remixer", "label"))


def _refused(zones: Iterable[object]) -> Iterable[str]:
    for zone in zones:
        whole = _REFUSAL.sub("", _text(zone).strip().rstrip("."))
        yield whole
        yield from (_REFUSAL.sub("", part.strip()) for part in _BETWEEN_REFUSALS.split(whole))


def _terms(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(text.strip() for text in texts if len(text.strip()) >= 2)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _list(value: object) -> list[Any]:
    return [value] if isinstance(value, str) else list(value) if isinstance(value, list | tuple) else []


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
