"""WINTER, an infrared survey with a 1-m telescope on Palomar: alert packets in JSON (a schema of this test's own).

A packet is ``{"winter_alert": 1, "name": ..., "points": [...]}``. Points have ``id``, ``jd`` (UTC, start of the exposure), ``exptime`` (s),
``filter``, ``flux`` and ``flux_err`` of the difference in µJy, ``ra`` and ``dec``; the first one raised the alert. A point without a flux
is a non-detection, whose ``flux_err`` is one sigma.
"""

from __future__ import annotations

import json
from collections import Counter

import numpy as np

from broker_adapters import photometry, times
from broker_adapters.errors import PacketError
from broker_adapters.records import Alert, Band, Kind, Survey, frozen
from broker_adapters.values import check, floats, identifiers, known_bands, require, scalars, sound, start

SURVEY = Survey(
    name="winter",
    telescope="Palomar 1-m",
    bands=(
        Band("Y", 1020.0, colour="#7f3b08", red="#b02018"),
        Band("J", 1250.0, colour="#542788", red="#d8483c"),
        Band("Hs", 1600.0, colour="#8c510a", red="#8f1a12"),
    ),
    object_id=r"WNTR\d{2}[a-z]{5}",
    radius=2.0,
    stamps=(),
    noon=5 / 6,
    precedence=5,
    symbol="triangle-up",
    pages=(("WINTER", "https://example.org/winter/{}"),),
)


def recognises(packet: bytes) -> bool:
    """Whether these bytes begin as WINTER's packets do."""
    return packet.startswith(b'{"winter_alert"')


def read(packet: bytes, *, history: bool = True) -> Alert:
    """The alert in a packet."""
    try:
        content = json.loads(packet)
        points = content["points"] if history else content["points"][:1]
        columns = {name: [p[name] for p in points] for name in ("id", "jd", "exptime", "filter", "flux", "flux_err", "ra", "dec")}
        object_id = content["name"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise PacketError(f"damaged packet of WINTER: {error!r:.80}") from error
    if not isinstance(object_id, str) or SURVEY.object_id_of(object_id) is None:
        raise PacketError(f"not an object of WINTER: {object_id!r:.60}")
    bands = known_bands(columns["filter"], {band.name: band.name for band in SURVEY.bands})
    begin = times.mjd_from_jd(floats(columns["jd"]))
    rows = start(SURVEY, Kind.ALERT, bands, times.mid_exposure(begin, floats(columns["exptime"])))
    rows["source_id"] = identifiers(columns["id"])
    rows["flux"] = floats(columns["flux"]) * photometry.NJY_PER_UJY
    rows["flux_err"] = floats(columns["flux_err"]) * photometry.NJY_PER_UJY
    rows["kind"] = np.where(np.isfinite(rows["flux"]), Kind.ALERT, Kind.LIMIT)
    rows["ra"], rows["dec"], rows["position_err"] = floats(columns["ra"]), floats(columns["dec"]), 0.3
    if not len(rows) or rows["kind"][0] != Kind.ALERT:
        raise PacketError("a packet of WINTER without a detection")
    require(rows, {"band": columns["filter"][0], "mjd": columns["jd"][0], "source_id": columns["id"][0]})
    rows = sound(rows, dropped := Counter())
    ra, dec = float(rows["ra"][0]), float(rows["dec"][0])
    check(ra, dec)
    return Alert(
        survey="winter",
        object_id=object_id,
        source_id=str(rows["source_id"][0]),
        ra=ra,
        dec=dec,
        position_err=0.3,
        mjd=float(rows["mjd"][0]),
        detections=frozen(rows),
        metadata=scalars(points[0]),
        dropped=dropped,
        broker="winter",
    )
