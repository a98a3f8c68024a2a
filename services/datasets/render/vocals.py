from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from chassis.errors import AppError, FailedPrecondition, InvalidArgument, NotFound, Unavailable
from chassis.logs import get_logger
from services.datasets.domain.items import Audio
from services.datasets.domain.preparing import Told, VocalsNotRemoved
from services.datasets.domain.rendering import (
    HOLDER,
    RenderedStore,
    Separation,
    SeparationModel,
    Separations,
    StemAssets,
)
from services.datasets.domain.snapshots import SnapshotMember

log = get_logger(__name__)

# Separations of one content that failed, were cancelled or deleted before a new export asks again.
_TRIES = 8


@dataclass(frozen=True, slots=True)
class Vocals:
    """Takes vocals out by the stems service.

    Args:
        separations: The service.
        assets: Where the result is held.
        rendered: Remembers to give the hold back.
        sleep: Waits so many seconds.
    """

    separations: Separations
    assets: StemAssets
    rendered: RenderedStore
    sleep: Callable[[float], None]

    @contextmanager
    def removed(
        self,
        artist: str,
        member: SnapshotMember,
        model: SeparationModel,
        key: str,
        waiting: tuple[float, float],
        report: Told,
    ) -> Iterator[Audio]:
        """The recording without its vocals, held within the block.

        The separation goes on when the export is stopped: its outcome is remembered by content, and another export of
        the same may wait for it.

        Args:
            artist: Whose it is.
            member: Whose audio it is.
            model: What does it.
            key: What the request is known by, so that a repeat finds the same separation.
            waiting: How long in seconds, and how often.
            report: Told how far it is.

        Raises:
            VocalsNotRemoved: The separation failed, was cancelled, or takes too long.
        """
        rest = self._finished(member, model, key, waiting, report).rest
        holder = HOLDER.format(artist=artist, key=key)
        self.rendered.release_later(artist, rest, holder)
        self.assets.hold(rest, holder)
        try:
            yield self.assets.get(rest)
        finally:
            try:
                self.assets.release(rest, holder)
            except AppError as error:
                log.warning("hold_kept_for_a_day", asset=rest, reason=error.reason)

    def _finished(
        self, member: SnapshotMember, model: SeparationModel, key: str, waiting: tuple[float, float], report: Told
    ) -> Separation:
        limit_s, poll_s = waiting
        found, waited_s = self._started(member, model, key), 0.0
        while not found.rest:
            if found.fault:
                raise _not_removed(member, f"separation {found.name} {found.fault}")
            if waited_s >= limit_s:
                raise _not_removed(member, f"separation {found.name} takes longer than {limit_s:.0f} s")
            report(found.share, f"removing vocals: {found.stage or 'waiting'}"[:64])
            self.sleep(poll_s)
            waited_s += poll_s
            try:
                found = self.separations.look(found.name)
            except Unavailable as error:
                log.warning("separation_not_seen", separation=found.name, reason=error.reason)
        return found

    def _started(self, member: SnapshotMember, model: SeparationModel, key: str) -> Separation:
        """The separation of this content; a new one where the earlier ones came to nothing."""
        asset = member.audio.asset
        found = None
        for attempt in range(_TRIES):
            try:
                found = self.separations.start(asset, model, f"dataset-{key}-{attempt}")
            except NotFound as error:
                # An earlier separation of this request was deleted; when the asset is gone every attempt says so.
                log.info("separation_gone", asset=asset, reason=error.reason)
                continue
            except (FailedPrecondition, InvalidArgument) as error:
                raise _not_removed(member, f"the stems service says {error.reason}: {error.message}") from error
            if not found.fault:
                return found
        told = f"separation {found.name} {found.fault}" if found else "its audio is gone"
        raise _not_removed(member, told)


def _not_removed(member: SnapshotMember, what: str) -> VocalsNotRemoved:
    return VocalsNotRemoved(
        f"the vocals of {member.item_name} could not be taken out: {what}; "
        "separate the asset to see why, or export without remove_vocals",
        metadata={"training_item": member.item_name, "asset": member.audio.asset},
    )
