"""What several fields read of light curves, worked out once for a batch: light curves, their states, and magnitudes by band."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from broker_adapters.crossmatch import unit_vectors
from broker_adapters.photometry import magnitude_from_flux
from broker_adapters.records import Kind
from broker_adapters.significance import DETECTED, MEASURED
from followup.batch import Batch
from followup.curves import Curves
from followup.states import States

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Detections that have a magnitude, of n objects, in time order: owner, band (a place in ``bands``), MJD and AB magnitude of each."""

    owner: NDArray[np.int64]
    band: NDArray[np.uint16]
    mjd: Floats
    magnitude: Floats
    bands: tuple[str, ...]


def share(batch: Batch, at: float) -> None:
    """Read the light curves once for all fields."""
    batch.once(("states", at), lambda: States.of(_curves(batch), at))


def place(batch: Batch) -> Mapping[str, Floats]:
    """Unit vectors of the positions, as three columns, shape (n,) each."""
    return dict(zip("xyz", unit_vectors(batch.ra, batch.dec).T.reshape(3, len(batch)), strict=True))


def seen(batch: Batch, at: float) -> Seen:
    """Detections until a moment (MJD, UTC) that have a magnitude: of the total flux where the object has been below its reference.

    The rules are those of `broker_adapters.significance.detected` and `followup.reduction`, for all objects at once.
    """
    return batch.once(("seen", at), lambda: _seen(_curves(batch), batch.at(at), at))


def _curves(batch: Batch) -> Curves:
    return batch.once("light curves", lambda: batch.curves(0, len(batch)))


def _seen(curves: Curves, states: States, at: float) -> Seen:
    n = len(curves.start) - 1
    owner = np.repeat(np.arange(n), np.diff(curves.start))
    alert = curves.kind == Kind.ALERT
    with np.errstate(invalid="ignore"):
        known = (curves.mjd <= at) & np.isfinite(curves.flux)
        below = np.zeros(n, bool)
        below[owner[known & alert & (curves.flux < 0.0)]] = True
        forced = (curves.kind == Kind.FORCED) & (np.abs(curves.flux) >= DETECTED * curves.flux_err)
        found = known & (alert | (forced & ((curves.flux >= 0.0) | below[owner])))
        shine = curves.flux + np.where((states.count("total") > 0)[owner], curves.ref_flux, 0.0)
        found &= (shine > 0.0) & ~(shine < MEASURED * curves.flux_err)
    rows = np.flatnonzero(found)
    rows = rows[np.argsort(curves.mjd[rows], kind="stable")]
    return Seen(owner[rows], curves.band[rows], curves.mjd[rows], magnitude_from_flux(shine[rows]), curves.bands)
