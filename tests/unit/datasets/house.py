"""The whole datasets service without a process."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

from chassis.db import Database
from chassis.errors import NotFound
from chassis.jobs import Jobs
from chassis.paging import Pager
from chassis.testing import FakeClock
from chassis.testing.data import MemoryStore
from services.datasets.archive import lay_out
from services.datasets.domain.items import Audio
from services.datasets.domain.ports import RequestKey
from services.datasets.store import SqlConversations, SqlExports, SqlItems, SqlReleases, SqlTrainingFiles
from services.datasets.store.shared import Ground
from services.datasets.store.tables import Exports, TrainingFileVersions
from services.datasets.use_cases.conversations import Conversations
from services.datasets.use_cases.exports import ExportBench, ExportDesk
from services.datasets.use_cases.items import TrainingItems
from services.datasets.use_cases.training_files import TrainingFileBench, TrainingFiles

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

    def keep(self, uid: str, *, media_type: str = "audio/wav", duration_s: float = 40.0, data: bytes = b"RIFF") -> str:
        name = f"artists/{ARTIST}/assets/{uid}"
        object_key = f"artists/{ARTIST}/blobs/sha256/{uid}"
        self.objects.put(object_key, data)
        crc32 = zlib.crc32(data)
        self.audios[name] = Audio(
            name, f"{uid}.wav", object_key, uid, crc32, len(data), media_type, duration_s, 44_100, 2
        )
        return name

    def get(self, asset: str) -> Audio:
        if asset not in self.audios:
            raise AssetMissing(f"no asset {asset}")
        return self.audios[asset]

    def hold(self, asset: str, holder: str) -> None:
        self.get(asset)
        self.holds.add((asset, holder))

    def release(self, asset: str, holder: str) -> None:
        self.holds.discard((asset, holder))


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
        self.export_store = SqlExports(ground, self.export_jobs)
        self.items = TrainingItems(self.item_store, self.assets, self.releases, self.clock)
        self.exports = ExportDesk(self.export_store, self.item_store, self.clock)
        self.export_bench = ExportBench(self.export_store, self.assets, self.objects, lay_out)
        conversation_store, file_store = SqlConversations(ground), SqlTrainingFiles(ground, self.build_jobs)
        self.conversations = Conversations(conversation_store, self.objects, self.clock)
        self.files = TrainingFiles(file_store, conversation_store, self.objects, self.clock)
        self.build_bench = TrainingFileBench(file_store, self.objects, self.clock)

    def work(self) -> None:
        """Run every queued job to its end."""
        for jobs, bench in ((self.export_jobs, self.export_bench), (self.build_jobs, self.build_bench)):
            while (row := jobs.claim("test")) is not None:
                try:
                    bench.run(row.artist, row.uid, row.fence, lambda _percent, _stage: None)
                except Exception as error:
                    jobs.fail(row.uid, row.fence, error)
