"""The review page, with `benchmarks.pages.tables.MATCHES` undecided matches."""

from __future__ import annotations

from typing import Any

from django.test import Client

from benchmarks.pages.measure import page


def figures(client: Client) -> dict[str, Any]:
    """CPU and queries of its first page, and CPU of its last."""
    milliseconds, queries, _ = page(client, "/alerce/review/")
    return {"review_ms": milliseconds, "review_queries": float(queries), "review_last_ms": page(client, "/alerce/review/?page=last")[0]}
