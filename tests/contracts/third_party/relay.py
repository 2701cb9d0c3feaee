"""A broker of a third party, for the contract tests: one REST address, and messages of its own on a stream."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from broker_adapters import times
from broker_adapters.errors import PacketError, Unavailable
from broker_adapters.records import Alert, BrokerLabel, Query, frozen
from broker_adapters.sources.http import Http
from broker_adapters.surveys import ztf
from broker_adapters.values import check, floats, identifier


class Client:
    """Asks ``url`` for all that it has."""

    surveys = ("ztf",)

    def __init__(self, url: str = "https://relay.example.org", retries: int = 0) -> None:
        self._url, self._http = url.rstrip("/"), Http("Relay", retries=retries)
        self.rejected: list[tuple[str, PacketError]] = []

    def search(self, query: Query) -> Iterator[Alert]:
        """One alert for each object, at most ``query.limit``."""
        yield from list(self._objects())[: query.limit]

    def fetch(self, survey: str, object_ids: Sequence[str]) -> Iterator[Alert]:
        """Those of the objects that it has."""
        yield from (alert for alert in self._objects() if (alert.survey, alert.object_id) in {(survey, i) for i in object_ids})

    def _objects(self) -> Iterator[Alert]:
        self.rejected = []
        found = self._http.get(f"{self._url}/objects").json()
        if not isinstance(found, list):
            raise Unavailable("Relay answered with something that is no list")
        for one in found:
            try:
                yield _alert(one)
            except PacketError as error:
                self.rejected.append((str(one)[:20], error))


def recognises(packet: bytes) -> bool:
    """Whether these bytes are a message of Relay."""
    return packet.startswith(b'{"relay"')


def read(packet: bytes, *, history: bool = True) -> Alert:
    """The alert in a message."""
    try:
        return _alert(json.loads(packet)["relay"])
    except (ValueError, KeyError, TypeError) as error:
        raise PacketError(f"damaged message of Relay: {error!r:.80}") from error


def _alert(one: Any) -> Alert:
    try:
        name, candid, jd, fid, mag, err, sign, ra, dec, label = (
            one[k] for k in ("name", "candid", "jd", "fid", "mag", "err", "sign", "ra", "dec", "class")
        )
    except (KeyError, TypeError) as error:
        raise PacketError(f"an object of Relay without {error!s:.40}") from error
    rows = ztf.detections(
        candid=[candid],
        mjd=times.mjd_from_jd(floats([jd])),
        fid=[fid],
        magpsf=[mag],
        sigmapsf=[err],
        isdiffpos=[sign],
        ra=[ra],
        dec=[dec],
    )
    check(float(rows["ra"][0]), float(rows["dec"][0]))
    return Alert(
        survey="ztf",
        object_id=identifier(name),
        source_id=str(rows["source_id"][0]),
        ra=float(rows["ra"][0]),
        dec=float(rows["dec"][0]),
        position_err=float(rows["position_err"][0]),
        mjd=float(rows["mjd"][0]),
        detections=frozen(rows),
        labels=(BrokerLabel("relay", "third_party", "1", str(label), 0.9),),
        broker="relay",
    )
