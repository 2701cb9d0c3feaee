"""Applies a template to an object: one click makes a draft that is filled in and checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from followup import sites
from followup.plan import camera, load_facility
from followup.profiles import Profile
from followup.records import Limits, ObservationRequest
from followup.template import fill
from tom_alerce import clock, conf
from tom_alerce.models import FollowupRequest, SkyObject
from tom_alerce.requests import draft, validate
from tom_alerce.requests.facilities import facility_name, options_of, profile_of
from tom_alerce.requests.sites import sites_of
from tom_alerce.store import rankings
from tom_alerce.store.candidates import candidates


def apply(sky_object: SkyObject, user: Any, **given: Any) -> FollowupRequest:
    """Draft and check a request for an object (options of `request`); the caller has made sure that the user may.

    Raises
    ------
    FollowupError
        It cannot be asked for: unknown brightness, never visible, unknown instrument or filter.
    StoreError
        It cannot be a target.
    """
    ranked = rankings.rank_of(sky_object)
    ranking = None if ranked is None else ranked.ranking
    profile = profile_of(ranking)
    made = request(sky_object, priority=0.0 if ranked is None else ranked.score, profile=profile, **given)
    (row,) = draft.draft([made], ranking, user, profile)
    if row.state in draft.REDRAFTED:
        validate.dry_run(row, user)
        draft.settle(row)
    return row


def request(
    sky_object: SkyObject,
    *,
    facility: str = "",
    instrument: str = "",
    filters: Sequence[str] = (),
    snr: float | None = None,
    priority: float = 0.0,
    profile: Profile | None = None,
) -> ObservationRequest:
    """Fill in a request for an object; nothing is stored.

    Parameters
    ----------
    sky_object : SkyObject
        What is to be observed.
    facility, instrument : str
        Plug-in and instrument; '' takes those of the profile, else of the settings.
    filters : sequence of str
        None takes the instrument's default.
    snr : float, optional
        Signal to noise wanted; the default is that of the profile, else of the settings.
    priority : float
        In [0, 1].
    profile : Profile, optional
        The science case for which it is asked.

    Raises
    ------
    FollowupError
        It cannot be asked for: unknown brightness, never visible, unknown instrument or filter.
    """
    name = facility or facility_name(profile)
    given = _standing(name, profile) | {
        name: value for name, value in {"instrument": instrument, "filters": tuple(filters), "snr": snr}.items() if value
    }
    chosen, _, _ = camera(name, given.get("instrument", ""), given.get("filters", ()))
    (candidate,) = candidates(SkyObject.objects.filter(pk=sky_object.pk))
    where = sites_of(load_facility(name), chosen)
    limits, home = Limits(**conf.get("LIMITS")), sites.site(conf.get("SITE"))
    return fill(candidate, home, where, clock.now(), limits, facility=name, priority=priority, **given)


def _standing(facility: str, profile: Profile | None) -> dict[str, Any]:
    """Instrument, filters and signal to noise that profile and settings give to a facility."""
    own = options_of(fill, facility, profile)
    return {name: own[name] for name in ("instrument", "filters", "snr") if name in own}
