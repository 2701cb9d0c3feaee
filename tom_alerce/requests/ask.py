"""Asks those with the right to approve a request."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from tom_alerce.models import FollowupRequest, RequestEvent
from tom_alerce.requests.rights import require
from tom_alerce.requests.states import IllegalTransition, State, note

#: Reason of the event that says so.
ASKING = "asks for approval"


def ask(row: FollowupRequest, user: Any) -> None:
    """Put a checked request on the list of those that wait for approval; whoever changes it afterwards takes it off.

    Raises
    ------
    Forbidden
        The user lacks the role ``request``, or may not change the target.
    IllegalTransition
        It is not VALIDATED.
    """
    require(user, "request", row)
    if row.state != State.VALIDATED:
        raise IllegalTransition(f"a request that is {row.get_state_display()} cannot be approved")
    note(row, row.state, row.state, ASKING, by=user)


def asks(rows: QuerySet[FollowupRequest]) -> QuerySet[FollowupRequest]:
    """Those of the requests that wait for approval: VALIDATED, and nothing has happened since somebody has asked."""
    later = RequestEvent.objects.filter(request=OuterRef("request"), pk__gt=OuterRef("pk"))
    asking = RequestEvent.objects.filter(request=OuterRef("pk"), reason=ASKING).exclude(Exists(later))
    return rows.filter(state=State.VALIDATED).filter(Exists(asking))
