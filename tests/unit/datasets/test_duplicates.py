"""Items with the same or nearly the same audio."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from audiofiles.fingerprint import likeness
from chassis.errors import PageTokenInvalid
from services.datasets.domain.duplicates import DuplicateGroup, Likeness, groups_of, representatives
from services.datasets.domain.item_ports import AudioPrint
from services.datasets.use_cases.duplicates import candidates
from services.datasets.use_cases.items import ItemFacts
from tests.unit.datasets.house import ARTIST, House, key

B, A, S = Likeness


def words(seed: int, count: int = 240) -> npt.NDArray[np.uint32]:
    return np.random.default_rng(seed).integers(1, 2**32, count, dtype=np.uint32)


def copied(original: npt.NDArray[np.uint32], seed: int, share: float = 0.1) -> bytes:
    """The same music encoded anew: some bits of the words differ."""
    choice = np.random.default_rng(seed)
    flips = (choice.random((len(original), 32)) < share) & (choice.random((len(original), 1)) < 0.7)
    masks = np.bitwise_or.reduce(flips.astype(np.uint32) << np.arange(32, dtype=np.uint32), axis=1)
    return bytes((original ^ masks).astype("<u4").tobytes())


def mark(uid: str, sha: str, pcm: str = "", sound: bytes = b"") -> AudioPrint:
    return AudioPrint(uid, sha, pcm, sound)


def test_groups_are_told_from_the_strictest_to_the_widest() -> None:
    prints = [mark("a", "1", "p"), mark("b", "2", "p"), mark("c", "1", "p"), mark("d", "4", "q"), mark("e", "5", "r")]

    groups = groups_of(prints, [(0, 3)])

    assert groups == [
        DuplicateGroup(B, ("a", "c")),
        DuplicateGroup(A, ("a", "b", "c")),
        DuplicateGroup(S, ("a", "b", "c", "d")),
    ]


def test_a_wider_group_that_adds_nobody_is_not_told() -> None:
    assert groups_of([mark("a", "1", "p"), mark("b", "1", "p")], []) == [DuplicateGroup(B, ("a", "b"))]


def test_each_sound_is_listened_to_once() -> None:
    prints = [mark("a", "1", "p", b"x"), mark("b", "2", "p", b"x"), mark("c", "3", "q"), mark("d", "4", "r", b"y")]

    assert representatives(prints) == [0, 3]


def test_only_those_that_share_words_are_compared() -> None:
    first, other = words(1), words(2)

    pairs = candidates([first.tobytes(), other.tobytes(), copied(first, 3), words(4).tobytes()])

    assert pairs == [(0, 2)]


def test_nothing_and_one_have_no_pairs() -> None:
    assert candidates([]) == candidates([b""]) == candidates([b"", b""]) == []


@pytest.mark.parametrize(
    ("count", "length"), [(300, 240), pytest.param(2000, 960, marks=[pytest.mark.long, pytest.mark.timeout(120)])]
)
def test_copies_among_many_are_all_found(count: int, length: int, figures: Callable[..., None]) -> None:
    originals = [words(seed, length) for seed in range(count // 2)]
    prints = [one.tobytes() for one in originals] + [copied(one, 9 + at) for at, one in enumerate(originals)]

    pairs = candidates(prints)

    figures(fingerprints=count, candidates=len(pairs))
    assert {(at, at + count // 2) for at in range(count // 2)} <= set(pairs)
    assert len(pairs) < 2 * count
    first, second = pairs[0]
    assert likeness(prints[first], prints[second]) >= 0.8


def test_many_copies_of_one_piece_are_one_group(house: House) -> None:
    original = words(1)
    for at in range(40):
        name = house.assets.keep(f"a{at}")
        house.assets.audios[name] = replace(house.assets.audios[name], pcm_sha256=f"p{at}")
        house.assets.fingerprints[name] = copied(original, at, share=0.05)
        house.items.create(ARTIST, ItemFacts(asset=name), key())

    groups = house.duplicates.page(ARTIST, size=0, token="").items

    assert [(group.likeness, len(group.item_uids)) for group in groups] == [(S, 40)]


def test_among_few_a_copy_is_found_that_shares_no_word_with_its_origin(house: House) -> None:
    original = words(1)
    bits = np.random.default_rng(2).integers(0, 32, len(original), dtype=np.uint32)
    for at, sound in enumerate((original, original ^ (np.uint32(1) << bits), words(3))):
        name = house.assets.keep(f"a{at}")
        house.assets.audios[name] = replace(house.assets.audios[name], pcm_sha256=f"p{at}")
        house.assets.fingerprints[name] = sound.astype("<u4").tobytes()
        house.items.create(ARTIST, ItemFacts(asset=name), key())

    groups = house.duplicates.page(ARTIST, size=0, token="").items

    assert [(group.likeness, len(group.item_uids)) for group in groups] == [(S, 2)]


def test_groups_come_in_pages_that_hold_together(house: House) -> None:
    for at in range(3):
        name = house.assets.keep(f"a{at}")
        for _ in range(2):
            house.clock.advance(1)
            house.items.create(ARTIST, ItemFacts(asset=name), key())

    first = house.duplicates.page(ARTIST, size=2, token="")
    second = house.duplicates.page(ARTIST, size=2, token=first.next_page_token)

    assert (len(first.items), len(second.items), second.next_page_token) == (2, 1, "")
    assert len({group.item_uids for group in (*first.items, *second.items)}) == 3
    with pytest.raises(PageTokenInvalid):
        house.duplicates.page("other", size=2, token=first.next_page_token)


def test_an_item_that_goes_leaves_its_group(house: House) -> None:
    name = house.assets.keep("a1")
    first, second = (house.items.create(ARTIST, ItemFacts(asset=name), key()) for _ in range(2))
    before = house.duplicates.groups(ARTIST)

    house.items.delete(ARTIST, second.uid, "")

    assert before == [DuplicateGroup(B, (first.uid, second.uid))]
    assert house.duplicates.groups(ARTIST) == []
