"""Cutouts of simulated sources at the moment of an alert: what `classifiers.simulate.render` draws, put together from the source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from broker_adapters.photometry import NJY_ZERO_POINT, flux_from_magnitude, magnitude_from_flux

from ._galaxies import DISC, Galaxies
from .instruments import INSTRUMENTS, Instrument
from .render import Conditions, Points, Scene, grid_size, ordinary, render
from .sources import Source

Floats = NDArray[np.float64]

#: Stars and galaxies in a field of one square arcminute brighter than the limit below, at middle galactic latitude (Bahcall & Soneira
#: 1980, ApJS 44, 73; Yasuda et al. 2001, AJ 122, 1104), and the slope of log10 of their counts with magnitude.
_STARS, _GALAXIES = 2.0, 2.5
_FAINTEST, _STAR_SLOPE, _GALAXY_SLOPE = 21.5, 0.25, 0.45
_MOST = 8


@dataclass(frozen=True, slots=True)
class Look:
    """One alert to draw: the source, the difference flux that was measured (nJy, signed) and the band."""

    source: Source
    flux: float
    band: str


def cutouts(survey: str, looks: Sequence[Look], random: np.random.Generator, batch: int = 128) -> NDArray[np.float32]:
    """Science, template and difference of n alerts of one survey in the units of its instrument, shape (n, 3, size, size)."""
    camera = INSTRUMENTS[survey]
    parts = [_draw(camera, looks[i : i + batch], random) for i in range(0, len(looks), batch)]
    return np.concatenate(parts) if parts else np.empty((0, 3, camera.size, camera.size), np.float32)


def _draw(camera: Instrument, looks: Sequence[Look], random: np.random.Generator) -> NDArray[np.float32]:
    how = ordinary(camera, len(looks), random)
    flux = np.array([[look.flux] for look in looks])
    y, x = random.uniform(-0.5, 0.5, (2, len(looks), 1))
    bogus = np.array([look.source.label == "bogus" for look in looks])
    kind = np.where(bogus, random.integers(0, 3, len(looks)), -1)  # a ray, a bad column, or a star that was not subtracted
    change = Points(np.where(bogus[:, None], 0.0, flux), y, x)
    constant = _constant(camera, looks, y, x, kind, random)
    scene = Scene(change, constant, _hosts(camera, looks, y, x, random))
    stars_left = kind == 2
    how = replace(
        how,
        shift_y=np.where(stars_left, random.normal(0.0, 0.5, len(looks)), how.shift_y),
        psf_error=np.where(stars_left, random.normal(0.0, 0.15, len(looks)), how.psf_error),
    )
    extra = _artefacts(camera, kind, flux[:, 0], how, random) if bogus.any() else None
    return np.asarray(render(scene, how, camera, random, extra), dtype=np.float32)


def _constant(
    camera: Instrument, looks: Sequence[Look], y: Floats, x: Floats, kind: NDArray[np.int64], random: np.random.Generator
) -> Points:
    """The light of the source in the reference, at its place, and field stars."""
    own = np.array([[look.source.reference.get(look.band, 0.0)] for look in looks])
    own[kind == 2, 0] = flux_from_magnitude(random.uniform(12.5, 15.0, int((kind == 2).sum())))
    flux, sy, sx = _field(camera, len(looks), _STARS, _STAR_SLOPE, random)
    return Points(np.hstack([own, flux]), np.hstack([y, sy]), np.hstack([x, sx]))


def _hosts(camera: Instrument, looks: Sequence[Look], y: Floats, x: Floats, random: np.random.Generator) -> Galaxies:
    """The host at its offset from the source, and galaxies of the field."""
    n = len(looks)
    host = np.array([look.source.host or (np.inf, 0.0, 0.0) for look in looks])
    flux, gy, gx = _field(camera, n, _GALAXIES, _GALAXY_SLOPE, random)
    flux = np.hstack([flux_from_magnitude(host[:, :1]), flux])
    magnitude = np.nan_to_num(magnitude_from_flux(flux), nan=25.0)
    arcsec = np.clip(1.2 * 10.0 ** (-0.15 * (magnitude - 19.0)), 0.3, 8.0)  # half-light radii of Shen et al. 2003 at their usual distance
    return Galaxies(
        flux=flux,
        y=np.hstack([y + host[:, 2:3] / camera.scale, gy]),
        x=np.hstack([x - host[:, 1:2] / camera.scale, gx]),
        radius=arcsec / camera.scale,
        axis_ratio=np.asarray(random.uniform(0.35, 1.0, flux.shape)),
        angle=np.asarray(random.uniform(0.0, np.pi, flux.shape)),
        index=np.full(flux.shape, DISC),
    )


def _field(camera: Instrument, n: int, density: float, slope: float, random: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    """Fluxes and places (n, k) of what happens to be in the field, zero flux where there is less."""
    area = (camera.size * camera.scale / 60.0) ** 2
    counts = np.minimum(random.poisson(density * area, n), _MOST)
    shape = (n, _MOST)
    magnitude = _FAINTEST + np.log10(random.uniform(1e-3, 1.0, shape)) / slope
    flux = np.where(np.arange(_MOST) < counts[:, None], flux_from_magnitude(np.maximum(magnitude, 13.0)), 0.0)
    y, x = random.uniform(-camera.size / 2.0, camera.size / 2.0, (2, *shape))
    return flux, y, x


def _artefacts(
    camera: Instrument, kind: NDArray[np.int64], flux: Floats, how: Conditions, random: np.random.Generator
) -> NDArray[np.float32]:
    """Cosmic rays and bad columns through the middle, as bright in all as the alert says, in units of the detector."""
    side = grid_size(camera.size)
    middle = (side - 1) // 2
    extra = np.zeros((len(kind), side, side), np.float32)
    units = np.abs(flux) * 10.0 ** (0.4 * (how.zero_point - NJY_ZERO_POINT))
    for i in np.flatnonzero(kind == 0):
        length, angle = int(random.integers(2, 9)), random.uniform(0.0, np.pi)
        along = np.arange(length) - length // 2
        rows, columns = np.rint(middle + along * np.sin(angle)).astype(int), np.rint(middle + along * np.cos(angle)).astype(int)
        np.add.at(extra[i], (rows, columns), 2.0 * units[i] / length)
    for i in np.flatnonzero(kind == 1):
        extra[i, :, middle] = np.sign(flux[i]) * units[i] / 3.0
    return extra
