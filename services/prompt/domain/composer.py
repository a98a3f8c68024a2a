"""The offline composer: a caption from the projected facts alone, the same for the same facts and variant."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from services.prompt.domain.captions import Usage
from services.prompt.domain.findings import tempo_tag
from services.prompt.domain.instructions import Instruction
from services.prompt.domain.likeness import is_near_copy
from services.prompt.domain.ports import Task
from services.prompt.domain.profile_shape import digest
from services.prompt.domain.rules import RuleContext, check, is_allowed
from services.prompt.domain.vocabulary import DRUMS, TREATMENTS, join_words, moods_of, roles_of

VERSION = "composer-2"
_Choice = TypeVar("_Choice")
_OPENERS = ("modern {genre}", "contemporary {genre}", "polished {genre}", "detailed {genre}")
_LAYOUTS = ("a layered arrangement", "an evolving arrangement", "a focused arrangement", "a wide-screen arrangement")
# Each is a way to say the same; a part whose facts are missing is left out. A word that an artist refuses or is called
# by stands in some of them and not in others.
_FRAMES = (
    (
        "{opener} track with {instruments}",
        ", shaped by {treatments}",
        ", {moods} in mood",
        ", in {layout} made for film, television and advertising",
    ),
    (
        "{opener} piece built around {instruments}",
        ", coloured by {treatments}",
        ", keeping {moods} energy from beginning to end",
        " through {layout}",
    ),
    (
        "{instruments} setting the tone of this {genre} cut",
        ", treated using {treatments}",
        ", giving it {moods} character",
        " and leaving space for {layout}",
    ),
    (
        "{opener} composition carried by {instruments}",
        " against {treatments}",
        "; its feel stays {moods}",
        " while {layout} unfolds step by step",
    ),
    (
        "{moods} {genre} music led by {instruments}",
        ", deepened through {treatments}",
        ", growing across {layout} towards its later half",
    ),
    (
        "{genre} groove of {instruments}",
        ", blended amid {treatments}",
        ", sounding {moods}",
        ", where {layout} lets every layer breathe",
    ),
    (
        "{instruments} woven into {opener} rhythms",
        ", rounded off by {treatments}",
        ", their spirit {moods}",
        ", framed as {layout} suited to moving images",
    ),
    (
        "{opener} production pairing {instruments}",
        " plus {treatments}",
        ", moving from {moods} to patient",
        ", following {layout} that opens gradually",
    ),
)
# For what little is known: nothing is made up, so these stay short, and rule P6 says so.
_SHORT_FRAMES = (
    ("{moods} {genre} music", ", shaped by {treatments}", ", in {layout}"),
    ("{opener} piece", ", coloured by {treatments}", ", {moods} in mood", ", through {layout}"),
    ("Music built around {instruments}", ", shaped by {treatments}", ", {moods} in mood", ", in {layout}"),
    (
        "{instruments} at the centre of this piece",
        ", coloured by {treatments}",
        ", {moods} throughout",
        ", across {layout}",
    ),
    ("{moods} music", ", shaped by {treatments}", ", in {layout}"),
    ("Piece of music", ", coloured by {treatments}", ", {moods} in mood", ", through {layout}"),
)
_TURNS = 4  # how often the frames are gone through with the facts in another order
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


def compose(projection: Mapping[str, Any], tempo_bpm: float | None, context: RuleContext, variant: int = 0) -> str:
    """A caption of one sentence and the tempo tag if there is a tempo.

    Of the ways to say it, those count that break no rule and repeat neither a sibling nor each other; the variant is
    the place among them. Should all break some, the one that breaks fewest is taken.
    """
    best, least = "", (1 << 30, 1 << 30)
    good: list[str] = []
    short: list[str] = []
    for text in _ways(projection, tempo_bpm, context):
        verdict = check(text, context)
        violations = [v for v in verdict.violations if tempo_bpm or v.rule != "P4"]
        doubts = [warning for warning in verdict.warnings if warning.rule != "P6"]
        faults = len(violations), len(doubts)
        if faults < least:
            best, least = text, faults
        found = short if verdict.warnings else good
        if not any(faults) and not is_near_copy(text, found):
            found.append(text)
            if len(good) > variant:
                break
    chosen = good or short or [best]
    return chosen[variant % len(chosen)]


def pieces(text: str) -> list[str]:
    """The text in the small pieces in which it is streamed."""
    words = text.split(" ")
    return [word if place == 0 else f" {word}" for place, word in enumerate(words)]


def _ways(projection: Mapping[str, Any], tempo_bpm: float | None, context: RuleContext) -> Iterator[str]:
    """The facts said in every way, each once, beginning with that which suits them."""
    said: set[str] = set()
    seed = int(digest(projection)[:8], 16)
    facts = _Facts(projection, tempo_bpm, context)
    for turn in range(_TURNS):
        for step, frame in enumerate([*_turned(_FRAMES, seed), *_SHORT_FRAMES]):
            slots = facts.slots(seed // len(_FRAMES) + step + turn, turn)
            if all(slots[slot] for slot in _slots_of(frame[0])):
                sentence = _say(frame, slots)
                if sentence not in said:
                    said.add(sentence)
                    yield f"{sentence}. {tempo_tag(tempo_bpm)}" if tempo_bpm else f"{sentence}."


def _say(frame: tuple[str, ...], slots: Mapping[str, str]) -> str:
    sentence = ""
    for part in frame:
        said = part.format(**slots)
        if all(slots[slot] for slot in _slots_of(part)) and len(sentence) + len(said) <= 380:
            sentence += said
    return sentence[:1].upper() + sentence[1:]


def _slots_of(part: str) -> list[str]:
    return re.findall(r"\{(\w+)\}", part)


class _Facts:
    """The phrases that may be used, best first."""

    def __init__(self, projection: Mapping[str, Any], tempo_bpm: float | None, context: RuleContext) -> None:
        self._context = context
        self._genres = self._pick(_genres(projection, tempo_bpm))
        self._instruments = self._pick(_instruments(projection), 40)
        self._treatments = self._pick(_treatments(projection), 40)
        energy = _by_tempo(_ENERGY_BY_TEMPO, tempo_bpm)
        self._moods = self._pick([*_moods(projection), energy], 40)
        self._density = self._pick([_density(projection)])
        self._layouts = self._pick(_LAYOUTS) if projection.get("live_set") else []

    def slots(self, turn: int, later: int) -> dict[str, str]:
        """A choice of phrases; `turn` chooses between what is equal, `later` turns to less important facts."""
        genre = (self._genres[later:] or self._genres or [""])[0]
        openers = _turned(_OPENERS, turn) if genre else []
        opener = self._pick(text.format(genre=genre) for text in openers) or [genre]
        return {
            "genre": genre,
            "opener": opener[0],
            # Later turns name fewer, the last one only one of each, so that no word joins them.
            "instruments": join_words(_turned(self._instruments, later)[: 4 - later]),
            "treatments": join_words(_turned(self._treatments, later)[: 2 - later // 3]),
            "moods": join_words(_turned(self._moods, later)[: max(1, 3 - later)]),
            "layout": (self._density if not later and self._density else [*_turned(self._layouts, turn), ""])[0],
        }

    def _pick(self, choices: Iterable[str], longest: int = 60) -> list[str]:
        cleaned = (" ".join(choice.split()).strip(" .,;!?\"'") for choice in choices)
        fitting = (c for c in cleaned if c and len(c) <= longest and not set(c) & set(":.!?;"))
        return list(dict.fromkeys(choice for choice in fitting if is_allowed(choice, self._context)))


def _turned(choices: Iterable[_Choice], by: int) -> list[_Choice]:
    found = list(choices)
    start = by % len(found) if found else 0
    return found[start:] + found[:start]


def _genres(projection: Mapping[str, Any], tempo_bpm: float | None) -> Iterable[str]:
    core = _part(projection, "profile", "core_identities")
    yield from _texts(_part(projection, "hints").get("genres"))
    yield from _texts(_part(projection, "live_set").get("genre_indicators"))
    yield from _texts(core.get("primary_genre_space"))
    yield from _texts(core.get("secondary_spaces"))
    if projection.get("live_set"):
        yield _by_tempo(_GENRE_BY_TEMPO, tempo_bpm)
        yield "electronic"


def _instruments(projection: Mapping[str, Any]) -> list[str]:
    live_set, wished = _part(projection, "live_set"), _wished(projection)
    roles = [_text(track.get("role")) for track in live_set.get("tracks", []) if isinstance(track, Mapping)]
    sounds = list(_part(live_set, "sounds"))
    devices = [name for name in _part(live_set, "devices") if name not in TREATMENTS.values()]
    heard = [*roles, *sounds]
    drums = list(dict.fromkeys(name for name in heard if name in DRUMS))
    tonal = [name for name in heard if name and name not in DRUMS]
    beat = ["programmed drums"] if len(drums) > 2 else drums
    hinted = _texts(_part(projection, "hints").get("instruments"))
    return [*hinted, *roles_of(wished), *beat[:2], *tonal, *devices]


def _treatments(projection: Mapping[str, Any]) -> list[str]:
    devices = _part(projection, "live_set", "devices")
    signature = _texts(_part(projection, "profile", "core_identities").get("sound_design_signature"))
    return [*(name for name in devices if name in TREATMENTS.values()), *signature]


def _moods(projection: Mapping[str, Any]) -> list[str]:
    profile = _part(projection, "profile")
    core = _part(profile, "core_identities")
    return [
        *_texts(_part(projection, "hints").get("moods")),
        *moods_of(_wished(projection)),
        *_texts(profile.get("tone")),
        *_texts(core.get("energy_profile")),
        *_texts(core.get("melodic_character")),
    ]


def _wished(projection: Mapping[str, Any]) -> str:
    """What a person asks for in words of their own; only words for sounds and moods are taken from it."""
    return f"{_text(projection.get('wish'))} {_text(_part(projection, 'hints').get('notes'))}"


def _density(projection: Mapping[str, Any]) -> str:
    tracks = len(_part(projection, "live_set").get("tracks", []))
    return (
        "a dense, many-layered arrangement" if tracks > 24 else "a sparse, open arrangement" if 0 < tracks < 5 else ""
    )


def _by_tempo(table: tuple[tuple[int, str], ...], tempo_bpm: float | None) -> str:
    if tempo_bpm is None:
        return ""
    return next((word for limit, word in table if tempo_bpm <= limit), table[-1][1])


def _part(document: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    for key in keys:
        found = document.get(key)
        document = found if isinstance(found, Mapping) else {}
    return document


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [v for v in value if isinstance(v, str)] if isinstance(value, list) else []


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

    def cost_usd_micros(self, _usage: Usage) -> int:
        """Nothing."""
        return 0

    def seed_sent(self, _task: Task) -> int:
        """None."""
        return 0

    async def write(self, task: Task) -> AsyncGenerator[str | Usage, None]:
        """The composed text, word by word."""
        text = await asyncio.to_thread(compose, task.projection, task.tempo_bpm, task.context, task.variant)
        for piece in pieces(text):
            yield piece
