"""Ranks recent objects by a profile that is not stored yet, in this process, so that whoever edits it sees the order at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from django.db.models import F

from followup import sites, visibility
from followup.profiles import Profile
from followup.rank import rank
from followup.records import Candidate, Limits, Night, Ranking
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


def pool(at: float) -> list[Candidate]:
    """Up to `POOL` objects that were detected last before a time (MJD, UTC), within ``RANK_DAYS``."""
    recent = models.SkyObject.objects.filter(moving=False, last_mjd__gte=at - conf.get("RANK_DAYS"), first_mjd__lte=at)
    keys = recent.order_by(F("last_mjd").desc(), "-pk").values_list("pk", flat=True)[:POOL]
    return load(models.SkyObject.objects.filter(pk__in=list(keys)))


def order(profile: Profile, candidates: Sequence[Candidate], at: float) -> tuple[Ranking, Night]:
    """Ranking of those of the candidates that meet the cuts of a profile, at its first site; FollowupError if it cannot be used."""
    days = conf.get("RANK_DAYS") if profile.cuts.days is None else profile.cuts.days
    chosen = [c for c in candidates if c.n_seen >= profile.cuts.detections and _seen_since(c, at - days)]
    ra, dec = (np.array([getattr(c, name) for c in chosen], dtype=np.float64) for name in ("ra", "dec"))
    site = sites.site(profile.sites[0] if profile.sites else conf.get("SITE"))
    night = visibility.night(site, ra, dec, at, Limits(**conf.get("LIMITS")))
    return rank(chosen, night, profile.merits, profile.vetoes), night


def _seen_since(candidate: Candidate, mjd: float) -> bool:
    times = candidate.detections["mjd"]
    return bool(len(times)) and float(times.max()) >= mjd


def preview(profile: Profile, candidates: Sequence[Candidate], at: float, before: Ranking | None = None) -> Preview:
    """The best `PLACES` by a profile, each with its place in the ranking ``before``."""
    ranking, _ = order(profile, candidates, at)
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
