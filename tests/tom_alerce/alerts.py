"""Alerts for tests of the store: only what a test says differs from an ordinary one."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from broker_adapters.records import Alert, Cutouts, Kind, blank, frozen

MJD = 61000.0
ERROR = {"ztf": 0.08, "atlas": 0.3, "lsst": 0.03}
BANDS = {"ztf": ("g", "r"), "atlas": ("o", "c"), "lsst": ("r", "i")}


def curve(survey="ztf", object_id="ZTF26aaaaaaa", ra=150.0, dec=2.0, n=3, first=0, **columns):
    """A light curve of n detections, one a day; ``first`` numbers its first source id."""
    rows = blank(n)
    rows["survey"] = survey
    rows["source_id"] = [f"{object_id}-{i}" for i in range(first, first + n)]
    rows["kind"] = Kind.ALERT
    rows["mjd"] = MJD + np.arange(first, first + n)
    rows["band"] = [BANDS[survey][i % 2] for i in range(n)]
    rows["flux"], rows["flux_err"] = 200_000.0 + 1000.0 * np.arange(n), 5000.0
    rows["ra"], rows["dec"], rows["position_err"] = ra, dec, ERROR[survey]
    rows["reliability"] = 0.9
    for name, values in columns.items():
        rows[name] = values
    return rows


def alert(survey="ztf", object_id="ZTF26aaaaaaa", ra=150.0, dec=2.0, n=3, first=0, rows=None, images=True, **fields):
    """An alert of the last of n detections."""
    rows = frozen(curve(survey, object_id, ra, dec, n, first) if rows is None else rows)
    source_id = str(rows["source_id"][-1]) if len(rows) else None
    given = {
        "survey": survey,
        "object_id": object_id,
        "source_id": source_id,
        "ra": ra,
        "dec": dec,
        "position_err": ERROR[survey],
        "mjd": float(rows["mjd"][-1]) if len(rows) else MJD,
        "detections": rows,
        "cutouts": Cutouts(*(f"{source_id} {name}".encode() for name in ("science", "template", "difference"))) if images else None,
        "metadata": MappingProxyType({"rb": 0.9}),
        "broker": survey,
    }
    return Alert(**{**given, **fields})


def counts():
    """Rows of every table of the plugin."""
    from django.apps import apps

    return {m.__name__: m.objects.count() for m in apps.get_app_config("tom_alerce").get_models()}
