"""Makes the next round of a series: the last one's form data, whatever a person has changed in them, for another night."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

from django.db import transaction

from followup import sites
from followup.asked import Asked
from followup.records import Candidate, Facility, FollowupError, Limits, ObservationRequest
from followup.template import fill
from tom_alerce import conf
from tom_alerce.models import FollowupRequest, Series
from tom_alerce.requests.edit import FIXED
from tom_alerce.requests.facilities import facility_of, options_of, plugin_name, profile_of
from tom_alerce.requests.known import read
from tom_alerce.requests.sites import sites_of
from tom_alerce.requests.states import State, note
from tom_alerce.store.sql import begin_write


def repeatable(row: FollowupRequest) -> str:
    """Why a request cannot be repeated; '' if it can."""
    plugin = facility_of(row.facility)
    if plugin is None or not hasattr(plugin, "asked"):
        return f"what a request to {row.facility} asks for cannot be read back from its form data"
    by_hand: str = getattr(plugin, "BY_HAND", "")
    return by_hand


def add(series: Series, last: FollowupRequest, candidate: Candidate, at: float) -> FollowupRequest:
    """Draft the round after the last one, to begin at a time (MJD, UTC) or later; if another worker has, that one is returned.

    Raises
    ------
    FollowupError
        It cannot be asked for: never visible within a day of that time, unknown brightness, form data that cannot be read.
    """
    plugin = facility_of(last.facility)
    if plugin is None:
        raise FollowupError(f"there is no plug-in of {last.facility} any more")
    number = last.round + 1
    wanted = _request(series, plugin, last, candidate, at)
    made = payload(plugin, last, wanted)
    same = {"sky_object": last.sky_object, "target": last.target, "ranking": last.ranking, "facility": last.facility}
    columns = {"instrument": wanted.instrument, "start": wanted.start, "end": wanted.end, "payload": made}
    who = {"user": series.owner, "priority": last.priority, "key": wanted.key}
    with transaction.atomic():
        begin_write()
        Series.objects.select_for_update().get(pk=series.pk)
        row, new = FollowupRequest.objects.get_or_create(series=series, round=number, defaults={**same, **columns, **who})
        if new:
            note(row, "", State.DRAFT, f"round {number} of a series", by=series.owner, payload=made)
    return row


def _request(series: Series, plugin: Facility, last: FollowupRequest, candidate: Candidate, at: float) -> ObservationRequest:
    """What the next round asks for: the same instrument and limits, in a window that ends before the round after it would begin."""
    asked = read(plugin, last)
    filters = [one.filter for one in asked.exposures]
    made = fill(
        candidate,
        sites.site(conf.get("SITE")),
        sites_of(plugin, asked.instrument),
        at,
        _limits(asked),
        facility=plugin_name(last.facility),
        instrument=asked.instrument,
        filters=filters,
        priority=last.priority,
        occasion=f"series {series.pk}, round {last.round + 1}",
        **({"given": asked.exposures} if series.snr is None else {"snr": series.snr}),
    )
    return replace(made, end=min(made.end, made.start + series.every))


def _limits(asked: Asked) -> Limits:
    """Those of the form data; those of the settings where they have none."""
    own = Limits(**conf.get("LIMITS"))
    airmass = asked.max_airmass if math.isfinite(asked.max_airmass) else own.max_airmass
    return replace(own, max_airmass=airmass, moon_separation=asked.min_lunar_distance)


def payload(plugin: Facility, last: FollowupRequest, wanted: ObservationRequest) -> dict[str, Any]:
    """Form data of the next round: what the plug-in makes of it, and every value of the last that it would not have made by itself."""
    asked = read(plugin, last)
    options = options_of(plugin.payload, plugin_name(last.facility), profile_of(last.ranking))
    before = replace(
        wanted,
        exposures=asked.exposures,
        start=asked.start,
        end=asked.end,
        max_airmass=asked.max_airmass,
        min_lunar_distance=asked.min_lunar_distance,
    )
    own = plugin.payload(before, target_id=last.target_id, **options)
    renamed: dict[str, Any] = json.loads(json.dumps(last.payload).replace(last.key[:16], wanted.key[:16]))  # texts that have the key
    kept = {name: value for name, value in renamed.items() if name not in FIXED and own.get(name) != value}
    return {**plugin.payload(wanted, target_id=last.target_id, **options), **kept}
