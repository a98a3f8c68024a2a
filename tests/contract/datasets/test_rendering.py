"""Audio of datasets made anew, by the process that does it in production."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
import sqlalchemy as sa

from audiofiles.loudness import LoudnessMeter
from chassis.context import acting_as, in_request
from chassis.db import Database, migrate
from chassis.errors import Cancelled, FieldInvalid
from chassis.testing import caller_for
from services.datasets.domain.exports import AudioMissing
from services.datasets.domain.items import Audio
from services.datasets.domain.preparing import AudioUnusable, ScratchFull, VocalsNotRemoved
from services.datasets.domain.recipes import AudioMode, Encoding
from services.datasets.render.renderer import RenderBounds
from services.datasets.store.rendered_tables import RenderedAudio
from services.datasets.store.tables import HoldReleases
from tests.material import audio
from tests.material.rendering import ARTIST, Studio, member, recipe, with_peak


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("datasets") / "empty.db"
    migrate(f"sqlite:///{path}", "services.datasets:migrations", "datasets")
    return path.read_bytes()


@pytest.fixture
def studio(migrated: bytes, tmp_path: Path) -> Iterator[Studio]:
    (tmp_path / "datasets.db").write_bytes(migrated)
    with contextlib.closing(Database(f"sqlite:///{tmp_path}/datasets.db", "datasets")) as db:
        (tmp_path / "scratch").mkdir()
        with in_request(), acting_as(caller_for(ARTIST)):
            yield Studio(db, tmp_path / "scratch")
        assert not list((tmp_path / "scratch").iterdir()), "nothing is left on the disk"


def loudness(frames: np.ndarray, rate_hz: int) -> float | None:
    meter = LoudnessMeter(rate_hz, frames.shape[1])
    meter.feed(frames.astype(np.float32))
    return meter.integrated_lufs()


def test_what_the_reader_takes_stays_byte_for_byte(studio: Studio) -> None:
    kept = studio.shelf.keep(audio.mix(2.0), format="mp3")

    (piece,) = studio.prepare(kept, recipe(mode=AudioMode.AS_NEEDED))

    assert (piece.object_key, piece.sha256, piece.conversion) == (kept.object_key, kept.sha256, "")
    assert studio.made() == []


def test_sixteen_bits_that_nothing_was_done_to_stay_as_they_are(studio: Studio) -> None:
    kept = studio.shelf.keep(audio.mix(2.0, rate_hz=44_100), format="flac", rate_hz=44_100)

    (piece,) = studio.prepare(kept, recipe(mode=AudioMode.AS_NEEDED))
    frames, rate_hz = studio.sound(piece)

    assert (rate_hz, piece.media_type, piece.conversion) == (44_100, "audio/wav", "flac to wav")
    assert np.array_equal(frames, studio.source(kept))


def test_rate_and_channels_are_those_of_the_recipe_to_the_frame(studio: Studio) -> None:
    kept = studio.shelf.keep(audio.tone(997, 1.2345, channels=1), format="wav")

    (piece,) = studio.prepare(kept, recipe())
    frames, rate_hz = studio.sound(piece)

    assert (frames.shape, rate_hz) == ((round(59_256 * 44_100 / 48_000), 2), 44_100)
    assert piece.duration_s == len(frames) / 44_100
    assert piece.conversion == "wav to wav, 48000 to 44100 Hz, mono to stereo"
    expected = audio.tone(997, 1.2345, rate_hz=44_100)
    assert np.abs(frames[500:-500] - expected[500 : len(frames) - 500]).max() < 3 / 2**15


def test_six_channels_are_mixed_down_and_lowered_where_they_would_clip(studio: Studio) -> None:
    surround = np.repeat(audio.tone(500, 1.0, gain=0.9, channels=1), 6, axis=1)
    kept = studio.shelf.keep(surround, format="wav", subtype="FLOAT")

    (piece,) = studio.prepare(kept, recipe())
    frames, _rate = studio.sound(piece)

    assert "6 channels to stereo, lowered by" in piece.conversion
    assert 0.985 < np.abs(frames).max() <= 1.0


def test_loudness_is_reached_below_the_ceiling_of_the_peak(studio: Studio) -> None:
    kept = studio.shelf.keep(with_peak(audio.mix(4.0), 0.2), subtype="PCM_24")

    (piece,) = studio.prepare(kept, recipe(loudness_lufs=-20.0))
    frames, rate_hz = studio.sound(piece)

    assert loudness(frames, rate_hz) == pytest.approx(-20.0, abs=0.1)
    assert piece.conversion.endswith("to -20.0 LUFS")


def test_the_peak_keeps_loudness_from_being_reached(studio: Studio) -> None:
    kept = studio.shelf.keep(with_peak(audio.mix(4.0), 0.9), subtype="PCM_24")

    (piece,) = studio.prepare(kept, recipe(loudness_lufs=-5.0))
    frames, rate_hz = studio.sound(piece)

    assert np.abs(frames).max() == pytest.approx(10 ** (-1 / 20), abs=2e-3)
    assert f"to {loudness(frames, rate_hz):.1f} LUFS (not -5.0: its peak stands at -1 dBFS)" in piece.conversion


def test_silence_has_no_loudness_and_stays_silent(studio: Studio) -> None:
    kept = studio.shelf.keep(audio.silence(2.0))

    (piece,) = studio.prepare(kept, recipe(loudness_lufs=-14.0))

    assert not studio.sound(piece)[0].any()
    assert piece.conversion.endswith("there is too little sound to measure")


@pytest.mark.parametrize(
    ("duration_s", "lengths_s"),
    [(4.0, [4]), (30.0, [30]), (35.0, [30]), (35.001, [30, 5.001]), (64.9, [30, 30]), (65.1, [30, 30, 5.1])],
)
def test_pieces_have_thirty_seconds_and_the_last_more_than_five(
    studio: Studio, duration_s: float, lengths_s: list[float]
) -> None:
    kept = studio.shelf.keep(audio.tone(220, duration_s, rate_hz=8000, channels=1), rate_hz=8000)

    pieces = studio.prepare(kept, recipe(cut=True, rate_hz=8000, channels=1))

    assert [piece.duration_s for piece in pieces] == lengths_s
    assert [piece.start_s for piece in pieces] == [30.0 * index for index in range(len(lengths_s))]
    assert [len(studio.sound(piece)[0]) for piece in pieces] == [round(8000 * length) for length in lengths_s]
    joined = np.concatenate([studio.sound(piece)[0] for piece in pieces])
    assert np.array_equal(joined, studio.source(kept)[: len(joined)])


def test_mp3_has_the_frames_that_it_says_and_no_tag(studio: Studio) -> None:
    kept = studio.shelf.keep(audio.mix(2.5), format="ogg")

    (piece,) = studio.prepare(kept, recipe(encoding=Encoding.MP3, mode=AudioMode.AS_NEEDED))
    frames, rate_hz = studio.sound(piece)

    assert (piece.media_type, rate_hz, len(frames)) == ("audio/mpeg", 44_100, round(2.5 * 44_100))
    assert piece.conversion == "ogg to mp3, 48000 to 44100 Hz"
    assert studio.bytes(piece)[:2] == b"\xff\xfb"
    assert b"TAG" not in studio.bytes(piece)[-128:]


def test_mp3_takes_the_next_rate_that_it_knows(studio: Studio) -> None:
    kept = studio.shelf.keep(audio.mix(1.0))

    (piece,) = studio.prepare(kept, recipe(encoding=Encoding.MP3, rate_hz=16_000))

    assert (piece.rate_hz, studio.sound(piece)[1]) == (32_000, 32_000)


def test_equal_sound_is_made_once_and_the_same_on_every_run(studio: Studio) -> None:
    wav = studio.shelf.keep(audio.mix(1.0), format="wav")
    flac = studio.shelf.keep(studio.source(wav), format="flac")
    wanted = recipe(loudness_lufs=-16.0)
    (first,) = studio.prepare(wav, wanted)
    told = len(studio.told)

    (again,) = studio.prepare(flac, wanted)
    assert len(studio.told) == told, "nothing was done"
    studio.rendered.forget(ARTIST, first.object_key.split("/")[4])
    studio.objects.delete(first.object_key)
    (anew,) = studio.prepare(flac, wanted)

    assert first.object_key == again.object_key == anew.object_key
    assert first.sha256 == anew.sha256 == hashlib.sha256(studio.bytes(anew)).hexdigest()
    assert first.conversion.replace("wav to", "flac to") == again.conversion


def test_an_object_that_is_gone_is_made_again(studio: Studio) -> None:
    kept = studio.shelf.keep(audio.mix(1.0))
    (first,) = studio.prepare(kept, recipe())
    studio.objects.delete(first.object_key)

    (again,) = studio.prepare(kept, recipe())

    assert studio.bytes(again)
    assert again == first


def test_use_is_remembered_for_the_collector(studio: Studio) -> None:
    kept = studio.shelf.keep(audio.mix(1.0))
    studio.prepare(kept, recipe())
    studio.clock.advance(3600)
    studio.prepare(kept, recipe())

    with studio.db.engine.connect() as rows:
        (times,) = rows.execute(sa.select(RenderedAudio.create_time, RenderedAudio.use_time)).all()
    assert (times.use_time - times.create_time).total_seconds() == 3600


def test_vocals_are_taken_out_by_the_stems_service(studio: Studio) -> None:
    kept = studio.shelf.keep(audio.mix(1.0, rate_hz=44_100), rate_hz=44_100)
    wanted = recipe(remove_vocals=True)

    (piece,) = studio.prepare(kept, wanted)
    studio.prepare(kept, wanted)

    assert np.abs(studio.sound(piece)[0] - audio.mix(1.0, rate_hz=44_100) * 0.5).max() < 3 / 2**15
    assert piece.conversion == "wav to wav, vocals removed by stub stub"
    assert len(studio.splitter.asked) == 1
    assert studio.shelf.holds == studio.shelf.released != []
    with studio.db.engine.connect() as rows:
        assert rows.execute(sa.select(HoldReleases.asset, HoldReleases.holder)).all() == studio.shelf.holds
    assert any("removing vocals" in words for _share, words in studio.told)
    shares = [share for share, _words in studio.told]
    assert shares == sorted(shares)
    assert 0.0 <= shares[0] < shares[-1] <= 1.0


def test_a_separation_that_failed_before_is_asked_for_anew(studio: Studio) -> None:
    kept = studio.shelf.keep(audio.mix(1.0))
    studio.prepare(kept, recipe(remove_vocals=True))
    first = studio.splitter.asked[0]
    other = studio.shelf.keep(audio.mix(0.9))
    prefix = first.rpartition("-")[0]
    assert first == f"{prefix}-0"
    studio.splitter.faults = _Any("failed: out of memory", suffix="-0")
    studio.splitter.deleted = _Ending("-1")

    (piece,) = studio.prepare(other, recipe(remove_vocals=True))

    assert [request_id[-2:] for request_id in studio.splitter.asked[1:]] == ["-0", "-1", "-2"]
    assert piece.size_bytes > 0


def test_a_separation_that_fails_is_told_with_what_to_do(studio: Studio) -> None:
    kept = studio.shelf.keep(audio.mix(1.0))
    studio.splitter.faults = _Any("failed: out of memory")

    with pytest.raises(VocalsNotRemoved, match=r"out of memory.*without remove_vocals"):
        studio.prepare(kept, recipe(remove_vocals=True))


def test_a_refusal_of_the_stems_service_is_told_with_its_reason(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise FieldInvalid("output_format: no such rate")

    monkeypatch.setattr(studio.splitter, "start", refuse)

    with pytest.raises(VocalsNotRemoved, match="INVALID"):
        studio.prepare(studio.shelf.keep(audio.mix(1.0)), recipe(remove_vocals=True))


def test_a_separation_is_waited_for_within_bounds(migrated: bytes, tmp_path: Path) -> None:
    (tmp_path / "datasets.db").write_bytes(migrated)
    with (
        contextlib.closing(Database(f"sqlite:///{tmp_path}/datasets.db", "datasets")) as db,
        in_request(),
        acting_as(caller_for(ARTIST)),
    ):
        studio = Studio(db, tmp_path, RenderBounds(separation_s=1.0, separation_poll_s=1.0))
        kept = studio.shelf.keep(audio.mix(1.0))

        with pytest.raises(VocalsNotRemoved, match="longer than 1 s"):
            studio.prepare(kept, recipe(remove_vocals=True))


def test_audio_that_is_gone_or_damaged_is_told_by_item(studio: Studio) -> None:
    gone, damaged = studio.shelf.keep(audio.mix(1.0)), studio.shelf.keep(audio.mix(1.1))
    studio.objects.delete(gone.object_key)
    studio.objects.put(damaged.object_key, b"RIFF and nothing else")

    with pytest.raises(AudioMissing, match="training-items/item-1"):
        studio.prepare(gone, recipe())
    with pytest.raises(AudioUnusable, match=r"training-items/item-1.*uploaded"):
        studio.prepare(damaged, recipe())


def test_what_cannot_be_decoded_is_told_with_the_decoder_s_reason(studio: Studio) -> None:
    kept = studio.shelf.keep(audio.mix(1.0))
    data = b"no sound"
    key = "artists/nova/blobs/x"
    studio.objects.put(key, data)
    broken = _renamed(kept, key, data)

    with pytest.raises(AudioUnusable) as caught:
        studio.prepare(broken, recipe())

    assert caught.value.metadata["fault"] == "UNSUPPORTED_MEDIA"


def test_a_process_that_takes_too_much_is_ended(migrated: bytes, tmp_path: Path) -> None:
    (tmp_path / "datasets.db").write_bytes(migrated)
    with (
        contextlib.closing(Database(f"sqlite:///{tmp_path}/datasets.db", "datasets")) as db,
        in_request(),
        acting_as(caller_for(ARTIST)),
    ):
        studio = Studio(db, tmp_path, RenderBounds(memory_bytes=64 << 20))

        with pytest.raises(AudioUnusable) as caught:
            studio.prepare(studio.shelf.keep(audio.mix(1.0)), recipe())

    assert caught.value.metadata["fault"] == "BROKEN"


def test_a_stop_ends_the_work_and_leaves_nothing(studio: Studio) -> None:
    kept = studio.shelf.keep(audio.tone(220, 120.0, rate_hz=44_100, channels=1), rate_hz=48_000)

    def stop(_share: float, words: str) -> None:
        if words == "converting audio":
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        studio.renderer.prepare(ARTIST, member(kept), recipe(encoding=Encoding.MP3), stop)

    assert studio.made() == []


def test_a_full_disk_is_told_by_name(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = studio.shelf.keep(audio.mix(1.0))
    full = Path("/dev/full")
    monkeypatch.setattr("services.datasets.render.renderer.tempfile.TemporaryDirectory", _folder_of(full))

    with pytest.raises(ScratchFull):
        studio.prepare(kept, recipe())


@pytest.mark.parametrize("minutes", [5, pytest.param(180, marks=[pytest.mark.long, pytest.mark.timeout(1800)])])
def test_a_long_recording_is_made_in_little_memory(studio: Studio, minutes: int, figures: Callable[..., None]) -> None:
    minute = audio.tone(220, 60.0, gain=0.9, rate_hz=8000)
    kept = studio.shelf.keep(np.tile(minute, (minutes, 1)), format="flac", rate_hz=8000)
    peak_bytes = [0]
    servers = {child.pid for child in psutil.Process().children()}  # that other tests stand on

    def look(_share: float, _words: str) -> None:
        for child in psutil.Process().children():
            with contextlib.suppress(psutil.Error):
                if child.pid not in servers:
                    peak_bytes[0] = max(peak_bytes[0], child.memory_info().rss)

    wanted = recipe(rate_hz=11_025, channels=1, loudness_lufs=-20.0, cut=True)
    pieces = studio.renderer.prepare(ARTIST, member(kept), wanted, look)

    figures(minutes=minutes, peak_mib=peak_bytes[0] / 2**20)
    assert sum(piece.duration_s for piece in pieces) == 60 * minutes
    assert 0 < peak_bytes[0] < 300 << 20


def _folder_of(full: Path) -> type:
    """A folder whose files are on a full disk."""

    class Folder:
        def __init__(self, *_: object, dir: Path, **__: object) -> None:
            self.path = dir / "full"

        def __enter__(self) -> str:
            self.path.mkdir()
            (self.path / "source").symlink_to(full)
            return str(self.path)

        def __exit__(self, *_: object) -> None:
            (self.path / "source").unlink()
            self.path.rmdir()

    return Folder


def _renamed(kept: Audio, key: str, data: bytes) -> Audio:
    return replace(kept, object_key=key, sha256=hashlib.sha256(data).hexdigest(), pcm_sha256="")


class _Any(dict[str, str]):
    """The same fault for every request that ends so."""

    def __init__(self, fault: str, suffix: str = "") -> None:
        self._fault, self._suffix = fault, suffix

    def get(self, key: str, default: str = "") -> str:  # type: ignore[override]
        return self._fault if key.endswith(self._suffix) else default


class _Ending(set[str]):
    """All that ends so."""

    def __init__(self, suffix: str) -> None:
        self._suffix = suffix

    def __contains__(self, item: object) -> bool:
        return str(item).endswith(self._suffix)
