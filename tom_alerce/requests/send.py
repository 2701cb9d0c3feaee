"""Send approved requests, each exactly once (docs/decisions/025-exactly-once.md).

SENDING is committed before anything leaves this machine. What the facility answers is one of four outcomes (`portal.Outcome`); only if it
certainly has nothing is the request APPROVED again. In every other case it is UNKNOWN, and `reconcile` asks for its token first.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from tom_alerce import clock, conf
from tom_alerce.models import FollowupRequest, SkyObject
from tom_alerce.requests import judge, portal, records
from tom_alerce.requests.facilities import facility_of
from tom_alerce.requests.rights import require
from tom_alerce.requests.states import PENDING, IllegalTransition, State, move
from tom_alerce.store.errors import StoreError
from tom_alerce.store.sql import begin_write

logger = logging.getLogger(__name__)

#: Share of `FACILITY_TIMEOUT` in which an earlier attempt is looked up; the rest is for sending.
_LOOK = 0.25


def send(row: FollowupRequest, user: Any) -> None:
    """Send an approved request, unless an equivalent one is pending; its state says what became of it, within `FACILITY_TIMEOUT`.

    Parameters
    ----------
    row : FollowupRequest
        APPROVED; what was prepared when it was checked is sent as it is; then SUBMITTED; CANCELLED if it was joined with an equivalent
        one (`row.joined`); FAILED if the facility refuses it; APPROVED if it certainly did not reach it, and EXPIRED if it is too late;
        UNKNOWN if no answer came.
    user : User or None
        Needs the role ``send`` and may change the target; None is the TOM itself.

    Raises
    ------
    Forbidden
        The user may not; nothing was stored or sent.
    IllegalTransition
        It is not approved, or another worker is sending it.
    Silent
        The facility gave no usable answer about an earlier attempt; nothing was sent, and the request is still APPROVED.
    Stopped
        A guard stops it, and nobody has overridden that; the request is still APPROVED.
    """
    began = time.monotonic()
    want(row, user)
    if row.end is not None and row.end <= clock.now():
        move(row, State.EXPIRED, "its window has passed before it was sent", by=user, wanted=False)
        return
    timeout: float = conf.get("FACILITY_TIMEOUT")
    if row.sent is not None and _there_already(row, user, timeout * _LOOK):
        return
    judge.require(row, user)
    carry = getattr(facility_of(row.facility), "carry", None)
    prepared: dict[str, Any] = row.prepared or {}  # `approve` has seen to it
    sent = carry(prepared, row.token) if carry is not None else prepared
    if _claim(row, sent, user):
        _store(row, portal.call(portal.facility(row).submit_observation, sent, row=row, seconds=began + timeout - time.monotonic()))


def want(row: FollowupRequest, user: Any) -> None:
    """Note that somebody who may has told an approved request to be sent; the next synchronisation does so if nobody does before.

    Parameters, and errors, are those of `send`.
    """
    row.refresh_from_db()
    require(user, "send", row)
    if row.state != State.APPROVED:
        raise IllegalTransition(f"a request that is {row.state} cannot be sent")
    FollowupRequest.objects.filter(pk=row.pk, state=State.APPROVED).update(wanted=True, sender=user)
    row.wanted, row.sender = True, user


def send_all(rows: Iterable[FollowupRequest], user: Any) -> Iterator[tuple[FollowupRequest, str]]:
    """Send requests one after the other, and yield each with what kept it from being sent, '' if nothing did.

    After a facility has given no answer it is not asked for the rest: they stay APPROVED, and are sent at the next synchronisation.
    """
    silent: dict[str, str] = {}
    for row in rows:
        person = user if user is not None else row.sender
        if row.facility in silent:
            trouble = one(row, partial(want, row, person))
            yield row, str(trouble or f"not tried: {row.facility} gave no answer before ({silent[row.facility]})")
            continue
        trouble = one(row, partial(send, row, person))
        if isinstance(trouble, portal.Silent) or (trouble is None and row.state in (State.UNKNOWN, State.APPROVED)):
            silent[row.facility] = str(trouble or row.message)
        yield row, str(trouble or "")


def one(row: FollowupRequest, do: Callable[[], object]) -> Exception | None:
    """Do something with one request; what is wrong with it, or with the database meanwhile, ends this one alone."""
    try:
        do()
    except (StoreError, DatabaseError) as error:
        if isinstance(error, DatabaseError):
            logger.exception("%s", row)
            if not connection.in_atomic_block:
                connection.close_if_unusable_or_obsolete()
        return error
    return None


def _there_already(row: FollowupRequest, user: Any, seconds: float) -> bool:
    """Whether an earlier attempt, which cannot have reached the facility, has done so after all."""
    found = portal.find(row, seconds) if portal.can_find(row) else []
    if found:
        records.accepted(row, found[0], "found at the facility by its key: an earlier attempt had reached it", by=user)
    return bool(found)


def _claim(row: FollowupRequest, sent: dict[str, Any], user: Any) -> bool:
    """Commit that the request is being sent, unless an equivalent one is pending, with which it is joined."""
    with transaction.atomic(durable=True):  # an error where a transaction of the caller would keep it from being committed
        begin_write()
        SkyObject.objects.select_for_update().get(pk=row.sky_object_id)
        if (other := equivalent(row)) is not None:
            why = f"joined with the request {other.key[:8]} for the same instrument at the same time, which is {other.get_state_display()}"
            move(row, State.CANCELLED, why, by=user, joined=other, wanted=False)
            FollowupRequest.objects.filter(pk=other.pk, priority__lt=row.priority).update(priority=row.priority)
            return False
        move(row, State.SENDING, "being sent", by=user, carried=sent, sent=timezone.now())
    return True


def equivalent(row: FollowupRequest) -> FollowupRequest | None:
    """A request for the same object and instrument, in an overlapping window, that a facility has or may have."""
    if row.start is None or row.end is None:
        return None
    pending = FollowupRequest.objects.filter(
        sky_object=row.sky_object_id, facility=row.facility, instrument=row.instrument, state__in=PENDING
    ).exclude(pk=row.pk)
    return pending.filter(start__lt=row.end, end__gt=row.start).order_by("pk").first()


def _store(row: FollowupRequest, answer: portal.Answer) -> None:
    """Store what became of a request that was sent."""
    by = row.sender
    if answer.outcome is portal.Outcome.GIVEN:
        if identities := portal.identities(answer.value):
            records.accepted(row, identities, "accepted by the facility", by=by, answer=json.dumps(answer.value, default=str)[:2000])
        else:
            move(row, State.UNKNOWN, "the facility's answer has no identity of an observation", by=by, answer=repr(answer.value)[:2000])
    elif answer.outcome is portal.Outcome.REFUSED:
        move(row, State.FAILED, f"refused by the facility: {answer.words}", by=by, answer=answer.raw, wanted=False)
    elif answer.outcome is portal.Outcome.UNDELIVERED:
        move(row, State.APPROVED, f"not sent yet: {answer.words}", by=by, answer=answer.raw)
    else:
        move(row, State.UNKNOWN, f"sent, but {answer.words}", by=by, answer=answer.raw)
