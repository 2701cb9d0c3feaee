"""The forecast of a supernova (`classifiers.models.lightcurve.forecast`) as a person reads it and as plotly draws it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy.time import Time
from numpy.typing import NDArray

from broker_adapters.photometry import NJY_PER_UJY, magnitude_from_flux

#: Days after tonight of the second prediction.
WEEK = 7.0


@dataclass(frozen=True, slots=True)
class Value:
    """A magnitude and its 68 % interval, ``bright`` to ``faint``; NaN where the flux may be nothing."""

    bright: float
    middle: float
    faint: float


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is foreseen in one band family: magnitudes of the difference flux tonight and in a week (None beyond the forecast), the peak.

    ``peak_mjd`` has the uncertainty ``peak_days``.
    """

    band: str
    tonight: Value | None
    in_a_week: Value | None
    peak_mjd: float
    peak_days: float
    peak: Value


def outlooks(forecast: Mapping[str, Any] | None, now: float) -> list[Outlook]:
    """The outlook of each band family at ``now`` (MJD); none where there is no forecast, or where it is past."""
    if not forecast or now > forecast["mjd"][-1]:
        return []
    found = []
    for band, one in forecast["families"].items():
        early, peak, late = one["peak_mjd"]
        tonight, in_a_week = (_at(forecast["mjd"], one["flux"], now + days) for days in (0.0, WEEK))
        found.append(Outlook(band, tonight, in_a_week, peak, (late - early) / 2, Value(*one["peak_mag"])))
    return found


def traces(forecast: Mapping[str, Any] | None, quantity: str) -> list[dict[str, Any]]:
    """Plotly traces of the forecast, in ``flux`` or ``difference``: for each band family the interval, and the median on top of it."""
    if not forecast or quantity == "total":
        return []
    times, found = Time(np.array(forecast["mjd"]), format="mjd").isot.tolist(), []
    for band, one in forecast["families"].items():
        flux = np.array(one["flux"])
        low, middle, high = (flux / NJY_PER_UJY if quantity == "flux" else magnitude_from_flux(flux)).T
        known = np.isfinite(low)  # a flux that may be nothing has no magnitude
        x = [t for t, k in zip(times, known, strict=True) if k]
        if not x:
            continue
        name = f"{band} forecast"
        shared = {"type": "scatter", "mode": "lines", "name": name, "legendgroup": name, "meta": {"band": band}}
        edge = np.concatenate([low[known], high[known][::-1]])
        found.append(
            shared | {"x": x + x[::-1], "y": _plain(edge), "fill": "toself", "line": {"width": 0}, "showlegend": False, "hoverinfo": "skip"}
        )
        hover = f"%{{y:.2f}}<br>%{{x|%Y-%m-%d}}<extra>{name}, 68 % within the band</extra>"
        found.append(shared | {"x": x, "y": _plain(middle[known]), "line": {"dash": "dot", "width": 1.5}, "hovertemplate": hover})
    return found


def _at(mjd: list[float], flux: list[list[float]], when: float) -> Value | None:
    if when > mjd[-1]:
        return None
    faint, middle, bright = (np.interp(when, mjd, column) for column in np.array(flux).T)
    return Value(*magnitude_from_flux(np.array([bright, middle, faint])).tolist())


def _plain(values: NDArray[np.float64]) -> list[float]:
    rounded: list[float] = np.round(values, 3).tolist()
    return rounded
