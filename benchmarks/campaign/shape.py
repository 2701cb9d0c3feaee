"""The fit of a four-parameter shape of an SN Ia: time of the peak, stretch, and amplitudes in g and r, on a grid.

It stands for the SALT fit of AAS2RTO's policy; the amplitudes are solved for at each point of the grid, with a prior on the colour. There
are two shapes: the textbook's, and the median of real SNe Ia of the tuning half about the peaks of their g light curves.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from broker_adapters.records import Detections, Kind

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A shape: days of stretch 1 from its peak, shape (n,), and flux over that at peak in g and r; before the first day it is 0."""

    days: Floats
    g: Floats
    r: Floats

    def at(self, phase: Floats, band: str) -> Floats:
        """Flux over that at peak, shape of ``phase``."""
        found: Floats = np.interp(phase, self.days, self.g if band == "g" else self.r, left=0.0)
        return found


#: Light curves in B and R of a normal SN Ia as textbooks have them, with a rise of 20 d.
TEXTBOOK = Template(
    np.array([-20, -18, -15, -12, -10, -8, -5, -2, 0, 2, 5, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 110], np.float64),
    np.array([0, 3, 14, 34, 50, 66, 87, 98, 100, 98, 90, 75, 63, 52, 38, 24, 16.5, 13, 9, 7.8, 6.5, 5, 3]) / 100.0,
    np.array([0, 3, 15, 34, 50, 65, 85, 97, 99.5, 100, 95, 82, 74, 66, 58, 52, 47, 39, 23, 16, 12, 7, 4]) / 100.0,
)

#: Before -14 d, where only the brightest are detected, the measured one follows the square of the time since explosion.
MEASURED = Template(
    np.array(
        [-20, -18, -16, -14, -12, -10, -8, -6, -4, -2, 0, 2, 4, 6, 8, 10, 12, 15, 18, 21, 24, 27, 30, 35, 40, 50, 60, 80, 110], np.float64
    ),
    np.array([0, 2, 9, 22, 41, 59, 74, 89, 97, 100, 100, 98, 90, 81, 72, 62, 52, 41, 32, 25, 21, 17, 13.4, 10.3, 8.4, 7.2, 6, 4, 2.5])
    / 100.0,
    np.array([0, 2, 9, 22, 41, 57, 71, 84, 93, 99, 100, 100, 97, 90, 81, 73, 65, 58, 53, 50, 47, 43, 38, 30, 22, 17, 12, 8, 4]) / 100.0,
)

#: Grid: days of the peak from the latest detection, and stretches with their prior (mean, standard deviation).
PEAKS = np.arange(-45.0, 30.5, 0.5)
STRETCHES = np.arange(0.7, 1.31, 0.1)
STRETCH = (1.0, 0.15)

#: Prior standard deviation of the colour at peak (mag), and part of the flux added to its error.
COLOUR, FLOOR = 0.25, 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """Fit of one light curve.

    Attributes
    ----------
    last : float
        MJD of the latest detection.
    peak : float
        MJD of the peak at the best point of the grid.
    chi2 : float
        Chi-squared per point there.
    stretch, g, r : float
        Stretch, and fluxes at peak in nJy.
    template : Template
    """

    last: float
    peak: float
    chi2: float
    stretch: float
    g: float
    r: float
    template: Template = field(repr=False)

    def flux(self, mjd: Floats, band: str) -> Floats:
        """Flux in nJy in g or r of the best fit, shape of ``mjd``."""
        phase = (mjd - self.peak) / self.stretch
        return (self.g if band == "g" else self.r) * self.template.at(phase, band)


def fit(rows: Detections, template: Template = TEXTBOOK) -> Shape | None:
    """Fit the detections in g and r; None where there is none."""
    own = rows[(rows["kind"] == Kind.ALERT) & (rows["flux"] > 0.0) & np.isin(rows["band"], ("g", "r"))]
    if not len(own):
        return None
    t, flux, blue = own["mjd"] - own["mjd"][-1], own["flux"], own["band"] == "g"
    variance = own["flux_err"] ** 2 + (FLOOR * flux) ** 2
    phase = (t - PEAKS[:, None, None]) / STRETCHES[:, None]
    model = np.where(blue, template.at(phase, "g"), template.at(phase, "r"))
    amplitudes, chi2 = _amplitudes(model, flux, variance, blue)
    loss = chi2 + ((STRETCHES - STRETCH[0]) / STRETCH[1]) ** 2
    i, j = np.unravel_index(np.argmin(loss), loss.shape)
    g, r = amplitudes[:, i, j].tolist()
    last = float(own["mjd"][-1])
    return Shape(last, last + float(PEAKS[i]), float(chi2[i, j]) / len(own), float(STRETCHES[j]), g, r, template)


def _amplitudes(model: Floats, flux: Floats, variance: Floats, blue: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Best amplitudes in g and r, shape (2, t, s), and chi-squared with the prior of the colour, shape (t, s).

    The prior is Gaussian in the difference of the amplitudes over the brightest flux, which makes the problem linear.
    """
    pull = (COLOUR * np.log(10.0) / 2.5 * float(flux.max())) ** -2
    moment = [(model**2 / variance * own).sum(axis=-1) for own in (blue, ~blue)]
    match = [(model * flux / variance * own).sum(axis=-1) for own in (blue, ~blue)]
    a, d = moment[0] + pull, moment[1] + pull
    determinant = np.maximum(a * d - pull**2, 1e-300)
    g = np.maximum((d * match[0] + pull * match[1]) / determinant, 0.0)
    r = np.maximum((a * match[1] + pull * match[0]) / determinant, 0.0)
    predicted = model * np.where(blue, g[..., None], r[..., None])
    chi2 = ((flux - predicted) ** 2 / variance).sum(axis=-1) + pull * (g - r) ** 2
    return np.stack([g, r]), chi2
