"""Avro from untrusted bytes: one record of an object container, or one datum whose schema is known.

fastavro decodes; what is ours is the distrust. The writer's schema comes with the packet, so a hostile one could name types that take
no bytes (an array of 2**60 nulls), that contain themselves (a stack without end) or that unpack to gigabytes. A schema is therefore
bounded, checked and parsed once, and kept for the packets that follow; lengths are bounded by the packet's own.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from functools import lru_cache
from io import BytesIO
from math import inf
from types import MappingProxyType
from typing import Any, NamedTuple

import cramjam
import fastavro
from fastavro.schema import SchemaParseException

from broker_adapters.errors import PacketError

MAGIC = b"Obj\x01"
MARKER = 16  #: bytes that end the header and each block
#: Packets are a tenth of a megabyte, a few with long histories more.
MAX_PACKET = 4 << 20
MAX_SCHEMA = 1 << 19
MAX_DEPTH = 16
MAX_METADATA = 64  #: entries of a container's header
#: Values in a record with empty histories (Rubin's has a thousand), and for each byte of an element of an array; a record counts as so
#: many values beside its fields.
MAX_VALUES, VALUES_PER_BYTE, RECORD_VALUES = 20_000, 2, 8
#: The least bytes that a value of each type takes.
_LEAST = {"null": 0, "boolean": 1, "int": 1, "long": 1, "float": 4, "double": 8, "bytes": 1, "string": 1}

#: What fastavro raises on bytes that are not what their schema says, and on schemas that are none.
_DAMAGE = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
    SchemaParseException,
)
_NOTHING: Mapping[str, frozenset[str]] = MappingProxyType({})


class Schema(NamedTuple):
    """A writer's schema that is safe to decode with."""

    writer: dict[str, Any]
    #: The same record without some of its fields, by the set of their names.
    readers: dict[frozenset[str], dict[str, Any]]
    #: Names of the record's fields, each with the names of its own, where it is a record.
    fields: Mapping[str, frozenset[str]]


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


def datum(data: bytes, schema: Schema, without: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The record that these bytes are in this schema; the fields in ``without`` are skipped.

    Raises
    ------
    PacketError
    """
    reader = None
    if without:
        if without not in schema.readers:
            schema.readers[without] = _without(schema.writer, without)
        reader = schema.readers[without]
    stream = BytesIO(data)
    try:
        record: dict[str, Any] = fastavro.schemaless_reader(stream, schema.writer, reader)
    except _DAMAGE as error:
        raise PacketError(f"damaged Avro record: {type(error).__name__} {error!s:.120}") from error
    if stream.tell() != len(data):
        raise PacketError(f"damaged Avro record: {len(data) - stream.tell()} bytes are left over")
    return record


@lru_cache(maxsize=64)
def parsed(definition: bytes | str) -> Schema:
    """The schema in these JSON bytes.

    Raises
    ------
    PacketError
        It is no schema of a record, or one that must not be decoded with.
    """
    if len(definition) > MAX_SCHEMA:
        raise PacketError(f"Avro schema of {len(definition)} bytes; at most {MAX_SCHEMA} are read")
    try:
        tree = json.loads(definition)
        named: dict[str, Any] = {}
        plain, _ = _plain(tree, "", named, 0)
        if not isinstance(plain, dict) or plain["type"] != "record":
            raise PacketError("the Avro schema is not that of a record")
        writer = fastavro.parse_schema(plain)
    except _DAMAGE as error:
        raise PacketError(f"damaged Avro schema: {type(error).__name__} {error!s:.120}") from error
    names = {f["name"]: frozenset(_field_names(f["type"], named)) for f in plain["fields"]}
    return Schema(writer, {}, MappingProxyType(names))


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


def _decompressed(block: bytes, codec: str) -> bytes:
    try:
        if codec == "null":
            return block
        if codec == "deflate":
            inflate = zlib.decompressobj(-15)
            data = inflate.decompress(block, MAX_PACKET)
            if inflate.eof:
                return data
            raise PacketError(f"truncated, or unpacks to more than {MAX_PACKET} bytes")
        if codec == "snappy":
            if cramjam.snappy.decompress_raw_len(block[:-4]) > MAX_PACKET:
                raise PacketError(f"unpacks to more than {MAX_PACKET} bytes")
            return bytes(cramjam.snappy.decompress_raw(block[:-4]))
    except (zlib.error, cramjam.DecompressionError) as error:
        raise PacketError(f"damaged {codec} block: {error!s:.120}") from error
    raise PacketError(f"unknown Avro codec {codec!r:.40}")


class _Cost(NamedTuple):
    """What a value of a type takes: bytes at least, values at most when its arrays are empty, and at most values for each byte."""

    least: int
    values: int
    density: float


def _plain(schema: Any, namespace: str, named: dict[str, Any], depth: int) -> tuple[Any, _Cost]:
    """The schema without documentation, defaults and logical types, and what a value of it takes."""
    if depth > MAX_DEPTH:
        raise PacketError(f"hostile Avro schema: nested deeper than {MAX_DEPTH}")
    if isinstance(schema, str):
        return _reference(schema, namespace, named)
    if isinstance(schema, list):
        branches = [_plain(s, namespace, named, depth + 1) for s in schema]
        least, values, density = zip(*((1 + c.least, c.values, c.values / (1 + c.least)) for _, c in branches), strict=True)
        return [branch for branch, _ in branches], _Cost(min(least), max(values), max(density))
    kind = schema["type"]
    if kind in ("record", "enum", "fixed"):
        return _named(schema, namespace, named, depth)
    if kind in ("array", "map"):
        inner = "items" if kind == "array" else "values"
        element, cost = _plain(schema[inner], namespace, named, depth + 1)
        if cost.density > VALUES_PER_BYTE:
            raise PacketError(f"hostile Avro schema: elements of an {kind} are larger than their bytes")
        return {"type": kind, inner: element}, _Cost(1, 1, 1.0)
    return _plain(kind, namespace, named, depth + 1)


def _reference(name: str, namespace: str, named: dict[str, Any]) -> tuple[Any, _Cost]:
    if name in _LEAST:
        return name, _Cost(_LEAST[name], 1, 1 / _LEAST[name] if _LEAST[name] else inf)
    full = name if "." in name or not namespace else f"{namespace}.{name}"
    if named.get(full) is None:
        raise PacketError(f"Avro type {name!r:.60} is unknown, or contains itself")
    return full, named[full][1]


def _named(schema: Mapping[str, Any], namespace: str, named: dict[str, Any], depth: int) -> tuple[Any, _Cost]:
    name = schema["name"]
    full = name if "." in name or not (namespace := schema.get("namespace") or namespace) else f"{namespace}.{name}"
    if full in named:
        raise PacketError(f"Avro type {full!r:.60} is defined twice")
    named[full] = None  # a reference to it from inside would be a type that contains itself
    plain: dict[str, Any] = {"type": schema["type"], "name": full}
    if schema["type"] == "record":
        columns = [(f["name"], *_plain(f["type"], full.rpartition(".")[0], named, depth + 1)) for f in schema["fields"]]
        if not all(isinstance(column[0], str) for column in columns):
            raise PacketError(f"the name of a field of {full!r:.60} is no text")
        plain["fields"] = [{"name": n, "type": t} for n, t, _ in columns]
        cost = _record_cost([c for *_, c in columns])
    elif schema["type"] == "enum":
        plain["symbols"], cost = schema["symbols"], _Cost(1, 1, 1.0)
    else:
        plain["size"] = int(schema["size"])
        cost = _Cost(plain["size"], 1, 1.0 if plain["size"] > 0 else inf)
    if cost.values > MAX_VALUES:
        raise PacketError(f"hostile Avro schema: a {full!r:.60} of {cost.values:.3g} values")
    named[full] = (plain, cost)
    return plain, cost


def _record_cost(columns: list[_Cost]) -> _Cost:
    """The cost of a record, which counts as a few values itself, so that an array of tiny ones is not let pass."""
    least = sum(c.least for c in columns)
    inherent = RECORD_VALUES / least if least > 0 else inf
    return _Cost(least, RECORD_VALUES + sum(c.values for c in columns), inherent + max((c.density for c in columns), default=0.0))


def _field_names(schema: Any, named: Mapping[str, Any]) -> list[str]:
    """Names of the fields of a record, or of the records in a union."""
    if isinstance(schema, list):
        return [name for branch in schema for name in _field_names(branch, named)]
    if isinstance(schema, str) and schema in named:
        schema = named[schema][0]
    return [f["name"] for f in schema.get("fields", ())] if isinstance(schema, dict) else []


def _without(writer: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    kept = [{"name": f["name"], "type": f["type"]} for f in writer["fields"] if f["name"] not in names]
    reader: dict[str, Any] = fastavro.parse_schema({"type": "record", "name": writer["name"], "fields": kept})
    return reader
