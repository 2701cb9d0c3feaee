"""Brightness of n candidates that an instrument will see tonight: by the outlook of a likely supernova, else along its trend."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.posterior.records import DOUBTFUL
from followup.batch import Batch
from followup.coming import middle
from followup.exposure import FILTERS, Instrument, seconds, split
from followup.records import Exposure, Night

Floats = NDArray[np.float64]

#: Families of bands of an outlook, and the wavelength (nm) from which the second is the nearer.
FAMILIES, _RED = ("g", "r"), 550.0
#: Probability of a supernova from which its outlook is believed; outlooks are of supernovae alone.
LIKELY = 0.5
#: Probability of a supernova of what nobody has classified.
UNKNOWN = 0.25


@dataclass(frozen=True, eq=False)
class Expected:
    """AB magnitudes of n candidates at a time, such as the middle of what is left of the night.

    Attributes
    ----------
    magnitude : ndarray, shape (n,)
        NaN where it is not known.
    bright, faint : ndarray, shape (n,)
        Limits of 68 %; NaN where the trend answers.
    family : sequence of str, length n
        ``g`` or ``r`` where an outlook answers, else ''.
    by_family : ndarray, shape (n, 2)
        Magnitude in each of `FAMILIES`; NaN where no outlook answers in it.
    """

    magnitude: Floats
    bright: Floats
    faint: Floats
    family: NDArray[np.str_]
    by_family: Floats

    def __getitem__(self, i: int) -> str:
        """Words for candidate i where an outlook answers."""
        return f"{self.family[i]} = {self.magnitude[i]:.1f} ({self.bright[i]:.1f} to {self.faint[i]:.1f}) forecast tonight"

    def near(self, i: int, wavelength: float) -> float:
        """Magnitude of candidate i at a wavelength (nm): of the nearer family where its outlook has it, else the one that is known."""
        own = float(self.by_family[i, int(wavelength >= _RED)])
        return own if math.isfinite(own) else float(self.magnitude[i])

    def exposures(self, i: int, camera: Instrument, filters: Sequence[str], snr: float, sky_excess: float) -> tuple[Exposure, ...]:
        """Exposures that reach ``snr`` on candidate i in each filter (`followup.exposure`); none where its brightness is not known."""
        if not (math.isfinite(self.magnitude[i]) and math.isfinite(sky_excess)):
            return ()
        wavelengths = {f: FILTERS[camera.filters[f]][0] for f in filters}
        return tuple(Exposure(f, *split(seconds(camera, f, self.near(i, at), snr, sky_excess))) for f, at in wavelengths.items())


def expected(batch: Batch, night: Night) -> Expected:
    """Brightness tonight, worked out once for a site."""
    return forecast(batch, night.now, middle(night))


def forecast(batch: Batch, now: float, at: float) -> Expected:
    """Brightness at a time, by what is known now (both MJD, UTC); worked out once."""
    return batch.once(("expected", now, at), lambda: _expected(batch, now, at))


def supernovae(batch: Batch, unknown: float = UNKNOWN) -> Floats:
    """Probability of a supernova, shape (n,)."""
    return batch.once(("supernova", unknown), lambda: batch.opinions.supernova(unknown))


def believed(batch: Batch) -> NDArray[np.bool_]:
    """Which of the outlooks (`Batch.has_outlook`) say something: reliable ones of likely supernovae, shape (k,)."""
    outlooks = batch.outlooks
    with np.errstate(invalid="ignore"):
        sound = ~outlooks.fallback & ~(outlooks.doubt > DOUBTFUL)
    return np.asarray(sound & (supernovae(batch)[batch.has_outlook] >= LIKELY))


def _expected(batch: Batch, now: float, at: float) -> Expected:
    n, has = len(batch), batch.has_outlook
    by_family = np.full((n, len(FAMILIES)), np.nan)
    magnitude = batch.at(now).number("now").copy()
    bright, faint, family = np.full(n, np.nan), np.full(n, np.nan), np.full(n, "", "U1")
    if len(has):
        sound = believed(batch)
        for j, name in enumerate(FAMILIES):  # r where both are known
            low, mid, high = np.moveaxis(batch.outlooks.at([at], name)[:, :, 0], 1, 0)
            use = sound & np.isfinite(mid)
            where = has[use]
            by_family[where, j] = mid[use]
            magnitude[where], bright[where], faint[where], family[where] = mid[use], low[use], high[use], name
    return Expected(magnitude, bright, faint, family, by_family)
