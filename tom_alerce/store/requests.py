"""What requests mean for the ranking: when objects were observed, or are about to be."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from broker_adapters.times import mjd_from_datetime
from tom_alerce.models import FollowupRequest
from tom_alerce.store.sql import chunks

State = FollowupRequest.State


def observed(sky_ids: Iterable[int]) -> dict[int, list[float]]:
    """MJD (UTC) of each observation of these sky objects that a facility has made or has on its schedule, the latest first."""
    found: dict[int, list[float]] = {}
    for part in chunks(sky_ids):
        rows = FollowupRequest.objects.filter(sky_object__in=part, state__in=(State.OBSERVED, State.SCHEDULED))
        for sky, start, modified in rows.values_list("sky_object_id", "observation_record__scheduled_start", "modified"):
            moment: datetime = start or modified
            found.setdefault(sky, []).append(mjd_from_datetime(moment))
    return {sky: sorted(times, reverse=True) for sky, times in found.items()}
