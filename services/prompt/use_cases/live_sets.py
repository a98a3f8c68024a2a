"""What people do with Live Sets."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from chassis.clock import Clock
from chassis.context import Caller, mark_replayed
from chassis.errors import AppError, InvalidArgument, require
from chassis.paging import Page
from services.prompt.domain.artists import is_clean
from services.prompt.domain.live_sets import (
    LiveSet,
    ReadFile,
    UploadNotFound,
    blob_key,
    check_names,
    check_upload,
    names_of,
)
from services.prompt.domain.ports import Objects, Reader, Store
from services.prompt.domain.timeline import draw_timeline
from services.prompt.use_cases.live_set_imports import LiveSetImports
from services.prompt.use_cases.new_live_sets import NewLiveSet, live_set_of
from services.prompt.use_cases.repeats import already_made, fingerprint

_METHOD = "CreateLiveSet"


class LiveSets:
    """Uploaded Live Sets and their summaries."""

    def __init__(self, store: Store, objects: Objects, reader: Reader, clock: Clock) -> None:
        self._store = store
        self._objects = objects
        self._reader = reader
        self._clock = clock
        self.imports = LiveSetImports(store, objects, reader, clock)

    def create(self, caller: Caller, artist: str, new: NewLiveSet) -> LiveSet:
        """The Live Set of an uploaded file; the upload is used up.

        Raises:
            UploadNotFound: There is no file at the key.
            InvalidArgument: The file is no readable Live Set.
        """
        check_upload(artist, new.object_key, new.file_name, new.display_name, new.project_name)
        if not self._objects.exists(new.object_key):
            return self._made_before(caller, artist, new)
        body = fingerprint(self._hash(new.object_key), new.file_name, new.display_name, new.project_name)
        known = already_made(self._store, caller, _METHOD, new.request_id, body) if new.request_id else None
        if known is None:
            known = self._keep(caller, artist, new, self._read(artist, new), body)
        with suppress(AppError):  # an upload that stays behind costs room and nothing else
            self._objects.delete(new.object_key)
        with self._store.of_artist(artist, write=False) as transaction:
            return transaction.live_set(artist, known.rpartition("/")[2], deleted=True)

    def get(self, artist: str, uid: str) -> LiveSet:
        """The Live Set."""
        with self._store.of_artist(artist, write=False) as transaction:
            return transaction.live_set(artist, uid)

    def list(self, artist: str, size: int, token: str, *, show_deleted: bool, query: str = "") -> Page[LiveSet]:
        """The Live Sets, newest first; only those whose name, file or project holds the query, unless it is empty."""
        require(len(query) <= 100 and is_clean(query), "query", "at most 100 printable characters")
        with self._store.of_artist(artist, write=False) as transaction:
            return transaction.live_sets(artist, size=size, token=token, show_deleted=show_deleted, query=query)

    def timeline(self, artist: str, uid: str, width: int) -> str:
        """A picture of the arrangement as SVG, `width` pixels wide; 0 means 1,200."""
        require(width == 0 or 200 <= width <= 8000, "width", "0 or 200 to 8,000 pixels")
        return draw_timeline(self.get(artist, uid).summary, width or 1200)

    def update(self, artist: str, uid: str, etag: str, changes: Mapping[str, str]) -> LiveSet:
        """The Live Set with other names."""
        check_names("live_set", **changes)
        columns: dict[str, Any] = dict(changes)
        with self._store.of_artist(artist) as transaction:
            found = transaction.live_set(artist, uid)
            if "display_name" in columns:
                columns["display_name"] = names_of(found.file_name, columns["display_name"])[1]
            if "project_name" in columns:
                summary = {**found.summary, "project_name": columns["project_name"]}
                return transaction.change_live_set(artist, uid, etag, **columns, summary=summary)
            return transaction.change_live_set(artist, uid, etag, **columns)

    def delete(self, artist: str, uid: str, etag: str) -> LiveSet:
        """The Live Set, deleted; a repeat gives the same."""
        with self._store.of_artist(artist) as transaction:
            found = transaction.live_set(artist, uid, deleted=True)
            if found.delete_time is not None:
                return found
            return transaction.change_live_set(artist, uid, etag, delete_time=self._clock.now())

    def undelete(self, artist: str, uid: str) -> LiveSet:
        """The Live Set, no longer deleted."""
        with self._store.of_artist(artist) as transaction:
            return transaction.change_live_set(artist, uid, "", deleted=True, delete_time=None)

    def _made_before(self, caller: Caller, artist: str, new: NewLiveSet) -> LiveSet:
        """What the same request made when the upload was still there."""
        with self._store.of_artist(artist, write=False) as transaction:
            known = transaction.made_by(caller, _METHOD, new.request_id)
            if known is None:
                raise UploadNotFound(f"there is no uploaded file at {new.object_key!r}; upload it first")
            mark_replayed()
            return transaction.live_set(artist, known.rpartition("/")[2], deleted=True)

    def _hash(self, key: str) -> str:
        digest = hashlib.sha256()
        for piece in self._objects.read(key):
            digest.update(piece)
        return digest.hexdigest()

    def _read(self, artist: str, new: NewLiveSet) -> ReadFile:
        try:
            found = self._reader.read(self._objects.read(new.object_key))
        except InvalidArgument:
            with suppress(AppError):  # nobody can use this file
                self._objects.delete(new.object_key)
            raise
        # The blob comes before the row. The key is the content's hash, so a blob already there is the same; copying it
        # again makes it young, which keeps the purge away from it.
        self._objects.copy(new.object_key, blob_key(artist, found.sha256))
        return found

    def _keep(self, caller: Caller, artist: str, new: NewLiveSet, found: ReadFile, body: str) -> str:
        with self._store.of_artist(artist) as transaction:
            live_set = live_set_of(transaction.artist(artist), new, found, self._clock)
            known = transaction.once(caller, _METHOD, new.request_id, body, live_set.name)
            if known is None:
                transaction.add_live_set(live_set)
            return known or live_set.name
