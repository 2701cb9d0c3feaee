"""Decode Avro from untrusted bytes: one record of an object container, one datum whose schema is known, or the records of an archive.

fastavro decodes; the checks are ours. Lengths are bounded by the packet's own, and the schema, which comes with the packet, by
`broker_adapters.avro_schema`.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from io import BytesIO
from itertools import pairwise
from types import MappingProxyType
from typing import Any, BinaryIO

import cramjam
import fastavro

from broker_adapters.avro_schema import DAMAGE, MAX_SCHEMA, Schema, parsed
from broker_adapters.errors import PacketError

__all__ = ["MAGIC", "MARKER", "MAX_PACKET", "Schema", "datum", "fields", "parsed", "read", "records", "singles"]

MAGIC = b"Obj\x01"
MARKER = 16  #: bytes that end the header and each block
#: Packets are a tenth of a megabyte, a few with long histories more.
MAX_PACKET = 4 << 20
MAX_METADATA = 64  #: entries of a container's header
MAX_BLOCK = 64 << 20  #: bytes of one block of a container of many records, as it is and unpacked

_NOTHING: Mapping[str, frozenset[str]] = MappingProxyType({})


def fields(packet: bytes) -> Mapping[str, frozenset[str]]:
    """Field names of the record in an Avro container, each with the names of its own fields; empty for bytes that are none.

    Raises
    ------
    PacketError
        It is a container, but its header is damaged or hostile.
    """
    return _header(packet)[0].fields if packet[:4] == MAGIC else _NOTHING


def read(packet: bytes, without: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The record in an Avro container of one; the fields in ``without`` are skipped.

    Raises
    ------
    PacketError
    """
    schema, codec, position = _header(packet)
    marker = packet[position - MARKER : position]
    total, record = 0, b""
    while position < len(packet):  # some writers end with an empty block
        count, position = _long(packet, position)
        block, position = _bytes(packet, position)
        if packet[position : position + MARKER] != marker:
            raise PacketError("truncated or damaged: an Avro block does not end with its marker")
        position += MARKER
        total, record = total + count, record or block
    if total != 1:
        raise PacketError(f"{total} records in an Avro container, where an alert packet has one")
    return datum(_decompressed(record, codec), schema, without)


def records(packet: bytes) -> int:
    """Number of records that an Avro container announces until it ends or is damaged; 1 for bytes that are none, or announce none."""
    if packet[:4] != MAGIC:
        return 1
    total = 0
    try:
        _, _, position = _header(packet)
        marker = packet[position - MARKER : position]
        while position < len(packet):
            count, position = _long(packet, position)
            total += max(count, 0)
            _, position = _bytes(packet, position)
            if packet[position : position + MARKER] != marker:
                break
            position += MARKER
    except PacketError:
        pass
    return total or 1


def singles(stream: BinaryIO) -> Iterator[bytes]:
    """Each record of an Avro container as a container of its own, in turn; of the stream one block at a time is in memory.

    Raises
    ------
    PacketError
        The container is damaged or hostile, or a block of it is larger than is read (`MAX_BLOCK`); no record of that block is given.
    """
    blocks = _Blocks(stream)
    program = blocks.schema.program()
    for count, block in blocks:
        ends = [0]
        try:
            for _ in range(count):
                ends.append(program.end(block, ends[-1]))
        except EOFError as error:
            raise PacketError(f"damaged Avro record: {error}") from error
        if ends[-1] != len(block):
            raise PacketError(f"damaged Avro block: {len(block) - ends[-1]} bytes are left over")
        yield from (blocks.container(block[start:end]) for start, end in pairwise(ends))


class _Blocks:
    """The header of a container that is read from a stream, and its blocks, decompressed: pairs of number of records and bytes."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        start = stream.read(4)
        if start != MAGIC:
            raise PacketError("not an Avro container")
        metadata: dict[bytes, bytes] = {}
        while count := self._long():
            if count < 0:
                self._long()
            if len(metadata) + abs(count) > MAX_METADATA:
                raise PacketError(f"hostile: {abs(count)} entries in the header of an Avro container")
            for _ in range(abs(count)):
                key = self._bytes(MAX_SCHEMA)
                metadata[key] = self._bytes(MAX_SCHEMA)
        self._marker = self._exactly(MARKER)
        if b"avro.schema" not in metadata:
            raise PacketError("truncated: the header of the Avro container is incomplete")
        self.schema = parsed(metadata[b"avro.schema"])
        self._codec = metadata.get(b"avro.codec", b"null").decode("ascii", "replace")
        entries = {b"avro.schema": metadata[b"avro.schema"], b"avro.codec": b"null"}
        pairs = b"".join(_zigzag(len(text)) + text for pair in entries.items() for text in pair)
        self._head = MAGIC + _zigzag(len(entries)) + pairs + _zigzag(0) + self._marker

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        while (first := self._stream.read(1)) != b"":
            count = self._long(first)
            block = _decompressed(self._bytes(MAX_BLOCK), self._codec, MAX_BLOCK)
            if count < 0 or count > len(block):
                raise PacketError(f"damaged Avro block: {count} records in {len(block)} bytes")
            if self._exactly(MARKER) != self._marker:
                raise PacketError("truncated or damaged: an Avro block does not end with its marker")
            yield count, block

    def container(self, record: bytes) -> bytes:
        """A container of this record alone, not compressed."""
        return b"".join((self._head, _zigzag(1), _zigzag(len(record)), record, self._marker))

    def _exactly(self, size: int) -> bytes:
        data = self._stream.read(size)
        if len(data) != size:
            raise PacketError(f"truncated: {size} bytes announced, {len(data)} left")
        return data

    def _bytes(self, most: int) -> bytes:
        size = self._long()
        if not 0 <= size <= most:
            raise PacketError(f"a part of an Avro container of {size} bytes; at most {most} are read")
        return self._exactly(size)

    def _long(self, start: bytes = b"") -> int:
        data = start or self._exactly(1)
        while data[-1] >= 0x80 and len(data) < 10:
            data += self._exactly(1)
        return _long(data, 0)[0]


def _zigzag(number: int) -> bytes:
    """A number that is not negative as Avro writes it."""
    number, data = number << 1, bytearray()
    while number >= 0x80:
        data.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(data) + bytes([number])


def datum(data: bytes, schema: Schema, without: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The record that these bytes are in this schema; the fields in ``without`` are skipped.

    Raises
    ------
    PacketError
    """
    stream = BytesIO(data)
    record: dict[str, Any] = {}
    try:
        for writer, program in schema.parts(without):
            if program is not None:
                stream.seek(program.end(data, stream.tell()))
            else:
                record.update(fastavro.schemaless_reader(stream, writer, None))
    except DAMAGE as error:
        raise PacketError(f"damaged Avro record: {type(error).__name__} {error!s:.120}") from error
    if stream.tell() != len(data):
        raise PacketError(f"damaged Avro record: {len(data) - stream.tell()} bytes are left over")
    return record


@lru_cache(maxsize=1)  # each survey's `recognises` needs it, and then `read`
def _header(packet: bytes) -> tuple[Schema, str, int]:
    """Schema and codec of a container, and where its first block starts."""
    if packet[:4] != MAGIC:
        raise PacketError("not an Avro container")
    if len(packet) > MAX_PACKET:
        raise PacketError(f"packet of {len(packet)} bytes; at most {MAX_PACKET} are read")
    metadata: dict[bytes, bytes] = {}
    position = len(MAGIC)
    count, position = _long(packet, position)
    entries = 0
    while count:
        if count < 0:
            _, position = _long(packet, position)
        entries += abs(count)
        if entries > MAX_METADATA:
            raise PacketError(f"hostile: {entries} entries in the header of an Avro container")
        for _ in range(abs(count)):
            key, position = _bytes(packet, position)
            metadata[key], position = _bytes(packet, position)
        count, position = _long(packet, position)
    position += MARKER
    if position > len(packet) or b"avro.schema" not in metadata:
        raise PacketError("truncated: the header of the Avro container is incomplete")
    return parsed(metadata[b"avro.schema"]), metadata.get(b"avro.codec", b"null").decode("ascii", "replace"), position


def _long(packet: bytes, position: int) -> tuple[int, int]:
    """A zigzag number of at most ten bytes, and the position after it."""
    value = 0
    for i, byte in enumerate(packet[position : position + 10]):
        value |= (byte & 0x7F) << (7 * i)
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), position + i + 1
    raise PacketError("truncated: a number in the Avro container does not end")


def _bytes(packet: bytes, position: int) -> tuple[bytes, int]:
    size, position = _long(packet, position)
    if not 0 <= size <= len(packet) - position:
        raise PacketError(f"truncated: {size} bytes announced, {len(packet) - position} left")
    return packet[position : position + size], position + size


def _decompressed(block: bytes, codec: str, most: int = MAX_PACKET) -> bytes:
    try:
        if codec == "null":
            return block
        if codec == "deflate":
            inflate = zlib.decompressobj(-15)
            data = inflate.decompress(block, most)
            if inflate.eof:
                return data
            raise PacketError(f"truncated, or unpacks to more than {most} bytes")
        if codec == "snappy":
            if cramjam.snappy.decompress_raw_len(block[:-4]) > most:
                raise PacketError(f"unpacks to more than {most} bytes")
            return bytes(cramjam.snappy.decompress_raw(block[:-4]))
    except (zlib.error, cramjam.DecompressionError) as error:
        raise PacketError(f"damaged {codec} block: {error!s:.120}") from error
    raise PacketError(f"unknown Avro codec {codec!r:.40}")
