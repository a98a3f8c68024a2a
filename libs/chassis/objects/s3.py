import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from urllib3.exceptions import HTTPError

from chassis.errors import DependencyUnavailable
from chassis.objects.parts import ObjectRange, Part, Tell, untold
from chassis.objects.port import CHUNK, ObjectInfo, ObjectNotFound, ObjectStore, ObjectWriter, check_key

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PART = 8 << 20  # S3 takes at most 10,000 parts: 80 GB
_LEAST, _PARTS = 5 << 20, 9000  # shortest part but the last, and parts that a composed object has at most
_COPIED = 1 << 30  # bytes that the server copies in one step; it takes up to 5 GiB
_COPY = TransferConfig(multipart_threshold=5 << 30, multipart_chunksize=1 << 30)  # CopyObject ends at 5 GiB
_MISSING = {"404", "NoSuchKey", "NotFound"}


class S3Store(ObjectStore):
    """Objects in one bucket, under an optional prefix; any vendor that speaks the S3 API."""

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        *,
        endpoint: str | None = None,
        region: str = "us-east-1",
        public_endpoint: str | None = None,
        create: bool = False,
    ) -> None:
        self.bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self.client = _client(endpoint, region)
        self._signer = _client(public_endpoint, region) if public_endpoint else self.client
        self._must_create = create
        with contextlib.suppress(ClientError, DependencyUnavailable):  # `ping` asks a server that starts later
            self._create()

    def writer(self, key: str, *, media_type: str = "application/octet-stream") -> ObjectWriter:
        """A writer that sends parts of 8 MiB as they fill."""
        return _S3Writer(self, key, media_type)

    def read(self, key: str, *, offset: int = 0, length: int | None = None, chunk: int = CHUNK) -> Iterator[bytes]:
        """The bytes from `offset` in pieces of at most `chunk`."""
        if length == 0:
            return iter(())
        last = "" if length is None else str(offset + length - 1)
        ranged: Any = {"Range": f"bytes={offset}-{last}"} if offset or last else {}
        try:
            with answering(key):
                answer = self.client.get_object(**self.at(key), **ranged)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("InvalidRange", "416"):
                return iter(())
            raise
        return _pieces(answer["Body"], min(chunk, CHUNK))

    def head(self, key: str) -> ObjectInfo | None:
        """What is known of the object."""
        try:
            with answering(key):
                found = self.client.head_object(**self.at(key))
        except ObjectNotFound:
            return None
        size, at = found["ContentLength"], found["LastModified"]
        return ObjectInfo(key, size, None, found.get("ContentType"), at, found["ETag"].strip('"'))

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Every object whose key begins with the prefix; their media types stay unknown."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self._prefix + prefix)
        with answering():
            for page in pages:
                for found in page.get("Contents", ()):
                    key = found["Key"].removeprefix(self._prefix)
                    yield ObjectInfo(
                        key, found["Size"], None, None, found["LastModified"], found.get("ETag", "").strip('"')
                    )

    def copy(self, source: str, target: str) -> None:
        """A second object, copied by the server: in one step up to 5 GiB, in parts above."""
        with answering(source):
            self.client.copy(CopySource=self.at(source), **self.at(target), Config=_COPY)

    def compose(
        self, key: str, parts: Sequence[Part], *, media_type: str = "application/octet-stream", tell: Tell = untold
    ) -> ObjectInfo:
        """One object of the parts in order; long ranges of other objects are copied by the server."""
        total = sum(len(part) if isinstance(part, bytes) else part.length for part in parts)
        with _Composer(self, key, media_type, least=max(_LEAST, total // _PARTS + 1), tell=tell) as composer:
            for part in parts:
                composer.add(part)
            return composer.commit()

    def drop_unfinished(self, before: datetime) -> int:
        """Abort the uploads of writers that died before that moment; gives how many."""
        pages = self.client.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket, Prefix=self._prefix)
        with answering():
            old = [up for page in pages for up in page.get("Uploads", ()) if up["Initiated"] < before]
            for up in old:
                with contextlib.suppress(self.client.exceptions.NoSuchUpload):
                    self.client.abort_multipart_upload(Bucket=self.bucket, Key=up["Key"], UploadId=up["UploadId"])
        return len(old)

    def delete(self, key: str) -> None:
        """Remove the object."""
        with answering():
            self.client.delete_object(**self.at(key))

    def sign_get(self, key: str, *, expires_s: int, filename: str | None = None) -> str | None:
        """A link that reads the object, as a download of that file name if one is given."""
        shown = {"ResponseContentDisposition": f"attachment; filename*=UTF-8''{quote(filename)}"} if filename else {}
        return self._signer.generate_presigned_url("get_object", {**self.at(key), **shown}, expires_s)

    def sign_put(self, key: str, *, size_bytes: int, expires_s: int, media_type: str) -> str | None:
        """A link that stores exactly so many bytes of that type."""
        bound = {"ContentLength": size_bytes, "ContentType": media_type}
        return self._signer.generate_presigned_url("put_object", {**self.at(key), **bound}, expires_s)

    def ping(self) -> None:
        """Nothing if the bucket answers; one that is wanted and missing is made."""
        self._create()
        with answering("bucket"):
            self.client.head_bucket(Bucket=self.bucket)

    def _create(self) -> None:
        if not self._must_create:
            return
        with answering(), contextlib.suppress(self.client.exceptions.BucketAlreadyOwnedByYou):
            if self.bucket not in {found["Name"] for found in self.client.list_buckets()["Buckets"]}:
                self.client.create_bucket(Bucket=self.bucket)
        self._must_create = False

    def at(self, key: str) -> Any:
        """Bucket and full key, as the client's methods take them."""
        return {"Bucket": self.bucket, "Key": self._prefix + check_key(key)}


class _S3Writer(ObjectWriter):
    def __init__(self, store: S3Store, key: str, media_type: str) -> None:
        self._store, self._client, self._key, self._at = store, store.client, key, store.at(key)
        self._media_type, self._hash, self._size_bytes, self._buffer = media_type, hashlib.sha256(), 0, bytearray()
        self._upload: str | None = None
        self._parts: list[Any] = []

    def write(self, data: bytes) -> None:
        self._hash.update(data)
        self._size_bytes += len(data)
        self._buffer += data
        while len(self._buffer) >= PART:
            self._send(bytes(self._buffer[:PART]))
            del self._buffer[:PART]

    def commit(self) -> ObjectInfo:
        if self._upload is None:
            with answering():
                self._client.put_object(**self._at, Body=bytes(self._buffer), ContentType=self._media_type)
        else:
            if self._buffer:
                self._send(bytes(self._buffer))
            with answering():
                self._client.complete_multipart_upload(
                    **self._at, UploadId=self._upload, MultipartUpload={"Parts": self._parts}
                )
            self._upload = None
        found = self._store.head(self._key)
        if found is None:
            raise DependencyUnavailable("objects", f"object {self._key} is not there after it was stored")
        digest = self._hash.hexdigest()
        return ObjectInfo(self._key, self._size_bytes, digest, self._media_type, found.update_time, found.etag)

    def abort(self) -> None:
        if self._upload is not None:
            with contextlib.suppress(ClientError, DependencyUnavailable), answering():
                self._client.abort_multipart_upload(**self._at, UploadId=self._upload)
            self._upload = None

    def _send(self, part: bytes) -> None:
        with answering():
            upload, number = self._begun(), len(self._parts) + 1
            sent = self._client.upload_part(**self._at, UploadId=upload, PartNumber=number, Body=part)
        self._parts.append({"PartNumber": number, "ETag": sent["ETag"]})

    def _begun(self) -> str:
        if self._upload is None:
            begun = self._client.create_multipart_upload(**self._at, ContentType=self._media_type)
            self._upload = begun["UploadId"]
        return self._upload


class _Composer(_S3Writer):
    """A writer that lets the server copy what is long enough to be a part of its own."""

    def __init__(self, store: S3Store, key: str, media_type: str, *, least: int, tell: Tell) -> None:
        super().__init__(store, key, media_type)
        self._least, self._tell = least, tell  # no part but the last may be shorter

    def add(self, part: Part) -> None:
        """Append bytes, or a range of another object."""
        if isinstance(part, bytes):
            return self._append(part)
        # Bytes that wait are no part of their own before there are enough of them: the range gives what lacks.
        head = max(0, self._least - len(self._buffer)) if self._buffer else 0
        head = part.length if part.length - head < self._least else head
        for piece in self._store.read_range(ObjectRange(part.key, part.offset, head)):
            self._append(piece)
        at, end = part.offset + head, part.offset + part.length
        if at < end:
            self._flush()
        while at < end:
            step = end - at if end - at <= _COPIED else min(_COPIED, end - at - self._least)
            self._copy(part.key, at, step)
            at += step

    def commit(self) -> ObjectInfo:
        return replace(super().commit(), sha256=None)  # nobody has read what the server copied

    def _append(self, data: bytes) -> None:
        self._buffer += data
        self._size_bytes += len(data)
        if len(self._buffer) >= max(PART, self._least):
            self._flush()
        self._tell(self._size_bytes)

    def _flush(self) -> None:
        if self._buffer:
            self._send(bytes(self._buffer))
            self._buffer.clear()

    def _copy(self, key: str, at: int, length: int) -> None:
        source: Any = {"CopySource": self._store.at(key), "CopySourceRange": f"bytes={at}-{at + length - 1}"}
        with answering(key):
            upload, number = self._begun(), len(self._parts) + 1
            done = self._client.upload_part_copy(**self._at, UploadId=upload, PartNumber=number, **source)
        self._parts.append({"PartNumber": number, "ETag": done["CopyPartResult"]["ETag"]})
        self._size_bytes += length
        self._tell(self._size_bytes)


def _client(endpoint: str | None, region: str) -> "S3Client":
    config = Config(
        connect_timeout=3,
        read_timeout=30,
        max_pool_connections=32,
        request_checksum_calculation="when_required",  # not every vendor takes checksum trailers
        response_checksum_validation="when_required",
        retries={"mode": "standard", "max_attempts": 3},
        s3={"addressing_style": "path"},
        signature_version="s3v4",
    )
    return boto3.session.Session().client("s3", endpoint_url=endpoint, region_name=region, config=config)


def _pieces(body: Any, chunk: int) -> Iterator[bytes]:
    with answering(), contextlib.closing(body):
        while piece := body.read(chunk):
            yield piece


@contextlib.contextmanager
def answering(key: str = "") -> Iterator[None]:
    """A block in which a missing `key` is ObjectNotFound and a server that does not answer DependencyUnavailable."""
    try:
        yield
    except ClientError as error:
        if key and error.response["Error"]["Code"] in _MISSING:
            raise ObjectNotFound(f"no object {key}") from error
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if status >= 500 or status == 429:
            raise DependencyUnavailable("objects") from error
        raise
    except (BotoCoreError, HTTPClientError, HTTPError, OSError) as error:
        raise DependencyUnavailable("objects") from error
