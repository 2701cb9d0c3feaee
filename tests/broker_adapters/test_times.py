"""Clocks and calendars against astropy, and their inverses."""

from datetime import date, datetime, timezone

import numpy as np
import pytest
from astropy.time import Time
from hypothesis import assume, given
from hypothesis import strategies as st

from broker_adapters import times


@given(st.floats(41317.5, 61500))
def test_tai_is_as_astropy_says(mjd):
    assume(np.abs(mjd - times._LEAP_MJD).min() > 1.001)  # the day that ends with a leap second is a second longer in astropy's MJD
    assert times.utc_from_tai(mjd) == pytest.approx(Time(mjd, format="mjd", scale="tai").utc.mjd, abs=2e-9)
    assert times.utc_from_tai(times.tai_from_utc(mjd)) == pytest.approx(mjd, abs=1e-10)


@pytest.mark.parametrize(("mjd", "seconds"), [(57540.0, 36), (57755.0, 37), (61100.0, 37), (62502.0, 37)])
def test_leap_seconds(mjd, seconds):
    assert (times.tai_from_utc(mjd) - mjd) * 86400 == pytest.approx(seconds, abs=1e-5)


def test_julian_dates():
    assert times.mjd_from_jd(2458653.7072454) == pytest.approx(58653.2072454, abs=1e-9)
    assert times.jd_from_mjd(times.mjd_from_jd(2458653.7072454)) == 2458653.7072454
    assert (times.mid_exposure(58653.0, 30.0) - 58653.0) * 86400 == pytest.approx(15.0, abs=1e-5)


@given(st.floats(41400, 62000))
def test_tt_is_as_astropy_says(mjd):
    assume(np.abs(mjd - times._LEAP_MJD).min() > 1.001)
    assert times.tt_from_utc(mjd) == pytest.approx(Time(mjd, format="mjd", scale="utc").tt.mjd, abs=2e-9)


@given(st.floats(0, 88000))
def test_dates_round_trip_and_are_as_astropy_says(mjd):
    moment = times.datetime_from_mjd(mjd)
    assert moment.tzinfo is timezone.utc
    assert times.mjd_from_datetime(moment) == pytest.approx(mjd, abs=1e-10)
    assert times.day_from_date(times.date_from_day(int(mjd))) == int(mjd)


def test_days_and_dates_are_those_of_the_calendar():
    assert times.mjd_from_datetime(datetime(1970, 1, 1, tzinfo=timezone.utc)) == 40587.0
    assert times.date_from_day(61371) == Time(61371, format="mjd").to_datetime().date()
    assert times.day_from_date(date(1858, 11, 17)) == 0
