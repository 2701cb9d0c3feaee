"""Zero points and clocks against their definitions, and their inverses."""

import numpy as np
import pytest
from astropy import units as u
from hypothesis import given
from hypothesis import strategies as st

from broker_adapters import photometry as p

magnitudes = st.floats(5, 30)
fluxes = st.floats(1e-2, 1e10)


def test_a_jansky_is_8_90():
    assert p.flux_from_magnitude(8.9) == pytest.approx(1e9)
    assert p.magnitude_from_flux(1e9) == pytest.approx(8.9)
    assert p.flux_from_counts(1.0, 23.9) == pytest.approx(p.NJY_PER_UJY)
    assert p.flux_from_magnitude(20.0) == pytest.approx((20.0 * u.ABmag).to_value(u.nJy), rel=1e-4)  # 8.90 stands for 8.90007


@given(magnitudes)
def test_magnitude_round_trip(magnitude):
    assert p.magnitude_from_flux(p.flux_from_magnitude(magnitude)) == pytest.approx(magnitude, abs=1e-12)


@given(fluxes, magnitudes)
def test_counts_round_trip(counts, zero_point):
    assert p.counts_from_flux(p.flux_from_counts(counts, zero_point), zero_point) == pytest.approx(counts)


@given(fluxes, st.floats(1e-4, 1))
def test_error_round_trip(flux, error):
    assert p.magnitude_error(flux, p.flux_error(flux, error)) == pytest.approx(error)
    assert p.flux_error(-flux, error) == p.flux_error(flux, error) > 0


def test_errors_are_the_slope():
    flux, step = 1000.0, 1e-3
    slope = (p.magnitude_from_flux(flux) - p.magnitude_from_flux(flux + step)) / step
    assert p.magnitude_error(flux, 1.0) == pytest.approx(slope, rel=1e-5)


@given(magnitudes, st.floats(1, 10))
def test_limit_round_trip(limit, n_sigma):
    error = p.flux_error_from_limit(limit, n_sigma)
    assert p.flux_from_magnitude(limit) == pytest.approx(n_sigma * error)
    assert p.limit_from_flux_error(error, n_sigma) == pytest.approx(limit)


def test_what_has_no_magnitude_is_nan():
    assert np.isnan(p.magnitude_from_flux([0.0, -5.0, np.nan])).all()
    assert np.isnan(p.magnitude_error([0.0, -5.0], 1.0)).all()
