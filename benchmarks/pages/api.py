"""The first and deep pages of lists of the API."""

from __future__ import annotations

from typing import Any

from django.test import Client

from benchmarks.pages.measure import page

LISTS = ("objects/?order=-last_mjd", "objects/?order=n_detections", "classifications/?order=-created", "ranks/?order=place")
#: Pages of 1,000 rows after which a page is deep.
DEEP = 8


def figures(client: Client) -> dict[str, Any]:
    """CPU of the dearest page of 100 rows."""
    return {"api_page_ms_{size}": max(page(client, address)[0] for one in LISTS for address in _pages(client, one))}


def _pages(client: Client, one: str) -> list[str]:
    """The first page of a list, and a deep one, if the list is as long."""
    first = f"/api/alerce-{one}&limit=100"
    cursor: str | None = f"/api/alerce-{one}&limit=1000&fields=id"
    for _ in range(DEEP):
        cursor = client.get(cursor).json()["next"] if cursor else None
    return [first] if cursor is None else [first, cursor.replace("&fields=id", "").replace("limit=1000", "limit=100")]
