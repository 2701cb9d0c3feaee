"""Filters as conditions of the database: what `followup.filters.passing` gives over columns, over the table of traits.

Of what is not known no comparison holds, in SQL as there; but SQL has no opinion of its negation, so a negation is carried down to the
conditions, each of which knows its own: a comparison that fails, or nothing to compare.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import and_, or_
from typing import Any, cast

from django.db.models import Exists, F, FloatField, OuterRef, Q, QuerySet, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, StrIndex
from django.db.models.lookups import GreaterThan, GreaterThanOrEqual, LessThan, LessThanOrEqual

from broker_adapters.crossmatch import unit_vectors
from broker_adapters.times import datetime_from_mjd
from followup import filters
from followup.filters import And, Condition, Field, FilterError, Kind, Not, Tree
from followup.filters.evaluate import bounds, chord, compared
from tom_alerce.clock import now
from tom_alerce.models import SkyObject, Traits
from tom_alerce.store import marks
from tom_alerce.store.errors import StoreError

_LOOKUPS: Mapping[str, Any] = {"<": LessThan, "<=": LessThanOrEqual, ">": GreaterThan, ">=": GreaterThanOrEqual}
_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_HOLDS = {"<": float.__lt__, "<=": float.__le__, ">": float.__gt__, ">=": float.__ge__}


def read(body: Any) -> Tree:
    """The tree of a JSON value; StoreError, with the place, where it is none."""
    try:
        return filters.parse(body)
    except FilterError as error:
        raise StoreError(str(error)) from error


def passing(body: Any, queryset: QuerySet[SkyObject], at: float | None = None) -> QuerySet[SkyObject]:
    """Those of some objects that pass a filter (JSON, or a tree) now, or at a moment (MJD, UTC), by what was known at the last look.

    Raises
    ------
    StoreError
        It is no filter.
    """
    tree = body if isinstance(body, And | filters.Or | Not | Condition) else read(body)
    return queryset.filter(pk__in=Traits.objects.filter(where(tree, now() if at is None else at)).values("pk"))


def where(tree: Tree, at: float, holds: bool = True) -> Q:
    """Condition on rows of `Traits`: that a tree holds at a moment (MJD, UTC), or that it does not."""
    if isinstance(tree, Not):
        return where(tree.item, at, not holds)
    if isinstance(tree, Condition):
        return _leaf(tree, at, holds)
    together, nothing = (and_, True) if isinstance(tree, And) == holds else (or_, False)
    parts = [where(item, at, holds) for item in tree.items]
    return reduce(together, parts) if parts else Q(pk__isnull=not nothing)


def value(name: str, arguments: Mapping[str, str]) -> Any:
    """Database expression: the number of a field in a row of `Traits`; null where it is not known, or, of a class, not given."""
    one = filters.known()[name]
    if one.key is None:
        return F(one.column)
    return Cast(KeyTextTransform(one.key(arguments), one.column), FloatField())


def _leaf(condition: Condition, at: float, holds: bool) -> Q:
    one = filters.known()[condition.name]
    if one.kind is Kind.WORDS:
        return _words(condition, one, at, holds)
    if one.kind is Kind.PLACE:
        return _place(condition, holds)
    arguments = dict(condition.arguments)
    missing = _missing(one, arguments)
    if condition.operator in ("missing", "known"):
        return missing if (condition.operator == "missing") == holds else _known(one, arguments)
    limits = _limits(condition, one, at)
    expression = value(condition.name, arguments)
    if holds:
        found = reduce(and_, (Q(_LOOKUPS[operator](expression, Value(limit))) for operator, limit in limits))
        return found | _zero(one, arguments) if all(_HOLDS[operator](0.0, limit) for operator, limit in limits) else found
    failed = reduce(or_, (Q(_LOOKUPS[_OPPOSITE[operator]](expression, Value(limit))) for operator, limit in limits))
    if not all(_HOLDS[operator](0.0, limit) for operator, limit in limits):
        failed |= _zero(one, arguments)
    return failed | missing


def _limits(condition: Condition, one: Field, at: float) -> list[tuple[str, float]]:
    """Comparisons, all of which must hold."""
    if isinstance(condition.value, tuple):
        low, high = sorted(bounds(one, cast(float, each), at) for each in condition.value)
        return [(">=", low), ("<=", high)]
    return [(compared(one, condition.operator), bounds(one, cast(float, condition.value), at))]


def _missing(one: Field, arguments: Mapping[str, str]) -> Q:
    if one.key is None:
        return Q(**{f"{one.column}__isnull": True})
    base = one.base(arguments)
    without = ~Q(**{f"{one.column}__has_key": one.key(arguments)})
    return without if base is None else without & ~Q(**{f"{one.column}__has_key": base})


def _known(one: Field, arguments: Mapping[str, str]) -> Q:
    if one.key is None:
        return Q(**{f"{one.column}__isnull": False})
    base = one.base(arguments)
    has = Q(**{f"{one.column}__has_key": one.key(arguments)})
    return has if base is None else has | Q(**{f"{one.column}__has_key": base})


def _zero(one: Field, arguments: Mapping[str, str]) -> Q:
    """That the number is 0 because a classifier that says something does not give the class."""
    base = None if one.key is None else one.base(arguments)
    if one.key is None or base is None:
        return Q(pk__isnull=True)
    return Q(**{f"{one.column}__has_key": base}) & ~Q(**{f"{one.column}__has_key": one.key(arguments)})


def _words(condition: Condition, one: Field, at: float, holds: bool) -> Q:
    words = cast(tuple[str, ...], condition.value)
    if one.column == "marks":
        has = Q(Exists(marks.active(datetime_from_mjd(at)).filter(sky_object=OuterRef("pk"), kind__in=words)))
    else:
        has = reduce(or_, (Q(GreaterThan(StrIndex(one.column, Value(f",{word},")), Value(0))) for word in words))
    return has if (condition.operator == "any of") == holds else ~has


def _place(condition: Condition, holds: bool) -> Q:
    ra, dec, radius = cast(tuple[float, float, float], condition.value)
    centre = unit_vectors(ra, dec)[0].tolist()
    away = reduce(
        lambda total, part: total + part, [(F(axis) - Value(c)) * (F(axis) - Value(c)) for axis, c in zip("xyz", centre, strict=True)]
    )
    inside = (
        LessThanOrEqual(away, Value(chord(radius)))
        if (condition.operator == "within") == holds
        else GreaterThan(away, Value(chord(radius)))
    )
    return Q(inside)
