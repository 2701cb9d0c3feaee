"""Makes the rankings, and says what a place of one adds to the database."""

from __future__ import annotations

import json

import numpy as np
from django.db import connection

from tom_alerce.models import Ranking
from tom_alerce.pipeline import rank

RANKINGS = 10


def figures() -> dict[str, float]:
    """``places`` ranked, ``rank_bytes`` of each, and what it took as JSON; rankings are made once."""
    if Ranking.objects.exists():
        return {}
    before, stored = _size(), [rank.rank() for _ in range(RANKINGS)]
    places = sum(len(one.row.places.altitude) for one in stored)
    texts = [len(json.dumps(row.terms)) + len(json.dumps(row.visibility)) for row in stored[0].row.ranks.all()]
    return {"places": float(places), "rank_bytes": (_size() - before) / places, "rank_json_bytes": float(np.mean(texts))}


def _size() -> int:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_database_size(current_database())")
            return int(cursor.fetchone()[0])
        return int(cursor.execute("PRAGMA page_count").fetchone()[0]) * int(cursor.execute("PRAGMA page_size").fetchone()[0])
