"""Automatic triggers: what a profile ranks highly is asked for, within guards, caps and the switch that stops all of them.

Nothing here is on by itself: a trigger is off until a person switches it on, and sends only if an administrator has allowed that.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.utils import timezone

from followup.plan import load_facility
from followup.records import FollowupError, ObservationRequest
from tom_alerce.models import FollowupRequest, Halt, SkyObject, Trigger, TriggerEntry
from tom_alerce.requests import ask, draft, judge, send, template, validate
from tom_alerce.requests.approve import approve
from tom_alerce.requests.facilities import facility_of, options_of
from tom_alerce.requests.known import read
from tom_alerce.requests.rights import require
from tom_alerce.requests.states import State
from tom_alerce.store.errors import StoreError
from tom_alerce.store.sanitize import sanitize_text

Mode, Outcome = Trigger.Mode, TriggerEntry.Outcome

#: Outcomes that use up the cap, and after which the object is left alone for the night.
_DONE = (Outcome.REHEARSED, Outcome.DRAFTED, Outcome.SENT)


def fire(trigger: Trigger, ranked: Iterable[tuple[SkyObject, float]], night: str) -> list[TriggerEntry]:
    """Do, or rehearse, what a trigger does with ranked objects; each outcome is an entry of its log.

    Parameters
    ----------
    trigger : Trigger
        Nothing happens if it is off, or while triggers are halted.
    ranked : iterable of (SkyObject, float)
        Objects with their scores, best first.
    night : str
        ISO date of the evening; an object is asked for once in a night by one trigger.
    """
    made: list[TriggerEntry] = []
    for sky_object, score in ranked:
        trigger.refresh_from_db()  # somebody may have switched it off, or stopped all, while the portal was asked
        if score < trigger.threshold or trigger.mode == Mode.OFF or Halt.current() is not None:
            break
        if trigger.entries.filter(sky_object=sky_object, night=night, outcome__in=_DONE).exists():
            continue
        try:
            entry = _one(trigger, sky_object, score, night)
        except (StoreError, FollowupError) as refusal:
            entry = _log(trigger, sky_object, score, night, Outcome.FAILED, str(refusal))
        made += [entry] if entry is not None else []
        if entry is not None and entry.outcome == Outcome.CAPPED:
            break
    return made


def _one(trigger: Trigger, sky_object: SkyObject, score: float, night: str) -> TriggerEntry | None:
    """What becomes of one object."""
    options = {"instrument": trigger.instrument, "filters": trigger.filters, "snr": trigger.snr}
    request = template.request(sky_object, facility=trigger.facility, priority=score, **options)
    supposed = _supposed(sky_object, request)
    plugin = facility_of(supposed.facility)
    hours = 0.0 if plugin is None else read(plugin, supposed).hours(plugin.INSTRUMENTS)
    told: dict[str, Any] = {"hours": hours, "payload": supposed.payload}
    if reason := _beyond(trigger, hours):
        return _log(trigger, sky_object, score, night, Outcome.CAPPED, reason, **told)
    if against := judge.stopping(judge.judge(supposed, trigger.owner)):
        why = "; ".join(f"{one.name}: {one.reason}" for one in against)
        return _log(trigger, sky_object, score, night, Outcome.STOPPED, why, **told)
    if trigger.mode == Mode.REHEARSE:
        return _log(trigger, sky_object, score, night, Outcome.REHEARSED, "nothing was stored or sent", **told)
    return _act(trigger, sky_object, score, night, request, hours)


def _act(
    trigger: Trigger, sky_object: SkyObject, score: float, night: str, request: ObservationRequest, hours: float
) -> TriggerEntry | None:
    """Draft a request in the name of the trigger's owner, and send it if that is allowed."""
    owner = trigger.owner
    if owner is None:
        raise StoreError("the trigger belongs to nobody, in whose name it could ask")
    require(owner, "request")
    (row,) = draft.draft([request], user=owner)
    told: dict[str, Any] = {"hours": hours, "payload": row.payload, "request": row}
    if row.state not in draft.REDRAFTED:
        return _log(trigger, sky_object, score, night, Outcome.STOPPED, f"requested already: {row.get_state_display()}", **told)
    validate.dry_run(row, owner)
    draft.settle(row)
    if row.state != State.VALIDATED:
        return _log(trigger, sky_object, score, night, Outcome.FAILED, row.message, **told)
    if trigger.mode == Mode.DRAFT:
        ask.ask(row, owner)
        return _log(trigger, sky_object, score, night, Outcome.DRAFTED, f"waits for approval; {row.message}", **told)
    if trigger.allowed_by is None or Halt.current() is not None:
        raise StoreError("nobody has allowed it to send, or triggers are stopped")
    require(trigger.allowed_by, "configure")
    # the entry is stored before anything is sent, so that a crash cannot hide it from the cap
    entry = _log(trigger, sky_object, score, night, Outcome.SENT, "being sent", **told)
    approve(row, owner, f"by the trigger {trigger.name}")
    send.send(row, owner)
    TriggerEntry.objects.filter(pk=entry.pk).update(reason=f"{row.get_state_display()}: {row.message}")
    return entry


def _supposed(sky_object: SkyObject, request: ObservationRequest) -> FollowupRequest:
    """The row that a request would be, not stored."""
    facility = load_facility(request.facility)
    target = sky_object.target_id or draft.NO_TARGET
    payload = facility.payload(request, target_id=target, **options_of(facility.payload, request.facility))
    return FollowupRequest(
        key=request.key,
        sky_object=sky_object,
        target_id=sky_object.target_id,
        facility=facility.FACILITY,
        instrument=request.instrument,
        start=request.start,
        end=request.end,
        payload=payload,
    )


def _beyond(trigger: Trigger, hours: float) -> str:
    """Why a request of so many hours is beyond what the trigger may do in 24 hours; '' where it is not."""
    rows = trigger.entries.filter(time__gte=timezone.now() - timedelta(days=1), outcome__in=_DONE)
    n, spent = rows.count(), rows.aggregate(hours=Sum("hours"))["hours"] or 0.0
    if n >= trigger.per_night:
        return f"{n} requests in 24 hours, of {trigger.per_night} at most"
    if spent + hours > trigger.hours_per_night:
        return f"{spent:.2f} h of {trigger.hours_per_night:g} h in 24 hours are used, and this one takes {hours:.2f} h"
    return ""


def _log(trigger: Trigger, sky_object: SkyObject, score: float, night: str, outcome: str, reason: str, **told: Any) -> TriggerEntry:
    """Write an entry; one object has each outcome once in a night."""
    same = {"trigger": trigger, "sky_object": sky_object, "night": night, "outcome": outcome}
    try:
        with transaction.atomic():
            return TriggerEntry.objects.create(**same, score=score, reason=sanitize_text(reason)[:2000], **told)
    except IntegrityError:
        return TriggerEntry.objects.get(**same)


def halt(user: Any, reason: str) -> None:
    """Stop every trigger at once; anybody with the role ``request`` may."""
    require(user, "request")
    try:
        with transaction.atomic():
            Halt.objects.create(started_by=user, reason=sanitize_text(reason)[:500])
    except IntegrityError as error:
        raise StoreError("they are stopped already") from error


def release(user: Any) -> None:
    """Let triggers work again; takes the role ``configure``."""
    require(user, "configure")
    if not Halt.objects.filter(ended=None).update(ended=timezone.now(), ended_by=user):
        raise StoreError("they are not stopped")


def allow(trigger: Trigger, user: Any, mode: str) -> None:
    """Switch a trigger to a mode, with the role ``configure``; to let it send takes an administrator (a superuser) as well.

    The one who switches it on to draft or to send owns it: it asks in that person's name, with that person's rights.
    """
    require(user, "configure")
    if mode not in Mode.values:
        raise StoreError(f"there is no mode {mode[:20]!r}")
    if mode == Mode.SEND and not user.is_superuser:
        raise StoreError("only an administrator lets a trigger send without a person")
    allowed_by = user if mode == Mode.SEND else None
    Trigger.objects.filter(pk=trigger.pk).update(mode=mode, allowed_by=allowed_by, owner=user, modified=timezone.now())
    trigger.refresh_from_db()
