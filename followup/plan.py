"""Turn a ranking, or a plan of the night, into observation requests: targets, windows and exposure times."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from broker_adapters import plugins
from followup import slots
from followup.batch import Batch
from followup.blocks import Telescope
from followup.expected import Expected, expected
from followup.exposure import Instrument
from followup.moonlight import sky_excess
from followup.night import NightPlan
from followup.records import Candidate, Candidates, Exposure, Facility, FollowupError, Night, ObservationRequest, Ranking
from followup.visibility import hour_angle

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

    Walks down the ranking until ``top`` requests are made or the score falls below ``threshold``. A candidate is passed over, with a reason
    (`passed_over`), if its request does not fit into the time budget left or into its own visibility within the limits of the night and
    the telescope, or if its brightness is not known.

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
        Signal to noise wanted in each filter (`followup.exposure`), for the magnitude expected tonight (`followup.expected`): by the
        outlook of a likely supernova, else by its trend, with colours of zero.
    hours : float
        Telescope time of all requests together, overheads included.
    top, threshold : int, float
        Largest number of requests; smallest score.

    Raises
    ------
    FollowupError
        Unknown facility, instrument or filter.
    """
    options: dict[str, Any] = {"filters": filters, "snr": snr, "hours": hours, "top": top, "threshold": threshold}
    walk = _walk(ranking, candidates, night, facility, instrument, **options)
    return [request for _, request in walk if isinstance(request, ObservationRequest)]


def passed_over(ranking: Ranking, candidates: Candidates, night: Night, **options: Any) -> dict[str, str]:
    """Key -> reason of the candidates that `plan` passes over on its way down the ranking; options and errors are those of `plan`."""
    given = {name: p.default for name, p in inspect.signature(plan).parameters.items() if p.kind is p.KEYWORD_ONLY} | options
    walk = _walk(ranking, candidates, night, given.pop("facility"), given.pop("instrument"), **given)
    return {key: reason for key, reason in walk if isinstance(reason, str)}


def telescope(
    ranking: Ranking,
    candidates: Candidates,
    night: Night,
    *,
    facility: str = "lco",
    instrument: str = "",
    filters: Sequence[str] = (),
    snr: float = 20.0,
    hours: float = math.inf,
) -> Telescope:
    """What an instrument can do for the candidates in this night, for `followup.night.solve`; options and errors are those of `plan`."""
    instrument, optics, filters = camera(facility, instrument, filters)
    place = {key: i for i, key in enumerate(ranking.keys)}
    excess, within = sky_excess(night), _within(candidates, night, optics)
    tonight = expected(Batch.of(candidates), night)
    jobs = [
        _job(tonight, night, i, instrument, optics, within[i], excess[i], filters, snr, _vetoed(ranking, place.get(c.key), night.now))
        for i, c in enumerate(candidates)
    ]
    return Telescope(
        facility=facility,
        instrument=instrument,
        night=night,
        within=within,
        seconds=np.array([cost for _, cost, _ in jobs], dtype=np.float64),
        scores=np.array([ranking.scores[place[c.key]] if c.key in place else 0.0 for c in candidates], dtype=np.float64),
        exposures=tuple(exposures for exposures, _, _ in jobs),
        reasons=tuple(reason for _, _, reason in jobs),
        hours=hours,
    )


def planned_requests(plan: NightPlan, candidates: Candidates) -> list[ObservationRequest]:
    """The requests of a night plan, telescope by telescope and in the order of time; each may be observed while its target is visible."""
    return [
        _request(candidates[b.target], t.night, b.target, t.within[b.target], t.facility, t.instrument, t.exposures[b.target], score)
        for b in plan.blocks
        for t in (plan.telescopes[b.telescope],)
        for score in (float(t.scores[b.target]),)
    ]


def _job(
    tonight: Expected,
    night: Night,
    i: int,
    instrument: str,
    camera: Instrument,
    within: NDArray[np.bool_],
    excess: NDArray[np.float64],
    filters: Sequence[str],
    snr: float,
    vetoed: str,
) -> tuple[tuple[Exposure, ...], float, str]:
    """Exposures and seconds of an observation; none, NaN and the reason where there can be none."""
    if vetoed:
        return (), math.nan, vetoed
    if not within.any():
        return (), math.nan, _unseen(night, i, instrument, camera)
    exposures = tonight.exposures(i, camera, filters, snr, float(excess[within].min(initial=np.inf)))
    if not exposures:
        return (), math.nan, "its brightness is not known"
    cost = _cost(camera, exposures)
    longest = max(last - first for first, last in slots.runs(within)) * night.step * 86400.0
    return (exposures, cost, "") if cost <= longest else ((), math.nan, "it is not observable for long enough")


def _vetoed(ranking: Ranking, place: int | None, now: float) -> str:
    """Why the ranking leaves a candidate out; '' where it does not."""
    if place is None:
        return "it is not ranked"
    if ranking.scores[place] > 0.0:
        return ""
    against = (f"{name}: {veto.reasons[place]}" for name, veto in ranking.vetoes.items() if veto.until[place] > now)
    return next(against, "it is worth nothing by the ranking")


def _cost(camera: Instrument, exposures: Sequence[Exposure]) -> float:
    """Seconds of a request, overheads included."""
    return camera.setup + sum(e.count * (e.seconds + camera.overhead) for e in exposures)


def _walk(
    ranking: Ranking,
    candidates: Candidates,
    night: Night,
    facility: str,
    instrument: str,
    *,
    filters: Sequence[str],
    snr: float,
    hours: float,
    top: int,
    threshold: float,
) -> Iterator[tuple[str, ObservationRequest | str]]:
    """Yield the key of each candidate down the ranking with its request, or with the reason why there is none."""
    instrument, optics, filters = camera(facility, instrument, filters)
    place = {c.key: i for i, c in enumerate(candidates)}
    excess, within = sky_excess(night), _within(candidates, night, optics)
    tonight, made, budget = expected(Batch.of(candidates), night), 0, hours * 3600.0
    for key, score in zip(ranking.keys, ranking.scores, strict=True):
        if made >= top or score <= 0.0 or score < threshold:
            return
        i = place[key]
        if not within[i].any():
            yield key, _unseen(night, i, instrument, optics)
            continue
        exposures = tonight.exposures(i, optics, filters, snr, float(excess[i][within[i]].min(initial=np.inf)))
        cost = _cost(optics, exposures)
        if reason := _refused(exposures, cost, budget, float(within[i].sum()) * night.step * 86400.0):
            yield key, reason
            continue
        yield key, _request(candidates[i], night, i, within[i], facility, instrument, exposures, float(score))
        made, budget = made + 1, budget - cost


def _within(candidates: Candidates, night: Night, camera: Instrument) -> NDArray[np.bool_]:
    """Whether each candidate is within the limits of the night and of the telescope, shape (n, t)."""
    within = night.observable & (night.altitude >= camera.horizon)
    if camera.hour_angle < 12.0 and len(night.times):
        ra, dec = (np.array([getattr(c, name) for c in candidates], dtype=np.float64) for name in ("ra", "dec"))
        within &= np.abs(hour_angle(night.site, night.times, ra, dec)) <= camera.hour_angle
    return within


def _unseen(night: Night, i: int, instrument: str, camera: Instrument) -> str:
    """The reason why a candidate is at no time within the limits."""
    if not night.observable[i].any():
        return "it is not observable in what is left of the night"
    if not (night.observable[i] & (night.altitude[i] >= camera.horizon)).any():
        return f"it is below the horizon of {camera.horizon:g} deg of {instrument}"
    return f"it is beyond the hour angles within {camera.hour_angle:g} h of {instrument}"


def _refused(exposures: Sequence[Exposure], cost: float, budget: float, visible: float) -> str:
    """The reason why these exposures, all in seconds, cannot be asked for; '' where they can."""
    if not exposures:
        return "its brightness is not known"
    if cost * SLACK > visible:
        return "it is not observable for long enough"
    return "it is too faint for the hours that are left" if cost > budget else ""


def load_facility(name: str) -> Facility:
    """Return the facility of that name; FollowupError where there is none."""
    try:
        return cast(Facility, plugins.load(PACKAGE, name))
    except LookupError as error:
        raise FollowupError(str(error)) from error


def camera(facility: str, instrument: str = "", filters: Sequence[str] = ()) -> tuple[str, Instrument, Sequence[str]]:
    """Name and description of an instrument, and the filters asked for, or the defaults; FollowupError where there are none of these."""
    instrument, optics = _instrument(facility, instrument)
    return instrument, optics, _filters(instrument, optics, filters)


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


def _request(
    candidate: Candidate,
    night: Night,
    i: int,
    within: NDArray[np.bool_],
    facility: str,
    instrument: str,
    exposures: tuple[Exposure, ...],
    score: float,
) -> ObservationRequest:
    up = np.flatnonzero(within)
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
