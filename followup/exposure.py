"""Exposure times: the CCD equation (Howell 1989, PASP 101, 616; Merline & Howell 1995), solved for time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType

#: Filter -> (central wavelength, width) in nm and dark sky at the zenith in AB mag/arcsec^2. Bands of SDSS (Fukugita et al. 1996, AJ 111,
#: 1748), PanSTARRS z_s (Tonry et al. 2012, ApJ 750, 99), Bessell (1990, PASP 102, 1181); skies of dark sites (Patat 2003, A&A 400, 1183).
FILTERS = MappingProxyType(
    {
        "u": (355.0, 57.0, 22.4),
        "B": (440.0, 90.0, 22.5),
        "g": (477.0, 138.0, 22.1),
        "V": (545.0, 85.0, 21.7),
        "r": (623.0, 138.0, 21.0),
        "R": (641.0, 150.0, 20.9),
        "i": (763.0, 153.0, 20.0),
        "I": (798.0, 150.0, 19.9),
        "z": (870.0, 104.0, 19.0),
    }
)

#: Photons of an AB = 0 source per second, square metre and unit of ln(wavelength): 3631 Jy / h.
_PHOTONS = 3631e-26 / 6.62607015e-34

#: Exposure times in seconds that observers use: times are rounded up to these, and longer ones are split.
STEPS = (5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 240.0, 300.0)


@dataclass(frozen=True, slots=True)
class Instrument:
    """Properties of a camera or spectrograph that determine exposure times.

    Attributes
    ----------
    diameter : float
        Metres, of an unobstructed mirror of the same area.
    throughput : float
        Atmosphere, telescope, filter and detector together.
    pixel : float
        Arcseconds.
    read_noise : float
        Electrons.
    overhead, setup : float
        Seconds between exposures; seconds per request (slew, acquisition, filter).
    seeing : float
        Arcseconds, full width at half maximum.
    filters : mapping of the facility's filter name to a name in `FILTERS`
    resolution : float
        Resolving power of a spectrograph, for which the signal to noise is that of one resolution element; 0 for a camera.
    default_filters : tuple of str
        Filters of requests for which none are named.
    hour_angle : float
        Hours from the meridian, on both sides, within which the telescope points; 12 where it has no such limit.
    horizon : float
        Degrees of altitude below which it does not point.
    """

    diameter: float
    throughput: float
    pixel: float
    read_noise: float
    overhead: float
    setup: float
    seeing: float
    filters: MappingProxyType[str, str]
    resolution: float = 0.0
    default_filters: tuple[str, ...] = ()
    hour_angle: float = 12.0
    horizon: float = 0.0


def seconds(instrument: Instrument, filter: str, magnitude: float, snr: float, sky_excess: float = 1.0) -> float:
    """Exposure time in seconds for a point source to reach ``snr`` at an AB magnitude, in an aperture of 1.5 seeing in diameter.

    ``sky_excess`` is the factor by which moonlight brightens the sky. S/N = S t / sqrt(S t + n_pix (B t + R^2)) is quadratic in t.
    """
    signal, background, read_variance = _rates(instrument, filter, magnitude, sky_excess)
    b = -(snr**2) * (signal + background)
    c = -(snr**2) * read_variance
    return float((-b + math.sqrt(b * b - 4.0 * signal**2 * c)) / (2.0 * signal**2))


def reached(instrument: Instrument, filter: str, magnitude: float, seconds: float, count: int = 1, sky_excess: float = 1.0) -> float:
    """Signal to noise that ``count`` exposures of ``seconds`` reach together: what `seconds` is solved for, each read on its own."""
    signal, background, read_variance = _rates(instrument, filter, magnitude, sky_excess)
    total = seconds * count
    noise = math.sqrt((signal + background) * total + read_variance * count)
    return signal * total / noise if noise > 0.0 else 0.0


def _rates(instrument: Instrument, filter: str, magnitude: float, sky_excess: float) -> tuple[float, float, float]:
    """Electrons per second of the source and of the sky in the aperture, and the variance of reading it once."""
    wavelength, width, sky_magnitude = FILTERS[instrument.filters[filter]]
    span = 1.0 / instrument.resolution if instrument.resolution else width / wavelength
    zero = _PHOTONS * span * math.pi * instrument.diameter**2 / 4.0 * instrument.throughput
    n_pix = math.pi * (0.75 * instrument.seeing / instrument.pixel) ** 2
    signal = zero * 10.0 ** (-0.4 * magnitude)
    sky = zero * 10.0 ** (-0.4 * sky_magnitude) * instrument.pixel**2 * sky_excess
    return signal, n_pix * sky, n_pix * instrument.read_noise**2


def split(total: float, longest: float = STEPS[-1]) -> tuple[float, int]:
    """(seconds, count): the total in as few exposures of at most ``longest`` as possible, each rounded up to one of `STEPS`."""
    count = max(1, math.ceil(total / longest))
    each = total / count
    return next((step for step in STEPS if step >= each and step <= longest), longest), count
