"""Follow requests to their end: what facilities say of them, in the background."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.db import transaction

from tom_alerce.models import FollowupRequest
from tom_alerce.requests import portal, reconcile, records, series
from tom_alerce.requests.facilities import facility_of
from tom_alerce.requests.send import one, send_all
from tom_alerce.requests.states import State, move

#: States of a request that its facility is asked about.
FOLLOWED = (State.SUBMITTED, State.SCHEDULED)
_RELATED = ("target", "sky_object", "sender", "user", "observation_record")


@dataclass(slots=True)
class Report:
    """What a synchronisation did: how many requests reached which state, and what went wrong."""

    reached: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        done = ", ".join(f"{n} {state}" for state, n in sorted(self.reached.items())) or "nothing new"
        return f"requests: {done}"


def sync() -> Report:
    """Look up requests whose answer was lost, send again what has certainly not arrived, ask what became of the others, and repeat series.

    A facility that gives no answer is not asked for the rest. Problems of one request end that one alone.
    """
    report = Report()
    report.reached[State.UNKNOWN] += reconcile.sweep()
    _each(reconcile.unknown(), reconcile.reconcile, report)
    waiting = FollowupRequest.objects.filter(state=State.APPROVED, wanted=True).select_related(*_RELATED).order_by("sent", "pk")
    for row, trouble in send_all(waiting, None):
        report.problems += [f"{row}: {trouble}"] if trouble else []
        report.reached[row.state] += row.state != State.APPROVED
    _each(FollowupRequest.objects.filter(state__in=FOLLOWED).select_related(*_RELATED).order_by("pk"), refresh, report)
    report.problems += series.follow()
    report.reached = +report.reached
    return report


def _each(rows: Iterable[FollowupRequest], do: Callable[[FollowupRequest], None], report: Report) -> None:
    silent: set[str] = set()
    for row in rows:
        if row.facility in silent:
            continue
        before = row.state
        trouble = one(row, partial(do, row))
        if isinstance(trouble, portal.Silent) and portal.can_find(row):
            silent.add(row.facility)
        if trouble is not None:
            report.problems.append(f"{row}: {trouble}")
        report.reached[row.state] += row.state != before


def refresh(row: FollowupRequest, by: Any = None, reason: str = "") -> None:
    """Ask the facility what became of a request, and store it here, in the toolkit's record and on the calendar.

    Parameters
    ----------
    row : FollowupRequest
        SUBMITTED or SCHEDULED.
    by : User, optional
        Who asked for the change that the facility may report.
    reason : str
        Of that change.

    Raises
    ------
    Silent
        The facility gave no usable answer; nothing is changed.
    IllegalTransition
        Somebody else has stored it meanwhile.
    """
    answer = portal.call(portal.facility(row).get_observation_status, row.observation_id, row=row)
    if answer.outcome is not portal.Outcome.GIVEN or not (isinstance(answer.value, Mapping) and isinstance(answer.value.get("state"), str)):
        raise portal.Silent(answer.words or f"{row.facility} says nothing that can be understood")
    state, words = meaning(row, answer.value)
    words = f"{reason}: {words}" if reason and state == State.CANCELLED else words
    if state == State.FAILED and (look := getattr(facility_of(row.facility), "failure", None)) is not None:
        told = portal.call(look, portal.facility(row), row.observation_id, row=row)
        words = f"{words}: {told.value}" if told.outcome is portal.Outcome.GIVEN and told.value else words
    with transaction.atomic():
        records.follow(row, answer.value)
        if state != row.state or (state == State.SCHEDULED and words != row.message):
            move(row, state, words, by=by, answer=str(dict(answer.value))[:2000])
        records.on_calendar(row)


def meaning(row: FollowupRequest, status: Mapping[str, Any]) -> tuple[str, str]:
    """State of a request, with words, by the status that its facility gives (``state``, ``scheduled_start``, ``scheduled_end``)."""
    facility, said = portal.facility(row), str(status["state"])
    named = getattr(facility_of(row.facility), "STATES", {})
    start, end = records.moment(status.get("scheduled_start")), records.moment(status.get("scheduled_end"))
    if said in named:
        state, words = named[said]
    elif said in facility.get_terminal_observing_states():
        look = getattr(facility, "get_failed_observing_states", None)  # not in the toolkit's base class
        state, words = State.FAILED if look is not None and said in look() else State.OBSERVED, f"{row.facility} says {said}"
    else:
        state, words = State.SUBMITTED, ""
    if state == State.SUBMITTED and start is not None and end is not None:
        return State.SCHEDULED, f"scheduled from {start:%Y-%m-%d %H:%M} to {end:%H:%M} UTC"
    return state, words or f"{row.facility} says {said}"
