"""Do the work of one separation; safe to begin again after any failure."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from pathlib import Path

from chassis.clock import Clock
from chassis.errors import Cancelled
from services.stems.domain import (
    Assets,
    Audio,
    Blobs,
    Catalogue,
    Engine,
    Limits,
    Model,
    Progress,
    Recording,
    Result,
    Separation,
    Stem,
    Store,
)
from services.stems.use_cases.separations import remembered

# Shares of the whole at which a stage begins, in percent.
_SEPARATING, _ENCODING, _STORING = 5.0, 85.0, 92.0
_TWIN_LOOK_S = 0.5


@dataclass(frozen=True, slots=True)
class SeparationWork:
    """Fetch, decode, separate, encode, store, commit."""

    store: Store
    assets: Assets
    blobs: Blobs
    audio: Audio
    engines: Mapping[str, Engine]
    catalogue: Catalogue
    limits: Limits
    clock: Clock
    work_dir: Path

    def perform(self, separation: Separation, progress: Progress) -> None:
        """Bring the separation to its end; what equal work made before is taken as it is."""
        progress.report(0.0, "fetching")
        result = self._wait_for_twin(separation, progress) or self._make(separation, progress)
        kept = self.store.finish(separation, result)
        if kept != result:
            # Equal work was faster: its stems are the ones that count.
            for stem in kept.stems:
                self.assets.hold(stem.asset, separation.name)

    def _wait_for_twin(self, separation: Separation, progress: Progress) -> Result | None:
        """What equal work made, when it was done before or is being done."""
        while (found := remembered(self.store, self.assets, separation)) is None:
            if not self.store.twin_at_work(separation):
                return None
            progress.report(0.0, "waiting")
            self.clock.sleep(_TWIN_LOOK_S)
        return found

    def _make(self, separation: Separation, progress: Progress) -> Result:
        model = self.catalogue.find(separation.order.model)
        source = self.assets.get(separation.order.asset)
        self.limits.check(source)
        self.assets.hold(source.name, separation.name)
        with tempfile.TemporaryDirectory(prefix="separation-", dir=self.work_dir) as name:
            folder = Path(name)
            self.blobs.fetch(source.blob_key, folder / "source")
            mix = self.audio.decode(folder / "source", folder / "mix.f32", source)
            began_s = self.clock.monotonic()
            sources = self._separate(mix, model, separation, folder, progress)
            work_s = self.clock.monotonic() - began_s
            stems = self.audio.select(mix, sources, separation.order.selection, folder)
            gain_db = self.audio.common_gain_db(list(stems.values()))
            files = self._encode(stems, separation, gain_db, progress)
            kept = self._keep(files, separation, progress)
        return Result(kept, gain_db, work_s / mix.duration_s, separation.name)

    def _separate(
        self, mix: Recording, model: Model, separation: Separation, folder: Path, progress: Progress
    ) -> dict[str, Recording]:
        began_s = self.clock.monotonic()

        def report(share: float) -> None:
            spent_s = self.clock.monotonic() - began_s
            eta_s = spent_s * (1 - share) / share if share > 0.01 else None
            progress.report(_SEPARATING + share * (_ENCODING - _SEPARATING), "separating", eta_s)

        parameters = separation.order.parameters
        return self.engines[model.engine].separate(mix, model, parameters, folder, report)

    def _encode(
        self, stems: dict[str, Recording], separation: Separation, gain_db: float, progress: Progress
    ) -> dict[str, Path]:
        files = {}
        for index, (stem, recording) in enumerate(stems.items()):
            progress.report(_ENCODING + index / len(stems) * (_STORING - _ENCODING), "encoding")
            files[stem] = recording.path.with_suffix(".encoded")
            self.audio.encode(recording, files[stem], separation.order.output_format, gain_db)
            recording.path.unlink()
        return files

    def _keep(self, files: dict[str, Path], separation: Separation, progress: Progress) -> tuple[Stem, ...]:
        """The stems as assets, each held for the separation; they are stored side by side."""
        progress.report(_STORING, "storing")
        with ThreadPoolExecutor(len(files), thread_name_prefix="stem") as threads:
            stored = [
                threads.submit(copy_context().run, self._adopt, path, separation, stem) for stem, path in files.items()
            ]
        kept = tuple(Stem(stem, future.result()) for stem, future in zip(files, stored, strict=True))
        try:
            progress.report(100.0, "storing")
        except Cancelled:
            for made in kept:
                self.assets.release(made.asset, separation.name)
            raise
        return kept

    def _adopt(self, path: Path, separation: Separation, stem: str) -> str:
        """The asset made of the file, held; the same for the same bytes."""
        media_type = separation.order.output_format.media_type
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        upload = self.assets.open_upload(separation.artist, digest, path.stat().st_size, media_type, stem)
        asset = upload.asset
        if not asset:
            self.blobs.put(upload.object_key, path, media_type)
            asset = self.assets.complete_upload(upload)
        self.assets.hold(asset, separation.name)
        return asset
