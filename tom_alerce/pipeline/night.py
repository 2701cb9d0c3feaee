"""Plans the night of the best candidates of the current ranking at one or more sites."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from followup.night import NightPlan, solve
from followup.plan import planned_requests, telescope
from followup.records import Candidate, FollowupError, ObservationRequest
from tom_alerce import conf
from tom_alerce.pipeline import rank
from tom_alerce.requests.facilities import facility_name, options_of
from tom_alerce.store import profiles, rankings

#: Largest number of candidates of a plan, which is solved while a page is waited for.
MOST = 60


@dataclass(frozen=True)
class Planned:
    """A night plan and its candidates, whose order is that of the targets of the plan."""

    plan: NightPlan
    candidates: Sequence[Candidate]

    @property
    def requests(self) -> list[ObservationRequest]:
        """Requests of all observations of the plan; nothing is stored."""
        return planned_requests(self.plan, self.candidates)


def plan_night(
    sites: Sequence[str | Mapping[str, Any]],
    at: float,
    *,
    instrument: str = "",
    hours: float = math.inf,
    most: float = math.inf,
    top: int = MOST,
    forced: Collection[int] = (),
    without: Collection[int] = (),
    profile: str = "",
) -> Planned:
    """Plan the best ``top`` objects of the current ranking, ranked again for each site, for what is left of the night at a time.

    Parameters
    ----------
    sites : sequence of str or mapping
        As ``SITE`` in the settings; none takes those of the profile, else that of the settings.
    at : float
        MJD, UTC; in daytime the coming night is planned.
    instrument : str
        Of the facility of the settings; '' takes that of the settings.
    hours, most : float
        Hours of each telescope, and number of observations in all.
    top : int
        Number of candidates, at most `MOST`.
    forced, without : collection of int
        Keys of sky objects that have to be in the plan where they can be observed, and that must not; forced ones need no place in the
        ranking.
    profile : str
        Name of a profile that is in use, by default that of the board; its budget limits ``hours`` and ``most``, its facility goes before
        that of the settings.

    Raises
    ------
    FollowupError
        The profile, a site, the instrument, a term or a limit cannot be used, or there is nothing to plan.
    """
    case = profiles.current(profile or rankings.profile_name())
    where = sites or case.sites or (conf.get("SITE"),)
    best = rankings.ranks(rankings.current(profile=case.name)).filter(vetoed=False).values_list("sky_object", flat=True)
    keys = [*forced, *(key for key in best[: min(top, MOST)] if key not in forced)][:MOST]
    if not keys:
        raise FollowupError("the current ranking has no object that may be observed")
    given = options_of(telescope, profile=case)
    if instrument and instrument != given.get("instrument"):
        given = {"instrument": instrument, "snr": given.get("snr", 20.0)}  # the filters of the settings are those of another
    given |= {"facility": facility_name(case), "hours": min(hours, case.budget.hours or math.inf)}
    most = min(most, case.budget.slots or math.inf)
    ranked = [rank.compute(site, at, keys, case) for site in where]
    made = [telescope(r.ranking, r.candidates, r.night, **given) for r in ranked]
    candidates = ranked[0].candidates
    order = {int(candidate.key): i for i, candidate in enumerate(candidates)}
    ra, dec = (np.array([getattr(c, name) for c in candidates], dtype=np.float64) for name in ("ra", "dec"))
    wanted, unwanted = ({order[key] for key in keys if key in order} for keys in (forced, without))
    return Planned(solve(made, ra, dec, forced=wanted, without=unwanted, most=most), candidates)
