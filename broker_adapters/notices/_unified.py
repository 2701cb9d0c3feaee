"""What all notices of GCN's unified schema share: JSON with the name of its schema, times, roles and places.

The schema: https://github.com/nasa-gcn/gcn-schema (gcn/notices/core). ``ra_dec_error`` is in degrees, of the circle or ellipse that
holds the event with ``containment_probability``, 0.9 where that is not given.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from math import isfinite, isnan, nan
from types import MappingProxyType
from typing import Any

from broker_adapters import skymap, times, values
from broker_adapters.errors import PacketError
from broker_adapters.notice import Cone, Messenger, Notice, Role
from broker_adapters.skymap import SkyMap

Json = Mapping[str, Any]

_SCHEMA = re.compile(rb'"\$schema"\s*:\s*"([^"]{1,300})"')
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,12}))?(?:Z|[+]00:?00|)")
_ROLES = {"test": Role.TEST, "injection": Role.MOCK, "simulation": Role.MOCK, "commanded": Role.TEST}
#: Characters of a text and number of classes that are kept.
_LONGEST, _CLASSES = 200, 20
#: Largest error (degrees) that says anything of a place.
_LARGEST = 90.0


def schema(data: bytes) -> str:
    """Path of the schema that a JSON notice names, '' for another message."""
    found = _SCHEMA.search(data) if data[:1] in (b"{", b" ", b"\n") else None
    return found[1].decode("latin-1").replace("\\/", "/") if found else ""


def parsed(data: bytes) -> Json:
    """The JSON object of a notice; `PacketError` for anything else."""
    try:
        return values.record(json.loads(data), "notice")
    except (ValueError, RecursionError) as error:
        raise PacketError(f"a notice that is no JSON: {error!s:.120}") from error


def mjd(value: Any, what: str) -> float:
    """MJD of a time in UTC, ISO 8601 with any number of digits; `PacketError` where it is none or cannot be."""
    found = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise PacketError(f"no {what}: {values.shown(value)}")
    try:
        moment = datetime.fromisoformat(f"{found[1]}T{found[2]}").replace(tzinfo=timezone.utc)
    except ValueError as error:
        raise PacketError(f"no {what}: {values.shown(value)}") from error
    time = times.mjd_from_datetime(moment) + float(f"0.{found[3] or 0}") / times.SECONDS_PER_DAY
    if not values.sane(time):
        raise PacketError(f"impossible {what}: {values.shown(value)}")
    return time


def role(body: Json) -> Role:
    """Role of a notice by its ``alert_tense``."""
    return _ROLES.get(str(body.get("alert_tense", "")).lower(), Role.OBSERVATION)


def name(value: Any) -> str:
    """First of one or several ids as text; `PacketError` where there is none."""
    first = value[0] if isinstance(value, list) and value else value
    return values.identifier(first)


def place(body: Json, systematic: Sequence[tuple[float, float]] = ()) -> Cone | SkyMap:
    """The place in a notice: the map in it, else position and error; ``systematic`` where the notice says that its error leaves that out.

    Raises
    ------
    PacketError
        There is no map, and position or error are missing or impossible.
    """
    if isinstance(body.get("healpix_file"), str):
        return skymap.read(decoded(body["healpix_file"]))
    ra, dec = values.number(body.get("ra")), values.number(body.get("dec"))
    if isnan(ra) or isnan(dec):
        raise PacketError("the notice gives no position")
    given = body.get("ra_dec_error")
    axes = [values.number(one) for one in given] if isinstance(given, list) else [values.number(given)]
    containment = values.number(body.get("containment_probability", 0.9))
    return cone(ra, dec, axes, containment, () if body.get("systematic_included") else systematic)


def cone(ra: float, dec: float, axes: Sequence[float], containment: float, systematic: Sequence[tuple[float, float]] = ()) -> Cone:
    """A cone, checked; ``axes`` are a radius, or two semi-axes and the angle of the first, degrees.

    Raises
    ------
    PacketError
        No position of the sky, or no error that says where the event is.
    """
    if not (0.0 <= ra <= 360.0 and abs(dec) <= 90.0):
        raise PacketError(f"the notice gives no position of the sky: {ra:g} {dec:g}")
    if not 0.0 < containment < 1.0:
        raise PacketError(f"the notice gives an error of containment {containment:g}")
    error, minor, angle = (axes[0], axes[0], 0.0) if len(axes) == 1 else (*axes, nan, nan)[:3]
    if not (0.0 < error <= _LARGEST and 0.0 < minor <= _LARGEST and isfinite(angle)):
        raise PacketError(f"the notice gives a position without a usable error: {values.shown(list(axes))}")
    return Cone(ra % 360.0, dec, error, minor, angle % 180.0, containment, tuple(systematic))


def decoded(text: str) -> bytes:
    """Bytes of base64; `PacketError` where it is none."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise PacketError(f"the map of a notice is no base64: {error!s:.120}") from error


def classes(given: Any) -> Mapping[str, float]:
    """Probabilities by class, without what is none."""
    if not isinstance(given, Mapping):
        return MappingProxyType({})
    read = {str(key)[:40]: values.number(value) for key, value in list(given.items())[:_CLASSES]}
    return MappingProxyType({key: value for key, value in read.items() if 0.0 <= value <= 1.0})


def facts(body: Json, **names: str) -> Mapping[str, str]:
    """What an observer wants to read: label (spaces for underscores) -> the field of that name as text, where there is one."""
    found = {label.replace("_", " "): text(body.get(field)) for label, field in names.items()}
    return MappingProxyType({label: value for label, value in found.items() if value})


def text(value: Any) -> str:
    """A value as a short text: lists with commas; '' for nothing."""
    if value is None or isinstance(value, Mapping):
        return ""
    if isinstance(value, list):
        return ", ".join(filter(None, map(text, value[:20])))[:_LONGEST]
    shown = f"{value:.4g}" if isinstance(value, float) else str(value) if not isinstance(value, int) or abs(value) < 10**18 else ""
    return "".join(c for c in shown if c.isprintable())[:_LONGEST]


def notice(body: Json, event: str, messenger: Messenger, where: Cone | SkyMap | None, said: Mapping[str, str]) -> Notice:
    """A notice of the unified schema, of which the event, its messenger, place and facts are known; a retraction needs no place."""
    stage = text(body.get("subtype")) or text(body.get("alert_type")) or "notice"
    issued, trigger = body.get("alert_datetime"), body.get("trigger_time")
    retracted = is_retraction(body)
    return Notice(
        event=event,
        messenger=messenger,
        role=role(body),
        stage=stage.lower().replace("_", " ")[:40],
        issued=mjd(trigger if issued is None else issued, "time of the notice"),
        mjd=nan if retracted and trigger is None else mjd(trigger, "time of the event"),
        place=None if retracted else where,
        number=number(body.get("record_number")),
        retracted=retracted,
        far=far(body.get("far")),
        classes=classes(body.get("classification")),
        facts=said,
    )


def is_retraction(body: Json) -> bool:
    """Whether a notice takes its event back."""
    return str(body.get("alert_type", "")).lower() == "retraction"


def number(value: Any) -> int:
    """Place of a notice in its sequence, 0 where it is not given."""
    found = values.number(value)
    return int(found) if 0.0 <= found < 1e6 else 0


def far(value: Any) -> float:
    """A false alarm rate in Hz; NaN for none."""
    rate = values.number(value)
    return rate if 0.0 <= rate < 1e6 else nan
