"""Supernovae to learn from: real ones with the parameters of their whole light curves, and simulated ones after them.

The parameters of a real supernova are drawn from the fit (`supernova.fit`) to everything that was ever measured of it, as a normal
distribution; the time of its peak is that of `truth` where there is one. A simulated one has such parameters of one real supernova,
jittered, and the times, bands, depths and errors of another one of any class.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from broker_adapters.records import Detections
from broker_adapters.significance import DETECTED
from classifiers.models.lightcurve import supernova
from classifiers.models.lightcurve.series import light_curve
from classifiers.models.lightcurve.training import data
from classifiers.posterior import curves
from classifiers.posterior.points import SYSTEMATIC, WAVELENGTHS, Floats, combined, of_rows
from classifiers.posterior.records import CLASSES
from classifiers.posterior.training import truth

#: Largest loss per detection of a fit that counts, least detections of one whose parameters are used for simulation, and shrinkage of the
#: standard deviations of the fit: that of `forecast.SPREAD`.
LOSS, DONOR, SPREAD = 12.0, 10, 0.75

#: Error in days of a peak by parabola, and share of supernovae without one that are used.
PEAK_ERROR, UNSEEN = 0.3, 0.3

#: Days after the first detection, in powers of e, in which light curves are cut most, and longest wait for the next point that counts.
EARLY, WAIT = 25.0, 10.0

#: Share of each class among simulated supernovae.
SHARES = (0.46, 0.16, 0.25, 0.13)

#: Jitter of the twelve parameters of `supernova`, of the days between the peak and the cadence, and of the magnitude.
JITTER = np.array([0.05, 0.0, 0.08, 0.2, 0.08, 0.08, 0.06, 0.3, 0.05, 0.1, 0.05, 0.05])
SHIFT, BRIGHTER = 8.0, 0.8

#: Part of a quoted error that is proportional to the flux, what it is over the true one (mean and scatter of the logarithm), share of
#: outliers and their factor, and deviation from the model as a part of the flux with its time scale in days.
PROPORTIONAL, QUOTED, OUTLIERS, DEVIATION = 0.03, (0.15, 0.2), (0.01, 3.0), (0.04, 10.0)

#: Share of simulated supernovae that have forced measurements in place of limits, that are fainter by up to `FAINTER` magnitudes in a
#: survey that is as much deeper, and that other bands see: ATLAS's and Rubin's in place of g and r.
FORCED, DEEPER, FAINTER, OTHER = 0.2, 0.25, 4.0, 0.25
BANDS = ((533.0, 679.0), (478.0, 754.0), (533.0, 622.0), (478.0, 622.0))


@dataclass(frozen=True, slots=True, eq=False)
class Real:
    """A real supernova: name, class index, table of points (4, m) of its rows, and the fit to all of them.

    `peak` is the MJD of the peak (NaN if not covered), and `blue` whether it is that in g.
    """

    name: str
    label: int
    table: Floats = field(repr=False)
    fit: supernova.Fit | None
    peak: float
    blue: bool
    rows: Detections = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Light curves of n supernovae, tables of points (4, m), with the parameters that the posterior should find.

    `target` (n, 13) is as in `curves`, except that the time of the peak is in MJD and the flux in ln nJy. `label` (n,) is the class.
    """

    tables: list[Floats]
    target: Floats
    label: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of light curves."""
        return len(self.label)

    def __getitem__(self, which: NDArray[np.intp]) -> Samples:
        """Return some of them."""
        return Samples([self.tables[i] for i in which], self.target[which], self.label[which])


def read(folder: Path) -> list[Real]:
    """Real supernovae of a folder of labelled light curves, in the order of their names."""
    found = []
    for one in data.read(folder):
        if one.label in CLASSES:
            table = combined(of_rows(one.rows))
            if (table[2] >= DETECTED * table[3]).any():
                fit = supernova.fit(light_curve(one.rows))
                found.append(Real(one.object_id, CLASSES.index(one.label), table, fit, *truth.peak(table), one.rows))
    return found


def of_real(real: list[Real], rng: Generator) -> Samples:
    """Real light curves, those with a fit, with parameters drawn anew; of those whose peak was not seen a share `UNSEEN`."""
    usable = [one for one in real if one.fit is not None and one.fit.chi2 <= LOSS and (np.isfinite(one.peak) or rng.random() < UNSEEN)]
    target = np.stack([_target(one, rng) for one in usable])
    kept = np.isfinite(target).all(axis=1)
    used = [one for one, k in zip(usable, kept, strict=True) if k]
    return Samples([one.table for one in used], target[kept], np.array([one.label for one in used]))


def _target(one: Real, rng: Generator) -> Floats:
    assert one.fit is not None
    target = _absolute(_drawn(one.fit, SPREAD, rng), one.fit)
    if np.isfinite(one.peak):
        model = target[0] + target[12]
        target[0] = one.peak + rng.normal(0, PEAK_ERROR)
        target[12] = model - target[0]
    return target


def _drawn(fit: supernova.Fit, spread: float, rng: Generator) -> Floats:
    values, vectors = np.linalg.eigh(fit.covariance)
    drawn: Floats = fit.parameters + spread * vectors @ (np.sqrt(np.maximum(values, 0)) * rng.normal(size=len(values)))
    return drawn


def _absolute(parameters: Floats, fit: supernova.Fit) -> Floats:
    """Parameters of `curves` with the peak in MJD and ln nJy."""
    target: Floats = curves.of_fit(parameters[None], 0.0)[0]
    z = target.copy()
    z[0] = z[1] = 0.0
    target[12] = -truth.vertex(truth.GRID, curves.rendered(z, truth.GRID, np.full(len(truth.GRID), WAVELENGTHS[0])))
    target[0], target[1] = fit.zero + curves.WARP * np.sinh(target[0]) - target[12], target[1] + np.log(fit.scale)
    return target


def simulated(real: list[Real], n: int, rng: Generator) -> Samples:
    """Simulate n supernovae after real ones."""
    donors = [[one for one in real if one.label == k and _donates(one)] for k in range(len(CLASSES))]
    cadences = [one for one in real if np.isfinite(one.peak)]
    tables: list[Floats] = []
    targets: list[Floats] = []
    labels: list[int] = []
    while len(tables) < n:
        label = int(rng.choice(len(CLASSES), p=SHARES))
        one = donors[label][rng.integers(len(donors[label]))]
        table, target = _simulate(one, cadences[rng.integers(len(cadences))], rng)
        if (table[2] >= DETECTED * table[3]).any():
            tables.append(table)
            targets.append(target)
            labels.append(label)
    return Samples(tables, np.stack(targets), np.array(labels))


def _donates(one: Real) -> bool:
    blue = one.table[1] < 580.0
    found = one.table[2] > 0
    return bool(
        one.fit is not None and one.fit.chi2 <= LOSS and np.isfinite(one.peak)
        and found.sum() >= DONOR and (found & blue).sum() >= 3 and (found & ~blue).sum() >= 3
    )  # fmt: skip


def _simulate(one: Real, cadence: Real, rng: Generator) -> tuple[Floats, Floats]:
    """Table of points (4, m) and parameters of a supernova with the shape of one and the cadence of another."""
    assert one.fit is not None
    target = _absolute(_drawn(one.fit, 0.5, rng) + JITTER * rng.normal(size=len(JITTER)), one.fit)
    target[0] = cadence.peak + rng.normal(0, SHIFT)
    target[1] += 0.4 * np.log(10) * rng.uniform(-BRIGHTER, BRIGHTER)
    t, wavelength, flux, error = cadence.table
    if rng.random() < OTHER:
        bands = BANDS[rng.integers(len(BANDS))]
        wavelength = np.where(wavelength < 580.0, *bands)
    sky = np.where(np.isnan(flux), error, np.sqrt(np.maximum(error**2 - (PROPORTIONAL * np.nan_to_num(flux)) ** 2, (0.3 * error) ** 2)))
    z = target.copy()
    z[0] = z[1] = 0.0
    true = np.exp(target[1]) * curves.rendered(z, t - target[0], wavelength)
    nodes = np.arange(t[0] - 20, t[-1] + 20, DEVIATION[1])
    true = true * np.exp(np.interp(t, nodes, rng.normal(0, DEVIATION[0], len(nodes))))
    quoted = np.hypot(sky, PROPORTIONAL * true)
    noise = quoted * np.exp(-rng.normal(*QUOTED, len(t))) * np.where(rng.random(len(t)) < OUTLIERS[0], OUTLIERS[1], 1.0)
    seen = true + noise * rng.normal(size=len(t))
    if rng.random() >= FORCED:
        seen = np.where(seen >= DETECTED * quoted, seen, np.nan)
    fainter = 10 ** (-0.4 * (rng.uniform(0, FAINTER) if rng.random() < DEEPER else 0.0))
    target[1] += np.log(fainter)
    return np.stack([t, wavelength, fainter * seen, fainter * np.hypot(quoted, SYSTEMATIC * np.nan_to_num(seen))]), target


def cut(samples: Samples, rng: Generator) -> Samples:
    """Light curves as they are known in a random night, from the first detection on; the first `EARLY` days are favoured."""
    return Samples([_cut(table, rng) for table in samples.tables], samples.target, samples.label)


def _cut(table: Floats, rng: Generator) -> Floats:
    t = table[0]
    first = int(np.argmax(table[2] >= DETECTED * table[3]))
    wait = np.clip(np.diff(t[first:], append=t[-1] + 1.0), 0.02, WAIT)
    chance = np.cumsum(wait * (np.exp((t[first] - t[first:]) / EARLY) + 0.1))
    return table[:, : first + 1 + int(np.searchsorted(chance, rng.random() * chance[-1]))]


def joined(parts: list[Samples]) -> Samples:
    """Light curves of several in one."""
    tables = [table for part in parts for table in part.tables]
    return Samples(tables, np.concatenate([p.target for p in parts]), np.concatenate([p.label for p in parts]))
