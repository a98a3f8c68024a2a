"""The outside of a Live Set file: gzip around XML, read piece by piece under caps."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO
from xml.parsers import expat

_PIECE = 1 << 16
_NO_MEMORY = expat.errors.codes[expat.errors.XML_ERROR_NO_MEMORY]
_GZIP, _PLAIN = b"\x1f\x8b\x08", (b"<?xml", b"\xef\xbb\xbf<?xml")
# Real sets expand 4 to 21 times; small ones may repeat more, so the ratio counts only from here on.
_RATIO_FROM_BYTES = 8 << 20


class FileRefused(Exception):
    """The file is not a readable Live Set; `reason` is stable and `text` is for the caller."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason
        self.text = text


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a file is read before it is refused.

    Attributes:
        file_bytes: The file as it was uploaded.
        xml_bytes: The XML inside it.
        ratio: XML bytes per file byte, from 8 MiB of XML on.
        depth: Elements inside one another.
        nodes: Elements in all; a set of 16 MB of XML holds about 300,000.
        kept_nodes: Elements of one track that are held at once.
        memory_bytes: Address space of the child process.
        seconds: Processor time, and time altogether.
        summary_bytes: The summary as JSON; as a message it takes up to 1.4 times as much, and messages hold 4 MiB.
    """

    file_bytes: int = 64 << 20
    xml_bytes: int = 512 << 20
    ratio: int = 100
    depth: int = 100
    nodes: int = 5_000_000
    kept_nodes: int = 2_000_000
    memory_bytes: int = 1 << 30
    seconds: int = 20
    summary_bytes: int = 5 << 19


def feed_xml(source: BinaryIO, limits: Limits, parser: expat.XMLParserType) -> None:
    """Give the document inside the file to the parser, all of it or none of the rest.

    Raises:
        FileRefused: Not gzip or XML, cut off, damaged, or larger than the limits.
    """
    head = source.read(_PIECE)
    if head.startswith(_GZIP):
        _feed_gzip(head, source, limits, lambda piece: _parse(parser, piece, last=False))
    elif head.startswith(_PLAIN):
        _feed_plain(head, source, limits, lambda piece: _parse(parser, piece, last=False))
    else:
        what = "is empty" if not head else "is a zip archive" if head.startswith(b"PK") else "is neither gzip nor XML"
        raise FileRefused("LIVE_SET_NOT_GZIP", f"the file {what}; send an .als file as Ableton Live saves it")
    _parse(parser, b"", last=True)


def _feed_plain(head: bytes, source: BinaryIO, limits: Limits, feed: Callable[[bytes], None]) -> None:
    size, piece = 0, head
    while piece:
        size += len(piece)
        _refuse_large(size, limits)
        feed(piece)
        piece = source.read(_PIECE)


def _feed_gzip(head: bytes, source: BinaryIO, limits: Limits, feed: Callable[[bytes], None]) -> None:
    unpacker = zlib.decompressobj(wbits=31)
    packed, size, piece = 0, 0, head
    while piece and not unpacker.eof:
        packed += len(piece)
        while piece and not unpacker.eof:
            try:
                text = unpacker.decompress(piece, _PIECE)
            except zlib.error as error:
                raise FileRefused(
                    "LIVE_SET_DAMAGED", "the file's gzip data is damaged; save it again in Live and upload that"
                ) from error
            piece = unpacker.unconsumed_tail
            size += len(text)
            _refuse_large(size, limits)
            if size > _RATIO_FROM_BYTES and size > limits.ratio * packed:
                raise FileRefused(
                    "LIVE_SET_EXPANDS_TOO_MUCH",
                    f"the file expands more than {limits.ratio} times, as no Live Set does; save it again in Live",
                )
            feed(text)
        piece = source.read(_PIECE)
    if not unpacker.eof:
        raise FileRefused("LIVE_SET_TRUNCATED", "the file ends in the middle; upload all of it again")


def _refuse_large(size: int, limits: Limits) -> None:
    if size > limits.xml_bytes:
        raise FileRefused(
            "LIVE_SET_TOO_LARGE",
            f"the Live Set holds more than {limits.xml_bytes >> 20} MiB of XML; split it or remove unused tracks",
        )


def _parse(parser: expat.XMLParserType, piece: bytes, *, last: bool) -> None:
    try:
        parser.Parse(piece, last)
    except expat.ExpatError as error:
        what = expat.ErrorString(error.code)
        if error.code == _NO_MEMORY:
            raise MemoryError from error
        raise FileRefused(
            "LIVE_SET_NOT_XML",
            f"the XML of the file is broken at line {error.lineno} ({what}); save it again in Live and upload that",
        ) from error
