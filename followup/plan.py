"""From a ranking to requests: who is observed tonight, when, and for how long."""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import ModuleType

import numpy as np

from broker_adapters import plugins
from followup.brightness import trend
from followup.exposure import Instrument, seconds, split
from followup.moonlight import sky_excess
from followup.records import Candidate, Candidates, Exposure, FollowupError, Night, ObservationRequest, Ranking

PACKAGE = "followup.facilities"

#: The visibility left must be so many times what the request takes, so that a scheduler can find a place for it.
SLACK = 2.0


def plan(
    ranking: Ranking,
    candidates: Candidates,
    night: Night,
    *,
    facility: str = "lco",
    instrument: str = "1M0-SCICAM-SINISTRO",
    filters: Sequence[str] = ("gp", "rp"),
    snr: float = 20.0,
    hours: float = 2.0,
    top: int = 10,
    threshold: float = 0.1,
) -> list[ObservationRequest]:
    """Requests for the best candidates, best first; the same input gives the same requests.

    Walks down the ranking until ``top`` requests are made, the score falls below ``threshold`` or the time budget is used up; what does not
    fit (into the budget left, or into its own visibility) is passed over, and so is what has no known brightness.

    Parameters
    ----------
    ranking : Ranking
        As `followup.rank.rank` made it.
    candidates : sequence of Candidate
        Those of the ranking and of the night, in the order of the night.
    night : Night
        The night that was ranked for.
    facility, instrument : str
        A plug-in of ``followup/facilities``, and an instrument that it knows.
    filters : sequence of str
        As the facility names them.
    snr : float
        Signal to noise wanted in each filter, for the magnitude expected now (`followup.exposure`; colours are taken as zero).
    hours : float
        Telescope time to ask for in all, overheads included.
    top, threshold : int, float
        At most so many requests; the least score.

    Raises
    ------
    FollowupError
        No such facility, instrument or filter.
    """
    camera = _instrument(facility, instrument, filters)
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


def _instrument(facility: str, name: str, filters: Sequence[str]) -> Instrument:
    try:
        plugin: ModuleType = plugins.load(PACKAGE, facility)
    except LookupError as error:
        raise FollowupError(str(error)) from error
    instruments: dict[str, Instrument] = dict(plugin.INSTRUMENTS)
    if name not in instruments:
        raise FollowupError(f"facility {facility!r} has no instrument {name!r}; it has: {', '.join(sorted(instruments))}")
    unknown = [f for f in filters if f not in instruments[name].filters]
    if unknown or not filters:
        raise FollowupError(
            f"{name} has no filter {', '.join(unknown) or '(none asked for)'}; it has: {', '.join(instruments[name].filters)}"
        )
    return instruments[name]


def _exposures(
    candidate: Candidate, night: Night, camera: Instrument, filters: Sequence[str], snr: float, excess: float
) -> tuple[Exposure, ...]:
    state = trend(candidate.detections, night.now)
    if state is None or not (math.isfinite(state.now) and math.isfinite(excess)):
        return ()
    return tuple(Exposure(f, *split(seconds(camera, f, state.now, snr, excess))) for f in filters)


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
