"""Whether the board has changed since a browser read it: another ranking, mark or request has come."""

from __future__ import annotations

import math

from django.db.models import Q

from broker_adapters.times import datetime_from_mjd
from tom_alerce.models import FollowupRequest, Mark, Ranking

#: Days by which the time of a page is set back: what was written while it was read came a moment earlier.
MARGIN = 2.0 / 86400.0


def stamp(ranking: Ranking | None, now: float) -> str:
    """What a page keeps: the ranking that it shows, and when it was read (MJD, UTC)."""
    return f"{ranking.pk if ranking else 0}-{now - MARGIN:.7f}"


def is_new(ranking: Ranking | None, since: str) -> bool:
    """Whether a page with this stamp would look different now; two queries at most."""
    key, _, text = since.partition("-")
    try:
        read = float(text)
    except ValueError:
        return True
    if key != str(ranking.pk if ranking else 0) or not (math.isfinite(read) and 40_000.0 < read < 100_000.0):
        return True
    at = datetime_from_mjd(read)
    marked = Mark.objects.filter(Q(created__gt=at) | Q(undone__gt=at))
    return marked.exists() or FollowupRequest.objects.filter(modified__gt=at).exists()
