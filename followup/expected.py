"""Brightness of n candidates that an instrument will see tonight: by the outlook of a likely supernova, else along its trend."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from followup.batch import Batch
from followup.coming import middle
from followup.records import Night

Floats = NDArray[np.float64]

#: Pareto k above which an outlook is not reliable.
DOUBTFUL = 0.7
#: Probability of a supernova from which its outlook is believed; outlooks are of supernovae alone.
LIKELY = 0.5
#: Probability of a supernova of what nobody has classified.
UNKNOWN = 0.25


@dataclass(frozen=True, eq=False)
class Expected:
    """AB magnitudes of n candidates in the middle of what is left of the night.

    Attributes
    ----------
    magnitude : ndarray, shape (n,)
        NaN where it is not known.
    bright, faint : ndarray, shape (n,)
        Limits of 68 %; NaN where the trend answers.
    family : sequence of str, length n
        ``g`` or ``r`` where an outlook answers, else ''.
    """

    magnitude: Floats
    bright: Floats
    faint: Floats
    family: NDArray[np.str_]

    def __getitem__(self, i: int) -> str:
        """Words for candidate i where an outlook answers."""
        return f"{self.family[i]} = {self.magnitude[i]:.1f} ({self.bright[i]:.1f} to {self.faint[i]:.1f}) forecast tonight"


def expected(batch: Batch, night: Night) -> Expected:
    """Brightness tonight, worked out once for a site."""
    return batch.once(("expected", night.now, middle(night)), lambda: _expected(batch, night))


def supernovae(batch: Batch, unknown: float = UNKNOWN) -> Floats:
    """Probability of a supernova, shape (n,)."""
    return batch.once(("supernova", unknown), lambda: batch.opinions.supernova(unknown))


def believed(batch: Batch) -> NDArray[np.bool_]:
    """Which of the outlooks (`Batch.has_outlook`) say something: reliable ones of likely supernovae, shape (k,)."""
    outlooks = batch.outlooks
    with np.errstate(invalid="ignore"):
        sound = ~outlooks.fallback & ~(outlooks.doubt > DOUBTFUL)
    return np.asarray(sound & (supernovae(batch)[batch.has_outlook] >= LIKELY))


def _expected(batch: Batch, night: Night) -> Expected:
    n, has = len(batch), batch.has_outlook
    magnitude = batch.at(night.now).number("now").copy()
    bright, faint, family = np.full(n, np.nan), np.full(n, np.nan), np.full(n, "", "U1")
    if len(has):
        sound = believed(batch)
        for name in ("g", "r"):  # r where both are known
            low, mid, high = np.moveaxis(batch.outlooks.at([middle(night)], name)[:, :, 0], 1, 0)
            use = sound & np.isfinite(mid)
            where = has[use]
            magnitude[where], bright[where], faint[where], family[where] = mid[use], low[use], high[use], name
    return Expected(magnitude, bright, faint, family)
