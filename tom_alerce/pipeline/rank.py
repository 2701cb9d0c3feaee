"""Ranks candidates for tonight, and plans requests for the best."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import Max

from followup import rank as ranking
from followup import sites, visibility
from followup.plan import passed_over as find_reasons
from followup.plan import plan as make_plan
from followup.records import Candidate, Limits, Night, ObservationRequest, Ranking
from tom_alerce import conf, models
from tom_alerce.clock import now
from tom_alerce.requests.facilities import facility_name, options_of
from tom_alerce.store import rankings, retention
from tom_alerce.store.candidates import candidates as load_candidates


@dataclass(frozen=True)
class Ranked:
    """A ranking, and the records that it was made of."""

    ranking: Ranking
    candidates: Sequence[Candidate]
    night: Night


@dataclass(frozen=True)
class Stored(Ranked):
    """A ranking with the row in which it is stored."""

    row: models.Ranking


def rank(site: str | Mapping[str, Any] | None = None, at: float | None = None) -> Stored:
    """Rank the objects detected within ``RANK_DAYS`` as `compute` does, and store the ranking; some of what is too old is removed."""
    ranked = compute(site, at)
    row = rankings.save(ranked.ranking, ranked.night, ranked.candidates, conf.get("RANK_LIMIT"))
    retention.prune()
    return Stored(ranked.ranking, ranked.candidates, ranked.night, row)


def compute(
    site: str | Mapping[str, Any] | None = None,
    at: float | None = None,
    sky_object_ids: Iterable[int] | None = None,
) -> Ranked:
    """Rank recent objects, or given ones, for what is left of the night or, in daytime, for the coming night; store nothing.

    Parameters
    ----------
    site : str or mapping, optional
        As ``SITE`` in the settings, which is the default.
    at : float, optional
        MJD, UTC; the default is now.
    sky_object_ids : iterable of int, optional
        Objects to rank, whatever their age; the default are those detected within ``RANK_DAYS``.

    Raises
    ------
    FollowupError
        The site, a term or a limit cannot be used.
    """
    at = now() if at is None else at
    recent = {"last_mjd__gte": at - conf.get("RANK_DAYS"), "first_mjd__lte": at}
    selection = recent if sky_object_ids is None else {"pk__in": list(sky_object_ids)}
    candidates = load_candidates(models.SkyObject.objects.filter(moving=False, **selection))
    ra, dec = np.array([c.ra for c in candidates]), np.array([c.dec for c in candidates])
    night = visibility.night(sites.site(conf.get("SITE") if site is None else site), ra, dec, at, Limits(**conf.get("LIMITS")))
    return Ranked(ranking.rank(candidates, night, conf.get("TERMS") or ranking.DEFAULT_TERMS), candidates, night)


def tonight(site: str | None = None, at: float | None = None) -> tuple[Ranked, models.Ranking]:
    """Candidates to plan requests from, and the stored ranking to which they belong.

    Without a site or a time of its own this is the current ranking (`rankings.current`), if it is for tonight: the objects that the board
    shows, ranked again for what is left of the night. Otherwise a ranking is made and stored.
    """
    current = rankings.current() if site is None and at is None else None
    if current is not None and rankings.is_for_tonight(current):
        return compute(sky_object_ids=list(current.ranks.values_list("sky_object", flat=True))), current
    stored = rank(site, at)
    return stored, stored.row


def why_empty(at: float) -> str:
    """Why a ranking for a time (MJD) has no object: a sentence for pages and commands."""
    days = conf.get("RANK_DAYS")
    objects = models.SkyObject.objects.all()
    total = objects.count()
    if not total:
        return "no object is stored yet: alerce_poll queries the brokers, alerce_ingest reads packets"
    counted = f"{total} object{'s' if total > 1 else ''}"
    fixed = objects.filter(moving=False)
    if not fixed.exists():
        return f"{counted}, all of them known to move"
    recent = fixed.filter(last_mjd__gte=at - days)
    if not recent.exists():
        latest = fixed.aggregate(latest=Max("last_mjd"))["latest"]
        seen = "none has a detection" if latest is None else f"the latest was seen {at - latest:.0f} days before"
        return f"{counted}, none seen within RANK_DAYS = {days:g} ({seen})"
    if not recent.filter(first_mjd__lte=at).exists():
        return f"{counted}, none of the recent ones seen before the time of the ranking"
    return f"{counted}, of which {recent.count()} are recent by now: rank again"


def plan(ranked: Ranked, **options: Any) -> list[ObservationRequest]:
    """Plan requests for the best of a ranking with the options of ``FACILITY`` in the settings; nothing is stored."""
    return make_plan(ranked.ranking, ranked.candidates, ranked.night, **_options(options))


def passed_over(ranked: Ranked, **options: Any) -> dict[str, str]:
    """Reasons why `plan` makes no request for candidates that it comes to, by the name of the candidate."""
    names = {c.key: c.name for c in ranked.candidates}
    reasons = find_reasons(ranked.ranking, ranked.candidates, ranked.night, **_options(options))
    return {names[key]: reason for key, reason in reasons.items()}


def _options(given: Mapping[str, Any]) -> dict[str, Any]:
    return {"facility": facility_name(), **options_of(make_plan), **given}
