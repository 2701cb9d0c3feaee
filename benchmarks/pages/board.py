"""The board, and the slowest of its filters, orders and deep pages."""

from __future__ import annotations

from typing import Any

from django.test import Client

from benchmarks.pages.measure import page
from tom_alerce.pages.listing import COLUMNS

BOARD = "/alerce/"
#: One of each filter.
FILTERS = (
    "query=ZTF26000001", "query=150.0+2.0+30", "label=SN", "label=SN&probability=0.7", "probability=0.9", "magnitude=18.5", "days=10",
    "distance=200", "new=true", "up=true", "state=new", "state=claimed", "state=requested",
)  # fmt: skip


def figures(client: Client) -> dict[str, Any]:
    """CPU and queries of the board; and of the slowest filter, order or deep page, which is named."""
    milliseconds, queries, size = page(client, BOARD)
    every = {one: page(client, f"{BOARD}?{one}")[0] for one in addresses()}
    slowest = max(every, key=lambda one: every[one])
    return {
        "board_ms_{size}": milliseconds, "board_queries": float(queries), "board_kb": size, "filters_ms_{size}": every[slowest],
        "slowest_filter_{size}": slowest,
    }  # fmt: skip


def addresses() -> list[str]:
    """Queries of the address of each filter, each order in both directions, and deep pages."""
    orders = ["sort=now", *(f"sort={sign}{name}" for name in COLUMNS for sign in ("", "-"))]
    return [*FILTERS, *orders, "page=10", "page=20&sort=-magnitude", "label=SN&page=5"]
