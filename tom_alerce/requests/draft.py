"""Store the requests of a plan as drafts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from followup.plan import load_facility
from followup.profiles import Profile
from followup.records import Facility, FollowupError, ObservationRequest
from tom_alerce.models import FollowupRequest, Ranking, SkyObject
from tom_alerce.models.requests import new_token
from tom_alerce.requests.facilities import options_of, profile_of
from tom_alerce.requests.states import ENDED, UNSENT, State, move, note
from tom_alerce.store import targets
from tom_alerce.store.errors import hooks
from tom_alerce.store.sql import begin_write

#: Key of no target, in the payload of a request that is refused before it has one.
NO_TARGET = 0

#: States from which another plan makes a draft again: not what a person has approved, or given up.
REDRAFTED = UNSENT | {State.FAILED, State.EXPIRED}


def draft(
    requests: Sequence[ObservationRequest], ranking: Ranking | None = None, user: Any = None, profile: Profile | None = None
) -> list[FollowupRequest]:
    """Store requests as drafts; each object becomes a target of the TOM, which every facility needs.

    What the profile (by default that of the ranking) says of its facility is in the payload, before what the settings say.

    A request that the plug-in's own check will refuse makes no target; nor does one that the facility's form refuses, after `settle`.

    An existing request that nobody has approved is redrafted, and so is one that the facility has refused or whose window has passed. One
    that is approved, may have been sent, was observed, or was given up by a person is left unchanged (`reopen`).

    Raises
    ------
    StoreError
        An object cannot be a target, or a hook of the TOM has failed.
    FollowupError
        The facility cannot express a request.
    """
    profile = profile_of(ranking) if profile is None else profile
    return [_draft(request, ranking, user, profile) for request in requests]


def _draft(request: ObservationRequest, ranking: Ranking | None, user: Any, profile: Profile | None) -> FollowupRequest:
    facility = load_facility(request.facility)
    with hooks(request.name, (FollowupError,)), transaction.atomic():
        begin_write()
        sky_object = SkyObject.objects.select_for_update().get(pk=int(request.target))
        fresh_target = sky_object.target_id is None and targets.existing(sky_object, user) is None
        options = options_of(facility.payload, request.facility, profile)
        impossible = fresh_target and bool(_problems(request, facility, options))
        target = None if impossible else targets.promote(sky_object, user)
        payload = facility.payload(request, target_id=NO_TARGET if target is None else target.pk, **options)
        fresh: dict[str, Any] = {"target": target, "ranking": ranking, "payload": payload, "start": request.start, "end": request.end}
        fixed = {"sky_object": sky_object, "facility": facility.FACILITY, "instrument": request.instrument}
        owner = user if user is not None and user.is_authenticated else None
        row, new = FollowupRequest.objects.get_or_create(
            key=request.key, defaults={**fixed, **fresh, "priority": request.priority, "user": owner}
        )
        if new:
            note(row, "", State.DRAFT, "drafted", by=user, payload=payload)
        elif row.state in REDRAFTED:
            again: dict[str, Any] = {"user": row.user or owner, "priority": max(row.priority, request.priority)} | _anew(row)
            move(row, State.DRAFT, "", by=user, **fresh, **again)
    row.made_target = fresh_target and target is not None
    return row


def _problems(request: ObservationRequest, facility: Facility, options: Mapping[str, Any]) -> Sequence[str]:
    """Objections of the plug-in's own check to the request, whatever its target is."""
    check = getattr(facility, "check", None)
    payload = facility.payload(request, target_id=NO_TARGET, **options)
    return check(payload) if check is not None else ()


def reopen(row: FollowupRequest, user: Any = None) -> None:
    """Make a draft again of a request that is approved, or that has ended without being observed; a person does so.

    Raises
    ------
    IllegalTransition
        A facility has it, or may have it.
    """
    move(row, State.DRAFT, "", by=user, **_anew(row))


def _anew(row: FollowupRequest) -> dict[str, Any]:
    """What a request that has ended, or may have reached the facility, gets anew, so that it is another one for the facility."""
    ended = row.state in ENDED or row.sent is not None
    anew = {"token": new_token(), "sent": None, "joined": None, "observation_id": "", "observation_record": None} if ended else {}
    return {"prepared": None, "wanted": False, "sender": None, **anew}


def settle(row: FollowupRequest) -> None:
    """After the check of a request: if the facility has refused it, the target that its draft made is withdrawn."""
    if row.state == State.INVALID and row.made_target and row.target is not None:
        targets.withdraw(row.sky_object, row.target)
        row.target, row.made_target = None, False
