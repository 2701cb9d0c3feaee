"""Gravitational waves: alerts of LIGO, Virgo and KAGRA on ``igwn.gwalert``, JSON from GCN or Avro from Hopskotch, with the map in them.

https://emfollow.docs.ligo.org/userguide/content.html. The collaboration feeds no VOEvents any more; a superevent named M... is a mock one,
one named T... a test.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import nan
from typing import Any

from broker_adapters import avro, skymap, values
from broker_adapters.errors import PacketError
from broker_adapters.notice import Messenger, Notice, Role
from broker_adapters.notices import _unified
from broker_adapters.skymap import SkyMap

_ROLES = {"M": Role.MOCK, "T": Role.TEST}
_EVENT = re.compile(r"[MT]?S\d{6}[a-z]{1,8}")
_STAGES = frozenset({"EARLYWARNING", "PRELIMINARY", "INITIAL", "UPDATE", "RETRACTION"})


def recognises(data: bytes) -> bool:
    """Whether the bytes name a superevent: as JSON, or as Avro with its schema."""
    return b'"superevent_id"' in data and (data[:4] == avro.MAGIC or not _unified.schema(data))


def read(data: bytes) -> Notice:
    """The alert of a superevent."""
    body = avro.read(data) if data[:4] == avro.MAGIC else _unified.parsed(_single(data))
    event, stage = body.get("superevent_id"), str(body.get("alert_type", "")).upper()
    if not isinstance(event, str) or not _EVENT.fullmatch(event):
        raise PacketError(f"no superevent: {values.shown(event)}")
    if stage not in _STAGES:
        raise PacketError(f"no kind of alert: {values.shown(stage)}")
    retracted, inner = stage == "RETRACTION", body.get("event")
    if not retracted:
        inner = values.record(inner, "event")
    elif not isinstance(inner, Mapping):
        inner = {}
    return Notice(
        event=event,
        messenger=Messenger.WAVES,
        role=_ROLES.get(event[0], Role.OBSERVATION),
        stage={"EARLYWARNING": "early warning"}.get(stage, stage.lower()),
        issued=_time(body.get("time_created"), "time of the notice"),
        mjd=_time(inner.get("time"), "time of the event") if inner else nan,
        place=None if retracted else _map(inner, body.get("external_coinc")),
        retracted=retracted,
        far=_unified.far(inner.get("far")),
        classes=_unified.classes(inner.get("classification")),
        facts=_facts(body, inner),
    )


def _single(data: bytes) -> bytes:
    """The JSON object: hop-client up to 0.6 wraps it in a list of one."""
    text = data.strip()
    return text[1:-1] if text[:1] == b"[" and text[-1:] == b"]" else text


def _time(value: Any, what: str) -> float:
    """MJD of a time, text in JSON and a date in Avro."""
    return _unified.mjd(value.isoformat() if hasattr(value, "isoformat") else value, what)


def _map(event: Mapping[str, Any], coincidence: Any) -> SkyMap:
    """The map of the waves and what was seen with them, where that is given, else of the waves."""
    combined = coincidence.get("combined_skymap") if isinstance(coincidence, Mapping) else None
    given = combined or event.get("skymap")
    if isinstance(given, str):
        given = _unified.decoded(given)
    if not isinstance(given, bytes) or not given:
        raise PacketError("the alert of a superevent has no map")
    return skymap.read(given)


def _facts(body: Mapping[str, Any], event: Mapping[str, Any]) -> Mapping[str, str]:
    pages, made = body.get("urls"), event.get("properties")
    own = dict(_unified.facts(event, instruments="instruments", group="group", pipeline="pipeline", search="search"))
    own |= _unified.facts(event, duration_s="duration", central_frequency_Hz="central_frequency")
    if isinstance(event.get("significant"), bool):
        own["significant"] = "yes" if event["significant"] else "no"
    if isinstance(made, Mapping):
        own |= {name: _unified.text(float(value)) for name, value in _unified.classes(made).items()}
    if isinstance(pages, Mapping):
        own |= _unified.facts(pages, page="gracedb")
    with_it = body.get("external_coinc")
    if isinstance(with_it, Mapping):
        own |= _unified.facts(
            with_it, seen_with="observatory", seconds_between="time_difference", joint_false_alarms_Hz="time_sky_position_coincidence_far"
        )
    return own
