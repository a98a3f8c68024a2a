"""The way of one separation through a worker: how it goes, and every way in which it may end otherwise."""

from __future__ import annotations

import errno
import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from chassis.context import acting_as, in_request
from chassis.errors import AppError, DependencyUnavailable, Internal, InvalidArgument, ResourceExhausted, Unavailable
from chassis.jobs import JobCancelled, LeaseLost
from chassis.testing.data import sqlite_database
from services.stems import stub
from services.stems.audio import AudioFiles
from services.stems.domain import (
    Block,
    Limits,
    Order,
    OutputFormat,
    Recording,
    Result,
    ScratchFull,
    Selection,
    Separation,
    SeparationInputTooLong,
    SourceAsset,
    State,
    StemSet,
    Task,
    Upload,
)
from services.stems.store import Base
from services.stems.store.tables import to_separation
from services.stems.use_cases.chunks import chunk_frames
from services.stems.use_cases.scratch import Scratch, needed_bytes
from tests.unit.stems.house import ADA, ARTIST, Quiet, StemsHouse

RATE_HZ = 8000


class Slices:
    """An engine that gives quarters of the mix as its sources, and notes whether its work was ended."""

    def __init__(self, step: int = 3000, last: int | None = None) -> None:
        self.step, self.last = step, last
        self.given, self.is_ended = 0, False

    def separate(self, task: Task) -> Iterator[Block]:
        mix = np.fromfile(task.mix.path, np.float32).reshape(-1, task.mix.channels)[: self.last]
        self.given, self.is_ended = 0, False
        try:
            for start in range(0, len(mix), self.step):
                yield {}
                piece = mix[start : start + self.step] * np.float32(0.25)
                self.given += len(piece)
                yield dict.fromkeys(task.sources, piece)
        finally:
            self.is_ended = True


class Endless(Slices):
    """An engine that never gives anything."""

    def separate(self, task: Task) -> Iterator[Block]:
        try:
            while True:
                self.given += 1
                yield {}
        finally:
            self.is_ended = True


class Course(Quiet):
    """A progress that is looked at, and that can end the run."""

    def __init__(self, ends: Callable[[float, str], AppError | None] = lambda _percent, _stage: None) -> None:
        self.seen: list[tuple[float, str, float | None]] = []
        self.ends = ends

    def report(self, percent: float, stage: str = "", eta_s: float | None = None) -> None:
        super().report(percent, stage, eta_s)
        self.seen.append((percent, stage, eta_s))
        if (error := self.ends(percent, stage)) is not None:
            raise error

    @property
    def stages(self) -> list[str]:
        return list(dict.fromkeys(stage for _, stage, _ in self.seen))


class DecodedHere(AudioFiles):
    """Without a process for each decode, which is tested elsewhere and costs more than all the rest."""

    def decode(self, file: Path, target: Path, asset: SourceAsset) -> Recording:
        frames = soundfile.read(file, dtype="float32", always_2d=True)[0]
        frames.tofile(target)
        return Recording(target, asset.rate_hz, asset.channels, len(frames))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[StemsHouse]:
    db = sqlite_database(tmp_path, Base)
    with acting_as(ADA), in_request():
        yield StemsHouse(db, tmp_path, audio=DecodedHere())
    db.close()


def noise(duration_s: float = 3.0, channels: int = 2, seed: int = 1) -> npt.NDArray[np.float32]:
    made = np.random.default_rng(seed).standard_normal((int(duration_s * RATE_HZ), channels)) * 0.1
    return made.astype(np.float32)


def use(house: StemsHouse, engine: Slices) -> Slices:
    house.work.engines["stub"] = engine  # type: ignore[index]
    return engine


def ask(house: StemsHouse, duration_s: float = 3.0, **order: object) -> str:
    asset = house.assets.add(noise(duration_s), RATE_HZ)
    return house.separations.create(ARTIST, Order(asset.name, **order), "", b"").uid  # type: ignore[arg-type]


def run(house: StemsHouse, course: Course | None = None) -> Course:
    """Claim the next one and do its work; raises what the work raises."""
    row = house.jobs.claim("w")
    assert row is not None
    course = course or Course()
    house.work.perform(to_separation(row), course)
    return course


def left_over(house: StemsHouse) -> list[Path]:
    return list(house.scratch.iterdir())


def ends_at(stage: str, error: AppError) -> Course:
    return Course(lambda _percent, now: error if now == stage else None)


def test_progress_grows_through_all_stages_and_tells_what_is_left(house: StemsHouse) -> None:
    engine = use(house, Slices())
    ask(house)

    course = run(house)

    percents = [percent for percent, _, _ in course.seen]
    assert percents == sorted(percents)
    assert (percents[0], percents[-1]) == (0, 100)
    assert course.stages == ["fetching", "decoding", "separating", "encoding", "storing"]
    assert any(eta_s is not None for _, stage, eta_s in course.seen if stage == "separating")
    assert engine.is_ended
    assert not left_over(house)


@pytest.mark.parametrize("stage", ["fetching", "decoding", "separating", "encoding", "storing"])
@pytest.mark.parametrize("error", [JobCancelled("enough"), LeaseLost("another has it")], ids=["cancelled", "lost"])
def test_a_run_that_must_end_leaves_nothing_behind(house: StemsHouse, stage: str, error: AppError) -> None:
    engine = use(house, Slices())
    uid = ask(house)
    source = house.store.get(ARTIST, uid).order.asset

    with pytest.raises(type(error)):
        run(house, ends_at(stage, error))

    assert not left_over(house)
    assert engine.is_ended or engine.given == 0
    assert {asset for asset, _ in house.assets.holds} == {source}


def test_cancelling_is_heard_while_the_engine_gives_nothing(house: StemsHouse) -> None:
    engine = use(house, Endless())
    ask(house)
    course = Course(lambda _percent, _stage: JobCancelled("enough") if engine.given >= 3 else None)

    with pytest.raises(JobCancelled):
        run(house, course)

    assert (engine.given, engine.is_ended) == (3, True)
    assert not left_over(house)


def test_an_engine_that_gives_too_little_is_a_fault(house: StemsHouse) -> None:
    use(house, Slices(last=10_000))
    ask(house)

    with pytest.raises(Internal, match="10000 of 24000"):
        run(house)

    assert not left_over(house)
    assert len(house.assets.holds) == 1


def test_the_real_time_factor_counts_separating_and_encoding(house: StemsHouse) -> None:
    class Slow(Slices):
        def separate(self, task: Task) -> Iterator[Block]:
            for block in super().separate(task):
                house.clock.advance(0.5)
                yield block

    use(house, Slow(step=24_000))
    uid = ask(house, duration_s=3.0)

    run(house)

    result = house.store.get(ARTIST, uid).result
    assert result is not None
    assert result.real_time_factor == pytest.approx(1.0 / 3.0)


class Counting:
    """Assets that count what is stored and fail so often first."""

    def __init__(self, house: StemsHouse, *failures: AppError) -> None:
        self._house, self._failures, self.completed = house, list(failures), 0
        self._complete = house.assets.complete_upload

    def complete_upload(self, upload: Upload) -> str:
        if self._failures:
            raise self._failures.pop(0)
        self.completed += 1
        return self._complete(upload)


@pytest.mark.parametrize("error", [ResourceExhausted("busy", retry_after_s=30), DependencyUnavailable("sessions")])
def test_a_busy_assets_service_is_asked_again(
    house: StemsHouse, error: AppError, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(house, Slices())
    uid = ask(house)
    counting = Counting(house, error, error)
    monkeypatch.setattr(house.assets, "complete_upload", counting.complete_upload)

    run(house)

    assert house.store.get(ARTIST, uid).state is State.SUCCEEDED


@pytest.mark.parametrize(("failures", "state"), [(1, State.SUCCEEDED), (2, State.FAILED)])
def test_a_stem_that_took_too_long_to_measure_is_measured_once_more(
    house: StemsHouse, failures: int, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = InvalidArgument("the file takes too long")
    slow.reason = "AUDIO_UNREADABLE"
    order = Order(house.assets.add(noise(), RATE_HZ).name, selection=Selection(StemSet.SUBSET, "", ("bass",)))
    uid = house.separations.create(ARTIST, order, "", b"").uid
    monkeypatch.setattr(house.assets, "complete_upload", Counting(house, *[slow] * failures).complete_upload)

    house.run_one()

    assert house.store.get(ARTIST, uid).state is state


def test_what_a_second_run_repeats_makes_no_second_asset(house: StemsHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    uid = ask(house)
    counting = Counting(house)
    monkeypatch.setattr(house.assets, "complete_upload", counting.complete_upload)
    row = house.jobs.claim("w")
    assert row is not None
    cut_off = replace(house.work, store=WithoutCommit(house))
    with pytest.raises(DependencyUnavailable) as away:
        cut_off.perform(to_separation(row), Quiet())
    house.jobs.fail(row.uid, row.fence, away.value)
    house.clock.advance(60)

    run(house)

    assert house.store.get(ARTIST, uid).state is State.SUCCEEDED
    assert counting.completed == 4
    assert len(house.assets.by_name) == 5


class WithoutCommit:
    """A store that is away when results are committed."""

    def __init__(self, house: StemsHouse) -> None:
        self._house = house

    def __getattr__(self, name: str) -> Any:
        return getattr(self._house.store, name)

    def finish(self, separation: Separation, result: Result) -> Result:
        raise DependencyUnavailable("database")


def test_stems_of_a_run_that_fails_while_storing_are_let_go(house: StemsHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    uid = ask(house)
    complete = house.assets.complete_upload
    done: list[Upload] = []

    def only_two(upload: Upload) -> str:
        if len(done) >= 2:
            raise Internal("something else")
        done.append(upload)
        return complete(upload)

    monkeypatch.setattr(house.assets, "complete_upload", only_two)

    with pytest.raises(Internal):
        run(house)

    assert {asset for asset, _ in house.assets.holds} == {house.store.get(ARTIST, uid).order.asset}


def test_a_run_whose_lease_is_lost_while_storing_lets_go_of_nothing(
    house: StemsHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(house)
    released: list[str] = []
    monkeypatch.setattr(house.assets, "release", lambda asset, _holder: released.append(asset))

    with pytest.raises(LeaseLost):
        run(house, Course(lambda percent, _stage: LeaseLost("another has it") if percent == 100 else None))

    assert released == []


def test_a_twin_that_waits_gives_its_place_to_other_work(house: StemsHouse) -> None:
    asset = house.assets.add(noise(), RATE_HZ)
    uids = [house.separations.create(ARTIST, Order(asset.name), "", b"").uid for _ in range(2)]
    first = house.jobs.claim("one")
    assert first is not None
    house.clock.advance(0.1)
    began_s = house.clock.monotonic()

    with pytest.raises(Unavailable) as caught:
        run(house)
    second = next(uid for uid in uids if uid != first.uid)
    state = house.jobs.fail(second, 1, caught.value)
    waited_s = house.clock.monotonic() - began_s
    house.work.perform(to_separation(first), Quiet())
    house.clock.advance(60)
    run(house)

    kept = [house.store.get(ARTIST, uid) for uid in uids]
    assert state == "QUEUED"
    assert waited_s == pytest.approx(2.0, abs=0.6)
    assert {separation.result.made_by for separation in kept if separation.result} == {to_separation(first).name}
    assert [separation.attempt.failures for separation in kept] == [0, 0]


def test_a_twin_that_waits_begins_when_the_other_run_ends_without_a_result(house: StemsHouse) -> None:
    asset = house.assets.add(noise(), RATE_HZ)
    for _ in range(2):
        house.separations.create(ARTIST, Order(asset.name), "", b"")
    first, second = house.jobs.claim("one"), house.jobs.claim("two")
    assert first is not None
    assert second is not None
    house.jobs.fail(second.uid, second.fence, Unavailable("it waits", retry_after_s=60))
    ends = Course(lambda _percent, stage: JobCancelled("enough") if stage == "separating" else None)

    before = house.jobs.claim("two")
    with pytest.raises(JobCancelled):
        house.work.perform(to_separation(first), ends)
    after = house.jobs.claim("two")

    assert before is None
    assert after is not None
    assert after.uid == second.uid


@pytest.mark.parametrize("step", [700, 16_000, 200_000])
def test_chunks_have_the_same_grid_whatever_the_engine_gives(house: StemsHouse, step: int) -> None:
    use(house, Slices(step))
    uid = ask(house, duration_s=19.3, publish_chunks=True)

    run(house)

    chunks = house.store.chunks(ARTIST, uid, first=0)
    assert [(chunk.index, chunk.offset_frames) for chunk in chunks] == [
        (0, 0),
        (1, 16_000),
        (2, 32_000),
        (3, 48_000),
        (4, 112_000),
    ]
    assert sum(chunk.frame_count for chunk in chunks) == int(19.3 * RATE_HZ)
    assert {part.media_type for chunk in chunks for part in chunk.parts} == {"audio/flac"}


def test_chunks_join_to_their_stem(house: StemsHouse) -> None:
    uid = ask(house, duration_s=9.0, publish_chunks=True)

    run(house)

    done = house.store.get(ARTIST, uid)
    assert done.result is not None
    chunks = house.store.chunks(ARTIST, uid, first=0)
    for number, stem in enumerate(done.result.stems):
        keys = [chunk.parts[number].object_key for chunk in chunks]
        pieces = [soundfile.read(io.BytesIO(house.objects.read_bytes(key, limit=1 << 24)))[0] for key in keys]
        assert [chunk.parts[number].stem for chunk in chunks] == [stem.stem] * len(chunks)
        assert np.abs(np.concatenate(pieces) - house.assets.frames(stem.asset)).max() <= 2**-23


def test_lengths_of_chunks() -> None:
    assert [chunk_frames(index, 100) for index in range(5)] == [200, 200, 200, 800, 800]


@pytest.mark.parametrize("error", [DependencyUnavailable("objects"), RuntimeError("no idea")])
def test_a_chunk_that_cannot_be_published_costs_only_chunks(
    house: StemsHouse, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def put(key: str, data: object, **named: object) -> object:
        if "/chunks/" in key and "/1-" in key:
            raise error
        return keep(key, data, **named)

    uid = ask(house, duration_s=9.0, publish_chunks=True)
    keep: Any = house.objects.put
    monkeypatch.setattr(house.objects, "put", put)

    run(house)

    assert house.store.get(ARTIST, uid).state is State.SUCCEEDED
    assert [chunk.index for chunk in house.store.chunks(ARTIST, uid, first=0)] == [0]


def test_a_chunk_is_tried_again(house: StemsHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    faults = [DependencyUnavailable("objects")] * 3

    def put(key: str, data: object, **named: object) -> object:
        if "/chunks/" in key and faults:
            raise faults.pop()
        return keep(key, data, **named)

    uid = ask(house, duration_s=5.0, publish_chunks=True)
    keep: Any = house.objects.put
    monkeypatch.setattr(house.objects, "put", put)

    run(house)

    assert [chunk.index for chunk in house.store.chunks(ARTIST, uid, first=0)] == [0, 1, 2]


def test_a_worker_without_its_lease_publishes_nothing(house: StemsHouse) -> None:
    uid = ask(house, duration_s=9.0, publish_chunks=True)
    late = house.jobs.claim("late")
    assert late is not None
    house.clock.advance(31)
    house.jobs.sweep()
    assert house.jobs.claim("quick") is not None

    with pytest.raises(LeaseLost):
        house.work.perform(to_separation(late), Quiet())

    assert house.store.chunks(ARTIST, uid, first=0) == []
    assert not left_over(house)


def source(frame_count: int, size_bytes: int = 1000) -> SourceAsset:
    return SourceAsset("artists/nova/assets/x", "k", "audio/wav", size_bytes, frame_count, RATE_HZ, 2, "0" * 64)


def test_scratch_that_others_have_is_waited_for(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path, limit_bytes=100_000)

    with scratch.folder(source(500), stub.MODEL, 4):
        with pytest.raises(ScratchFull) as full, scratch.folder(source(1000), stub.MODEL, 4):
            pass
        with scratch.folder(source(100), stub.MODEL, 4) as beside:
            assert beside.is_dir()

    assert full.value.retry_after_s == 60
    with scratch.folder(source(1000), stub.MODEL, 4):
        assert len(list(tmp_path.iterdir())) == 1
    assert not list(tmp_path.iterdir())


def test_a_source_for_which_scratch_will_never_do_is_refused(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path, limit_bytes=100_000)

    with pytest.raises(SeparationInputTooLong, match="scratch"), scratch.folder(source(2000), stub.MODEL, 4):
        pass


def test_scratch_counts_the_copy_at_the_models_rate() -> None:
    model = replace(stub.MODEL, rate_hz=44_100)

    assert needed_bytes(source(8000), stub.MODEL, 4) == 8000 * 8 * 9
    assert needed_bytes(source(8000), model, 4) == 8000 * 8 * 9 + 44_100 * 8
    assert needed_bytes(source(8000, 1_000_000), stub.MODEL, 1) == 1_000_000 + 8000 * 8


def test_a_disk_that_fills_up_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(ScratchFull), Scratch(tmp_path).folder(source(10), stub.MODEL, 4):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_work_without_room_is_queued_again_uncounted(house: StemsHouse) -> None:
    uid = ask(house)
    row = house.jobs.claim("w")
    assert row is not None
    small = replace(house.work, scratch=Scratch(house.scratch, limit_bytes=2_000_000))

    with small.scratch.folder(source(10_000), stub.MODEL, 4), pytest.raises(ScratchFull) as full:
        small.perform(to_separation(row), Quiet())
    house.jobs.fail(uid, row.fence, full.value)

    waiting = house.store.get(ARTIST, uid)
    assert (waiting.state, waiting.attempt.failures) == (State.QUEUED, 0)


def test_stems_larger_than_an_asset_may_be_are_refused_before_the_work(house: StemsHouse) -> None:
    small = house.assets.add(noise(), RATE_HZ)
    house.assets.by_name[small.name] = replace(small, size_bytes=small.size_bytes // 2)
    house.separations.create(ARTIST, Order(small.name, output_format=OutputFormat.WAV_FLOAT), "", b"")
    row = house.jobs.claim("w")
    assert row is not None
    strict = replace(house.work, limits=Limits(60.0, small.size_bytes // 2))

    with pytest.raises(SeparationInputTooLong, match="WAV_FLOAT"):
        strict.perform(to_separation(row), Quiet())
