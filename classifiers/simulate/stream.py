"""Endless alert packets for a stream at any rate: copies of a few simulated ones, true to their survey's schema, each of another object.

To simulate a packet takes 50 milliseconds, most of them for the stamps; to write a copy of it about another object, elsewhere and now,
takes one or two.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from itertools import count
from typing import Any

import fastavro
from threadpoolctl import threadpool_limits

from broker_adapters import avro, lsst_wire, times
from classifiers.simulate import night
from classifiers.simulate.packets._encode import container
from classifiers.simulate.packets.lsst import encoded

#: Sources of which packets are copied; ids of measurements that one object may have, and the first of them, as large as real ones are.
SOURCES, IDS, FIRST = 16, 10**9, {"ztf": 27 * 10**17, "lsst": 3 * 10**17}
#: Turns of the golden angle put neighbours in number far from each other, and cover the sky evenly.
_GOLDEN = 180.0 * (3.0 - math.sqrt(5.0))


@dataclass(frozen=True, slots=True)
class Original:
    """The content of a packet that is copied, and the schema that came with it."""

    survey: str
    schema: Any = field(repr=False)
    record: Mapping[str, Any] = field(repr=False)


def originals(survey: str, seed: int, now: float, sources: int = SOURCES) -> list[Original]:
    """The packets of a few simulated sources (at MJD ``now``) of 'ztf' or 'lsst'."""
    with threadpool_limits(1):
        return [original(survey, data) for data in night.packets(survey, seed, now, sources)]


def original(survey: str, packet: bytes) -> Original:
    """What is in a packet of 'ztf' (a container) or 'lsst' (in the wire format of `lsst.VERSION`)."""
    if survey == "lsst":
        return Original(survey, None, lsst_wire.decoded(packet))
    return Original(survey, fastavro.reader(BytesIO(packet)).writer_schema, avro.read(packet))


def packets(known: Sequence[Original], clock: Callable[[], float], first: int = 0, objects: int | None = None) -> Iterator[bytes]:
    """Yield packets for ever, of objects numbered from ``first`` on, each alert at the time (MJD, UTC) that ``clock`` shows.

    After ``objects`` of them the same come again, each with another alert and the same history; None: each is of an object of its own.
    """
    began: list[float] = []
    for i in count():
        visit, number = (0, i) if objects is None else divmod(i, objects)
        now = clock()
        if objects is not None and not visit:
            began.append(now)
        yield copy(known[number % len(known)], first + number, now, visit, began[number] if visit else now)


def copy(one: Original, number: int, mjd: float, visit: int = 0, began: float | None = None) -> bytes:
    """The packet as of object ``number``, of which it is alert ``visit``, at MJD ``mjd`` (UTC).

    Its history moves so as to fit to a first alert at ``began``, by default this one.
    """
    place = _GOLDEN * number % 360.0, math.degrees(math.asin(2.0 * ((number + 0.5) * 0.6180339887498949 % 1.0) - 1.0))
    return _WRITERS[one.survey](one, number, mjd, visit, mjd if began is None else began, place)


def _ztf(one: Original, number: int, mjd: float, visit: int, began: float, place: tuple[float, float]) -> bytes:
    own, record = one.record["candidate"], one.record
    then, base = times.MJD_ZERO_JD + began - own["jd"], FIRST["ztf"] + IDS * number
    dates = ("jdstarthist", "jdendhist")

    def moved(row: Mapping[str, Any], candid: int, later: float = then) -> dict[str, Any]:
        new = {**row, "jd": row["jd"] + later} | {name: row[name] + later for name in dates if row.get(name)}
        new |= dict(zip(("ra", "dec"), place, strict=True)) if row.get("ra") is not None else {}
        return new | ({"candid": candid} if row.get("candid") is not None else {})

    kinds = [name for name in ("prv_candidates", "fp_hists") if name in record]  # older schemas have no forced photometry
    past = {name: [moved(row, base + k) for k, row in enumerate(record[name] or ())] or None for name in kinds}
    alert = moved(own, base + IDS // 2 + visit, then + mjd - began) | {"ssdistnr": -999.0, "ssnamenr": "null"}
    name = "".join(chr(97 + number // 26**power % 26) for power in range(6, -1, -1))
    return container(one.schema, {**record, **past, "objectId": f"ZTF26{name}", "candid": alert["candid"], "candidate": alert})


def _lsst(one: Original, number: int, mjd: float, visit: int, began: float, place: tuple[float, float]) -> bytes:
    own, record = one.record["diaSource"], one.record
    then, base = float(times.tai_from_utc(began)) - own["midpointMjdTai"], FIRST["lsst"] + IDS * number
    where = dict(zip(("ra", "dec"), place, strict=True)) | {"diaObjectId": base}

    def moved(row: Mapping[str, Any], name: str, source: int, later: float = then) -> dict[str, Any]:
        return {**row, **where, name: source, "midpointMjdTai": row["midpointMjdTai"] + later}

    names = {"prvDiaSources": "diaSourceId", "prvDiaForcedSources": "diaForcedSourceId"}
    past = {part: [moved(row, name, base + k) for k, row in enumerate(record[part] or ())] or None for part, name in names.items()}
    alert = moved(own, "diaSourceId", base + IDS // 2 + visit, then + mjd - began) | {"ssObjectId": None}
    about = record["diaObject"] or {}
    dates = {name: about[name] + then for name in ("firstDiaSourceMjdTai", "lastDiaSourceMjdTai") if about.get(name)}
    return encoded({**record, **past, "diaSourceId": alert["diaSourceId"], "diaSource": alert, "diaObject": {**about, **where, **dates}})


_WRITERS: Mapping[str, Callable[[Original, int, float, int, float, tuple[float, float]], bytes]] = {"ztf": _ztf, "lsst": _lsst}

SURVEYS = tuple(_WRITERS)
