"""Evaluates a filter over columns: n objects at once, for streams and trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from broker_adapters.crossmatch import unit_vectors
from followup.filters.discovery import known
from followup.filters.records import And, Column, Columns, Condition, Field, Kind, Not, Tree

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]


def passing(tree: Tree, columns: Columns, at: float) -> Mask:
    """Which of n objects pass, shape (n,), at a moment (MJD, UTC)."""
    if isinstance(tree, Not):
        return ~passing(tree.item, columns, at)
    if isinstance(tree, Condition):
        return _holds(tree, columns, at)
    mask = np.full(len(next(iter(columns.values()))), isinstance(tree, And))
    for item in tree.items:
        held = passing(item, columns, at)
        mask = mask & held if isinstance(tree, And) else mask | held
    return mask


def chord(degrees: float) -> float:
    """Square of the chord of an angle on the unit sphere."""
    return float(4.0 * np.sin(np.radians(degrees) / 2.0) ** 2)


def bounds(one: Field, value: float, at: float) -> float:
    """The value of a condition as the column has it: moments for days."""
    if one.kind is Kind.SINCE:
        return at - value
    return at + value if one.kind is Kind.UNTIL else value


def compared(one: Field, operator: str) -> str:
    """The operator as the column is compared: an older moment is a larger age."""
    swapped = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
    return swapped.get(operator, operator) if one.kind is Kind.SINCE else operator


def _holds(condition: Condition, columns: Columns, at: float) -> Mask:
    one = known()[condition.name]
    if one.kind is Kind.WORDS:
        return _has(condition, cast(Sequence[str], columns[one.column]))
    if one.kind is Kind.PLACE:
        return _inside(condition, columns)
    values = _numbers(one, dict(condition.arguments), columns[one.column])
    if condition.operator in ("missing", "known"):
        return np.isnan(values) if condition.operator == "missing" else ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        if isinstance(condition.value, tuple):
            low, high = sorted(bounds(one, float(value), at) for value in condition.value)
            between: Mask = (values >= low) & (values <= high)
            return between
        limit = bounds(one, cast(float, condition.value), at)
        mask: Mask = _COMPARE[compared(one, condition.operator)](values, limit)
        return mask


_COMPARE = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}


def _numbers(one: Field, arguments: Mapping[str, str], column: Column) -> Floats:
    """Numbers of a column, shape (n,): of one with keys those of the arguments."""
    if one.key is None:
        return cast(Floats, column)
    key, base = one.key(arguments), one.base(arguments)
    found = cast(Sequence[Mapping[str, float]], column)
    return np.array([own.get(key, 0.0 if base is not None and base in own else np.nan) for own in found], float)


def _has(condition: Condition, column: Sequence[str]) -> Mask:
    wanted = [f",{word}," for word in cast(Sequence[str], condition.value)]
    has = np.array([any(word in own for word in wanted) for own in column], bool)
    return np.asarray(has == (condition.operator == "any of"))


def _inside(condition: Condition, columns: Columns) -> Mask:
    ra, dec, radius = cast(tuple[float, float, float], condition.value)
    centre = unit_vectors(ra, dec)[0].tolist()
    away = sum((cast(Floats, columns[axis]) - c) ** 2 for axis, c in zip("xyz", centre, strict=True))
    with np.errstate(invalid="ignore"):
        limit = chord(radius)
        return np.asarray(away <= limit if condition.operator == "within" else away > limit)
