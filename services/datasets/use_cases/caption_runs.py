"""Writing captions for many items, as people ask for it."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.clock import Clock
from chassis.errors import require
from chassis.ids import new_uid
from chassis.paging import Page
from services.datasets.domain.caption_runs import (
    MAX_HINT,
    MAX_ITEMS,
    CaptionRun,
    CaptionRunStore,
    Entry,
    NothingToCaption,
)
from services.datasets.domain.item_ports import ItemStore
from services.datasets.domain.items import Selection
from services.datasets.domain.ports import RequestKey
from services.datasets.use_cases.selections import Selections


@dataclass(frozen=True, slots=True)
class RunWish:
    """What a caller wants captions written for, and how."""

    selection: Selection
    prompt_version: str = ""
    hint: str = ""
    rewrite_generated: bool = False


class CaptionRuns:
    """Caption runs as people ask for them and read them."""

    def __init__(self, runs: CaptionRunStore, store: ItemStore, selections: Selections, clock: Clock) -> None:
        self._runs, self._store, self._selections, self._clock = runs, store, selections, clock

    def create(self, artist: str, principal: str, wish: RunWish, key: RequestKey) -> CaptionRun:
        """A queued run over items chosen now.

        Raises:
            NothingToCaption: The selection holds no item.
        """
        require(len(wish.hint) <= MAX_HINT, "caption_run.hint", f"0 to {MAX_HINT} characters")
        require(not wish.hint or wish.hint.isprintable(), "caption_run.hint", "one line without control characters")
        require(len(wish.prompt_version) <= 255, "caption_run.prompt_version", "0 to 255 characters")
        if (made := self._runs.replayed(artist, key)) is not None:
            return made
        uids = self._chosen(artist, wish)
        now = self._clock.now()
        run = CaptionRun(
            artist=artist,
            uid=new_uid(),
            principal=principal,
            create_time=now,
            update_time=now,
            item_count=len(uids),
            prompt_version=wish.prompt_version,
            hint=wish.hint,
            rewrite_generated=wish.rewrite_generated,
        )
        return self._runs.add(run, uids, key)

    def get(self, artist: str, uid: str) -> CaptionRun:
        """One run."""
        return self._runs.get(artist, uid)

    def entries(self, artist: str, uid: str) -> list[Entry]:
        """What became of each item of a run."""
        return self._runs.entries(artist, uid)

    def page(self, artist: str, *, size: int, token: str) -> Page[CaptionRun]:
        """Runs, newest first."""
        return self._runs.page(artist, size=size, token=token)

    def cancel(self, artist: str, uid: str) -> CaptionRun:
        """The run after the wish to stop it; captions that it has written stay."""
        return self._runs.cancel(artist, uid)

    def _chosen(self, artist: str, wish: RunWish) -> list[str]:
        if wish.selection == Selection():
            found = self._store.to_caption(artist, rewrite_generated=wish.rewrite_generated, limit=MAX_ITEMS + 1)
            require(len(found) <= MAX_ITEMS, "selection", f"up to {MAX_ITEMS} items; name the ones wanted")
        else:
            found = self._selections.resolve(artist, wish.selection)
        if not found:
            raise NothingToCaption("every item with audio has a caption; name items, or rewrite generated captions")
        return [item.uid for item in found]
