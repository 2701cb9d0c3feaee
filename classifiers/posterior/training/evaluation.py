"""``python -m classifiers evaluate posterior --data DIR``: the posterior and the older fit on real supernovae in their evenings.

A case is an object in an evening (00 h UTC) between its first detection and `AFTERWARDS` days after its last, detected within `RECENT`
days; `SHARE` of all evenings are taken. Of an object whose name is among those trained on the network answers that has not seen its half;
of any other, the one that is served. Peaks are those of `truth`; points are the detections of the `LATER` days that follow.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broker_adapters.significance import DETECTED
from classifiers.models.lightcurve import forecast
from classifiers.models.lightcurve.series import light_curve
from classifiers.posterior import Outlooks, infer, storage
from classifiers.posterior.inference import of_table
from classifiers.posterior.inputs import BLUE
from classifiers.posterior.points import Floats, tabled
from classifiers.posterior.records import AHEAD, CLASSES, DOUBTFUL
from classifiers.posterior.training import baseline, scores
from classifiers.posterior.training.samples import Real, read
from classifiers.posterior.training.train import digests, half
from classifiers.records import ClassifierError

#: Share of evenings, days after the last detection, days without a detection, and days of later points.
SHARE, AFTERWARDS, RECENT, LATER = 0.06, 15.0, 30.0, 14.0

#: Predicted days to the peak of "rising", and true ones of "before".
RISING, BEFORE = (3.0, 10.0), (4.0, 8.0)

#: Light curves of the measurement of the time, and its repetitions.
TIMED, REPEATED = 256, 5


@dataclass(frozen=True, slots=True, eq=False)
class Cases:
    """n cases: object, MJD of the evening, number of detections until then, and days since the first."""

    real: list[Real]
    now: Floats
    detections: Floats
    age: Floats


def evaluate(data: Path, weights: Path = storage.SHIPPED, seed: int = 0) -> dict[str, Any]:
    """Figures of the posterior, and of the older fit with ``_fit`` appended to their names."""
    cases = evenings(read(data), np.random.default_rng(seed))
    if not len(cases.now):
        raise ClassifierError(f"no supernova with a peak in {data}")
    found = outlooks(cases, weights)
    answers = baseline.of_outlooks(found), baseline.of_fit([one.rows for one in cases.real], cases.now)
    own, fit = answered(cases, answers[0], exact=found), answered(cases, answers[1])
    curves = [light_curve(one.rows[one.rows["mjd"] <= now]) for one, now in zip(cases.real[:TIMED], cases.now, strict=False)]
    served = storage.load(weights)
    own["us_per_object"] = timed(lambda: infer(curves, weights=served), len(curves))
    fit["us_per_object"] = timed(lambda: [forecast.forecast(curve, 60000 + AHEAD) for curve in curves], len(curves))
    of_fit = {f"{key}_fit": value for key, value in fit.items()}
    return {"cases": len(cases.now), "objects": len({one.name for one in cases.real})} | own | of_fit | doubted(cases, found, answers)


def evenings(real: list[Real], rng: np.random.Generator) -> Cases:
    """Cases of the objects whose peak is known."""
    found: list[tuple[Real, float, int, float]] = []
    for one in real:
        t = one.table[0, one.table[2] >= DETECTED * one.table[3]]
        if not np.isfinite(one.peak):
            continue
        nights = np.arange(np.ceil(t[0]), t[-1] + AFTERWARDS)
        for now in nights[rng.random(len(nights)) < SHARE]:
            seen = t[t < now]
            if len(seen) and now - seen[-1] <= RECENT:
                found.append((one, now, len(seen), now - seen[0]))
    columns = [np.array([case[k] for case in found], float) for k in (1, 2, 3)]
    return Cases([case[0] for case in found], *columns)


def outlooks(cases: Cases, folder: Path) -> Outlooks:
    """Outlooks of all cases, each by a network that has not seen the object."""
    seen = storage.seen(folder)
    names = [one.name for one in cases.real]
    trained = np.isin(digests(names), seen)
    network = np.where(trained, 1 - half(names), -1)
    parts: list[Outlooks] = []
    order: list[NDArray[np.intp]] = []
    for number in np.unique(network):
        own = np.flatnonzero(network == number)
        tables = [cases.real[i].table[:, cases.real[i].table[0] < cases.now[i]] for i in own]
        parts.append(of_table(tabled(tables), storage.load(folder, "all" if number < 0 else f"half{number}")))
        order.append(own)
    return Outlooks.stack(parts)[np.argsort(np.concatenate(order))]


def answered(cases: Cases, answers: baseline.Answers, exact: Outlooks | None = None) -> dict[str, Any]:
    """Figures of one method."""
    band = np.array([0 if one.blue else 1 for one in cases.real])
    peak = answers.peak[np.arange(len(band)), band]
    truth = np.array([one.peak for one in cases.real])
    place = scores.placed(truth, peak)[0] if exact is None else exact.before(truth[:, None])[:, 0]
    off, ahead = peak[:, 1] - truth, peak[:, 1] - cases.now
    label, said = np.array([one.label for one in cases.real]), np.isfinite(place)
    rising = said & (ahead >= RISING[0]) & (ahead < RISING[1])
    before = said & (label == 0) & (truth - cases.now >= BEFORE[0]) & (truth - cases.now < BEFORE[1])
    later, later_nll, later_label = _later(cases, answers)
    columns = {"detections": cases.detections[said], "age": cases.age[said], "predicted": ahead[said]}
    return {
        **{f"coverage_{p}": value for p, value in scores.coverage(later).items()},
        "later_points_nll": round(float(np.mean(later_nll)), 4),
        "peak_coverage_68": scores.coverage(place[said])["68"],
        "peak_coverage_68_rising": scores.coverage(place[rising])["68"],
        "peak_bias_rising_d": round(float(np.median(off[rising])), 3),
        "peak_error_before_d": round(float(np.median(np.abs(off[before]))), 3),
        "peak_inside_before": scores.coverage(place[before])["68"],
        "peak_bins": scores.in_bins(columns, place[said], off[said]),
        "peak_classes": {c: scores.summary(place[m], off[m]) for k, c in enumerate(CLASSES) if (m := said & (label == k)).any()},
        "later_classes": {c: scores.coverage(later[m]) for k, c in enumerate(CLASSES) if (m := later_label == k).any()},
    }  # fmt: skip


def doubted(cases: Cases, found: Outlooks, answers: tuple[baseline.Answers, baseline.Answers]) -> dict[str, Any]:
    """The same questions where the posterior is in doubt: of both methods, posterior and older fit, share of the peaks in 68 %, median
    error of the peak in days, and negative logarithm of the density of later points.
    """
    which = np.flatnonzero(found.doubt > DOUBTFUL)
    some = Cases([cases.real[i] for i in which], cases.now[which], cases.detections[which], cases.age[which])
    truth, band = np.array([one.peak for one in some.real]), np.array([0 if one.blue else 1 for one in some.real], int)
    figures: dict[str, Any] = {"doubted": len(which)}
    for own, suffix in zip(answers, ("", "_fit"), strict=True):
        part = baseline.Answers(own.mjd[which], own.peak[which], own.flux[which])
        peak = part.peak[np.arange(len(which)), band]
        said = np.isfinite(peak).all(axis=1)
        place = scores.placed(truth, peak)[0] if suffix else found[which].before(truth[:, None])[:, 0]
        later = _later(some, part)[1] if said.any() else np.empty(0)
        figures |= {
            f"doubted_peak_coverage_68{suffix}": scores.coverage(place[said])["68"] if said.any() else None,
            f"doubted_peak_error_d{suffix}": round(float(np.median(np.abs(peak[said, 1] - truth[said]))), 3) if said.any() else None,
            f"doubted_later_nll{suffix}": round(float(later.mean()), 4) if len(later) else None,
        }
    return figures


def _later(cases: Cases, answers: baseline.Answers) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Place of the later points, negative logarithm of their density in units of their errors, and class."""
    place, nll, label = [np.empty(0)], [np.empty(0)], [np.empty(0, int)]
    for i, one in enumerate(cases.real):
        t, wavelength, flux, error = one.table
        own = (t >= cases.now[i]) & (t < cases.now[i] + LATER) & (flux >= DETECTED * error) & (t <= answers.mjd[i] + AHEAD[-1])
        if not own.any() or np.isnan(answers.flux[i]).any():
            continue
        band = (wavelength[own] >= BLUE).astype(int)
        said = np.stack([[np.interp(x - answers.mjd[i], AHEAD, q) for q in answers.flux[i, b]] for x, b in zip(t[own], band, strict=True)])
        one_place, one_nll = scores.placed(flux[own] / error[own], said / error[own, None], 1.0)
        place.append(one_place)
        nll.append(one_nll)
        label.append(np.full(own.sum(), one.label))
    return np.concatenate(place), np.concatenate(nll), np.concatenate(label)


def timed(function: Callable[[], Any], n: int) -> float:
    """Least time of the processor of several calls, in microseconds per object."""
    spent = []
    for _ in range(REPEATED):
        started = time.process_time()
        function()
        spent.append(time.process_time() - started)
    return round(1e6 * min(spent) / n, 1)
