"""State machine of an observation request, which makes sure that a request is never sent twice.

`DIAGRAM` is the diagram: docs/requests.md shows the same table, and a test holds the one against the other.

A transition is one UPDATE with the old state in its WHERE clause, and one `RequestEvent` in the same transaction: of two workers that send
one succeeds, the other gets an `IllegalTransition`. Before a request is approved, workers that draft and check it do not refuse one
another: the last one's payload and result stand, together. The key of a request is unique: object, facility, instrument, filters and night
make one row, whoever asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from django.db import transaction
from django.utils import timezone

from tom_alerce.models import FollowupRequest, RequestEvent
from tom_alerce.store import asking
from tom_alerce.store.errors import StoreError
from tom_alerce.store.outbox import announce

State = FollowupRequest.State

_CHECKED = "the facility's own check was asked"
_AGAIN = "drafted again, with another token"
_CALLED_OFF = "a person gives it up"
_MISSED = "the window of a round of a series has passed, and nobody has approved it"
_REPORTED = "the facility says so"

#: (state, next state) -> what leads from one to the other.
DIAGRAM: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        (State.DRAFT, State.DRAFT): "drafted anew, or the check could not be made",
        (State.DRAFT, State.VALIDATED): _CHECKED,
        (State.DRAFT, State.INVALID): _CHECKED,
        (State.DRAFT, State.CANCELLED): _CALLED_OFF,
        (State.DRAFT, State.EXPIRED): _MISSED,
        (State.INVALID, State.DRAFT): "drafted anew, or the check could not be made",
        (State.INVALID, State.VALIDATED): _CHECKED,
        (State.INVALID, State.INVALID): _CHECKED,
        (State.INVALID, State.CANCELLED): _CALLED_OFF,
        (State.INVALID, State.EXPIRED): _MISSED,
        (State.VALIDATED, State.DRAFT): "drafted anew, or the check could not be made",
        (State.VALIDATED, State.VALIDATED): _CHECKED,
        (State.VALIDATED, State.INVALID): _CHECKED,
        (State.VALIDATED, State.APPROVED): "a person with the role approve",
        (State.VALIDATED, State.CANCELLED): _CALLED_OFF,
        (State.VALIDATED, State.EXPIRED): _MISSED,
        (State.APPROVED, State.DRAFT): "a person changes it, which takes the approval away",
        (State.APPROVED, State.SENDING): "a person with the role send; stored before anything is sent",
        (State.APPROVED, State.SUBMITTED): "an earlier attempt is found at the facility by the key",
        (State.APPROVED, State.CANCELLED): "a person gives it up, or it is joined with an equivalent pending request",
        (State.APPROVED, State.EXPIRED): "its window has passed",
        (State.SENDING, State.SUBMITTED): "the facility answered with an identity",
        (State.SENDING, State.FAILED): "the facility refused it",
        (State.SENDING, State.APPROVED): "it certainly did not reach the facility: no connection, wrong key, too many requests",
        (State.SENDING, State.UNKNOWN): "no answer, or none that can be understood; or its worker died",
        (State.UNKNOWN, State.SUBMITTED): "found at the facility by the key, or a person says so",
        (State.UNKNOWN, State.APPROVED): "asked for the key long enough afterwards, the facility has nothing",
        (
            State.UNKNOWN,
            State.UNKNOWN,
        ): "asked for the key: the facility is silent, has several, or it is too early to say that it has none",
        (State.UNKNOWN, State.FAILED): "a person says that the facility has nothing",
        (State.SUBMITTED, State.SCHEDULED): _REPORTED,
        (State.SUBMITTED, State.OBSERVED): _REPORTED,
        (State.SUBMITTED, State.FAILED): _REPORTED,
        (State.SUBMITTED, State.CANCELLED): _REPORTED,
        (State.SUBMITTED, State.EXPIRED): _REPORTED,
        (State.SCHEDULED, State.SCHEDULED): "the facility has moved it",
        (State.SCHEDULED, State.SUBMITTED): "the facility has taken it off its schedule",
        (State.SCHEDULED, State.OBSERVED): _REPORTED,
        (State.SCHEDULED, State.FAILED): _REPORTED,
        (State.SCHEDULED, State.CANCELLED): _REPORTED,
        (State.SCHEDULED, State.EXPIRED): _REPORTED,
        (State.FAILED, State.DRAFT): _AGAIN,
        (State.CANCELLED, State.DRAFT): _AGAIN,
        (State.EXPIRED, State.DRAFT): _AGAIN,
    }
)

#: State -> the states that may follow.
TRANSITIONS: Mapping[str, frozenset[str]] = MappingProxyType(
    {state: frozenset(after for before, after in DIAGRAM if before == state) for state in State}
)

#: States of a request that no facility has heard of and nobody has approved.
UNSENT = frozenset({State.DRAFT, State.INVALID, State.VALIDATED})
#: States of a request that a facility has, or may have, and that has not ended.
PENDING = frozenset({State.SENDING, State.UNKNOWN, State.SUBMITTED, State.SCHEDULED})
#: States in which nothing more happens by itself.
ENDED = frozenset({State.OBSERVED, State.FAILED, State.CANCELLED, State.EXPIRED})


class IllegalTransition(StoreError):
    """The state machine has no such transition, or another worker has changed the state meanwhile."""


def table() -> str:
    """The diagram as a table in Markdown, as docs/requests.md has it."""
    rows = [f"| {before} | {after} | {why} |" for (before, after), why in DIAGRAM.items()]
    return "\n".join(["| from | to | when |", "|---|---|---|", *rows])


def move(
    request: FollowupRequest,
    state: str,
    message: str = "",
    *,
    by: Any = None,
    carried: Any = None,
    answer: str = "",
    **fields: Any,
) -> None:
    """Change the state of a request, and note the change.

    Parameters
    ----------
    request : FollowupRequest
        Saved; its state is the one from which it is moved.
    state, message : str
        The next state, and the reason.
    by : User, optional
        The person; None for the TOM itself.
    carried : JSON, optional
        What is sent to the facility by this change.
    answer : str
        The facility's answer.
    fields
        Other fields to store.

    Raises
    ------
    IllegalTransition
        There is no such transition, or the stored state is no longer ``request.state``, and one of the two is approved or sent.
    """
    before = request.state
    if state not in TRANSITIONS[before]:
        raise IllegalTransition(f"a request that is {before} cannot become {state}")
    prepared = {"prepared": None} if "payload" in fields else {}  # it was made of another payload
    changed = {"state": state, "message": message, "modified": timezone.now(), **prepared, **fields}
    allowed = UNSENT if {before, state} <= UNSENT else {before}
    with transaction.atomic():
        if not FollowupRequest.objects.filter(pk=request.pk, state__in=allowed).update(**changed):
            raise IllegalTransition(
                f"the request is no longer {State(before).label}: somebody else has approved, sent or given it up, or it does not exist"
            )
        note(request, before, state, message, by=by, payload=fields.get("payload") if carried is None else carried, answer=answer)
    for name, value in changed.items():
        setattr(request, name, value)


def note(
    request: FollowupRequest, before: str, after: str, reason: str, *, by: Any = None, payload: Any = None, answer: str = ""
) -> RequestEvent:
    """Store one event of a request, and tell of it where its state has changed."""
    person = by if by is not None and by.is_authenticated else None
    event = RequestEvent.objects.create(
        request=request, before=before, after=after, reason=reason, user=person, payload=payload, answer=answer
    )
    if before != after and asking.rules("request"):
        title = f"{request.sky_object.public_name}: request to {request.facility} is {State(after).label}"
        announce("request", str(event.pk), title, reason, sky_object=request.sky_object, request=request)
    return event
