"""Passing over a value ends where reading it ends, for any schema; what is cut short or damaged is refused."""

import json
from io import BytesIO

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker_adapters import avro
from broker_adapters.avro_skip import program
from broker_adapters.errors import PacketError
from tests.broker_adapters.test_avro import HOSTILE

LEAVES = {
    "null": st.none(),
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "float": st.floats(width=32, allow_nan=False),
    "double": st.floats(allow_nan=False),
    "bytes": st.binary(max_size=200),
    "string": st.text(max_size=70),
}


@st.composite
def schemas(draw, depth=3, names=None):
    """A schema and a strategy for its values."""
    names = iter(range(1000)) if names is None else names
    kind = draw(st.sampled_from(["leaf", "record", "array", "map", "optional", "fixed", "enum"] if depth else ["leaf"]))
    if kind == "leaf":
        name = draw(st.sampled_from(sorted(LEAVES)))
        return name, LEAVES[name]
    if kind == "fixed":
        size = draw(st.integers(1, 9))
        return {"type": "fixed", "name": f"f{next(names)}", "size": size}, st.binary(min_size=size, max_size=size)
    if kind == "enum":
        return {"type": "enum", "name": f"e{next(names)}", "symbols": ["A", "B"]}, st.sampled_from(["A", "B"])
    if kind == "record":
        parts = [draw(schemas(depth - 1, names)) for _ in range(draw(st.integers(0, 3)))]
        columns = [{"name": f"c{i}", "type": schema} for i, (schema, _) in enumerate(parts)]
        values = st.fixed_dictionaries({f"c{i}": value for i, (_, value) in enumerate(parts)})
        return {"type": "record", "name": f"r{next(names)}", "fields": columns}, values
    schema, values = draw(schemas(depth - 1, names))
    if kind == "optional":
        if schema == "null" or isinstance(schema, list):
            return schema, values
        return ["null", schema], st.none() | values
    if kind == "array":
        return {"type": "array", "items": schema}, st.lists(values, max_size=4)
    return {"type": "map", "values": schema}, st.dictionaries(st.text(max_size=5), values, max_size=3)


def encoded(schema, value):
    stream = BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(json.loads(json.dumps(schema))), value)
    return stream.getvalue()


@given(st.data())
def test_the_end_is_where_reading_ends(data):
    schema, values = data.draw(schemas())
    packed = encoded(schema, data.draw(values))
    ours = program(schema, {})
    assert ours.end(packed + b"rest", 0) == len(packed)
    assert ours.end(b"head" + packed, 4) == len(packed) + 4
    if packed:
        with pytest.raises(EOFError):
            ours.end(packed[: data.draw(st.integers(0, len(packed) - 1))], 0)


def test_a_type_is_known_by_its_name():
    inner = {"type": "record", "name": "n", "fields": [{"name": "a", "type": "string"}]}
    schema = {"type": "record", "name": "r", "fields": [{"name": "x", "type": inner}, {"name": "y", "type": ["null", "n"]}]}
    packed = encoded(schema, {"x": {"a": "one"}, "y": {"a": "two"}})
    assert program(schema, {}).end(packed, 0) == len(packed)
    assert program(schema["fields"][1]["type"], {"n": inner}).end(packed, 4) == len(packed)


def test_blocks_with_their_size_in_bytes():
    # two items in a block that says its size, then one in a block that does not, then the end
    packed = bytes([3, 4, 2, 4, 2, 6, 0])
    assert program({"type": "array", "items": "int"}, {}).end(packed, 0) == len(packed)


@pytest.mark.parametrize(
    ("schema", "packed"),
    [
        ("long", b"\xff" * 11),
        (["null", "int"], b"\x04"),
        (["null", "int"], b"\x01"),
        ("bytes", b"\x01"),
        ({"type": "array", "items": "int"}, b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00"),
    ],
)
def test_damage_is_refused(schema, packed):
    with pytest.raises(EOFError):
        program(schema, {}).end(packed, 0)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_values_are_not_passed_over(name):
    with pytest.raises(PacketError):
        avro.read(HOSTILE[name], frozenset({"x", "x0"}))
