"""Cycles of periodic stars: period, amplitude, and when the next minimum is, to within what."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Cycle:
    """The cycle of one light curve.

    Attributes
    ----------
    period, period_err : float
        Days.
    amplitude : float
        Magnitudes from the least to the most light.
    minimum, minimum_err : float
        MJD, UTC, of one minimum of light; days.
    """

    period: float
    period_err: float
    amplitude: float
    minimum: float
    minimum_err: float

    @classmethod
    def of(cls, given: Mapping[str, Any] | None) -> Cycle | None:
        """The cycle in the details of a classification; None where there is none, or one that cannot be."""
        try:
            made = cls(**{name: float((given or {})[name]) for name in cls.__slots__})
        except (KeyError, TypeError, ValueError):
            return None
        finite = all(math.isfinite(getattr(made, name)) for name in cls.__slots__)
        return made if finite and made.period > 0.0 and min(made.period_err, made.minimum_err, made.amplitude) >= 0.0 else None

    def minima(self, start: float, end: float) -> list[tuple[float, float]]:
        """MJD and error (days) of every minimum from one moment to another (MJD, UTC)."""
        first = math.ceil((start - self.minimum) / self.period)
        last = math.floor((end - self.minimum) / self.period)
        return [self._minimum(n) for n in range(first, last + 1)]

    def next(self, after: float) -> tuple[float, float]:
        """MJD and error (days) of the first minimum after a moment (MJD, UTC)."""
        return self._minimum(math.ceil((after - self.minimum) / self.period))

    def _minimum(self, n: int) -> tuple[float, float]:
        return self.minimum + n * self.period, math.hypot(self.minimum_err, n * self.period_err)
