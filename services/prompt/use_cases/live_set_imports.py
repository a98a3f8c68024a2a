"""Reading all Live Sets of an uploaded zip, each on its own."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import BinaryIO

from chassis.clock import Clock
from chassis.context import Caller, mark_replayed
from chassis.errors import AppError, InvalidArgument
from chassis.ids import new_uid
from services.prompt.domain.live_sets import (
    LiveSet,
    LiveSetArchiveEmpty,
    ReadFile,
    UploadNotFound,
    blob_key,
    check_upload,
)
from services.prompt.domain.ports import Objects, Reader, Store
from services.prompt.domain.project_zip import ProjectZip, ZipEntry
from services.prompt.use_cases.new_live_sets import NewLiveSet, live_set_of
from services.prompt.use_cases.repeats import already_made, fingerprint

_METHOD = "ImportLiveSets"
_PIECE = 1 << 20
_MOST_ANSWER_BYTES = 4 << 20
# As long as a request id is remembered.
_ANSWERS_KEPT = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What became of one file of a zip: a Live Set, or a reason and what to do."""

    path: str
    live_set: str = ""
    already_there: bool = False
    reason: str = ""
    message: str = ""


@dataclass(slots=True)
class Import:
    """A zip on its way in.

    Attributes:
        artist: Whose it is.
        key: Where the zip lies.
        project_name: Given for all files; empty takes the folder of each.
        request_id: As the caller sent it.
        body: What tells this request from another with the same id.
        zip: The open zip; None when the answer is known from an earlier request.
        results: One for each file that was read, in their order.
        ignored_count: Files that are no Live Sets.
    """

    artist: str
    key: str
    project_name: str
    request_id: str
    body: str = ""
    zip: ProjectZip | None = None
    results: list[ImportResult] = field(default_factory=list)
    ignored_count: int = 0

    @property
    def files(self) -> list[ZipEntry]:
        """The files that are still to be read."""
        return self.zip.files if self.zip else []


class LiveSetImports:
    """Zips of Live projects. `begin` opens one, `read` takes a file of it, `finish` or `abandon` ends it."""

    def __init__(self, store: Store, objects: Objects, reader: Reader, clock: Clock) -> None:
        self._store = store
        self._objects = objects
        self._reader = reader
        self._clock = clock

    def begin(self, caller: Caller, artist: str, key: str, project_name: str, request_id: str) -> Import:
        """Open the zip, or find the answer that the same request got before.

        Raises:
            UploadNotFound: There is no file at the key.
            LiveSetArchiveInvalid: It is no zip.
            LiveSetArchiveTooLarge: It holds more than one call reads.
            LiveSetArchiveEmpty: It holds no Live Set.
        """
        check_upload(artist, key, "", "", project_name)
        asked = Import(artist, key, project_name.strip(), request_id)
        size_bytes = self._objects.size(key)
        if size_bytes is None:
            return self._answered_before(caller, asked)
        if request_id:
            asked.body = fingerprint(self._hash(key), asked.project_name)
            if known := already_made(self._store, caller, _METHOD, request_id, asked.body):
                self._drop_upload(key)
                return self._recall(asked, known)
        with self._store.of_artist(artist, write=False) as transaction:
            transaction.artist(artist)
        try:
            asked.zip = ProjectZip(partial(self._objects.read_part, key), size_bytes)
            if not asked.zip.files:
                raise LiveSetArchiveEmpty("the zip holds no .als file; zip the project folder with its Live Sets in it")
        except InvalidArgument:
            self._drop_upload(key)  # nobody can use this file
            raise
        asked.ignored_count = asked.zip.ignored_count
        return asked

    def read(self, asked: Import, entry: ZipEntry) -> None:
        """Read one file and keep what became of it; a file that cannot be read fails alone.

        Raises:
            LiveSetReaderBusy: All readers are at work.
        """
        assert asked.zip is not None, "a known answer has no files to read"
        try:
            with tempfile.TemporaryFile() as file:
                sha256 = _spool(asked.zip.pieces(entry), file)
                asked.results.append(self._keep(asked, entry, sha256, file))
        except InvalidArgument as refusal:
            asked.results.append(ImportResult(entry.path, reason=refusal.reason, message=refusal.message))

    def finish(self, caller: Caller, asked: Import) -> tuple[list[tuple[ImportResult, LiveSet | None]], int]:
        """Each result with its Live Set (None for a refused file), and the number of other files."""
        if asked.zip is not None:
            if asked.request_id:
                self._remember(caller, asked)
            self._drop_upload(asked.key)
        found: list[tuple[ImportResult, LiveSet | None]] = []
        with self._store.of_artist(asked.artist, write=False) as transaction:
            for result in asked.results:
                live_set = (
                    transaction.live_set(asked.artist, result.live_set, deleted=True) if result.live_set else None
                )
                found.append((result, live_set))
        return found, asked.ignored_count

    def abandon(self, asked: Import) -> None:
        """Drop the upload of an import that does not come to its end; what was read stays."""
        self._drop_upload(asked.key)

    def _keep(self, asked: Import, entry: ZipEntry, sha256: str, file: BinaryIO) -> ImportResult:
        with self._store.of_artist(asked.artist, write=False) as transaction:
            known = transaction.live_set_of_file(asked.artist, sha256)
        if known is not None:
            return ImportResult(entry.path, known.uid, already_there=True)
        found: ReadFile = self._reader.read(_pieces(file))
        # The blob comes before the row; its key is the content's hash, so one that is there already is the same.
        self._objects.put(blob_key(asked.artist, sha256), _pieces(file))
        new = NewLiveSet(
            asked.key,
            file_name=entry.file_name[-255:],
            project_name=asked.project_name or entry.project,
            project_folder=entry.path.rpartition("/")[0],
        )
        with self._store.of_artist(asked.artist) as transaction:
            # A twin of this call may have been faster.
            known = transaction.live_set_of_file(asked.artist, sha256)
            live_set = known or live_set_of(transaction.artist(asked.artist), new, found, self._clock)
            if known is None:
                transaction.add_live_set(live_set)
        return ImportResult(entry.path, live_set.uid, already_there=known is not None)

    def _remember(self, caller: Caller, asked: Import) -> None:
        folder = f"artists/{asked.artist}/prompt/imports/"
        self._objects.delete_all(folder, before=self._clock.now() - _ANSWERS_KEPT)
        key = f"{folder}{new_uid()}.json"
        results = [
            [result.path, result.live_set, result.already_there, result.reason, result.message]
            for result in asked.results
        ]
        self._objects.put(key, [json.dumps([asked.ignored_count, results]).encode()])
        with self._store.of_artist(asked.artist) as transaction:
            transaction.once(caller, _METHOD, asked.request_id, asked.body, key)

    def _recall(self, asked: Import, key: str) -> Import:
        answer = b"".join(self._objects.read_part(key, 0, _MOST_ANSWER_BYTES))
        asked.ignored_count, results = json.loads(answer)
        asked.results = [ImportResult(*result) for result in results]
        mark_replayed()
        return asked

    def _answered_before(self, caller: Caller, asked: Import) -> Import:
        with self._store.of_artist(asked.artist, write=False) as transaction:
            known = transaction.made_by(caller, _METHOD, asked.request_id)
        if known is None:
            raise UploadNotFound(f"there is no uploaded file at {asked.key!r}; upload it first")
        return self._recall(asked, known)

    def _hash(self, key: str) -> str:
        digest = hashlib.sha256()
        for piece in self._objects.read(key):
            digest.update(piece)
        return digest.hexdigest()

    def _drop_upload(self, key: str) -> None:
        with suppress(AppError):  # an upload that stays behind costs room and nothing else
            self._objects.delete(key)


def _spool(pieces: Iterator[bytes], file: BinaryIO) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
        file.write(piece)
    return digest.hexdigest()


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    while piece := file.read(_PIECE):
        yield piece
