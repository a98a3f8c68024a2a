"""What separations need from outside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from chassis.paging import Page
from services.stems.domain.order import Model, OutputFormat, Parameters, Priority, Selection, Webhook
from services.stems.domain.separation import Chunk, Recording, Result, Separation, SourceAsset, State

Float32 = npt.NDArray[np.float32]
# A stretch of several sources or stems by name, each (n_frames, n_channels).
Block = Mapping[str, Float32]


@dataclass(frozen=True, slots=True)
class Task:
    """One recording for an engine to take apart."""

    mix: Recording  # one or two channels, at least one frame, finite
    model: Model  # of this engine
    sources: tuple[str, ...]  # the wanted ones, in the model's order
    parameters: Parameters
    priority: Priority
    folder: Path  # takes files that are needed in between


@dataclass(frozen=True, slots=True)
class Encoded:
    """Finished stems as files for others."""

    files: Mapping[str, Path]  # by stem, in the order in which they come out
    gain_db: float  # 0 or below: what all of them got alike so that none clips


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

    def remove_all(self, prefix: str) -> None:
        """Remove every object whose key begins so."""


class Receivers(Protocol):
    """Who webhooks lead to."""

    def check(self, webhook: Webhook) -> None:
        """Raise unless events may be sent there."""


class StemFiles(Protocol):
    """The files of one separation's stems, written while the engine still works."""

    def add(self, block: Block) -> Block:
        """Take the next stretch of the engine's sources; gives that stretch of the stems, before any common gain.

        Encoding goes on in threads of its own; what these raised is raised by the next call.
        """

    def finish(self) -> Encoded:
        """The finished files, once every frame of the mix was added."""

    def close(self) -> None:
        """End the threads and let go of the files; a repeat does nothing."""


class Audio(Protocol):
    """Files of audio in and out, in bounded memory."""

    def decode(self, file: Path, target: Path, asset: SourceAsset) -> Recording:
        """The file's frames, more than two channels mixed down to two.

        Raises:
            SeparationInputDamaged: They are not what the asset promises.
            SeparationInputNotFinite: A sample is NaN or infinite.
            SeparationInputTooLong: It goes beyond the bounds of a decode.
        """

    def write(self, mix: Recording, selection: Selection, output_format: OutputFormat, folder: Path) -> StemFiles:
        """Begin the stems of a mix as files in the folder; the selection is settled."""

    def encode_chunk(self, stems: Block, rate_hz: int, output_format: OutputFormat, folder: Path) -> dict[str, Path]:
        """A stretch of the stems as files that play by themselves; full scale is where they clip."""


class Engine(Protocol):
    """Takes recordings apart."""

    def separate(self, task: Task) -> Iterator[Block]:
        """The wanted sources of the mix, stretch by stretch, in order and without gaps.

        Each array of a block is float32 of shape (n_frames, n_channels) at the mix's rate; the blocks of a task have
        `mix.frame_count` frames together. A block without sources says that the work waits or goes on, at least twice
        a second. Closing the iterator ends the work within one segment.

        Raises:
            ModelNotFound: The engine has no such model.
            ModelUnusable: The model's weights do not fit its network.
            SeparationInputNotFinite: The mix, or what the model makes of it, is not finite.
        """


class Store(Protocol):
    """The rows of separations and of remembered results."""

    def add(self, separation: Separation, request_id: str, fingerprint: bytes, *, method: str = ...) -> Separation:
        """The separation as kept: this one, or the one that the same request to the method made first."""

    def note_request(self, artist: str, method: str, request_id: str, fingerprint: bytes) -> None:
        """Keep that a request was made; raises when its id came with another body before."""

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
        """Whether an equal separation is running that started earlier or is further."""

    def wake_twins(self, separation: Separation) -> None:
        """Have equal work that waits begin at once."""

    def add_chunk(self, separation: Separation, chunk: Chunk) -> None:
        """Tell a stretch that can be played; a repeat of its index replaces it. Raises under a stale fence."""

    def chunks(self, artist: str, uid: str, *, first: int) -> Sequence[Chunk]:
        """The stretches from this index on, in order, up to the first that is missing."""

    def with_stale_chunks(self, *, limit: int) -> Sequence[Separation]:
        """Those of all artists whose chunks need not be kept any longer."""

    def forget_chunks(self, separation: Separation) -> None:
        """Drop the rows of its chunks."""

    def mark_chunks_gone(self, separation: Separation) -> None:
        """Note that nothing is left of its chunks."""

    def tell_ends(self, *, limit: int) -> int:
        """Queue the events of ended separations that have none yet; gives how many."""

    def forget_events(self) -> int:
        """Drop settled events after a while; gives how many."""

    def finish(self, separation: Separation, result: Result) -> Result:
        """Commit the outcome under the separation's fence; gives what equal work committed first, if it did."""
