"""State machine of an observation request, which makes sure that a request is never sent twice.

::

    DRAFT ──> VALIDATED ──> SUBMITTING ──> SUBMITTED
      └─> INVALID    │            ├──> FAILED ──> DRAFT
                     └─ DRAFT     └──> UNCERTAIN ──> SUBMITTED | FAILED

Nothing is sent yet: only DRAFT, VALIDATED and INVALID are reached today.

A transition is one UPDATE with the old state in its WHERE clause: of two workers that send one succeeds, the other gets an
`IllegalTransition`. As long as nothing is sent, workers that draft and check the same request do not refuse one another: the last one's
payload and result stand, together. The key of a request is unique: object, facility, instrument, filters and night make one row, whoever
asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from django.utils import timezone

from tom_alerce.models import FollowupRequest
from tom_alerce.store.errors import StoreError

State = FollowupRequest.State

TRANSITIONS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        State.DRAFT: frozenset({State.DRAFT, State.VALIDATED, State.INVALID}),
        State.INVALID: frozenset({State.DRAFT, State.VALIDATED, State.INVALID}),
        State.VALIDATED: frozenset({State.DRAFT, State.VALIDATED, State.INVALID, State.SUBMITTING}),
        State.SUBMITTING: frozenset({State.SUBMITTED, State.FAILED, State.UNCERTAIN}),
        State.UNCERTAIN: frozenset({State.SUBMITTED, State.FAILED}),
        State.FAILED: frozenset({State.DRAFT}),
        State.SUBMITTED: frozenset(),
    }
)


#: States of a request that no facility has heard of.
UNSENT = frozenset({State.DRAFT, State.INVALID, State.VALIDATED})


class IllegalTransition(StoreError):
    """The state machine has no such transition, or another worker has changed the state meanwhile."""


def move(request: FollowupRequest, state: str, message: str = "", **fields: Any) -> None:
    """Change the state of a request, with a message and other fields to store.

    Raises
    ------
    IllegalTransition
        There is no such transition, or the stored state is no longer ``request.state``, and one of the two has been sent.
    """
    if state not in TRANSITIONS[request.state]:
        raise IllegalTransition(f"a request that is {request.state} cannot become {state}")
    changed = {"state": state, "message": message, "modified": timezone.now(), **fields}
    before = UNSENT if {request.state, state} <= UNSENT else {request.state}
    if not FollowupRequest.objects.filter(pk=request.pk, state__in=before).update(**changed):
        raise IllegalTransition(
            f"the request is no longer {State(request.state).label}: somebody else has sent it, or it does not exist any more"
        )
    for name, value in changed.items():
        setattr(request, name, value)
