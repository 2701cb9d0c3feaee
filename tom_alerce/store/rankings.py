"""Stores rankings of candidates for a night, with the value and reason of every term; says which ranking is the current one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import Case, Max, Q, QuerySet, Subquery, Value, When
from numpy.typing import NDArray

from followup import sites
from followup.batch import Batch
from followup.profiles import Profile
from followup.records import Candidate, FollowupError, Night, Ranking
from tom_alerce import conf, models
from tom_alerce.clock import now as now_mjd
from tom_alerce.models.places import Places
from tom_alerce.store import entered
from tom_alerce.store.sanitize import sanitize_text

#: Number of points of the altitude curve that are stored for the figure of the night.
_POINTS = 48
#: Width of the column of a site's name.
_SITE = models.Ranking._meta.get_field("site").max_length
#: A ranking for another time than that of its making, by more than this (days), is a supposed one: it answers "what if".
_SUPPOSED = 15.0 / 1440.0
#: Largest number of supposed rankings that are offered.
_MOST_OFFERED = 8


def site_name() -> str:
    """Name of the site of the settings, as it is stored; if the settings cannot be used (`check` says so), what they have."""
    where = conf.get("SITE")
    try:
        return sites.site(where).name[:_SITE]
    except FollowupError:
        return str(where)[:_SITE]


def profile_name() -> str:
    """Name of the profile that board, object pages, API and requests mean if nobody says which: the first of the settings."""
    return next(iter(conf.get("PROFILES")), "default")


def current(site: str | None = None, profile: str = "") -> models.Ranking | None:
    """The current ranking: the latest for a site and by a profile (those of the settings), made for the time of its making; None without.

    Board, object pages, API, explanations and requests mean this one. Rankings for other sites and for supposed times are chosen by who
    wants to see them. The current one may be of an earlier night, if nobody has ranked since: `is_for_tonight` says so.
    """
    return _latest(site, profile).first()


def _latest(site: str | None, profile: str) -> QuerySet[models.Ranking]:
    by = sanitize_text(profile) or profile_name()
    rows = models.Ranking.objects.filter(site=site_name() if site is None else site, profile=by, supposed=False)
    return rows.order_by("-now", "-pk")


def chosen(key: int | None = None, profile: str = "", **beside: Any) -> tuple[Any, list[Any]]:
    """The ranking of that key, or the `current` one, and those `offered`, in one query; ``beside`` are further columns of each."""
    shown = Subquery(_latest(None, profile).values("pk")[:1]) if key is None else Value(key)
    rows = _offered(Q(pk=shown)).annotate(places_packed=Case(When(pk=shown, then="packed")), is_shown=Q(pk=shown), **beside)
    found: list[Any] = sorted(rows, key=_place)
    one = next((row for row in found if row.is_shown), None)
    if one is not None:
        one.packed = one.places_packed
    return one, found


def offered() -> list[models.Ranking]:
    """Rankings to choose from: the current one of each site and profile, those of the settings first, then the latest supposed ones."""
    return sorted(_offered(), key=_place)


def _offered(other: Q | None = None) -> QuerySet[models.Ranking]:
    every = models.Ranking.objects.defer("packed")
    latest = every.filter(supposed=False).values("site", "profile").order_by("site").annotate(latest=Max("pk")).values("latest")
    supposed = every.filter(supposed=True).order_by("-pk").values("pk")[:_MOST_OFFERED]
    return every.filter(Q(pk__in=latest) | Q(pk__in=supposed) | (other or Q(pk__in=())))


def _place(row: models.Ranking) -> tuple[Any, ...]:
    """Those of the settings first, then the latest supposed ones."""
    return (True, -row.pk) if row.supposed else (False, row.site != site_name(), row.site, row.profile != profile_name(), row.profile)


def ranks(ranking: models.Ranking | None) -> QuerySet[models.Rank]:
    """Ranks of a ranking, the best first, sharing it, so that its places are unpacked once; none for None."""
    return models.Rank.objects.none() if ranking is None else ranking.ranks.order_by("place")


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


def save(ranking: Ranking, night: Night, candidates: Sequence[Candidate], limit: int, profile: Profile | None = None) -> models.Ranking:
    """Store the best of a ranking; ``candidates`` are in the order of the night's arrays; keys are sky objects' as text.

    These are the best ``limit`` that may be observed, and a fifth as many of those that may from a date on; if that leaves room within
    ``limit``, what is vetoed without a date as well.
    """
    order = {candidate.key: i for i, candidate in enumerate(candidates)}
    kept = _kept(ranking, night.now, limit)
    rows = np.array([order[ranking.keys[i]] for i in kept], np.intp)
    latest = Batch.of(candidates).at(night.now).number("latest")[rows]
    against = _against(ranking, night.now)
    with transaction.atomic():
        row = models.Ranking.objects.create(
            site=night.site.name[:_SITE],
            night=night.date,
            now=night.now,
            supposed=abs(night.now - now_mjd()) > _SUPPOSED,
            profile=profile.name if profile else profile_name(),
            version=profile.version if profile else 1,
            weights={k: float(w) for k, w in ranking.weights.items()},
            packed=_places(ranking, night, kept, rows).pack(),
        )
        models.Rank.objects.bulk_create(
            (
                models.Rank(
                    ranking=row,
                    sky_object_id=int(ranking.keys[i]),
                    place=k + 1,
                    score=float(ranking.scores[i]),
                    vetoed=bool(against[i]),
                    hours=float(ranking.hours[i]),
                    magnitude=float(latest[k]) if np.isfinite(latest[k]) else None,
                )
                for k, i in enumerate(kept.tolist())
            ),
            batch_size=500,
        )
        entered.note(row)
    return row


def magnitude(candidate: Candidate, now: float) -> float | None:
    """AB magnitude of the latest detection before ``now`` (MJD), as the board shows it; None where it is not known."""
    history = candidate.history(now)
    return None if history is None or math.isnan(history.trend.latest) else history.trend.latest


def _against(ranking: Ranking, now: float) -> NDArray[np.bool_]:
    """Whether any veto is against each place, shape (n,)."""
    against: NDArray[np.bool_] = np.any(
        [np.zeros(len(ranking.keys), bool), *(veto.against(now) for veto in ranking.vetoes.values())], axis=0
    )
    return against


def _kept(ranking: Ranking, now: float, limit: int) -> NDArray[np.intp]:
    """Places that are stored, counted from 0, ascending."""
    against = _against(ranking, now)
    dated = against.copy()
    for veto in ranking.vetoes.values():
        dated &= ~(veto.until == np.inf)
    kept = [*np.flatnonzero(~against)[:limit], *np.flatnonzero(dated)[: limit // 5]]
    rest = np.setdiff1d(np.arange(len(against)), kept)
    return np.sort(np.array([*kept, *rest[: max(limit - len(kept), 0)]], np.intp))


def _vetoes(ranking: Ranking, now: float, kept: NDArray[np.intp]) -> dict[str, dict[int, tuple[str, float | None]]]:
    """Veto -> place, counted from 1, -> reason and date, of those that are against it."""
    found: dict[str, dict[int, tuple[str, float | None]]] = {}
    for name, veto in ranking.vetoes.items():
        places = np.flatnonzero(veto.against(now)[kept])
        dates = [None if np.isinf(until) else float(until) for until in veto.until[kept[places]]]
        found[name] = {int(k) + 1: (veto.reasons[int(kept[k])], date) for k, date in zip(places, dates, strict=True)}
    return found


def _places(ranking: Ranking, night: Night, kept: NDArray[np.intp], rows: NDArray[np.intp]) -> Places:
    """Terms, vetoes and night, subsampled, of the places kept; ``rows`` are theirs in the night's arrays."""
    n, t = len(rows), len(night.times)
    times = np.unique(np.linspace(0, t - 1, min(t, _POINTS)).round().astype(int)) if t else np.empty(0, int)
    return Places(
        scores={name: term.values[kept].astype(np.float32) for name, term in ranking.terms.items()},
        reasons={name: [term.reasons[i] for i in kept.tolist()] for name, term in ranking.terms.items()},
        times=night.times[times],
        moon_altitude=night.moon_altitude[times],
        altitude=night.altitude[np.ix_(rows, times)],
        moon_separation=night.moon_separation[rows, t // 2] if t else np.full(n, np.nan),
        vetoes=_vetoes(ranking, night.now, kept),
    )
