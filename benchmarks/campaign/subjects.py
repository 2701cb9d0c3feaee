"""The objects of a replay: real light curves with what is true of them, from a folder in the layout of the development data."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from broker_adapters.photometry import magnitude_from_flux
from broker_adapters.records import Detections, Kind
from classifiers.models.lightcurve.training import data as tables
from followup.replay import true_peak

Floats = NDArray[np.float64]

#: Photometry of the objects that are replayed: ZTF's alerts.
PHOTOMETRY = "alert-dif"

#: Classes of supernovae, and others that count as rare; an object without a class is rare as well.
SUPERNOVAE = ("SNIa", "SNIbc", "SNII", "SLSN")
RARE = ("SNIbc", "SLSN", "CV/Nova", "TDE", "")

#: Halves by name: the first is for tuning, the second for the figures that are quoted.
HALVES = ("tuning", "quoted")


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """One object with its whole light curve.

    Attributes
    ----------
    name, label : str
        The label is '' where none is known.
    rows : ndarray of DETECTION
        In time order.
    first : float
        MJD of the first detection.
    peak : float
        MJD of the peak of the whole light curve (`followup.replay.true_peak`); NaN where points do not cover it.
    """

    name: str
    label: str
    rows: Detections = field(repr=False)
    first: float
    peak: float

    def magnitude(self, mjd: Floats) -> Floats:
        """True magnitude at n times: the brighter of g and r, interpolated between detections; infinite where neither covers the time."""
        found = np.full(np.shape(mjd), np.inf)
        for band in ("g", "r"):
            t, flux = _band(self.rows, band)
            if len(t) > 1:
                found = np.minimum(found, np.interp(mjd, t, magnitude_from_flux(flux), left=np.inf, right=np.inf))
        return found


def read(folder: Path) -> list[Subject]:
    """All objects of a folder whose best photometry is that of ZTF's alerts, in the order of their names."""
    labels = pd.read_csv(folder / "object_labels.csv", dtype={"objectId": str}).set_index("objectId").lc_class.fillna("")
    by_name = dict(zip(labels.index.tolist(), labels.tolist(), strict=True))
    found = []
    for name, (_, kind, rows) in tables.everything(folder).items():
        if kind != PHOTOMETRY:
            continue
        ordered = rows[np.argsort(rows["mjd"], kind="stable")]
        seen = ordered["mjd"][ordered["kind"] == Kind.ALERT]
        found.append(Subject(name, by_name.get(name, ""), ordered, float(seen[0]), true_peak(ordered)))
    return found


def half(names: Sequence[str]) -> NDArray[np.int64]:
    """Half of each name, shape (n,): the place in `HALVES`, by the digest of the name, whatever other objects there are."""
    return _digits(names, "campaign") % len(HALVES)


def _digits(names: Sequence[str], salt: str) -> NDArray[np.int64]:
    return np.array([hashlib.sha256(f"{salt} {name}".encode()).digest()[0] for name in names], np.int64)


def brightest(subjects: Sequence[Subject]) -> Floats:
    """MJD of the brightest detection of each object, shape (n,)."""
    return np.array([_when(s.rows[s.rows["kind"] == Kind.ALERT]) for s in subjects])


def _when(rows: Detections) -> float:
    return float(rows["mjd"][np.nanargmax(rows["flux"])])


def a_third(subjects: Sequence[Subject]) -> NDArray[np.intp]:
    """Places of all but two thirds of the SNe Ia, by the digests of their names."""
    kept = _digits([s.name for s in subjects], "third") % 3 == 0
    return np.flatnonzero(kept | np.array([s.label != "SNIa" for s in subjects]))


def _band(rows: Detections, band: str) -> tuple[Floats, Floats]:
    """Times and fluxes of the positive detections in a band."""
    own = rows[(rows["band"] == band) & (rows["kind"] == Kind.ALERT) & (rows["flux"] > 0.0)]
    return np.ascontiguousarray(own["mjd"]), np.ascontiguousarray(own["flux"])
