"""Everything that a caller of the API can do with performances; plain functions for the thread pool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from chassis.clock import Clock
from chassis.context import Caller, Role, acting_as
from chassis.errors import AppError, FieldInvalid, Violation, require
from chassis.ids import new_uid
from chassis.logs import get_logger
from chassis.paging import Page
from services.realtime.domain.graph import Graph
from services.realtime.domain.performance import (
    MAX_LOOP_S,
    Performance,
    PerformanceEnded,
    Source,
    SourceMissing,
    SourceMode,
    SourceTooShort,
    State,
    Stems,
    StemsState,
    opened_from,
    snapshot_of,
)
from services.realtime.domain.ports import (
    AssetFacts,
    Assets,
    Audio,
    Blobs,
    Request,
    Samples,
    SavedSession,
    Saving,
    Separations,
    SeparationView,
    Sessions,
    Store,
)
from services.realtime.domain.tickets import RESUME_LIFE, TICKET_LIFE, Ticket, digest_of, new_secret, repeat_of

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class NewPerformance:
    """What a caller asks for; None and empty mean: not said."""

    display_name: str = ""
    asset: str = ""
    session: str = ""
    engine: str = ""
    knobs: Mapping[str, float] = field(default_factory=dict)
    overlay: str = ""
    mode: SourceMode | None = None
    skip_stem_extraction: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """What a caller wants changed; None: stays."""

    display_name: str | None = None
    asset: str | None = None
    mode: SourceMode | None = None
    skip_stem_extraction: bool | None = None
    knobs: Mapping[str, float] | None = None
    overlay: str = ""


def caller_of(performance: Performance) -> Caller:
    """On whose behalf the performance calls other services."""
    return Caller("realtime", performance.principal, performance.artist, Role.EDITOR)


class Performances:
    """The use cases of the API and the blocking steps of the hall."""

    def __init__(
        self,
        *,
        store: Store,
        assets: Assets,
        separations: Separations,
        sessions: Sessions,
        blobs: Blobs,
        audio: Audio,
        clock: Clock,
    ) -> None:
        self.store = store
        self._assets = assets
        self._separations = separations
        self._sessions = sessions
        self._blobs = blobs
        self._audio = audio
        self._clock = clock

    def create(self, caller: Caller, wanted: NewPerformance, request: Request) -> tuple[Performance, bool]:
        """The performance in state STARTING, and whether it is new."""
        require(len(wanted.display_name) <= 200, "performance.display_name", "at most 200 characters")
        graph, source, stems, playhead = self._beginning(wanted)
        self._playable(source.asset)
        now = self._clock.now()
        performance = Performance(
            uid=new_uid(),
            artist=caller.artist,
            principal=caller.principal,
            display_name=wanted.display_name,
            session=wanted.session,
            graph=graph,
            source=source,
            stems=stems,
            playhead_frames=playhead,
            create_time=now,
            update_time=now,
        )
        held = [source.asset, *stems.assets.values()]
        try:
            for asset in held:
                self._assets.hold(asset, performance.name)
            kept, is_new = self.store.create(performance, request)
        except Exception:
            self._release(performance, held)
            raise
        if not is_new:
            self._release(performance, held)
        return kept, is_new

    def _beginning(self, wanted: NewPerformance) -> tuple[Graph, Source, Stems, int]:
        if wanted.asset and wanted.session:
            raise FieldInvalid(
                "performance: give either an asset or a session to start from, not both",
                violations=[Violation("performance.session", "empty when performance.asset is given")],
            )
        if wanted.session:
            opened = opened_from(self._sessions.open(wanted.session), wanted.session)
            graph = opened.graph.turned(wanted.knobs, wanted.overlay)
            skip = wanted.skip_stem_extraction or opened.source.skip_stem_extraction
            source = replace(opened.source, mode=wanted.mode or opened.source.mode, skip_stem_extraction=skip)
            return graph, source, opened.stems, opened.playhead_frames
        if not wanted.asset:
            raise SourceMissing(
                "nothing to play: set performance.asset or performance.session",
                violations=[Violation("performance.asset", "an asset, or a session in performance.session")],
            )
        graph = Graph(wanted.engine or "spectral", wanted.knobs, wanted.overlay or "instruments")
        source = Source(wanted.asset, wanted.mode or SourceMode.FULL, wanted.skip_stem_extraction)
        return graph, source, _unseparated(source), 0

    def _playable(self, asset: str) -> AssetFacts:
        facts = self._assets.get(asset)
        if facts.frames * 5 < facts.rate_hz:
            raise SourceTooShort(f"{asset} lasts {facts.frames / facts.rate_hz:.3f} s; a loop needs 0.2 s or more")
        return facts

    def _release(self, performance: Performance, assets: list[str]) -> None:
        for asset in assets:
            try:
                self._assets.release(asset, performance.name)
            except AppError as error:
                log.warning("hold_not_released", performance=performance.name, asset=asset, reason=error.reason)

    def get(self, artist: str, uid: str) -> Performance:
        """One performance."""
        return self.store.get(artist, uid)

    def page(self, artist: str, state: State | None, size: int, token: str) -> Page[Performance]:
        """The artist's performances, newest first."""
        return self.store.page(artist, state, size, token)

    def search(self, state: State | None, size: int, token: str) -> Page[Performance]:
        """Performances of all artists, for operators."""
        return self.store.search(state, size, token)

    def update(self, artist: str, uid: str, change: Change, etag: str) -> Performance:
        """The performance with the change written down; whoever holds it plays it within 1 s."""
        before = found = self.store.get(artist, uid)
        if found.state.has_ended:
            raise PerformanceEnded(f"{found.name} has ended ({found.state}); start another one")
        if change.display_name is not None:
            require(len(change.display_name) <= 200, "performance.display_name", "at most 200 characters")
            found = replace(found, display_name=change.display_name)
        if change.knobs is not None:
            found = replace(found, graph=found.graph.turned(change.knobs, change.overlay))
        source = Source(
            change.asset or found.source.asset,
            change.mode or found.source.mode,
            found.source.skip_stem_extraction if change.skip_stem_extraction is None else change.skip_stem_extraction,
        )
        if source.asset != found.source.asset:
            self._playable(source.asset)
            self._assets.hold(source.asset, found.name)
        revised = self.store.revise(swapped(found, source), etag)
        if source.asset != before.source.asset and not before.lease_owner:  # else the holder lets go after its swap
            self._release(before, _assets_of(before))
        return revised

    def stop(self, artist: str, uid: str) -> Performance:
        """The performance as STOPPED, its audio let go."""
        ended = self.store.end(artist, uid, self._clock.now())
        self._release(ended, _assets_of(ended))
        return ended

    def delete(self, artist: str, uid: str, etag: str) -> None:
        """Remove the performance and let its audio go."""
        gone = self.store.remove(artist, uid, etag)
        self._release(gone, _assets_of(gone))

    def ticket(self, caller: Caller, uid: str) -> tuple[str, Ticket]:
        """A secret that opens the socket once within 60 s, and what is remembered of it."""
        found = self.store.get(caller.artist, uid)
        if found.state.has_ended:
            raise PerformanceEnded(f"{found.name} has ended ({found.state}); start another one")
        return self._new_ticket("ticket", caller.artist, uid, caller.principal, TICKET_LIFE)

    def redeem(self, secret: str) -> tuple[Ticket, str]:
        """The ticket, used up now, and the secret that opens the socket again after a loss."""
        ticket = self.store.redeem(digest_of(secret), self._clock.now(), repeat_for=repeat_of(secret))
        again, _ = self._new_ticket("resume", ticket.artist, ticket.performance, ticket.principal, RESUME_LIFE)
        return ticket, again

    def _new_ticket(self, kind: str, artist: str, uid: str, principal: str, life: timedelta) -> tuple[str, Ticket]:
        secret = new_secret(kind)
        ticket = Ticket(digest_of(secret), artist, uid, principal, self._clock.now() + life)
        self.store.add_ticket(ticket)
        return secret, ticket

    def save(self, artist: str, uid: str, saving: Saving) -> SavedSession:
        """The saved session that keeps the performance as its last checkpoint has it."""
        require(len(saving.display_name) <= 200, "display_name", "at most 200 characters")
        found = self.store.get(artist, uid)
        name = saving.display_name or found.display_name or "Performance"
        snapshot = snapshot_of(found, self._clock.now())
        return self._sessions.save(found, snapshot, replace(saving, display_name=name))

    # What the hall does for a performance, on its owner's behalf.

    def load(self, performance: Performance, asset: str) -> Samples:
        """The asset as a loop, held by the performance."""
        with acting_as(caller_of(performance)):
            self._assets.hold(asset, performance.name)
            facts = self._assets.get(asset)
        with self._blobs.fetched(facts.blob_key) as path:
            return self._audio.load(path, limit_s=MAX_LOOP_S)

    def let_go(self, performance: Performance, assets: list[str]) -> None:
        """Release assets that the performance no longer plays."""
        with acting_as(caller_of(performance)):
            self._release(performance, assets)

    def separate(self, performance: Performance) -> SeparationView:
        """The separation of the performance's source; a repeat gives the same one."""
        with acting_as(caller_of(performance)):
            if performance.stems.separation:
                return self._separations.get(performance.stems.separation)
            request_id = f"performance-{performance.uid}-{performance.epoch}"
            return self._separations.start(performance.artist, performance.source.asset, request_id)

    def save_held(self, performance: Performance, saving: Saving) -> SavedSession:
        """As `save`, on behalf of the performance's owner."""
        with acting_as(caller_of(performance)):
            return self.save(performance.artist, performance.uid, saving)

    def stop_held(self, performance: Performance) -> Performance:
        """As `stop`, on behalf of the performance's owner."""
        with acting_as(caller_of(performance)):
            return self.stop(performance.artist, performance.uid)


def swapped(performance: Performance, source: Source) -> Performance:
    """The performance with another source; stems of the same recording stay."""
    if source == performance.source:
        return performance
    same = source.asset == performance.source.asset
    stems = performance.stems if same and performance.stems.assets else _unseparated(source)
    return replace(
        performance, source=source, stems=stems, epoch=performance.epoch + 1, playhead_frames=0, loop_frames=0
    )


def _unseparated(source: Source) -> Stems:
    return Stems(StemsState.NONE if source.skip_stem_extraction else StemsState.PENDING)


def _assets_of(performance: Performance) -> list[str]:
    return [performance.source.asset, *performance.stems.assets.values()]
