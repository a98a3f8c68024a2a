"""The part of the demo's walk that trains: from a folder of Live Sets and recordings to a clip and its lineage."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import cast

from tonewright_client.client import ArtistHandle
from tonewright_client.demo_dataset import PIECES, write_dataset
from tonewright_client.lineage import lineage_lines
from tonewright_client.models import Export, Generation, Training
from tonewright_client.money import MICROS, usd
from tonewright_client.shown import STAND_IN
from tonewright_client.training_items import EditFields, ItemFields, SelectionFields

DESTINATION = "demo/night-drive"
MAX_COST_USD = 20.0
_EDIT: EditFields = {"suffix": "Made for long roads at night."}


class Skipped(Exception):
    """The step makes no sense here; the message says why."""


class TrainingWalk:
    """One artist's way to a model; each step leaves what the next ones need.

    Attributes:
        lineage: What the clip was made of, line by line; empty before the last step.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "dataset"
        self._artist: ArtistHandle
        self._assets: list[str] = []
        self._live_sets: list[str] = []
        self._items: list[str] = []
        self._snapshot = ""
        self._exported: Export
        self._training: Training | None = None
        self._generation = ""
        self.lineage: list[str] = []

    def begin(self, artist: ArtistHandle) -> None:
        """Whose way it is."""
        self._artist = artist

    def steps(self) -> list[tuple[str, Callable[[], str]]]:
        """The steps in their order."""
        return [
            ("import a folder of Live Sets", self._import_live_sets),
            ("upload its recordings", self._upload_recordings),
            ("match them by name", self._match),
            ("make training items", self._make_items),
            ("write their captions", self._write_captions),
            ("edit the captions", self._edit_captions),
            ("freeze a snapshot", self._freeze),
            ("emulate the trainer", self._emulate),
            ("export for Replicate", self._export),
            ("train a model", self._train),
            ("generate with it", self._generate),
            ("trace where it comes from", self._trace),
        ]

    def _import_live_sets(self) -> str:
        write_dataset(self._folder)
        results = self._artist.live_sets.import_folder(self._folder)["results"]
        refused = [f"{one['path']}: {one['reason']}" for one in results if one["reason"]]
        _expect(not refused and len(results) == len(PIECES), f"not all Live Sets were read: {refused}")
        tempos = sorted(one["live_set"]["tempo_bpm"] for one in results if one["live_set"])
        return f"{len(results)} read, {tempos[0]:g} to {tempos[-1]:g} BPM"

    def _upload_recordings(self) -> str:
        found = [self._artist.assets.upload(self._folder / f"{piece.title}.wav") for piece in PIECES]
        self._assets = [asset["name"] for asset in found]
        return f"{len(found)} files, {sum(asset['duration_s'] for asset in found):.0f} s"

    def _match(self) -> str:
        matches = self._artist.training_items.match_files([f"{piece.title}.wav" for piece in PIECES])
        self._live_sets = [match["live_set"] for match in matches if match["exact"]]
        _expect(len(self._live_sets) == len(PIECES), f"not all recordings found their Live Set: {matches}")
        return f"{len(self._live_sets)} exact"

    def _make_items(self) -> str:
        wanted: list[ItemFields] = [
            {
                "asset": asset,
                "live_set": live_set,
                "display_name": piece.title,
                "licence": "CC0-1.0",
                "consent": {"training_allowed": True, "given_by": "Demo Artist"},
            }
            for piece, asset, live_set in zip(PIECES, self._assets, self._live_sets, strict=True)
        ]
        results = self._artist.training_items.create_all(wanted)
        self._items = [one["training_item"]["name"] for one in results if one["training_item"]]
        _expect(len(self._items) == len(PIECES), f"not all items were made: {[one['status'] for one in results]}")
        return f"{len(self._items)} pairs with licence and consent"

    def _write_captions(self) -> str:
        operation = self._artist.caption_runs.start(selection=self._selection())
        self._artist.operations.wait(operation)
        run = self._artist.caption_runs.get(operation["metadata"]["target"])
        _expect(run["accepted_count"] == len(PIECES), f"not all captions were written: {run['results']}")
        first = self._artist.training_items.get(self._items[0])
        return f"{run['accepted_count']} accepted; {first['display_name']}: {first['caption']}"

    def _edit_captions(self) -> str:
        items, chosen = self._artist.training_items, self._selection()
        preview = items.edit_captions([_EDIT], selection=chosen, preview=True)
        _expect(not any(one["applied"] for one in preview["results"]), "a preview kept an edit")
        fine = [one for one in preview["results"] if not one["violations"]]
        edited = items.edit_captions([_EDIT], selection=chosen)
        kept = [one for one in edited["results"] if one["applied"]]
        _expect(kept and len(kept) == len(fine), f"the edit kept {len(kept)} where its preview said {len(fine)}")
        return f"{len(kept)} of {len(PIECES)} got a suffix: {kept[0]['after']}"

    def _freeze(self) -> str:
        readiness = self._artist.training_items.readiness(self._selection())
        blockers = [one["message"] for one in readiness["findings"] if one["severity"] == "ERROR"]
        _expect(readiness["ready"], f"the dataset is not ready: {blockers}")
        snapshot = self._artist.snapshots.create(selection=self._selection(), display_name="Demo dataset")
        self._snapshot = snapshot["name"]
        return f"{snapshot['item_count']} pairs, content {snapshot['content_sha256'][:12]}"

    def _emulate(self) -> str:
        found = self._artist.trainings.emulate(snapshot=self._snapshot)
        errors = [one["message"] for one in found["findings"] if one["severity"] == "ERROR"]
        _expect(found["succeeds"], f"the training would fail: {errors}")
        warned = len(found["findings"]) + sum(len(item["findings"]) for item in found["items"])
        cost = usd(found["expected_cost_usd_micros"])
        return f"{found['chunk_count']} pieces, {found['step_count']} steps, {cost} expected, {warned} findings"

    def _export(self) -> str:
        operation = self._artist.exports.start(snapshot=self._snapshot, display_name="demo")
        self._exported = cast(Export, self._artist.operations.wait(operation))
        path = self._artist.exports.download(self._exported["name"], self._folder / "dataset.zip")
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
        _expect(bool(names) and not any("/" in name for name in names), f"files are not at the root: {names}")
        return f"{len(names)} files at the root, {path.stat().st_size:,} bytes, each checked"

    def _train(self) -> str:
        if not self._artist.trainings.budget()["configured"]:
            raise Skipped("no trainer is set up (TRAINER_NOT_CONFIGURED); docs/train-mode.md says how to set one up")
        operation = self._artist.trainings.start(
            self._exported["name"], DESTINATION, max_cost_usd=MAX_COST_USD, create_destination=True
        )
        training = cast(Training, self._artist.operations.wait(operation))
        _expect(training["cost_usd_micros"] <= MAX_COST_USD * MICROS, "it cost more than was agreed")
        self._training = training
        by = (
            ", a stand-in that trains nothing" if any(one["reason"] == STAND_IN for one in training["findings"]) else ""
        )
        return f"{training['state']}: {training['version'][:60]} by {training['trainer'].partition(':')[0]}{by}"

    def _generate(self) -> str:
        if self._training is None:
            raise Skipped("nothing was trained")
        first = self._artist.training_items.get(self._items[0])
        started = self._artist.generations.start(self._training["name"], first["caption"], duration_s=4, seed=1)
        made = cast(Generation, self._artist.operations.wait(started))
        self._generation = made["name"]
        asset = self._artist.assets.get(made["asset"])
        return f"{asset['duration_s']:.1f} s, {asset['rate_hz']} Hz, an asset: {asset['name'].rpartition('/')[2]}"

    def _trace(self) -> str:
        if self._training is None:
            raise Skipped("nothing was trained")
        found = self._artist.generations.lineage(self._generation)
        members = found["members"]
        _expect(found["training"] and found["export"] and found["snapshot"], "a link of the lineage is missing")
        _expect({one["asset"] for one in members} == set(self._assets), "the lineage forgets recordings")
        _expect(all(one["live_set"] and one["caption"] and one["licence"] for one in members), "a member is incomplete")
        self.lineage = lineage_lines(found)
        uses = list(self._artist.trainings.list(asset=self._assets[0]))
        _expect([one["name"] for one in uses] == [self._training["name"]], "the audio does not know its training")
        return f"clip ← training ← archive ← snapshot ← {len(members)} recordings, captions, Live Sets; and back"

    def _selection(self) -> SelectionFields:
        return {"training_items": self._items}


def _expect(claim: object, otherwise: str) -> None:
    if not claim:
        raise AssertionError(otherwise)
