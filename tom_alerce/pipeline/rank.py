"""Ranks candidates for tonight, and plans requests for the best."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from django.db.models import Max

from followup import rank as ranking
from followup import sites, visibility
from followup.batch import Batch
from followup.plan import passed_over as find_reasons
from followup.plan import plan as make_plan
from followup.profiles import Cuts, Profile
from followup.records import Candidate, FollowupError, Limits, Night, ObservationRequest, Ranking
from tom_alerce import conf, models
from tom_alerce.clock import now
from tom_alerce.requests.facilities import facility_name, options_of
from tom_alerce.store import profiles, rankings, retention
from tom_alerce.store.candidates import candidates as load_candidates
from tom_alerce.store.errors import StoreError

#: As ``SITE`` in the settings.
Site: TypeAlias = str | Mapping[str, Any]


@dataclass(frozen=True)
class Ranked:
    """A ranking, the records that it was made of, and the profile by which it was made."""

    ranking: Ranking
    candidates: Sequence[Candidate]
    night: Night
    profile: Profile


@dataclass(frozen=True)
class Stored(Ranked):
    """A ranking with the row in which it is stored."""

    row: models.Ranking


def rank(site: Site | None = None, at: float | None = None, profile: Profile | str = "") -> Stored:
    """Rank the recent objects as `compute` does, and store the ranking; some of what is too old is removed.

    Without a site, and without one of the profile's own, it is that of the settings.
    """
    profile = _profile(profile)
    where = site if site is not None else next(iter(profile.sites), None)
    return several([profile], None if where is None else [where], at)[0]


def several(
    names: Sequence[Profile | str],
    sites_: Sequence[Site] | None = None,
    at: float | None = None,
    refused: MutableMapping[str, FollowupError] | None = None,
) -> list[Stored]:
    """Rank by several profiles, each at these sites or at its own, and store the rankings; objects and light curves are read once.

    A profile that cannot be used is added to ``refused`` with the reason, and the others are ranked by; without ``refused`` it ends all.
    """
    made: list[Stored] = []
    loaded = _Loaded(now() if at is None else at)
    for name in names:
        try:
            profile = _profile(name)
            for site in sites_ or profile.sites or [conf.get("SITE")]:
                made.append(_stored(loaded.ranked(profile, site)))
        except FollowupError as error:
            if refused is None:
                raise
            refused[name if isinstance(name, str) else name.name] = error
    retention.prune()
    return made


def _stored(ranked: Ranked) -> Stored:
    row = rankings.save(ranked.ranking, ranked.night, ranked.candidates, conf.get("RANK_LIMIT"), ranked.profile)
    return Stored(ranked.ranking, ranked.candidates, ranked.night, ranked.profile, row)


def compute(
    site: Site | None = None,
    at: float | None = None,
    sky_object_ids: Iterable[int] | None = None,
    profile: Profile | str = "",
) -> Ranked:
    """Rank recent objects, or given ones, for what is left of the night or, in daytime, for the coming night; store nothing.

    Parameters
    ----------
    site : str or mapping, optional
        As ``SITE`` in the settings, which is the default.
    at : float, optional
        MJD, UTC; the default is now.
    sky_object_ids : iterable of int, optional
        Objects to rank, whatever their age; the default are those that the cuts of the profile let pass.
    profile : Profile or str
        A profile, or the name of one that is in use; the default is that of the board.

    Raises
    ------
    FollowupError
        The site, a term, a veto or a limit cannot be used.
    """
    return _Loaded(now() if at is None else at, sky_object_ids).ranked(_profile(profile), conf.get("SITE") if site is None else site)


def _profile(profile: Profile | str) -> Profile:
    try:
        return profiles.current(profile or rankings.profile_name()) if isinstance(profile, str) else profile
    except StoreError as error:
        raise FollowupError(str(error)) from error


class _Loaded:
    """Candidates of a time, read once for all profiles with the same cuts."""

    def __init__(self, at: float, sky_object_ids: Iterable[int] | None = None) -> None:
        self._at = at
        self._keys = None if sky_object_ids is None else list(sky_object_ids)
        self._batches: dict[Cuts, Batch] = {}

    def ranked(self, profile: Profile, site: Site) -> Ranked:
        """The ranking by a profile at a site."""
        batch = self._batch(profile.cuts)
        night = visibility.night(sites.site(site), batch.ra, batch.dec, self._at, Limits(**conf.get("LIMITS")))
        return Ranked(ranking.rank(batch, night, profile.merits, profile.vetoes), batch, night, profile)

    def _batch(self, cuts: Cuts) -> Batch:
        if cuts not in self._batches:
            days = conf.get("RANK_DAYS") if cuts.days is None else cuts.days
            recent = {"last_mjd__gte": self._at - days, "first_mjd__lte": self._at, "n_detections__gte": cuts.detections}
            selection = recent if self._keys is None else {"pk__in": self._keys}
            self._batches[cuts] = load_candidates(models.SkyObject.objects.filter(moving=False, **selection), self._at)
        return self._batches[cuts]


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
    """Plan requests for the best of a ranking, with facility and budget of its profile before those of the settings; nothing is stored."""
    return make_plan(ranked.ranking, ranked.candidates, ranked.night, **_options(ranked.profile, options))


def passed_over(ranked: Ranked, **options: Any) -> dict[str, str]:
    """Reasons why `plan` makes no request for candidates that it comes to, by the name of the candidate."""
    names = {c.key: c.name for c in ranked.candidates}
    reasons = find_reasons(ranked.ranking, ranked.candidates, ranked.night, **_options(ranked.profile, options))
    return {names[key]: reason for key, reason in reasons.items()}


def _options(profile: Profile, given: Mapping[str, Any]) -> dict[str, Any]:
    budget = {"top": profile.budget.slots, "hours": profile.budget.hours}
    own = options_of(make_plan, profile=profile) | {name: most for name, most in budget.items() if most is not None}
    return {"facility": facility_name(profile), **own, **given}
