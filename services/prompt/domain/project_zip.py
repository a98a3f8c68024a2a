"""A zip of a Live project as it was uploaded: which Live Sets are in it, and their bytes, under caps.

Source: PKWARE APPNOTE 6.3.10, sections 4.3 (records), 4.4 (fields) and 4.5.3 (zip64).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from services.prompt.domain.live_sets import LiveSetArchiveInvalid, LiveSetArchiveTooLarge, LiveSetEntryRefused

ReadPart = Callable[[int, int], Iterator[bytes]]
_END, _END64, _LOCATOR64, _ENTRY, _LOCAL = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07", b"PK\x01\x02", b"PK\x03\x04"
_LONGEST_COMMENT, _PIECE = 65_535, 1 << 16
_STORED, _DEFLATED = 0, 8
_IS_ENCRYPTED, _IS_UTF8 = 1 << 0, 1 << 11


@dataclass(frozen=True, slots=True)
class ZipLimits:
    """How much of a zip is read before it is refused.

    Attributes:
        entries: Files and folders, whatever they are.
        live_sets: `.als` files among them.
        directory_bytes: The list of entries.
        file_bytes: One `.als` file.
        unpacked_bytes: All `.als` files together, as the list announces them and as they turn out.
        ratio: Unpacked bytes per packed byte of an entry of 1 MiB and more.
    """

    entries: int = 50_000
    live_sets: int = 200
    directory_bytes: int = 16 << 20
    file_bytes: int = 64 << 20
    unpacked_bytes: int = 1 << 30
    ratio: int = 100


@dataclass(frozen=True, slots=True)
class ZipEntry:
    """A Live Set inside a zip.

    Attributes:
        path: As the zip names it.
        offset: Where its local header begins.
        packed_bytes: Size inside the zip.
        size_bytes: Size as the zip announces it.
        crc32: Checksum as the zip announces it.
        method: Compression method.
        is_encrypted: Whether a password protects it.
    """

    path: str
    offset: int
    packed_bytes: int
    size_bytes: int
    crc32: int
    method: int
    is_encrypted: bool

    @property
    def file_name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def project(self) -> str:
        """Name of the folder that it lies in: of the nearest one that Live calls a project, if there is one."""
        folders = self.path.split("/")[:-1]
        named = [folder for folder in folders if folder.lower().endswith(" project")]
        return (named or folders or [""])[-1][:200]


class ProjectZip:
    """The Live Sets of a zip, in the order of their paths; read once in that order."""

    def __init__(self, read_part: ReadPart, size_bytes: int, limits: ZipLimits | None = None) -> None:
        """Read the list of entries.

        Args:
            read_part: Gives bytes of the zip by offset and length.
            size_bytes: Size of the zip.
            limits: Caps.

        Raises:
            LiveSetArchiveInvalid: It is no zip, or a damaged one.
            LiveSetArchiveTooLarge: It holds more than the caps allow.
        """
        self._read_part = read_part
        self._size_bytes = size_bytes
        self._limits = limits or ZipLimits()
        self._left_bytes = self._limits.unpacked_bytes
        self.files: list[ZipEntry] = []
        self.ignored_count = 0
        self._list()

    def pieces(self, entry: ZipEntry) -> Iterator[bytes]:
        """The unpacked bytes of an entry; the last piece comes only if the checksum is right.

        Raises:
            LiveSetEntryRefused: It is encrypted, damaged, packed in an unknown way, larger than announced or
                allowed, or its path leads out of the zip.
            LiveSetArchiveTooLarge: All entries together unpack to more than the cap.
        """
        self._check(entry)
        packed = self._packed(entry)
        unpacked = packed if entry.method == _STORED else _inflated(packed, entry.path)
        size, crc = 0, 0
        last = b""
        for piece in unpacked:
            size += len(piece)
            self._left_bytes -= len(piece)
            if size > entry.size_bytes:
                raise _refused(entry, "unpacks to more than the zip says", "zip the folder again")
            if self._left_bytes < 0:
                raise self._too_much()
            crc = zlib.crc32(piece, crc)
            if last:
                yield last
            last = piece
        if size != entry.size_bytes or crc != entry.crc32:
            raise _refused(entry, "is damaged: its size or checksum differs", "zip the folder again")
        if last:
            yield last

    def _check(self, entry: ZipEntry) -> None:
        parts = entry.path.split("/")
        is_inside = not any(part in {"", ".", ".."} or ":" in part for part in parts) and entry.path.isprintable()
        if not is_inside or len(entry.path) > 1024:
            raise _refused(entry, "has a path that leads out of the zip or cannot be shown", "zip the folder itself")
        if entry.is_encrypted:
            raise _refused(entry, "is encrypted", "zip the folder without a password")
        if entry.method not in {_STORED, _DEFLATED}:
            raise _refused(
                entry, f"is packed with method {entry.method}", "zip the folder with the usual method (deflate)"
            )
        if entry.size_bytes > self._limits.file_bytes:
            raise _refused(entry, f"is larger than {self._limits.file_bytes >> 20} MiB", "an .als file is far smaller")
        if entry.size_bytes > max(1 << 20, self._limits.ratio * entry.packed_bytes):
            raise _refused(entry, f"expands more than {self._limits.ratio} times", "zip the folder again")

    def _packed(self, entry: ZipEntry) -> Iterator[bytes]:
        fits = entry.offset + 30 + entry.packed_bytes <= self._size_bytes
        header = b"".join(self._read_part(entry.offset, 30)) if fits else b""
        if len(header) < 30 or header[:4] != _LOCAL:
            raise _refused(entry, "has no header where the zip says", "zip the folder again")
        name_bytes, extra_bytes = struct.unpack_from("<HH", header, 26)
        yield from self._read_part(entry.offset + 30 + name_bytes + extra_bytes, entry.packed_bytes)

    def _list(self) -> None:
        offset, directory_bytes, count, shift = self._find_directory()
        if count > self._limits.entries or directory_bytes > self._limits.directory_bytes:
            raise LiveSetArchiveTooLarge(
                f"the zip lists {count:,} entries; send at most {self._limits.entries:,}, the Live Sets alone"
            )
        directory = b"".join(self._read_part(offset, directory_bytes))
        if len(directory) != directory_bytes:
            raise _invalid("its list of entries is cut off")
        place = 0
        for _ in range(count):
            if directory[place : place + 4] != _ENTRY or place + 46 > directory_bytes:
                raise _invalid("its list of entries is damaged")
            place += self._take(directory, place, shift)
        self.files.sort(key=lambda entry: (entry.path, entry.offset))
        self._check_whole()

    def _take(self, directory: bytes, place: int, shift: int) -> int:
        """Keep the entry at the place if it is a Live Set; gives the length of its record."""
        flags, method = struct.unpack_from("<HH", directory, place + 8)
        crc, packed, size, name_bytes, extra_bytes, comment_bytes = struct.unpack_from("<IIIHHH", directory, place + 16)
        (offset,) = struct.unpack_from("<I", directory, place + 42)
        name = directory[place + 46 : place + 46 + name_bytes]
        path = _text(name, is_utf8=bool(flags & _IS_UTF8))
        if _is_live_set(path):
            extra = directory[place + 46 + name_bytes : place + 46 + name_bytes + extra_bytes]
            size, packed, offset = _wide(extra, size, packed, offset)
            is_encrypted = bool(flags & _IS_ENCRYPTED)
            self.files.append(ZipEntry(path, offset + shift, packed, size, crc, method, is_encrypted))
        elif not path.endswith("/"):
            self.ignored_count += 1
        return 46 + int(name_bytes) + int(extra_bytes) + int(comment_bytes)

    def _check_whole(self) -> None:
        if len(self.files) > self._limits.live_sets:
            raise LiveSetArchiveTooLarge(
                f"the zip holds {len(self.files):,} Live Sets; send at most {self._limits.live_sets} at once"
            )
        # Entries that share their bytes unpack to any size: in an honest zip each has its own.
        if sum(entry.packed_bytes for entry in self.files) > self._size_bytes:
            raise _invalid("its entries overlap")
        if sum(min(entry.size_bytes, self._limits.file_bytes) for entry in self.files) > self._limits.unpacked_bytes:
            raise self._too_much()

    def _too_much(self) -> LiveSetArchiveTooLarge:
        most = self._limits.unpacked_bytes >> 20
        return LiveSetArchiveTooLarge(f"the Live Sets of the zip unpack to more than {most:,} MiB; send fewer at once")

    def _find_directory(self) -> tuple[int, int, int, int]:
        """Where the list of entries begins, its length, how many there are, and by how much all offsets are off."""
        tail_bytes = min(self._size_bytes, _LONGEST_COMMENT + 22)
        start = self._size_bytes - tail_bytes
        tail = b"".join(self._read_part(start, tail_bytes))
        at = tail.rfind(_END)
        if at < 0 or len(tail) - at < 22:
            raise _invalid("it has no end record; it is no zip, or was cut off")
        disk, first_disk, _here, count, length, offset = struct.unpack_from("<HHHHII", tail, at + 4)
        end = start + at
        if count == 0xFFFF or 0xFFFFFFFF in {length, offset}:
            end, count, length, offset = self._find_directory64(end)
        elif disk or first_disk:
            raise _invalid("it is one part of several; send them as one zip")
        shift = end - length - offset  # bytes before the zip, as a self-extracting one has
        if shift < 0:
            raise _invalid("its list of entries does not fit into it")
        return offset + shift, length, count, shift

    def _find_directory64(self, end: int) -> tuple[int, int, int, int]:
        locator = b"".join(self._read_part(end - 20, 20)) if end >= 20 else b""
        if locator[:4] != _LOCATOR64:
            raise _invalid("its 64-bit end record is missing")
        (at,) = struct.unpack_from("<Q", locator, 8)
        record = b"".join(self._read_part(at, 56)) if at + 56 <= end else b""
        if len(record) != 56 or record[:4] != _END64:
            raise _invalid("its 64-bit end record is damaged")
        count, length, offset = struct.unpack_from("<QQQ", record, 32)
        return at, count, length, offset


def _wide(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """The values with those that did not fit into 32 bits taken from the zip64 field."""
    values = [size, packed, offset]
    place = 0
    while place + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, place)
        if kind == 1:
            field = extra[place + 4 : place + 4 + length]
            wanted = [number for number, value in enumerate(values) if value == 0xFFFFFFFF]
            for number, start in zip(wanted, range(0, len(field) - 7, 8), strict=False):
                (values[number],) = struct.unpack_from("<Q", field, start)
            break
        place += 4 + length
    return values[0], values[1], values[2]


def _text(name: bytes, *, is_utf8: bool) -> str:
    """The path with slashes; without the flag most programs of today write UTF-8 all the same."""
    try:
        text = name.decode("utf-8")
    except UnicodeDecodeError:
        text = name.decode("utf-8" if is_utf8 else "cp437", "replace")
    return text.replace("\\", "/").removeprefix("./")


def _is_live_set(path: str) -> bool:
    """Whether it is a Live Set of the producer: no backup of Live, no note of the Mac about one."""
    *folders, name = path.split("/")
    return (
        name.lower().endswith(".als")
        and not name.startswith("._")
        and not any(folder.lower() == "backup" or folder == "__MACOSX" for folder in folders)
    )


def _inflated(packed: Iterator[bytes], path: str) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(wbits=-15)
    for piece in packed:
        while piece and not unpacker.eof:
            try:
                text = unpacker.decompress(piece, _PIECE)
            except zlib.error as error:
                raise LiveSetEntryRefused(f"{path[:200]!r} is damaged inside the zip; zip the folder again") from error
            piece = unpacker.unconsumed_tail
            if text:
                yield text
    if not unpacker.eof:
        raise LiveSetEntryRefused(f"{path[:200]!r} ends in the middle; zip the folder again")


def _refused(entry: ZipEntry, fault: str, advice: str) -> LiveSetEntryRefused:
    return LiveSetEntryRefused(f"{entry.path[:200]!r} {fault}; {advice}")


def _invalid(fault: str) -> LiveSetArchiveInvalid:
    return LiveSetArchiveInvalid(f"the file is no zip that can be read: {fault}; zip the project folder and send that")
