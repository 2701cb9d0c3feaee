"""Host: whether a candidate belongs to a galaxy of the catalogues, and whether it is at its nucleus."""

from __future__ import annotations

import numpy as np

from followup.batch import Batch
from followup.places import Places
from followup.records import NEUTRAL, Candidates, FollowupError, Night, Reasons, Scores

#: Lowest score: the host may be in no catalogue, and catalogues err.
_LEAST = 0.1
_WANTED = ("any", "nuclear", "outside")


def term(candidates: Candidates, night: Night, *, where: str = "any", nucleus: float = 1.0) -> Scores:
    """Probability of a host, at least 0.1, shape (n,); `NEUTRAL` where no catalogue was read.

    ``where``: 'any' place in the galaxy, 'nuclear' or 'outside' the nucleus; ``nucleus``: arcseconds, one standard deviation, by which
    the positions of nuclei and of transients in them differ.

    Raises
    ------
    FollowupError
        Another word for ``where``.
    """
    if where not in _WANTED:
        raise FollowupError(f"term 'host': where cannot be {where!r}; it is one of: {', '.join(_WANTED)}")
    places = Batch.of(candidates).places
    central = np.exp(-0.5 * (np.nan_to_num(places.separation, nan=np.inf) / max(nucleus, 1e-3)) ** 2)
    share = {"any": np.ones(len(places)), "nuclear": central, "outside": 1.0 - central}[where]
    known = np.isfinite(places.host)
    values = np.where(known, np.clip(np.where(known, places.host, 0.0) * share, _LEAST, 1.0), NEUTRAL)
    return Scores(values, Reasons(len(places), lambda i: _reason(places, i)))


def _reason(places: Places, i: int) -> str:
    if not np.isfinite(places.host[i]):
        return "its surroundings are not known"
    if not places.galaxy[i]:
        return "no galaxy of the catalogues is likely its host"
    chosen = ", chosen by a person" if places.told_by[i] == "person" else ""
    return f"{places.separation[i]:.1f} arcsec from {places.galaxy[i]}, host {places.host[i]:.2f}{chosen}"
