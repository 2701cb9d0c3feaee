"""The page of an object, and the lists of the endpoints."""

from __future__ import annotations

from typing import Any

from django.test import Client

from benchmarks.pages.measure import page
from tom_alerce.models import Rank

ENDPOINTS = ("objects", "classifications", "ranks")


def figures(client: Client) -> dict[str, Any]:
    """CPU, queries and kilobytes of the page of the best object, and CPU of each list."""
    best = Rank.objects.order_by("-ranking", "place").values_list("sky_object", flat=True)[0]
    milliseconds, queries, size = page(client, f"/alerce/objects/{best}/")
    lists = {f"api_{name}_ms_{{size}}": page(client, f"/api/alerce-{name}/")[0] for name in ENDPOINTS}
    return {"object_ms": milliseconds, "object_queries": float(queries), "object_kb": size} | lists
