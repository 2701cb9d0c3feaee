"""A broker that answers from a folder of packets or a list of alerts: for tests and demonstrations, of ours and of plug-in writers.

It is a whole client that needs no network. Name it in the settings like any other broker; it is not polled unless it is named::

    TOM_ALERCE = {"BROKERS": {"fake": {"folder": "/data/night/ztf"}}}

or make one in a test::

    client = fake.Client(alerts=[alert, Unavailable("the service is down")])
    next(client.search(Query("ztf")))

A new broker's client has the same four names: ``surveys``, ``rejected``, ``search`` and ``fetch`` (`broker_adapters.records.Broker`).
"""

from __future__ import annotations

from collections.abc import Iterator, MutableSequence, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np

from broker_adapters import packets, surveys
from broker_adapters.crossmatch import separation, unit_vectors
from broker_adapters.errors import PacketError, SourceError
from broker_adapters.lifetime import merged
from broker_adapters.records import Alert, Query, frozen
from broker_adapters.sources import files

#: Radius of a cone for which none is given, arcsec.
RADIUS = 5.0


class Client:
    """Answers as a broker would; see `broker_adapters.records.Broker`.

    Parameters
    ----------
    alerts : sequence of Alert or exception
        Objects in the order in which they are listed. An exception is raised in its turn, as by a service that breaks off.
    folder : str
        File, folder or archive of packets of any survey, read again for each question; their objects follow the alerts.
    surveys : sequence of str
        What it can be asked about: unless given, the surveys of the alerts, or all known ones where there is a folder.
    rejected : sequence of (object id, PacketError)
        Objects whose answers cannot be read; damaged packets of the folder are added to them.
    asked : list
        Each `Query` of a search is appended to it.
    """

    def __init__(
        self,
        *,
        alerts: Sequence[Alert | BaseException] = (),
        folder: str = "",
        surveys: Sequence[str] = (),
        rejected: Sequence[tuple[str, PacketError]] = (),
        asked: MutableSequence[Query] | None = None,
    ) -> None:
        self._alerts, self._folder, self._rejected = tuple(alerts), folder, tuple(rejected)
        self._asked = asked
        self.surveys: tuple[str, ...] = tuple(surveys) or _surveys_of(self._alerts, folder)
        self.rejected: list[tuple[str, PacketError]] = list(rejected)

    def search(self, query: Query) -> Iterator[Alert]:
        """Yield one complete alert for each object that answers the query, at most ``query.limit``."""
        self._check(query.survey)
        if self._asked is not None:
            self._asked.append(query)
        yield from islice((alert for alert in self._objects() if _answers(alert, query)), query.limit)

    def fetch(self, survey: str, object_ids: Sequence[str]) -> Iterator[Alert]:
        """Yield one complete alert for each object that is there; unknown ids are left out."""
        self._check(survey)
        yield from (alert for alert in self._objects() if alert.survey == survey and alert.object_id in object_ids)

    def _objects(self) -> Iterator[Alert]:
        """One alert an object: those given, then the latest of the folder with all measurements of the object."""
        self.rejected = list(self._rejected)
        for item in self._alerts:
            if isinstance(item, BaseException):
                raise item
            yield item
        by_key: dict[tuple[str, str], list[Alert]] = {}
        for packet in files.packets([self._folder]) if self._folder else ():
            try:
                alert = packets.read(packet.data)
            except PacketError as error:
                self.rejected.append((packet.position or packet.source, error))
                continue
            by_key.setdefault(alert.key, []).append(alert)
        for alerts in by_key.values():
            alerts.sort(key=lambda a: -a.mjd)
            rows = frozen(np.concatenate([a.detections for a in alerts]))
            yield replace(alerts[0], detections=rows, lifetime=merged(a.lifetime for a in alerts))

    def _check(self, survey: str) -> None:
        if survey not in self.surveys:
            raise SourceError(f"the fake broker is asked about {' or '.join(self.surveys) or 'nothing'} here, not about {survey!r}")


def _surveys_of(alerts: Sequence[Alert | BaseException], folder: str) -> tuple[str, ...]:
    """Names of the surveys of the alerts; of all known ones where a folder may hold any, or where there are no alerts."""
    named = {alert.survey for alert in alerts if isinstance(alert, Alert)}
    return tuple(survey.name for survey in surveys.known() if survey.name in named or folder or not named)


def _answers(alert: Alert, query: Query) -> bool:
    """Whether an object is among those that a query asks for."""
    return (
        alert.survey == query.survey
        and (not query.object_ids or alert.object_id in query.object_ids)
        and (query.since is None or alert.mjd >= query.since)
        and (query.until is None or alert.mjd <= query.until)
        and _near(alert, query)
        and _of_class(alert, query)
    )


def _near(alert: Alert, query: Query) -> bool:
    if query.ra is None or query.dec is None:
        return True
    apart = separation(unit_vectors(alert.ra, alert.dec), unit_vectors(query.ra, query.dec))
    return float(apart[0]) <= (query.radius or RADIUS)


def _of_class(alert: Alert, query: Query) -> bool:
    """Whether a label of the alert has the classifier, class and least probability of the query; true where it names none."""
    if query.classifier is None and query.label is None and query.probability is None:
        return True
    return any(
        query.classifier in (None, label.classifier)
        and query.label in (None, label.label)
        and (query.probability is None or label.probability >= query.probability)
        for label in alert.labels
    )
