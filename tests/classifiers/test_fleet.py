"""FLEET where every rate describes the points equally well."""

import numpy as np

from classifiers.models.lightcurve.features import fleet


def test_a_rise_in_one_point_alone_does_not_leave_the_rate_to_rounding():
    rng = np.random.default_rng(0)
    t = np.concatenate([[0.0], 4000 + np.sort(rng.uniform(0, 1000, 40))])
    m, e = np.concatenate([[19.0], 18 + rng.normal(0, 0.3, 40)]), np.full(41, 0.05)
    rates = {fleet.one_band(58000 + t, m + shift, e)[1] for shift in np.linspace(0, 1, 50)}
    assert rates == {fleet.RATES[0]}
