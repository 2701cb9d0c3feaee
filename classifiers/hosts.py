"""Host galaxies: which of the galaxies near a transient it belongs to, with a probability for each and for none of them.

Each candidate i has a weight, the density of supernovae that it puts at the place of the transient, relative to that of all galaxies which
the catalogue lacks::

    w = exp(ALPHA ln l - CUT l) · z^-DEPTH · (1 + (d / CORE)²)^-TAIL / (a² q) / REST

d is the offset in directional light radii (Sullivan et al. 2006, ApJ 648, 868; Gupta et al. 2016, AJ 152, 154), from the half-light
radius a (arcseconds), the axis ratio q and the position angle; l is the B luminosity in units of an absolute magnitude of -20.5: rates
grow with it, and what seems brighter than the brightest galaxies has a wrong redshift; z stands for the volume in which its supernovae
are found. In the nearest galaxies novae are found as well, `NOVAE` times as often. The probabilities are w / (1 + Σw), and 1 / (1 + Σw)
for none of the candidates. The numbers maximise the likelihood of the catalogued redshifts of half of the transients of ZTF's Bright
Transient Survey (``benchmarks/context.py``, docs/context.md).

Beside it stands the plain figure, the chance of so bright a galaxy so near (Bloom, Kulkarni & Djorgovski 2002, AJ 123, 1111).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from broker_adapters.catalogue import Sources, magnitude, stars
from broker_adapters.crossmatch import ARCSEC, match

Floats = NDArray[np.float64]
Chosen = Mapping[int, tuple[float, float] | None]

#: Radius in arcseconds within which galaxies are candidates.
RADIUS = 300.0
#: Probability of a redshift from which on it is claimed.
CLAIM = 0.8
#: Arcseconds within which a galaxy is the one that somebody chose, whatever its catalogue calls it.
CHOSEN = 1.0
#: Redshifts that differ by less are one (galaxies of a group).
SAME = 0.005

ALPHA, CUT, DEPTH, CORE, TAIL, REST = 0.602, 0.478, 1.182, 2.793, 2.199, 0.00636

#: Novae for each supernova that a survey of magnitude 19 finds in the galaxies below a redshift (5 Mpc).
NOVAE, NOVAE_SEEN = 30.0, 0.0012

#: Share of the transients without a candidate that lie outside any galaxy; the host of the others is not in the catalogue. An assumption.
HOSTLESS = 0.02
#: What is taken for a galaxy of unknown size (arcseconds), redshift or luminosity: a small one in the midst of the catalogues.
_SIZE, _REDSHIFT, _LUMINOSITY = 2.0, 0.08, 0.5
_SMALLEST, _NEAREST = 0.5, 5e-4
_MAGNITUDE = -20.5
#: Colour B - r of a galaxy, for the chance of Bloom et al., whose counts are in R.
_B_MINUS_R = 1.0
_C, _H0, _Q0 = 299792.458, 70.0, -0.55  # km / s; km / s / Mpc; deceleration


@dataclass(frozen=True, slots=True, eq=False)
class Hosts:
    """Candidates of n transients: k galaxies, those of one transient together.

    Attributes
    ----------
    galaxies : Sources, shape (k,)
        The column ``query`` is the transient.
    probability : shape (k,)
        That it is the host.
    offset : shape (k,)
        In directional light radii.
    chance : shape (k,)
        That a galaxy as bright lies as near by chance (Pcc); NaN without a magnitude.
    unlisted, hostless : shape (n,)
        Probability that the host is not in the catalogue, and that there is none.
    best : shape (n,)
        Index of the likeliest galaxy, -1 where there is none.
    redshift, redshift_probability : shape (n,)
        Of the likeliest galaxy, and the probability of all that share it; NaN where it has none.
    """

    galaxies: Sources
    probability: Floats
    offset: Floats
    chance: Floats
    unlisted: Floats
    hostless: Floats
    best: NDArray[np.intp]
    redshift: Floats
    redshift_probability: Floats

    @property
    def claimed(self) -> NDArray[np.bool_]:
        """Transients whose redshift is claimed, shape (n,)."""
        return self.redshift_probability >= CLAIM

    @property
    def distance(self) -> Floats:
        """Luminosity distance of each likeliest galaxy, Mpc, shape (n,); see `distances`."""
        return self._of_best(distances(self.galaxies))

    @property
    def kpc(self) -> Floats:
        """Projected offset from the centre of each likeliest galaxy, kpc, shape (n,)."""
        return self._of_best(projected(self.galaxies))

    def _of_best(self, values: Floats) -> Floats:
        return np.where(self.best >= 0, np.append(values, np.nan)[self.best], np.nan)

    def why(self, k: int) -> str:
        """What speaks for and against candidate k, in a line."""
        row = self.galaxies[k]
        parts = [f"{row['separation']:.1f}″ away, {self.offset[k]:.1f} light radii"]
        if not np.isfinite(row["size"]):
            parts.append("size unknown")
        z = float(row["redshift"])
        parts.append(f"z {z:.4f} ({row['redshift_kind'] or 'origin unknown'})" if np.isfinite(z) else "redshift unknown")
        brightness = float(_absolute(self.galaxies[k : k + 1])[0])
        if np.isfinite(brightness):
            parts.append(f"M_B {brightness:.1f}")
        if np.isfinite(self.chance[k]):
            parts.append(f"chance {self.chance[k]:.2g}")
        return ", ".join(parts)


def expansion(redshift: ArrayLike) -> Floats:
    """Luminosity distance of a redshift, Mpc: flat, 70 km/s/Mpc, matter 0.3, to 1 % at z < 0.3; NaN where it is not positive."""
    z = np.asarray(redshift, float)
    series = 1.0 + 0.5 * (1.0 - _Q0) * z - z**2 * (1.0 - _Q0 - 3.0 * _Q0**2 + 1.0) / 6.0
    return np.where(z > 0.0, _C * z / _H0 * series, np.nan)


def distances(galaxies: Sources) -> Floats:
    """Luminosity distances of k galaxies, Mpc: the catalogue's, else from the redshift (`expansion`)."""
    listed = np.asarray(galaxies["distance"], float)
    return np.where(listed > 0.0, listed, expansion(galaxies["redshift"]))


def projected(galaxies: Sources) -> Floats:
    """Projected offsets from the centres of k galaxies, kpc."""
    z = np.maximum(np.nan_to_num(galaxies["redshift"]), 0.0)
    return np.asarray(galaxies["separation"] * ARCSEC * distances(galaxies) * 1e3 / (1.0 + z) ** 2, float)


def _absolute(galaxies: Sources) -> Floats:
    """Absolute B magnitudes of k galaxies, without extinction; NaN where they are not known."""
    return magnitude(galaxies, "B") - 5.0 * np.log10(distances(galaxies)) - 25.0


def offsets(galaxies: Sources, ra: ArrayLike, dec: ArrayLike) -> Floats:
    """Offsets of n transients (degrees) from k galaxies in directional light radii, shape (k,).

    A galaxy without a position angle counts as round with the same area, one without a size has 2″.
    """
    ra, dec, index = np.asarray(ra, float), np.asarray(dec, float), galaxies["query"]
    east = ((ra[index] - galaxies["ra"] + 180.0) % 360.0 - 180.0) * np.cos(np.radians(0.5 * (dec[index] + galaxies["dec"])))
    north = dec[index] - galaxies["dec"]
    angle = np.radians(galaxies["position_angle"].astype(float)) - np.arctan2(east, north)
    a, q = _shape(galaxies)
    stretch = np.where(np.isfinite(angle), np.hypot(np.sin(angle) / q, np.cos(angle)), 1.0 / np.sqrt(q))
    return np.asarray(galaxies["separation"] * stretch / a, float)


def from_moments(q: ArrayLike, u: ArrayLike) -> tuple[Floats, Floats]:
    """Axis ratio (minor to major) and position angle (degrees from the axis of ``q``) from two moments of an image, of any one shape.

    The moments are those of Pan-STARRS, (x² - y²) / r² and 2 x y / r²: their length is κ = (1 - ratio) / (1 + ratio).
    """
    q, u = np.asarray(q, float), np.asarray(u, float)
    length = np.minimum(np.hypot(q, u), 0.99)
    return (1.0 - length) / (1.0 + length), np.degrees(0.5 * np.arctan2(u, q)) % 180.0


def _shape(galaxies: Sources) -> tuple[Floats, Floats]:
    """Semi-major axes (arcseconds) and axis ratios that are used, of k galaxies."""
    a = np.asarray(galaxies["size"], float)
    q = np.asarray(galaxies["axis_ratio"], float)
    return np.where(a > 0.0, np.maximum(a, _SMALLEST), _SIZE), np.where(q > 0.0, np.clip(q, 0.05, 1.0), 1.0)


def chances(galaxies: Sources) -> Floats:
    """Probability of a galaxy as bright within the same distance by chance, of k galaxies (Bloom et al. 2002); NaN without a magnitude."""
    red = magnitude(galaxies, "r")
    red = np.where(np.isfinite(red), red, magnitude(galaxies, "B") - _B_MINUS_R)
    density = 10.0 ** (0.33 * (red - 24.0) - 2.44) / (0.33 * np.log(10.0))
    return np.asarray(-np.expm1(-np.pi * galaxies["separation"] ** 2 * density), float)


def _weights(galaxies: Sources, offset: Floats) -> Floats:
    """Weight of each of k galaxies against what the catalogue lacks."""
    a, q = _shape(galaxies)
    luminosity = 10.0 ** (-0.4 * (_absolute(galaxies) - _MAGNITUDE))
    luminosity = np.where(np.isfinite(luminosity), luminosity, _LUMINOSITY)
    z = np.asarray(galaxies["redshift"], float)
    z = np.maximum(np.where(np.isfinite(z), z, _REDSHIFT), _NEAREST)
    log = ALPHA * np.log(luminosity) - CUT * luminosity - DEPTH * np.log(z) - TAIL * np.log1p((offset / CORE) ** 2)
    log += np.where(z < NOVAE_SEEN, np.log(NOVAE), 0.0)
    return np.asarray(np.exp(np.clip(log - np.log(a**2 * q) - np.log(REST), -60.0, 60.0)), float)


def associate(sources: Sources, ra: ArrayLike, dec: ArrayLike, chosen: Chosen | None = None) -> Hosts:
    """Hosts of n transients (degrees) among the sources that catalogues gave for them (`broker_adapters.catalogue`); stars are left out.

    ``chosen``: index of a transient -> place of the galaxy (degrees) that somebody says is its host, None for none of the catalogued ones.
    A galaxy that is not among the candidates changes nothing.
    """
    ra_, dec_ = np.atleast_1d(np.asarray(ra, float)), np.atleast_1d(np.asarray(dec, float))
    galaxies = sources[np.isin(sources["kind"], ("galaxy", "AGN")) & ~stars(sources)]
    galaxies = galaxies[np.argsort(galaxies["query"], kind="stable")]
    index, n = galaxies["query"], len(ra_)
    offset = offsets(galaxies, ra_, dec_)
    weight = _weights(galaxies, offset)
    total = 1.0 + np.bincount(index, weight, minlength=n)
    probability, none = weight / total[index], 1.0 / total
    _settle(galaxies, probability, none, chosen or {})
    best = _likeliest(index, probability, n)
    z = np.append(np.asarray(galaxies["redshift"], float), np.nan)
    redshift = z[best]
    alike = np.abs(z[:-1] - redshift[index]) <= SAME
    shared = np.where(np.isfinite(redshift), np.bincount(index, probability * alike, minlength=n), np.nan)
    made = Hosts(
        galaxies, probability, offset, chances(galaxies), none * (1.0 - HOSTLESS), none * HOSTLESS, best, redshift, shared
    )  # fmt: skip
    for values in (made.probability, made.offset, made.chance, made.unlisted, made.hostless, made.best, made.redshift, shared):
        values.flags.writeable = False
    return made


def _settle(galaxies: Sources, probability: Floats, none: Floats, chosen: Chosen) -> None:
    """Make what somebody says certain."""
    for i, place in chosen.items():
        own = np.flatnonzero(galaxies["query"] == i)
        if place is None:
            probability[own], none[i] = 0.0, 1.0
        else:
            near = match([place[0]], [place[1]], galaxies["ra"][own], galaxies["dec"][own], CHOSEN)[1]
            if len(near):
                probability[own], none[i] = 0.0, 0.0
                probability[own[near[0]]] = 1.0


def _likeliest(index: NDArray[np.int64], probability: Floats, n: int) -> NDArray[np.intp]:
    """Index of the likeliest candidate of each of n transients, -1 where none is possible."""
    best = np.full(n, -1, np.intp)
    order = np.argsort(probability, kind="stable")
    order = order[probability[order] > 0.0]
    best[index[order]] = order
    return best
