"""Series: a request is repeated until a condition is met, one round after the other (docs/decisions/029-series.md).

A round is a request like any other, with its own key, guards and approval; what has become of it says what follows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from broker_adapters.times import datetime_from_mjd, mjd_from_datetime
from followup import series as rules
from followup.batch import Batch
from followup.expected import believed, forecast
from followup.records import Candidate, FollowupError
from followup.series import Known, Round, Rule
from tom_alerce import clock
from tom_alerce.models import FollowupRequest, Halt, Series, SkyObject
from tom_alerce.requests import ask, judge, known, records, rounds, send, validate
from tom_alerce.requests.approve import approve
from tom_alerce.requests.rights import Forbidden, require
from tom_alerce.requests.states import ENDED, UNSENT, IllegalTransition, State, move, note
from tom_alerce.store import asking
from tom_alerce.store.candidates import candidates
from tom_alerce.store.errors import StoreError
from tom_alerce.store.outbox import announce

#: Days before a round may begin at which it is drafted: a facility plans ahead, and later is better known.
LEAD = 0.5
#: Days after its date after which a round that cannot be asked for ends the series.
PATIENCE = 3.0


def begin(row: FollowupRequest, user: Any, **given: Any) -> Series:
    """Repeat a request, which becomes the first round; ``given`` are fields of `tom_alerce.models.Series`.

    Raises
    ------
    Forbidden
        The user lacks the role ``request``, or ``approve`` and ``send`` for a series that sends, or may not change the target.
    StoreError
        It is repeated already, was given up, or its facility's requests cannot be repeated.
    """
    for role in ("request", *(("approve", "send") if given.get("sends") else ())):
        require(user, role, row)
    if why := rounds.repeatable(row):
        raise StoreError(f"it cannot be repeated: {why}")
    with transaction.atomic():
        made = Series.objects.create(owner=user, **given)
        begun = FollowupRequest.objects.filter(pk=row.pk, series=None).exclude(state=State.CANCELLED)
        if row.target is None or not begun.update(series=made, round=1):
            raise StoreError("it cannot be repeated: it belongs to a series already, was given up, or its target is gone")
        row.series, row.round = made, 1
        note(row, row.state, row.state, f"is repeated: {rules.told(rule(made))}", by=user)
    step(made)
    return made


def stop(series: Series, user: Any, reason: str = "") -> None:
    """End a series; its present round goes on, or is cancelled by itself. Takes the role ``request``, and its target."""
    last = series.rounds.order_by("-round").first()
    require(user, "request", last)
    if series.ended is not None:
        raise StoreError("it has ended already")
    _end(series, last, f"stopped by {user}" + (f": {reason}" if reason else ""), by=user)


def follow() -> list[str]:
    """Take every series one step further, and return what went wrong; what is wrong with one ends that step alone.

    After a facility has given no answer it is not asked for the rest.
    """
    problems, silent = [], set[str]()
    for series in Series.objects.filter(ended=None).select_related("owner").order_by("pk"):
        last = series.rounds.order_by("-round").first()
        if last is None or last.facility not in silent:
            trouble = send.one(last or FollowupRequest(), partial(step, series))
            problems += [f"{series}: {trouble}"] if trouble is not None else []
            asked = series.rounds.filter(round__gt=1, state__in=(State.DRAFT, State.UNKNOWN))
            silent |= set(asked.values_list("facility", flat=True))
    return problems


def step(series: Series) -> None:
    """Do what is next for a series that has not ended: draft a round, check, approve or send it, or wait; `Series.message` says so.

    Raises
    ------
    StoreError
        The step was not done, and is tried again at the next synchronisation.
    """
    every = list(series.rounds.select_related("target", "sky_object", "user", "sender", "observation_record", "ranking").order_by("round"))
    if not every or every[-1].target is None or series.owner is None:
        _end(series, every[-1] if every else None, "its request, its target or the account of its owner is gone")
        return
    last = every[-1]
    _expire(last)
    if _stands_for(last).state in ENDED:
        last = _next(series, every) or last
    if series.ended is None and last.state not in ENDED:
        try:
            _push(series, last)
        except Forbidden as refusal:
            _end(series, last, f"round {last.round} is not sent: {refusal}")


def _expire(row: FollowupRequest) -> None:
    """A round whose window has passed while nobody approved or sent it."""
    if row.state in UNSENT | {State.APPROVED} and row.end is not None and row.end <= clock.now():
        move(row, State.EXPIRED, "its window has passed before it was approved and sent", wanted=False)


def _stands_for(row: FollowupRequest) -> FollowupRequest:
    """The request that a round was joined with, else itself."""
    return row if row.joined is None else row.joined


def _next(series: Series, every: Sequence[FollowupRequest]) -> FollowupRequest | None:
    """Draft the round after the last one, which has ended, if its time has come; None if it has not, or if there is none."""
    last, now = every[-1], clock.now()
    if _stands_for(last).state == State.CANCELLED:
        _end(series, last, f"round {last.round} was given up")
        return None
    (candidate,) = candidates(SkyObject.objects.filter(pk=last.sky_object_id))
    own, past = rule(series), [_round(one) for one in every]
    at = rules.due(own, past, now)
    if why := rules.ending(own, past, _known(last, candidate, at), at):
        _end(series, last, why)
        return None
    _say(series, f"round {last.round}: {rules.then(own, past)}; round {last.round + 1} from {_day(at)} UTC on", at)
    if at - now > LEAD or _halted(series):
        return None
    try:
        require(series.owner, "request", last)
        return rounds.add(series, last, candidate, at)
    except Forbidden as refusal:
        _end(series, last, f"round {last.round + 1} is not asked for: {refusal}")
    except FollowupError as refusal:
        words = f"round {last.round + 1} cannot be asked for: {refusal}"
        late = rules.due(own, past, mjd_from_datetime(_stands_for(last).modified)) + PATIENCE
        if now > late:
            _end(series, last, words)
        else:
            _say(series, f"{words}; it is tried again until {_day(late)} UTC", at)
    return None


def _push(series: Series, row: FollowupRequest) -> None:
    """Check a round that is not with its facility yet, and ask for its approval, or approve and send it if the series may."""
    if row.round == 1 or row.state not in UNSENT | {State.APPROVED}:
        _say(series, f"round {row.round} is {row.get_state_display()}")
        return
    if _halted(series):
        return
    if row.state == State.DRAFT:
        validate.dry_run(row, series.owner)
    if row.state == State.VALIDATED:
        _approve(series, row)
    if row.state == State.APPROVED and series.sends and not row.wanted:
        send.send(row, series.owner)
    words = f": {row.message}" if row.state not in (State.VALIDATED, State.APPROVED) else ""
    if row.state != State.VALIDATED:
        _say(series, f"round {row.round} is {row.get_state_display()}{words}")


def _approve(series: Series, row: FollowupRequest) -> None:
    """Approve a round that no guard stops, or ask for its approval."""
    if against := ", ".join(one.name for one in judge.stopping(judge.judge(row, series.owner))):
        _say(series, f"round {row.round} is stopped by guards ({against}), which are asked again until its window has passed")
    elif series.sends:
        approve(row, series.owner, f"by its series, round {row.round}")
    else:
        if not ask.asks(FollowupRequest.objects.filter(pk=row.pk)).exists():
            ask.ask(row, series.owner)
        _say(series, f"round {row.round} waits for approval")


def _halted(series: Series) -> bool:
    """Whether all that is automatic is stopped."""
    halted = series.sends and Halt.current() is not None
    if halted:
        _say(series, "automatic requests are stopped: it waits")
    return halted


def _round(row: FollowupRequest) -> Round:
    real = _stands_for(row)
    observed = real.state == State.OBSERVED
    block = None if real.observation_record is None else records.moment(real.observation_record.scheduled_start)
    at = mjd_from_datetime(block or real.modified) if observed else math.nan
    start, end = (math.nan if one is None else one for one in (row.start, row.end))
    return Round(observed, mjd_from_datetime(row.created) if math.isnan(start) else start, end, at)


def _known(row: FollowupRequest, candidate: Candidate, at: float) -> Known:
    """What the conditions of a series ask about its object at a time (MJD)."""
    batch = Batch.of([candidate])
    peaked = float(batch.outlooks.peak()[0, 2]) if len(batch.has_outlook) and believed(batch)[0] else math.nan
    return Known(float(forecast(batch, clock.now(), at).magnitude[0]), known.spectroscopic(row, candidate), peaked)


def rule(series: Series) -> Rule:
    """The rule of a series."""
    return Rule(
        every=series.every,
        most=series.most,
        until=mjd_from_datetime(series.until),
        after_failure=series.after_failure,
        failures=series.failures,
        observed=series.observed or 0,
        fainter=math.inf if series.fainter is None else series.fainter,
        classified=series.classified,
        past_peak=math.inf if series.past_peak is None else series.past_peak,
    )


def _day(mjd: float) -> str:
    return f"{datetime_from_mjd(mjd):%Y-%m-%d %H:%M}"


def _say(series: Series, message: str, due: float | None = None) -> None:
    moment: datetime | None = None if due is None else datetime_from_mjd(due)
    Series.objects.filter(pk=series.pk, ended=None).update(message=message, due=moment)
    series.message, series.due = message, moment


def _end(series: Series, last: FollowupRequest | None, why: str, by: Any = None) -> None:
    """End a series, once; its last round's history says so."""
    with transaction.atomic():
        now = timezone.now()
        if not Series.objects.filter(pk=series.pk, ended=None).update(message=f"ended: {why}", due=None, ended=now):
            raise IllegalTransition("the series has ended already")
        if last is not None:
            note(last, last.state, last.state, f"its series has ended: {why}", by=by)
        if last is not None and asking.rules("request"):
            title = f"{last.sky_object.public_name}: the series of requests to {last.facility} has ended"
            announce("request", f"series {series.pk}", title, why, sky_object=last.sky_object, request=last)
    series.message, series.due, series.ended = f"ended: {why}", None, now
