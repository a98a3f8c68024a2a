"""What a user and the other services do with assets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chassis.clock import Clock
from chassis.errors import EtagMismatch, require
from chassis.paging import Page
from services.sessions.domain.assets import (
    ASSET,
    Asset,
    AssetState,
    Hold,
    Peaks,
    check_holder,
    clean_display_name,
    clean_sha256,
    peaks_key,
)
from services.sessions.domain.errors import AssetHeld, asset_not_found
from services.sessions.domain.ports import AssetRecords, Blobs, Store
from services.sessions.domain.waveform import MAX_PEAK_BUCKETS, PEAK_LEVELS, bucket_count, peaks_offset


@dataclass(frozen=True, slots=True)
class Assets:
    """The recordings of artists."""

    store: Store
    blobs: Blobs
    clock: Clock

    def get(self, artist: str, uid: str) -> Asset:
        """The asset, deleted or not."""
        with self.store.read(artist) as records:
            return _found(records.assets, artist, uid, deleted_too=True)

    def get_many(self, artist: str, uids: Sequence[str]) -> tuple[list[Asset], list[str]]:
        """The assets that are ready, in the order asked for, and the uids of the others."""
        require(1 <= len(uids) <= 1000, "names", f"1 to 1000 names, not {len(uids)}")
        with self.store.read(artist) as records:
            found = records.assets.assets(uids)
        ready = {uid: asset for uid, asset in found.items() if asset.state is AssetState.READY}
        wanted = list(dict.fromkeys(uids))
        return [ready[uid] for uid in wanted if uid in ready], [uid for uid in wanted if uid not in ready]

    def list(self, artist: str, *, sha256: str, show_deleted: bool, size: int, token: str) -> Page[Asset]:
        """A page of the artist's assets, newest first."""
        wanted = clean_sha256(sha256)
        with self.store.read(artist) as records:
            found, following = records.assets.page_assets(
                sha256=wanted, show_deleted=show_deleted, size=size, token=token
            )
        return Page(found, following)

    def rename(self, artist: str, uid: str, display_name: str, *, etag: str) -> Asset:
        """The asset with its new display name."""
        wanted = clean_display_name(display_name, "", "asset.display_name")
        require(bool(wanted), "asset.display_name", "1 to 200 characters")
        with self.store.write(artist) as records:
            asset = _found(records.assets, artist, uid)
            check_etag(asset.name, asset.etag, etag)
            return records.assets.save_asset(replace(asset, display_name=wanted))

    def delete(self, artist: str, uid: str, *, etag: str) -> Asset:
        """The asset, deleted softly; refused while something holds it."""
        with self.store.write(artist) as records:
            asset = _found(records.assets, artist, uid, deleted_too=True)
            if asset.state is AssetState.DELETED:
                return asset
            check_etag(asset.name, asset.etag, etag)
            if asset.hold_count:
                holds, _following = records.assets.page_holds(uid, size=5, token="")
                raise _held(asset, holds)
            return records.assets.save_asset(replace(asset, state=AssetState.DELETED, delete_time=self.clock.now()))

    def undelete(self, artist: str, uid: str) -> Asset:
        """The asset, deleted no more."""
        with self.store.write(artist) as records:
            asset = _found(records.assets, artist, uid, deleted_too=True)
            if asset.state is AssetState.READY:
                return asset
            return records.assets.save_asset(replace(asset, state=AssetState.READY, delete_time=None))

    def peaks(self, artist: str, uid: str, *, level: int, first_bucket: int, buckets: int) -> Peaks:
        """A window of the waveform."""
        require(0 <= level < len(PEAK_LEVELS), "level", f"0 to {len(PEAK_LEVELS) - 1}")
        require(0 <= buckets <= MAX_PEAK_BUCKETS, "bucket_count", f"0 to {MAX_PEAK_BUCKETS}")
        with self.store.read(artist) as records:
            asset = _found(records.assets, artist, uid)
        frames = asset.recording.frames
        total = bucket_count(frames, level)
        require(0 <= first_bucket <= total, "first_bucket", f"0 to {total}")
        wanted = min(buckets or MAX_PEAK_BUCKETS, total - first_bucket)
        offset = peaks_offset(frames, level) + 2 * first_bucket
        pieces = self.blobs.read(peaks_key(artist, asset.content.sha256), offset=offset, length=2 * wanted)
        pairs = b"".join(pieces) if wanted else b""
        return Peaks(asset, level, total, first_bucket, pairs)

    def hold(self, artist: str, uid: str, holder: str) -> Hold:
        """The holder's hold on the asset; the same one on every repeat."""
        check_holder(artist, holder)
        with self.store.write(artist) as records:
            _found(records.assets, artist, uid)
            return records.assets.hold(uid, holder)

    def hold_many(self, artist: str, uids: Sequence[str], holder: str) -> Sequence[Asset]:
        """The assets in the order asked for, each held by the holder; none is when one of them is not there."""
        require(1 <= len(uids) <= 1000, "assets", f"1 to 1000 names, not {len(uids)}")
        check_holder(artist, holder)
        with self.store.write(artist) as records:
            found = records.assets.assets(uids)
            for uid in uids:
                if uid not in found or found[uid].state is not AssetState.READY:
                    raise asset_not_found(ASSET.format(artist=artist, asset=uid))
            records.assets.hold_all(uids, holder)
            held = records.assets.assets(uids)
        return [held[uid] for uid in uids]

    def release_holder(self, artist: str, holder: str) -> None:
        """Drop every hold of the holder; nothing when there is none."""
        check_holder(artist, holder)
        with self.store.write(artist) as records:
            records.assets.release_all(holder)

    def release(self, artist: str, uid: str, holder: str) -> None:
        """Drop the holder's hold; nothing when there is none."""
        check_holder(artist, holder)
        with self.store.write(artist) as records:
            records.assets.release(uid, holder)

    def holds(self, artist: str, uid: str, *, size: int, token: str) -> Page[Hold]:
        """A page of what holds the asset, newest first."""
        with self.store.read(artist) as records:
            _found(records.assets, artist, uid, deleted_too=True)
            found, following = records.assets.page_holds(uid, size=size, token=token)
        return Page(found, following)


def check_etag(name: str, current: str, wanted: str) -> None:
    """Refuse when the caller names another state than the current one."""
    if wanted and wanted != current:
        raise EtagMismatch(
            f"{name} has changed since it was read; read it again", metadata={"name": name, "etag": current}
        )


def _found(records: AssetRecords, artist: str, uid: str, *, deleted_too: bool = False) -> Asset:
    asset = records.asset(uid)
    seen = (AssetState.READY, AssetState.DELETED) if deleted_too else (AssetState.READY,)
    if asset is None or asset.state not in seen:
        raise asset_not_found(ASSET.format(artist=artist, asset=uid))
    return asset


def _held(asset: Asset, holds: Sequence[Hold]) -> AssetHeld:
    named = ", ".join(hold.holder for hold in holds)
    more = f" and {asset.hold_count - len(holds)} more" if asset.hold_count > len(holds) else ""
    return AssetHeld(
        f"{asset.name} is used by {named}{more}; delete what uses it first",
        metadata={"hold_count": str(asset.hold_count), "holders": named},
    )
