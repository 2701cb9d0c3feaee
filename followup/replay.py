"""Replays nights that have passed: what a profile would have observed, from nothing but what was known each evening."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from broker_adapters.photometry import flux_from_magnitude
from broker_adapters.records import Detections
from broker_adapters.significance import alerts
from classifiers.peaks import vertex
from followup.profiles import Profile
from followup.rank import rank
from followup.records import Candidate, Candidates, Limits, Night, Site
from followup.visibility import DEFAULT_LIMITS, night

#: Scores of n candidates on a night, shape (n,); what has none above 0 is not observed.
Policy = Callable[[Candidates, Night], NDArray[np.float64]]

#: What was known on an evening (MJD, UTC): candidates with nothing measured or said after it (`known_at`).
Known = Callable[[float], Sequence[Candidate]]

#: Days about the peak of a hit, days after the first detection of what is young, and from an evening to its observations.
NEAR, YOUNG, INTO_THE_NIGHT = 4.0, 3.0, 0.25


@dataclass(frozen=True, slots=True)
class Pick:
    """One observation of a replay.

    Attributes
    ----------
    night : str
        ISO date of the evening at the site.
    mjd : float
        The evening, MJD, UTC.
    key, name : str
        As in `Candidate`.
    score : float
        Of the ranking on that evening.
    """

    night: str
    mjd: float
    key: str
    name: str
    score: float


def caught(
    profile: Profile, known: Known, evenings: Iterable[float], site: Site, *, slots: int = 10, limits: Limits = DEFAULT_LIMITS
) -> tuple[Pick, ...]:
    """What a profile would have observed, night by night, best first; an object that was observed once is done.

    Parameters
    ----------
    profile : Profile
        Its own number of slots, where it has one, goes before ``slots``.
    known : callable
        Evening (MJD, UTC) -> candidates as they were known then.
    evenings : iterable of float
        MJD, UTC, in order.
    site : Site
        Where it is observed from.
    slots : int
        Observations that a night has room for.
    limits : Limits
        Within which a target is observable.
    """
    return follow(by_profile(profile), known, evenings, site, slots=profile.budget.slots or slots, limits=limits)


def follow(
    policy: Policy, known: Known, evenings: Iterable[float], site: Site, *, slots: int, limits: Limits = DEFAULT_LIMITS
) -> tuple[Pick, ...]:
    """The same for any policy."""
    picks: list[Pick] = []
    done: set[str] = set()
    for evening in evenings:
        candidates = [c for c in known(evening) if c.key not in done]
        tonight = night(site, np.array([c.ra for c in candidates]), np.array([c.dec for c in candidates]), evening, limits)
        scores = policy(candidates, tonight) if candidates else np.empty(0)
        for i in best(scores, slots).tolist():
            picks.append(Pick(tonight.date, evening, candidates[i].key, candidates[i].name, float(scores[i])))
            done.add(candidates[i].key)
    return tuple(picks)


def by_profile(profile: Profile) -> Policy:
    """The ranking of a profile as a policy: 0 for what is vetoed or left out by its cuts."""

    def scores(candidates: Candidates, tonight: Night) -> NDArray[np.float64]:
        found = rank(candidates, tonight, profile.merits, profile.vetoes)
        by_key = dict(zip(found.keys, found.scores.tolist(), strict=True))
        few = profile.cuts.detections
        return np.array([by_key[c.key] if int(alerts(c.detections).sum()) >= few else 0.0 for c in candidates], dtype=np.float64)

    return scores


def best(scores: NDArray[np.float64], slots: int) -> NDArray[np.intp]:
    """Places of the best ``slots`` of n scores above 0, best first; of equals the first; fewer where fewer deserve a slot."""
    order = np.argsort(-np.nan_to_num(scores), kind="stable")[:slots]
    chosen: NDArray[np.intp] = order[np.nan_to_num(scores[order]) > 0.0]
    return chosen


def known_at(candidate: Candidate, evening: float, days: float) -> Candidate | None:
    """A candidate with nothing measured after an evening (MJD, UTC); None if it had no alert in the ``days`` before.

    What was said of it (probabilities, oddness, outlook, marks, redshift at TNS) is left out, since it may have been said later: the
    caller adds what was said by then.
    """
    rows = candidate.detections[candidate.detections["mjd"] <= evening]
    seen = rows["mjd"][alerts(rows)]
    if not len(seen) or seen.max() < evening - days:
        return None
    first = candidate.first_seen if candidate.first_seen <= evening else np.nan
    place = None if candidate.place is None else candidate.place.catalogued()
    return replace(
        candidate, detections=rows, first_seen=first, place=place, probabilities={}, oddness=np.nan, outlook=None, marks=(), n_seen=0
    )  # fmt: skip


def brightest(candidates: Candidates, tonight: Night) -> NDArray[np.float64]:
    """Brightest first, as a policy to compare with: flux of the latest detection in nJy; 0 for what is not up."""
    latest = [history.trend.latest if (history := c.history(tonight.now)) else np.inf for c in candidates]
    return np.where(tonight.hours > 0.0, flux_from_magnitude(np.nan_to_num(latest, nan=np.inf)), 0.0)


def at_random(candidates: Candidates, tonight: Night) -> NDArray[np.float64]:
    """Chance, as a policy to compare with: the same on every replay of a night; 0 for what is not up."""
    drawn = 1.0 - np.random.default_rng(int(tonight.now)).random(len(candidates))
    return np.where(tonight.hours > 0.0, drawn, 0.0)


@dataclass(frozen=True, slots=True)
class Counts:
    """What picks turned out to be: how many there are, near the peak of an SN Ia, and young."""

    observed: int
    hits: int
    young: int


def judge(picks: Iterable[Pick], objects: Iterable[Candidate], ia: Collection[str], near: float = NEAR, young: float = YOUNG) -> Counts:
    """Judge picks by hindsight.

    Parameters
    ----------
    picks : iterable of Pick
        What was observed.
    objects : iterable of Candidate
        The same objects with all that is known by now.
    ia : collection of str
        Keys of those that are known by now to be SNe Ia.
    near, young : float
        Days about the peak of a hit, and days since the first detection.
    """
    by_key = {c.key: c for c in objects}
    observed = hits = new = 0
    for pick in picks:
        about, when = by_key[pick.key], pick.mjd + INTO_THE_NIGHT
        observed += 1
        hits += pick.key in ia and abs(when - true_peak(about.detections)) <= near
        new += when - _first(about) <= young
    return Counts(observed, hits, new)


def _first(candidate: Candidate) -> float:
    """MJD of the first detection by any survey; NaN without one."""
    seen = candidate.detections["mjd"][alerts(candidate.detections)]
    return float(np.fmin(candidate.first_seen, seen.min() if len(seen) else np.nan))


def true_peak(rows: Detections) -> float:
    """MJD of the peak of a whole light curve in a g-like band, else in an r-like one; NaN where points do not cover it."""
    for bands in (("g", "c"), ("r", "o")):
        own = rows[np.isin(rows["band"], bands) & alerts(rows) & (rows["flux"] > 0.0)]
        t, flux, error = (np.ascontiguousarray(own[name], dtype=np.float64) for name in ("mjd", "flux", "flux_err"))
        peak = vertex(t, flux, error)
        if np.isfinite(peak):
            return peak
    return float("nan")
