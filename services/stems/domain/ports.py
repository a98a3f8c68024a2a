"""What separations need from outside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from chassis.paging import Page
from services.stems.domain.separation import (
    Model,
    OutputFormat,
    Parameters,
    Recording,
    Result,
    Selection,
    Separation,
    SourceAsset,
    State,
)


@dataclass(frozen=True, slots=True)
class Upload:
    """A place for one file; `asset` is set when the artist has its bytes already."""

    name: str
    object_key: str
    asset: str


class Progress(Protocol):
    """Tells how far the work is."""

    def report(self, percent: float, stage: str = "", eta_s: float | None = None) -> None:
        """Tell it; raises when the work was cancelled or belongs to another worker now."""


class Assets(Protocol):
    """The platform's audio assets."""

    def get(self, name: str) -> SourceAsset:
        """What is known of an asset."""

    def hold(self, asset: str, holder: str) -> None:
        """Keep the asset from being collected; a repeat does nothing."""

    def release(self, asset: str, holder: str) -> None:
        """Let go of it; a repeat does nothing."""

    def open_upload(self, artist: str, sha256: str, size_bytes: int, media_type: str, display_name: str) -> Upload:
        """A place for a file, or the asset that has its bytes."""

    def complete_upload(self, upload: Upload) -> str:
        """The name of the asset made of the uploaded bytes; a repeat gives the same."""


class Blobs(Protocol):
    """The bytes behind assets and uploads."""

    def fetch(self, key: str, path: Path) -> None:
        """Copy an object into a file."""

    def put(self, key: str, path: Path, media_type: str) -> None:
        """Copy a file into an object."""


class Audio(Protocol):
    """Files of audio in and out, in bounded memory."""

    def decode(self, file: Path, target: Path, asset: SourceAsset) -> Recording:
        """The file's frames; NaN and infinity become 0.

        Raises:
            SeparationInputDamaged: They are not what the asset promises.
        """

    def select(
        self, mix: Recording, sources: dict[str, Recording], selection: Selection, folder: Path
    ) -> dict[str, Recording]:
        """The stems asked for, at the mix's rate, channels and length."""

    def common_gain_db(self, stems: Sequence[Recording]) -> float:
        """The gain, 0 or below, at which none of them goes beyond full scale."""

    def encode(self, stem: Recording, target: Path, output_format: OutputFormat, gain_db: float) -> None:
        """Write the stem as a file for others."""


class Engine(Protocol):
    """Takes recordings apart."""

    def separate(
        self, mix: Recording, model: Model, parameters: Parameters, folder: Path, report: Callable[[float], None]
    ) -> dict[str, Recording]:
        """The sources of the mix, in the model's order, as files in the folder.

        Args:
            mix: One or two channels, at least one frame, finite.
            model: Of this engine.
            parameters: What it is told.
            folder: Takes the files.
            report: Is told the share done, 0 to 1, at least once per segment; what it raises ends the work.
        """


class Store(Protocol):
    """The rows of separations and of remembered results."""

    def add(self, separation: Separation, request_id: str, fingerprint: bytes) -> Separation:
        """The separation as kept: this one, or the one that the same request made first."""

    def get(self, artist: str, uid: str) -> Separation:
        """One separation; raises `SeparationNotFound`."""

    def page(
        self, artist: str, *, size: int, token: str, asset: str = "", state: State | None = None
    ) -> Page[Separation]:
        """The artist's separations, newest first."""

    def page_of_all(self, *, size: int, token: str, state: State | None = None) -> Page[Separation]:
        """Separations of all artists, newest first."""

    def request_cancel(self, artist: str, uid: str) -> Separation:
        """Ask for the end of its work."""

    def requeue(self, artist: str, uid: str) -> Separation:
        """Queue it again with its counters at zero."""

    def mark_deleted(self, artist: str, uid: str, etag: str) -> Separation:
        """Hide it from then on; raises when it has not ended or has another etag."""

    def deleted(self, *, limit: int) -> Sequence[Separation]:
        """Hidden ones of all artists whose holds are still to be released."""

    def remove(self, separation: Separation) -> None:
        """Forget a hidden one, and its result when no other separation has it."""

    def result(self, artist: str, content_key: str) -> Result | None:
        """What came out of equal work before."""

    def forget(self, artist: str, content_key: str, made_by: str) -> None:
        """Drop a remembered result whose stems are gone."""

    def twin_at_work(self, separation: Separation) -> bool:
        """Whether an equal separation that started earlier is running."""

    def finish(self, separation: Separation, result: Result) -> Result:
        """Commit the outcome under the separation's fence; gives what equal work committed first, if it did."""
