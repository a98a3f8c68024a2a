"""How a file becomes an asset."""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

from chassis.clock import Clock
from chassis.errors import require
from chassis.ids import new_uid
from services.sessions.domain.assets import (
    DEFAULT_DISPLAY_NAME,
    UPLOAD,
    UPLOAD_LIFE,
    Asset,
    AssetState,
    Content,
    Recording,
    Upload,
    UploadState,
    blob_key,
    clean_display_name,
    clean_sha256,
    peaks_key,
)
from services.sessions.domain.errors import (
    AssetBeingPurged,
    UploadAborted,
    UploadChanged,
    UploadExpired,
    UploadFinished,
    UploadHashMismatch,
    UploadNotReceived,
    UploadSizeMismatch,
    UploadTooLarge,
    upload_not_found,
)
from services.sessions.domain.ports import AssetRecords, BlobInfo, Blobs, NewAsset, Prober, Store


@dataclass(frozen=True, slots=True)
class UploadSpec:
    """What a caller announces of a file."""

    sha256: str = ""
    size_bytes: int = 0
    media_type: str = ""
    display_name: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class OpenedUpload:
    """An upload and the link that takes its bytes; the link is empty where the store has none or none is needed."""

    upload: Upload
    put_url: str = ""


@dataclass(frozen=True, slots=True)
class Uploads:
    """The arrival of files."""

    store: Store
    blobs: Blobs
    prober: Prober
    clock: Clock
    max_upload_bytes: int

    def create(self, artist: str, spec: UploadSpec) -> OpenedUpload:
        """An open upload, or a finished one at once when the artist already has these bytes."""
        wanted = self._checked(spec)
        # Looked up before the transaction: a store that is slow must not keep rows locked.
        there = bool(wanted.sha256) and self.blobs.head(blob_key(artist, wanted.sha256)) is not None
        now = self.clock.now()
        upload = Upload(
            artist=artist,
            uid=new_uid(),
            state=UploadState.OPEN,
            display_name=wanted.display_name,
            sha256=wanted.sha256,
            size_bytes=wanted.size_bytes,
            media_type=wanted.media_type,
            create_time=now,
            expire_time=now + UPLOAD_LIFE,
        )
        fingerprint = json.dumps([wanted.sha256, wanted.size_bytes, wanted.media_type, wanted.display_name])
        with self.store.write(artist) as records:
            earlier = records.once(
                method="CreateUpload", request_id=spec.request_id, fingerprint=fingerprint, resource=upload.name
            )
            if earlier is not None:
                upload = _found(records.assets, artist, earlier.rpartition("/")[2])
            else:
                asset = records.assets.asset_with(wanted.sha256) if there else None
                if asset is not None and asset.state is not AssetState.PURGING:
                    asset = _revived(records.assets, asset)
                    upload = replace(upload, state=UploadState.COMPLETED, asset_uid=asset.uid)
                records.assets.add_upload(upload)
        return self._with_link(upload)

    def get(self, artist: str, uid: str) -> OpenedUpload:
        """The upload."""
        with self.store.read(artist) as records:
            return self._with_link(_found(records.assets, artist, uid))

    def abort(self, artist: str, uid: str) -> OpenedUpload:
        """The upload, given up; what it has received is removed."""
        with self.store.write(artist) as records:
            upload = _found(records.assets, artist, uid)
            if upload.state is UploadState.COMPLETED:
                raise UploadFinished(f"upload {upload.name} became {upload.asset}; delete the asset instead")
            if upload.state is UploadState.OPEN:
                upload = replace(upload, state=UploadState.ABORTED)
                records.assets.save_upload(upload)
        self.blobs.delete(upload.object_key)
        return OpenedUpload(upload)

    def complete(self, artist: str, uid: str, sha256: str = "") -> Asset:
        """The asset that the received bytes are; the same one on every repeat."""
        with self.store.read(artist) as records:
            upload = _found(records.assets, artist, uid)
            finished = self._finished(records.assets, upload)
        expected = clean_sha256(sha256) or upload.sha256
        if finished is not None:
            _check_hash(expected, finished.content.sha256)
            return finished
        self._check_open(upload)
        with self.prober.scratch() as folder:
            return self._ingest(upload, expected, folder)

    def _ingest(self, upload: Upload, expected: str, folder: Path) -> Asset:
        arrived = self._received(upload)
        audio, peaks = folder / "audio", folder / "peaks"
        content = self._fetch(upload.object_key, audio)
        if upload.size_bytes and content.size_bytes != upload.size_bytes:
            raise _size_mismatch(upload.size_bytes, content.size_bytes)
        _check_hash(expected, content.sha256)
        with self.store.read(upload.artist) as records:
            known = records.assets.asset_with(content.sha256)
        recording = known.recording if known else self.prober.measure(audio, peaks)
        if known is None:
            self.blobs.put(peaks_key(upload.artist, content.sha256), peaks)
        self._keep_bytes(upload, arrived, content)
        asset = self._record(upload, content, recording)
        # A collector may have removed the bytes of a deleted twin between the copy and the row; now that the row is
        # there nothing removes them again.
        if self.blobs.head(asset.blob_key) is None:
            self._keep_bytes(upload, arrived, content)
        if self.blobs.head(peaks_key(asset.artist, content.sha256)) is None:
            self.prober.measure(audio, peaks)
            self.blobs.put(peaks_key(asset.artist, content.sha256), peaks)
        self.blobs.delete(upload.object_key)
        return asset

    def _record(self, upload: Upload, content: Content, recording: Recording) -> Asset:
        with self.store.write(upload.artist) as records:
            current = _found(records.assets, upload.artist, upload.uid)
            finished = self._finished(records.assets, current)
            if finished is not None:
                return finished
            self._check_open(current)
            asset = records.assets.add_asset(NewAsset(upload.display_name, content, recording))
            if asset.state is AssetState.PURGING:
                raise AssetBeingPurged(
                    "a deleted asset with the same bytes is being removed; complete the upload again in a moment",
                    retry_after_s=5,
                )
            asset = _revived(records.assets, asset)
            records.assets.save_upload(replace(current, state=UploadState.COMPLETED, asset_uid=asset.uid))
            return asset

    def _fetch(self, key: str, audio: Path) -> Content:
        """Copy the bytes into a file, hashed on the way, never more than a piece of them in memory."""
        digest, crc32, size_bytes = hashlib.sha256(), 0, 0
        with audio.open("wb") as file:
            for piece in self.blobs.read(key):
                size_bytes += len(piece)
                if size_bytes > self.max_upload_bytes:
                    raise self._too_large(size_bytes)
                digest.update(piece)
                crc32 = zlib.crc32(piece, crc32)
                file.write(piece)
        return Content(digest.hexdigest(), size_bytes, crc32)

    def _keep_bytes(self, upload: Upload, arrived: BlobInfo, content: Content) -> None:
        """Copy the verified bytes to their hash key, provided they are still the ones that were verified."""
        target = blob_key(upload.artist, content.sha256)
        stored = self.blobs.head(target)
        if stored is not None and stored.size_bytes == content.size_bytes:
            return
        self.blobs.copy(upload.object_key, target)
        now = self.blobs.head(upload.object_key)
        if now is None or now.etag != arrived.etag:
            self.blobs.delete(target)
            raise UploadChanged(f"the bytes of {upload.name} were replaced while they were verified; complete it again")

    def _received(self, upload: Upload) -> BlobInfo:
        arrived = self.blobs.head(upload.object_key)
        if arrived is None:
            raise UploadNotReceived(f"no bytes have arrived for {upload.name}; send them, then complete the upload")
        if upload.size_bytes and arrived.size_bytes != upload.size_bytes:
            raise _size_mismatch(upload.size_bytes, arrived.size_bytes)
        if arrived.size_bytes > self.max_upload_bytes:
            raise self._too_large(arrived.size_bytes)
        return arrived

    def _finished(self, records: AssetRecords, upload: Upload) -> Asset | None:
        if upload.state is not UploadState.COMPLETED:
            return None
        asset = records.asset(upload.asset_uid)
        if asset is None or asset.state is not AssetState.READY:
            raise UploadExpired(f"upload {upload.name} is finished and its asset was deleted since; open a new upload")
        return asset

    def _check_open(self, upload: Upload) -> None:
        if upload.state is UploadState.ABORTED:
            raise UploadAborted(f"upload {upload.name} was aborted; open a new one")
        if upload.state is UploadState.EXPIRED or upload.expire_time <= self.clock.now():
            raise UploadExpired(
                f"upload {upload.name} expired at {upload.expire_time:%Y-%m-%dT%H:%M:%SZ}; open a new one"
            )

    def _checked(self, spec: UploadSpec) -> UploadSpec:
        require(spec.size_bytes >= 0, "size_bytes", "0 or more")
        require(len(spec.media_type) <= 128, "media_type", "up to 128 characters")
        if spec.size_bytes > self.max_upload_bytes:
            raise self._too_large(spec.size_bytes)
        name = clean_display_name(spec.display_name, DEFAULT_DISPLAY_NAME)
        return replace(spec, sha256=clean_sha256(spec.sha256), display_name=name)

    def _with_link(self, upload: Upload) -> OpenedUpload:
        if upload.state is not UploadState.OPEN or not upload.size_bytes:
            return OpenedUpload(upload)
        left_s = int((upload.expire_time - self.clock.now()).total_seconds())
        media_type = upload.media_type or "application/octet-stream"
        link = self.blobs.sign_put(
            upload.object_key, size_bytes=upload.size_bytes, expires_s=max(1, left_s), media_type=media_type
        )
        return OpenedUpload(upload, link or "")

    def _too_large(self, size_bytes: int) -> UploadTooLarge:
        return UploadTooLarge(
            f"the file has {size_bytes} bytes or more; {self.max_upload_bytes} are taken: encode it as FLAC or cut it",
            metadata={"size_bytes": str(size_bytes), "limit_bytes": str(self.max_upload_bytes)},
        )


def _found(records: AssetRecords, artist: str, uid: str) -> Upload:
    upload = records.upload(uid)
    if upload is None:
        raise upload_not_found(UPLOAD.format(artist=artist, upload=uid))
    return upload


def _revived(records: AssetRecords, asset: Asset) -> Asset:
    if asset.state is not AssetState.DELETED:
        return asset
    return records.save_asset(replace(asset, state=AssetState.READY, delete_time=None))


def _check_hash(expected: str, found: str) -> None:
    if expected and expected != found:
        raise UploadHashMismatch(
            f"the bytes have SHA-256 {found}, not {expected} as announced; "
            "send them again, or open an upload with their hash",
            metadata={"expected": expected, "found": found},
        )


def _size_mismatch(expected: int, found: int) -> UploadSizeMismatch:
    return UploadSizeMismatch(
        f"{found} bytes have arrived, not {expected} as announced; send the whole file again",
        metadata={"expected": str(expected), "found": str(found)},
    )
