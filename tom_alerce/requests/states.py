"""Requests to observe, as a state machine: drafted from a plan, checked at the facility, and never sent twice.

::

    DRAFT ──> VALIDATED ──> SUBMITTING ──> SUBMITTED
      └─> INVALID    │            ├──> FAILED ──> DRAFT
                     └─ DRAFT     └──> UNCERTAIN ──> SUBMITTED | FAILED

A change of state is one UPDATE that names the state it starts from, so that of two workers one wins and the other is told. The key of
a request is unique: the same wish (object, facility, instrument, filters, night) is one row, whoever wishes it.
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


class IllegalTransition(StoreError):
    """The state machine has no such arrow, or another worker has moved the request meanwhile."""


def move(request: FollowupRequest, state: str, message: str = "", **fields: Any) -> None:
    """Take a request to another state, with what is to be said about it and other fields to write.

    Raises
    ------
    IllegalTransition
        There is no such transition, or the request is no longer in the state that the caller knows.
    """
    if state not in TRANSITIONS[request.state]:
        raise IllegalTransition(f"a request that is {request.state} cannot become {state}")
    changed = {"state": state, "message": message, "modified": timezone.now(), **fields}
    if not FollowupRequest.objects.filter(pk=request.pk, state=request.state).update(**changed):
        raise IllegalTransition(f"request {request.key} is no longer {request.state}")
    for name, value in changed.items():
        setattr(request, name, value)
