"""The correction against its formulae in magnitudes, and the flags against their definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker_adapters import photometry
from broker_adapters.correction import correct, first, stellar
from broker_adapters.records import Kind, blank
from broker_adapters.significance import series


def rows(n, **columns):
    table = blank(n)
    table["survey"], table["band"], table["mjd"] = "ztf", "g", 60000.0 + np.arange(n)
    for name, values in columns.items():
        table[name] = values
    return table


def in_magnitudes(magpsf, sigmapsf, magnr, sigmagnr, sign):
    """ALeRCE's formulae as they are published, one detection at a time."""
    difference, reference = 10 ** (-0.4 * magpsf), 10 ** (-0.4 * magnr)
    total = reference + sign * difference
    radicand = difference**2 * sigmapsf**2 - reference**2 * sigmagnr**2
    return -2.5 * np.log10(total), np.sqrt(radicand) / total if radicand >= 0 else np.nan, difference * sigmapsf / total


@given(st.floats(14, 21), st.floats(0.01, 0.3), st.floats(13, 21), st.floats(0.001, 0.3), st.sampled_from([1, -1]))
def test_published_formulae(magpsf, sigmapsf, magnr, sigmagnr, sign):
    flux, reference = photometry.flux_from_magnitude(magpsf, sign), photometry.flux_from_magnitude(magnr)
    found = correct(
        rows(
            1,
            flux=flux,
            flux_err=photometry.flux_error(flux, sigmapsf),
            ref_flux=reference,
            ref_flux_err=photometry.flux_error(reference, sigmagnr),
        )
    )
    if flux + reference <= 1e-6 * reference:
        assert np.isnan([found.magnitude[0], found.error[0], found.error_extended[0]]).all() or flux + reference > 0
        return
    expected = in_magnitudes(magpsf, sigmapsf, magnr, sigmagnr, sign)
    assert [found.magnitude[0], found.error_extended[0]] == pytest.approx([expected[0], expected[2]], rel=1e-5, abs=1e-5)
    near_zero = abs((10 ** (-0.4 * (magpsf - magnr)) * sigmapsf / sigmagnr) - 1) < 1e-6  # where rounding decides the sign of the radicand
    assert near_zero or found.error[0] == pytest.approx(expected[1], rel=1e-4, nan_ok=True)


def test_what_is_undefined_is_nan():
    found = correct(rows(3, flux=[-2e4, 1e4, 1e4], flux_err=100.0, ref_flux=[1e4, np.nan, 1e4], ref_flux_err=[1.0, np.nan, 1e6]))
    assert np.isnan(found.magnitude).tolist() == [True, True, False]  # total not positive; not corrected
    assert np.isnan(found.error).tolist() == [True, True, True]  # ... ; reference noisier than the difference
    assert np.isnan(found.error_extended).tolist() == [True, True, False]
    assert found.corrected.tolist() == [True, False, True]


def test_dubious():
    found = correct(rows(6, mjd=[5, 0, 1, 2, 3, 4], flux=[1, 1, -1, 1, -1, np.nan], ref_flux=[9, 9, 9, np.nan, np.nan, np.nan]))
    # like the first; the first; faded above a reference; lost its reference; faded and lost it; a limit says nothing
    assert found.dubious.tolist() == [False, False, False, True, True, True]
    limit = rows(2, flux=[1, np.nan], ref_flux=[9, np.nan], kind=[Kind.ALERT, Kind.LIMIT])
    assert correct(limit).dubious.tolist() == [False, False]
    # without a reference from the start a fading is dubious, a brightening is not, and a later reference is
    assert correct(rows(3, flux=[1, -1, 1], ref_flux=[np.nan, np.nan, 9])).dubious.tolist() == [False, True, True]


def test_first_is_by_owner_survey_band_and_kind():
    table = rows(6, flux=1.0, ref_flux=[9, np.nan] * 3)
    table["band"] = ["g", "r"] * 3
    assert not correct(table).dubious.any()
    assert not correct(rows(2, flux=1.0, ref_flux=[9, np.nan]), owner=[1, 2]).dubious.any()
    assert not correct(rows(2, flux=1.0, ref_flux=[9, np.nan], survey=["ztf", "lsst"])).dubious.any()
    assert not correct(rows(2, flux=1.0, ref_flux=[9, np.nan], kind=[Kind.ALERT, Kind.FORCED])).dubious.any()
    assert correct(rows(2, flux=1.0, ref_flux=[9, np.nan])).dubious.any()


@given(st.integers(0, 10**6))
def test_series_and_first(seed):
    random = np.random.default_rng(seed)
    n = random.integers(0, 30)
    table = rows(n)
    table["survey"], table["band"] = random.choice(["ztf", "lsst", "atlas"], n), random.choice(["g", "r", "o"], n)
    table["mjd"] = random.uniform(0, 1, n)
    owner = random.integers(0, 3, n)
    group = series(table, owner)
    keys = list(zip(owner.tolist(), table["survey"].tolist(), table["band"].tolist(), strict=True))
    assert len(set(zip(keys, group.tolist(), strict=True))) == len(set(keys)) == len(set(group.tolist())) == group.max(initial=-1) + 1
    for k, index in enumerate(first(group, table["mjd"])):
        assert index == min((j for j in range(n) if keys[j] == keys[k]), key=lambda j: table["mjd"][j])


STAR = {"distnr": 0.3, "distpsnr1": 0.2, "sgscore1": 0.9, "chinr": 1.0, "sharpnr": 0.0}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"sgscore1": 0.4}, False),  # not more than
        ({"distnr": 1.4}, False),
        ({"distnr": -999.0}, False),
        ({"distnr": None}, False),
        ({"distpsnr1": 5.0, "sgscore1": 0.0}, True),  # by the shape in ZTF's own reference
        ({"distpsnr1": -999.0, "sgscore1": 0.0}, True),
        ({"distpsnr1": 5.0, "chinr": 2.0}, False),
        ({"distpsnr1": 5.0, "sharpnr": -0.2}, False),  # an inverted test of the range says True here
        ({"distpsnr1": 5.0, "sharpnr": 0.1}, False),
    ],
)
def test_stellar(changes, expected):
    assert bool(stellar({**STAR, **changes})) is expected


def test_stellar_of_many():
    assert stellar({k: [v, v] for k, v in {**STAR}.items()} | {"sgscore1": [0.9, 0.1]}).tolist() == [True, False]
    assert not stellar({})
