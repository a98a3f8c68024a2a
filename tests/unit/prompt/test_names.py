"""Names found however they are written, and captions that are nearly the same."""

from __future__ import annotations

import random

import pytest

from services.prompt.domain.likeness import is_near_copy, near_copies
from services.prompt.domain.names import TermIndex
from tests.unit.prompt.test_rules import GOOD

INDEX = TermIndex(["Nova Tide", "Beyoncé", "米津玄師", "!!!", "a-ha", "EDM drop"])


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("by nova  TIDE's hand", "Nova Tide"),
        ("NOVA_TIDE", "Nova Tide"),
        ("novatide", "Nova Tide"),
        ("no\u200bva tide", "Nova Tide"),
        ("Nоva Tіde", "Nova Tide"),
        ("like BEYONCE", "Beyoncé"),
        ("wie Beyonce\u0301", "Beyoncé"),
        ("新曲米津玄師風", "米津玄師"),
        ("the band !!! plays", "!!!"),
        ("A ha!", "a-ha"),
    ],
)
def test_a_name_is_found_however_it_is_written(text: str, term: str) -> None:
    assert INDEX.named(text) == [term]


@pytest.mark.parametrize("text", ["nova", "tide nova", "novation tides", "aha", "wow!!!", ""])
def test_other_words_are_no_names(text: str) -> None:
    assert INDEX.named(text) == []


def test_plurals_are_the_same_where_wanted() -> None:
    assert TermIndex(["EDM drops", "brass"], plurals=True).named("an EDM drop with bras") == ["EDM drops"]


def test_names_are_cut_out() -> None:
    assert INDEX.without("by Nova Tide, and nova-tide again", "[name]") == "by [name], and [name] again"


def _alike(first: str, second: str) -> float:
    """Twice the longest common subsequence over both lengths, by the textbook's table."""
    above = [0] * (len(second) + 1)
    for letter in first:
        row = [0]
        for place, other in enumerate(second):
            row.append(above[place] + 1 if letter == other else max(row[-1], above[place + 1]))
        above = row
    return 2 * above[-1] / (len(first) + len(second))


def _brute(texts: list[str]) -> set[int]:
    bare = [" ".join(text.lower().split()) for text in texts]
    pairs = [(a, b) for a in range(len(texts)) for b in range(a)]
    return {place for a, b in pairs if _alike(bare[a], bare[b]) > 0.95 for place in (a, b)}


def test_near_copies_are_those_that_a_full_comparison_finds() -> None:
    chance = random.Random(7)
    words = GOOD.split()
    texts = [" ".join(chance.sample(words, len(words))) for _ in range(15)]
    for _ in range(12):
        changed = list(chance.choice(texts))
        for _ in range(chance.randint(1, 9)):
            changed[chance.randrange(len(changed))] = chance.choice("aeiou xyz")
        texts.append("".join(changed))

    found = near_copies(texts)

    assert found == _brute(texts)
    assert 4 < len(found) < len(texts)
    assert is_near_copy(GOOD, [*texts, GOOD.replace("Warm", "Warmer")])
    assert not is_near_copy(GOOD, [GOOD[:100], GOOD[50:], ""])
