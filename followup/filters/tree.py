"""Reads a filter from JSON and writes it: ``{"and": [...]}``, ``{"or": [...]}``, ``{"not": ...}``, ``{"field", "op", "value"}``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from followup.filters.discovery import known
from followup.filters.records import OPERATORS, And, Condition, Field, FilterError, Kind, Not, Or, Tree, Value

#: Levels, conditions, words of a condition, and characters of a word at most.
DEEPEST, MOST, WORDS, LONGEST = 8, 60, 40, 64


def parse(given: Any) -> Tree:
    """The tree of a JSON value; {} is every object.

    Raises
    ------
    FilterError
        It is no filter: the message begins with the place, such as ``and[1].value: a number is needed``.
    """
    if given == {}:
        return And()
    tree = _tree(given, "", 1)
    if (n := _size(tree)) > MOST:
        raise FilterError(f"filter: {n} conditions, of {MOST} at most")
    return tree


def body(tree: Tree) -> dict[str, Any]:
    """The JSON value of a tree, which `parse` reads."""
    if isinstance(tree, Condition):
        value = list(tree.value) if isinstance(tree.value, tuple) else tree.value
        return {"field": tree.name, **dict(tree.arguments), "op": tree.operator} | ({} if value is None else {"value": value})
    if isinstance(tree, Not):
        return {"not": body(tree.item)}
    return {"and" if isinstance(tree, And) else "or": [body(item) for item in tree.items]}


def _size(tree: Tree) -> int:
    if isinstance(tree, Condition):
        return 1
    return _size(tree.item) if isinstance(tree, Not) else sum(map(_size, tree.items))


def _tree(given: Any, path: str, level: int) -> Tree:
    if not isinstance(given, Mapping):
        raise FilterError(f"{path or 'filter'}: an object is needed, with one of the keys and, or, not, field")
    if level > DEEPEST:
        raise FilterError(f"{path}: more than {DEEPEST} levels")
    if "field" in given:
        return _condition(given, path)
    if len(given) != 1 or (key := next(iter(given))) not in ("and", "or", "not"):
        raise FilterError(f"{path or 'filter'}: one of the keys and, or, not, field is needed, and nothing beside and, or, not")
    place = f"{path}.{key}" if path else key
    if key == "not":
        return Not(_tree(given[key], place, level + 1))
    if not isinstance(given[key], list) or len(given[key]) > MOST:
        raise FilterError(f"{place}: a list is needed, of {MOST} at most")
    items = tuple(_tree(one, f"{place}[{i}]", level + 1) for i, one in enumerate(given[key]))
    return And(items) if key == "and" else Or(items)


def _condition(given: Mapping[str, Any], path: str) -> Condition:
    place = f"{path}." if path else ""
    name = given["field"]
    if not isinstance(name, str) or name not in known():
        raise FilterError(f"{place}field: there is no field {str(name)[:40]!r}; there are {', '.join(known())}")
    one = known()[name]
    if unknown := sorted(set(map(str, given)) - {"field", "op", "value", *one.arguments}):
        raise FilterError(f"{place}{unknown[0][:40]}: {name} has no such key")
    arguments = tuple((key, _argument(one, key, given, place)) for key in one.arguments)
    operator = given.get("op")
    if operator not in OPERATORS[one.kind]:
        raise FilterError(f"{place}op: {name} has {', '.join(OPERATORS[one.kind])}")
    return Condition(name, operator, _value(one, operator, given, f"{place}value"), arguments)


def _argument(one: Field, key: str, given: Mapping[str, Any], place: str) -> str:
    about = one.arguments[key]
    value = given.get(key, about.default)
    if not isinstance(value, str) or not (_is_word(value) if about.open else value in about.choices):
        wanted = f"a text of {LONGEST} characters at most" if about.open else f"one of {', '.join(about.choices)}"
        raise FilterError(f"{place}{key}: {wanted} is needed")
    return value


def _is_word(text: str) -> bool:
    """Whether a text can be a key of JSON in every database, and stand between commas."""
    return 0 < len(text) <= LONGEST and text.isprintable() and not text.isdecimal() and text.isascii() and not set(text) & set(",'\"\\%")


def _value(one: Field, operator: str, given: Mapping[str, Any], place: str) -> Value:
    if operator in ("missing", "known"):
        if given.get("value") is not None:
            raise FilterError(f"{place}: {operator} compares with nothing")
        return None
    value = given.get("value")
    if one.kind is Kind.WORDS:
        return _words(one, value, place)
    if one.kind is Kind.PLACE:
        return _cone(value, place)
    if operator == "between":
        if not isinstance(value, list) or len(value) != 2:
            raise FilterError(f"{place}: two numbers are needed")
        return tuple(sorted(_number(one, each, f"{place}[{i}]") for i, each in enumerate(value)))
    return _number(one, value, place)


def _number(one: Field, value: Any, place: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(_float(value)):
        raise FilterError(f"{place}: a number is needed")
    if not one.low <= value <= one.high:
        raise FilterError(f"{place}: a number from {one.low:g} to {one.high:g} is needed")
    return float(value)


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _words(one: Field, value: Any, place: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not 0 < len(value) <= WORDS:
        raise FilterError(f"{place}: a list of words is needed, of {WORDS} at most")
    for i, word in enumerate(value):
        if not isinstance(word, str) or (word not in one.choices if one.choices else not _is_word(word)):
            wanted = f"one of {', '.join(one.choices)}" if one.choices else "a word"
            raise FilterError(f"{place}[{i}]: {wanted} is needed")
    return tuple(sorted(set(value)))


def _cone(value: Any, place: str) -> tuple[float, float, float]:
    limits = (("a right ascension", 0.0, 360.0), ("a declination", -90.0, 90.0), ("a radius in degrees", 0.0, 180.0))
    if not isinstance(value, list) or len(value) != 3:
        raise FilterError(f"{place}: right ascension, declination and radius are needed, in degrees")
    numbers = []
    for i, (each, (what, low, high)) in enumerate(zip(value, limits, strict=True)):
        if isinstance(each, bool) or not isinstance(each, int | float) or not low <= each <= high:
            raise FilterError(f"{place}[{i}]: {what} from {low:g} to {high:g} is needed")
        numbers.append(float(each))
    return numbers[0], numbers[1], numbers[2]
