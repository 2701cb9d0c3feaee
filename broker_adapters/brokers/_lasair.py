"""Read Lasair's answers and messages: pure functions from JSON to alerts (the client is in `broker_adapters.brokers.lasair`).

Traps: the declination is ``decl``; among the candidates of a ZTF object are non-detections, without ``candid`` and with the limit
in ``magpsf``; a bare NaN is a number; the id of a message is under whatever name the user's filter selected it, and the sources of its
*lite* light curve have neither id nor position, so that they cannot be matched with those from elsewhere: such a message is
a pointer to an object, whose light curve the API has. LSST times are TAI, ZTF's the *start* of the exposure.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import numpy as np

from broker_adapters import lifetime, times
from broker_adapters.brokers._answers import flat, listed
from broker_adapters.crossmatch import mean_position
from broker_adapters.errors import PacketError, Unplaced
from broker_adapters.records import Alert, BrokerLabel, Detections, Lifetime, blank, frozen
from broker_adapters.significance import alerts
from broker_adapters.surveys import lsst, ztf
from broker_adapters.values import check, floats, identifier, number, sane, scalars, shown, sound

#: A TNS object farther than this from Lasair's is not taken for the same, arcsec.
TNS_RADIUS = 2.0

_IDS = ("diaObjectId", "objectId")
_ZTF_NAME = re.compile(ztf.SURVEY.object_id)
_MAX_MESSAGE = 16 << 20


def read_object(answer: Any) -> Alert:
    """Make one alert of an answer of ``/api/object/`` of either service.

    Raises
    ------
    PacketError
        The answer is not about an object, or not in a form that we know.
    """
    if isinstance(answer, list) and len(answer) == 1:
        answer = answer[0]
    if not isinstance(answer, Mapping):
        raise PacketError(f"an object of Lasair was expected, not {shown(answer)}")
    return _lsst_object(answer) if "diaObjectId" in answer or "diaObject" in answer else _ztf_object(answer)


def _lsst_object(answer: Mapping[str, Any], columns: Mapping[str, Any] | None = None) -> Alert:
    """Make an alert of an LSST object from an answer, or from the light curve in a message and the message's other ``columns``."""
    about = _part(answer, "diaObject")
    added = _part(answer, "lasairData") or columns or {}
    oid = identifier(answer.get("diaObjectId") or about.get("diaObjectId") or added.get("diaObjectId"))
    dropped: Counter[str] = Counter()
    sources, forced = ([_as_packet(row) for row in listed(answer.get(n), n, dropped)] for n in ("diaSourcesList", "diaForcedSourcesList"))
    # the rows of a lite light curve have no id, and are no measurements that could be told from others
    known = [row for row in sources if row.get("diaSourceId")]
    rows, withdrawn = lsst.photometry(oid, known, forced, dropped)
    where = {**added, **about}
    place = floats([_scalar(where, name) for name in ("ra", "decl", "raErr", "decErr")])
    latest = times.utc_from_tai(floats([_scalar(where, "lastDiaSourceMjdTai"), *(row.get("midpointMjdTai") for row in sources)]))
    error = float(lsst.position_error(place[2], place[3], place[1]))
    read = _Read("lsst", oid, rows, dropped, withdrawn, lsst.all_moving(known))
    return _alert(read, (float(place[0]), float(place[1]), error), _latest(latest), added, answer)


def _ztf_object(answer: Mapping[str, Any]) -> Alert:
    oid = _ztf_name(answer.get("objectId"))
    about = _part(answer, "objectData")
    dropped: Counter[str] = Counter()
    candidates = [flat(row) for row in listed(answer.get("candidates"), "candidates", dropped)]
    seen = [row for row in candidates if row.get("candid")]
    unseen = [{**row, "diffmaglim": row.get("diffmaglim") or row.get("magpsf")} for row in candidates if not row.get("candid")]
    forced = [flat(row) for row in listed(answer.get("forcedphot"), "forcedphot", dropped)]
    rows = np.concatenate([ztf.candidates(seen), ztf.upper_limits(oid, unseen), ztf.fp_hists(oid, forced)])
    place = floats([_scalar(about, "ramean"), _scalar(about, "decmean")])
    start = times.mjd_from_jd(number(about.get("jdmax")))
    latest = float(times.mid_exposure(start, ztf.EXPOSURE))
    moving = bool(seen) and all(_solar_system(row) for row in seen)
    read = _Read("ztf", oid, sound(rows, dropped), dropped, (), moving)
    return _alert(read, (float(place[0]), float(place[1]), ztf.POSITION_FLOOR), latest, about, answer)


def _solar_system(row: Mapping[str, Any]) -> bool:
    return 0.0 <= number(row.get("ssdistnr")) <= ztf.MOVING_RADIUS and row.get("ssnamenr") not in (None, "", "null")


def recognises(data: bytes) -> bool:
    """Whether these bytes may be a message of a filter topic: a JSON object with the id of an object somewhere in it."""
    return data.lstrip()[:1] == b"{" and any(name.encode() in data for name in _IDS)


def pointer(data: bytes) -> tuple[str, str]:
    """(survey, object id) that a message of a filter topic is about.

    Raises
    ------
    PacketError
        It is not JSON, or names no object.
    """
    return _named(_decoded(data))


def read(data: bytes, *, history: bool = True) -> Alert:
    """The alert in a message of a filter topic; of its light curve only the rows that have an identity.

    Raises
    ------
    Unplaced
        It names an object, but neither its place nor its time can be read: the service may be asked about it.
    PacketError
        It is no message that names an object.
    """
    message = _decoded(data)
    survey, oid = _named(message)
    try:
        return _message(message, survey, oid, history)
    except PacketError as error:
        raise Unplaced(f"object {oid} is named without what is needed to store it: {error}", survey, oid) from error


def _message(message: Mapping[str, Any], survey: str, oid: str, history: bool) -> Alert:
    """The alert in a message about an object."""
    curve = _part(message, "alert") if history else {}
    columns = {name.rpartition(".")[2]: value for name, value in flat(message).items()}
    if survey == "lsst":
        about = {**_part(curve, "diaObject"), **{k: v for k, v in columns.items() if v is not None}}
        answer = {"diaObjectId": oid, **{k: v for k, v in curve.items() if k.endswith("List")}, "annotations": curve.get("annotations")}
        return _lsst_object(answer, {"lastDiaSourceMjdTai": _tai_of(columns.get("UTC")), **about})
    place = floats([_scalar(columns, "ramean"), _scalar(columns, "decmean")])
    start = times.mjd_from_jd(number(columns.get("jdmax")))
    latest = _latest(np.array([times.mid_exposure(start, ztf.EXPOSURE)])) if np.isfinite(start) else _utc_of(columns.get("UTC"))
    return _alert(_Read("ztf", oid, blank(0)), (float(place[0]), float(place[1]), ztf.POSITION_FLOOR), latest, columns, {})


def _decoded(data: bytes) -> Mapping[str, Any]:
    if len(data) > _MAX_MESSAGE:
        raise PacketError(f"{len(data)} bytes are no message of Lasair")
    try:
        message = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise PacketError(f"not JSON: {error}") from error
    if not isinstance(message, Mapping):
        raise PacketError(f"a JSON object was expected, not a {type(message).__name__}")
    return message


def _named(message: Mapping[str, Any]) -> tuple[str, str]:
    curve = _part(message, "alert")
    for part in (message, curve, _part(curve, "diaObject")):
        for name, value in part.items():
            if name.rpartition(".")[2] in _IDS and value:
                if isinstance(value, str) and _ZTF_NAME.fullmatch(value):
                    return "ztf", value
                oid = identifier(value)
                if oid.isdecimal():
                    return "lsst", oid
                raise PacketError(f"neither an object of ZTF nor of LSST: {shown(value)}")
    raise PacketError("a message that names no object: its filter must select diaObjectId or objectId")


def _ztf_name(value: Any) -> str:
    if isinstance(value, str) and _ZTF_NAME.fullmatch(value):
        return value
    raise PacketError(f"not a ZTF object: {shown(value)}")


def _part(whole: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = whole.get(name)
    return part if isinstance(part, Mapping) else {}


def _scalar(fields: Mapping[str, Any], name: str) -> Any:
    value = fields.get(name)
    return None if isinstance(value, (list, Mapping)) else value


def _as_packet(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row under the names of Rubin's packets."""
    row = flat(row)
    return {**row, "dec": row.get("decl", row.get("dec"))}


def _latest(mjd: Any) -> float:
    known = np.atleast_1d(mjd)
    known = known[sane(known)]
    return float(known.max()) if len(known) else np.nan


def _utc_of(text: Any) -> float:
    """MJD UTC of a message's own date, which is within a night of the detection that made it."""
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        moment = None
    return np.nan if moment is None else times.mjd_from_datetime(moment.replace(tzinfo=timezone.utc))


def _tai_of(text: Any) -> float:
    return float(times.tai_from_utc(_utc_of(text)))


@dataclass(frozen=True, slots=True)
class _Read:
    """An object's name, its sound rows, and what is said about the others."""

    survey: str
    oid: str
    rows: Detections
    dropped: Mapping[str, int] = field(default_factory=dict)
    withdrawn: tuple[str, ...] = ()
    moving: bool = False


def _alert(read: _Read, place: tuple[float, float, float], latest: float, about: Mapping[str, Any], answer: Mapping[str, Any]) -> Alert:
    """The alert of an object: at ``place``, or at the mean of its detections where Lasair gives none."""
    seen = read.rows[alerts(read.rows)]
    if len(seen) and (read.survey == "ztf" or not np.isfinite(place[:2]).all()) and not read.moving:
        place = mean_position(seen["ra"], seen["dec"], seen["position_err"])
    check(place[0], place[1])
    mjd = float(seen["mjd"].max()) if len(seen) else latest
    if not sane(mjd):
        raise PacketError(f"{read.oid}: no detection and no time of one")
    return Alert(
        survey=read.survey,
        object_id=read.oid,
        source_id=None,
        ra=place[0],
        dec=place[1],
        position_err=place[2],
        mjd=mjd,
        detections=frozen(read.rows),
        metadata=scalars(flat(about)),
        labels=tuple(_labels(about, answer)),
        names=tuple(_tns_names(about, answer)),
        moving=read.moving,
        broker="lasair",
        lifetime=None if read.moving else _LIFETIMES[read.survey]({**_part(answer, "diaObject"), **about}),
        withdrawn=read.withdrawn,
        dropped=read.dropped,
    )


def _ztf_lifetime(columns: Mapping[str, Any]) -> Lifetime | None:
    """The life of a ZTF object: ``jdmin``, ``jdmax`` and ``ncand`` are of Lasair's alerts, JD at the *start* of the exposure.

    A filter may also select ZTF's own columns, whose names are those of packets.
    """
    fields = (columns.get(name) for name in ("jdmin", "jdmax", "ncand"))
    of_lasair = lifetime.stated(*fields, clock=lambda jd: times.mid_exposure(times.mjd_from_jd(jd), ztf.EXPOSURE))
    return lifetime.merged([of_lasair, ztf.lifetime(columns)])


#: Survey -> reader of the life of an object in Lasair's columns about it; those of LSST have the packet's names.
_LIFETIMES = {"ztf": _ztf_lifetime, "lsst": lsst.lifetime}


def _labels(about: Mapping[str, Any], answer: Mapping[str, Any]) -> Iterator[BrokerLabel]:
    """Labels of Sherlock and of the annotators; none of them gives a probability, so that it is NaN."""
    sherlock = _part(about, "sherlock") or _part(answer, "sherlock") or _part(_part(answer, "annotations"), "sherlock")
    context = sherlock.get("classification") or about.get("classification") or about.get("sherlock_classifications")
    if isinstance(context, str) and context:
        yield BrokerLabel("lasair", "sherlock", "", context[:64], np.nan)
    notes = about.get("annotations") or answer.get("annotations")
    for note in notes if isinstance(notes, list) else ():
        topic, name = (note.get("topic"), note.get("classification")) if isinstance(note, Mapping) else (None, None)
        if isinstance(topic, str) and topic and isinstance(name, str) and name:
            yield BrokerLabel("lasair", topic[:64], str(note.get("version") or "")[:64], name[:64], np.nan)


def _tns_names(about: Mapping[str, Any], answer: Mapping[str, Any]) -> Sequence[str]:
    """The TNS name, where it belongs to this place."""
    entry = _part(about, "TNS") or _part(answer, "TNS")
    name = entry.get("tns_name") or about.get("tns_name")
    if not isinstance(name, str) or not name.strip() or number(entry.get("arcsec")) > TNS_RADIUS:
        return ()
    prefix = entry.get("tns_prefix")
    return (f"{prefix} {name}" if isinstance(prefix, str) and prefix.isalpha() else name,)
