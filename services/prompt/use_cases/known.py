"""What is known of an artist and a Live Set, and what captions may therefore say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.prompt.domain.artists import Artist, Profile
from services.prompt.domain.denied import context_of
from services.prompt.domain.live_sets import LiveSet
from services.prompt.domain.ports import Store
from services.prompt.domain.rules import RuleContext


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an artist and a Live Set, if there is one."""

    artist: Artist
    profile: Profile
    live_set: LiveSet | None
    public_names: tuple[str, ...] = ()

    @property
    def summary(self) -> Mapping[str, Any]:
        """The Live Set's summary; empty when there is none."""
        return self.live_set.summary if self.live_set else {}

    def rules(self, tempo_bpm: float | None, siblings: Sequence[str] = ()) -> RuleContext:
        """What a caption of this artist is checked against."""
        files: Iterable[str] = ()
        if self.live_set is not None:
            files = (self.live_set.file_name, self.live_set.display_name, self.live_set.uid)
        return context_of(
            tempo_bpm=tempo_bpm,
            master_schema=self.profile.master_schema,
            summary=self.summary,
            artist_names=[self.artist.display_name, self.profile.display_name],
            denied=self.public_names,
            file_names=files,
            siblings=siblings,
        )


def find_known(store: Store, artist: str, live_set: str, public_names: tuple[str, ...] = ()) -> Known:
    """What is known of the artist and the Live Set; an empty id means none."""
    with store.of_artist(artist, write=False) as transaction:
        found = transaction.live_set(artist, live_set) if live_set else None
        return Known(transaction.artist(artist), transaction.profile(artist), found, public_names)
