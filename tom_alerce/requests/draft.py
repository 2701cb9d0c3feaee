"""Store the requests of a plan as drafts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from followup.plan import load_facility
from followup.records import FollowupError, ObservationRequest
from tom_alerce.models import FollowupRequest, Ranking, SkyObject
from tom_alerce.requests.facilities import options_of
from tom_alerce.requests.states import TRANSITIONS, State, move
from tom_alerce.store import targets
from tom_alerce.store.errors import hooks
from tom_alerce.store.sql import begin_write


def draft(requests: Sequence[ObservationRequest], ranking: Ranking | None = None, user: Any = None) -> list[FollowupRequest]:
    """Store requests as drafts; each object becomes a target of the TOM, which every facility needs.

    An existing unsent request is redrafted; one that may have been sent is left unchanged.

    Raises
    ------
    StoreError
        An object cannot be a target, or a hook of the TOM has failed.
    FollowupError
        The facility cannot express a request.
    """
    return [_draft(request, ranking, user) for request in requests]


def _draft(request: ObservationRequest, ranking: Ranking | None, user: Any) -> FollowupRequest:
    facility = load_facility(request.facility)
    with hooks(request.name, (FollowupError,)), transaction.atomic():
        begin_write()
        sky_object = SkyObject.objects.get(pk=int(request.target))
        target = targets.promote(sky_object, user)
        payload = facility.payload(request, target_id=target.pk, **options_of(facility.payload))
        fresh = {"sky_object": sky_object, "target": target, "ranking": ranking, "facility": facility.FACILITY, "payload": payload}
        owner = user if user is not None and user.is_authenticated else None
        row, new = FollowupRequest.objects.get_or_create(key=request.key, defaults={**fresh, "user": owner})
        if not new and State.DRAFT in TRANSITIONS[row.state]:
            move(row, State.DRAFT, "", target=target, ranking=ranking, payload=payload)
    return row
