"""Find out what became of requests whose answer was lost: ask the facility for their tokens."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from tom_alerce import conf
from tom_alerce.models import FollowupRequest
from tom_alerce.requests import portal, records
from tom_alerce.requests.rights import require
from tom_alerce.requests.states import IllegalTransition, State, move

#: Seconds beyond `FACILITY_TIMEOUT` after which the worker of a request that is still SENDING must be dead.
_DEAD = 10.0


def sweep() -> int:
    """Make UNKNOWN of requests whose worker died while sending; how many there were."""
    before = timezone.now() - timedelta(seconds=conf.get("FACILITY_TIMEOUT") + _DEAD)
    n = 0
    for row in FollowupRequest.objects.filter(state=State.SENDING, sent__lt=before):
        try:
            move(row, State.UNKNOWN, "its worker ended while it was being sent")
            n += 1
        except IllegalTransition:  # it was not dead
            continue
    return n


def reconcile(row: FollowupRequest) -> None:
    """Ask the facility for the token of an UNKNOWN request, and store what it says.

    One such request there: SUBMITTED. None: APPROVED, once `FACILITY_SETTLED` has passed since it was sent; it may still arrive before.
    Several: it stays UNKNOWN until a person says which one it is (`resolve`).

    Raises
    ------
    Silent
        The facility gave no usable answer; the request is still UNKNOWN.
    IllegalTransition
        Somebody else has stored it meanwhile.
    """
    found = portal.find(row)
    if len(found) == 1:
        records.accepted(row, found[0], "found at the facility by its key", by=None)
    elif found:
        several = ", ".join(identities[0] for identities in found)
        _still(row, f"the facility has {len(found)} requests with its key ({several}): say which one it is, and cancel the others there")
    elif row.sent is not None and timezone.now() - row.sent > timedelta(seconds=conf.get("FACILITY_SETTLED")):
        move(row, State.APPROVED, "not sent yet: the facility has nothing of the last attempt")
    else:
        _still(row, f"the facility has nothing of it; it is given {conf.get('FACILITY_SETTLED'):g} s to arrive")


def resolve(row: FollowupRequest, user: Any, observation_id: str | None) -> None:
    """A person has looked at the facility: the request is there under this identity, or it is not there (None).

    Raises
    ------
    Forbidden
        The user lacks the role ``send``, or may not change the target.
    IllegalTransition
        It is not UNKNOWN.
    """
    require(user, "send", row)
    if row.state != State.UNKNOWN:
        raise IllegalTransition(f"a request that is {row.state} is not unknown")
    if observation_id is None:
        move(row, State.FAILED, "a person says that the facility has nothing of it", by=user, wanted=False)
        return
    identities = portal.identities([observation_id.strip()])
    if not identities:
        raise IllegalTransition(f"{observation_id!r} cannot be an identity of an observation")
    records.accepted(row, identities, "a person says that the facility has it", by=user)


def unknown() -> Iterable[FollowupRequest]:
    """Requests whose answer was lost, the oldest first."""
    return FollowupRequest.objects.filter(state=State.UNKNOWN).select_related("target", "sky_object", "sender", "user").order_by("sent")


def _still(row: FollowupRequest, message: str) -> None:
    if row.message != message:
        move(row, State.UNKNOWN, message)
