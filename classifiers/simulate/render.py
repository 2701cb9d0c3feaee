"""Rendering of a scene as science, template and difference image: optics and noise, no classes.

The template contains the constant sources, the science image also the change, each with its own PSF, sky and noise; the difference is
computed from the two as in the survey (``_subtract``), so that its noise, rings and dipoles follow from them.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from broker_adapters.photometry import NJY_ZERO_POINT
from classifiers.simulate._galaxies import Galaxies, galaxies
from classifiers.simulate._psf import Images, Psf, stars
from classifiers.simulate._subtract import subtract
from classifiers.simulate.instruments import Instrument

Floats = NDArray[np.float64]

#: Least number of pixels simulated beyond each cutout, since the subtraction is periodic.
MARGIN = 9
# Effects of pipelines on the noise, all measured on empty sky of real ZTF cutouts (correlations with neighbours, by exposure).
#: Resampling of the exposures of a template: share of the next pixel along columns and rows, their scatter, and share of the
#: second next. Gives correlations of 0.21 and 0.18 at one pixel, and -0.10 at two.
RESAMPLING = (0.113, 0.095, 0.015, -0.055)
#: Crosstalk from the neighbouring pixel of a row: correlations of -0.04 +- 0.035.
CROSSTALK = (-0.04, 0.035)
#: Median of the offsets of columns over the noise of a pixel, and the standard deviation of its logarithm.
STRIPES = (0.05, 0.9)
#: Share of exposures that are noisier than their sky, and range of the factor.
NOISY = (0.28, 1.3, 2.8)
#: Sub-pixel shift of the science image before subtraction, pixels per axis: its noise has correlations in the difference of
#: 0.5 to 0.97, oscillating from pixel to pixel as a sinc does.
SHIFT = 0.1
#: Share of images of the newer processing. They have 0.06 of the second next pixel along columns; their differences 0.045 of the next along
#: columns and -0.025 of the second next along both, with this scatter.
NEWER, LAGGED, MIXED, MIXED_SCATTER = 0.5, 0.06, (0.045, -0.025), 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """k point sources in each of n fields: fluxes in nJy (0 = none), positions in pixels from the centre of the cutout; all (n, k)."""

    flux: Floats
    y: Floats
    x: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """Sky at n positions.

    Attributes
    ----------
    change : Points
        Signed change, science minus template. A trail is several points.
    constant : Points
        Stars that are in both images, among them the mean light of a variable source.
    hosts : Galaxies
        Galaxies; positions in pixels from the centre of the cutout.
    """

    change: Points
    constant: Points
    hosts: Galaxies


@dataclass(frozen=True, slots=True, eq=False)
class Conditions:
    """Observing conditions of n exposures; every array is (n,), in pixels and units of the instrument.

    ``psf_error`` and ``gain_error`` are relative errors of the pipeline in the science PSF's width and flux scale,
    ``shift_y`` and ``shift_x`` the misregistration of the template.
    """

    seeing: Floats
    elongation: Floats
    template_seeing: Floats
    zero_point: Floats
    noise: Floats
    template_noise: Floats
    background: Floats
    psf_error: Floats
    gain_error: Floats
    shift_y: Floats
    shift_x: Floats

    def replace(self, **changes: Floats) -> Conditions:
        """Conditions with some arrays replaced."""
        return replace(self, **changes)

    def take(self, rows: NDArray[np.intp]) -> Conditions:
        """Conditions of some exposures."""
        return Conditions(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


def grid_size(size: int) -> int:
    """Side of the simulated grid for a cutout of ``size`` pixels: with the margin, and fast to transform."""
    return int(fft.next_fast_len(size + 2 * (MARGIN // 2) + 1, real=True))


def ordinary(camera: Instrument, n: int, rng: np.random.Generator) -> Conditions:
    """Draw the conditions of n ordinary exposures."""
    background = camera.background[0] * np.exp(camera.background[1] * rng.standard_normal(n))
    noise = np.hypot(camera.noise[0] * np.exp(camera.noise[1] * rng.standard_normal(n)), np.sqrt(background / camera.gain))
    noise *= np.where(rng.uniform(size=n) < NOISY[0], rng.uniform(*NOISY[1:], n), 1.0)
    seeing = camera.seeing[0] / camera.scale * np.exp(camera.seeing[1] * rng.standard_normal(n))
    return Conditions(
        seeing=np.maximum(seeing, 1.5),
        elongation=np.exp(rng.normal(0.0, 0.06, n)),
        template_seeing=np.maximum(camera.template_seeing / camera.scale * np.exp(rng.normal(0.0, 0.1, n)), 1.5),
        zero_point=rng.normal(*camera.zero_point, n),
        noise=noise,
        template_noise=noise * camera.template_noise * np.exp(rng.normal(0.0, 0.25, n)),
        background=background,
        psf_error=rng.normal(0.0, 0.008, n),
        gain_error=rng.normal(0.0, 0.006, n),
        shift_y=rng.normal(0.0, camera.registration, n),
        shift_x=rng.normal(0.0, camera.registration, n),
    )


def render(
    scene: Scene, how: Conditions, camera: Instrument, rng: np.random.Generator, extra: Images | None = None, size: int | None = None
) -> Images:
    """Render cutouts (n, 3, size, size), float32: science, template and difference (science minus template) in the instrument's units.

    ``extra`` is light, in units, from the science detector alone (cosmic rays, streaks, ghosts), before saturation and noise, of
    shape (n, s, s) with s = ``grid_size(size)``. ``size`` is the side of the cutouts, the survey's own by default.
    """
    size = size or camera.size
    side = grid_size(size)
    new, reference = Psf(how.seeing, how.elongation), Psf(how.template_seeing, np.ones_like(how.seeing))
    nothing = np.zeros_like(how.seeing)
    science = _light(scene, new, how, (nothing, nothing), side)
    science += stars(new, *_placed(scene.change, how, (nothing, nothing), side), side)
    if extra is not None:
        science += extra
    template = _light(scene, reference, how, (how.shift_y, how.shift_x), side)
    newer = rng.uniform(size=len(how.seeing)) < NEWER
    science = _exposed(science, how.noise, how.background, camera, rng, newer)
    template = _exposed(template, how.template_noise, how.background, camera, rng, depth=(how.noise / how.template_noise) ** 2)
    believed = Psf(how.seeing * (1 + how.psf_error), how.elongation)
    scale = _each(1 + how.gain_error)
    shift = rng.normal(0.0, SHIFT, (2, len(newer)))
    difference = subtract(science, template * scale, (believed, reference), (how.noise, how.template_noise), shift)
    difference = _filtered(difference, newer, rng)
    background = _each(how.background)
    low = (side - 1) // 2 - (size - 1) // 2
    stack = np.stack([science + background, template + background, difference], axis=1)
    return np.ascontiguousarray(stack[:, :, low : low + size, low : low + size])


def _placed(points: Points, how: Conditions, shift: tuple[Floats, Floats], side: int) -> tuple[Floats, Floats, Floats]:
    """Flux in units and position on the grid of sources given in nJy from the centre."""
    unit = 10.0 ** (0.4 * (how.zero_point - NJY_ZERO_POINT))
    centre = (side - 1) // 2
    return points.flux * unit[:, None], points.y + centre + shift[0][:, None], points.x + centre + shift[1][:, None]


def _light(scene: Scene, psf: Psf, how: Conditions, shift: tuple[Floats, Floats], side: int) -> Images:
    """Constant stars and galaxies in units, without noise."""
    image = stars(psf, *_placed(scene.constant, how, shift, side), side)
    if scene.hosts.flux.any():
        hosts = scene.hosts
        flux, y, x = _placed(Points(hosts.flux, hosts.y, hosts.x), how, shift, side)
        image += galaxies(psf, Galaxies(flux, y, x, hosts.radius, hosts.axis_ratio, hosts.angle, hosts.index), side)
    return image


def _exposed(
    light: Images,
    noise: Floats,
    background: Floats,
    camera: Instrument,
    rng: np.random.Generator,
    newer: NDArray[np.bool_] | None = None,
    depth: Floats | float = 1.0,
) -> Images:
    """Counts of a detector without the sky: saturated, with the noise of sky and photons.

    ``newer`` tells whether each science image has the newer processing; it is None for a template, of ``depth`` co-added exposures.
    """
    seen = np.minimum(light, np.float32(camera.saturation) - _each(background))
    photon = _each(np.broadcast_to(1.0 / (camera.gain * np.asarray(depth)), noise.shape))
    grain = np.asarray(rng.standard_normal(light.shape, np.float32))
    grain = _resampled(grain, rng) if newer is None else _striped(grain, newer, rng)
    seen += grain * np.sqrt(_each(noise) ** 2 + photon * np.maximum(seen, 0))
    return seen


def _striped(grain: Images, newer: NDArray[np.bool_], rng: np.random.Generator) -> Images:
    """White noise with columns and rows from the read-out."""
    n, _, side = grain.shape
    level = STRIPES[0] * np.exp(STRIPES[1] * rng.standard_normal(n))
    mixed = grain + _each(rng.normal(*CROSSTALK, n)) * np.roll(grain, 1, axis=2) + _each(newer * LAGGED) * np.roll(grain, 2, axis=1)
    return np.asarray(mixed + _each(level) * rng.standard_normal((n, 1, side), np.float32))


def _filtered(difference: Images, newer: NDArray[np.bool_], rng: np.random.Generator) -> Images:
    """Differences of the newer processing, with slightly mixed neighbours and the same flux."""
    near, far = (np.where(newer, rng.normal(share, MIXED_SCATTER, len(newer)), 0.0) for share in MIXED)
    return np.asarray(
        _mixed(_mixed(difference, near, far, 1), np.zeros_like(near), far, 2) / _each((1 + 2 * near + 2 * far) * (1 + 2 * far))
    )


def _resampled(grain: Images, rng: np.random.Generator) -> Images:
    """White noise with correlated neighbours and the same variance."""
    *shares, scatter, second = RESAMPLING
    for axis, share in zip((1, 2), shares, strict=True):
        near = rng.normal(share, scatter, len(grain))
        grain = _mixed(grain, near, np.full_like(near, second), axis) / _each(np.sqrt(1 + 2 * near**2 + 2 * second**2))
    return grain


def _mixed(image: Images, near: Floats, far: Floats, axis: int) -> Images:
    """Images with shares (n,) of the next and second next pixels on both sides along an axis added."""
    total = image.copy()
    for step, share in ((1, near), (2, far)):
        if share.any():
            total += _each(share) * (np.roll(image, step, axis) + np.roll(image, -step, axis))
    return total


def _each(values: Floats) -> Images:
    """Reshape one number per image to multiply images with."""
    return np.asarray(values, np.float32)[:, None, None]
