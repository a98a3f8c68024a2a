"""The whole path as a user of the HTTP API walks it: from an artist to a reopened session."""

from __future__ import annotations

import asyncio
import json
import math
import tempfile
import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tonewright_client.client import ArtistHandle, Tonewright
from tonewright_client.demo_live_set import write_live_set
from tonewright_client.demo_material import conversation, write_piece
from tonewright_client.demo_training import Skipped, TrainingWalk
from tonewright_client.performance import connect
from tonewright_client.socket_messages import StemsReady

MASTER_SCHEMA = {
    "artist": {"name": "Demo Artist", "genres": ["downtempo", "electronic"]},
    "sound": {"moods": ["warm", "steady"], "instruments": ["synth bass", "pad", "drum machine"]},
}
# A slice fades into the loop over 25 ms at both ends.
_FADE_FRAMES = 1_200


@dataclass(frozen=True, slots=True)
class Row:
    """One step of the walk: what was done, what came out, how long it took."""

    step: str
    result: str
    wall_s: float
    is_done: bool = True
    is_skipped: bool = False


@dataclass(slots=True)
class Report:
    """The rows of a walk, which ends with the first step that fails, and what its clip was made of, line by line."""

    rows: list[Row] = field(default_factory=list)
    is_complete: bool = False
    lineage: list[str] = field(default_factory=list)


class _Walk:
    """One walk; each step leaves what the next ones need."""

    def __init__(self, client: Tonewright, folder: Path, audio: Path, live_set: Path) -> None:
        self._client, self._folder, self._audio, self._als = client, folder, audio, live_set
        self._artist: ArtistHandle
        self._names: dict[str, str] = {}
        self.training = TrainingWalk(folder)

    def steps(self) -> list[tuple[str, Callable[[], str]]]:
        """The steps in their order."""
        return [
            ("create an artist", self.create_artist),
            ("write the profile", self.write_profile),
            ("upload a Live Set", self.upload_live_set),
            ("upload audio", self.upload_audio),
            ("upload it again", self.upload_again),
            ("write a caption", self.write_caption),
            ("separate into stems", self.separate),
            ("separate again", self.separate_again),
            *self.training.steps(),
            ("bring in a conversation", self.bring_in_conversation),
            ("build a training file", self.build_training_file),
            ("start a performance", self.start_performance),
            ("play and turn a knob", self.play),
            ("save it", self.save),
            ("reopen it", self.reopen),
        ]

    def create_artist(self) -> str:
        self._artist = self._client.create_artist("Demo Artist")
        self.training.begin(self._artist)
        return self._artist.name

    def write_profile(self) -> str:
        profile = self._artist.profile()
        changes = {"notes": "Slow, warm and close.", "master_schema": MASTER_SCHEMA}
        return f"schema {self._artist.update_profile(changes, etag=profile['etag'])['master_schema_sha256'][:12]}"

    def upload_live_set(self) -> str:
        live_set = self._artist.live_sets.upload(self._als)
        self._names["live set"] = live_set["name"]
        counted = (
            f"{live_set['track_count']} tracks, {live_set['clip_count']} clips, {live_set['device_count']} devices"
        )
        return f"{live_set['tempo_bpm']:g} BPM, {live_set['time_signature']}, {counted}"

    def upload_audio(self) -> str:
        asset = self._artist.assets.upload(self._audio)
        self._names["asset"] = asset["name"]
        loudness = asset.get("loudness_lufs")
        heard = f", {loudness:.1f} LUFS" if loudness is not None else ""
        return f"{asset['duration_s']:.1f} s, {asset['rate_hz']} Hz, {asset['channels']} channels{heard}"

    def upload_again(self) -> str:
        asset = self._artist.assets.upload(self._audio)
        _expect(asset["name"] == self._names["asset"], "the same bytes became another asset")
        return "0 bytes sent, the same asset"

    def write_caption(self) -> str:
        caption = self._artist.captions.generate(asset=self._names["asset"], live_set=self._names["live set"])
        _expect(not caption.get("violations"), f"the caption breaks rules: {caption.get('violations')}")
        self._names["caption"] = caption["text"]
        provenance = caption["provenance"]
        _expect(provenance, "the caption does not say where it comes from")
        return f"{provenance['engine'] if provenance else ''}: {caption['text']}"

    def separate(self) -> str:
        done = self._artist.operations.wait(self._artist.separations.start(self._names["asset"]))
        self._names["separation"] = str(done["name"])
        stems = ", ".join(str(stem["stem"]) for stem in done["stems"])
        return f"{done['engine']}: {stems}"

    def separate_again(self) -> str:
        done = self._artist.operations.wait(self._artist.separations.start(self._names["asset"]))
        first = self._artist.separations.get(self._names["separation"])
        _expect(done["stems"] == first["stems"], "a second separation gave other stems")
        return "remembered, the same stems"

    def bring_in_conversation(self) -> str:
        brought = self._artist.conversations.create(dict(conversation()))
        enriched = self._artist.conversations.enrich(brought["name"])
        self._names["conversation"] = enriched["name"]
        return f"{enriched['state']}, {enriched['trainable_pair_count']} trainable pairs"

    def build_training_file(self) -> str:
        files = self._artist.training_files
        done = self._artist.operations.wait(files.start("Demo file", [self._names["conversation"]]))
        name = str(done["name"])
        document = json.loads(files.download(name, self._folder / "file.json").read_text())
        lines = files.download(name, self._folder / "file.jsonl", file_format="JSONL").read_text().splitlines()
        version = document["training_file_metadata"]["version"]
        _expect(all(isinstance(json.loads(line), dict) for line in lines), "a JSONL line is not an object")
        return f"v{version} JSON with {len(document['conversations'])} conversation, JSONL with {len(lines)} lines"

    def start_performance(self) -> str:
        performance = self._artist.performances.create(asset=self._names["asset"])
        self._names["performance"] = performance["name"]
        return f"{performance['engine']}, {performance['state']}"

    def play(self) -> str:
        return asyncio.run(_play(self._artist, self._names["performance"]))

    def save(self) -> str:
        saved = self._artist.performances.save(self._names["performance"], "Demo session")
        self._names["session"] = str(saved["session"])
        self._artist.performances.stop(self._names["performance"])
        return self._names["session"].rsplit("/", 1)[-1]

    def reopen(self) -> str:
        before = len(list(self._artist.separations.list()))
        opened = self._artist.sessions.open(self._names["session"])
        performance = self._artist.performances.create(session=self._names["session"])
        _expect(len(list(self._artist.separations.list())) == before, "reopening separated again")
        state = opened["completeness"]["state"]
        self._artist.performances.stop(performance["name"])
        return f"{state}; 0 bytes uploaded, 0 separations"


def walk(
    client: Tonewright, audio: Path | None, live_set: Path | None, *, on_step: Callable[[str], None] | None = None
) -> Report:
    """Walk every step; stop at the first that fails and say why."""
    report = Report()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        audio = audio or write_piece(folder / "demo.wav")
        live_set = live_set or write_live_set(folder / "demo.als")
        whole = _Walk(client, folder, audio, live_set)
        for step, do in whole.steps():
            if on_step is not None:
                on_step(step)
            report.rows.append(_row(step, do))
            if not report.rows[-1].is_done:
                return report
        report.lineage = whole.training.lineage
    report.is_complete = True
    return report


def _row(step: str, do: Callable[[], str]) -> Row:
    start = time.monotonic()
    try:
        result, is_done, is_skipped = do(), True, False
    except Skipped as reason:
        result, is_done, is_skipped = f"skipped: {reason}", True, True
    except Exception as fault:  # the table tells what failed, whatever it was
        result, is_done, is_skipped = f"{type(fault).__name__}: {fault}", False, False
    return Row(step, result, time.monotonic() - start, is_done, is_skipped)


async def _play(artist: ArtistHandle, performance: str) -> str:
    ticket = artist.performances.connect(performance)
    async with await connect(ticket["socket_url"]) as live:
        await live.start()
        original = array("f", live.loop.samples)
        channels = live.loop.facts.channels
        asked = time.monotonic()
        turned = await live.turn(gain_db=-6)
        heard = await live.slice_of(turned.of)
        latency_ms = (time.monotonic() - asked) * 1000
        first = (heard.start_frames + _FADE_FRAMES) * channels
        last = (heard.start_frames + heard.frame_count - _FADE_FRAMES) * channels
        change_db = 20 * math.log10(_rms(live.loop.samples[first:last]) / _rms(original[first:last]))
        _expect(-7 < change_db < -5, f"-6 dB on the knob became {change_db:.1f} dB in the slice")
        stems = await live.wait_for(StemsReady)
    return f"slice {latency_ms:.0f} ms after the knob, {change_db:.1f} dB; {len(stems.stems)} stems at hand"


def _rms(samples: array[float]) -> float:
    return max(math.sqrt(sum(value * value for value in samples) / max(len(samples), 1)), 1e-9)


def _expect(claim: Any, otherwise: str) -> None:
    if not claim:
        raise AssertionError(otherwise)
