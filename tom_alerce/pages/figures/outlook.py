"""The forecast of a supernova (`classifiers.models.lightcurve.forecast`) as a table and as plotly traces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy.time import Time
from numpy.typing import NDArray

from broker_adapters.photometry import NJY_PER_UJY, magnitude_from_flux

#: Days from tonight to the second prediction.
WEEK = 7.0


@dataclass(frozen=True, slots=True)
class Value:
    """A magnitude and its 68 % interval, ``bright`` to ``faint``; NaN if the flux may be zero."""

    bright: float
    middle: float
    faint: float


@dataclass(frozen=True, slots=True)
class Outlook:
    """Forecast in one band family: difference magnitudes tonight and in a week (None beyond the forecast) and at the peak.

    ``peak_mjd`` has the uncertainty ``peak_days``.
    """

    band: str
    tonight: Value | None
    in_a_week: Value | None
    peak_mjd: float
    peak_days: float
    peak: Value


def outlooks(forecast: Mapping[str, Any] | None, now: float) -> list[Outlook]:
    """Forecast of each band family at ``now`` (MJD); empty without a forecast, or after its end."""
    if not forecast or now > forecast["mjd"][-1]:
        return []
    families = []
    for band, one in forecast["families"].items():
        early, peak, late = one["peak_mjd"]
        tonight, in_a_week = (_at(forecast["mjd"], one["flux"], now + days) for days in (0.0, WEEK))
        families.append(Outlook(band, tonight, in_a_week, peak, (late - early) / 2, Value(*one["peak_mag"])))
    return families


def traces(forecast: Mapping[str, Any] | None, quantity: str) -> list[dict[str, Any]]:
    """Draw the forecast as plotly traces, in ``flux`` or ``difference``: for each band family the interval, and the median over it."""
    if not forecast or quantity == "total":
        return []
    times, drawn = Time(np.array(forecast["mjd"]), format="mjd").isot.tolist(), []
    for band, one in forecast["families"].items():
        flux = np.array(one["flux"])
        low, middle, high = (flux / NJY_PER_UJY if quantity == "flux" else magnitude_from_flux(flux)).T
        finite = np.isfinite(low)  # a flux that may be zero has no magnitude
        x = [t for t, f in zip(times, finite, strict=True) if f]
        if not x:
            continue
        name = f"{band} forecast"
        shared = {"type": "scatter", "mode": "lines", "name": name, "legendgroup": name, "meta": {"band": band}}
        edge = np.concatenate([low[finite], high[finite][::-1]])
        drawn.append(
            shared
            | {"x": x + x[::-1], "y": _rounded(edge), "fill": "toself", "line": {"width": 0}, "showlegend": False, "hoverinfo": "skip"}
        )
        hover = f"%{{y:.2f}}<br>%{{x|%Y-%m-%d}}<extra>{name}, 68 % within the band</extra>"
        drawn.append(shared | {"x": x, "y": _rounded(middle[finite]), "line": {"dash": "dot", "width": 1.5}, "hovertemplate": hover})
    return drawn


def _at(mjd: list[float], flux: list[list[float]], when: float) -> Value | None:
    if when > mjd[-1]:
        return None
    faint, middle, bright = (np.interp(when, mjd, column) for column in np.array(flux).T)
    return Value(*magnitude_from_flux(np.array([bright, middle, faint])).tolist())


def _rounded(values: NDArray[np.float64]) -> list[float]:
    rounded: list[float] = np.round(values, 3).tolist()
    return rounded
