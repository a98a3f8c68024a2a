"""What makes the audio of a dataset ready, and what can go wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from chassis.errors import FailedPrecondition, Unavailable
from services.datasets.domain.recipes import Piece, Recipe
from services.datasets.domain.snapshots import SnapshotMember

# Where the one that prepares says how far it is with one member, 0 to 1 and words; raises when the work is to stop.
Told = Callable[[float, str], None]


class AudioUnusable(FailedPrecondition):
    """The audio of an item cannot be made ready; `metadata` names the item."""

    REASON = "AUDIO_UNUSABLE"


class VocalsNotRemoved(FailedPrecondition):
    """The separation that takes the vocals out of an item's audio failed or was stopped."""

    REASON = "VOCALS_NOT_REMOVED"


class ScratchFull(Unavailable):
    """The worker's disk is full."""

    REASON = "SCRATCH_FULL"


class Renderer(Protocol):
    """Makes the audio of members ready."""

    def prepare(self, artist: str, member: SnapshotMember, recipe: Recipe, report: Told) -> list[Piece]:
        """The member's audio as whole objects of the store, in order; at least one.

        What the recipe lets be stays the asset's own object, everything else is rendered below
        `artists/{artist}/datasets/audio/`. A repeat finds what the first call made, and so does another worker.

        Raises:
            AudioUnusable: The bytes are damaged or cannot be decoded.
            VocalsNotRemoved: The stems service gave up.
            ScratchFull: There is no room for the work; it can be repeated.
        """
        ...
