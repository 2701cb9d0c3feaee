"""Rank candidates for tonight, and plan requests for the best."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from followup import rank as ranking
from followup import sites, visibility
from followup.plan import plan as make_plan
from followup.records import Candidate, Limits, Night, ObservationRequest, Ranking
from tom_alerce import conf, models
from tom_alerce.clock import now
from tom_alerce.requests.facilities import facility_name, options_of
from tom_alerce.store import rankings
from tom_alerce.store.candidates import candidates as load_candidates


@dataclass(frozen=True)
class Ranked:
    """A ranking, the row in which it is stored, if it is, and the records that it was made of."""

    row: models.Ranking | None
    ranking: Ranking
    candidates: Sequence[Candidate]
    night: Night


def rank(
    site: str | Mapping[str, Any] | None = None,
    at: float | None = None,
    sky_object_ids: Iterable[int] | None = None,
    keep: bool = True,
) -> Ranked:
    """Rank what was seen lately (or these objects) for what is left of the night, or for the coming one, and store the ranking.

    Parameters
    ----------
    site : str or mapping, optional
        As ``SITE`` in the settings, which it replaces.
    at : float, optional
        MJD, UTC; now.
    sky_object_ids : iterable of int, optional
        Objects to rank, whatever their age.
    keep : bool
        False stores nothing: a question about one object is not the night's ranking.

    Raises
    ------
    FollowupError
        No such site, term or limit.
    """
    at = now() if at is None else at
    where = sites.site(conf.get("SITE") if site is None else site)
    lately = {"last_mjd__gte": at - conf.get("RANK_DAYS"), "first_mjd__lte": at}
    which = lately if sky_object_ids is None else {"pk__in": list(sky_object_ids)}
    candidates = load_candidates(models.SkyObject.objects.filter(moving=False, **which))
    ra, dec = ([getattr(c, name) for c in candidates] for name in ("ra", "dec"))
    night = visibility.night(where, ra, dec, at, Limits(**conf.get("LIMITS")))
    made = ranking.rank(candidates, night, conf.get("TERMS") or ranking.DEFAULT_TERMS)
    row = rankings.save(made, night, candidates, conf.get("RANK_LIMIT")) if keep else None
    return Ranked(row, made, candidates, night)


def plan(ranked: Ranked, **options: Any) -> list[ObservationRequest]:
    """Requests for the best of a ranking, as ``FACILITY`` in the settings says; nothing is stored (see `tom_alerce.requests.draft`)."""
    given = {"facility": facility_name(), **options_of(make_plan), **options}
    return make_plan(ranked.ranking, ranked.candidates, ranked.night, **given)
