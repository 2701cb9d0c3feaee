"""ATLAS alert packets, schema 0.1 (as ALeRCE receives them)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from broker_adapters import photometry
from broker_adapters.records import Detections
from classifiers.simulate.packets._encode import Stamps, container, cutouts, fill, record_of, schema, split

VERSION = "0.1"


def write(
    rows: Detections, *, object_id: str, stamps: Stamps | None = None, metadata: Mapping[str, Any] = {}, publisher: str = "ATLAS-sim"
) -> bytes:
    """Write a packet of one detection: the latest of the rows of `DETECTION` (survey 'atlas'), for the format has no history.

    Parameters
    ----------
    rows : ndarray of DETECTION, shape (n,)
        The source id is exposure and number, such as ``01a61367o0123o_000042``.
    object_id : str
        Nineteen digits in real packets.
    stamps : ndarray, shape (3, h, w), optional
        Science, template and difference; real packets have 61 x 61 pixels and no template.
    metadata : mapping, optional
        Fields of ``candidate``, over those that follow from the row.
    publisher : str
        Publisher named in the packet.
    """
    (row,) = split(rows, "atlas")[0]
    parsed = schema("atlas_0.1")
    sign = 1.0 if row["flux"] > 0 else -1.0
    size = abs(row["flux"])
    magnitude, error = float(photometry.magnitude_from_flux(size)), float(photometry.magnitude_error(size, row["flux_err"]))
    flux = row["flux"] / photometry.NJY_PER_UJY
    candid = str(row["source_id"])
    candidate = {
        "mjd": row["mjd"],
        "filter": str(row["band"]),
        "candid": candid,
        "isdiffpos": "f" if sign > 0 else "t",  # wrong, as in real packets
        "RA": row["ra"],
        "Dec": row["dec"],
        "Mag": sign * magnitude,  # as in real packets
        "Dmag": error,
        "flux": flux,
        "Dflux": error * flux,
        "Det": 0 if sign > 0 else 5,
        "Major": 2.2,
        "Minor": 2.0,
        **metadata,
    }
    record = {
        "schemavsn": VERSION,
        "publisher": publisher,
        "objectId": object_id,
        "candid": candid,
        "candidate": fill(record_of(parsed, "candidate"), candidate),
        **cutouts(None if stamps is None else np.asarray(stamps), candid),
    }
    return container(parsed, record)
