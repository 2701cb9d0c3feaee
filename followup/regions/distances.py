"""What a map says of the distance of an event at a place, and how well the distance of a galaxy there agrees.

The distance r has the density norm N(r; mu, sigma) r^2 for r > 0 (Singer et al. 2016, ApJL 829, L15, eq. 1).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Distances:
    """The distance of an event at n places: ``mu`` and ``sigma`` in Mpc, ``norm`` in Mpc^-2, shape (n,), NaN where it is not known."""

    mu: Floats
    sigma: Floats
    norm: Floats

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        for one in fields(self):
            value = np.asarray(getattr(self, one.name), float).view()
            value.setflags(write=False)
            object.__setattr__(self, one.name, value)

    def __len__(self) -> int:
        """Return the number of places."""
        return len(self.mu)

    @classmethod
    def unknown(cls, n: int) -> Distances:
        """Nothing is known at n places."""
        return cls(*(np.full(n, np.nan) for _ in range(3)))

    @classmethod
    def of_moments(cls, mean: ArrayLike, error: ArrayLike) -> Distances:
        """The distances with these means and standard deviations (Mpc), shape (n,), the other way round than `moments`.

        Newton's way would need derivatives: each step moves mu by what the mean lacks, and stretches sigma by what the error lacks. NaN
        where that comes to no end, as where the error is not well below the mean: a distance of 0 has no density.
        """
        mean, error = np.asarray(mean, float), np.asarray(error, float)
        mu, sigma = mean.copy(), error.copy()
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            for _ in range(60):
                m = _moments(mu, sigma, 4)
                middle = m[3] / m[2]
                width = np.sqrt(np.maximum(m[4] / m[2] - middle**2, 0.0))
                mu, sigma = mu + (mean - middle), sigma * np.clip(error / width, 0.5, 2.0)
            m = _moments(mu, sigma, 4)
            good = np.isclose(m[3] / m[2], mean, rtol=1e-3)
        return cls(*(np.where(good, values, np.nan) for values in (mu, sigma, 1.0 / m[2])))

    def density(self, r: ArrayLike) -> Floats:
        """Probability per Mpc at distances r (Mpc), shape (n,) or what broadcasts with it."""
        r = np.asarray(r, float)
        return self.norm * _normal(r, self.mu, self.sigma) * r**2

    def moments(self) -> tuple[Floats, Floats]:
        """Mean and standard deviation, Mpc, shape (n,) each."""
        moments = _moments(self.mu, self.sigma, 4)
        mean = moments[3] / moments[2]
        return mean, np.sqrt(np.maximum(moments[4] / moments[2] - mean**2, 0.0))

    def overlap(self, distance: ArrayLike, error: ArrayLike) -> Floats:
        """Overlap with distances that have a normal error (Mpc), in [0, 1], shape (n,); NaN where either is not known.

        It is the coefficient of Bhattacharyya, the integral of the root of the product of both densities: of two normal distributions that
        is a normal one, times r, and so has a closed form.
        """
        distance, error = np.asarray(distance, float), np.asarray(error, float)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            both = self.sigma**2 + error**2
            middle = (self.mu * error**2 + distance * self.sigma**2) / both
            width = self.sigma * error * np.sqrt(2.0 / both)
            height = np.sqrt(2.0 * self.sigma * error / both) * np.exp(-((self.mu - distance) ** 2) / (4.0 * both))
            value = np.sqrt(self.norm / ndtr(distance / error)) * height * _moments(middle, width, 1)[1]
        return np.where(np.isfinite(value), np.clip(value, 0.0, 1.0), np.nan)

    def agreement(self, distance: ArrayLike, error: ArrayLike) -> Floats:
        """`overlap` as a share of what a galaxy with the same error has at the mean distance of the event, in [0, 1], shape (n,).

        A galaxy whose distance is known well overlaps little with the event's, which is not; it agrees none the worse.
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            share = self.overlap(distance, error) / self.overlap(self.moments()[0], error)
        return np.where(np.isfinite(share), np.clip(share, 0.0, 1.0), np.nan)


def _normal(r: Floats, mu: Floats, sigma: Floats) -> Floats:
    return np.asarray(np.exp(-0.5 * ((r - mu) / sigma) ** 2) / (np.sqrt(2.0 * np.pi) * sigma))


def _moments(mu: Floats, sigma: Floats, most: int) -> list[Floats]:
    """Integrals of r^k N(r; mu, sigma) over r > 0, for k from 0 to ``most``."""
    edge = np.exp(-0.5 * (mu / sigma) ** 2) * sigma / np.sqrt(2.0 * np.pi)
    found = [ndtr(mu / sigma)]
    found.append(mu * found[0] + edge)
    for k in range(2, most + 1):
        found.append(mu * found[-1] + (k - 1) * sigma**2 * found[-2])
    return found
