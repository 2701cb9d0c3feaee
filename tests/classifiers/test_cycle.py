"""The cycle of a periodic light curve is found, with errors that hold, and a light curve without one has none."""

from __future__ import annotations

import numpy as np
import pytest

from broker_adapters.photometry import flux_from_magnitude
from broker_adapters.records import Kind, blank
from classifiers.models.lightcurve.context import context
from classifiers.models.lightcurve.cycle import cycle
from classifiers.models.lightcurve.series import light_curve


def star(period, minimum, seed, n=160, depth=0.4, noise=0.03):
    """A total light curve that is faintest at ``minimum``, in g and r, over 300 days."""
    random = np.random.default_rng(seed)
    t = np.sort(60_000.0 + random.uniform(0.0, 300.0, n))
    magnitude = 17.0 + 0.5 * depth * np.cos(2.0 * np.pi * (t - minimum) / period) + random.normal(0.0, noise, n)
    flux, mean = flux_from_magnitude(magnitude), float(flux_from_magnitude(17.0))
    rows = blank(n)
    rows["survey"], rows["kind"], rows["mjd"], rows["band"] = "ztf", Kind.ALERT, t, np.where(np.arange(n) % 3, "r", "g")
    rows["source_id"] = [str(i) for i in range(n)]
    rows["flux"], rows["ref_flux"], rows["flux_err"], rows["ref_flux_err"] = flux - mean, mean, flux * noise / 1.0857, mean * 0.001
    rows["reliability"] = 1.0
    return rows


@pytest.mark.parametrize(("period", "seed"), [(0.61, 1), (3.7, 2), (41.0, 3)])
def test_period_amplitude_and_minimum_are_found_within_their_errors(period, seed):
    minimum = 60_123.4
    found = cycle(context(light_curve(star(period, minimum, seed))))
    assert abs(found["period"] - period) < 5.0 * found["period_err"] + 1e-3 * period
    assert found["amplitude"] == pytest.approx(0.4, abs=0.05)
    off = (found["minimum"] - minimum + 0.5 * period) % period - 0.5 * period
    assert abs(off) < 5.0 * found["minimum_err"]
    assert found["minimum_err"] < 0.05 * period
    assert 60_280.0 - period <= found["minimum"] <= 60_300.0


def test_too_few_points_have_no_cycle():
    assert cycle(context(light_curve(star(3.7, 60_000.0, 4, n=10)))) is None
