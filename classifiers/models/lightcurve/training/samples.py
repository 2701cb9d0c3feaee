"""Training samples: several copies of real light curves, simulated ones, and ALeRCE's feature vectors of periodic stars.

Each object is included whole and truncated, so that the model learns young light curves; rare classes of supernovae are also included
fainter, noisier and with points left out. Some copies of a transient get a host galaxy with a reference flux, as often and as bright as
real ones, so that a known reference flux does not reveal the class. Others are `merged` with what ATLAS and LSST would have measured, with
the cadence, depth and noise of the simulated objects, so that the survey does not either. Published superluminous supernovae are used for
training only, under the name of the ZTF object that they match. All copies of an object share its name, and so its fold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from broker_adapters.photometry import flux_from_magnitude
from broker_adapters.records import Detections, Kind
from broker_adapters.significance import DETECTED
from classifiers.models.lightcurve import features, supernova
from classifiers.models.lightcurve._arrays import Floats
from classifiers.models.lightcurve.environment import KNOWN
from classifiers.models.lightcurve.series import MINIMUM, LightCurve, light_curve
from classifiers.models.lightcurve.training import data, environment
from classifiers.models.lightcurve.training.data import Labelled
from classifiers.simulate import lightcurves as simulate
from classifiers.simulate import surveys
from classifiers.taxonomy import BRANCH

#: Days at which copies are cut: since the first detection of a transient, since a random one of other objects.
CUTS = (20.0, 40.0, 80.0)

#: Altered copies of each supernova, which give about as many light curves of each class.
ALTERED = {"SNIa": 1, "SNII": 2, "SNIbc": 9, "SLSN": 20}

#: Days since the first detection at which altered copies end.
LENGTHS = (1e9, 1e9, 120.0, 60.0, 30.0)

#: Simulated objects of each stochastic class, and most attempts for each of them (and each merged one) to have `MINIMUM` detections.
SIMULATED, TRIES = 500, 20

#: Lengths in days of simulated light curves; half of them have the history of one alert.
WATCHED = (30.0, 30.0, 30.0, 30.0, 80.0, 200.0, 600.0, 1200.0)

#: Amplitude of a simulated star as a part of that of its template star: ALeRCE's are those that vary most.
AMPLITUDE = (0.4, 1.0)

#: Share of simulated and of cut light curves of variables that have neither sign nor reference, as from some archives.
UNSIGNED = 0.3

#: Share of supernovae on a reference source; its r magnitude and its g - r, mean and scatter (102 supernovae in ZTF alerts).
HOSTED, HOST, HOST_COLOUR = 0.3, (19.2, 1.7), (0.6, 0.34)

#: Share of a real transient's copies that are seen by other surveys than ZTF alone (`surveys.WATCHES`), the same for all classes. They are
#: made from the fitted model of light curves with `FITTED` detections in each family and a loss of at most `LOSS`.
MERGED, FITTED, LOSS = 0.1, 3, 10.0

#: Days (powers of ten) before the first and after the last detection in which the other surveys observe: forced photometry can be
#: requested for any time.
BEFORE, AFTER = (1.0, 2.6), (0.5, 2.3)

#: Deviation of real supernovae from the model: rms as a part of the flux, and time scale in days.
DEVIATION = (0.05, 10.0)

#: Altered copies of each published supernova.
PUBLISHED = 6

#: Light curve, class, object, origin, copy, kind of photometry.
Row: TypeAlias = tuple[LightCurve, str, str, str, str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Training samples, n rows.

    Attributes
    ----------
    features : shape (n, k), columns as `features.names()`
    labels, objects, origins : shape (n,)
        Class; name of the object, which all of its copies share; 'real', 'published', 'simulated' or 'vector'.
    copies : shape (n,)
        'whole', days of a cut, or 'altered'.
    detections, kinds : shape (n,)
        Number of detections; the kind of photometry that it came from.
    known : shape (n, len(KNOWN))
        Environment; all NaN for objects that are not real.
    """

    features: Floats = field(repr=False)
    labels: NDArray[np.str_]
    objects: NDArray[np.str_]
    origins: NDArray[np.str_]
    copies: NDArray[np.str_]
    detections: NDArray[np.int64]
    kinds: NDArray[np.str_]
    known: Floats = field(repr=False)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Samples:
        """Some of the rows."""
        return Samples(**{name: getattr(self, name)[rows] for name in self.__slots__})


def build(folder: Path, seed: int, jobs: int = 2) -> Samples:
    """Build the training samples from a folder of real data, and the simulated ones."""
    rng = np.random.default_rng(seed)
    rows: list[Row] = []
    real = data.read(folder)
    for sample in real:
        rows += [(c, sample.label, sample.object_id, "real", copy, sample.kind) for copy, c in _copies(sample, rng)]
    for sample in data.published(folder, real):
        light_curves = [light_curve(sample.rows)] + [light_curve(altered(sample.rows, rng)) for _ in range(PUBLISHED)]
        rows += [(c, sample.label, sample.object_id, "published", "whole", "published") for c in light_curves]
    for name, label, c in _simulated(folder, rng):
        rows.append((c, label, name, "simulated", "whole", "simulated"))
    return _joined(_extracted(rows, folder, jobs), vectors(folder))


def held_against(folder: Path, days: float, jobs: int = 2) -> tuple[Samples, int]:
    """Build the samples for an evaluation, and count the objects with too few detections.

    They are the real objects of a folder, whole and (transients) within `days` of the first detection, and ALeRCE's vectors.
    """
    real = data.read(folder)
    rows = [(light_curve(s.rows), s.label, s.object_id, "real", "whole", s.kind) for s in real]
    few = sum(r[0].n_detections < MINIMUM for r in rows)
    for s in real:
        if BRANCH[s.label] == "Transient":
            rows.append((light_curve(data.truncated(s.rows, days)), s.label, s.object_id, "real", f"{days:g}", s.kind))
    return _joined(_extracted(rows, folder, jobs), vectors(folder)), few


def _extracted(rows: list[Row], folder: Path, jobs: int) -> Samples:
    rows = [r for r in rows if r[0].n_detections >= MINIMUM]
    values = features.matrix([r[0] for r in rows], jobs)
    text = [np.array([r[i] for r in rows], str) for i in range(1, 6)]
    objects, where = np.unique(text[1], return_inverse=True)
    known = np.where((text[2] == "real")[:, None], environment.of_folder(folder, objects.tolist())[where], np.nan)
    return Samples(values, text[0], text[1], text[2], text[3], np.array([r[0].n_detections for r in rows], int), text[4], known)


def _copies(sample: Labelled, rng: Generator) -> Iterator[tuple[str, LightCurve]]:
    """Yield (kind of copy, light curve) of one real object."""
    transient = BRANCH[sample.label] == "Transient"

    def host(rows: Detections) -> Detections:
        return on_host(rows, host_of(rng)) if transient and rng.random() < HOSTED else rows

    yield "whole", light_curve(sample.rows)
    seen = sample.rows["mjd"][np.isfinite(sample.rows["flux"])]
    for days in CUTS:
        start = None if transient or not seen.size else float(rng.choice(seen))
        cut = data.truncated(sample.rows, days, start)
        if start is not None:
            cut = unsigned(cut[cut["mjd"] >= start], rng)
        yield f"{days:g}", light_curve(host(cut))
    count = ALTERED.get(sample.label, 0)
    for _ in range(count):
        yield "altered", light_curve(host(data.truncated(altered(sample.rows, rng), rng.choice(LENGTHS))))
    others = (1 + len(CUTS) + count) * MERGED / (1 - MERGED) if transient else 0.0
    for _ in range(int(others + rng.random())):
        yield "altered", _merged(sample.rows, rng)


def host_of(rng: Generator) -> tuple[float, float]:
    """Draw the r magnitude and g - r of the host galaxy of a supernova."""
    return rng.normal(*HOST), rng.normal(*HOST_COLOUR)


def on_host(rows: Detections, host: tuple[float, float]) -> Detections:
    """Rows with the host's flux as reference in each band, where there was none."""
    rows = rows.copy()
    reference = flux_from_magnitude([host[0] + simulate.COLOUR.get(band, 0.0) * host[1] for band in rows["band"].tolist()])
    rows["ref_flux"] = np.where(np.isnan(rows["ref_flux"]), reference, rows["ref_flux"])
    return rows


def merged(rows: Detections, watching: tuple[str, ...], rng: Generator) -> Detections:
    """Rows of a real ZTF supernova as these surveys would have observed it; none without a good fit.

    They are its own rows if ZTF is one of the surveys, and simulated measurements of its fitted model by the others.
    """
    curve = light_curve(rows)
    fit = supernova.fit(curve) if min(len(curve.g.t), len(curve.r.t)) >= FITTED else None
    if fit is None or not fit.chi2 <= LOSS:
        return rows[:0]
    host, fainter = host_of(rng), surveys.fainter(watching, rng)
    parts = [on_host(rows, host) if rng.random() < HOSTED else rows] if "ztf" in watching else []
    seen = np.concatenate([s.t for s in curve.series])
    nights = np.arange(np.floor(seen.min() - 10 ** rng.uniform(*BEFORE)), seen.max() + 10 ** rng.uniform(*AFTER))
    exposures = surveys.exposures(tuple(survey for survey in watching if survey != "ztf"), nights, rng)
    wander = np.exp(simulate.random_walk(nights, *DEVIATION, rng))
    for survey, band, mjd in exposures:
        g, r = (np.maximum(fit.flux(mjd, family), 1e-3) for family in (0, 1))
        flux = 10 ** (-0.4 * fainter) * r * (g / r) ** simulate.COLOUR[band] * np.interp(mjd, nights, wander)
        reference = float(flux_from_magnitude(host[0] + simulate.COLOUR[band] * host[1] + fainter))
        parts.append(surveys.measure(survey, band, mjd, flux, reference, rng))
    return surveys.joined(parts)


def unsigned(rows: Detections, rng: Generator) -> Detections:
    """Rows, of which a share `UNSIGNED` of light curves get absolute fluxes and no reference in ZTF's alerts.

    Otherwise a missing sign or reference would reveal a transient.
    """
    if rng.random() >= UNSIGNED:
        return rows
    rows, own = rows.copy(), rows["survey"] == "ztf"
    rows["flux"][own], rows["ref_flux"][own] = np.abs(rows["flux"][own]), np.nan
    return rows


def altered(rows: Detections, rng: Generator) -> Detections:
    """Altered copy: up to 0.8 mag fainter with unchanged noise, up to 30 % of the rows left out; below 5 sigma a row becomes a limit."""
    rows = rows[rng.random(len(rows)) >= rng.choice([0.0, 0.15, 0.3])].copy()
    seen = np.isfinite(rows["flux"])
    dimmed = 10 ** (-0.4 * rng.uniform(0, 0.8))
    noise = rows["flux_err"] * np.sqrt(1 - dimmed**2) * rng.normal(size=len(rows))
    rows["flux"] = np.where(seen, dimmed * rows["flux"] + noise, np.nan)
    lost = seen & (np.abs(rows["flux"]) < 0.9 * DETECTED * rows["flux_err"])
    rows["kind"][lost], rows["flux"][lost] = Kind.LIMIT, np.nan
    return rows


def _simulated(folder: Path, rng: Generator) -> Iterator[tuple[str, str, LightCurve]]:
    """Yield (name, class, light curve) of simulated objects; one made from an ALeRCE vector has the name of that star."""
    for label, source in simulate.STOCHASTIC.items():
        for i in range(SIMULATED):
            yield f"simulated {label} {i}", label, _watched(source, rng)
    table = _vector_table(folder)
    if table is None:
        return
    k = range(1, 8)
    for _, row in table.iterrows():
        amplitude = np.array([[row[f"Harmonics_mag_{i}{b}"] for i in k] for b in ("_g", "_r")], float)
        phase = np.array([[0.0 if i == 1 else row[f"Harmonics_phase_{i}{b}"] for i in k] for b in ("_g", "_r")], float)
        mean = (row.Mean_g, row.Mean_r)
        if np.isfinite(amplitude).all() and amplitude.sum(axis=1).max() < 3 and 10 < min(mean) < max(mean) < 21.5:
            source = simulate.harmonic(row.Multiband_period, mean, amplitude * rng.uniform(*AMPLITUDE), phase)
            yield str(row.oid), str(row.lc_class), _watched(source, rng)


def _watched(source: simulate.Source, rng: Generator) -> LightCurve:
    """Simulate the light curve of a source in random surveys."""
    watching = surveys.watch(rng)
    return _enough(lambda: unsigned(simulate.observe(source, rng.choice(WATCHED), rng, watching), rng))


def _merged(rows: Detections, rng: Generator) -> LightCurve:
    """Simulate a supernova, whole or cut, in other surveys than ZTF alone."""
    watching = surveys.watch(rng, surveys.OTHERS)

    def cut() -> Detections:
        found = merged(altered(rows, rng), watching, rng)
        detected = np.concatenate([s.t for s in light_curve(found).series])
        return data.truncated(found, rng.choice(LENGTHS), detected.min()) if detected.size else found

    return _enough(cut)


def _enough(rows: Callable[[], Detections]) -> LightCurve:
    """First light curve with enough detections to be classified, within `TRIES` attempts."""
    for _ in range(TRIES):
        found = light_curve(rows())
        if found.n_detections >= MINIMUM:
            break
    return found


def _vector_table(folder: Path) -> pd.DataFrame | None:
    path = folder / "alerce_periodic_features.parquet"
    return pd.read_parquet(path) if path.exists() else None


def vectors(folder: Path) -> Samples | None:
    """Samples from ALeRCE's feature vectors of periodic variables; missing features are NaN."""
    table = _vector_table(folder)
    if table is None:
        return None
    names = features.names()
    values = np.full((len(table), len(names)), np.nan)
    for j, name in enumerate(names):
        if name in table:
            values[:, j] = table[name]
    values[~np.isfinite(values)] = np.nan
    n, text = len(table), [np.full(len(table), t) for t in ("vector", "whole", "vector")]
    known = np.full((n, len(KNOWN)), np.nan)
    return Samples(values, table.lc_class.to_numpy(str), table.oid.to_numpy(str), text[0], text[1], np.full(n, MINIMUM), text[2], known)


def _joined(first: Samples, second: Samples | None) -> Samples:
    if second is None:
        return first
    return Samples(**{name: np.concatenate([getattr(first, name), getattr(second, name)]) for name in Samples.__slots__})
