from __future__ import annotations

import errno
import hashlib
import importlib.metadata
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audiofiles.bounded import Bounds, Broken, call_bounded
from audiofiles.faults import Unfit
from chassis.logs import get_logger
from chassis.objects import ObjectStore
from services.datasets.domain.exports import AudioMissing
from services.datasets.domain.items import Audio
from services.datasets.domain.preparing import AudioUnusable, ScratchFull, Told
from services.datasets.domain.recipes import Piece, Recipe
from services.datasets.domain.rendering import (
    FOLDER,
    MEDIA_TYPES,
    PIECE_S,
    SHORTEST_PIECE_S,
    Rendered,
    RenderedPiece,
    RenderedStore,
    SeparationModel,
    Separations,
    StemAssets,
    content_key,
    own_piece,
    rate_of,
    rendered_pieces,
    stays,
)
from services.datasets.domain.snapshots import SnapshotMember
from services.datasets.render.vocals import Vocals

log = get_logger(__name__)

# The number counts whenever the bytes for the same input and recipe change; so do the libraries' versions.
_TOOLS = " ".join(["1", *(f"{name} {importlib.metadata.version(name)}" for name in ("soxr", "lameenc", "numpy"))])
_CALL = "services.datasets.render.making:make_files"
_LOOK_S = 0.25
_SLACK_BYTES = 8 << 20
_MOST_BYTES_PER_S = 96_000 * 2 * 2
_AGAIN_S = 60.0
# Shares of the work: separating is most of it where vocals are taken out, storing is little.
_SEPARATED, _FETCHED, _MADE = 0.7, 0.1, 0.9


@dataclass(frozen=True, slots=True)
class RenderBounds:
    """What rendering one recording may use.

    Args:
        timeout_s: Wall and processor seconds of the process that renders.
        memory_bytes: Its address space, libraries included.
        separation_s: How long a separation is waited for.
        separation_poll_s: Time between two looks at it.
    """

    timeout_s: int = 1800
    memory_bytes: int = 2 << 30
    separation_s: float = 6 * 3600.0
    separation_poll_s: float = 2.0


@dataclass(frozen=True, slots=True)
class AudioRenderer:
    """Makes the audio of members ready; a process of its own reads the bytes.

    Args:
        objects: Where the bytes are, and go.
        rendered: What was made before.
        assets: Where holds on separated audio are taken.
        separations: What takes vocals out.
        bounds: What one recording may use.
        scratch_dir: Takes files for the time of the work; the system's own when None.
        sleep: Waits so many seconds.
    """

    objects: ObjectStore
    rendered: RenderedStore
    assets: StemAssets
    separations: Separations
    bounds: RenderBounds = RenderBounds()
    scratch_dir: Path | None = None
    sleep: Callable[[float], None] = time.sleep

    def prepare(self, artist: str, member: SnapshotMember, recipe: Recipe, report: Told) -> list[Piece]:
        """The member's audio as whole objects of the store, in order; at least one."""
        if stays(member.audio, recipe):
            return [own_piece(member)]
        model = self.separations.model(artist) if recipe.remove_vocals else None
        key = content_key(member.audio, recipe, _TOOLS, model)
        made = self._found(artist, key) or self._made(artist, member, recipe, key, model, report)
        return rendered_pieces(member, recipe, made)

    def _found(self, artist: str, key: str) -> Rendered | None:
        """What was made before, if its objects are still there."""
        found = self.rendered.find(artist, key)
        if found is not None and not all(self._is_there(piece) for piece in found.pieces):
            self.rendered.forget(artist, key)
            return None
        return found

    def _made(
        self,
        artist: str,
        member: SnapshotMember,
        recipe: Recipe,
        key: str,
        model: SeparationModel | None,
        report: Told,
    ) -> Rendered:
        with _scratch(self.scratch_dir) as folder:
            if model is None:
                return self._from(artist, member, member.audio, recipe, key, {}, folder, report)
            vocals = Vocals(self.separations, self.assets, self.rendered, self.sleep)
            waiting = (self.bounds.separation_s, self.bounds.separation_poll_s)
            with vocals.removed(artist, member, model, key, waiting, _part(report, 0, _SEPARATED)) as rest:
                facts = {"model": f"{model.engine} {model.name}".strip()}
                return self._from(artist, member, rest, recipe, key, facts, folder, _part(report, _SEPARATED, 1))

    def _from(
        self,
        artist: str,
        member: SnapshotMember,
        audio: Audio,
        recipe: Recipe,
        key: str,
        facts: dict[str, Any],
        folder: Path,
        report: Told,
    ) -> Rendered:
        """Fetch, make, store and record."""
        source = folder / "source"
        report(0.0, "fetching audio")
        self._fetch(member, audio, source)
        answer = self._make(member, audio, recipe, source, folder, _part(report, _FETCHED, _MADE))
        pieces: list[RenderedPiece] = []
        for told in answer["pieces"]:
            report(_MADE + (1 - _MADE) * len(pieces) / len(answer["pieces"]), "storing audio")
            pieces.append(self._store(artist, recipe, key, folder / told.pop("file"), told))
        kept = {name: answer[name] for name in ("gain_db", "loudness_lufs", "is_limited")}
        wanted = Rendered(
            key=key,
            media_type=MEDIA_TYPES[recipe.encoding],
            rate_hz=rate_of(recipe),
            channels=recipe.channels,
            pieces=tuple(pieces),
            facts={**facts, **kept},
        )
        found = self.rendered.add(artist, wanted)
        # A collector may have removed an object between its arrival and the row; with the row it removes none.
        for piece in found.pieces:
            if not self._is_there(piece):
                index = found.pieces.index(piece)
                self._put(piece.object_key, folder / f"{index}.{recipe.encoding.value.lower()}", found.media_type)
        return found

    def _fetch(self, member: SnapshotMember, audio: Audio, source: Path) -> None:
        """The bytes that the snapshot speaks of, and no others."""
        there = self.objects.head(audio.object_key)
        if there is None:
            raise AudioMissing(
                f"the audio of {member.item_name} is gone; upload it again, attach it to the item, and export again",
                metadata={"training_item": member.item_name, "asset": audio.asset},
            )
        digest = hashlib.sha256()
        with source.open("wb") as file:
            for piece in self.objects.read(audio.object_key):
                digest.update(piece)
                file.write(piece)
        if audio.sha256 and digest.hexdigest() != audio.sha256:
            raise _unusable(member, "the stored bytes are other than those that were uploaded", "AUDIO_DAMAGED")

    def _make(
        self, member: SnapshotMember, audio: Audio, recipe: Recipe, source: Path, folder: Path, report: Told
    ) -> dict[str, Any]:
        """The files in the folder and what was found on the way."""
        arguments = {
            "audio": str(source),
            "folder": str(folder),
            "recipe": {
                "encoding": recipe.encoding.value,
                "rate_hz": rate_of(recipe),
                "channels": recipe.channels,
                "loudness_lufs": recipe.loudness_lufs,
                "piece_s": PIECE_S if recipe.cut else 0,
                "shortest_s": SHORTEST_PIECE_S,
            },
        }
        written = int(audio.duration_s * _MOST_BYTES_PER_S) + _SLACK_BYTES
        bounds = Bounds(self.bounds.timeout_s, self.bounds.memory_bytes, written)
        with ThreadPoolExecutor(1, thread_name_prefix="render") as pool:
            work: Future[dict[str, Any]] = pool.submit(call_bounded, _CALL, arguments, bounds, folder)
            try:
                while not wait([work], _LOOK_S).done:
                    report(_progress(folder), "converting audio")
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)  # which ends the process
                raise
            return self._answer(work, member)

    def _answer(self, work: Future[dict[str, Any]], member: SnapshotMember) -> dict[str, Any]:
        try:
            return work.result()
        except Broken as broken:
            log.warning("render_ended_badly", item=member.item_uid, status=broken.status, stderr=broken.stderr)
            raise _unusable(member, broken.message, "BROKEN") from broken
        except Unfit as fault:
            if fault.reason == "NO_SPACE":
                raise _scratch_full() from fault
            raise _unusable(member, fault.message, fault.reason) from fault

    def _store(self, artist: str, recipe: Recipe, key: str, file: Path, told: dict[str, Any]) -> RenderedPiece:
        """The file as an object; its name tells its bytes, so that other bytes never take its place."""
        name = f"{file.stem}-{told['sha256'][:12]}{file.suffix}"
        piece = RenderedPiece(object_key=FOLDER.format(artist=artist, key=key) + name, **told)
        if not self._is_there(piece):
            self._put(piece.object_key, file, MEDIA_TYPES[recipe.encoding])
        return piece

    def _put(self, object_key: str, file: Path, media_type: str) -> None:
        self.objects.put(object_key, file, media_type=media_type)

    def _is_there(self, piece: RenderedPiece) -> bool:
        there = self.objects.head(piece.object_key)
        return there is not None and there.size_bytes == piece.size_bytes


@contextmanager
def _scratch(parent: Path | None) -> Iterator[Path]:
    """A folder that is gone after the block; a full disk is told by name."""
    try:
        if parent is not None:
            parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="tonewright-", dir=parent, ignore_cleanup_errors=True) as folder:
            yield Path(folder)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise _scratch_full() from error


def _progress(folder: Path) -> float:
    with suppress(OSError, ValueError):
        return float((folder / "progress").read_text())
    return 0.0


def _part(report: Told, start: float, end: float) -> Told:
    """A report of a part of the work."""
    return lambda share, words: report(start + (end - start) * share, words)


def _scratch_full() -> ScratchFull:
    return ScratchFull("a worker's scratch space is full; the work begins again by itself", retry_after_s=_AGAIN_S)


def _unusable(member: SnapshotMember, what: str, fault: str) -> AudioUnusable:
    return AudioUnusable(
        f"the audio of {member.item_name} cannot be made ready: {what}",
        metadata={"training_item": member.item_name, "asset": member.audio.asset, "fault": fault},
    )
