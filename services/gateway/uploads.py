"""Bytes in: a request's body, streamed into the object store while it is hashed."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from chassis.objects import ObjectInfo, ObjectWriter
from services.gateway.context import ServerTools
from services.gateway.errors import BodyInvalid, DigestMismatch
from services.gateway.headers import announced_digest

_PIECE = 1 << 20
_MAX_PART_HEADER = 4096


@dataclass(slots=True)
class Incoming:
    """The bytes of a body, and what it says of them."""

    pieces: AsyncIterator[bytes]
    media_type: str
    file_name: str = ""


async def receive(
    tools: ServerTools, request: Request, key: str, incoming: Incoming, *, sha256: str = "", size_bytes: int = 0
) -> ObjectInfo:
    """Store the body under the key; nothing stays behind when it breaks off or is not what was announced.

    Args:
        tools: Shared parts.
        request: Its headers may announce a digest.
        key: Where the bytes go.
        incoming: The bytes.
        sha256: Digest announced earlier, hex; empty when none was.
        size_bytes: Size announced earlier; 0 when none was.

    Raises:
        DigestMismatch: The bytes do not have the announced SHA-256.
        BodyInvalid: There are none.
    """
    announced = announced_digest(request) or sha256
    writer = await tools.pool.run(tools.objects.writer, key, media_type=incoming.media_type)
    try:
        arrived_bytes = await _copy(tools, incoming.pieces, writer)
        _check_size(arrived_bytes, size_bytes)
        info = await tools.pool.run(writer.commit)
    finally:
        # After a commit there is nothing left to drop.
        await tools.pool.run(writer.abort)
    if announced and info.sha256 != announced:
        await tools.pool.run(tools.objects.delete, key)
        raise DigestMismatch(
            f"the body has SHA-256 {info.sha256} and {announced} was announced; send the file again",
            metadata={"sha256": info.sha256 or "", "announced": announced},
        )
    return info


async def hash_of(incoming: Incoming) -> str:
    """The SHA-256 of the bytes in hex; they are kept nowhere."""
    digest = hashlib.sha256()
    async for piece in incoming.pieces:
        digest.update(piece)
    return digest.hexdigest()


def _check_size(arrived_bytes: int, announced_bytes: int) -> None:
    if arrived_bytes == 0:
        raise BodyInvalid("the body is empty; send the file's bytes")
    if announced_bytes and arrived_bytes != announced_bytes:
        raise DigestMismatch(
            f"the body has {arrived_bytes} bytes and {announced_bytes} were announced; send the file again",
            metadata={"size_bytes": str(arrived_bytes), "announced_bytes": str(announced_bytes)},
        )


async def _copy(tools: ServerTools, pieces: AsyncIterator[bytes], writer: ObjectWriter) -> int:
    # The network delivers 64 KiB at a time; a thread is asked once per MiB.
    gathered, size_bytes = bytearray(), 0
    async for piece in pieces:
        gathered += piece
        size_bytes += len(piece)
        if len(gathered) >= _PIECE:
            await tools.pool.run(writer.write, bytes(gathered))
            gathered.clear()
    if gathered:
        await tools.pool.run(writer.write, bytes(gathered))
    return size_bytes


async def incoming(request: Request) -> Incoming:
    """The file in a request: the body itself, or the first file of a form.

    Raises:
        BodyInvalid: A form holds no file.
    """
    media_type, options = parse_options_header(request.headers.get("content-type", "application/octet-stream"))
    if media_type != b"multipart/form-data":
        return Incoming(request.stream(), media_type.decode("latin-1") or "application/octet-stream")
    boundary = options.get(b"boundary")
    if not boundary:
        raise BodyInvalid("the form's Content-Type names no boundary")
    form = _Form(boundary, request.stream())
    return await form.first_file()


class _Form:
    """The first file of a multipart form, piece by piece."""

    def __init__(self, boundary: bytes, body: AsyncIterator[bytes]) -> None:
        self._body = body
        self._ready: list[bytes] = []
        self._header_name = bytearray()
        self._header_value = bytearray()
        self._headers: dict[bytes, bytes] = {}
        self._file: Incoming | None = None
        self._in_file = False
        self._is_over = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._headers.clear,
                "on_header_field": self._on_header_field,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers_finished,
                "on_part_data": self._on_part_data,
                "on_part_end": self._on_part_end,
            },
        )

    async def first_file(self) -> Incoming:
        async for piece in self._body:
            self._feed(piece)
            if self._file is not None:
                self._file.pieces = self._rest()
                return self._file
        raise BodyInvalid("the form holds no file; send one part with a file name")

    async def _rest(self) -> AsyncIterator[bytes]:
        while self._ready:
            yield self._ready.pop(0)
        async for piece in self._body:
            self._feed(piece)
            while self._ready:
                yield self._ready.pop(0)
        if not self._is_over:
            raise BodyInvalid("the form ends in the middle of the file; send it again")

    def _feed(self, piece: bytes) -> None:
        try:
            self._parser.write(piece)
        except Exception as error:
            raise BodyInvalid("the body is not a multipart form") from error

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]
        self._check_header()

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]
        self._check_header()

    def _check_header(self) -> None:
        if len(self._header_name) + len(self._header_value) > _MAX_PART_HEADER:
            raise BodyInvalid(f"a header of the form is longer than {_MAX_PART_HEADER} bytes")

    def _on_header_end(self) -> None:
        self._headers[bytes(self._header_name).lower()] = bytes(self._header_value)
        self._header_name.clear()
        self._header_value.clear()

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        name = options.get(b"filename")
        if name is not None and self._file is None:
            media_type = self._headers.get(b"content-type", b"application/octet-stream").decode("latin-1")
            self._file = Incoming(self._rest(), media_type, name.decode(errors="replace"))
            self._in_file = True

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self._ready.append(data[start:end])

    def _on_part_end(self) -> None:
        if self._in_file:
            self._is_over = True
        self._in_file = False
