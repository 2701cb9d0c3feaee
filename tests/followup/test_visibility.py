"""Visibility against astropy's own transformations, and where the Sun or a target never rises."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import AltAz, EarthLocation, HADec, SkyCoord, get_body, get_sun
from astropy.time import Time
from astropy.utils import iers
from hypothesis import given, settings
from hypothesis import strategies as st

from followup.records import FollowupError, Limits, Site
from followup.sites import SITES
from followup.visibility import airmass, hour_angle, moon_illumination, night, sun_altitude

CHILE = SITES["Cerro Tololo"]


def location(site):
    return EarthLocation.from_geodetic(site.longitude * u.deg, site.latitude * u.deg, site.elevation * u.m)


@pytest.fixture
def sky():
    random = np.random.default_rng(3)
    return random.uniform(0, 360, 60), np.degrees(np.arcsin(random.uniform(-1, 1, 60)))


@pytest.mark.parametrize("site", [CHILE, SITES["Mauna Kea"], Site("Tromso", 69.66, 18.94)], ids=lambda s: s.name)
@pytest.mark.parametrize("now", [61367.1, 60310.4, 61450.9])
def test_altitudes_agree_with_astropy(site, now, sky):
    ra, dec = sky
    got = night(site, ra, dec, now, Limits(sun_altitude=-10.0))
    times = Time(got.times[::15], format="mjd")
    frame = AltAz(obstime=times, location=location(site))
    expected = SkyCoord(ra[:, None] * u.deg, dec[:, None] * u.deg).transform_to(frame[None, :]).alt.deg
    np.testing.assert_allclose(got.altitude[:, ::15], expected, atol=0.012)
    moon = get_body("moon", times, location(site))
    np.testing.assert_allclose(got.moon_altitude[::15], moon.transform_to(frame).alt.deg, atol=0.012)
    here = SkyCoord(ra * u.deg, dec * u.deg).transform_to(AltAz(obstime=times[0], location=location(site)))
    apart = here.separation(moon[0].transform_to(here.frame)).deg
    np.testing.assert_allclose(got.moon_separation[:, 0], apart, atol=0.02)


def test_random_cases_agree_with_astropy():
    random = np.random.default_rng(7)
    for _ in range(8):
        site = Site("anywhere", random.uniform(-75, 75), random.uniform(-180, 180), random.uniform(0, 4000))
        ra, dec = random.uniform(0, 360, 40), np.degrees(np.arcsin(random.uniform(-1, 1, 40)))
        got = night(site, ra, dec, random.uniform(55000.0, 60300.0), Limits(sun_altitude=0.0))
        times = Time(got.times[:: max(1, len(got.times) // 4)], format="mjd")
        frame = AltAz(obstime=times, location=location(site))
        with iers.conf.set_temp("auto_download", False), iers.conf.set_temp("auto_max_age", None):
            there = SkyCoord(ra[:, None] * u.deg, dec[:, None] * u.deg).transform_to(frame[None, :])
            moon = get_body("moon", times, location(site)).transform_to(frame)
        places = slice(None, None, max(1, len(got.times) // 4))
        np.testing.assert_allclose(got.altitude[:, places], there.alt.deg, atol=0.02)
        np.testing.assert_allclose(got.moon_separation[:, places], there.separation(moon[None, :]).deg, atol=0.1)


def test_hour_angles_agree_with_astropy(sky):
    ra, dec = sky
    site, times = CHILE, 61367.1 + np.arange(0.0, 1.0, 0.2)
    got = hour_angle(site, times, ra, dec)
    frame = HADec(obstime=Time(times, format="mjd"), location=location(site))
    expected = SkyCoord(ra[:, None] * u.deg, dec[:, None] * u.deg).transform_to(frame[None, :]).ha.wrap_at(180 * u.deg).hour
    apart = (got - expected + 12.0) % 24.0 - 12.0
    np.testing.assert_allclose(apart * np.cos(np.radians(dec))[:, None], 0.0, atol=0.001)  # aberration is left out: 20 arcsec
    assert got.shape == (60, 5)
    assert ((got >= -12.0) & (got < 12.0)).all()


def test_night_lies_between_the_twilights_of_astropy(sky):
    got = night(CHILE, *sky, now=61367.7)
    edges = Time([got.times[0] - got.step / 2, got.times[-1] + got.step / 2], format="mjd")
    altitude = get_sun(edges).transform_to(AltAz(obstime=edges, location=location(CHILE))).alt.deg
    np.testing.assert_allclose(altitude, -18.0, atol=0.05)
    assert (sun_altitude(CHILE, got.times) < -17.95).all()
    assert got.now < got.times[0] < got.times[-1] < got.now + 1
    np.testing.assert_allclose(np.diff(got.times), got.step, rtol=1e-6)


def test_in_the_night_only_what_is_left_of_it_counts(sky):
    whole, rest = night(CHILE, *sky, now=61366.9), night(CHILE, *sky, now=61367.25)
    assert rest.times[0] - rest.step / 2 == pytest.approx(61367.25)
    assert rest.times[-1] + rest.step / 2 == pytest.approx(whole.times[-1] + whole.step / 2, abs=1e-4)
    assert (rest.hours <= whole.hours + 0.2).all()
    assert whole.date == rest.date == "2026-11-22"


def test_the_date_is_that_of_the_evening_at_the_site(sky):
    for site in (CHILE, SITES["Siding Spring"], SITES["Mauna Kea"]):
        for hour in range(24):
            got = night(site, *sky, now=61367.0 + hour / 24)
            evening = np.floor(got.times[0] + site.longitude / 360 - 0.5)
            assert got.date == Time(evening, format="mjd").iso[:10]


def test_polar_day_has_no_night_and_polar_night_ends_at_noon(sky):
    pole = Site("pole", -89.99, 0.0)
    day = night(pole, *sky, now=61395.0)
    assert day.times.size == 0
    assert day.altitude.shape == (60, 0)
    assert (day.hours == 0).all()
    dark = night(pole, *sky, now=61215.2)
    assert 0 < len(dark.times) * dark.step <= 1.0
    assert dark.hours.max() > 0


def test_what_never_rises_has_no_hours_and_what_never_sets_has_all():
    north = Site("north", 60.0, 0.0)
    got = night(north, np.array([10.0, 10.0, 0.0]), np.array([-75.0, 89.0, 90.0]), now=61367.5)
    assert got.hours[0] == 0
    assert got.hours[1] == pytest.approx(len(got.times) * got.step * 24)
    np.testing.assert_allclose(got.altitude[2], 60.0, atol=0.2)  # the pole of date is 0.15 degrees from that of J2000


def test_moon_near_the_target_ends_its_hours():
    now = 61367.083
    at = Time(now, format="mjd")
    moon = get_body("moon", at, location(CHILE))  # its direction from the site; the axes are those of the ICRS
    got = night(CHILE, np.array([moon.ra.deg]), np.array([moon.dec.deg]), now)
    assert got.hours[0] == 0
    assert night(CHILE, np.array([moon.ra.deg]), np.array([moon.dec.deg]), now, Limits(moon_separation=0.0)).hours[0] > 1


@pytest.mark.parametrize(
    ("when", "lit"), [("2026-11-24T14:53", 1.0), ("2026-12-09T00:52", 0.0), ("2026-11-17T11:48", 0.5), ("2026-12-01T06:09", 0.5)]
)
def test_phases_of_the_moon_as_the_almanac_has_them(when, lit):
    assert moon_illumination(Time(when).mjd) == pytest.approx(lit, abs=0.01)


@pytest.mark.parametrize("limits", [{"max_airmass": 0.5}, {"max_airmass": float("nan")}, {"sun_altitude": -100}, {"moon_separation": -1}])
def test_limits_that_cannot_be_are_refused(limits):
    with pytest.raises(FollowupError, match="impossible limits"):
        Limits(**limits)


def test_airmass_is_the_secant_and_infinite_below_the_horizon():
    np.testing.assert_allclose(airmass(np.array([90.0, 30.0, 0.0, -10.0])), [1.0, 2.0, np.inf, np.inf])


@settings(max_examples=30)
@given(
    latitude=st.floats(-90, 90),
    longitude=st.floats(-180, 180),
    now=st.floats(58000, 66000),
    sun=st.sampled_from([-18.0, -12.0]),
)
def test_anywhere_and_any_time_the_night_is_dark_and_less_than_a_day(latitude, longitude, now, sun):
    site = Site("anywhere", latitude, longitude)
    got = night(site, np.array([0.0, 180.0]), np.array([-45.0, 45.0]), now, Limits(sun_altitude=sun))
    assert len(got.times) * got.step <= 1.0 + 1e-9
    assert ((got.times >= now) & (got.times < now + 2.0)).all()
    assert (sun_altitude(site, got.times) < sun + 0.02).all()
    assert got.altitude.shape == got.moon_separation.shape == got.observable.shape == (2, len(got.times))


def test_batch_equals_singles_and_arrays_are_read_only(sky):
    ra, dec = sky
    whole = night(CHILE, ra, dec, now=61367.083)
    single = night(CHILE, ra[7:8], dec[7:8], now=61367.083)
    np.testing.assert_allclose(whole.altitude[7], single.altitude[0], rtol=0, atol=1e-9)
    assert whole.hours[7] == single.hours[0]
    with pytest.raises(ValueError, match="read-only"):
        whole.altitude[0, 0] = 1.0


def test_no_earth_orientation_table_is_asked_for(sky, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("asked for an IERS table")

    monkeypatch.setattr(iers.earth_orientation_table, "get", refuse)
    monkeypatch.setattr(iers.IERS_Auto, "open", refuse)
    assert night(CHILE, *sky, now=64000.1).hours.shape == (60,)
