"""Approve a checked request to be sent, as it is."""

from __future__ import annotations

from typing import Any

from tom_alerce.models import FollowupRequest
from tom_alerce.requests.rights import require
from tom_alerce.requests.states import IllegalTransition, State, move


def approve(row: FollowupRequest, user: Any, reason: str = "") -> None:
    """Approve a request that the facility's check has found valid; whoever changes it afterwards takes the approval away.

    Parameters
    ----------
    row : FollowupRequest
        VALIDATED.
    user : User or None
        Needs the role ``approve`` and may change the target; None is the TOM itself.
    reason : str
        For the record.

    Raises
    ------
    Forbidden
        The user may not.
    IllegalTransition
        The request is not valid, or somebody else has changed it.
    """
    require(user, "approve", row)
    if row.prepared is None:
        raise IllegalTransition("what would be sent is not known: have it checked (again) first")
    move(row, State.APPROVED, reason or "approved", by=user)
