"""The offline composer: a caption from the projected facts alone, the same for the same facts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

from services.prompt.domain.captions import Usage
from services.prompt.domain.instructions import Instruction
from services.prompt.domain.ports import Task
from services.prompt.domain.profile_shape import digest
from services.prompt.domain.rules import RuleContext, is_allowed, tempo_tag
from services.prompt.domain.vocabulary import DRUMS, TREATMENTS, join_words

VERSION = "composer-1"
_OPENERS = ("modern {genre}", "contemporary {genre}", "polished {genre}", "detailed {genre}")
_LAYOUTS = ("layered arrangement", "evolving arrangement", "focused arrangement", "wide-screen arrangement")
_GENRE_BY_TEMPO = (
    (85, "downtempo"),
    (105, "laid-back electronic"),
    (122, "mid-tempo electronic"),
    (132, "club electronic"),
    (165, "fast electronic"),
    (999, "high-tempo electronic"),
)
_ENERGY_BY_TEMPO = (
    (80, "calm"),
    (105, "groovy"),
    (122, "flowing"),
    (140, "driving"),
    (999, "urgent"),
)


def compose(projection: Mapping[str, Any], tempo_bpm: float | None, context: RuleContext) -> str:
    """A caption of one sentence and the tempo tag if there is a tempo; phrases that the rules refuse are left out."""
    seed = int(digest(projection)[:8], 16)

    def pick(choices: Iterable[str], most: int = 1, longest: int = 60) -> list[str]:
        cleaned = (_phrase(choice) for choice in choices)
        fitting = [c for c in cleaned if c and len(c) <= longest and ":" not in c and is_allowed(c, context)]
        return list(dict.fromkeys(fitting))[:most]

    def turn(choices: tuple[str, ...]) -> tuple[str, ...]:
        start = seed % len(choices)
        return choices[start:] + choices[:start]

    genre = (pick(_genres(projection, tempo_bpm)) or ["instrumental"])[0]
    opener = (pick(text.format(genre=genre) for text in turn(_OPENERS)) or [genre])[0]
    instruments = pick(_instruments(projection), most=4, longest=40) or pick(
        ["layered synthesizers", "rhythmic textures"], most=2
    )
    treatments = pick(_treatments(projection), most=2, longest=40)
    moods = pick([*_moods(projection), _by_tempo(_ENERGY_BY_TEMPO, tempo_bpm)], most=3, longest=40)
    layout = pick([_density(projection), *turn(_LAYOUTS)], most=1)
    parts = [opener[:1].upper() + opener[1:]]
    if instruments:
        parts.append(f" track with {join_words(instruments)}")
    if treatments:
        parts.append(f", shaped by {join_words(treatments)}")
    if moods:
        parts.append(f", {join_words(moods)} in mood")
    if layout:
        parts.append(f", in a {layout[0]} made for film, television and advertising")
    sentence = "".join(parts)
    while len(sentence) > 380:
        sentence = sentence.rpartition(",")[0] or sentence[:380]
    return f"{sentence}. {tempo_tag(tempo_bpm)}" if tempo_bpm else f"{sentence}."


def pieces(text: str) -> list[str]:
    """The text in the small pieces in which it is streamed."""
    words = text.split(" ")
    return [word if place == 0 else f" {word}" for place, word in enumerate(words)]


def _genres(projection: Mapping[str, Any], tempo_bpm: float | None) -> Iterable[str]:
    core = _part(projection, "profile", "core_identities")
    yield from _texts(_part(projection, "hints").get("genres"))
    yield from _texts(_part(projection, "live_set").get("genre_indicators"))
    yield from _texts(core.get("primary_genre_space"))
    yield from _texts(core.get("secondary_spaces"))
    yield _by_tempo(_GENRE_BY_TEMPO, tempo_bpm)


def _instruments(projection: Mapping[str, Any]) -> list[str]:
    live_set = _part(projection, "live_set")
    roles = [_text(track.get("role")) for track in live_set.get("tracks", []) if isinstance(track, Mapping)]
    sounds = list(_part(live_set, "sounds"))
    devices = [name for name in _part(live_set, "devices") if name not in TREATMENTS.values()]
    heard = [*roles, *sounds]
    drums = [name for name in heard if name in DRUMS]
    tonal = [name for name in heard if name and name not in DRUMS]
    beat = ["programmed drums"] if len(set(drums)) > 2 else drums
    return [*_texts(_part(projection, "hints").get("instruments")), *beat[:2], *tonal, *devices]


def _treatments(projection: Mapping[str, Any]) -> list[str]:
    devices = _part(projection, "live_set", "devices")
    signature = _texts(_part(projection, "profile", "core_identities").get("sound_design_signature"))
    return [*(name for name in devices if name in TREATMENTS.values()), *signature]


def _moods(projection: Mapping[str, Any]) -> list[str]:
    profile = _part(projection, "profile")
    core = _part(profile, "core_identities")
    return [
        *_texts(_part(projection, "hints").get("moods")),
        *_texts(profile.get("tone")),
        *_texts(core.get("energy_profile")),
        *_texts(core.get("melodic_character")),
    ]


def _density(projection: Mapping[str, Any]) -> str:
    tracks = len(_part(projection, "live_set").get("tracks", []))
    return "dense, many-layered arrangement" if tracks > 24 else "sparse, open arrangement" if 0 < tracks <= 4 else ""


def _by_tempo(table: tuple[tuple[int, str], ...], tempo_bpm: float | None) -> str:
    if tempo_bpm is None:
        return ""
    return next((word for limit, word in table if tempo_bpm <= limit), table[-1][1])


def _phrase(text: str) -> str:
    return " ".join(text.split()).strip(" .,;!?\"'")


def _part(document: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    for key in keys:
        found = document.get(key)
        document = found if isinstance(found, Mapping) else {}
    return document


def _texts(value: object) -> list[str]:
    return (
        [value]
        if isinstance(value, str)
        else [v for v in value if isinstance(v, str)]
        if isinstance(value, list)
        else []
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


class OfflineWriter:
    """Writes captions without a model, so that everything works without a key."""

    engine = "offline-composer"
    model = VERSION
    max_attempts = 1

    def temperature(self, _instruction: Instruction) -> float:
        """Zero: the same facts give the same text."""
        return 0.0

    async def write(self, task: Task) -> AsyncIterator[str | Usage]:
        """The composed text, word by word."""
        for piece in pieces(compose(task.projection, task.tempo_bpm, task.context)):
            yield piece
