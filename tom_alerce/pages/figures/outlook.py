"""The forecast of a supernova as a table and as plotly traces: that of its posterior, or of the older fit.

Both come as the mapping of `classifiers.models.lightcurve.forecast.Forecast.as_dict`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy.time import Time
from numpy.typing import NDArray

from broker_adapters.photometry import NJY_PER_UJY, flux_from_magnitude, magnitude_from_flux
from classifiers.posterior.records import AHEAD, FAMILIES, Outlooks

#: Days from tonight to the second prediction.
WEEK = 7.0

#: Milliseconds in a day: the unit of an axis of dates.
MILLISECONDS = 86_400_000.0


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


def of_posterior(one: Outlooks) -> dict[str, Any]:
    """Forecast of the posterior of one object, for the 30 days after its latest evidence; the peak is that in g for both families."""
    peak_mjd = one.peak()[0].round(2).tolist()
    families = {
        family: {
            "flux": flux_from_magnitude(one.magnitude[0, k, ::-1]).T.round(1).tolist(),
            "peak_mjd": peak_mjd,
            "peak_mag": one.peak_magnitude[0, k].round(3).tolist(),
        }
        for k, family in enumerate(FAMILIES)
    }
    return {"mjd": (one.mjd[0] + AHEAD).round(4).tolist(), "families": families}


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
    """Draw the forecast as plotly traces, in ``flux`` or ``difference``: by family the interval, the median over it, and the peak."""
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
        drawn.append(shared | {"mode": "markers", "name": f"{band} peak", "showlegend": False} | _peak(one, quantity))
    return drawn


def _peak(one: Mapping[str, Any], quantity: str) -> dict[str, Any]:
    """The peak with its 68 % intervals, of the time along the axis of time."""
    early, when, late = one["peak_mjd"]
    bright, magnitude, faint = one["peak_mag"]
    unit = {"difference": (bright, magnitude, faint), "flux": tuple(flux_from_magnitude(np.array(one["peak_mag"])) / NJY_PER_UJY)}
    low, middle, high = sorted(unit[quantity])
    wide = {"type": "data", "symmetric": False, "thickness": 1.2, "width": 4}
    return {
        "x": [Time(when, format="mjd").isot],
        "y": _rounded(np.array([middle])),
        "error_x": wide | {"array": [round((late - when) * MILLISECONDS)], "arrayminus": [round((when - early) * MILLISECONDS)]},
        "error_y": wide | {"array": _rounded(np.array([high - middle])), "arrayminus": _rounded(np.array([middle - low]))},
        "marker": {"symbol": "x-thin-open", "size": 9},
        "hovertemplate": f"%{{y:.2f}}<br>%{{x|%Y-%m-%d}} +{late - when:.1f} -{when - early:.1f} d<extra>peak, 68 %</extra>",
    }


def _at(mjd: list[float], flux: list[list[float]], when: float) -> Value | None:
    if when > mjd[-1]:
        return None
    faint, middle, bright = (np.interp(when, mjd, column) for column in np.array(flux).T)
    return Value(*magnitude_from_flux(np.array([bright, middle, faint])).tolist())


def _rounded(values: NDArray[np.float64]) -> list[float]:
    rounded: list[float] = np.round(values, 3).tolist()
    return rounded
