"""Pages of a list by its keys: however deep a page is, it costs what the first one does, since nothing before it is read or counted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from django.core import signing
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Q, QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.response import Response

#: Rows of a page, if nobody says how many, and at most.
USUAL, MOST = 100, 1000
#: What a cursor is signed for: nobody makes one up.
_SALT = "tom_alerce.api.keyset"


class KeysetPages(BasePagination):
    """Pages that a cursor leads to; ``next`` in the answer, and the header ``Link``, have the address of the following one.

    The view says in ``orders`` which orders there are: name -> attributes of a row, those that come last (``-``) first, of which only the
    first may be empty. ``?order=-name`` turns an order around. Rows without a value come last, whichever way.
    """

    def paginate_queryset(self, queryset: Any, request: Any, view: Any = None) -> list[Any]:
        """One page of rows, and what leads to the next."""
        size, asked = _size(request.query_params.get("limit", "")), request.query_params.get("order", "")
        columns = order_of(asked or view.default_order, view.orders)
        where = [type(view).__name__, *columns]
        after = _after(request.query_params.get("cursor", ""), where)
        rows = list(islice(_rows(queryset, columns, after, size + 1), size + 1))
        self.address = ""
        if len(rows) > size:
            rows = rows[:size]
            values = [_plain(getattr(rows[-1], column.removeprefix("-"))) for column in columns]
            cursor = signing.dumps([where, values], salt=_SALT, compress=True)
            parameters = {**request.query_params.dict(), "cursor": cursor}
            self.address = f"{request.build_absolute_uri(request.path)}?{urlencode(parameters)}"
        return rows

    def get_paginated_response(self, data: Any) -> Response:
        """The answer: the rows, and the address of the next page, None after the last."""
        headers = {"Link": f'<{self.address}>; rel="next"'} if self.address else {}
        return Response({"next": self.address or None, "results": data}, headers=headers)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """What an answer is, for the schema of the API."""
        following = {"type": "string", "format": "uri", "nullable": True, "description": "address of the next page; null after the last"}
        return {
            "type": "object",
            "required": ["next", "results"],
            "properties": {"next": following, "results": schema},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """The parameters, for the schema of the API."""
        orders = [sign + name for name in view.orders for sign in ("", "-")]
        return [
            _parameter("limit", {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL}, "rows of a page"),
            _parameter("fields", {"type": "string"}, "names of the fields of a row that are wanted, with commas between; all without it"),
            _parameter("cursor", {"type": "string"}, "where the page begins: part of the address in `next`"),
            _parameter("order", {"type": "string", "enum": orders, "default": view.default_order}, "what the rows are ordered by"),
        ]


def _parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "required": False, "in": "query", "description": description, "schema": schema}


def _size(text: str) -> int:
    if not text:
        return USUAL
    if not (text.isascii() and text.isdecimal() and int(text[:20]) > 0):
        raise ValidationError({"limit": [f"a whole number from 1 to {MOST} is needed"]})
    return min(int(text[:20]), MOST)


def order_of(asked: str, orders: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Attributes of the order that is asked for, the key last, each with its direction."""
    name = asked.removeprefix("-")
    if name not in orders:
        raise ValidationError({"order": [f"there is no order {asked[:40]!r}: there are {', '.join(orders)}, each with - for descending"]})
    columns = orders[name] if asked == name else tuple(_turned(column) for column in orders[name])
    return columns if columns[-1].removeprefix("-") == "pk" else (*columns, "-pk" if columns[-1].startswith("-") else "pk")


def _turned(column: str) -> str:
    return column.removeprefix("-") if column.startswith("-") else f"-{column}"


def _after(cursor: str, where: Sequence[str]) -> list[Any] | None:
    """Values of the row after which the page begins; None for the first page."""
    if not cursor:
        return None
    try:
        made_for, values = signing.loads(cursor, salt=_SALT)
    except (signing.BadSignature, ValueError) as error:
        raise ValidationError({"cursor": ["this is no cursor of this TOM: take the address in 'next' as it is"]}) from error
    if made_for != list(where):
        raise ValidationError({"cursor": ["it belongs to another list or order: begin anew without it"]})
    return [datetime.fromisoformat(value[1:]) if isinstance(value, str) and value.startswith("@") else value for value in values]


def _plain(value: Any) -> Any:
    """A value of a row as JSON; a time is a text that begins with @."""
    return f"@{value.isoformat()}" if isinstance(value, datetime) else value


def _rows(queryset: QuerySet[Any], columns: Sequence[str], after: Sequence[Any] | None, most: int) -> Any:
    """Rows after a place, in order: those with a value in the first column, then those without, each by a query that an index serves."""
    first = columns[0].removeprefix("-")
    in_order = queryset.order_by(*columns)
    if not _may_be_empty(queryset, first):
        yield from in_order.filter(beyond(columns, after))[:most]
        return
    given = 0
    if after is None or after[0] is not None:
        for row in in_order.filter(beyond(columns, after), **{f"{first}__isnull": False})[:most]:
            given += 1
            yield row
    rest = columns[1:]
    empty = queryset.order_by(*rest).filter(**{f"{first}__isnull": True})
    begun = after is not None and after[0] is None
    if given < most:
        yield from empty.filter(beyond(rest, (after or [])[1:] if begun else None))[: most - given]


def _may_be_empty(queryset: QuerySet[Any], column: str) -> bool:
    try:
        field: Any = queryset.model._meta.pk if column == "pk" else queryset.model._meta.get_field(column.removesuffix("_id"))
    except FieldDoesNotExist:  # worked out by the query
        return True
    return bool(field.null)


def beyond(columns: Sequence[str], after: Sequence[Any] | None) -> Q:
    """Condition for the rows after a place; the first comparison alone bounds them, which an index can use."""
    if after is None:
        return Q()
    beyond = Q()
    for column, value in reversed(list(zip(columns, after, strict=True))):
        name, direction = column.removeprefix("-"), "lt" if column.startswith("-") else "gt"
        further = Q(**{f"{name}__{direction}": value})
        beyond = further | (Q(**{name: value}) & beyond) if beyond else further
    name, direction = columns[0].removeprefix("-"), "lte" if columns[0].startswith("-") else "gte"
    return Q(**{f"{name}__{direction}": after[0]}) & beyond
