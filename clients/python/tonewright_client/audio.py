"""Assets: upload that skips what is already there, download that resumes."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

from tonewright_client.collections import Collection
from tonewright_client.errors import GatewayUnreachable
from tonewright_client.models import Asset, Upload
from tonewright_client.transport import Json, Transport

_CHUNK = 1 << 20
# What machines' own tables call by other names, or do not know.
_MEDIA_TYPES = {
    ".wav": "audio/wav",
    ".aif": "audio/aiff",
    ".aiff": "audio/aiff",
    ".flac": "audio/flac",
    ".opus": "audio/ogg",
    ".m4a": "audio/mp4",
    ".aac": "audio/aac",
}
# Called with bytes done and bytes in all.
OnBytes = Callable[[int, int], None]


class Assets(Collection[Asset]):
    """Audio of one artist, kept once per content."""

    COLLECTION = "assets"
    FIELD = "assets"

    def upload(self, path: Path, *, display_name: str = "", on_bytes: OnBytes | None = None) -> Asset:
        """The asset with this file's content; nothing is sent when the artist already has it."""
        size, digest = path.stat().st_size, file_sha256(path)
        media_type = media_type_of(path)
        body = {
            "sha256": digest,
            "size_bytes": size,
            "media_type": media_type,
            "display_name": display_name or path.name,
        }
        upload = cast(Upload, self._transport.post(f"/v1/{self._artist}/uploads", body))
        if upload.get("asset"):
            return self.get(upload["asset"])
        headers = {"Content-Type": media_type, "Content-Length": str(size)}
        put_url = upload.get("put_url") or f"/v1/{upload['name']}/content"
        self._transport.send("PUT", put_url, _chunks(path, on_bytes), headers=headers)
        return cast(Asset, self._transport.post(f"/v1/{upload['name']}:complete", {}, timeout_s=300.0))

    def download(self, name: str, target: Path, *, on_bytes: OnBytes | None = None) -> Path:
        """Write the asset's bytes to a file."""
        return download(self._transport, f"{self.path(name)}/content", target, on_bytes=on_bytes)

    def peaks(self, name: str, **window: int) -> Json:
        """Waveform peaks: minimum and maximum per bucket; `level`, `first_bucket` and `bucket_count` choose which."""
        return self._transport.get(f"{self.path(name)}/peaks", **window)

    def link(self, name: str) -> str:
        """A signed address that gives the bytes without a key until it expires."""
        return str(self._transport.post(f"{self.path(name)}:link")["url"])


def download(transport: Transport, path: str, target: Path, *, on_bytes: OnBytes | None = None, tries: int = 4) -> Path:
    """Write what a path gives to a file; a broken transfer of the same content goes on where it stopped."""
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    try:
        fetch(transport, path, part, on_bytes=on_bytes, tries=tries)
        part.rename(target)
    finally:
        part.unlink(missing_ok=True)
    return target


def fetch(
    transport: Transport, path: str, part: Path, *, etag: str = "", on_bytes: OnBytes | None = None, tries: int = 4
) -> None:
    """Bring a file up to what a path gives; what is in it already counts when the content is still `etag`.

    Args:
        transport: The gateway.
        path: Where the content is.
        part: The file; new content takes the place of what is in it.
        etag: Validator of the content that the file begins with, quoted; empty begins anew.
        on_bytes: Is told of bytes done and in all.
        tries: How many connections in a row may break without a byte.
    """
    attempt = 0
    while True:
        begun = done = part.stat().st_size if part.exists() else 0
        headers = {"Range": f"bytes={done}-", "If-Range": etag} if done and etag else {}
        try:
            with transport.stream(path, headers=headers) as response, part.open("ab") as file:
                if response.status_code == 200:
                    file.truncate(0)
                    begun = done = 0
                etag = response.headers.get("ETag", "")
                total = done + int(response.headers.get("Content-Length", 0))
                for chunk in response.iter_bytes():  # as it arrives: a gathered piece would be lost with its connection
                    file.write(chunk)
                    done += len(chunk)
                    if on_bytes is not None:
                        on_bytes(done, total)
            return
        except GatewayUnreachable:
            attempt = 1 if done > begun else attempt + 1
            if attempt >= tries:
                raise


def media_type_of(path: Path) -> str:
    """The media type that a file's suffix stands for."""
    known = _MEDIA_TYPES.get(path.suffix.lower())
    return known or mimetypes.guess_type(path.name)[0] or "application/octet-stream"


def file_sha256(path: Path) -> str:
    """Lower-case hex SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _chunks(path: Path, on_bytes: OnBytes | None) -> Iterator[bytes]:
    size, done = path.stat().st_size, 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
            done += len(chunk)
            if on_bytes is not None:
                on_bytes(done, size)
