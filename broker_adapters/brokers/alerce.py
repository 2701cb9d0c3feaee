"""ALeRCE: the ZTF API (v1, and v2 for forced photometry) and the multi-survey API for Rubin, over REST; no account is needed.

The package ``alerce`` (2.3.1) is not called: it has no time-out and no repetition, lets ``ConnectionError`` through, and its search for
LSST can neither turn a page nor find an object that is not classified. Addresses and parameters are its own and those of
alercebroker/web-services (April 2026).

A filter on classes repeats an object once for each classifier; an unknown object is 404 for ZTF and 500 for LSST; a list of LSST objects
has only those that are classified, also within a cone, and the cone that has all of them takes degrees.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count, islice
from typing import Any

from broker_adapters import times
from broker_adapters.brokers._alerce import read_lsst, read_ztf
from broker_adapters.brokers._answers import answered, ids, listed
from broker_adapters.errors import PacketError, SourceError, Unavailable
from broker_adapters.records import Alert, Cutouts, Query
from broker_adapters.sources.http import Http
from broker_adapters.surveys import ztf
from broker_adapters.values import floats, identifier

__all__ = ["Client", "read_lsst", "read_ztf"]

logger = logging.getLogger(__name__)

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

    Attributes
    ----------
    rejected : list of (object id, PacketError)
        Objects of the latest `search` or `fetch` whose answers could not be read.
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
        self.rejected: list[tuple[str, PacketError]] = []

    def search(self, query: Query) -> Iterator[Alert]:
        """Yield one complete alert for each object that answers the query, at most ``query.limit``."""
        yield from self._read(query.survey, self.objects(query))

    def fetch(self, survey: str, object_ids: Sequence[str]) -> Iterator[Alert]:
        """Yield one complete alert for each object that ALeRCE knows; unknown ids are left out."""
        yield from self._read(survey, self._known(survey, object_ids))

    def objects(self, query: Query) -> Iterator[Mapping[str, Any]]:
        """Yield the objects that answer the query as ALeRCE lists them, without light curves, each once, at most ``query.limit``."""
        if query.object_ids:
            found = self._known(query.survey, query.object_ids)
        elif query.survey == "lsst" and query.ra is not None and query.classifier is None and query.label is None:
            found = self._lsst_cone(query)
        else:
            found = self._pages(query)
        yield from islice(found, query.limit)

    def _read(self, survey: str, found: Iterator[Mapping[str, Any]]) -> Iterator[Alert]:
        self.rejected = []
        whole = self._whole_ztf if survey == "ztf" else self._whole_lsst
        for about in found:
            try:
                alert = whole(about)
            except PacketError as error:
                logger.warning("ALeRCE, object %s: %s", about.get("oid"), error)
                self.rejected.append((str(about.get("oid")), error))
                continue
            yield alert

    def _rows(self, url: str, params: Any = None) -> Any:
        """The list in an answer; empty where the service answers 404."""
        answer = self._http.get(url, params, accept=(404,))
        return [] if answer.status == 404 else answer.json()

    def _whole_ztf(self, about: Mapping[str, Any]) -> Alert:
        oid = identifier(about.get("oid"))
        base = f"{self._ztf}/ztf/v1/objects/{oid}"
        curve = self._http.get(f"{base}/lightcurve", accept=(404,))
        curves = {} if curve.status == 404 else answered(curve)
        forced = self._rows(f"{self._ztf}/v2/lightcurve/forced-photometry/{oid}") if self._forced else ()
        if isinstance(forced, Mapping):
            forced = forced.get("forced_photometry")
        detections = curves.get("detections")
        alert = read_ztf(about, detections, curves.get("non_detections"), forced, self._rows(f"{base}/probabilities"))
        first = _first_with_stamp(detections, "candid") if self._stamps else None
        if first is None:
            return alert
        answer = self._http.get(f"{self._avro}/get_avro", {"oid": oid, "candid": first}, accept=(404,))
        if answer.status == 404:
            return alert
        packet = ztf.read(answer.body, history=False)
        return replace(alert, source_id=packet.source_id, cutouts=packet.cutouts, metadata=packet.metadata)

    def _whole_lsst(self, about: Mapping[str, Any]) -> Alert:
        oid = identifier(about.get("oid"))
        which = {"survey_id": "lsst", "oid": oid}
        detections = self._rows(f"{self._lsst}/lightcurve_api/detections", which)
        forced = self._rows(f"{self._lsst}/lightcurve_api/forced-photometry", which) if self._forced else ()
        alert = read_lsst(about, detections, forced, self._rows(f"{self._lsst}/probability_api/probability", {"oid": oid}))
        first = _first_with_stamp(detections, "measurement_id") if self._stamps else None
        if first is None:
            return alert
        images = (self._stamp(which | {"measurement_id": first, "stamp_type": kind, "file_format": "fits"}) for kind in _STAMPS)
        return replace(alert, source_id=identifier(first), cutouts=Cutouts(*images))

    def _stamp(self, which: Mapping[str, Any]) -> bytes | None:
        answer = self._http.get(f"{self._lsst}/stamps_api/stamp", which, accept=(404,))
        return answer.body if answer.status == 200 else None

    def _known(self, survey: str, object_ids: Sequence[str]) -> Iterator[Mapping[str, Any]]:
        self._check(survey)
        for oid in object_ids:
            try:
                identifier(oid)
            except PacketError as error:
                self.rejected.append((oid, error))
                continue
            if survey == "ztf":
                answer = self._http.get(f"{self._ztf}/ztf/v1/objects/{oid}", accept=(404,))
            else:
                answer = self._http.get(f"{self._lsst}/object_api/object", {"survey_id": "lsst", "oid": oid}, accept=(404, 500))
            if answer.status == 200:
                yield answered(answer)
            elif answer.status == 500 and self._rows(f"{self._lsst}/lightcurve_api/detections", {"survey_id": "lsst", "oid": oid}):
                # an unknown object is 500 with this service, but this one has a light curve
                raise Unavailable(f"{answer.name} answered 500 for object {oid}, which it knows")

    def _lsst_cone(self, query: Query) -> Iterator[Mapping[str, Any]]:
        """All objects near a position; the list of objects has only those that are classified."""
        params = {"ra": query.ra, "dec": query.dec, "radius": (query.radius or _RADIUS) / 3600.0, "neighbors": _NEIGHBOURS}
        near = self._rows(f"{self._lsst}/lightcurve_api/conesearch/objects_by_coordinates", params)
        if isinstance(near, list):  # of all surveys
            near = [row for row in near if not isinstance(row, Mapping) or row.get("survey_id", "lsst") == "lsst"]
        for about in self._known("lsst", ids(near, "objectId", "ALeRCE")):
            latest = times.utc_from_tai(floats(about.get("lastmjd")))
            if (query.since is None or latest >= query.since) and (query.until is None or latest <= query.until):
                yield about

    def _pages(self, query: Query) -> Iterator[Mapping[str, Any]]:
        self._check(query.survey)
        url = f"{self._ztf}/ztf/v1/objects/" if query.survey == "ztf" else f"{self._lsst}/object_api/list_objects"
        params = _parameters(query)
        seen: set[str] = set()
        for page in count(1):
            answer = answered(self._http.get(url, params | {"page": page}))
            items = answer.get("items")
            new = [oid for oid in ids(items, "oid", "ALeRCE") if oid not in seen]
            by_id = {str(about["oid"]): about for about in reversed(items or ())}
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


def _first_with_stamp(detections: Any, name: str) -> Any:
    """The id of the earliest detection that has images."""
    with_stamp = [row for row in listed(detections, "detections") if row.get("has_stamp") is True and row.get(name)]
    return min(with_stamp, key=lambda row: floats(row.get("mjd")).item()).get(name) if with_stamp else None
