"""Artefacts of detectors and image subtraction: bogus alerts, and holes in cutouts of every class.

The kinds are those that Duev et al. 2019 (MNRAS 489, 3582), Mahabal et al. 2019 (PASP 131, 038002) and Masci et al. 2019 (PASP 131, 018003)
describe. Their shares are our estimate by eye on 75 real alerts that ZTF's own scores reject.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.simulate._origins import Draw, Floats, Origins, crowd
from classifiers.simulate._psf import Images
from classifiers.simulate.render import Conditions

#: Kind -> its share of bogus alerts.
KINDS = {
    "registration": 0.11,  # a star whose template is displaced: a dipole
    "psf": 0.1,  # a star whose PSF is believed too wide or too narrow: rings
    "scale": 0.17,  # a star under cloud or haze: the rest of its light
    "saturation": 0.06,  # a saturated star: bleeding, ragged core
    "cosmic ray": 0.14,
    "column": 0.1,
    "streak": 0.04,  # a satellite, steady or tumbling
    "ghost": 0.03,  # the edge of an out-of-focus reflection
    "noise": 0.25,  # a peak of a few pixels
}
#: Kinds that need a bright star at the position.
ON_STAR = ("registration", "psf", "scale", "saturation")


@dataclass(frozen=True, slots=True, eq=False)
class Bogus:
    """Bogus alerts, n of them: a constant scene, conditions, the position of the star of the residual from the centre (pixels),
    light from the detector alone (n, side, side), and the kind of each.
    """

    sources: Origins
    how: Conditions
    star_y: Floats
    star_x: Floats
    extra: Images
    kind: NDArray[np.str_]


def bogus(how: Conditions, side: int, rng: Draw) -> Bogus:
    """Draw one bogus alert for each of n exposures."""
    n = len(how.seeing)
    how = _clouded(how, rng)
    kind = rng.choice(list(KINDS), size=n, p=list(KINDS.values()))
    on_star = np.isin(kind, ON_STAR)
    star = np.where(on_star, rng.triangular(12.5, 14.5, 18.0, n), np.nan)
    star = np.where(kind == "saturation", rng.uniform(10.0, 12.4, n), star)
    changed, star_y, star_x = _subtraction(how, kind, rng)
    extra = np.zeros((n, side, side), np.float32)
    for name, paint in PAINT.items():
        rows = np.flatnonzero(kind == name)
        if rows.size:
            extra[rows] = paint(how.noise[rows], how.seeing[rows], side, rng)
    nothing, zero = np.full(n, np.nan), np.zeros(n)
    sources = Origins(nothing, zero + 1, star, nothing, zero, zero + 1, zero + 1, zero, zero, crowd(n, rng, 7.0, 0.8))
    return Bogus(sources, changed, star_y, star_x, extra, kind)


def _clouded(how: Conditions, rng: Draw) -> Conditions:
    """Put half of the exposures behind clouds: zero point, sky and template (scaled to the science image) are fainter.

    Measured: zero points of real bogus alerts have quartiles 23.6 and 26.2, where other alerts' are within 0.1 of 26.2.
    """
    n = len(how.seeing)
    extinction = np.where(rng.uniform(size=n) < 0.5, rng.uniform(1.5, 3.6, n), 0.0)
    dimmed = 10 ** (-0.4 * extinction)
    return how.replace(
        zero_point=how.zero_point - extinction,
        seeing=np.where(extinction > 0, np.maximum(0.75 * how.seeing, 1.5), how.seeing),
        background=how.background * np.where(extinction > 0, 1.5 * dimmed, 1.0),
        template_noise=how.template_noise * dimmed,
        noise=np.where(extinction > 0, rng.normal(13.0, 2.5, n).clip(7.0), how.noise),
    )


def _subtraction(how: Conditions, kind: NDArray[np.str_], rng: Draw) -> tuple[Conditions, Floats, Floats]:
    """Conditions in which the subtraction of stars fails as each kind does, and the offset of the star from the peak of the residual."""
    n = len(kind)
    angle, sign = rng.uniform(0, 2 * np.pi, n), rng.choice([-1.0, 1.0], n)
    displaced = kind == "registration"
    shift = np.where(displaced, rng.uniform(0.15, 0.6, n), 0.0)
    lobe = np.where(displaced, 0.4 * how.seeing * sign, 0.0)
    scatter = np.where(kind == "saturation", 2.0, 0.2)
    changed = how.replace(
        shift_y=how.shift_y + shift * np.sin(angle),
        shift_x=how.shift_x + shift * np.cos(angle),
        psf_error=np.where(kind == "psf", sign * rng.uniform(0.03, 0.12, n), how.psf_error),
        gain_error=np.where(kind == "scale", sign * np.exp(rng.uniform(np.log(0.02), np.log(0.3), n)), how.gain_error),
    )
    return changed, lobe * np.sin(angle) + rng.normal(0, scatter), lobe * np.cos(angle) + rng.normal(0, scatter)


def _grid(side: int) -> tuple[Images, Images]:
    """Coordinates of pixels from the centre of the cutout."""
    axis = np.arange(side, dtype=np.float32) - (side - 1) // 2
    return axis[:, None], axis[None, :]


def _cosmic_ray(noise: Floats, seeing: Floats, side: int, rng: Draw) -> Images:
    """Tracks of 1 to 8 pixels, sharper than the PSF: charge shared by the pixels on the way."""
    n, steps = len(noise), 33
    length = np.maximum(rng.exponential(2.0, n), 0.3).clip(max=8.0)
    angle = rng.uniform(0, 2 * np.pi, n)
    along = np.linspace(-0.5, 0.5, steps) * length[:, None]
    centre = (side - 1) // 2
    y = np.rint(centre + along * np.sin(angle)[:, None] + rng.normal(0, 0.3, (n, 1))).astype(int)
    x = np.rint(centre + along * np.cos(angle)[:, None] + rng.normal(0, 0.3, (n, 1))).astype(int)
    charge = noise * np.exp(rng.uniform(np.log(15), np.log(300), n)) / steps
    image = np.zeros((n, side, side), np.float32)
    np.add.at(image, (np.arange(n)[:, None], y, x), charge[:, None].astype(np.float32))
    return image


def _column(noise: Floats, seeing: Floats, side: int, rng: Draw) -> Images:
    """A column, or part of one, with too many or too few counts."""
    n = len(noise)
    y, x = _grid(side)
    column = np.rint(rng.normal(0, 0.7, n))[:, None, None]
    start = np.where(rng.uniform(size=n) < 0.5, -side, rng.uniform(-6, 0, n))[:, None, None]
    level = noise * rng.choice([-1.0, 1.0], n) * np.exp(rng.uniform(np.log(4), np.log(25), n))
    return np.asarray((x == column) * (y >= start) * level[:, None, None], np.float32)


def _streak(noise: Floats, seeing: Floats, side: int, rng: Draw) -> Images:
    """A line as wide as the PSF across the cutout; every third flashes."""
    n = len(noise)
    y, x = _grid(side)
    angle = rng.uniform(0, np.pi, n)[:, None, None]
    across = x * np.sin(angle) - y * np.cos(angle) - rng.normal(0, 0.5, (n, 1, 1))
    along = x * np.cos(angle) + y * np.sin(angle)
    period = rng.uniform(6, 16, (n, 1, 1))
    flash = np.where(rng.uniform(size=(n, 1, 1)) < 0.33, np.cos(np.pi * along / period) ** 4, 1.0)
    peak = noise * np.exp(rng.uniform(np.log(3), np.log(40), n))
    return np.asarray(peak[:, None, None] * flash * np.exp(-0.5 * (across / (0.43 * seeing[:, None, None])) ** 2), np.float32)


def _ghost(noise: Floats, seeing: Floats, side: int, rng: Draw) -> Images:
    """The rim of a disc of stray light, which crosses the centre."""
    n = len(noise)
    y, x = _grid(side)
    radius = rng.uniform(8, 40, n)
    angle = rng.uniform(0, 2 * np.pi, n)
    distance = np.hypot(y - (radius * np.sin(angle))[:, None, None], x - (radius * np.cos(angle))[:, None, None])
    inside = 1 / (1 + np.exp(np.clip((distance - radius[:, None, None]) / rng.uniform(0.5, 2.0, (n, 1, 1)), -30, 30)))
    rim = np.exp(-0.5 * ((distance - radius[:, None, None]) / rng.uniform(0.8, 2.5, (n, 1, 1))) ** 2)
    return np.asarray((noise * rng.uniform(2, 8, n))[:, None, None] * (0.5 * inside + rim), np.float32)


def _noise_peak(noise: Floats, seeing: Floats, side: int, rng: Draw) -> Images:
    """A lump of a few pixels, bright or dark, from noise or a flat field."""
    n = len(noise)
    y, x = _grid(side)
    wide, narrow = rng.uniform(0.4, 1.6, (n, 1, 1)), rng.uniform(0.3, 0.9, (n, 1, 1))
    angle = rng.uniform(0, np.pi, (n, 1, 1))
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    peak = noise * rng.choice([-1.0, 1.0], n) * rng.uniform(6, 14, n)
    return np.asarray(peak[:, None, None] * np.exp(-0.5 * ((u / wide) ** 2 + (v / narrow) ** 2)), np.float32)


def bleeding(star: Floats, star_y: Floats, star_x: Floats, saturation: float, side: int, rng: Draw) -> Images:
    """Charge of saturated stars that bled along their columns: (n, side, side) for stars of AB magnitude ``star``; zero without one."""
    n = len(star)
    y, x = _grid(side)
    reach = (4.0 * 10 ** (-0.2 * (star - 12.0)) * rng.uniform(0.5, 1.5, n))[:, None, None]
    width = rng.integers(1, 3, (n, 1, 1))
    near = np.abs(x - np.rint(star_x)[:, None, None]) < width
    return np.asarray(near * (np.abs(y - star_y[:, None, None]) < reach) * saturation, np.float32)


#: Kind -> function that adds its light to the science image.
PAINT = {"cosmic ray": _cosmic_ray, "column": _column, "streak": _streak, "ghost": _ghost, "noise": _noise_peak}


def holes(n: int, size: int, chance: Floats, rng: Draw) -> NDArray[np.bool_]:
    """Pixels without data, (n, size, size): beyond the detector's edge, blocks that the pipeline masks, and masked cores of full stars.

    ``chance`` (n,) is that of any hole; the middle 7×7 pixels are spared.
    """
    y, x = _grid(size)
    half = size // 2
    kind = np.where(rng.uniform(size=n) < chance, rng.choice([1, 2, 3], n, p=[0.4, 0.35, 0.25]), 0)[:, None, None]
    angle = rng.choice([0.0, 0.5, 1.0, 1.5], (n, 1, 1)) * np.pi + np.where(
        rng.uniform(size=(n, 1, 1)) < 0.15, rng.uniform(-0.7, 0.7, (n, 1, 1)), 0.0
    )
    edge = x * np.cos(angle) + y * np.sin(angle) > rng.uniform(5, half, (n, 1, 1))
    centre_y, centre_x = rng.uniform(-half, half, (2, n, 1, 1))
    block = np.maximum(np.abs(y - centre_y), np.abs(x - centre_x)) < rng.uniform(5, 8, (n, 1, 1))
    tall, wide = rng.uniform(8, 25, (n, 1, 1)), rng.uniform(3, 9, (n, 1, 1))
    core = np.abs(x - centre_x) + 0.3 * np.maximum(np.abs(y - centre_y) - tall / 2, 0) * 3 < wide
    core &= np.abs(y - centre_y) < tall
    hole = np.where(kind == 1, edge, np.where(kind == 2, block, np.where(kind == 3, core, False)))
    hole &= np.maximum(np.abs(y), np.abs(x)) > 3
    return np.asarray(hole)
