"""Speed of a night's visibility of 10,000 targets and of a ranking of 2,000, against astropy's coordinate transformation."""

from __future__ import annotations

from timeit import repeat

import astropy.units as u
import numpy as np
from astropy.coordinates import AltAz, EarthLocation, SkyCoord
from astropy.time import Time
from astropy.utils import iers

from broker_adapters.photometry import flux_from_magnitude
from broker_adapters.records import Kind, blank, frozen
from followup.rank import rank
from followup.records import Candidate
from followup.sites import SITES
from followup.visibility import night

NOW, SITE = 61367.083, SITES["Cerro Tololo"]
TARGETS, RANKED, POINTS = 10_000, 2_000, 40
#: astropy transforms one in `PART` targets; its time is scaled in proportion.
PART = 20


def run() -> dict[str, float]:
    """``night_ms`` for all targets, ``ratio_to_astropy`` for altitudes alone, and ``rank_ms`` for `RANKED` candidates of 40 points."""
    random = np.random.default_rng(1)
    ra, dec = random.uniform(0, 360, TARGETS), np.degrees(np.arcsin(random.uniform(-1, 1, TARGETS)))
    ours = min(repeat(lambda: night(SITE, ra, dec, NOW), number=1, repeat=5))
    made = night(SITE, ra, dec, NOW)
    place = EarthLocation.from_geodetic(SITE.longitude * u.deg, SITE.latitude * u.deg, SITE.elevation * u.m)
    frame = AltAz(obstime=Time(made.times, format="mjd"), location=place)
    few = SkyCoord(ra[: TARGETS // PART, None] * u.deg, dec[: TARGETS // PART, None] * u.deg)
    with iers.conf.set_temp("auto_download", False), iers.conf.set_temp("auto_max_age", None):
        theirs = PART * min(repeat(lambda: few.transform_to(frame[None, :]).alt.deg, number=1, repeat=2))
    candidates = [_candidate(i, ra[i], dec[i], random) for i in range(RANKED)]
    tonight = night(SITE, ra[:RANKED], dec[:RANKED], NOW)
    ranking = min(repeat(lambda: rank(candidates, tonight), number=1, repeat=3))
    return {
        "targets": TARGETS,
        "times": len(made.times),
        "night_ms": ours * 1e3,
        "ratio_to_astropy": theirs / ours,
        "ranked": RANKED,
        "rank_ms": ranking * 1e3,
    }


def _candidate(i: int, ra: float, dec: float, random: np.random.Generator) -> Candidate:
    rows = blank(POINTS)
    rows["survey"], rows["band"], rows["kind"] = "ztf", "r", Kind.ALERT
    rows["source_id"] = np.arange(POINTS).astype(str)
    rows["mjd"] = NOW - np.sort(random.uniform(0, 30, POINTS))[::-1]
    rows["flux"] = flux_from_magnitude(random.normal(18.5, 0.2, POINTS))
    rows["flux_err"] = 0.05 * rows["flux"]
    return Candidate(str(i), f"source {i}", ra, dec, frozen(rows), {"stamp": {"SN": 0.8, "AGN": 0.2}})
