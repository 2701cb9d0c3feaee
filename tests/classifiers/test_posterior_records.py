"""Outlooks: their tables read at any moment, and the way to bytes and back."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from classifiers.models.lightcurve import series
from classifiers.posterior.records import AHEAD, CLASSES, DAYS, FAMILIES, QUANTILES, Outlooks
from classifiers.records import ClassifierError

#: Mean and scatter (d) of the time of the peak by class in the made outlooks.
MEAN, SIGMA = np.array([3.0, 0.0, 10.0, 30.0]), np.array([2.0, 2.0, 5.0, 10.0])


def made(n: int = 3) -> Outlooks:
    """Outlooks of normal distributions, of a source that fades by 0.1 mag a day, invisible in g after 20 d."""
    magnitude = 18.0 + 0.1 * AHEAD + np.array([-0.2, 0.0, 0.2])[:, None] + np.zeros((n, 2, 3, len(AHEAD)))
    magnitude[:, 0, :, 20:] = np.nan
    return Outlooks(
        mjd=60000.25 + np.arange(n),
        peak_cdf=np.broadcast_to(norm.cdf(DAYS, MEAN[:, None], SIGMA[:, None]), (n, len(CLASSES), len(DAYS))),
        classes=np.broadcast_to([0.7, 0.1, 0.2, 0.0], (n, 4)),
        magnitude=magnitude,
        peak_magnitude=np.full((n, 2, 3), 17.5),
        explosion=np.broadcast_to([-12.0, -10.0, -9.0], (n, 3)),
        doubt=np.linspace(0.1, 0.9, n),
        fallback=np.arange(n) == 1,
    )


def test_arrays_are_read_only_and_those_of_the_caller_are_not():
    mjd = np.array([60000.0])
    outlook = made(1)
    one = Outlooks(mjd, *(getattr(outlook, name) for name in Outlooks.__slots__[1:]))
    with pytest.raises(ValueError, match="read-only"):
        one.mjd[0] = 0
    mjd[0] = 1


def test_another_shape_is_refused_by_its_name():
    outlook = made(2)
    values = {name: getattr(outlook, name) for name in Outlooks.__slots__} | {"explosion": np.zeros((2, 2))}
    with pytest.raises(ClassifierError, match="explosion"):
        Outlooks(**values)


@pytest.mark.parametrize("which", [0, -1, slice(1, None), np.array([2, 0])])
def test_rows_by_index(which):
    outlooks = made()
    assert outlooks[which].mjd.tolist() == np.atleast_1d(outlooks.mjd[which]).tolist()
    assert len(Outlooks.stack([outlooks[which], outlooks])) == len(outlooks[which]) + 3


def test_near_peak_is_that_of_the_distribution_and_of_the_class_given():
    outlooks = made()
    at = outlooks.mjd[:, None] + MEAN[0]
    sure = np.tile([1.0, 0, 0, 0], (3, 1))
    expected = norm.cdf(2.0) - norm.cdf(-2.0)
    assert outlooks.near_peak(at, weights=sure) == pytest.approx(expected, abs=1e-6)
    assert outlooks.near_peak(at, weights=0.5 * sure) == pytest.approx(expected / 2, abs=1e-6)
    assert outlooks.before(at, sure) == pytest.approx(0.5, abs=1e-6)
    assert outlooks.near_peak(at[0]).shape == (3, 1)
    assert (outlooks.near_peak(outlooks.mjd[:, None] + [-200.0, 200.0]) == 0).all()


def test_a_table_may_be_moved_to_where_the_peak_was():
    outlooks = made()
    moved = replace(outlooks, shift=[-200.0, 0.0, -40.0])
    assert moved.peak() - outlooks.peak() == pytest.approx(np.tile([[-200.0], [0.0], [-40.0]], 3), abs=1e-6)
    assert moved.near_peak(moved.peak()[:, 1:2]) == pytest.approx(outlooks.near_peak(outlooks.peak()[:, 1:2]), abs=1e-6)
    assert Outlooks.unpack(moved.pack()).shift.tolist() == [-200.0, 0.0, -40.0]


def test_peak_quantiles():
    outlooks = made()
    sure = np.tile([5.0, 0, 0, 0], (3, 1))
    expected = norm.ppf(QUANTILES, MEAN[0], SIGMA[0])
    assert outlooks.peak(sure) - outlooks.mjd[:, None] == pytest.approx(np.tile(expected, (3, 1)), abs=0.05)
    assert np.isnan(outlooks.peak(np.zeros((3, 4)))).all()


def test_magnitudes_between_the_days():
    outlooks = made()
    at = outlooks.mjd[:, None] + [0.0, 0.5, 30.0, 30.5, -0.5]
    assert outlooks.at(at, "r")[:, 1] == pytest.approx(np.tile([18.0, 18.05, 21.0, np.nan, np.nan], (3, 1)), abs=1e-5, nan_ok=True)
    last = outlooks.at(outlooks.mjd[:, None] + [19.0, 19.5], "g")
    assert np.isfinite(last[..., 0]).all()
    assert np.isnan(last[..., 1]).all()


def test_reading_outlooks_needs_little_and_the_families_are_those_of_the_classifier():
    code = (
        "import sys, classifiers.posterior.records; print(sorted({'numba', 'scipy', 'astropy'} & {m.split('.')[0] for m in sys.modules}))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    assert series.FAMILIES == FAMILIES


def test_bytes_and_back():
    outlooks = made()
    packed = outlooks.pack()
    assert max(map(len, packed)) <= 1500
    back = Outlooks.unpack(packed)
    for name in Outlooks.__slots__:
        step = 1e-3 if "magnitude" in name else 1e-5
        assert getattr(back, name) == pytest.approx(getattr(outlooks, name), abs=step, nan_ok=True)
    assert back.pack() == packed
    assert len(Outlooks.unpack([])) == len(Outlooks.stack([])) == 0


@pytest.mark.parametrize("damaged", [b"", made(1).pack()[0][:-1], b"\x09" + made(1).pack()[0][1:]])
def test_damaged_bytes_are_said(damaged):
    with pytest.raises(ClassifierError, match="no outlook of version 2"):
        Outlooks.unpack([damaged])
