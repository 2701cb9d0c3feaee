"""The Explorer: the slowest of some filters, orders and deep pages, at tables whose objects have all been looked at."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from django.test import Client

from benchmarks.pages.measure import page
from followup import filters
from tom_alerce.models import SkyObject, Traits
from tom_alerce.store import explore, traits
from tom_alerce.store.explore import Search

EXPLORER = "/alerce/explorer/"
#: Conditions of each kind, alone and together.
FILTERS: tuple[dict[str, Any], ...] = (
    {},
    {"field": "magnitude", "op": "<", "value": 19},
    {"field": "class", "classifier": "stamp", "class": "SN", "op": ">=", "value": 0.7},
    {"not": {"field": "class", "classifier": "any", "class": "SNIa", "op": ">=", "value": 0.5}},
    {"field": "colour", "bands": "g-r", "op": "<", "value": 0},
    {"field": "position", "op": "within", "value": [150.0, 2.0, 5.0]},
    {"field": "survey", "op": "any of", "value": ["ztf"]},
    {"field": "mark", "op": "none of", "value": ["claim"]},
    {
        "and": [
            {"field": "galactic_latitude", "op": ">", "value": 10},
            {"or": [{"field": "age", "op": "<", "value": 20}, {"field": "detections", "op": ">", "value": 10}]},
            {"field": "class", "classifier": "every", "class": "SN", "op": ">", "value": 0.6},
            {"not": {"field": "redshift", "op": "missing"}},
        ]
    },
)


def figures(client: Client) -> dict[str, Any]:
    """CPU of the slowest address, which is named, and its queries; and of everything."""
    known = set(Traits.objects.values_list("pk", flat=True))
    for _ in traits.refresh(set(SkyObject.objects.values_list("pk", flat=True)) - known):
        pass
    every = {one: page(client, f"{EXPLORER}?{one}") for one in addresses()}
    slowest = max(every, key=lambda one: every[one][0])
    return {
        "explorer_ms_{size}": every[slowest][0],
        "explorer_queries": float(every[slowest][1]),
        "slowest_explorer_{size}": slowest,
        "explorer_everything_ms_{size}": every[addresses()[0]][0],
    }


def addresses() -> list[str]:
    """Queries of the address of each filter, of some orders, of a page that is half way down, and of the map."""
    given = [{"filter": json.dumps(one)} for one in FILTERS]
    orders = [{"sort": one} for one in ("-magnitude", "age", "oddness")]
    _, after = Search(filters.parse({}), 0.0).page("magnitude", explore.mark(18.0, 1), 50)
    return [urlencode(one) for one in (*given, *orders, {"sort": "magnitude", "after": after}, {"show": "map"}, {"show": "gallery"})]
