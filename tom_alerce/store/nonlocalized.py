"""Exchange with ``tom_nonlocalizedevents``, where the TOM has it: its events are read, and our candidates written back; never required.

What it has heard of and we have not becomes an event here, with the map of its tiles. Back go candidates that are targets, which its table
asks for, and not private ones, since its pages show them to everybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from django.apps import apps
from numpy.typing import NDArray

from broker_adapters import skymap
from broker_adapters.errors import PacketError
from broker_adapters.notice import Messenger, Notice, Role
from broker_adapters.notices import _unified
from broker_adapters.skymap import FINEST, SkyMap
from broker_adapters.times import mjd_from_datetime
from followup.regions import Distances
from tom_alerce.models import EventCandidate, SkyEvent
from tom_alerce.store import counterparts, events

APP = "tom_nonlocalizedevents"
#: Where a version that was read there says that it comes from.
_LABEL = "read from"
_MESSENGERS = {"GW": Messenger.WAVES, "GRB": Messenger.GAMMA, "NU": Messenger.NEUTRINO, "XRT": Messenger.X_RAYS}
_ROLES = {"M": Role.MOCK, "T": Role.TEST}


def installed() -> bool:
    """Whether the TOM has it."""
    return apps.is_installed(APP)


def read() -> int:
    """Store the events that it has heard of and we have not, and what it says anew of those; how many versions are new."""
    heard = SkyEvent.objects.exclude(versions__facts__has_key=_LABEL).values_list("name", flat=True)
    rows = apps.get_model(APP, "NonLocalizedEvent").objects.filter(event_type__in=_MESSENGERS)
    return sum(_read(row) for row in rows.exclude(event_id__in=list(heard)).order_by("pk"))


def write() -> int:
    """Write the candidates of the events that still count, and that it knows, which are targets; how many there are."""
    table, known = apps.get_model(APP, "EventCandidate"), apps.get_model(APP, "NonLocalizedEvent")
    own = {row.event_id: row for row in known.objects.filter(event_id__in=list(counterparts.live().values_list("name", flat=True)))}
    rows = EventCandidate.objects.filter(event__name__in=own).exclude(sky_object__target=None)
    rows = rows.exclude(sky_object__target__permissions="PRIVATE").select_related("event", "sky_object", "decided_by")
    for row in rows:
        values = {"viable": viable(row), "viability_reason": reason(row), "priority": 1 if row.status != row.Status.CONFIRMED else 0}
        table.objects.update_or_create(target_id=row.sky_object.target_id, nonlocalizedevent=own[row.event.name], defaults=values)
    return len(rows)


def viable(row: EventCandidate) -> bool:
    """Whether a candidate may be the counterpart."""
    return not row.early and row.status != row.Status.REJECTED and row.level <= counterparts.search().level


def reason(row: EventCandidate) -> str:
    """Why, in a sentence."""
    said = f"{row.status} by {row.decided_by or 'a former user'}" if row.decided_at is not None else row.status
    before = f", seen {-row.delay:.0f} d before the event" if row.early else ""
    return f"{said}{f': {row.text}' if row.text else ''}; at the {row.level:.0%} level of the region{before}."


def _read(row: Any) -> int:
    """Store the versions of one event; what cannot be used is left out."""
    new = 0
    for one in row.sequences.select_related("localization").order_by("sequence_id"):
        try:
            found = notice(row, one, [] if one.localization is None else one.localization.tiles.values_list(*_TILE))
        except PacketError:
            continue
        new += _save(found)
    if row.state == "RETRACTED" and not SkyEvent.objects.filter(name=row.event_id, retracted=True).exists():
        new += _save(retraction(row))
    return new


def _save(found: Notice) -> bool:
    event, stored = events.save(found)
    if stored:
        counterparts.match_event(event)
    return stored


_TILE = ("tile", "probdensity", "distance_mean", "distance_std")


def notice(row: Any, one: Any, tiles: Iterable[Sequence[Any]]) -> Notice:
    """The notice of a sequence of an event there; `PacketError` where it says nothing that can be used."""
    said = one.details if isinstance(one.details, dict) else {}
    return Notice(
        event=row.event_id,
        messenger=_MESSENGERS[row.event_type],
        role=_role(row),
        stage=str(one.event_subtype or "notice").lower()[:40],
        issued=mjd_from_datetime(one.created),
        mjd=_unified.mjd(said.get("time"), "time of the event"),
        place=_map(list(tiles)),
        number=one.sequence_id,
        far=_unified.far(said.get("far")),
        classes=_unified.classes(said.get("classification")),
        facts=MappingProxyType({_LABEL: APP, **_unified.facts(said, instruments="instruments", pipeline="pipeline")}),
    )


def retraction(row: Any) -> Notice:
    """The notice of a retraction, which has no sequence there."""
    facts = MappingProxyType({_LABEL: APP})
    issued = mjd_from_datetime(row.modified)
    return Notice(row.event_id, _MESSENGERS[row.event_type], _role(row), "retraction", issued, np.nan, None, retracted=True, facts=facts)


def _role(row: Any) -> Role:
    return _ROLES.get(row.event_id[:1], Role.OBSERVATION) if row.event_type == "GW" else Role.OBSERVATION


def _map(tiles: Sequence[Sequence[Any]]) -> SkyMap:
    """The map of tiles: ranges of nested indices of order 29, probability per steradian, mean and standard deviation of the distance."""
    if not tiles:
        raise PacketError("no map")
    start = np.array([int(tile.lower) for tile, *_ in tiles], np.int64)
    size = np.array([int(tile.upper - tile.lower) for tile, *_ in tiles], np.int64)
    order = FINEST - (np.round(np.log2(np.maximum(size, 1))).astype(np.int64) // 2)
    density, mean, error = (np.array(column, float) for column in list(zip(*tiles, strict=True))[1:])
    here = Distances.of_moments(np.where(mean > 0.0, mean, np.nan), np.where(error > 0.0, error, np.nan))
    columns: tuple[NDArray[np.float64], ...] = (here.mu, here.sigma, here.norm)
    return skymap.made(order, start >> 2 * (FINEST - order), density, *columns)
