"""Stores rankings of candidates for a night, with the value and reason of every term; says which ranking is the current one."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from django.db import transaction
from django.db.models import Max, QuerySet

from followup import sites
from followup.records import Candidate, FollowupError, Night, Ranking
from tom_alerce import conf, models
from tom_alerce.clock import now as now_mjd
from tom_alerce.models.places import Places

#: Number of points of the altitude curve that are stored for the figure of the night.
_POINTS = 48
#: Width of the column of a site's name.
_SITE = models.Ranking._meta.get_field("site").max_length
#: A ranking for another time than that of its making, by more than this (days), is a supposed one: it answers "what if".
_SUPPOSED = 15.0 / 1440.0
#: Largest number of supposed rankings that are offered.
_OFFERED = 8


def site_name() -> str:
    """Name of the site of the settings, as it is stored; if the settings cannot be used (`check` says so), what they have."""
    where = conf.get("SITE")
    try:
        return sites.site(where).name[:_SITE]
    except FollowupError:
        return str(where)[:_SITE]


def current(site: str | None = None) -> models.Ranking | None:
    """The current ranking: the latest for a site (that of the settings), made for the time of its making; None if there is none.

    Board, object pages, API, explanations and requests mean this one. Rankings for other sites and for supposed times are chosen by who
    wants to see them. The current one may be of an earlier night, if nobody has ranked since: `is_for_tonight` says so.
    """
    rows = models.Ranking.objects.filter(site=site_name() if site is None else site, supposed=False)
    return rows.order_by("-now", "-pk").first()


def offered() -> list[models.Ranking]:
    """Rankings to choose from: the current one of each site, that of the settings first, then the latest supposed ones."""
    every = models.Ranking.objects.defer("packed")
    latest = every.filter(supposed=False).values("site").order_by("site").annotate(latest=Max("pk")).values("latest")
    own = site_name()
    by_site = sorted(every.filter(pk__in=latest), key=lambda row: (row.site != own, row.site))
    return [*by_site, *every.filter(supposed=True).order_by("-pk")[:_OFFERED]]


def ranks(ranking: models.Ranking | None) -> QuerySet[models.Rank]:
    """Ranks of a ranking, the best first, sharing it, so that its places are unpacked once; none for None."""
    return models.Rank.objects.filter(ranking=ranking).order_by("place").prefetch_related("ranking")


def rank_of(sky_object: models.SkyObject) -> models.Rank | None:
    """Place of an object in the current ranking, else in the latest ranking for the time of its making that has it; None without one."""
    rows = models.Rank.objects.filter(sky_object=sky_object, ranking__supposed=False).select_related("ranking")
    present = current()
    own = rows.filter(ranking=present).first() if present is not None else None
    return own or rows.order_by("-ranking__now", "-pk").first()


def is_for_tonight(ranking: models.Ranking, at: float | None = None) -> bool:
    """Whether the night of a ranking is still to come or going on: the time (now), MJD, is before the end of its last dark hour.

    A night without a dark hour counts for a day.
    """
    at = now_mjd() if at is None else at
    times = ranking.places.times
    return at <= (float(times[-1]) if len(times) else ranking.now + 1.0)


def save(ranking: Ranking, night: Night, candidates: Sequence[Candidate], limit: int) -> models.Ranking:
    """Store the best ``limit`` of a ranking; ``candidates`` are in the order of the night's arrays; keys are sky objects' as text."""
    order = {candidate.key: i for i, candidate in enumerate(candidates)}
    keys = ranking.keys[:limit]
    rows = np.array([order[key] for key in keys], np.intp)
    with transaction.atomic():
        row = models.Ranking.objects.create(
            site=night.site.name[:_SITE],
            night=night.date,
            now=night.now,
            supposed=abs(night.now - now_mjd()) > _SUPPOSED,
            weights={k: float(w) for k, w in ranking.weights.items()},
            packed=_places(ranking, night, rows).pack(),
        )
        models.Rank.objects.bulk_create(
            (
                models.Rank(
                    ranking=row,
                    sky_object_id=int(key),
                    place=i + 1,
                    score=float(ranking.scores[i]),
                    hours=float(ranking.hours[i]),
                    magnitude=magnitude(candidates[rows[i]], night.now),
                )
                for i, key in enumerate(keys)
            ),
            batch_size=500,
        )
    return row


def magnitude(candidate: Candidate, now: float) -> float | None:
    """AB magnitude of the latest detection before ``now`` (MJD), as the board shows it; None where it is not known."""
    history = candidate.history(now)
    return None if history is None or math.isnan(history.trend.latest) else history.trend.latest


def _places(ranking: Ranking, night: Night, rows: np.ndarray[tuple[int], np.dtype[np.intp]]) -> Places:
    """Terms of the best candidates, and their night, subsampled; ``rows`` are their places in the night's arrays."""
    n, t = len(rows), len(night.times)
    kept = np.unique(np.linspace(0, t - 1, min(t, _POINTS)).round().astype(int)) if t else np.empty(0, int)
    return Places(
        scores={name: term.values[:n].astype(np.float32) for name, term in ranking.terms.items()},
        reasons={name: term.reasons[:n] for name, term in ranking.terms.items()},
        times=night.times[kept],
        moon_altitude=night.moon_altitude[kept],
        altitude=night.altitude[np.ix_(rows, kept)],
        moon_separation=night.moon_separation[rows, t // 2] if t else np.full(n, np.nan),
    )
