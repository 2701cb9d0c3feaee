"""Metadata of a cutout, named as in ZTF's alert schema 4.02: measured on the simulated image or drawn to match it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from broker_adapters.photometry import magnitude_from_flux
from classifiers.simulate._origins import Draw, Floats, extendedness, quantiles
from classifiers.simulate._psf import Images, Psf, stars
from classifiers.simulate.instruments import Instrument
from classifiers.simulate.population import CATALOGUE_LIMIT, Population
from classifiers.simulate.sky import places

#: Half-width in pixels of the window in which the source is measured.
WINDOW = 7
#: ``diffmaglim`` of real packets over the five-sigma limit of the PSF and the pixels' noise: measured -0.74, quartiles -0.90 and -0.59.
LIMIT_OFFSET, LIMIT_SCATTER = -0.74, 0.15
#: Polynomial of ln(sigmapsf) in diffmaglim - magpsf, and its scatter: least squares on real asteroids and supernovae.
SIGMA_POLYNOMIAL, SIGMA_SCATTER = (-1.53, -0.66, 0.048), 0.14
#: Scatter of the logarithm of ``fwhm``, which is noisy: measured on variable stars and AGN beyond what the images show.
WIDTH_SCATTER = 0.25
#: Faintest source of a reference image, and the density per square pixel of its spurious or fainter ones that no catalogue has
#: (from the ``distnr`` of real asteroids, which are nowhere in particular).
REFERENCE_LIMIT, REFERENCE_SPURIOUS = 22.8, 0.0018
#: Class -> quantiles of ``ndethist`` and ``ncovhist`` at ``_origins.LEVELS``; measured, the former of SN from the first detection on.
HISTORY = {
    "AGN": ((2, 16, 57, 119, 517, 1147, 2572, 3775, 4000), (40, 60, 156, 860, 1344, 2614, 3692, 4470, 5000)),
    "SN": ((1, 1, 4, 10, 25, 70, 225, 900, 1500), (60, 108, 122, 555, 1526, 2092, 3814, 6573, 7000)),
    "VS": ((1, 1, 8, 16, 70, 409, 780, 1527, 2000), (3, 6, 14, 39, 163, 1377, 2084, 3116, 4000)),
    "asteroid": ((1, 1, 1, 1, 1, 1, 1, 2, 4), (40, 63, 96, 109, 999, 1340, 2100, 3911, 5000)),
    "bogus": ((1, 1, 1, 1, 1, 2.5, 17, 120, 200), (20, 35, 97, 168, 377, 1231, 1744, 4573, 5000)),
}
#: Quantiles of ``classtar``; measured, alike for all classes.
CLASS_STAR = (0.4, 0.65, 0.84, 0.95, 0.981, 0.986, 0.997, 1.0, 1.0)

Columns = dict[str, NDArray[Any]]


def measure(difference: Images, drawn: Population, rng: Draw) -> Columns:
    """Measure the columns that depend on the image, each (n,): sign, magnitude, its error and limit, width.

    ``difference`` is science minus template.
    """
    how = drawn.how
    centre = (difference.shape[-1] - 1) // 2
    window = difference[:, centre - WINDOW : centre + WINDOW + 1, centre - WINDOW : centre + WINDOW + 1]
    ones = np.ones((len(drawn.y), 1))
    shape = stars(Psf(how.seeing, how.elongation), ones, drawn.y[:, None] + WINDOW, drawn.x[:, None] + WINDOW, 2 * WINDOW + 1)
    flux = (window * shape).sum((1, 2), dtype=float) / (shape * shape).sum((1, 2), dtype=float)
    sign = np.where(flux < 0, -1.0, 1.0)
    noise = np.hypot(how.noise, how.template_noise)
    five_sigma = 5 * noise * np.sqrt(Psf(how.seeing, how.elongation).noise_pixels)
    limit = how.zero_point - 2.5 * np.log10(five_sigma) + rng.normal(LIMIT_OFFSET, LIMIT_SCATTER, len(flux))
    magnitude = how.zero_point - 2.5 * np.log10(np.maximum(np.abs(flux), 1e-3))
    error = np.exp(np.polyval(SIGMA_POLYNOMIAL[::-1], np.clip(limit - magnitude, 0, 6)) + rng.normal(0, SIGMA_SCATTER, len(flux)))
    return {
        "isdiffpos": np.where(sign > 0, "t", "f"),
        "magpsf": magnitude,
        "sigmapsf": error,
        "diffmaglim": limit,
        "fwhm": _width(window * sign[:, None, None].astype(np.float32)) * np.exp(rng.normal(0, WIDTH_SCATTER, len(flux))),
        "magzpsci": how.zero_point,
        "fid": _filter(how.background, rng),
    }


def _filter(background: Floats, rng: Draw) -> NDArray[np.int64]:
    """Filter number (n,), 1 (g) or 2 (r), from the sky, which is twice as bright in r (measured medians 96 and 203 DN)."""
    level = np.log(np.maximum(background, 1.0) / 140.0) + rng.normal(0, 0.35, len(background))
    return np.where(level > 0, 2, 1)


def _width(window: Images) -> Floats:
    """Diameter in pixels of the circle with the area above half of the middle's peak, (n,)."""
    peak = window[:, WINDOW - 1 : WINDOW + 2, WINDOW - 1 : WINDOW + 2].max((1, 2))
    above = np.clip((window / np.maximum(peak, 1e-3)[:, None, None] - 0.5) * 4 + 0.5, 0, 1)[:, 2:-2, 2:-2].sum((1, 2), dtype=float)
    return np.asarray(np.maximum(2 * np.sqrt(above / np.pi), 1.0))


def drawn_columns(drawn: Population, camera: Instrument, rng: Draw) -> Columns:
    """Draw the columns that do not depend on the image alone: catalogue and reference neighbours, history, position."""
    return _catalogue(drawn, camera, rng) | _reference(drawn, camera, rng) | _history(drawn.labels, rng) | places(drawn.labels, rng)


def _objects(drawn: Population) -> tuple[Floats, Floats, NDArray[np.bool_], Floats]:
    """Constant objects of the fields: distance from the alert in pixels (n, k), magnitude, whether a galaxy, and half-light radius."""
    points, hosts = drawn.scene.constant, drawn.scene.hosts
    flux = np.concatenate([points.flux, hosts.flux], axis=1)
    y = np.concatenate([points.y, hosts.y], axis=1) - drawn.y[:, None]
    x = np.concatenate([points.x, hosts.x], axis=1) - drawn.x[:, None]
    galaxy = np.zeros(flux.shape, bool)
    galaxy[:, points.flux.shape[1] :] = True
    radius = np.concatenate([np.zeros_like(points.flux), hosts.radius], axis=1)
    magnitude = magnitude_from_flux(flux)
    # a nucleus and its host are one object of a catalogue: the brighter names it
    hosted = np.isfinite(magnitude[:, 0]) & (hosts.flux[:, 0] > 0)
    k = points.flux.shape[1]
    weaker = np.where(points.flux[:, 0] >= hosts.flux[:, 0], k, 0)
    magnitude[np.flatnonzero(hosted), weaker[hosted]] = np.nan
    return np.where(np.isfinite(magnitude), np.hypot(y, x), np.inf), magnitude, galaxy, radius


def _catalogue(drawn: Population, camera: Instrument, rng: Draw) -> Columns:
    """``sgscore`` and ``distpsnr`` (arcsec) of the three nearest objects of Pan-STARRS within 30 arcsec; NaN for none.

    The score separates stars from galaxies to about r = 20 and says 0.5 where it cannot (Tachibana & Miller 2018, PASP 130, 128001).
    """
    distance, magnitude, galaxy, _ = _objects(drawn)
    arcsec = np.hypot(distance * camera.scale, _astrometry(len(distance), rng)[:, None])
    arcsec[~(magnitude < CATALOGUE_LIMIT)] = np.inf
    nearest = np.argsort(arcsec, axis=1)[:, :3]
    arcsec, magnitude, galaxy = (np.take_along_axis(a, nearest, axis=1) for a in (arcsec, magnitude, galaxy))
    sure = np.minimum(0.013 * np.exp(rng.normal(0, 1.4, arcsec.shape)), 1.0)
    extended = np.clip(0.1 * np.exp(rng.normal(0, 1.2, arcsec.shape)), 0, 1)
    guess = np.where(
        rng.uniform(size=arcsec.shape) < 0.35, 0.5, np.where(galaxy, rng.beta(0.5, 2.5, arcsec.shape), rng.beta(0.25, 0.3, arcsec.shape))
    )
    unsure = rng.uniform(size=arcsec.shape) < np.interp(magnitude, (14.0, 15.0, 18.0, 20.0, 21.5), (0.3, 0.03, 0.03, 0.15, 0.9))
    score = np.where(unsure, guess, np.where(galaxy, extended, 1 - sure))
    near = arcsec < 30.0
    columns: Columns = {}
    for i in range(min(3, arcsec.shape[1])):
        columns[f"sgscore{i + 1}"] = np.where(near[:, i], score[:, i], np.nan)
        columns[f"distpsnr{i + 1}"] = np.where(near[:, i], arcsec[:, i], np.nan)
    return columns


def _reference(drawn: Population, camera: Instrument, rng: Draw) -> Columns:
    """Nearest source of the reference image: ``distnr`` in pixels, magnitude, error, and the chi and sharpness of its fit with a PSF."""
    distance, magnitude, galaxy, radius = _objects(drawn)
    distance = np.where(magnitude < REFERENCE_LIMIT, distance, np.inf)
    n, rows = len(distance), np.arange(len(distance))
    first = np.argmin(distance, axis=1)
    spurious = np.sqrt(rng.exponential(1 / (np.pi * REFERENCE_SPURIOUS), n))
    # within the light of a real source no other is found
    none = spurious < np.where(distance[rows, first] < 3.0, 0.0, distance[rows, first])
    magnr = np.where(
        none,
        rng.triangular(21.6, 23.0, 23.5, n),
        magnitude[rows, first] + np.where(galaxy[rows, first], extendedness(radius[rows, first] * camera.scale), 0.0),
    )
    magnr += rng.normal(0, 0.1, n)
    extended = galaxy[rows, first] & ~none
    faint = none | (magnr > 21.5)
    size = np.clip(radius[rows, first] * camera.scale, 0.3, 5.0)
    chi = np.where(extended, 1.2 + 1.3 * size, np.where(faint, 0.78, 0.68)) * np.exp(rng.normal(0, 0.4, n))
    sharp = np.where(extended, 0.16 * size, 0.0) + np.where(
        faint, rng.normal(-0.2, 0.2, n), np.where(extended, rng.normal(0, 0.1, n), rng.normal(-0.02, 0.03, n))
    )
    return {
        "distnr": np.hypot(np.where(none, spurious, distance[rows, first]), _astrometry(n, rng)),
        "magnr": magnr,
        "sigmagnr": np.hypot(0.013, 0.3 * 10 ** (0.3 * (magnr - 23.0))),
        "chinr": chi,
        "sharpnr": sharp,
    }


def _astrometry(n: int, rng: Draw) -> Floats:
    """Errors in arcsec, (n,), of an alert's position (median 0.22 measured on variable stars)."""
    return rng.rayleigh(0.15 * np.exp(rng.normal(0, 0.5, n)))


def _history(labels: NDArray[np.str_], rng: Draw) -> Columns:
    """Numbers of visits and of detections at the position; and ``classtar``."""
    n = len(labels)
    seen, covered = np.ones(n), np.ones(n)
    for name, (detections, coverage) in HISTORY.items():
        rows = np.flatnonzero(labels == name)
        seen[rows], covered[rows] = quantiles(detections, rows.size, rng), quantiles(coverage, rows.size, rng)
    covered = np.maximum(covered, 1.05 * seen)
    return {"ndethist": np.rint(seen).astype(int), "ncovhist": np.rint(covered).astype(int), "classtar": quantiles(CLASS_STAR, n, rng)}
