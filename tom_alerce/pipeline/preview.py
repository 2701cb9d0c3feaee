"""Ranks recent objects by a profile that is not stored yet, in this process, so that whoever edits it sees the order at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from django.db.models import F
from numpy.typing import NDArray

from followup import sites, visibility
from followup.profiles import Profile
from followup.rank import rank
from followup.records import Candidate, Limits, Ranking
from tom_alerce import conf, models
from tom_alerce.store.candidates import candidates as load

#: Objects that a preview ranks: those detected last.
POOL = 300
#: Places that it shows.
PLACES = 15


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a preview: key of the object, score, place by the profile to compare with (None: none), and what lowers it most."""

    place: int
    key: int
    score: float
    before: int | None
    term: str
    reason: str


@dataclass(frozen=True, slots=True)
class Preview:
    """The best of n objects by a profile, and how many of them which veto keeps out, the most first."""

    places: tuple[Place, ...]
    n: int
    vetoed: int
    by_veto: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """The candidates that previews rank, and the latest detection of each (MJD, UTC), shape (n,)."""

    candidates: Sequence[Candidate]
    last: NDArray[np.float64]


def pool(at: float) -> Pool:
    """Up to `POOL` objects that were detected last before a time (MJD, UTC), within ``RANK_DAYS``."""
    recent = models.SkyObject.objects.filter(moving=False, last_mjd__gte=at - conf.get("RANK_DAYS"), first_mjd__lte=at)
    last = dict(recent.order_by(F("last_mjd").desc(), "-pk").values_list("pk", "last_mjd")[:POOL])
    candidates = load(models.SkyObject.objects.filter(pk__in=list(last))) if last else []
    return Pool(candidates, np.array([last[int(c.key)] for c in candidates], dtype=np.float64))


def order(profile: Profile, among: Pool, at: float) -> Ranking:
    """Ranking of those of a pool that meet the cuts of a profile, at its first site; FollowupError if it cannot be used."""
    days = conf.get("RANK_DAYS") if profile.cuts.days is None else profile.cuts.days
    counts = np.array([c.n_seen for c in among.candidates])
    meets = (among.last >= at - days) & (counts >= profile.cuts.detections)
    chosen = among.candidates if meets.all() else [c for c, meet in zip(among.candidates, meets, strict=True) if meet]
    ra, dec = (np.array([getattr(c, name) for c in chosen], dtype=np.float64) for name in ("ra", "dec"))
    site = sites.site(profile.sites[0] if profile.sites else conf.get("SITE"))
    return rank(chosen, visibility.night(site, ra, dec, at, Limits(**conf.get("LIMITS"))), profile.merits, profile.vetoes)


def preview(profile: Profile, among: Pool, at: float, before: Ranking | None = None) -> Preview:
    """The best `PLACES` by a profile, each with its place in the ranking ``before``."""
    ranking = order(profile, among, at)
    old = {key: i for i, key in enumerate(before.keys, 1) if before.scores[i - 1] > 0.0} if before is not None else {}
    against = {name: int(veto.against(at).sum()) for name, veto in ranking.vetoes.items()}
    kept = int((ranking.scores > 0.0).sum())
    return Preview(
        places=tuple(_place(ranking, i, old) for i in range(min(kept, PLACES))),
        n=len(ranking.keys),
        vetoed=len(ranking.keys) - kept,
        by_veto=tuple(sorted(((name, n) for name, n in against.items() if n), key=lambda item: -item[1])),
    )


def _place(ranking: Ranking, i: int, old: Mapping[str, int]) -> Place:
    """Place i, counted from 0; what lowers it most is the term with the largest part of -w ln s."""
    with np.errstate(divide="ignore"):
        losses = {name: -ranking.weights[name] * float(np.log(s.values[i])) for name, s in ranking.terms.items() if ranking.weights[name]}
    term = max(losses, key=lambda name: losses[name])
    return Place(i + 1, int(ranking.keys[i]), float(ranking.scores[i]), old.get(ranking.keys[i]), term, ranking.terms[term].reasons[i])
