"""Environment of an object: a likelihood ratio of the classes that multiplies the probabilities of the light curve.

Classes differ in Galactic latitude, in their place within host galaxies, and in the shape and colour of the source at the position, which
every ZTF packet gives. Four independent quantities each have a density for every class. An unknown quantity has the ratio one, so that
merely having a packet favours no class (most labelled variables have packets, most labelled supernovae have none):

- the galactic latitude: discs of different thickness or the isotropic sky seen through the dust. Published shapes, nothing is fitted:
  the labelled objects lie in the fields of their surveys. Scales are the scale heights of the classes over the distances at which ZTF
  sees them (Chen et al. 2020, ApJS 249, 18; Mowlavi et al. 2018, A&A 618, A58; Pala et al. 2020, MNRAS 494, 3799);
- the distance of the nearest source of the reference image (``distnr``), which a star or a nucleus is and a supernova's host is not;
- whether the nearest Pan-STARRS source is within `NEAR` and looks like a star or like a galaxy (Tachibana & Miller 2018,
  PASP 130, 128001);
- that source's colours g - r, r - i and i - z.

The last three are fitted to labelled objects and drawn towards published values with the weight of `PRIOR_COUNT` objects.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broker_adapters.records import SkyObject
from classifiers.models.lightcurve._arrays import Floats
from classifiers.taxonomy import BRANCH, LIGHTCURVE_CLASSES

#: Columns of the environment, named as in ZTF's alert schema: degrees, pixels, arcsec, magnitudes.
KNOWN = ("ra", "dec", "distnr", "sgscore1", "distpsnr1", "sgmag1", "srmag1", "simag1", "szmag1")

#: Numbers below this are sentinels (ZTF: -99 and -999).
MISSING = -90.0

#: Unit vector towards the north Galactic pole (ICRS: Hipparcos catalogue, vol. 1, sec. 1.5.3).
POLE = np.array([-0.8676661490, -0.1980763734, 0.4559837762])

#: Decline of the density of a class with sin|b| (0: isotropic); classes beyond the Galaxy fade below `DUST` = sin 8 deg. A part `HALO`
#: of every class is isotropic.
DISC = {"CV/Nova": 4, "YSO": 12, "LPV": 10, "E": 4, "DSCT": 3, "RRL": 1, "CEP": 8, "Periodic-Other": 5}
DUST, HALO = 0.14, 0.1

#: A catalogue source within this many arcsec is the object's own, or its host's nucleus.
NEAR = 1.5

#: The ratios are raised to this power, since the four are not quite independent; between 0.5 and 1 nothing else comes out.
POWER = 0.8

#: Limits of ``sgscore1`` between galaxies, what may be either, and stars.
GALAXY, STAR = 0.3, 0.7

#: Weight of the published values, in objects; share of each class that is as wide as all of them.
PRIOR_COUNT, WIDE = 10.0, 0.1

#: Kinds of objects with the same relation to reference and catalogue sources: mean and scatter of log10 distnr; shares of (no source near,
#: galaxy, either, star).
KINDS: dict[str, tuple[tuple[float, float], tuple[float, float, float, float]]] = {
    "supernova": ((0.25, 0.45), (0.65, 0.25, 0.07, 0.03)),
    "nucleus": ((-0.6, 0.25), (0.02, 0.25, 0.08, 0.65)),
    "star": ((-0.55, 0.25), (0.02, 0.04, 0.09, 0.85)),
    "cataclysmic": ((-0.5, 0.4), (0.2, 0.04, 0.11, 0.65)),
}
NUCLEI = ("QSO", "AGN", "Blazar")

#: Mean and scatter of log10 distnr that any class may have.
ANY_DISTANCE = (-0.2, 0.8)

#: g - r, r - i and i - z of each class and their scatter: hosts after Blanton et al. 2003 (ApJ 594, 186), quasars after Richards et al.
#: 2001 (AJ 121, 2308), stars along the locus of Covey et al. 2007 (AJ 134, 2398) with the reddening of where they lie.
COLOURS = {
    "QSO": ((0.2, 0.15, 0.1), 0.25), "AGN": ((0.5, 0.35, 0.25), 0.25), "Blazar": ((0.45, 0.3, 0.2), 0.25),
    "CV/Nova": ((0.15, 0.1, 0.1), 0.35), "YSO": ((1.3, 0.8, 0.45), 0.4), "LPV": ((2.0, 1.8, 1.0), 0.9),
    "E": ((0.55, 0.25, 0.15), 0.4), "DSCT": ((0.1, 0.0, -0.03), 0.2), "RRL": ((0.2, 0.07, 0.0), 0.25), "CEP": ((0.8, 0.35, 0.2), 0.35),
    "Periodic-Other": ((0.8, 0.4, 0.2), 0.4),
}  # fmt: skip
HOST_COLOURS = ((0.5, 0.3, 0.22), 0.3)

#: Density of colours that any class may have for reasons of its own, and the range of believable ones.
ANY_COLOUR, COLOUR_RANGE = ((0.6, 0.4, 0.3), 1.0), (-1.5, 5.0)


def kind(label: str) -> str:
    """Name in `KINDS` of a class."""
    if BRANCH[label] == "Transient":
        return "supernova"
    return "cataclysmic" if label == "CV/Nova" else "nucleus" if label in NUCLEI else "star"


def of_objects(objects: Sequence[SkyObject]) -> Floats:
    """Environment of n objects, shape (n, len(KNOWN)): positions, and medians over their ZTF alerts."""
    known = np.full((len(objects), len(KNOWN)), np.nan)
    for row, one in zip(known, objects, strict=True):
        row[:2] = one.ra, one.dec
        alerts = [a.metadata for a in one.alerts if a.survey == "ztf"]
        for j, name in enumerate(KNOWN[2:], start=2):
            values = [float(m[name]) for m in alerts if isinstance(m.get(name), int | float) and m[name] > MISSING]
            row[j] = np.median(values) if values else np.nan
    return known


@dataclass(frozen=True, slots=True, eq=False)
class Environment:
    """Fitted densities over `KINDS` or over the 15 classes.

    Attributes
    ----------
    distance : shape (4, 2)
        Mean and scatter of log10 distnr.
    shares : shape (4, 4)
        Shares of no near source, galaxy, either, star.
    colour : shape (15, 3)
    covariance : shape (15, 3, 3)
    """

    distance: Floats = field(repr=False)
    shares: Floats = field(repr=False)
    colour: Floats = field(repr=False)
    covariance: Floats = field(repr=False)

    def apply(self, probabilities: Floats, known: Floats) -> Floats:
        """Multiply probabilities, shape (n, 15), by the likelihood ratios of environments, shape (n, len(KNOWN)), from `of_objects`."""
        product = probabilities * np.exp(POWER * self.log_density(known))
        scaled: Floats = product / product.sum(axis=1, keepdims=True)
        return scaled

    def log_density(self, known: Floats) -> Floats:
        """Logarithm of the product of the four densities, shape (n, 15), with maximum zero; all zero where nothing is known."""
        of = [list(KINDS).index(kind(c)) for c in LIGHTCURVE_CLASSES]
        distance, near, colours = evidence(known)
        total = _where_known(np.log(_latitudes(known)), np.isfinite(known[:, :2]).all(axis=1))
        reference = (1 - WIDE) * _normal(distance[:, None], *self.distance[of].T) + WIDE * _normal(distance[:, None], *ANY_DISTANCE)
        total += _where_known(np.log(reference), np.isfinite(distance))
        total += np.where(near[:, None] >= 0, np.log(self.shares[of].T[np.maximum(near, 0)]), 0.0)
        wide = _normals(colours, np.array([ANY_COLOUR[0]]), ANY_COLOUR[1] ** 2 * np.eye(3)[None])
        total += _where_known(
            np.log((1 - WIDE) * _normals(colours, self.colour, self.covariance) + WIDE * wide), np.isfinite(colours[:, 0])
        )
        highest: Floats = total - total.max(axis=1, keepdims=True)
        return highest

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Arrays for storage; `Environment(**arrays)` is the inverse."""
        return {name: np.asarray(getattr(self, name)) for name in self.__slots__}


def evidence(known: Floats) -> tuple[Floats, NDArray[np.int64], Floats]:
    """log10 distnr, shape (n,); which of (no near source, galaxy, either, star), -1 where not known; colours, shape (n, 3), all NaN
    unless all are known of a near source.
    """  # fmt: skip
    column = dict(zip(KNOWN, known.T, strict=True))
    distance = np.log10(np.clip(column["distnr"], 0.03, 30.0))
    score, far = column["sgscore1"], column["distpsnr1"]
    near = np.where(far < NEAR, 1 + (score > GALAXY).astype(int) + (score > STAR), 0)
    near = np.where(np.isnan(far) | np.isnan(score), -1, near)
    magnitudes = np.stack([column[f"s{b}mag1"] for b in "griz"], axis=1)
    colours = -np.diff(magnitudes, axis=1)
    usable = (near > 0) & ((colours > COLOUR_RANGE[0]) & (colours < COLOUR_RANGE[1])).all(axis=1)
    return distance, near, np.where(usable[:, None], colours, np.nan)


def _latitudes(known: Floats) -> Floats:
    """Densities of the classes in sin|b|, shape (n, 15)."""
    ra, dec = np.radians(known[:, :2].T)
    s = np.abs(np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=1) @ POLE)
    middles = (np.arange(1000) + 0.5) / 1000
    columns = [(1 - HALO) * _latitude(c, s) / _latitude(c, middles).mean() + HALO for c in LIGHTCURVE_CLASSES]
    return np.stack(columns, axis=1)


def _latitude(label: str, s: Floats) -> Floats:
    """Density of a class in s = sin|b|, up to a factor."""
    return np.exp(-DISC[label] * s) if label in DISC else s**4 / (s**4 + DUST**4)


def _where_known(logs: Floats, known: NDArray[np.bool_]) -> Floats:
    return np.where(known[:, None], logs, 0.0)


def _normal(x: Floats, mean: Floats | float, scatter: Floats | float) -> Floats:
    density: Floats = np.exp(-0.5 * ((x - mean) / scatter) ** 2) / (np.sqrt(2 * np.pi) * scatter)
    return density


def _normals(x: Floats, mean: Floats, covariance: Floats) -> Floats:
    """Densities of k normal distributions in d dimensions at n points, shape (n, k)."""
    off = x[:, None, :] - mean
    exponent = np.einsum("nki,kij,nkj->nk", off, np.linalg.inv(covariance), off)
    density: Floats = np.exp(-0.5 * exponent) / np.sqrt(np.linalg.det(2 * np.pi * covariance))
    return density
