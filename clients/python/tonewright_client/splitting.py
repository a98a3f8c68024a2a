"""Recordings to folders of stems: upload what is not there yet, separate all at once, download as each one ends."""

from __future__ import annotations

import queue
import threading
import time
import uuid
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tonewright_client.client import ArtistHandle
from tonewright_client.errors import ApiError, GatewayUnreachable
from tonewright_client.models import Asset, Operation, Separation
from tonewright_client.separations import ENDED, SeparationOptions, SeparationOrder
from tonewright_client.waveforms import draw_stems

_BATCH = 100
_FOLLOWED_AT_ONCE = 8
# A cancelled separation ends within one segment; a big model on a slow machine takes seconds for one.
_CANCEL_WAIT_S = 15.0
_CANCEL_POLL_S = 0.25
PICTURE = "stems.png"


@dataclass(slots=True)
class Piece:
    """One recording on its way.

    Attributes:
        source: A file, or the name of an asset.
        title: What to call it: the file's or the asset's name.
        folder: Where its stems go.
        was_there: Whether nothing had to be uploaded.
        name: The separation's name; empty before there is one.
        separation: The separation as last told; None before anything was.
        files: The downloaded stems by name.
        error: What went wrong and what to do; empty while nothing did.
    """

    source: str
    title: str = ""
    folder: Path = Path()
    asset: Asset | None = None
    was_there: bool = True
    name: str = ""
    separation: Separation | None = None
    files: dict[str, Path] = field(default_factory=dict)
    picture: Path | None = None
    error: str = ""

    @property
    def state(self) -> str:
        """The separation's state; empty before anything was told."""
        return str(self.separation["state"]) if self.separation else ""

    @property
    def was_remembered(self) -> bool:
        """Whether no work was done for it: the same was separated before, or for somebody else at the same time."""
        return bool(self.separation and self.separation["shared_with"])


class View(Protocol):
    """Shows how far each piece is."""

    def uploading(self, piece: Piece, done: int, total: int) -> None:
        """Bytes of its file are on their way."""

    def changed(self, piece: Piece) -> None:
        """Its separation changed, or it failed."""

    def downloading(self, piece: Piece, done: int, total: int) -> None:
        """Bytes of a stem came in."""

    def finished(self, piece: Piece) -> None:
        """Everything of it is there."""

    def cancelling(self, pieces: Sequence[Piece]) -> None:
        """The person stopped it: the server is asked to end these separations."""


class Stopped(Exception):
    """The person does not want the rest."""


class Splitter:
    """Splits pieces for one artist.

    Args:
        artist: Whose recordings they are.
        options: What every separation is asked for.
        view: Is told of every step, from several threads.
        wants_picture: Whether each folder also gets a picture of its stems' waveforms.
    """

    def __init__(self, artist: ArtistHandle, options: SeparationOptions, view: View, *, wants_picture: bool) -> None:
        self._artist, self._options, self._view, self._wants_picture = artist, options, view, wants_picture
        self._stopping = threading.Event()

    def run(self, pieces: Sequence[Piece], out: Path) -> None:
        """Split them; what goes wrong with one is written into it and does not stop the others.

        Raises:
            GatewayUnreachable: Nothing answers.
            KeyboardInterrupt: The person stopped it; the server was asked to cancel what had not ended.
        """
        for piece in pieces:
            self._upload(piece)
        name_folders(pieces, out)
        ready = [piece for piece in pieces if not piece.error]
        try:
            for at in range(0, len(ready), _BATCH):
                self._start(ready[at : at + _BATCH])
            self._collect([piece for piece in ready if not piece.error])
        except KeyboardInterrupt:
            self._cancel(ready)
            raise

    def _upload(self, piece: Piece) -> None:
        def on_bytes(done: int, total: int) -> None:
            piece.was_there = False
            self._view.uploading(piece, done, total)

        try:
            if piece.source.startswith("artists/"):
                piece.asset = self._artist.assets.get(piece.source)
                piece.title = piece.asset["display_name"]
            else:
                piece.title = Path(piece.source).name
                piece.asset = self._artist.assets.upload(Path(piece.source), on_bytes=on_bytes)
        except ApiError as refused:
            self._fail(piece, refused)

    def _start(self, pieces: Sequence[Piece]) -> None:
        orders: list[SeparationOrder] = [{"asset": _asset_of(piece), **self._options} for piece in pieces]
        key = str(uuid.uuid4())
        try:
            operations = self._artist.separations.start_batch(orders, idempotency_key=key)
        except ApiError as refused:
            for piece in pieces:
                self._fail(piece, refused)
            return
        except KeyboardInterrupt:
            # The server may have begun: the same key gives the names that are to be cancelled.
            self._take(pieces, self._artist.separations.start_batch(orders, idempotency_key=key))
            raise
        self._take(pieces, operations)

    def _take(self, pieces: Sequence[Piece], operations: Iterable[Operation]) -> None:
        for piece, operation in zip(pieces, operations, strict=True):
            refused = operation["error"]
            if refused is not None and not operation["name"]:
                piece.error = f"{refused['reason']}: {refused['message']}"
            else:
                piece.name = operation["metadata"]["target"]
            self._view.changed(piece)

    def _collect(self, pieces: Sequence[Piece]) -> None:
        waiting: queue.SimpleQueue[Piece] = queue.SimpleQueue()
        done: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
        for piece in pieces:
            waiting.put(piece)

        def follow() -> None:
            while not self._stopping.is_set():
                try:
                    piece = waiting.get_nowait()
                except queue.Empty:
                    return
                try:
                    self._finish(piece)
                    done.put(None)
                except BaseException as fault:
                    done.put(fault)

        for number in range(min(_FOLLOWED_AT_ONCE, len(pieces))):
            threading.Thread(target=follow, name=f"follow-{number}", daemon=True).start()
        for _piece in pieces:
            fault = done.get()
            if fault is not None:
                raise fault

    def _finish(self, piece: Piece) -> None:
        try:
            for event in self._artist.separations.follow(piece.name):
                piece.separation = event.separation
                self._view.changed(piece)
            separation = piece.separation
            if separation is None or separation["state"] != "SUCCEEDED":
                piece.error = _why(piece)
                return
            piece.files = self._artist.separations.download(
                separation, piece.folder, on_bytes=lambda done, total: self._downloading(piece, done, total)
            )
            if self._wants_picture:
                piece.picture = draw_stems(self._artist, separation, piece.folder / PICTURE, title=piece.title)
        except ApiError as refused:
            self._fail(piece, refused)
        else:
            self._view.finished(piece)

    def _downloading(self, piece: Piece, done: int, total: int) -> None:
        if self._stopping.is_set():
            raise Stopped
        self._view.downloading(piece, done, total)

    def _fail(self, piece: Piece, refused: ApiError) -> None:
        piece.error = str(refused)
        self._view.changed(piece)

    def _cancel(self, pieces: Sequence[Piece]) -> None:
        self._stopping.set()
        asked = [piece for piece in pieces if piece.name and piece.state not in ENDED]
        self._view.cancelling(asked)
        for piece in asked:
            try:
                piece.separation = self._artist.separations.cancel(piece.name)
            except (ApiError, GatewayUnreachable) as fault:
                piece.error = (
                    f"could not be cancelled, cancel it later with `tonewright stems cancel {piece.name}`: {fault}"
                )
        until = time.monotonic() + _CANCEL_WAIT_S
        while time.monotonic() < until:
            left = [piece for piece in asked if piece.state not in ENDED and not piece.error]
            if not left:
                return
            time.sleep(_CANCEL_POLL_S)
            with suppress(ApiError, GatewayUnreachable):
                left[0].separation = self._artist.separations.get(left[0].name)


def name_folders(pieces: Iterable[Piece], out: Path) -> None:
    """Give each piece the folder `out/TITLE`, without the title's suffix; the second of equal titles gets `-2`."""
    taken: set[str] = set()
    for piece in pieces:
        stem = Path(piece.title).stem.strip(" .") or "stems"
        name, number = stem, 1
        while name.casefold() in taken:
            number += 1
            name = f"{stem}-{number}"
        taken.add(name.casefold())
        piece.folder = out / name


def _asset_of(piece: Piece) -> str:
    assert piece.asset is not None, "only what was uploaded is separated"
    return piece.asset["name"]


def _why(piece: Piece) -> str:
    separation = piece.separation
    if separation is None or separation["state"] == "CANCELLED":
        return "was cancelled; run the same command again to start it anew"
    return f"{separation['error_reason']}: {separation['error_message']}"
