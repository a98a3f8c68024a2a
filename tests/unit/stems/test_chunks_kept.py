"""How long chunks are kept."""

from __future__ import annotations

from services.stems.domain import CHUNKS_KEPT, Order, State
from tests.unit.stems.house import ARTIST, StemsHouse
from tests.unit.stems.test_separations import ask, noise


def test_chunks_go_some_minutes_after_the_end(house: StemsHouse) -> None:
    uid = ask(house, Order(house.assets.add(noise()).name, publish_chunks=True))
    house.run_one()
    there = house.separations.chunks(ARTIST, uid, first=0)
    keys = [part.object_key for chunk in there for part in chunk.parts]
    house.separations.purge()
    kept = [house.objects.head(key) is not None for key in keys]

    house.clock.advance(CHUNKS_KEPT.total_seconds() + 1)
    house.separations.purge()

    assert (sum(chunk.frame_count for chunk in there), len(keys)) == (20_000, 4 * len(there))
    assert all(key.startswith(f"artists/{ARTIST}/stems/chunks/{uid}/") for key in keys)
    assert all(kept)
    assert house.separations.chunks(ARTIST, uid, first=0) == []
    assert [house.objects.head(key) for key in keys] == [None] * len(keys)
    assert house.separations.get(ARTIST, uid).state is State.SUCCEEDED


def test_chunks_go_with_their_separation(house: StemsHouse) -> None:
    uid = ask(house, Order(house.assets.add(noise()).name, publish_chunks=True))
    house.run_one()

    house.separations.delete(ARTIST, uid, "")

    assert list(house.objects.list(f"artists/{ARTIST}/stems/")) == []
    assert house.store.chunks(ARTIST, uid, first=0) == []
