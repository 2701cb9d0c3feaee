"""What the cameras do to the sky: scale, size of a cutout, zero point, gain, noise, saturation and seeing of each survey."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from classifiers.records import ClassifierError


@dataclass(frozen=True, slots=True)
class Instrument:
    """A camera and what its pipeline cuts out. "Unit" is the unit of its pixels: counts, or nJy where the pipeline calibrates them.

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
        Level in units at which a pixel is full.
    registration : float
        Standard deviation per axis, in pixels, of the misregistration between science image and template.
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


#: Survey -> its instrument.
INSTRUMENTS = MappingProxyType(
    {
        # scale: Bellm et al. 2019 (PASP 131, 018002); gain: Masci et al. 2019 (PASP 131, 018003; 6.2 e-/DN, registration
        # better than 0.1 px); zero point, noise, background, seeing (at best 2.0") and the template's: medians and scatter measured on 700
        # real ZTF cutouts
        "ztf": Instrument(
            size=63, scale=1.01, zero_point=(26.2, 0.1), gain=6.2, noise=(2.7, 0.3), template_noise=0.22, seeing=(2.3, 0.2),
            template_seeing=2.1, background=(140.0, 0.5), saturation=50000.0, registration=0.06,
        ),
        # Tonry et al. 2018 (PASP 130, 064505): 1.86" pixels, 30 s to 5 sigma = 19.5, FWHM about 2 px; gain about 2 e-/DN; sky subtracted
        "atlas": Instrument(
            size=61, scale=1.86, zero_point=(22.5, 0.2), gain=2.0, noise=(1.7, 0.3), template_noise=0.2, seeing=(4.1, 0.15),
            template_seeing=3.9, background=(0.0, 0.0), saturation=25000.0, registration=0.08,
        ),
        # 0.2" pixels in calibrated nJy, median seeing 0.8" (Ivezic et al. 2019, ApJ 873, 111); 1.8 e-/nJy from the 30 s zero point of
        # SMTN-002 (r); noise from a 5 sigma depth of 24.0 (r, one visit of 30 s less the losses of subtraction); full at 150,000 e-
        "lsst": Instrument(
            size=51, scale=0.2, zero_point=(31.4, 0.0), gain=1.8, noise=(28.0, 0.25), template_noise=0.45, seeing=(0.9, 0.2),
            template_seeing=0.85, background=(0.0, 0.0), saturation=80000.0, registration=0.1,
        ),
    }
)  # fmt: skip


def instrument(survey: str) -> Instrument:
    """The instrument of a survey; ``ClassifierError`` for a survey that has none."""
    try:
        return INSTRUMENTS[survey]
    except KeyError as error:
        raise ClassifierError(f"no stamps can be simulated for {survey!r}: known are {', '.join(INSTRUMENTS)}") from error
