"""From what is on the sky to science, template and difference image: physics and noise, no classes.

The template holds what is constant, the science image that plus the source, each with its own PSF, sky and noise; the difference is
computed from the two as the survey would (``_subtract``), so that its noise, rings and dipoles are consequences and not drawings.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import correlate1d

from broker_adapters.photometry import NJY_ZERO_POINT

from ._galaxies import Galaxies, galaxies
from ._psf import Images, Psf, stars
from ._subtract import subtract
from .instruments import Instrument

Floats = NDArray[np.float64]

#: Pixels simulated beyond each cutout, at least: the subtraction is periodic, and its wrap falls there.
MARGIN = 9
#: Taps of the resampling that makes templates' noise neighbourly: gives correlations of 0.20 at one pixel and -0.10 at two, as measured on
#: empty sky of real ZTF templates (quartiles 0.17..0.24 and -0.11..-0.03).
RESAMPLING = np.array([-0.058, 0.112, 1.0, 0.112, -0.058])
#: Share of exposures that are noisier than their sky, and by which factors (measured on real ZTF cutouts of old and new processing).
NOISY = (0.22, 1.4, 2.6)
#: Median of the offsets of columns over the noise of a pixel, and the standard deviation of its logarithm; mean and scatter of the
#: charge that a pixel takes from its neighbour along a row: both measured on empty sky of real ZTF science images.
STRIPES = (0.05, 0.9)
CROSSTALK = (-0.04, 0.035)
#: What real differences have been through beyond the formula: means and standard deviations of the share of the next pixel along columns
#: and of the second next along rows (measured on empty sky: correlations of 0.07 and -0.06, absent from a third of the images).
SMOOTHING, SHARPENING = (0.03, 0.03), (-0.025, 0.02)


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """k point sources in each of n fields: fluxes in nJy (0 = none), positions in pixels from the centre of the cutout; all (n, k)."""

    flux: Floats
    y: Floats
    x: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What is on the sky at n places.

    Attributes
    ----------
    change : Points
        What the science image has and the template has not, signed: science minus template. A trail is several points.
    constant : Points
        Stars that are the same in both, among them the mean light of a variable source.
    hosts : Galaxies
        Galaxies; positions in pixels from the centre of the cutout.
    """

    change: Points
    constant: Points
    hosts: Galaxies


@dataclass(frozen=True, slots=True, eq=False)
class Conditions:
    """How n exposures were taken; every array is (n,), in pixels and units of the instrument.

    ``psf_error`` and ``gain_error`` are relative errors of the pipeline's belief about the science PSF's width and flux scale,
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
        """The same with other arrays in some places."""
        return replace(self, **changes)

    def take(self, rows: NDArray[np.intp]) -> Conditions:
        """Those of some exposures."""
        return Conditions(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


def grid_size(size: int) -> int:
    """Side of the simulated grid for a cutout of ``size`` pixels: with the margin, and fast to transform."""
    return int(fft.next_fast_len(size + 2 * (MARGIN // 2) + 1, real=True))


def ordinary(camera: Instrument, n: int, rng: np.random.Generator) -> Conditions:
    """Conditions of n ordinary exposures."""
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
        psf_error=rng.normal(0.0, 0.012, n),
        gain_error=rng.normal(0.0, 0.01, n),
        shift_y=rng.normal(0.0, camera.registration, n),
        shift_x=rng.normal(0.0, camera.registration, n),
    )


def render(
    scene: Scene, how: Conditions, camera: Instrument, rng: np.random.Generator, extra: Images | None = None, size: int | None = None
) -> Images:
    """Cutouts (n, 3, size, size), float32, of science image, template and difference (science minus template) in the instrument's units.

    ``extra`` is light in units that only the science image's detector saw (cosmic rays, streaks, ghosts), before saturation and noise, of
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
    science = _exposed(science, how.noise, how.background, camera, rng)
    template = _exposed(template, how.template_noise, how.background, camera, rng, depth=(how.noise / how.template_noise) ** 2)
    believed = Psf(how.seeing * (1 + how.psf_error), how.elongation)
    scale = (1 + how.gain_error)[:, None, None].astype(np.float32)
    difference = _filtered(subtract(science, template * scale, (believed, reference), (how.noise, how.template_noise)), rng)
    background = how.background[:, None, None].astype(np.float32)
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
    light: Images, noise: Floats, background: Floats, camera: Instrument, rng: np.random.Generator, depth: Floats | None = None
) -> Images:
    """Light as a detector counts it, without the sky: saturated, with the noise of sky and photons; ``depth`` exposures co-added."""
    full = np.float32(camera.saturation) - background[:, None, None].astype(np.float32)
    seen = np.minimum(light, full)
    electrons = camera.gain * (1.0 if depth is None else depth)
    photon = np.broadcast_to(np.asarray(1.0 / electrons, np.float32), noise.shape)[:, None, None]
    variance = noise[:, None, None].astype(np.float32) ** 2 + photon * np.maximum(seen, 0)
    grain = np.asarray(rng.standard_normal(light.shape, np.float32))
    grain = _striped(grain, rng) if depth is None else _resampled(grain)
    seen += grain * np.sqrt(variance)
    return seen


def _striped(grain: Images, rng: np.random.Generator) -> Images:
    """White noise with the read-out's columns and rows in it."""
    n, _, side = grain.shape
    taken = rng.normal(*CROSSTALK, (n, 1, 1)).astype(np.float32)
    level = (STRIPES[0] * np.exp(STRIPES[1] * rng.standard_normal((n, 1, 1)))).astype(np.float32)
    return grain + taken * np.roll(grain, 1, axis=2) + level * rng.standard_normal((n, 1, side), np.float32)


def _filtered(difference: Images, rng: np.random.Generator) -> Images:
    """The same with neighbours mixed a little; the flux is kept."""
    n = len(difference)
    along_y = np.maximum(rng.normal(*SMOOTHING, (n, 1, 1)), 0.0).astype(np.float32)
    along_x = np.minimum(rng.normal(*SHARPENING, (n, 1, 1)), 0.0).astype(np.float32)
    mixed = difference + along_y * (np.roll(difference, 1, axis=1) + np.roll(difference, -1, axis=1))
    mixed += along_x * (np.roll(difference, 2, axis=2) + np.roll(difference, -2, axis=2))
    return np.asarray(mixed / (1 + 2 * along_y + 2 * along_x))


def _resampled(grain: Images) -> Images:
    """White noise made neighbourly, its variance kept."""
    kernel = RESAMPLING / np.sqrt((RESAMPLING**2).sum())
    for axis in (1, 2):
        grain = correlate1d(grain, kernel, axis=axis, mode="wrap")
    return grain
