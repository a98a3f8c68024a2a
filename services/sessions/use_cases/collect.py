"""Removes what nobody can ask for any more."""

from __future__ import annotations

from dataclasses import dataclass, replace

from chassis.clock import Clock
from services.sessions.domain.assets import DELETED_KEPT, UPLOAD_KEPT, AssetState, UploadState, peaks_key
from services.sessions.domain.ports import Blobs, Store
from services.sessions.domain.sessions import DELETED_KEPT as SESSIONS_KEPT
from services.sessions.domain.sessions import SessionState

_BATCH = 200


@dataclass(frozen=True, slots=True)
class Collected:
    """What one round removed."""

    expired_uploads: int
    purged_assets: int
    purged_sessions: int


@dataclass(frozen=True, slots=True)
class Collector:
    """Garbage collection over all artists; one process at a time runs it."""

    store: Store
    blobs: Blobs
    clock: Clock

    def collect(self) -> Collected:
        """One round: overdue uploads, then sessions and assets whose grace is over."""
        return Collected(
            self._expire_uploads(), purged_sessions=self._purge_sessions(), purged_assets=self._purge_assets()
        )

    def _expire_uploads(self) -> int:
        now, expired = self.clock.now(), 0
        for upload in self.store.overdue_uploads(now, _BATCH):
            with self.store.write(upload.artist) as records:
                current = records.assets.upload(upload.uid)
                if current is None or current.state is not UploadState.OPEN:
                    continue
                records.assets.save_upload(replace(current, state=UploadState.EXPIRED))
            self.blobs.delete(upload.object_key)
            expired += 1
        for upload in self.store.finished_uploads(now - UPLOAD_KEPT, _BATCH):
            # A link may have taken bytes after the upload had ended.
            self.blobs.delete(upload.object_key)
            self.store.forget_upload(upload)
        return expired

    def _purge_sessions(self) -> int:
        purged = 0
        before = self.clock.now() - SESSIONS_KEPT
        for artist, uid in self.store.purgeable_sessions(before, _BATCH):
            with self.store.write(artist) as records:
                session = records.sessions.session(uid, with_snapshot=False)
                if session is not None and session.state is SessionState.DELETED:
                    records.assets.release_all(session.name)
                    records.sessions.remove(uid)
                    purged += 1
        return purged

    def _purge_assets(self) -> int:
        """The row is hidden before the bytes go and removed after, so that an interrupted purge is finished later."""
        purged = 0
        before = self.clock.now() - DELETED_KEPT
        for asset in self.store.purgeable_assets(before, _BATCH):
            with self.store.write(asset.artist) as records:
                current = records.assets.asset(asset.uid)
                if current is None or current.state is AssetState.READY or current.hold_count:
                    continue
                records.assets.save_asset(replace(current, state=AssetState.PURGING))
            self.blobs.delete(asset.blob_key)
            self.blobs.delete(peaks_key(asset.artist, asset.content.sha256))
            with self.store.write(asset.artist) as records:
                records.assets.remove_asset(asset.uid)
            purged += 1
        return purged
