"""Fills in a request for one object: exposures for its brightness tonight, and a window over all sites of the facility."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from broker_adapters.times import date_from_day
from followup.batch import Batch
from followup.expected import forecast
from followup.exposure import Instrument
from followup.moonlight import sky_excess
from followup.network import Sky, observable, skies, window
from followup.plan import camera
from followup.records import Candidate, Exposure, FollowupError, Limits, ObservationRequest, Site

#: Days from now in which the window lies: a night at every site of the Earth.
AHEAD = 1.0


def fill(
    candidate: Candidate,
    home: Site,
    sites: Sequence[Site],
    now: float,
    limits: Limits,
    *,
    facility: str,
    instrument: str = "",
    filters: Sequence[str] = (),
    snr: float = 20.0,
    priority: float = 0.0,
    given: Sequence[Exposure] = (),
    occasion: str = "",
) -> ObservationRequest:
    """Make a request for one object within a day from now, wherever the facility sees it.

    Parameters
    ----------
    candidate : Candidate
        Its brightness expected in the window sets the exposures (`followup.expected`).
    home : Site
        Whose evening names the night, and with it the request's key.
    sites : sequence of Site
        Those of the facility that have the instrument; none for a telescope in space.
    now : float
        MJD, UTC.
    limits : Limits
        Airmass, darkness and distance from the Moon.
    facility, instrument, filters, snr
        As in `followup.plan.plan`.
    priority : float
        In [0, 1].
    given : sequence of Exposure
        Taken as they are; without them the brightness sets the exposures.
    occasion : str
        As in `ObservationRequest`.

    Raises
    ------
    FollowupError
        Unknown facility, instrument or filter; the brightness is not known; no site sees it.
    """
    instrument, optics, filters = camera(facility, instrument, filters)
    batch = Batch.of([candidate])
    if not given and not math.isfinite(forecast(batch, now, now).magnitude[0]):
        raise FollowupError(f"the brightness of {candidate.name} is not known")
    seen = skies(sites, candidate.ra, candidate.dec, now, now + AHEAD, limits.sun_altitude)
    start, end = _window(candidate, seen, sites, now, limits, optics)
    excess = min((_excess(sky, limits, optics) for sky in seen), default=1.0)
    exposures = tuple(given) or forecast(batch, now, (start + end) / 2.0).exposures(0, optics, filters, snr, excess)
    return ObservationRequest(
        target=candidate.key,
        name=candidate.name,
        ra=candidate.ra,
        dec=candidate.dec,
        facility=facility,
        instrument=instrument,
        exposures=exposures,
        start=start,
        end=end,
        priority=priority,
        max_airmass=limits.max_airmass,
        min_lunar_distance=limits.moon_separation if seen else 0.0,
        night=date_from_day(math.floor(start + home.longitude / 360.0 - 0.5)).isoformat(),
        occasion=occasion,
    )


def _window(
    candidate: Candidate, seen: Sequence[Sky], sites: Sequence[Site], now: float, limits: Limits, optics: Instrument
) -> tuple[float, float]:
    if not sites:
        return now, now + AHEAD
    found = window(seen, limits, optics)
    if found is None:
        raise FollowupError(f"within a day {candidate.name} is within the limits at none of: {', '.join(site.name for site in sites)}")
    return found


def _excess(sky: Sky, limits: Limits, optics: Instrument) -> float:
    """The least factor by which moonlight brightens the sky while a site may observe; infinite where it may not."""
    return float(np.min(sky_excess(sky)[observable(sky, limits, optics)], initial=np.inf))
