"""Give a request up: here while no facility has it, at the facility afterwards."""

from __future__ import annotations

from typing import Any

from tom_alerce.models import FollowupRequest
from tom_alerce.requests import portal, reconcile, sync
from tom_alerce.requests.rights import require
from tom_alerce.requests.states import UNSENT, IllegalTransition, State, move


def cancel(row: FollowupRequest, user: Any, reason: str = "") -> None:
    """Cancel a request, whatever its state; what counts is what the facility says afterwards.

    Parameters
    ----------
    row : FollowupRequest
        Not ended. An UNKNOWN one is looked up first.
    user : User or None
        May change the target; needs the role ``request`` for what was never sent, ``send`` for what was; None is the TOM itself.
    reason : str
        For the record.

    Raises
    ------
    Forbidden
        The user may not.
    IllegalTransition
        It has ended, or is being sent just now, or the facility does not cancel it.
    Silent
        The facility gave no usable answer.
    """
    row.refresh_from_db()
    never = row.state in UNSENT | {State.APPROVED}
    require(user, "request" if never else "send", row)
    FollowupRequest.objects.filter(pk=row.pk).update(wanted=False)
    row.wanted = False
    if row.state == State.UNKNOWN:
        reconcile.reconcile(row)
    if row.state in UNSENT | {State.APPROVED}:
        move(row, State.CANCELLED, reason or "given up", by=user)
        return
    if row.state not in (State.SUBMITTED, State.SCHEDULED):
        raise IllegalTransition(
            f"a request that is {row.state} cannot be cancelled" + (": try again soon" if row.state == State.SENDING else "")
        )
    answer = portal.call(portal.facility(row).cancel_observation, row.observation_id, row=row)
    if answer.outcome is portal.Outcome.GIVEN and answer.value is not True and answer.value is not False:
        answer = portal.Answer(portal.Outcome.LOST, "an answer that is neither yes nor no")
    sync.refresh(row, by=user, reason=reason)
    if row.state != State.CANCELLED:
        raise IllegalTransition(
            f"{row.facility} has not cancelled it, it is {row.get_state_display()}: {answer.words or 'it gives no reason'}"
        )
