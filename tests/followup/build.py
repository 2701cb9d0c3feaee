"""Candidates made to measure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import norm

from broker_adapters.photometry import flux_from_magnitude
from broker_adapters.records import Kind, blank, frozen
from classifiers.posterior.records import AHEAD, DAYS, Outlooks
from followup.places import Places
from followup.records import Candidate
from followup.sites import SITES
from followup.visibility import night as _night

SITE = SITES["Cerro Tololo"]
#: 2026-11-23 02:00 UTC, early in the night at the site, near full Moon.
NOW = 61367.083


def detections(mags: Sequence[float] = (), days_ago: Sequence[float] = (), band: str = "r", now: float = NOW, limits: Sequence[float] = ()):
    """Alerts of those difference magnitudes (error 0.05) so many days ago, and limits of 20.5 mag."""
    rows = blank(len(mags) + len(limits))
    rows["survey"], rows["band"] = "ztf", band
    rows["source_id"] = [str(i) for i in range(len(rows))]
    rows["mjd"] = now - np.array([*days_ago, *limits])
    n = len(mags)
    rows["kind"][n:] = Kind.LIMIT
    rows["flux"][:n] = flux_from_magnitude(np.array(mags))
    rows["flux_err"][:n] = rows["flux"][:n] * 0.046
    rows["flux_err"][n:] = flux_from_magnitude(20.5) / 5
    return frozen(rows)


def candidate(
    key: str = "1",
    ra: float = 40.0,
    dec: float = -20.0,
    rows=None,
    probabilities: Mapping[str, Mapping[str, float]] | None = None,
    classified: bool = False,
    oddness: float = math.nan,
    **others,
) -> Candidate:
    """A candidate at 18 mag that is high in the sky, unless given otherwise."""
    rows = detections([18.2, 18.0], [2.0, 1.0]) if rows is None else rows
    return Candidate(key, f"SN {key}", ra, dec, rows, probabilities or {}, classified, oddness, **others)


def night(candidates, now: float = NOW, site=SITE, **limits):
    """The night of those candidates."""
    from followup.records import Limits

    ra = np.array([c.ra for c in candidates], dtype=float)
    dec = np.array([c.dec for c in candidates], dtype=float)
    return _night(site, ra, dec, now, Limits(**limits))


def outlook(
    peak: float = 0.0, error: float = 1.5, classes=(1.0, 0.0, 0.0, 0.0), magnitude: float = 18.0, now: float = NOW, **others
) -> Outlooks:
    """The outlook of one object that peaks so many days from now, made now; its explosion was 18 d before the peak."""
    cdf = norm.cdf((DAYS - peak) / error)
    quantiles = magnitude + np.array([-0.2, 0.0, 0.2])
    values = {
        "mjd": [now],
        "peak_cdf": np.broadcast_to(cdf, (1, 4, len(DAYS))),
        "classes": [classes],
        "magnitude": np.broadcast_to(quantiles[:, None], (1, 2, 3, len(AHEAD))),
        "peak_magnitude": np.broadcast_to(quantiles, (1, 2, 3)),
        "explosion": [[peak - 20.0, peak - 18.0, peak - 16.0]],
        "doubt": [0.2],
        "fallback": [False],
    }
    return Outlooks(**{name: np.asarray(value) for name, value in (values | others).items()})


def place(host: float = 0.9, **others) -> Places:
    """The place of one object: 3 arcsec from the middle of a galaxy 50 Mpc away, and not near any star."""
    values = {
        "host": host, "galaxy": "NGC 1", "separation": 3.0, "distance": 50.0, "told_by": "host", "star": "", "star_separation": np.nan,
    } | others  # fmt: skip
    return Places(**{name: np.array([value]) for name, value in values.items()})
