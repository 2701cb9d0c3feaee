"""ALeRCE: the ZTF API (v1, and v2 for forced photometry) and the multi-survey API for Rubin, over REST; no account is needed.

The package ``alerce`` (2.3.1) is not called: it has no time-out and no repetition, lets ``ConnectionError`` through, and its search for
LSST can neither turn a page nor find an object that is not classified. Addresses and parameters are its own and those of
alercebroker/web-services (April 2026).

A filter on classes repeats an object once for each classifier; an unknown object is 404 for ZTF and 500 for LSST; a list of LSST objects
has only those that are classified, also within a cone, and the cone that has all of them takes degrees.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count, islice
from typing import Any

import numpy as np

from broker_adapters import times
from broker_adapters.brokers._alerce import read_lsst, read_ztf
from broker_adapters.brokers._answers import Each, answered, ids, listed
from broker_adapters.errors import SourceError, Unavailable
from broker_adapters.records import Alert, Cutouts, Query
from broker_adapters.significance import alerts
from broker_adapters.sources.http import Http
from broker_adapters.surveys import ztf
from broker_adapters.values import identifier, identifiers, number

__all__ = ["Client", "read_lsst", "read_ztf"]

_STAMPS = ("cutoutScience", "cutoutTemplate", "cutoutDifference")
_PAGE = 100
_NEIGHBOURS = 1000  #: a cone search of LSST returns no more than this number, the nearest
_RADIUS = 30.0  #: arcsec, ALeRCE's own default


class Client:
    """ALeRCE's services; see `broker_adapters.records.Broker`.

    Parameters
    ----------
    ztf_url, lsst_url, avro_url : str
    forced : bool
        Ask for forced photometry too.
    stamps : bool
        Ask for the images of the first alert that has some; for ZTF the whole first alert packet is fetched, so that its metadata
        come along.
    timeout, retries, patience, sleep
        See `broker_adapters.sources.http.Http`.
    """

    surveys: tuple[str, ...] = ("ztf", "lsst")

    def __init__(
        self,
        *,
        ztf_url: str = "https://api.alerce.online",
        lsst_url: str = "https://api-lsst.alerce.online",
        avro_url: str = "https://avro.alerce.online",
        forced: bool = True,
        stamps: bool = False,
        timeout: float = 30.0,
        retries: int = 3,
        patience: float = 30.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._ztf, self._lsst, self._avro = (url.rstrip("/") for url in (ztf_url, lsst_url, avro_url))
        self._forced, self._stamps = forced, stamps
        self._http = Http("ALeRCE", timeout=timeout, retries=retries, patience=patience, sleep=sleep)
        self._each = Each("ALeRCE")

    @property
    def rejected(self) -> Sequence[tuple[str, Exception]]:
        """Objects of the latest `search` or `fetch` that could not be read, or not fetched, as a whole or in a part."""
        return self._each.rejected

    def search(self, query: Query) -> Iterator[Alert]:
        """Yield one complete alert for each object that answers the query, at most ``query.limit``."""
        whole = self._whole_ztf if query.survey == "ztf" else self._whole_lsst
        named = self._named(query)
        if named is None:
            yield from self._each.read(islice(self._pages(query), query.limit), lambda about: str(about.get("oid")), whole)
            return

        def read(oid: str) -> Alert | None:
            about = self._about(query.survey, oid)
            return whole(about) if about is not None and _within(about, query) else None

        yield from islice(self._each.read(named, str, read), query.limit)

    def fetch(self, survey: str, object_ids: Sequence[str]) -> Iterator[Alert]:
        """Yield one complete alert for each object that ALeRCE knows; unknown ids are left out."""
        yield from self.search(Query(survey, tuple(object_ids), limit=len(object_ids)))

    def objects(self, query: Query) -> Iterator[Mapping[str, Any]]:
        """Yield the objects that answer the query as ALeRCE lists them, without light curves, each once, at most ``query.limit``."""
        named = self._named(query)
        if named is None:
            yield from islice(self._pages(query), query.limit)
            return

        def read(oid: str) -> Mapping[str, Any] | None:
            about = self._about(query.survey, oid)
            return about if about is not None and _within(about, query) else None

        yield from islice(self._each.read(named, str, read), query.limit)

    def listed(self, query: Query) -> Iterator[tuple[str, float]]:
        """Yield id and latest detection (MJD, UTC) of the objects that answer the query, without their light curves: one request a page."""
        clock = times.utc_from_tai if query.survey == "lsst" else float
        for about in self.objects(query):
            yield identifier(about.get("oid")), float(clock(number(about.get("lastmjd"))))

    def _rows(self, url: str, params: Any = None) -> Any:
        """The list in an answer; empty where the service answers 404."""
        answer = self._http.get(url, params, accept=(404,))
        return [] if answer.status == 404 else answer.json()

    def _whole_ztf(self, about: Mapping[str, Any]) -> Alert:
        oid = identifier(about.get("oid"))
        base = f"{self._ztf}/ztf/v1/objects/{oid}"
        curve = self._http.get(f"{base}/lightcurve", accept=(404,))
        curves = {} if curve.status == 404 else answered(curve)
        forced = self._forced_rows(oid, f"{self._ztf}/v2/lightcurve/forced-photometry/{oid}")
        labels: list[Any] = self._each.optional(oid, "probabilities", lambda: _list(self._rows(f"{base}/probabilities")), [])
        detections = curves.get("detections")
        alert = read_ztf(about, detections, curves.get("non_detections"), forced, labels)
        first = _first_with_stamp(alert, detections, "candid") if self._stamps else None
        if first is None:
            return alert
        return self._each.optional(oid, "stamps", lambda: self._with_packet(alert, first), alert)

    def _with_packet(self, alert: Alert, first: str) -> Alert:
        """The alert with stamps and metadata of its first packet, and that packet's time."""
        answer = self._http.get(f"{self._avro}/get_avro", {"oid": alert.object_id, "candid": first}, accept=(404,))
        if answer.status == 404:
            return alert
        packet = ztf.read(answer.body, history=False)
        return replace(alert, source_id=packet.source_id, mjd=packet.mjd, cutouts=packet.cutouts, metadata=packet.metadata)

    def _whole_lsst(self, about: Mapping[str, Any]) -> Alert:
        oid = identifier(about.get("oid"))
        which = {"survey_id": "lsst", "oid": oid}
        detections = self._rows(f"{self._lsst}/lightcurve_api/detections", which)
        forced = self._forced_rows(oid, f"{self._lsst}/lightcurve_api/forced-photometry", which)
        ask = f"{self._lsst}/probability_api/probability"
        labels: list[Any] = self._each.optional(oid, "probabilities", lambda: _list(self._rows(ask, {"oid": oid})), [])
        alert = read_lsst(about, detections, forced, labels)
        first = _first_with_stamp(alert, detections, "measurement_id") if self._stamps else None
        if first is None:
            return alert
        return self._each.optional(oid, "stamps", lambda: self._with_stamps(alert, first), alert)

    def _with_stamps(self, alert: Alert, first: str) -> Alert:
        """The alert with the stamps of its first detection that has some, and the time of that."""
        which = {"survey_id": "lsst", "oid": alert.object_id, "measurement_id": first}
        images = [self._stamp(which | {"stamp_type": kind, "file_format": "fits"}) for kind in _STAMPS]
        mjd = float(alert.detections["mjd"][alert.detections["source_id"] == first][0])
        return replace(alert, source_id=first, mjd=mjd, cutouts=Cutouts(*images))

    def _forced_rows(self, oid: str, url: str, params: Any = None) -> list[Any]:
        """Forced photometry, which the alert can do without."""

        def ask() -> list[Any]:
            rows = self._rows(url, params)
            return _list(rows.get("forced_photometry") if isinstance(rows, Mapping) else rows)

        return self._each.optional(oid, "forced photometry", ask, []) if self._forced else []

    def _stamp(self, which: Mapping[str, Any]) -> bytes | None:
        answer = self._http.get(f"{self._lsst}/stamps_api/stamp", which, accept=(404,))
        return answer.body if answer.status == 200 else None

    def _about(self, survey: str, oid: str) -> Mapping[str, Any] | None:
        """What ALeRCE lists about an object; None for one that it does not know."""
        oid = identifier(oid)
        if survey == "ztf":
            answer = self._http.get(f"{self._ztf}/ztf/v1/objects/{oid}", accept=(404,))
        else:
            answer = self._http.get(f"{self._lsst}/object_api/object", {"survey_id": "lsst", "oid": oid}, accept=(404, 500))
        if answer.status == 500 and self._rows(f"{self._lsst}/lightcurve_api/detections", {"survey_id": "lsst", "oid": oid}):
            # an unknown object is 500 with this service, but this one has a light curve
            raise Unavailable(f"{answer.name} answered 500 for object {oid}, which it knows")
        return answered(answer) if answer.status == 200 else None

    def _named(self, query: Query) -> Sequence[str] | None:
        """The objects that a query names, or all near a position of LSST, since the list of objects has only those that are classified."""
        self._check(query.survey)
        if query.object_ids:
            return query.object_ids
        if query.survey != "lsst" or query.ra is None or query.classifier is not None or query.label is not None:
            return None
        params = {"ra": query.ra, "dec": query.dec, "radius": (query.radius or _RADIUS) / 3600.0, "neighbors": _NEIGHBOURS}
        near = self._rows(f"{self._lsst}/lightcurve_api/conesearch/objects_by_coordinates", params)
        if isinstance(near, list):  # of all surveys
            near = [row for row in near if not isinstance(row, Mapping) or row.get("survey_id", "lsst") == "lsst"]
        return ids(near, "objectId", "ALeRCE")

    def _pages(self, query: Query) -> Iterator[Mapping[str, Any]]:
        url = f"{self._ztf}/ztf/v1/objects/" if query.survey == "ztf" else f"{self._lsst}/object_api/list_objects"
        params = _parameters(query)
        seen: set[str] = set()
        for page in count(1):
            answer = answered(self._http.get(url, params | {"page": page}))
            items = answer.get("items")
            new = [oid for oid in ids(items, "oid", "ALeRCE") if oid not in seen]
            by_id = {str(about.get("oid")): about for about in reversed(listed(items, "objects"))}
            yield from (by_id[oid] for oid in new)
            if not new or not answer.get("has_next"):  # a page of repetitions is the end too, whatever ``has_next`` is
                return
            seen |= set(new)

    def _check(self, survey: str) -> None:
        if survey not in self.surveys:
            raise SourceError(f"ALeRCE is asked about {' or '.join(self.surveys)} here, not about {survey!r}")


def _parameters(query: Query) -> dict[str, Any]:
    """Parameters of a query; the two services name them differently."""
    latest = None
    if query.since is not None or query.until is not None:
        latest = [query.since or 0.0] + ([] if query.until is None else [query.until])
        if query.survey == "lsst":
            latest = times.tai_from_utc(latest).tolist()
    cone = query.ra is not None and query.dec is not None
    params = {
        "survey": "lsst" if query.survey == "lsst" else None,
        "classifier": query.classifier,
        "class" if query.survey == "ztf" else "class_name": query.label,
        "probability": query.probability,
        "lastmjd": latest,
        "ra": query.ra,
        "dec": query.dec,
        "radius": (query.radius or _RADIUS) if cone else None,
        "page_size": min(query.limit, _PAGE),
        "count": "false" if query.survey == "ztf" else None,
        "order_by": "lastmjd" if latest else None,
        "order_mode": "DESC" if latest else None,
    }
    return {name: value for name, value in params.items() if value is not None}


def _within(about: Mapping[str, Any], query: Query) -> bool:
    """Whether an object near a position was seen last in the times of the query; named objects are given whatever their time."""
    if query.object_ids or (query.since is None and query.until is None):
        return True
    latest = float(times.utc_from_tai(number(about.get("lastmjd"))))
    return (query.since is None or latest >= query.since) and (query.until is None or latest <= query.until)


def _list(rows: Any) -> list[Any]:
    """A list in an answer; PacketError where it is none."""
    return list(listed(rows or None, "rows"))


def _first_with_stamp(alert: Alert, detections: Any, name: str) -> str | None:
    """The id of the earliest of the alert's detections that has images."""
    with_stamp = identifiers(row.get(name) for row in listed(detections or None, "detections") if row.get("has_stamp") is True)
    rows = alert.detections[alerts(alert.detections) & np.isin(alert.detections["source_id"], with_stamp)]
    return str(rows["source_id"][0]) if len(rows) else None
