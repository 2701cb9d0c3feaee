"""Gathers what is known of a request into the case that guards judge."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.utils import timezone
from tom_dataproducts.models import SpectroscopyReducedDatum
from tom_observations.models import ObservationRecord

from broker_adapters import tns
from broker_adapters.times import mjd_from_datetime
from followup import ocs
from followup.asked import RAPID_RESPONSE, Asked
from followup.network import skies
from followup.records import Candidate, Facility, FollowupError, Limits
from tom_alerce import conf, visible
from tom_alerce.models import FollowupRequest, Mark, SkyObject
from tom_alerce.requests.case import Case, Claim, Other, Spent
from tom_alerce.requests.facilities import facility_of
from tom_alerce.requests.sites import sites_of
from tom_alerce.requests.states import PENDING, State
from tom_alerce.store import marks
from tom_alerce.store import tns as tns_table
from tom_alerce.store.candidates import candidates
from tom_alerce.store.sql import chunks

logger = logging.getLogger(__name__)


class _Taking(NamedTuple):
    """What a request takes of the time of a night and of a proposal."""

    start: float
    hours: float
    proposal: str
    rapid: bool


#: Request -> when it was changed, and what it takes (None: it cannot be read), of so many that were read before.
_READ: dict[int, tuple[datetime, _Taking | None]] = {}
_MOST_READ = 50_000

#: States of requests that are under way, and of those whose time is spent.
UNDER_WAY = PENDING | {State.APPROVED}
SPENT = UNDER_WAY | {State.OBSERVED}
#: Days of a semester, over which the time of a proposal is counted, and after which the TOM's own records no longer stand in the way.
_SEMESTER, _FORGOTTEN = 183, 30


def case(row: FollowupRequest, user: Any, now: float) -> Case:
    """Gather the case of a request for a person (None: the TOM itself) at a time (MJD); FollowupError if its form data cannot be read."""
    plugin = facility_of(row.facility)
    asked = read(plugin, row)
    instruments = {} if plugin is None else plugin.INSTRUMENTS
    sites = sites_of(plugin, asked.instrument)
    (candidate,) = candidates(SkyObject.objects.filter(pk=row.sky_object_id))
    start = asked.start if math.isfinite(asked.start) else now
    history = candidate.history(now)
    sun = Limits(**conf.get("LIMITS")).sun_altitude
    return Case(
        now=now,
        asked=asked,
        camera=instruments.get(asked.instrument),
        instruments=tuple(instruments),
        hours=asked.hours(instruments),
        skies=skies(sites, candidate.ra, candidate.dec, max(start, now), asked.end, sun),
        in_space=not sites,
        by_hand=str(getattr(plugin, "BY_HAND", "")),
        magnitude=math.nan if history is None else history.trend.now,
        classes=candidate.probabilities,
        classified=_classified(row, candidate),
        spectra=_spectra(row),
        others=(*_others(row, user), *_records(row)),
        claims=_claims(row, user),
        spent=_spent(row, asked, plugin, user),
    )


def read(plugin: Facility | None, row: FollowupRequest) -> Asked:
    """What a request asks for, by its form data; by its columns alone where its plug-in does not read them."""
    function = getattr(plugin, "asked", None)
    if function is not None:
        found: Asked = function(row.payload)
        return found
    return _columns(row)


def _columns(row: FollowupRequest) -> Asked:
    start, end = (math.nan if one is None else one for one in (row.start, row.end))
    return Asked(row.instrument, (), start, end, math.inf, 0.0)


def _classified(row: FollowupRequest, candidate: Candidate) -> str:
    """The class at TNS, or the name that says that there is one; '' where there is none."""
    if not candidate.classified:
        return ""
    named = tns_table.of([row.sky_object]).get(row.sky_object_id)
    if named is not None and named.type:
        return f"{named.type} at TNS ({named})"
    names = [candidate.name, *(name for member in row.sky_object.survey_objects.all() for name in member.names)]
    return tns.best(names) or candidate.name


def spectroscopic(row: FollowupRequest, candidate: Candidate) -> str:
    """How it is known that the object of a request has a spectroscopic class, or a spectrum; '' where it has neither."""
    n = _spectra(row)
    return _classified(row, candidate) or (f"{n} spectra in this TOM" if n else "")


def _spectra(row: FollowupRequest) -> int:
    """Spectra of the target in this TOM."""
    return 0 if row.target_id is None else SpectroscopyReducedDatum.objects.filter(target=row.target_id).count()


def _others(row: FollowupRequest, user: Any) -> list[Other]:
    """Requests of this TOM for the same object that are under way."""
    rows = FollowupRequest.objects.filter(sky_object=row.sky_object_id, state__in=UNDER_WAY).exclude(pk=row.pk).select_related("user")
    seen = set(
        rows.values_list("pk", flat=True) if user is None else visible.requests(user).filter(pk__in=rows).values_list("pk", flat=True)
    )
    return [
        Other(
            one.facility,
            _columns(one),
            one.get_state_display(),
            _whose(one, user, one.pk in seen),
            joins=one.state in PENDING and (one.facility, one.instrument) == (row.facility, row.instrument),
            spectrum=_spectrum(one),
        )
        for one in rows
    ]


def _spectrum(row: FollowupRequest) -> bool | None:
    """Whether a request is for a spectrum; None for an instrument that is not known."""
    plugin = facility_of(row.facility)
    camera = None if plugin is None else plugin.INSTRUMENTS.get(row.instrument)
    return None if camera is None else camera.resolution > 0.0


def _whose(row: FollowupRequest, user: Any, seen: bool) -> str:
    if row.user is None:
        return "of this TOM itself"
    if user is not None and row.user_id == user.pk:
        return "yours"
    return f"of {row.user.get_username()}" if seen else "another person's"


def _records(row: FollowupRequest) -> list[Other]:
    """What was asked for in the TOM's own forms for the same target, lately, and has not ended."""
    if row.target_id is None:
        return []
    recent = timezone.now() - timedelta(days=_FORGOTTEN)
    rows = ObservationRecord.objects.filter(target=row.target_id, followup_requests=None, created__gte=recent)
    return [
        Other(one.facility, _parameters(one.parameters), str(one.status or "asked for"), "in the TOM's own form")
        for one in rows
        if not _ended(one)
    ]


def _ended(record: Any) -> bool:
    try:
        return bool(record.terminal)
    except Exception:  # the boundary of the TOM's facilities, which are anybody's code, or no longer there: nobody knows
        logger.info("whether the observation %s has ended is not known", record.pk, exc_info=True)
        return False


def _parameters(parameters: Any) -> Asked:
    """What parameters of a TOM's own form ask for; at any time, with any instrument, where they cannot be read."""
    try:
        return ocs.asked(parameters if isinstance(parameters, dict) else {})
    except FollowupError:
        return Asked("", (), math.nan, math.nan, math.inf, 0.0)


def _claims(row: FollowupRequest, user: Any) -> tuple[Claim, ...]:
    """Claims of other people that count now."""
    rows = marks.active().filter(sky_object=row.sky_object_id, kind=Mark.Kind.CLAIM).select_related("author")
    others = rows if user is None else rows.exclude(author=user)
    return tuple(Claim(one.by, math.nan if one.expires is None else mjd_from_datetime(one.expires)) for one in others)


def _spent(row: FollowupRequest, asked: Asked, plugin: Facility | None, user: Any) -> Spent:
    """Time of requests to the same facility that were approved or sent: of the semester, and of the night in which this one begins."""
    since = timezone.now() - timedelta(days=_SEMESTER)
    rows = FollowupRequest.objects.filter(facility=row.facility, state__in=SPENT, created__gte=since).exclude(pk=row.pk)
    people = list(rows.values_list("pk", "modified", "user_id", "sender_id"))
    takes = _takings(plugin, {pk: modified for pk, modified, *_ in people})
    proposal = night = person = 0.0
    rapid = 0
    for pk, _, *whose in people:
        if (other := takes.get(pk)) is None:
            continue
        tonight = abs(other.start - asked.start) < 0.5
        proposal += other.hours if other.proposal == asked.proposal else 0.0
        night += other.hours if tonight else 0.0
        person += other.hours if tonight and user is not None and user.pk in whose else 0.0
        rapid += tonight and other.rapid
    return Spent(proposal, night, person, rapid)


def _takings(plugin: Facility | None, wanted: Mapping[int, datetime]) -> dict[int, _Taking]:
    """What requests take, by their keys and when they were changed; each is read once by a process. Those that cannot be read have none."""
    unread = [pk for pk, modified in wanted.items() if _READ.get(pk, (None,))[0] != modified]
    if len(_READ) + len(unread) > _MOST_READ:
        _READ.clear()
        unread = list(wanted)
    instruments = {} if plugin is None else plugin.INSTRUMENTS
    for part in chunks(unread):
        for one in FollowupRequest.objects.filter(pk__in=part).only("instrument", "start", "end", "payload", "modified"):
            try:
                other = read(plugin, one)
            except FollowupError:
                _READ[one.pk] = one.modified, None
            else:
                taking = _Taking(other.start, other.hours(instruments), other.proposal, other.mode == RAPID_RESPONSE)
                _READ[one.pk] = one.modified, taking
    known = ((pk, _READ.get(pk, (None, None))[1]) for pk in wanted)
    return {pk: taking for pk, taking in known if taking is not None}
