"""The whole datasets service without a process."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import rfc8785

from chassis.db import Database
from chassis.errors import NotFound
from chassis.jobs import Jobs
from chassis.paging import Pager
from chassis.testing import FakeClock
from chassis.testing.data import MemoryStore
from services.datasets import archive
from services.datasets.domain import formats
from services.datasets.domain.items import Audio
from services.datasets.domain.ports import RequestKey
from services.datasets.domain.preparing import Told
from services.datasets.domain.recipes import Piece, Recipe
from services.datasets.domain.snapshots import SnapshotMember
from services.datasets.store import (
    SqlCaptionEdits,
    SqlCaptionRuns,
    SqlConversations,
    SqlExports,
    SqlItems,
    SqlLeftovers,
    SqlReleases,
    SqlSnapshots,
    SqlTrainingFiles,
)
from services.datasets.store.caption_run_tables import CaptionRuns as CaptionRunRows
from services.datasets.store.shared import Ground
from services.datasets.store.tables import Exports, TrainingFileVersions
from services.datasets.use_cases.caption_edits import CaptionEditing
from services.datasets.use_cases.caption_runs import CaptionRuns
from services.datasets.use_cases.caption_writing import CaptionBench
from services.datasets.use_cases.conversations import Conversations
from services.datasets.use_cases.duplicates import Duplicates
from services.datasets.use_cases.export_bench import ExportBench
from services.datasets.use_cases.exports import ExportDesk
from services.datasets.use_cases.items import TrainingItems
from services.datasets.use_cases.leftovers import Collector
from services.datasets.use_cases.matching import Matching
from services.datasets.use_cases.readiness import ReadinessDesk
from services.datasets.use_cases.selections import Selections
from services.datasets.use_cases.snapshots import SnapshotDesk
from services.datasets.use_cases.training_files import TrainingFileBench, TrainingFiles
from tests.unit.datasets.rulebook import Rulebook

ARTIST = "nova"


def key(request_id: str = "", body: bytes = b"") -> RequestKey:
    return RequestKey("Create", request_id, body)


class AssetMissing(NotFound):
    REASON = "ASSET_NOT_FOUND"


@dataclass
class Shelf:
    """Assets in memory."""

    objects: MemoryStore
    audios: dict[str, Audio] = field(default_factory=dict)
    holds: set[tuple[str, str]] = field(default_factory=set)
    fingerprints: dict[str, bytes] = field(default_factory=dict)

    def keep(self, uid: str, *, media_type: str = "audio/wav", duration_s: float = 40.0, data: bytes = b"RIFF") -> str:
        name = f"artists/{ARTIST}/assets/{uid}"
        object_key = f"artists/{ARTIST}/blobs/sha256/{uid}"
        self.objects.put(object_key, data)
        crc32 = zlib.crc32(data)
        self.audios[name] = Audio(
            name, f"{uid}.wav", object_key, uid, crc32, len(data), media_type, duration_s, 44_100, 2, peak=0.5
        )
        return name

    def get(self, asset: str) -> Audio:
        if asset not in self.audios:
            raise AssetMissing(f"no asset {asset}")
        return self.audios[asset]

    def heard(self, asset: str) -> tuple[Audio, bytes]:
        return self.get(asset), self.fingerprints.get(asset, b"")

    def hold(self, asset: str, holder: str) -> None:
        self.get(asset)
        self.holds.add((asset, holder))

    def hold_all(self, artist: str, assets: Sequence[str], holder: str) -> list[Audio]:
        found = [self.get(asset) for asset in assets]
        self.holds |= {(asset, holder) for asset in assets}
        return found

    def release(self, asset: str, holder: str) -> None:
        self.holds -= {hold for hold in self.holds if hold[1] == holder and asset in ("", hold[0])}


@dataclass
class Turner:
    """A renderer in memory: what the recipe does not let be becomes its bytes turned round."""

    objects: MemoryStore

    def prepare(self, artist: str, member: SnapshotMember, recipe: Recipe, report: Told) -> list[Piece]:
        report(0.5, "turning")
        planned = formats.planned_pieces(recipe, [member])
        data = self.objects.read_bytes(member.audio.object_key, limit=1 << 20)[::-1]
        return [piece if piece.object_key else self._made(artist, piece, data) for piece in planned]

    def _made(self, artist: str, piece: Piece, data: bytes) -> Piece:
        key = f"artists/{artist}/datasets/audio/{piece.member.audio.sha256}/{piece.index}.wav"
        self.objects.put(key, data)
        digest = hashlib.sha256(data).hexdigest()
        return replace(
            piece,
            object_key=key,
            size_bytes=len(data),
            crc32=zlib.crc32(data),
            sha256=digest,
            conversion="turned round",
        )


class House:
    """The whole service without a process: migrated SQLite, objects and assets in memory."""

    def __init__(self, db: Database) -> None:
        self.clock, self.db = FakeClock(), db
        self.objects = MemoryStore(self.clock)
        self.assets = Shelf(self.objects)
        ground = Ground(db, self.clock, Pager(b"k" * 32))
        self.export_jobs = Jobs(db, Exports, self.clock, noun="export")
        self.build_jobs = Jobs(db, TrainingFileVersions, self.clock, noun="training_file_build")
        self.item_store, self.releases = SqlItems(ground), SqlReleases(ground)
        self.export_store, self.snapshot_store = SqlExports(ground, self.export_jobs), SqlSnapshots(ground)
        self.captions, self.renderer = Rulebook(), Turner(self.objects)
        self.items = TrainingItems(self.item_store, self.assets, self.releases, self.captions, self.clock)
        self.run_jobs = Jobs(db, CaptionRunRows, self.clock, noun="caption_run")
        self.run_store = SqlCaptionRuns(ground, self.run_jobs)
        choose = Selections(self.item_store, self.snapshot_store)
        self.runs = CaptionRuns(self.run_store, self.item_store, choose, self.clock)
        self.run_bench = CaptionBench(self.run_store, self.item_store, self.captions, self.clock)
        self.editing = CaptionEditing(self.item_store, SqlCaptionEdits(ground), choose, self.captions, self.clock)
        self.matching = Matching(self.item_store, self.captions)
        self.duplicates = Duplicates(self.item_store, ground.pager)
        self.readiness = ReadinessDesk(self.item_store, choose, self.captions, self.duplicates)
        self.snapshots = SnapshotDesk(
            self.snapshot_store,
            choose,
            self.captions,
            self.assets,
            self.releases,
            self.clock,
            canonical=rfc8785.dumps,
            alike=self.duplicates.groups,
        )
        self.exports = ExportDesk(self.export_store, self.snapshot_store, self.snapshots, self.clock)
        self.export_bench = ExportBench(self.export_store, self.snapshot_store, self.renderer, archive, self.objects)
        self.collector = Collector(SqlLeftovers(ground), self.objects, self.clock, grace_s=3600)
        conversation_store, file_store = SqlConversations(ground), SqlTrainingFiles(ground, self.build_jobs)
        self.conversations = Conversations(conversation_store, self.objects, self.clock)
        self.files = TrainingFiles(file_store, conversation_store, self.objects, self.clock)
        self.build_bench = TrainingFileBench(file_store, self.objects, self.clock)

    def work(self) -> None:
        """Run every queued job to its end."""
        for jobs, bench in (
            (self.export_jobs, self.export_bench),
            (self.build_jobs, self.build_bench),
            (self.run_jobs, self.run_bench),
        ):
            while (row := jobs.claim("test")) is not None:
                try:
                    bench.run(row.artist, row.uid, row.fence, lambda _percent, _stage: None)
                except Exception as error:
                    jobs.fail(row.uid, row.fence, error)
