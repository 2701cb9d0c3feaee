"""Which survey objects move: their alerts lay at a known solar-system object, and nothing else was ever seen at the place.

An asteroid passes a transient, and the alert of that night says that it is near; an asteroid of its own leaves nothing at the place on
other nights, and all its alerts say so. So it is kept at which times alerts lay at a known object, and whether one did not; then the
measurements decide: a survey object is fixed if something was seen at its place on a night on which no alert lay at a known object.
Nothing depends on the order in which alerts come.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from broker_adapters import surveys
from broker_adapters.crossmatch import separation, unit_vectors
from broker_adapters.records import Alert, Detections, Kind

#: Days from an alert at a known object within which another measurement may be of that same object.
SAME_NIGHT = 0.5
#: Decimals to which times of such alerts are kept: many of one night are one.
DECIMALS = 1


def times(alerts: Iterable[Alert], known: ArrayLike = ()) -> list[float]:
    """Times (MJD, 0.1 d) at which alerts say that the object moves, with those ``known`` before; sorted.

    An answer about a whole object speaks of all its detections, an alert of its own.
    """
    found = {float(t) for t in np.atleast_1d(np.asarray(known, float))}
    for one in alerts:
        if one.moving:
            whole = one.detections["mjd"][one.detections["kind"] == Kind.ALERT] if one.source_id is None else ()
            found.update(np.round([one.mjd, *whole], DECIMALS).tolist())
    return sorted(found)


def moves(survey: str, claims: Sequence[float], cleared: bool, rows: Detections) -> bool:
    """Whether a survey object with these measurements, shape (n,), moves.

    Alerts lay at a known solar-system object at the times ``claims`` (MJD); ``cleared`` says whether one did not.
    """
    if not claims or not cleared:
        return bool(claims)
    rows = rows[(rows["kind"] == Kind.ALERT) & np.isfinite(rows["ra"]) & np.isfinite(rows["dec"])]
    apart = np.abs(rows["mjd"][:, None] - np.asarray(claims)).min(axis=1)
    then = apart <= SAME_NIGHT + 0.5 * 10.0**-DECIMALS
    places = unit_vectors(rows["ra"], rows["dec"])
    if then.all() or not then.any():
        return True
    between = separation(places[then][:, None], places[~then][None])
    return not bool((between <= surveys.about(survey).radius).any())
