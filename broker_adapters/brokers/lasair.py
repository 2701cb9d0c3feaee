"""Lasair: two services, for ZTF and for Rubin, each with its own account, over REST; and the messages of Kafka filter topics.

The package ``lasair`` (0.1.4) is not called: it lets ``ConnectionError`` through, knows neither repetition nor ``Retry-After``, and its
answer to broken JSON is a dictionary that looks like a result. Addresses and parameters are its own and those of lsst-uk/lasair-lsst
(July 2026).

A token has 100 calls an hour (10,000 for power users), so that calls are counted here too, and one too many is `RateLimited` at once. An
unknown object is 404 with the one service and 500 with the other; an error may come as 200 with ``{"error": ...}``; an LSST object that was
last seen more than a year ago is 400 unless it is asked for without what Lasair adds.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count, islice
from typing import Any

from broker_adapters import times
from broker_adapters.brokers._answers import Each, ids
from broker_adapters.brokers._lasair import pointer, read, read_object, recognises
from broker_adapters.errors import SourceError, Unauthorized, Unavailable
from broker_adapters.records import Alert, Query
from broker_adapters.sources.http import Answer, Http, budget
from broker_adapters.values import identifier, number

__all__ = ["Client", "pointer", "read", "read_object", "recognises"]

_HOUR = 3600.0
_PAGE = 1000
_MAX_RADIUS = 1000.0  #: arcsec
_RADIUS = 5.0  #: arcsec, Lasair's own default
_LABEL = re.compile(r"[\w ./-]{1,32}")
#: Columns of each service: the object's id, and the time of its latest detection.
_COLUMNS = {"ztf": ("objects.objectId", "objects.jdmax"), "lsst": ("objects.diaObjectId", "objects.lastDiaSourceMjdTai")}


class Client:
    """Lasair's services; see `broker_adapters.records.Broker`.

    Parameters
    ----------
    ztf_token, lsst_token : str
        Of the profile pages of the two services; one without a token is not asked.
    ztf_url, lsst_url : str
    calls_per_hour : int
        What each token may.
    timeout, retries, patience, sleep
        See `broker_adapters.sources.http.Http`.

    Attributes
    ----------
    surveys : tuple of str
        Those for which there is a token.
    calls_per_hour : int
    """

    surveys: tuple[str, ...] = ("ztf", "lsst")

    def __init__(
        self,
        *,
        ztf_token: str = "",
        lsst_token: str = "",
        ztf_url: str = "https://lasair-ztf.lsst.ac.uk/api",
        lsst_url: str = "https://api.lasair.lsst.ac.uk/api",
        calls_per_hour: int = 100,
        timeout: float = 60.0,
        retries: int = 2,
        patience: float = 30.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._services: dict[str, tuple[str, Http]] = {}
        self.calls_per_hour = calls_per_hour
        for survey, token, url in (("ztf", ztf_token, ztf_url), ("lsst", lsst_token, lsst_url)):
            if token:
                http = Http(
                    f"Lasair {survey.upper()}",
                    {"Authorization": f"Token {token}"},
                    timeout=timeout,
                    retries=retries,
                    patience=patience,
                    limit=budget(f"{url} {token}", calls_per_hour, _HOUR),
                    sleep=sleep,
                )
                self._services[survey] = (url.rstrip("/"), http)
        self.surveys = tuple(self._services)
        self._each = Each("Lasair")

    @property
    def rejected(self) -> Sequence[tuple[str, Exception]]:
        """Objects of the latest `search` or `fetch` that could not be read, or not fetched."""
        return self._each.rejected

    def search(self, query: Query) -> Iterator[Alert]:
        """Yield one complete alert for each object that answers the query, at most ``query.limit``; each object costs one call."""
        yield from self._read(query.survey, self.objects(query))

    def fetch(self, survey: str, object_ids: Sequence[str]) -> Iterator[Alert]:
        """Yield one complete alert for each object that Lasair knows; unknown ids are left out."""
        yield from self._read(survey, object_ids)

    def objects(self, query: Query) -> Iterator[str]:
        """Yield the ids of the objects that answer the query, each once, at most ``query.limit``; nearest or latest first."""
        if query.object_ids:
            found: Iterable[str] = query.object_ids
        elif query.ra is not None and query.dec is not None:
            found = self._cone(query)
        else:
            found = self._pages(query)
        yield from islice(found, query.limit)

    def listed(self, query: Query) -> Iterator[tuple[str, float]]:
        """Yield the ids of the objects that answer the query, without their light curves; Lasair is not asked when they were seen: NaN."""
        yield from ((oid, math.nan) for oid in self.objects(query))

    def _read(self, survey: str, found: Iterable[str]) -> Iterator[Alert]:
        def whole(oid: str) -> Alert | None:
            answer = self._object(survey, identifier(oid))
            return None if answer is None else read_object(answer)

        yield from self._each.read(found, str, whole)

    def _ask(self, survey: str, method: str, form: Mapping[str, Any], accept: tuple[int, ...] = ()) -> Answer:
        if survey not in self._services:
            raise Unauthorized(f"Lasair: there is no token for {survey!r}; it has services for ztf and lsst")
        url, http = self._services[survey]
        return http.post(f"{url}/{method}/", form, accept=accept, repeatable=True)

    def _object(self, survey: str, oid: str) -> Any:
        """The service's answer about an object, None where it does not know it."""
        form = {"objectId": oid, "lite": "False", "lasair_added": "True"}
        answer = self._ask(survey, "object", form, (404, 500) if survey == "ztf" else (400, 404))
        if answer.status == 400:
            answer = self._ask(survey, "object", form | {"lasair_added": "False"}, (404,))
        if answer.status == 500:
            # the ZTF service answers so for an unknown object, and when it fails itself
            column = _COLUMNS[survey][0]
            known = {"selected": column, "tables": "objects", "conditions": f'{column}="{oid}"', "limit": 1, "offset": 0}
            if _result(self._ask(survey, "query", known)):
                raise Unavailable(f"{answer.name} answered 500 for object {oid}, which it knows")
        return _result(answer) if answer.status == 200 else None

    def _cone(self, query: Query) -> Iterator[str]:
        radius = query.radius or _RADIUS
        if radius > _MAX_RADIUS:
            raise SourceError(f"Lasair looks no farther than {_MAX_RADIUS:.0f} arcsec, not {radius:g}")
        if any(value is not None for value in (query.since, query.until, query.classifier, query.label)):
            raise SourceError("Lasair's cone search knows neither times nor classes")
        form = {"ra": query.ra, "dec": query.dec, "radius": radius, "requestType": "all"}
        near = _result(self._ask(query.survey, "cone", form))
        near = near.get("objects") if isinstance(near, Mapping) else near
        if isinstance(near, list):
            near.sort(key=_separation)
        yield from ids(near, "object", "Lasair")

    def _pages(self, query: Query) -> Iterator[str]:
        selected, tables, conditions = _sql(query)
        name = selected.rpartition(".")[2]
        size = min(query.limit, _PAGE)
        seen: set[str] = set()
        for offset in count(0, size):
            form = {"selected": selected, "tables": tables, "conditions": conditions, "limit": size, "offset": offset}
            rows = _result(self._ask(query.survey, "query", form))
            new = [oid for oid in ids(rows, name, "Lasair") if oid not in seen]
            yield from new
            if not new or len(rows) < size:  # a page of repetitions is the end too
                return
            seen |= set(new)


def _separation(row: Any) -> float:
    apart = number(row.get("separation")) if isinstance(row, Mapping) else math.nan
    return apart if math.isfinite(apart) else math.inf


def _result(answer: Answer) -> Any:
    """The JSON of an answer; an error may come with status 200."""
    result = answer.json()
    if isinstance(result, Mapping) and "error" in result:
        raise Unavailable(f"{answer.name}: {str(result['error'])[:200]}")
    return result


def _sql(query: Query) -> tuple[str, str, str]:
    """A query in the three parts of Lasair's SQL: columns, tables, conditions; latest first."""
    if query.survey not in _COLUMNS:
        raise SourceError(f"Lasair has no service for {query.survey!r}")
    if query.classifier not in (None, "sherlock") or query.probability is not None:
        raise SourceError("the only classifier that Lasair can be asked for is sherlock, which gives no probabilities")
    selected, latest = _COLUMNS[query.survey]
    tables = "objects"
    conditions = []
    for bound, sign in ((query.since, ">="), (query.until, "<=")):
        if bound is not None:
            mjd = times.MJD_ZERO_JD + bound if query.survey == "ztf" else float(times.tai_from_utc(bound))
            conditions.append(f"{latest} {sign} {mjd:.6f}")
    if query.label is not None:
        if not _LABEL.fullmatch(query.label):
            raise SourceError(f"not a class of Sherlock: {query.label!r:.60}")
        tables = "objects,sherlock_classifications"
        conditions.append(f'sherlock_classifications.classification="{query.label}"')
    return selected, tables, f"{' AND '.join(conditions) or '1=1'} ORDER BY {latest} DESC"
