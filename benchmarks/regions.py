"""Regions of events: a map prepared, 100,000 positions looked up in it, and an event matched with as many objects.

The map is the one of MS260605l in ``../shared/data/context_samples/gcn``, 19,200 cells, or without it one made here. Of the objects
half are far from the region, as those of a survey are not; one in ten has a host of known distance.
"""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from timeit import repeat

import numpy as np

from broker_adapters import notice, skymap
from broker_adapters.skymap import SkyMap
from classifiers.simulate import skymaps
from followup import regions

SAMPLE = Path(__file__).resolve().parents[2] / "shared" / "data" / "context_samples" / "gcn" / "igwn_gwalert_preliminary.json"
PLACES = 100_000


def run() -> dict[str, float]:
    """Milliseconds from the bytes of a FITS file to arrays, and from arrays to a region; seconds for the rest, the best of five."""
    made = _map()
    data = skymaps.to_fits(made)
    region = regions.prepare(made)
    random = np.random.default_rng(1)
    ra, dec = random.uniform(0.0, 360.0, PLACES), np.degrees(np.arcsin(random.uniform(-1.0, 1.0, PLACES)))
    near = slice(PLACES // 2)
    ra[near], dec[near] = (
        region.best[0] + random.normal(0.0, 3.0, PLACES // 2),
        np.clip(region.best[1] + random.normal(0.0, 3.0, PLACES // 2), -90, 90),
    )
    first_seen, distance = (
        random.uniform(-30.0, 30.0, PLACES),
        np.where(random.random(PLACES) < 0.1, random.uniform(10.0, 400.0, PLACES), np.nan),
    )

    def match() -> int:
        """All that happens to stored objects when an event comes: who is in the region, in time, and at its distance."""
        fresh = regions.prepare(made)
        level = fresh.level(ra, dec)
        inside = np.flatnonzero((level <= 0.95) & (first_seen >= -1.0))
        here = fresh.distances(ra[inside], dec[inside])
        fresh.level_in_space(ra[inside], dec[inside], distance[inside], 0.1 * distance[inside])
        here.agreement(distance[inside], 0.1 * distance[inside])
        return len(inside)

    started = perf_counter()
    found = match()
    return {
        "cells": len(made),
        "area_90": float(region.area(0.9)[0]),
        "read_ms": 1e3 * min(repeat(lambda: skymap.read(data), number=1, repeat=5)),
        "prepare_ms": 1e3 * min(repeat(lambda: regions.prepare(made), number=1, repeat=5)),
        "lookup_100k_s": min(repeat(lambda: region.level(ra, dec), number=1, repeat=5)),
        "match_event_100k_first_s": perf_counter() - started,
        "match_event_100k_s": min(repeat(match, number=1, repeat=5)),
        "matched": found,
    }


def _map() -> SkyMap:
    if SAMPLE.is_file():
        place = notice.read(SAMPLE.read_bytes()).place
        assert isinstance(place, SkyMap)
        return place
    return skymaps.gaussian(308.0, 9.0, 1.0, (40.0, 6.0), last=11)
