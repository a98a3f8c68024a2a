"""Do the work of one separation; safe to begin again after any failure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from chassis.clock import Clock
from chassis.errors import Internal, Unavailable
from services.stems.domain import (
    Assets,
    Audio,
    Blobs,
    Block,
    Catalogue,
    Encoded,
    Engine,
    Limits,
    OutputFormat,
    Progress,
    Recording,
    Result,
    Separation,
    SeparationInputTooLong,
    SourceAsset,
    Stem,
    StemFiles,
    Store,
    Task,
)
from services.stems.use_cases import measures
from services.stems.use_cases.chunks import Chunks, Publisher
from services.stems.use_cases.course import Course
from services.stems.use_cases.keeping import Keeper
from services.stems.use_cases.scratch import Scratch
from services.stems.use_cases.separations import remembered

# Shares of the whole at which a stage begins, in percent.
_DECODING, _SEPARATING, _ENCODING, _STORING = 2.0, 5.0, 85.0, 90.0
_TWIN_LOOK_S = 0.5
# A short twin is waited for; after that the place in the worker is given to other work for a while.
_TWIN_PATIENCE_S, _TWIN_AGAIN_S = 2.0, 15.0


@dataclass(frozen=True, slots=True)
class SeparationWork:
    """Fetch, decode, separate and encode, store, commit."""

    store: Store
    assets: Assets
    blobs: Blobs
    audio: Audio
    engines: Mapping[str, Engine]
    catalogue: Catalogue
    limits: Limits
    clock: Clock
    scratch: Scratch

    def perform(self, separation: Separation, progress: Progress) -> None:
        """Bring the separation to its end; what equal work made before is taken as it is."""
        began_s = self.clock.monotonic()
        course = Course(progress, self.clock)
        course.at(0.0, "fetching")
        if separation.attempt.attempt <= 1:
            waited = self.clock.now() - separation.times.created
            measures.observe_wait(separation, waited.total_seconds())
        result = self._wait_for_twin(separation, course)
        if result is None:
            with self._waking_twins(separation):
                result = self._make(separation, course)
                self._commit(separation, result)
            measures.observe_run(separation, self.clock.monotonic() - began_s, result.real_time_factor)
        else:
            self._commit(separation, result)

    @contextmanager
    def _waking_twins(self, separation: Separation) -> Iterator[None]:
        """Equal work that waits for this run looks again at once when the run ends without a result."""
        try:
            yield
        except BaseException:
            with suppress(Unavailable):
                self.store.wake_twins(separation)
            raise

    def _commit(self, separation: Separation, result: Result) -> None:
        kept = self.store.finish(separation, result)
        if kept != result:
            # Equal work was faster: its stems are the ones that count.
            for stem in kept.stems:
                self.assets.hold(stem.asset, separation.name)
            mine = {stem.asset for stem in result.stems} - {stem.asset for stem in kept.stems}
            self._keeper.release(mine, separation)

    def _wait_for_twin(self, separation: Separation, course: Course) -> Result | None:
        """What equal work made, when it was done before or is being done."""
        end_s = self.clock.monotonic() + _TWIN_PATIENCE_S
        while (found := remembered(self.store, self.assets, separation)) is None:
            if not self.store.twin_at_work(separation):
                return None
            if self.clock.monotonic() >= end_s:
                # Tried again without counting as a failure.
                raise Unavailable(
                    f"{separation.name} waits for an equal separation that is running", retry_after_s=_TWIN_AGAIN_S
                )
            course.at(0.0, "waiting")
            self.clock.sleep(_TWIN_LOOK_S)
        return found

    def _make(self, separation: Separation, course: Course) -> Result:
        order = separation.order
        model = self.catalogue.find(order.model)
        source = self.assets.get(order.asset)
        self.limits.check(source)
        self._check_stem_size(source, order.output_format)
        self.assets.hold(source.name, separation.name)
        labels = order.selection.labels(model)
        with self.scratch.folder(source, model, len(labels)) as folder:
            mix = self._decoded(source, folder, course)
            task = Task(mix, model, order.selection.sources(model), order.parameters, order.priority, folder)
            began_s = self.clock.monotonic()
            with self._writing(separation, task) as (files, chunks):
                self._separate(separation, task, (files, chunks), course)
                course.at(_ENCODING, "encoding")
                encoded = course.attend(files.finish)
                work_s = self.clock.monotonic() - began_s
                if chunks is not None:
                    chunks.finish(course)
            stems = self._stored(separation, encoded, course)
        return Result(stems, encoded.gain_db, work_s / mix.duration_s, separation.name)

    def _decoded(self, source: SourceAsset, folder: Path, course: Course) -> Recording:
        file, mix = folder / "source", folder / "mix.f32"
        course.attend(lambda: self.blobs.fetch(source.blob_key, file))
        course.at(_DECODING, "decoding")
        decoded = course.attend(lambda: self.audio.decode(file, mix, source))
        file.unlink()
        return decoded

    @contextmanager
    def _writing(self, separation: Separation, task: Task) -> Iterator[tuple[StemFiles, Chunks | None]]:
        order, mix = separation.order, task.mix
        with ExitStack() as ends:
            files = self.audio.write(mix, order.selection, order.output_format, task.folder)
            ends.enter_context(closing(files))
            chunks = None
            if order.publish_chunks:
                publisher = Publisher(self.store, self.blobs, self.audio, self.clock)
                chunks = ends.enter_context(closing(publisher.begin(separation, mix, task.folder)))
            yield files, chunks

    def _separate(
        self, separation: Separation, task: Task, outlets: tuple[StemFiles, Chunks | None], course: Course
    ) -> None:
        """Hand every stretch that the engine gives to the files and, where wanted, to the published chunks."""
        files, chunks = outlets
        began_s, done = self.clock.monotonic(), 0
        course.at(_SEPARATING, "separating")
        with _closed(self.engines[task.model.engine].separate(task)) as blocks:
            for block in blocks:
                course.beat()
                if not block:
                    continue
                stems = files.add(block)
                spent_s = self.clock.monotonic() - began_s
                if not done:
                    measures.observe_first_stretch(separation, spent_s)
                done += len(next(iter(block.values())))
                share = min(1.0, done / task.mix.frame_count)
                eta_s = spent_s / share - spent_s
                course.at(_SEPARATING + share * (_ENCODING - _SEPARATING), "separating", eta_s)
                if chunks is not None:
                    chunks.add(stems, course)
        if done != task.mix.frame_count:
            raise Internal(f"engine {task.model.engine} gave {done} of {task.mix.frame_count} frames")

    def _stored(self, separation: Separation, encoded: Encoded, course: Course) -> tuple[Stem, ...]:
        course.at(_STORING, "storing")
        return self._keeper.keep(encoded, separation, course, from_percent=_STORING)

    def _check_stem_size(self, source: SourceAsset, output_format: OutputFormat) -> None:
        """Refuse stems that could not become assets before any work is put into them."""
        size_bytes = source.frame_count * min(source.channels, 2) * 4
        if output_format is OutputFormat.WAV_FLOAT and size_bytes > self.limits.size_bytes:
            raise SeparationInputTooLong(
                f"each stem of {source.name} would have {size_bytes} bytes as WAV_FLOAT; at most "
                f"{self.limits.size_bytes} are taken: ask for FLAC_24, or cut it into parts"
            )

    @property
    def _keeper(self) -> Keeper:
        return Keeper(self.assets, self.blobs, self.clock)


@contextmanager
def _closed(blocks: Iterator[Block]) -> Iterator[Iterator[Block]]:
    """The blocks; the engine's work on them ends with the context, however that ends."""
    try:
        yield blocks
    finally:
        if (close := getattr(blocks, "close", None)) is not None:
            close()
