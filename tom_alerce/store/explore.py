"""Searches all stored objects by a filter, in any order, a page at a time: a page costs the same however deep it is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import F, Q, QuerySet
from django.db.models.expressions import OrderBy

from followup import filters
from followup.filters import Kind, Tree
from tom_alerce.models import SkyObject, Traits
from tom_alerce.store.filters import where
from tom_alerce.store.sql import chunks

#: Order when none is asked for: what was seen last.
DEFAULT = "last_seen"
#: Objects that an export reads at a time.
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Search:
    """Objects that pass a filter at a moment (MJD, UTC), among ``within`` if it is given."""

    tree: Tree
    at: float
    within: QuerySet[SkyObject] | None = None

    @property
    def rows(self) -> QuerySet[Traits]:
        """Their traits, in no order."""
        found = Traits.objects.filter(where(self.tree, self.at))
        return found if self.within is None else found.filter(pk__in=self.within.values("pk"))

    def count(self) -> int:
        """How many there are."""
        return self.rows.count()

    def page(self, order: str, after: str, size: int) -> tuple[list[Traits], str]:
        """Traits of the ``size`` objects after a mark, '' for the first ones, and the mark of the last; '' where nothing follows."""
        column = column_of(order)
        rows = self.rows.filter(_after(order, after)).order_by(*ordering(order))
        keys = list(rows.values_list("pk", flat=True)[: size + 1])
        found = Traits.objects.in_bulk(keys[:size])
        traits = [found[key] for key in keys[:size] if key in found]
        return traits, mark(getattr(traits[-1], column), traits[-1].pk) if len(keys) > size and traits else ""

    def every(self, order: str, most: int) -> Iterator[list[Traits]]:
        """Traits of all, of ``most`` at most, in parts."""
        keys = list(self.rows.order_by(*ordering(order)).values_list("pk", flat=True)[:most])
        for part in chunks(keys, _AT_ONCE):
            found = Traits.objects.in_bulk(part)
            yield [found[key] for key in part if key in found]


def orders() -> Mapping[str, str]:
    """Names of the orders, and words for them: those of fields with one number; '-' before a name turns it round."""
    return {name: one.title for name, one in filters.known().items() if one.key is None and one.kind not in (Kind.WORDS, Kind.PLACE)}


def known_order(text: str) -> str:
    """An order as it is asked for, `DEFAULT` where there is no such one."""
    return text if text.removeprefix("-") in orders() else DEFAULT


def column_of(order: str) -> str:
    """The column that an order sorts by."""
    return filters.known()[order.removeprefix("-")].column


def ordering(order: str) -> tuple[OrderBy, OrderBy]:
    """For ``order_by``: what is not known comes last in both directions."""
    descends = _descends(order)
    by = F(column_of(order))
    return (by.desc(nulls_last=True) if descends else by.asc(nulls_last=True)), F("pk").desc()


def mark(value: float | None, key: int) -> str:
    """The place of an object in an order, as text for an address."""
    return f"{'' if value is None else repr(value)}~{key}"


def _descends(order: str) -> bool:
    """Whether the column falls: a large age is an early moment."""
    since = filters.known()[order.removeprefix("-")].kind is Kind.SINCE
    return order.startswith("-") != since


def _after(order: str, text: str) -> Q:
    """Condition on rows that come after a mark; none for a text that is no mark."""
    value, tilde, key = text.partition("~")
    if not (tilde and key.isascii() and key.isdecimal() and len(key) <= 18):
        return Q()
    column, below = column_of(order), Q(pk__lt=int(key))
    if not value:
        return Q(**{f"{column}__isnull": True}) & below
    try:
        number = float(value)
    except ValueError:
        return Q()
    if not math.isfinite(number):
        return Q()
    beyond = Q(**{f"{column}__{'lt' if _descends(order) else 'gt'}": number})
    return beyond | (Q(**{column: number}) & below) | Q(**{f"{column}__isnull": True})


def named(traits: Sequence[Traits]) -> dict[int, SkyObject]:
    """Sky objects of traits by key, with their members."""
    skies = SkyObject.objects.filter(pk__in=[one.pk for one in traits]).prefetch_related("survey_objects")
    return {sky.pk: sky for sky in skies}
