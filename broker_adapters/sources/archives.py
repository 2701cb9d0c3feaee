"""Unpack archives: the messages in a stream of bytes, whatever they are wrapped in.

What a file is, its first bytes say, and not its name: tar and zip archives, gzip, bzip2 and xz, Avro containers of one record or of many,
or a message. Layers may lie in one another, and of each only a part is in memory, however large they claim to be.
"""

from __future__ import annotations

import bz2
import gzip
import logging
import lzma
import os
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from io import BufferedReader, BytesIO, RawIOBase
from typing import IO, Any, BinaryIO, NamedTuple, cast

from broker_adapters import avro
from broker_adapters.errors import PacketError, SourceError

logger = logging.getLogger(__name__)

#: Archives and compressed files in one another beyond which nothing is unpacked.
_DEEPEST = 4
#: Bytes of an extended header of a tar archive (a long name), and of the list of contents of a zip archive; larger ones are refused.
MAX_HEADER, MAX_DIRECTORY = 1 << 20, 64 << 20
#: Bytes of a zip archive inside another archive, which is read as a whole, and of memory that xz may ask for.
_MAX_INNER, _MAX_XZ = 64 << 20, 128 << 20
_TAR_NAMES = (".tar", ".tgz", ".tbz", ".tbz2", ".txz")
#: What Python's readers raise about damaged archives; zipfile raises NotImplementedError about a compression that it does not know, and
#: RuntimeError about encryption.
_DAMAGE = (
    OSError,
    EOFError,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)


class Packet(NamedTuple):
    """One message: its source (absolute path, topic), its position in the source ('' for the whole of it), and its bytes."""

    source: str
    position: str
    data: bytes


class Unreadable(Packet):
    """A place in an archive of which nothing more can be read, and why."""

    reason = ""

    @classmethod
    def because(cls, place: Packet, error: Exception) -> Unreadable:
        """What stands for the rest of this place."""
        rest = cls(place.source, place.position, b"")
        rest.reason = str(error)
        return rest


def records(packet: Packet) -> Iterator[Packet]:
    """A packet for each record of a message that is an Avro container of many, numbered from 0 in the position; else the message itself."""
    if avro.records(packet.data) < 2:
        yield packet
        return
    try:
        yield from _numbered(BytesIO(packet.data), packet)
    except SourceError as error:
        yield Unreadable.because(packet, error)


def unpacked(stream: IO[bytes], place: Packet, name: str, depth: int = 0) -> Iterator[Packet]:
    """The messages in a stream of bytes, at this place; ``name`` is that of the file, for archives that do not say what they are.

    Raises
    ------
    SourceError
        The stream cannot be read, or an archive is damaged or hostile; what came before has been yielded.
    """
    buffered = stream if isinstance(stream, BufferedReader) else BufferedReader(cast(RawIOBase, stream), 1 << 16)
    where = f"{place.source} {place.position}".strip()
    try:
        start = buffered.peek(512)[:512]
        unpack = _layer(start, name)
        if unpack is None:
            yield from _messages(buffered, place)
        elif depth >= _DEEPEST:
            raise SourceError(f"archives in archives, deeper than {_DEEPEST}: {where}")
        else:
            yield from unpack(buffered, place, name, depth + 1)
    except _DAMAGE as error:
        if depth == 0 and isinstance(error, OSError) and error.errno is not None:
            raise SourceError(f"cannot read {where}: {error.strerror}") from error
        raise SourceError(f"damaged archive {where}: {error!s:.200}") from error


_Unpack = Callable[[BufferedReader, Packet, str, int], Iterator[Packet]]


def _layer(start: bytes, name: str) -> _Unpack | None:
    """What unpacks a file that starts so; None for a message or an Avro container."""
    low = name.lower()
    if start.startswith(b"\x1f\x8b") or low.endswith((".tar.gz", ".tgz")):
        return _gzip
    if start.startswith(b"BZh"):
        return _bzip2
    if start.startswith(b"\xfd7zXZ\0"):
        return _xz
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip
    if start[257:262] == b"ustar" or (low.endswith(_TAR_NAMES) and not start.startswith(avro.MAGIC)):
        return _tar
    return None


def _inside(name: str) -> str:
    """The name of what is in a compressed file."""
    low = name.lower()
    return f"{name[:-4]}.tar" if low.endswith((".tgz", ".tbz", ".txz")) else name[: name.rfind(".")] if "." in name else name


def _gzip(stream: BufferedReader, place: Packet, name: str, depth: int) -> Iterator[Packet]:
    yield from unpacked(cast(IO[bytes], gzip.GzipFile("", "rb", fileobj=stream)), place, _inside(name), depth)


def _bzip2(stream: BufferedReader, place: Packet, name: str, depth: int) -> Iterator[Packet]:
    yield from unpacked(cast(IO[bytes], _Plain(stream, bz2.BZ2Decompressor)), place, _inside(name), depth)


def _xz(stream: BufferedReader, place: Packet, name: str, depth: int) -> Iterator[Packet]:
    plain = _Plain(stream, lambda: lzma.LZMADecompressor(memlimit=_MAX_XZ))
    yield from unpacked(cast(IO[bytes], plain), place, _inside(name), depth)


class _Plain(RawIOBase):
    """The bytes in a compressed stream, which may consist of several in a row."""

    def __init__(self, stream: BufferedReader, make: Callable[[], Any]) -> None:
        self._stream, self._make, self._unpack = stream, make, make()

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # as BufferedReader calls it
        """Fill the buffer, or a part of it."""
        while True:
            data = b""
            if self._unpack.eof:
                data = (self._unpack.unused_data or self._stream.read1(1 << 16)).lstrip(b"\0")
                if not data:
                    return 0
                self._unpack = self._make()
            elif self._unpack.needs_input and not (data := self._stream.read1(1 << 16)):
                raise EOFError("the compressed file is truncated")
            plain = self._unpack.decompress(data, len(buffer))
            if plain:
                buffer[: len(plain)] = plain
                return len(plain)


def _zip(stream: BufferedReader, place: Packet, name: str, depth: int) -> Iterator[Packet]:
    file: IO[bytes] = stream
    if depth > 1:  # it cannot be read backwards, and its list of contents is at the end
        data = stream.read(_MAX_INNER + 1)
        if len(data) > _MAX_INNER:
            raise SourceError(f"a zip archive of more than {_MAX_INNER} bytes inside another archive: {place.source} {place.position}")
        file = BytesIO(data)
    _check_directory(file, place)
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            if not member.is_dir():
                with archive.open(member) as inner:
                    yield from _member(inner, place, member.filename, depth)


def _check_directory(file: IO[bytes], place: Packet) -> None:
    """Refuse a zip archive whose list of contents would fill the memory."""
    file.seek(0, os.SEEK_END)
    size = file.tell()
    file.seek(-min(size, 1 << 16), os.SEEK_END)
    end = file.read()
    at = end.rfind(b"PK\x05\x06")
    directory = struct.unpack_from("<I", end, at + 12)[0] if 0 <= at <= len(end) - 22 else 0
    large = end.rfind(b"PK\x06\x06")
    if directory == 0xFFFFFFFF and 0 <= large <= len(end) - 56:
        directory = struct.unpack_from("<Q", end, large + 40)[0]
    if directory > MAX_DIRECTORY:
        raise SourceError(f"a zip archive whose list of contents has {directory} bytes; at most {MAX_DIRECTORY} are read: {place.source}")
    file.seek(0)


def _tar(stream: BufferedReader, place: Packet, name: str, depth: int) -> Iterator[Packet]:
    with tarfile.open(fileobj=stream, mode="r|", tarinfo=_TarInfo) as archive:
        while (member := archive.next()) is not None:
            archive.members.clear()  # type: ignore[attr-defined]  # of thousands none is asked for again
            inner = archive.extractfile(member) if member.isreg() else None
            if inner is not None:
                yield from _member(inner, place, member.name, depth)


class _TarInfo(tarfile.TarInfo):
    """A header of a tar archive, refused where it announces more than a long name."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _TarInfo:
        """The header in these bytes."""
        header = super().frombuf(buf, encoding, errors)
        extended = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)
        if header.type in extended and header.size > MAX_HEADER:
            raise tarfile.ReadError(f"an extended header of {header.size} bytes; at most {MAX_HEADER} are read")
        if header.type == tarfile.GNUTYPE_SPARSE:
            raise tarfile.ReadError("a sparse file, which no packet is")
        return header

    def _proc_gnusparse_10(self, *_: object) -> None:
        raise tarfile.ReadError("a sparse file, which no packet is")


def _member(stream: IO[bytes], place: Packet, name: str, depth: int) -> Iterator[Packet]:
    """The messages in a member of an archive; one that is itself a damaged archive is `Unreadable`, and the next is read."""
    inside = place._replace(position=f"{place.position}/{name}" if place.position else name)
    try:
        yield from unpacked(stream, inside, "" if name.lower().endswith(_TAR_NAMES) else name, depth)
    except SourceError as error:
        yield Unreadable.because(inside, error)


def _messages(stream: BufferedReader, place: Packet) -> Iterator[Packet]:
    """One message, or the records of an Avro container of many."""
    data = stream.read(avro.MAX_PACKET + 1)
    if len(data) > avro.MAX_PACKET and data[:4] == avro.MAGIC:
        yield from _numbered(cast(BinaryIO, BufferedReader(_Joined(data, stream), 1 << 16)), place)
    elif avro.records(data) > 1:
        yield from _numbered(BytesIO(data), place)
    else:
        yield place._replace(data=data)


def _numbered(stream: BinaryIO, place: Packet) -> Iterator[Packet]:
    """The records of a container, numbered from 0 in the position."""
    position, number = f"{place.position}:" if place.position else "", 0
    try:
        for number, data in enumerate(avro.singles(stream), 1):
            yield place._replace(position=f"{position}{number - 1}", data=data)
    except PacketError as error:
        where = f"{place.source} {place.position}".strip()
        raise SourceError(f"damaged Avro container {where}, after {number} records: {error}") from error


class _Joined(RawIOBase):
    """Bytes that were read, and the rest of their stream."""

    def __init__(self, start: bytes, rest: BufferedReader) -> None:
        self._start, self._rest = memoryview(start), rest

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # as BufferedReader calls it
        """Fill the buffer, from the start first."""
        if self._start:
            n = min(len(buffer), len(self._start))
            buffer[:n] = self._start[:n]
            self._start = self._start[n:]
            return n
        data = self._rest.read1(len(buffer))
        buffer[: len(data)] = data
        return len(data)
