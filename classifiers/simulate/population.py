"""Scenes by class: the source of each alert, the stars and galaxies around it, its exposure and its artefacts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from broker_adapters.photometry import flux_from_magnitude
from classifiers.records import ClassifierError
from classifiers.simulate import artefacts
from classifiers.simulate._galaxies import BULGE, DISC, Galaxies
from classifiers.simulate._origins import DRAW, Draw, Floats, Origins, fainter
from classifiers.simulate._psf import Images
from classifiers.simulate.instruments import Instrument
from classifiers.simulate.render import Conditions, Points, Scene, grid_size
from classifiers.taxonomy import STAMP

#: Faintest magnitude of the catalogue, slopes of the counts, brightest magnitude (Pan-STARRS 3pi, Chambers et al. 2016, arXiv:1612.05560;
#: slope of star and galaxy counts together at r = 17..22, Yasuda et al. 2001, AJ 122, 1104; less where the Galaxy's stars dominate).
CATALOGUE_LIMIT, COUNTS_SLOPE, BRIGHTEST = 23.0, (0.27, 0.23), 12.0
#: Faintest magnitude in templates, one deeper than the catalogue.
DEEPEST = 24.0
#: Most objects of a field.
MAXIMUM = 250
#: Number of points of a trail.
TRAIL_POINTS = 5
#: Probability of a hole in the cutout, by class (measured on real ZTF cutouts).
HOLES = {"AGN": 0.08, "SN": 0.12, "VS": 0.12, "asteroid": 0.08, "bogus": 0.25}


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """Scenes of n alerts, with conditions, light from the detector (n, side, side), holes (n, size, size), and the sources alone.

    ``y`` and ``x`` are the position of the source from the middle of the central pixel.
    """

    labels: NDArray[np.str_]
    sources: Origins
    scene: Scene
    how: Conditions
    extra: Images
    holes: NDArray[np.bool_]
    y: Floats
    x: Floats


def draw(labels: Sequence[str], how: Conditions, camera: Instrument, size: int, rng: Draw, origins: Origins | None = None) -> Population:
    """Draw one alert of each label; ``ClassifierError`` for a label that is not in ``taxonomy.STAMP``.

    ``origins`` are the sources of the alerts, drawn by default; bogus alerts have none.
    """
    label = np.asarray(labels, dtype=str)
    unknown = set(label.tolist()) - set(STAMP)
    if unknown:
        raise ClassifierError(f"no stamps can be simulated of {', '.join(sorted(unknown))}: known are {', '.join(STAMP)}")
    n, side = len(label), grid_size(size)
    extra = np.zeros((n, side, side), np.float32)
    columns = {name: np.zeros(n) for name in Origins.__slots__}
    lobe_y, lobe_x = np.zeros(n), np.zeros(n)
    for name in STAMP:
        rows = np.flatnonzero(label == name)
        if name == "bogus" and rows.size:
            wrong = artefacts.bogus(how.take(rows), side, rng)
            sources, extra[rows], lobe_y[rows], lobe_x[rows] = wrong.sources, wrong.extra, wrong.star_y, wrong.star_x
            how = how.replace(**{c: _put(getattr(how, c), rows, getattr(wrong.how, c)) for c in Conditions.__slots__})
        elif rows.size:
            sources = DRAW[name](rows.size, rng) if origins is None else Origins(*(getattr(origins, c)[rows] for c in columns))
        else:
            continue
        for column, values in columns.items():
            values[rows] = getattr(sources, column)
    chosen = fainter(Origins(**columns), camera.fainter)
    y, x = rng.uniform(-0.42, 0.42, (2, n))
    scene = _scene(chosen, camera, side, (y, x), (y + lobe_y, x + lobe_x), rng)
    _bleed(extra, scene, how, camera, rng)
    chance = np.array([HOLES[name] for name in label.tolist()])
    return Population(label, chosen, scene, how, extra, artefacts.holes(n, size, chance, rng), y, x)


def _put(values: Floats, rows: NDArray[np.intp], new: Floats) -> Floats:
    changed = values.copy()
    changed[rows] = new
    return changed


def _scene(sources: Origins, camera: Instrument, side: int, place: tuple[Floats, Floats], star: tuple[Floats, Floats], rng: Draw) -> Scene:
    """Scene around n sources at ``place``; their constant star, if any, is at ``star``."""
    n = len(sources.change)
    y, x = place
    steps = np.linspace(-0.5, 0.5, TRAIL_POINTS)
    angle = rng.uniform(0, 2 * np.pi, n)
    trail = (sources.trail / camera.scale)[:, None] * steps
    change = Points(
        flux=np.repeat((_flux(sources.change) * sources.sign / TRAIL_POINTS)[:, None], TRAIL_POINTS, axis=1),
        y=y[:, None] + trail * np.sin(angle)[:, None],
        x=x[:, None] + trail * np.cos(angle)[:, None],
    )
    flux, field_y, field_x, galaxy = _field(sources.crowding, camera, side, rng)
    constant = Points(
        flux=np.column_stack([_flux(sources.nucleus), flux]),
        y=np.column_stack([star[0], field_y]),
        x=np.column_stack([star[1], field_x]),
    )
    away = rng.uniform(0, 2 * np.pi, n)
    distance = sources.distance / camera.scale
    host = (_flux(sources.host), y + distance * np.sin(away), x + distance * np.cos(away), sources.radius / camera.scale,
            sources.axis_ratio, rng.uniform(0, np.pi, n), sources.index)  # fmt: skip
    return Scene(change, constant, Galaxies(*(np.column_stack(pair) for pair in zip(host, galaxy, strict=True))))


def _field(crowding: Floats, camera: Instrument, side: int, rng: Draw) -> tuple[Floats, Floats, Floats, tuple[Floats, ...]]:
    """Draw flux and position of the stars of n fields, (n, k), and the columns of one galaxy each."""
    n = len(crowding)
    expected = crowding * (side * camera.scale) ** 2 / (np.pi * 30.0**2)
    slope = np.interp(crowding, (8.0, 30.0), COUNTS_SLOPE)[:, None]
    number = np.minimum(rng.poisson(expected * 10 ** (slope[:, 0] * (DEEPEST + camera.fainter - CATALOGUE_LIMIT))), MAXIMUM)
    k = int(number.max(initial=1))
    magnitude = np.maximum(DEEPEST + camera.fainter + np.log10(rng.uniform(1e-9, 1, (n, k))) / slope, BRIGHTEST)
    flux = np.where(np.arange(k) < number[:, None], _flux(magnitude), 0.0)
    y, x = rng.uniform(-side / 2, side / 2, (2, n, k))
    # off the Galaxy's plane galaxies are few among bright objects, most among faint ones (Yasuda et al. 2001)
    brightest = np.argmax(flux, axis=1)
    rows = np.arange(n)
    light = flux[rows, brightest]
    share = np.interp(np.log10(np.maximum(light, 1.0)), (4.2, 5.4, 6.6), (0.6, 0.2, 0.02))  # AB 20.9, 17.9, 14.9
    is_galaxy = rng.uniform(size=n) < share * np.exp(-crowding / 30.0)
    radius = np.clip(1.5 * (light / _flux(np.array(18.0))) ** 0.4, 0.4, 6.0) / camera.scale
    galaxy = (np.where(is_galaxy, light, 0.0), y[rows, brightest], x[rows, brightest], radius,
              rng.uniform(0.2, 1.0, n), rng.uniform(0, np.pi, n), np.where(rng.uniform(size=n) < 0.7, DISC, BULGE))  # fmt: skip
    flux[rows[is_galaxy], brightest[is_galaxy]] = 0.0
    return flux, y, x, galaxy


def _bleed(extra: Images, scene: Scene, how: Conditions, camera: Instrument, rng: Draw) -> None:
    """Add the bleeding of the brightest star of each field, where it saturates, to the light from the detector."""
    rows = np.arange(len(extra))
    brightest = np.argmax(scene.constant.flux, axis=1)
    unit = 10.0 ** (0.4 * (how.zero_point - 31.4))
    # the central pixel holds about 0.8 / FWHM^2 of the light
    peak = scene.constant.flux[rows, brightest] * unit * 0.8 / how.seeing**2
    full = np.flatnonzero(peak > 1.5 * camera.saturation)
    if full.size:
        star = 31.4 - 2.5 * np.log10(scene.constant.flux[full, brightest[full]])
        y, x = scene.constant.y[full, brightest[full]], scene.constant.x[full, brightest[full]]
        extra[full] += artefacts.bleeding(star, y, x, camera.saturation, extra.shape[-1], rng)


def _flux(magnitude: Floats) -> Floats:
    """Flux in nJy, 0 where there is no magnitude."""
    return np.nan_to_num(flux_from_magnitude(magnitude), nan=0.0)
