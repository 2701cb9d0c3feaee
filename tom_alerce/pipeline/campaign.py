"""Replays past nights of this TOM: what a profile would have observed, and what that turned out to be."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from classifiers.posterior import infer
from followup import replay, sites
from followup.profiles import Profile
from followup.records import Candidate, Limits
from tom_alerce import conf, models
from tom_alerce.clock import now
from tom_alerce.store import said as store
from tom_alerce.store.candidates import candidates as load_candidates

#: Probability of SNIa, by any classifier by now, above which an object counts as one.
LIKELY = 0.5
#: Local mean time of an evening, as a part of the day.
EVENING = 0.75


@dataclass(frozen=True)
class Campaign:
    """Replayed nights.

    Attributes
    ----------
    nights, slots : int
        Nights, and observations that each has room for.
    picks : tuple of followup.replay.Pick
        Night by night, best first.
    figures : mapping
        By hindsight: hits and young ones per slot, purity, and the ratios to other policies; None where those found nothing.
    """

    nights: int
    slots: int
    picks: tuple[replay.Pick, ...]
    figures: Mapping[str, float | None]


def past(
    profile: Profile,
    nights: int = 30,
    *,
    slots: int = 10,
    site: str | Mapping[str, Any] | None = None,
    at: float | None = None,
    most: int | None = None,
) -> Campaign:
    """Replay the latest nights with a profile, from what this TOM had and had said by each evening.

    Parameters
    ----------
    profile : Profile
        Its own number of slots goes before ``slots``, its first site before that of the settings.
    nights : int
        Nights that have passed.
    slots : int
        Observations that a night has room for.
    site : str or mapping, optional
        As ``SITE`` in the settings.
    at : float, optional
        MJD, UTC; the default is now.
    most : int, optional
        Number of objects, those detected last; the default is all.

    Raises
    ------
    FollowupError
        The site, or a term or veto of the profile, cannot be used.
    """
    at = now() if at is None else at
    where = sites.site(site or (profile.sites[0] if profile.sites else conf.get("SITE")))
    evenings = _evenings(at, nights, where.longitude)
    days = conf.get("RANK_DAYS") if profile.cuts.days is None else profile.cuts.days
    recent = models.SkyObject.objects.filter(moving=False, last_mjd__gte=evenings[0] - days, first_mjd__lte=evenings[-1])
    if most is not None:
        recent = models.SkyObject.objects.filter(pk__in=list(recent.order_by("-last_mjd", "-pk").values_list("pk", flat=True)[:most]))
    every, limits, slots = load_candidates(recent), Limits(**conf.get("LIMITS")), profile.budget.slots or slots
    said = store.history([int(c.key) for c in every])

    @cache
    def known(evening: float) -> Sequence[Candidate]:
        then = [known for c in every if (known := replay.known_at(c, evening, days)) is not None]
        outlooks = infer([c.detections for c in then], evening)
        return [replace(c, outlook=outlooks[i], **_said(said.get(int(c.key), ()), evening)) for i, c in enumerate(then)]

    policies = {"": replay.by_profile(profile), "brightest": replay.brightest, "random": replay.at_random}
    picks = {name: replay.follow(policy, known, evenings, where, slots=slots, limits=limits) for name, policy in policies.items()}
    ia = {c.key for c in every if any(by_class.get("SNIa", 0.0) > LIKELY for by_class in c.probabilities.values())}
    return Campaign(nights, slots, picks[""], _figures({name: replay.judge(p, every, ia) for name, p in picks.items()}, nights * slots))


def _evenings(at: float, nights: int, longitude: float) -> list[float]:
    """The latest evenings (MJD, UTC) before a time, in order."""
    latest = math.floor(at + longitude / 360.0 - EVENING) + EVENING - longitude / 360.0
    return [latest - k for k in range(nights - 1, -1, -1)]


def _said(rows: Sequence[store.Said], evening: float) -> dict[str, Any]:
    """What had been said of an object by an evening: of each classifier the latest."""
    latest = {one.classifier: one for one in rows if one.mjd <= evening}
    odd = [one.oddness for one in latest.values() if math.isfinite(one.oddness)]
    return {"probabilities": {name: one.probabilities for name, one in latest.items()}, "oddness": odd[-1] if odd else math.nan}


def _figures(counts: Mapping[str, replay.Counts], offered: int) -> dict[str, float | None]:
    own = counts[""]

    def over(above: int, below: int) -> float | None:
        return round(above / below, 4) if below else None

    found = {"hits_per_slot": over(own.hits, offered), "purity": over(own.hits, own.observed), "young_per_slot": over(own.young, offered)}
    for name in ("brightest", "random"):
        found[f"ratio_to_{name}"] = over(own.hits, counts[name].hits)
    return found | {"young_ratio_to_brightest": over(own.young, counts["brightest"].young)}
