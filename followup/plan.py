"""Turn a ranking into observation requests: targets, windows and exposure times."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

import numpy as np

from broker_adapters import plugins
from followup.exposure import Instrument, seconds, split
from followup.moonlight import sky_excess
from followup.records import Candidate, Candidates, Exposure, Facility, FollowupError, Night, ObservationRequest, Ranking

PACKAGE = "followup.facilities"

#: The visible time left must be this many times the length of the request, so that a scheduler can place it.
SLACK = 2.0


def plan(
    ranking: Ranking,
    candidates: Candidates,
    night: Night,
    *,
    facility: str = "lco",
    instrument: str = "",
    filters: Sequence[str] = (),
    snr: float = 20.0,
    hours: float = 2.0,
    top: int = 10,
    threshold: float = 0.1,
) -> list[ObservationRequest]:
    """Make requests for the best candidates, best first; the same input gives the same requests.

    Walks down the ranking until ``top`` requests are made or the score falls below ``threshold``. A candidate is skipped if its request
    does not fit into the time budget left or into its own visibility, or if its brightness is not known.

    Parameters
    ----------
    ranking : Ranking
        As `followup.rank.rank` made it.
    candidates : sequence of Candidate
        The candidates of the ranking, in the order of the night.
    night : Night
        The night of the ranking.
    facility, instrument : str
        A plug-in of ``followup/facilities`` or a dotted module, and one of its instruments; '' takes the facility's default.
    filters : sequence of str
        As the facility names them; none takes the instrument's default.
    snr : float
        Signal to noise wanted in each filter, for the magnitude expected now (`followup.exposure`; colours are taken as zero).
    hours : float
        Telescope time of all requests together, overheads included.
    top, threshold : int, float
        Largest number of requests; smallest score.

    Raises
    ------
    FollowupError
        Unknown facility, instrument or filter.
    """
    instrument, camera = _instrument(facility, instrument)
    filters = _filters(instrument, camera, filters)
    place = {c.key: i for i, c in enumerate(candidates)}
    excess, available = sky_excess(night), night.hours
    requests: list[ObservationRequest] = []
    budget = hours * 3600.0
    for key, score in zip(ranking.keys, ranking.scores, strict=True):
        if len(requests) >= top or score <= 0.0 or score < threshold:
            break
        i = place[key]
        exposures = _exposures(candidates[i], night, camera, filters, snr, float(excess[i][night.observable[i]].min(initial=np.inf)))
        cost = camera.setup + sum(e.count * (e.seconds + camera.overhead) for e in exposures)
        if not exposures or cost > budget or cost * SLACK > available[i] * 3600.0:
            continue
        requests.append(_request(candidates[i], night, i, facility, instrument, exposures, float(score)))
        budget -= cost
    return requests


def load_facility(name: str) -> Facility:
    """Return the facility of that name; FollowupError where there is none."""
    try:
        return cast(Facility, plugins.load(PACKAGE, name))
    except LookupError as error:
        raise FollowupError(str(error)) from error


def _instrument(facility: str, name: str) -> tuple[str, Instrument]:
    """Name and description of an instrument; the facility's default where no name is given."""
    plugin = load_facility(facility)
    instruments = plugin.INSTRUMENTS
    name = name or getattr(plugin, "DEFAULT_INSTRUMENT", "") or next(iter(instruments))
    if name not in instruments:
        raise FollowupError(f"facility {facility!r} has no instrument {name!r}; it has: {', '.join(sorted(instruments))}")
    return name, instruments[name]


def _filters(instrument: str, camera: Instrument, filters: Sequence[str]) -> Sequence[str]:
    """The filters asked for, or the instrument's default ones."""
    filters = filters or camera.default_filters
    unknown = [f for f in filters if f not in camera.filters]
    if unknown or not filters:
        raise FollowupError(f"{instrument} has no filter {', '.join(unknown) or '(none given)'}; it has: {', '.join(camera.filters)}")
    return filters


def _exposures(
    candidate: Candidate, night: Night, camera: Instrument, filters: Sequence[str], snr: float, excess: float
) -> tuple[Exposure, ...]:
    history = candidate.history(night.now)
    if history is None or not (math.isfinite(history.trend.now) and math.isfinite(excess)):
        return ()
    return tuple(Exposure(f, *split(seconds(camera, f, history.trend.now, snr, excess))) for f in filters)


def _request(
    candidate: Candidate, night: Night, i: int, facility: str, instrument: str, exposures: tuple[Exposure, ...], score: float
) -> ObservationRequest:
    up = np.flatnonzero(night.observable[i])
    start, end = night.times[up[0]] - night.step / 2.0, night.times[up[-1]] + night.step / 2.0
    nearest = float(night.moon_separation[i, up].min())
    return ObservationRequest(
        target=candidate.key,
        name=candidate.name,
        ra=candidate.ra,
        dec=candidate.dec,
        facility=facility,
        instrument=instrument,
        exposures=exposures,
        start=float(start),
        end=float(end),
        priority=score,
        max_airmass=night.limits.max_airmass,
        min_lunar_distance=min(night.limits.moon_separation, math.floor(nearest)),
        night=night.date,
    )
