"""The toolkit's side of a request that a facility has: its observation record, and its scheduled block on the TOM's calendar."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from guardian.shortcuts import assign_perm
from tom_observations.models import ObservationRecord
from tom_targets.models import BaseTarget

from tom_alerce.models import FollowupRequest
from tom_alerce.requests.states import State, move

logger = logging.getLogger(__name__)

#: Status of a record that the facility has not been asked about yet.
_NEW = "PENDING"


def accepted(row: FollowupRequest, identities: Sequence[str], message: str, *, by: Any = None, answer: str = "") -> None:
    """Store that the facility has a request under these identities, in one transaction with the toolkit's records of them.

    The request follows the first of them; every one has its record.

    Raises
    ------
    IllegalTransition
        Somebody else has stored it meanwhile.
    """
    with transaction.atomic():
        kept = [_record(row, identity) for identity in identities] if row.target is not None else []
        first = kept[0] if kept else None
        move(row, State.SUBMITTED, message, by=by, answer=answer, wanted=False, observation_id=identities[0], observation_record=first)


def _record(row: FollowupRequest, identity: str) -> ObservationRecord:
    """The toolkit's record of an observation, made if there is none; a hook of the TOM that fails does not lose it."""
    known = ObservationRecord.objects.filter(facility=row.facility, observation_id=identity).first()
    return known if known is not None else _saved(_new(row, identity), lambda: _new(row, identity))


def _new(row: FollowupRequest, identity: str) -> ObservationRecord:
    return ObservationRecord(
        target=row.target,
        user=row.sender or row.user,
        facility=row.facility,
        parameters={**row.payload, "tom_alerce": row.token},
        observation_id=identity,
        status=_NEW,
    )


def _saved(record: ObservationRecord, again: Any) -> ObservationRecord:
    try:
        with transaction.atomic():
            record.save()
    except DatabaseError:
        raise
    except Exception:  # hooks and signal handlers are anybody's code; the identity must be kept whatever they do
        logger.exception("%s %s: code of this TOM that runs when it is saved has failed", record.facility, record.observation_id)
        (record,) = ObservationRecord.objects.bulk_create([again()])
    if record.user is not None and not settings.TARGET_PERMISSIONS_ONLY:
        for permission in ("view", "change", "delete"):
            assign_perm(f"tom_observations.{permission}_observationrecord", record.user, record)
    return record


def follow(row: FollowupRequest, status: Mapping[str, Any]) -> None:
    """Write what a facility says of an observation to the toolkit's record and to the calendar."""
    record = row.observation_record
    if record is None:
        return
    start, end = moment(status.get("scheduled_start")), moment(status.get("scheduled_end"))
    before = (record.status, record.scheduled_start, record.scheduled_end)
    record.status, record.scheduled_start, record.scheduled_end = str(status["state"])[:200], start, end
    if before == (record.status, start, end):
        return
    try:
        with transaction.atomic():
            record.save()
    except DatabaseError:
        raise
    except Exception:  # as above
        logger.exception("%s %s: code of this TOM that runs when it is saved has failed", record.facility, record.observation_id)
        ObservationRecord.objects.filter(pk=record.pk).update(
            status=record.status, scheduled_start=start, scheduled_end=end, modified=timezone.now()
        )


def moment(value: Any) -> datetime | None:
    """A time as facilities give it, ISO text or datetime, UTC where it has no zone; None where there is none."""
    found = parse_datetime(value) if isinstance(value, str) else value if isinstance(value, datetime) else None
    return timezone.make_aware(found, timezone.get_fixed_timezone(0)) if found is not None and timezone.is_naive(found) else found


def on_calendar(row: FollowupRequest) -> None:
    """Show the scheduled block of a request on the TOM's calendar, or take it away when it will not happen.

    Everybody who logs in sees the calendar: requests for private targets are not on it.
    """
    record = row.observation_record
    if not apps.is_installed("tom_calendar") or record is None or row.target is None:
        return
    if row.target.permissions == BaseTarget.Permissions.PRIVATE:
        return
    from tom_calendar.models import CalendarEvent

    described = f"request {row.token} at {row.facility}"
    if row.state not in (State.SCHEDULED, State.OBSERVED) or record.scheduled_start is None or record.scheduled_end is None:
        CalendarEvent.objects.filter(description=described).delete()
        return
    shown = {
        "title": f"{row.target.name} ({row.facility} {row.instrument})"[:200],
        "start_time": record.scheduled_start,
        "end_time": record.scheduled_end,
        "telescope": row.facility,
        "instrument": row.instrument,
        "proposal": str(row.payload.get("proposal") or "")[:200],
    }
    CalendarEvent.objects.update_or_create(description=described, defaults=shown)
