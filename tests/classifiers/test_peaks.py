"""The peak of a whole light curve by a parabola."""

from __future__ import annotations

import numpy as np
import pytest

from classifiers import peaks


def curve(days, rise=10.0, fall=20.0):
    """A flux with its maximum at 0 that declines more slowly than it rises, and errors of 1 %."""
    t = np.asarray(days, float)
    flux = np.where(t < 0.0, np.exp(-((t / rise) ** 2) / 2.0), np.exp(-((t / fall) ** 2) / 2.0))
    return t, flux, 0.01 * np.ones(len(t))


def test_the_narrow_window_is_nearer_to_the_maximum():
    dense = curve(np.arange(-15.0, 15.1))
    assert 0.0 < peaks.vertex(*dense) < peaks.vertex(*dense, peaks.COVERS[1:]) / 1.5


def test_the_wide_window_serves_where_the_narrow_one_is_not_covered():
    sparse = curve([-14.0, -2.0, 0.5, 13.0])
    assert np.isnan(peaks.vertex(*sparse, peaks.COVERS[:1]))
    assert peaks.vertex(*sparse) == peaks.vertex(*sparse, peaks.COVERS[1:])


@pytest.mark.parametrize("days", [[], [0.0], [-3.0, -2.0, -1.0], [1.0, 2.0, 3.0, 4.0], [-30.0, 0.0, 30.0]])
def test_points_that_do_not_cover_it(days):
    assert np.isnan(peaks.vertex(*curve(days)))


def test_the_order_of_the_points_does_not_matter():
    t, flux, error = curve(np.arange(-9.0, 9.1, 3.0))
    mixed = np.random.default_rng(0).permutation(len(t))
    assert peaks.vertex(t[mixed], flux[mixed], error[mixed]) == pytest.approx(peaks.vertex(t, flux, error))
