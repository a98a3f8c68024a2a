"""Ask for separations, read, cancel and delete them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from chassis.clock import Clock
from chassis.context import Caller, Role, acting_as, caller
from chassis.errors import AppError, DeadlineExceeded, NotFound, Unavailable
from chassis.ids import new_uid
from chassis.paging import Page
from services.stems.domain import (
    Assets,
    Blobs,
    Catalogue,
    Chunk,
    Limits,
    Order,
    Receivers,
    Result,
    Separation,
    State,
    Store,
    Times,
    content_key,
)

_CREATE, _BATCH = "CreateSeparation", "BatchCreateSeparations"


@dataclass(frozen=True, slots=True)
class Batch:
    """A call that asks for several separations of one artist."""

    artist: str
    request_id: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Asked:
    """One separation of a batch."""

    order: Callable[[], Order]  # raises when what was sent breaks a rule
    request_id: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Separations:
    """All that callers can do with separations."""

    store: Store
    assets: Assets
    catalogue: Catalogue
    limits: Limits
    clock: Clock
    blobs: Blobs
    receivers: Receivers

    def create(
        self, artist: str, order: Order, request_id: str, fingerprint: bytes, *, method: str = _CREATE
    ) -> Separation:
        """The queued separation, or one that has succeeded already when equal work was done before."""
        model = self.catalogue.find(order.model)
        order = replace(order, model=model.id, selection=order.selection.settled(model))
        source = self.assets.get(order.asset)
        self.limits.check(source)
        order.output_format.check_rate(source.rate_hz)
        if order.webhook is not None:
            self.receivers.check(order.webhook)

        now = self.clock.now()
        asked = Separation(
            uid=new_uid(),
            artist=artist,
            principal=caller().principal,
            order=order,
            engine=model.engine,
            content_key=content_key(source.pcm_sha256, model, order),
            state=State.QUEUED,
            times=Times(now, now),
        )
        # The hold comes before the row: a row without it could lose its source.
        self.assets.hold(order.asset, asked.name)
        result = remembered(self.store, self.assets, asked)
        if result is not None:
            asked = replace(asked, state=State.SUCCEEDED, result=result, times=replace(asked.times, ended=now))
        kept = self.store.add(asked, request_id, fingerprint, method=method)
        if kept.uid != asked.uid:
            self._release_all(asked)
        return kept

    def begin(self, batch: Batch) -> None:
        """Note the batch; raises RequestIdReused when its id came with another body."""
        self.store.note_request(batch.artist, _BATCH, batch.request_id, batch.fingerprint)

    def create_one(self, batch: Batch, index: int, asked: Asked) -> Separation | AppError:
        """The separation at this place of the batch, or why it is refused; a repeat of the batch gives the same.

        Raises:
            Unavailable: Something needed is away; a repeat of the batch goes on from here.
        """
        try:
            order = asked.order()
            if asked.request_id:
                return self.create(batch.artist, order, asked.request_id, asked.fingerprint)
            method = f"{_BATCH}/{index}"
            return self.create(batch.artist, order, batch.request_id, asked.fingerprint, method=method)
        except (Unavailable, DeadlineExceeded):
            raise
        except AppError as refusal:
            return refusal

    def get(self, artist: str, uid: str) -> Separation:
        """One separation."""
        return self.store.get(artist, uid)

    def page(self, artist: str, *, size: int, token: str, asset: str, state: State | None) -> Page[Separation]:
        """The artist's separations, newest first."""
        return self.store.page(artist, size=size, token=token, asset=asset, state=state)

    def cancel(self, artist: str, uid: str) -> Separation:
        """Ask for the end of its work; one that has ended stays as it is."""
        return self.store.request_cancel(artist, uid)

    def delete(self, artist: str, uid: str, etag: str) -> None:
        """Hide it at once and let go of its assets now, or soon when these cannot be reached."""
        hidden = self.store.mark_deleted(artist, uid, etag)
        try:
            self._purge(hidden)
        except Unavailable:
            return  # `purge` repeats it

    def chunks(self, artist: str, uid: str, *, first: int) -> Sequence[Chunk]:
        """What can be played of it already, from this index on."""
        return self.store.chunks(artist, uid, first=first)

    def tell_ends(self, *, limit: int = 100) -> int:
        """Queue the events of those that have ended; gives how many."""
        return self.store.tell_ends(limit=limit)

    def purge(self, *, limit: int = 100) -> int:
        """Let go of what deleted ones still hold, and of chunks that had their time; gives how many were forgotten."""
        for separation in self.store.with_stale_chunks(limit=limit):
            self._drop_chunks(separation)
        self.store.forget_events()
        hidden = self.store.deleted(limit=limit)
        for separation in hidden:
            owner = Caller(service="stems", principal=separation.principal, artist=separation.artist, role=Role.EDITOR)
            with acting_as(owner):
                self._purge(separation)
        return len(hidden)

    def page_of_all(self, *, size: int, token: str, state: State | None) -> Page[Separation]:
        """Separations of all artists, newest first."""
        return self.store.page_of_all(size=size, token=token, state=state)

    def requeue(self, artist: str, uid: str) -> Separation:
        """Queue a failed or cancelled one again."""
        return self.store.requeue(artist, uid)

    def _purge(self, separation: Separation) -> None:
        if separation.order.publish_chunks:
            self._drop_chunks(separation)
        self._release_all(separation)
        self.store.remove(separation)

    def _drop_chunks(self, separation: Separation) -> None:
        self.store.forget_chunks(separation)
        self.blobs.remove_all(separation.chunk_folder)
        self.store.mark_chunks_gone(separation)

    def _release_all(self, separation: Separation) -> None:
        stems = [stem.asset for stem in separation.result.stems] if separation.result else []
        for asset in dict.fromkeys([separation.order.asset, *stems]):
            self.assets.release(asset, separation.name)


def remembered(store: Store, assets: Assets, separation: Separation) -> Result | None:
    """The outcome of equal work done before, its stems now held for this separation too."""
    result = store.result(separation.artist, separation.content_key)
    if result is None:
        return None
    try:
        for stem in result.stems:
            assets.hold(stem.asset, separation.name)
    except NotFound:
        # Somebody removed a stem: the work is done again.
        store.forget(separation.artist, separation.content_key, result.made_by)
        return None
    return result
