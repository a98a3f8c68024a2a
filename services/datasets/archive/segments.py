"""Archives as byte ranges: headers are made here, audio stays where it is."""

from __future__ import annotations

import hashlib

from services.datasets.domain.exports import Entry, Layout, Segment

INLINE_MAX = 64 * 1024  # longest run of header bytes in one segment


class Layouter:
    """Collects segments; neighbouring header bytes become one."""

    def __init__(self) -> None:
        self.segments: list[Segment] = []
        self.offset = 0
        self._pending = bytearray()
        self._digest = hashlib.sha256()

    def add_bytes(self, data: bytes) -> None:
        """Append bytes that are here."""
        self._pending += data
        self.offset += len(data)
        self._digest.update(data)
        while len(self._pending) >= INLINE_MAX:
            self._flush(INLINE_MAX)

    def add_file(self, entry: Entry) -> None:
        """Append the bytes of a file."""
        if not entry.object_key:
            self.add_bytes(entry.inline)
            return
        self._flush(len(self._pending))
        if entry.size_bytes:
            self.segments.append(
                Segment(self.offset, entry.size_bytes, object_key=entry.object_key, object_offset_bytes=0)
            )
        self.offset += entry.size_bytes
        self._digest.update(f"{entry.sha256}:{entry.size_bytes};".encode())

    def finish(self) -> Layout:
        """The archive."""
        self._flush(len(self._pending))
        return Layout(tuple(self.segments), self.offset, self._digest.hexdigest())

    def _flush(self, length: int) -> None:
        if length:
            data = bytes(self._pending[:length])
            start = self.offset - len(self._pending)
            del self._pending[:length]
            self.segments.append(Segment(start, len(data), inline=data))
