"""Check and parse the schemas that come with Avro packets; each is parsed once and kept.

A hostile schema could name types that take no bytes (an array of 2**60 nulls), that contain themselves (a stack without end) or each
other (ten of ten of ten...). What values of a schema can cost is therefore computed before anything is decoded with it.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby
from math import inf
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import fastavro
from fastavro.schema import SchemaParseException

from broker_adapters.errors import PacketError

MAX_SCHEMA = 1 << 19
MAX_DEPTH = 16
#: Values in a record with empty histories (Rubin's has a thousand), and for each byte of an element of an array; a record counts as
#: `RECORD_VALUES` values in addition to its fields.
MAX_VALUES, VALUES_PER_BYTE, RECORD_VALUES = 20_000, 6, 8
#: The least bytes that a value of each type takes.
_LEAST = {"null": 0, "boolean": 1, "int": 1, "long": 1, "float": 4, "double": 8, "bytes": 1, "string": 1}

#: Exceptions of fastavro on bytes that do not fit their schema, and on invalid schemas.
DAMAGE = (
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

if TYPE_CHECKING:
    from broker_adapters.avro_skip import Program

_Part: TypeAlias = "tuple[dict[str, Any], None] | tuple[None, Program]"


@dataclass(frozen=True, slots=True, eq=False)
class Schema:
    """A writer's schema of a record that is safe to decode with.

    Attributes
    ----------
    writer : dict
        As fastavro parsed it.
    fields : mapping
        Names of the record's fields, each with the names of its own, where it is a record.
    """

    writer: dict[str, Any]
    fields: Mapping[str, frozenset[str]]
    _named: Mapping[str, Any] = field(repr=False)
    _parts: dict[frozenset[str], tuple[_Part, ...]] = field(default_factory=dict, repr=False)

    def parts(self, without: frozenset[str]) -> tuple[_Part, ...]:
        """The record as one or more that follow one another: the schema of each, or the program that passes over what is in ``without``."""
        if without not in self._parts:
            self._parts[without] = tuple(self._split(without)) if without else ((self.writer, None),)
        return self._parts[without]

    def program(self) -> Program:
        """The program that finds where a record ends."""
        from broker_adapters.avro_skip import program  # numba, which not every process needs

        return program(self.writer, {name: plain for name, (plain, _) in self._named.items()})

    def _split(self, without: frozenset[str]) -> Iterator[_Part]:
        for skipped, columns in groupby(self.writer["fields"], key=lambda f: f["name"] in without):
            part = {"type": "record", "name": "part", "fields": [{"name": c["name"], "type": c["type"]} for c in columns]}
            if skipped:
                from broker_adapters.avro_skip import program  # numba, which not every process needs

                yield None, program(part, {name: plain for name, (plain, _) in self._named.items()})
            else:
                yield fastavro.parse_schema(_inlined(part, self._named, set())), None


@lru_cache(maxsize=64)
def parsed(definition: bytes | str) -> Schema:
    """The schema in these JSON bytes.

    Raises
    ------
    PacketError
        It is not the schema of a record, or values of it could cost too much.
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
    except DAMAGE as error:
        raise PacketError(f"damaged Avro schema: {type(error).__name__} {error!s:.120}") from error
    names = {f["name"]: frozenset(_field_names(f["type"], named)) for f in plain["fields"]}
    return Schema(writer, MappingProxyType(names), named)


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


def _inlined(schema: Any, named: Mapping[str, Any], seen: set[str]) -> Any:
    """The schema with each named type in full where it comes first."""
    if isinstance(schema, str):
        return _inlined(named[schema][0], named, seen) if schema in named and schema not in seen else schema
    if isinstance(schema, list):
        return [_inlined(branch, named, seen) for branch in schema]
    seen.add(schema.get("name", ""))
    inner = {key: _inlined(schema[key], named, seen) for key in ("items", "values") if key in schema}
    if "fields" in schema:
        inner["fields"] = [{"name": f["name"], "type": _inlined(f["type"], named, seen)} for f in schema["fields"]]
    return {**{k: v for k, v in schema.items() if not k.startswith("__")}, **inner}
