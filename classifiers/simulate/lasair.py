"""Messages of Lasair's filter topics on simulated objects: the columns of a user's filter, with or without the light curve."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from broker_adapters.records import Detections, Kind
from broker_adapters.times import tai_from_utc
from classifiers.taxonomy import LIGHTCURVE

#: Our class -> its classification by Sherlock.
_SHERLOCK = (
    dict.fromkeys(LIGHTCURVE["Transient"], "SN")
    | dict.fromkeys(LIGHTCURVE["Periodic"], "VS")
    | {"AGN": "AGN", "QSO": "AGN", "Blazar": "AGN", "CV/Nova": "CV"}
)


def ztf_message(object_id: str, label: str, rows: Detections, utc: str) -> bytes:
    """Message of Lasair-ZTF: the columns that the filter selected, without a light curve."""
    alerts = rows[rows["kind"] == Kind.ALERT]
    return _encoded(
        {
            "objectId": object_id,
            "ramean": float(alerts["ra"].mean()),
            "decmean": float(alerts["dec"].mean()),
            "ncand": len(alerts),
            "classification": _SHERLOCK.get(label, "ORPHAN"),
            "UTC": utc,
        }
    )


def lsst_message(object_id: str, label: str, rows: Detections, utc: str) -> bytes:
    """Message of Lasair-LSST with its alert; sources have Rubin's ids and positions, so that they match other brokers'."""
    alerts, forced = rows[rows["kind"] == Kind.ALERT], rows[rows["kind"] == Kind.FORCED]
    return _encoded(
        {
            "diaObjectId": int(object_id),
            "ra": float(alerts["ra"].mean()),
            "decl": float(alerts["dec"].mean()),
            "nDiaSources": len(alerts),
            "lastDiaSourceMjdTai": float(tai_from_utc(alerts["mjd"].max())),
            "sherlock_classifications": _SHERLOCK.get(label, "ORPHAN"),
            "UTC": utc,
            "alert": {
                "diaObjectId": int(object_id),
                "diaSourcesList": [_source(object_id, row) for row in alerts],
                "diaForcedSourcesList": [_measured(row) for row in forced],
            },
        }
    )


def _source(object_id: str, row: Any) -> dict[str, Any]:
    degrees = float(row["position_err"]) / 3600.0
    return {
        "diaSourceId": int(row["source_id"]),
        "diaObjectId": int(object_id),
        "ra": float(row["ra"]),
        "decl": float(row["dec"]),
        "raErr": degrees / float(np.cos(np.radians(row["dec"]))),
        "decErr": degrees,
        "reliability": float(row["reliability"]),
        **_measured(row),
    }


def _measured(row: Any) -> dict[str, Any]:
    return {
        "psfFlux": float(row["flux"]),
        "psfFluxErr": float(row["flux_err"]),
        "midpointMjdTai": float(tai_from_utc(row["mjd"])),
        "band": str(row["band"]),
    }


def _encoded(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode()
