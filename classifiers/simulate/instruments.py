"""Instruments of the surveys: scale, size of a cutout, zero point, gain, noise, saturation and seeing."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from classifiers.records import ClassifierError


@dataclass(frozen=True, slots=True)
class Instrument:
    """Camera and cutouts of a survey. "Unit" is the unit of its pixels: counts, or nJy where the pipeline calibrates them.

    Attributes
    ----------
    size : int
        Side of a cutout in pixels.
    scale : float
        Arcsec per pixel.
    zero_point : tuple of float
        Median and standard deviation of the AB magnitude of one unit.
    gain : float
        Electrons per unit.
    noise : tuple of float
        Median of the noise of one science pixel in units, beyond the photons of the ``background``, and the standard deviation of its
        natural logarithm.
    template_noise : float
        Noise of the template's pixels over the science image's, median.
    seeing : tuple of float
        Median FWHM in arcsec, and the standard deviation of its natural logarithm.
    template_seeing : float
        Median FWHM of the template in arcsec.
    background : tuple of float
        Median level of the sky in science and template, in units, and the standard deviation of its logarithm; 0 if subtracted.
    saturation : float
        Level in units at which a pixel saturates.
    registration : float
        Standard deviation per axis, in pixels, of the misregistration between science image and template.
    fainter : float
        Magnitudes by which its alerts are fainter than ZTF's: the difference of the limits.
    flips : bool
        Whether the difference cutout of a source that has faded is template minus science, so that the source is positive in it.
    """

    size: int
    scale: float
    zero_point: tuple[float, float]
    gain: float
    noise: tuple[float, float]
    template_noise: float
    seeing: tuple[float, float]
    template_seeing: float
    background: tuple[float, float]
    saturation: float
    registration: float
    fainter: float = 0.0
    flips: bool = False


#: Survey -> its instrument.
INSTRUMENTS = MappingProxyType(
    {
        # scale: Bellm et al. 2019 (PASP 131, 018002); gain: Masci et al. 2019 (PASP 131, 018003; 6.2 e-/DN, registration
        # better than 0.1 px); zero point, noise, background, seeing (at best 2.0") and the template's: medians and scatter measured on 700
        # real ZTF cutouts, of which all with isdiffpos 'f' are flipped (none of ATLAS and Rubin is)
        "ztf": Instrument(
            size=63, scale=1.01, zero_point=(26.2, 0.1), gain=6.2, noise=(2.7, 0.3), template_noise=0.22, seeing=(2.3, 0.2),
            template_seeing=2.1, background=(140.0, 0.5), saturation=50000.0, registration=0.06, flips=True,
        ),
        # scale: Tonry et al. 2018 (PASP 130, 064505); the rest measured on 20 real ATLAS packets: noise^2 = sky (325 when dark), width
        # 2.7 px, zero points 25 to 26; template noise is our guess, since no template is sent
        "atlas": Instrument(
            size=61, scale=1.86, zero_point=(25.6, 0.3), gain=1.0, noise=(6.0, 0.3), template_noise=0.25, seeing=(5.0, 0.12),
            template_seeing=4.8, background=(330.0, 0.4), saturation=40000.0, registration=0.08, fainter=-1.7,
        ),
        # 0.2" pixels in calibrated nJy, median seeing 0.8" (Ivezic et al. 2019, ApJ 873, 111), worse so far; 1.8 e-/nJy from the 30 s zero
        # point of SMTN-002 (r); noise of science image and template measured on 70 real packets; full at 150,000 e-
        "lsst": Instrument(
            size=51, scale=0.2, zero_point=(31.4, 0.0), gain=1.8, noise=(46.0, 0.25), template_noise=0.22, seeing=(1.0, 0.2),
            template_seeing=0.9, background=(0.0, 0.0), saturation=80000.0, registration=0.1, fainter=2.5,
        ),
    }
)  # fmt: skip


def instrument(survey: str) -> Instrument:
    """Instrument of a survey; ``ClassifierError`` for an unknown survey."""
    try:
        return INSTRUMENTS[survey]
    except KeyError as error:
        raise ClassifierError(f"no stamps can be simulated for {survey!r}: known are {', '.join(INSTRUMENTS)}") from error
