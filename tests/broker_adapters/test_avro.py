"""Containers as they should be, and hostile ones: each is refused at once, in little memory."""

import json
import zlib
from io import BytesIO

import cramjam
import fastavro
import pytest

from broker_adapters import avro
from broker_adapters.errors import PacketError
from broker_adapters.packets import read as read_packet

MARKER = b"M" * avro.MARKER
CANDIDATE = {
    "type": "record",
    "name": "c",
    "fields": [{"name": n, "type": "double"} for n in ("jd", "fid", "magpsf", "sigmapsf", "isdiffpos", "ra", "dec")],
}


def number(value):
    stream = BytesIO()
    fastavro.schemaless_writer(stream, "long", value)
    return stream.getvalue()


def text(data):
    return number(len(data)) + data


def container(schema, payload, codec=b"null", count=1):
    definition = schema if isinstance(schema, bytes) else json.dumps(schema).encode()
    header = b"Obj\x01" + number(2) + text(b"avro.schema") + text(definition) + text(b"avro.codec") + text(codec) + number(0) + MARKER
    return header + number(count) + text(payload) + MARKER


def alert(*fields):
    """The schema of what looks like a ZTF alert, and more."""
    head = [{"name": "objectId", "type": "string"}, {"name": "candidate", "type": CANDIDATE}]
    return {"type": "record", "name": "a", "fields": [*head, *fields]}


HEAD = bytes(57)  #: an empty text and seven zeros


def array(items):
    return alert({"name": "x", "type": {"type": "array", "items": items}})


def record(name, *types):
    return {"type": "record", "name": name, "fields": [{"name": f"f{k}", "type": t} for k, t in enumerate(types)]}


def explosion():
    """Thirty records, each of ten of the one before: 10**30 nulls in no bytes."""
    parts = [record("r0", "null")] + [record(f"r{k}", *[f"r{k - 1}"] * 10) for k in range(1, 30)]
    return alert(*({"name": f"x{k}", "type": part} for k, part in enumerate(parts)))


NO_SCHEMAS = (
    *(b"5", b"null", b"[]", b"{}", b'"int"', b"\xff", b'{"type":"record"}', b'{"type":"array","items":"int"}'),
    b'{"type":"record","name":5,"fields":[]}',
    b'{"type":"record","name":"a","fields":NaN}',
    b'{"type":"record","name":"a","fields":[{"name":["b"],"type":"int"}]}',
    b'{"type":"record","name":"a","fields":[{"name":"b","type":[]}]}',
)

HOSTILE = {
    "array of nulls": container(array("null"), HEAD + number(2**60)),
    "array of empty records": container(array(record("e")), HEAD + number(2**60)),
    "array of tiny records": container(array(record("e", "boolean")), HEAD + number(10**6) + bytes(10**6)),
    "array of nothing fixed": container(array({"type": "fixed", "name": "e", "size": 0}), HEAD + number(2**60)),
    "array of less than nothing": container(array({"type": "fixed", "name": "e", "size": -1}), HEAD + number(2**60)),
    "few bytes, many values": container(array([record("e", *["null"] * 1000), "int"]), HEAD + number(10**6) + bytes(2 * 10**6)),
    "giant block": container(array("int"), HEAD + number(2**60) + b"\0"),
    "negative block": container(array("int"), HEAD + number(-(2**40)) + number(5) + bytes(9)),
    "map of nulls": container(alert({"name": "x", "type": {"type": "map", "values": "null"}}), HEAD + number(2**60)),
    "giant bytes": container(alert({"name": "x", "type": "bytes"}), HEAD + number(2**62)),
    "negative text": container(alert({"name": "x", "type": "string"}), HEAD + number(-(2**40))),
    "number without end": container(alert({"name": "x", "type": "long"}), HEAD + b"\xff" * 10**6),
    "contains itself": container(alert({"name": "x", "type": record("n", ["null", "n"])}), HEAD + b"\2" * 10**6),
    "contains itself in a map": container(alert({"name": "x", "type": record("n", {"type": "map", "values": "n"})}), HEAD + b"\2" * 10**6),
    "deep": container(array(json.loads('{"type":"array","items":' * 500 + '"int"' + "}" * 500)), HEAD),
    "deep JSON": container(b"[" * 10**5, b""),
    "explosion": container(explosion(), HEAD),
    "wide": container(alert(*({"name": f"f{k}", "type": "int"} for k in range(30000))), HEAD),
    "defined twice": container(alert({"name": "x", "type": CANDIDATE}), HEAD),
    "deflate bomb": container(alert(), zlib.compress(bytes(10**8), wbits=-15), b"deflate"),
    "damaged deflate": container(alert(), b"\xff" * 99, b"deflate"),
    "lying snappy": container(alert(), b"\xff\xff\xff\xff\x0f" + bytes(99), b"snappy"),
    "damaged snappy": container(alert(), b"", b"snappy"),
    "unknown codec": container(alert(), HEAD, b"lzma"),
    "two records": container(alert(), HEAD * 2, count=2),
    "no records": container(alert(), HEAD, count=0),
    "left over": container(alert(), HEAD + b"x"),
    "giant header": b"Obj\x01" + number(2**62) + bytes(99),
    "negative header": b"Obj\x01" + number(-(2**62)) + number(5) + bytes(99),
    "header without end": b"Obj\x01" + (number(1) + bytes(2)) * 10**5,
    "header of ones": b"Obj\x01" + b"\xff" * 99,
    "larger than any packet": container(alert(), HEAD + bytes(avro.MAX_PACKET)),
    **{f"schema {definition!r}": container(definition, HEAD) for definition in NO_SCHEMAS},
}


@pytest.mark.parametrize("packet", HOSTILE.values(), ids=HOSTILE)
def test_hostile(packet):
    with pytest.raises(PacketError):
        read_packet(packet)
    with pytest.raises(PacketError):
        avro.read(packet)


@pytest.mark.parametrize("codec", ["null", "deflate", "snappy"])
def test_a_container_as_fastavro_reads_it(codec):
    block = HEAD
    if codec == "deflate":
        block = zlib.compress(block, wbits=-15)
    if codec == "snappy":
        block = bytes(cramjam.snappy.compress_raw(block)) + zlib.crc32(block).to_bytes(4, "big")
    packet = container(alert(), block, codec.encode())
    assert avro.read(packet) == next(fastavro.reader(BytesIO(packet)))


def test_fields_and_skipping():
    schema = alert({"name": "x", "type": ["null", {"type": "array", "items": "int"}]}, {"name": "y", "type": "c"})
    packet = container(schema, HEAD + b"\2" + number(2) + b"\2\4\0" + bytes(56))
    assert set(avro.fields(packet)) == {"objectId", "candidate", "x", "y"}
    assert avro.fields(packet)["y"] == avro.fields(packet)["candidate"] == {f["name"] for f in CANDIDATE["fields"]}
    assert avro.read(packet)["x"] == [1, 2]
    assert avro.read(packet, frozenset({"x"})) == {k: v for k, v in avro.read(packet).items() if k != "x"}


def test_an_empty_block_at_the_end_is_no_record():
    assert avro.read(container(alert(), HEAD) + number(0) + number(0) + MARKER)["objectId"] == ""


def test_times_stay_numbers():
    schema = alert({"name": "x", "type": {"type": "long", "logicalType": "timestamp-micros"}})
    assert avro.read(container(schema, HEAD + number(2**62)))["x"] == 2**62  # no date has that many microseconds
