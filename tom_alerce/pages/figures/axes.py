"""Axes of the interactive light curve: dates, days from a moment, or phase of a period; apparent or absolute magnitudes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from astropy.time import Time
from astropy.timeseries import LombScargle
from numpy.typing import NDArray

from broker_adapters.records import Detections, Kind
from broker_adapters.significance import SHOWN, points, significant

#: Fewest points of one band from which a period is looked for, and the shortest and longest that is (days).
FEWEST, SHORTEST, LONGEST = 10, 0.05, 200.0


@dataclass(frozen=True, slots=True)
class Axes:
    """What stands on the axes.

    ``period`` (days) folds; else ``origin`` (MJD) makes days from then, of the rest frame at ``redshift``; else there are dates.
    ``modulus`` is taken off magnitudes, and ``extinction`` by band as well.
    """

    origin: float | None = None
    period: float | None = None
    redshift: float = 0.0
    modulus: float | None = None
    extinction: Mapping[str, float] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Of the axis of time."""
        if self.period is not None:
            return f"Phase, period {self.period:.6g} d"
        if self.origin is not None:
            return "Days" + (f", rest frame at z = {self.redshift:.4g}" if self.redshift else "")
        return "UTC"

    @property
    def is_date(self) -> bool:
        """Whether times are dates."""
        return self.period is None and self.origin is None

    def x(self, mjd: NDArray[np.floating[Any]]) -> list[Any]:
        """Times as the axis has them; folded ones twice, a cycle after the other (`twice`)."""
        if self.period is not None:
            phase = ((mjd - (self.origin or 0.0)) / self.period) % 1.0
            return list(np.round(np.concatenate([phase, phase + 1.0]), 5).tolist())
        if self.origin is not None:
            return list(np.round((mjd - self.origin) / (1.0 + self.redshift), 4).tolist())
        return list(Time(mjd, format="mjd").isot.tolist())

    def twice(self, values: list[Any]) -> list[Any]:
        """Values of points, as often as `x` has them."""
        return values + values if self.period is not None else values

    def y(self, magnitudes: NDArray[np.float64], band: str) -> NDArray[np.float64]:
        """Magnitudes as the axis has them."""
        return magnitudes if self.modulus is None else magnitudes - self.modulus - self.extinction.get(band, 0.0)


DATES = Axes()


def binned(rows: Detections, days: float) -> Detections:
    """Means of the fluxes of each survey and band in bins of so many days, weighted by their errors; limits are left out."""
    rows = points(rows)
    good = np.isfinite(rows["flux"]) & (rows["flux_err"] > 0.0) & (rows["kind"] != Kind.LIMIT)
    rows = rows[good]
    if not len(rows):
        return rows
    key = np.array([f"{r['survey']}|{r['band']}|{np.floor(r['mjd'] / days):.0f}" for r in rows])
    _, first, group = np.unique(key, return_index=True, return_inverse=True)
    weight = 1.0 / rows["flux_err"].astype(float) ** 2
    total = np.bincount(group, weight)
    made = rows[first].copy()
    for name in ("mjd", "flux", "ref_flux"):
        made[name] = np.bincount(group, weight * rows[name]) / total
    made["flux_err"] = 1.0 / np.sqrt(total)
    count = np.bincount(group)
    made["source_id"] = [f"mean of {n}" for n in count.tolist()]
    made["kind"] = Kind.ALERT
    return made[np.argsort(made["mjd"], kind="stable")]


def period_of(rows: Detections) -> float | None:
    """The period (days) with the highest power of Lomb (1976) and Scargle (1982) in the band with most points; None with too few."""
    rows = points(rows)
    rows = rows[np.isfinite(rows["flux"]) & (rows["flux_err"] > 0.0) & (rows["kind"] != Kind.LIMIT)]
    if not len(rows):
        return None
    names = np.array([f"{r['survey']}|{r['band']}" for r in rows])
    most = max(np.unique(names), key=lambda name: int((names == name).sum()))
    one = rows[names == most]
    span = float(np.ptp(one["mjd"]))
    if len(one) < FEWEST or span <= 2.0 * SHORTEST:
        return None
    search = LombScargle(one["mjd"].astype(float), one["flux"].astype(float), one["flux_err"].astype(float))
    frequency, power = search.autopower(
        minimum_frequency=max(1.0 / LONGEST, 1.0 / span), maximum_frequency=1.0 / SHORTEST, samples_per_peak=4
    )
    return float(1.0 / frequency[int(np.argmax(power))]) if len(frequency) else None


def brightest(rows: Detections) -> float | None:
    """MJD of the brightest detection; None without one."""
    seen = rows[significant(rows, SHOWN) & (rows["flux"] > 0.0)]
    return float(seen["mjd"][int(np.argmax(seen["flux"]))]) if len(seen) else None
