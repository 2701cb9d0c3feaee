"""Which ranks the board lists, and in which order: filters and orders of the database, and those of the moment.

What is up now, and what sets first, is known from the altitudes that are packed in the ranking; of a ranking's few hundred places the keys
are read in the database's order and sorted here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from django.db.models import F, OrderBy, QuerySet
from numpy.typing import NDArray

from tom_alerce.models import Rank, Ranking
from tom_alerce.models.places import Places
from tom_alerce.models.sky import first_seen

#: Order -> what the form calls it; the best come first without a sign, or with one.
ORDERS = (
    ("", "Rank"), ("now", "Sets first"), ("magnitude", "Brightest"), ("-first", "Youngest"), ("ra", "Right ascension"),
    ("-hours", "Longest observable"), ("-last", "Latest detection"), ("-score", "Score"), ("-place", "Worst rank"),
)  # fmt: skip
#: Columns by which the database sorts; others come last in both directions where they are not known.
COLUMNS: dict[str, Any] = {
    "place": "place", "score": "score", "hours": "hours", "magnitude": "magnitude", "first": first_seen("sky_object__"),
    "last": "sky_object__last_mjd", "ra": "sky_object__ra",
}  # fmt: skip
NOW = "now"


def known(order: str) -> str:
    """An order of the address, '' where there is none of that name."""
    return order if order == NOW or order.removeprefix("-") in COLUMNS else ""


def keys(ranks: QuerySet[Rank], order: str, ranking: Ranking | None, now: float, lowest: float, *, only_up: bool = False) -> list[int]:
    """Keys of the ranks, in one of `ORDERS`, or of the same in the other direction; ``lowest`` (degrees) is where an object sets."""
    order = known(order)
    found = list(ranks.order_by(*_orders("" if order == NOW else order)).values_list("pk", "place"))
    if only_up and ranking is not None:
        wanted = set(up(ranking.places, now, lowest))
        found = [one for one in found if one[1] in wanted]
    if order == NOW and ranking is not None:
        sets = setting(ranking.places, now, lowest)
        times = np.append(sets, np.inf)[[place - 1 if place <= len(sets) else -1 for _, place in found]]
        found = [found[i] for i in np.argsort(times, kind="stable").tolist()]
    return [key for key, _ in found]


def _orders(order: str) -> list[str | OrderBy]:
    name, down = order.removeprefix("-"), order.startswith("-")
    if name in ("", "place"):
        return ["-place" if down else "place"]
    column = COLUMNS[name]
    column = F(column) if isinstance(column, str) else column
    return [column.desc(nulls_last=True) if down else column.asc(nulls_last=True), "place"]


def up(places: Places, now: float, lowest: float) -> list[int]:
    """Places, counted from 1, that are higher than ``lowest`` (degrees) now; before the night, as it begins, and after it, none."""
    if not len(places.times) or now > places.times[-1]:
        return []
    altitude = _altitude(places, max(now, float(places.times[0])))
    found: list[int] = (np.flatnonzero(altitude >= lowest) + 1).tolist()
    return found


def setting(places: Places, now: float, lowest: float) -> NDArray[np.float64]:
    """When each of the n places gets lower than ``lowest`` (degrees), MJD, shape (n,).

    It is infinite for what is too low for the rest of the night. What stays up until the end of the night sets at its end, and later by a
    little the higher it is then.
    """
    n = len(places.altitude)
    if not len(places.times) or now > places.times[-1]:
        return np.full(n, np.inf)
    at = max(now, float(places.times[0]))
    rest = places.times > at
    times = np.append(at, places.times[rest])
    altitude = np.column_stack([_altitude(places, at), places.altitude[:, rest]])
    high = altitude >= lowest
    last = high.shape[1] - 1 - np.argmax(high[:, ::-1], axis=1)
    stays = last == high.shape[1] - 1
    when = times[last] + np.where(stays, altitude[:, -1] / 1e4, 0.0)
    return np.where(high.any(axis=1), when, np.inf)


def _altitude(places: Places, at: float) -> NDArray[np.float64]:
    """Altitude of each place at a time within the night, degrees, shape (n,)."""
    right = int(np.clip(np.searchsorted(places.times, at), 1, max(len(places.times) - 1, 1)))
    if len(places.times) == 1:
        return np.asarray(places.altitude[:, 0])
    left = right - 1
    share = (at - places.times[left]) / (places.times[right] - places.times[left])
    return np.asarray(places.altitude[:, left] * (1.0 - share) + places.altitude[:, right] * share)
