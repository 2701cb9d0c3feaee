"""Keeps views of the board: filters and an order under a name, one's own or shared."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.http import QueryDict

from tom_alerce.models import View
from tom_alerce.store.errors import StoreError
from tom_alerce.store.sanitize import sanitize_text

#: Characters of a name and of a query at most: the widths of the columns; and views that one person may have.
NAME, QUERY, MOST = (View._meta.get_field("name").max_length or 0, View._meta.get_field("query").max_length or 0, 100)
#: What of an address belongs to a moment and not to a view.
PASSING = ("page", "ranking", "since", "part", "csrfmiddlewaretoken")


def save(owner: Any, name: str, query: str, *, shared: bool = False) -> View:
    """Keep a query of the board under a name; the owner's earlier view of that name is replaced.

    Raises
    ------
    StoreError
        No name, a name or query that is too long, or too many views.
    """
    name, query = " ".join(sanitize_text(name).split()), wanted(query)
    if not name or len(name) > NAME:
        raise StoreError(f"a view needs a name of at most {NAME} characters")
    if len(query) > QUERY:
        raise StoreError("these filters are too long to be kept")
    if View.objects.filter(owner=owner).exclude(name=name).count() >= MOST:
        raise StoreError(f"you have {MOST} views already: delete one")
    return View.objects.update_or_create(owner=owner, name=name, defaults={"query": query, "shared": shared})[0]


def wanted(query: str) -> str:
    """What is kept of the query of an address: what has a value, without what belongs to a moment."""
    given, kept = QueryDict(sanitize_text(query)[: 4 * QUERY]), QueryDict(mutable=True)
    for key, values in given.lists():
        if key not in PASSING and any(values):
            kept.setlist(key, [value for value in values if value])
    return kept.urlencode()


def delete(owner: Any, key: int) -> bool:
    """Delete a view of a person's own; whether there was one."""
    return bool(View.objects.filter(owner=owner, pk=key).delete()[0])


def shown(user: Any) -> QuerySet[View]:
    """Views that a person may use, by name: the person's own, and those that others share."""
    return View.objects.filter(Q(owner=user) | Q(shared=True)).select_related("owner").order_by("name", "pk")
