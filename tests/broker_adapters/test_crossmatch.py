"""Matching against brute force, at the seams of the sphere, and invariant under its rotations."""

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from hypothesis import given
from hypothesis import strategies as st

from broker_adapters.crossmatch import ARCSEC, match, mean_direction, mean_position, mean_positions, separation, unit_vectors

angles = st.floats(0, 360)
latitudes = st.floats(-90, 90)


def offset(ra, dec, arcsec, direction):
    """The position that lies so far from another one, in degrees; astropy's own loses digits at the poles, in an arcsine."""
    (a, d, s, t) = np.radians([ra, dec, arcsec / 3600, direction])
    here = np.array([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)])
    north, east = np.array([-np.sin(d) * np.cos(a), -np.sin(d) * np.sin(a), np.cos(d)]), np.array([-np.sin(a), np.cos(a), 0.0])
    x, y, z = np.cos(s) * here + np.sin(s) * (np.cos(t) * north + np.sin(t) * east)
    return np.degrees(np.arctan2(y, x)) % 360, np.degrees(np.arctan2(z, np.hypot(x, y)))


@given(angles, latitudes, st.floats(0.1, 10), angles)
def test_radius_is_a_radius_everywhere(ra, dec, radius, direction):
    inside, outside = offset(ra, dec, 0.9 * radius, direction), offset(ra, dec, 1.1 * radius, direction)
    i, j, found = match([ra], [dec], *np.transpose([inside, outside]), radius)
    assert i.tolist() == j.tolist() == [0]
    assert found[0] == pytest.approx(0.9 * radius, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize(
    ("one", "other"), [((359.99999, 5.0), (0.00001, 5.0)), ((10.0, 89.9999), (190.0, 89.9999)), ((3.0, -90.0), (200.0, -90.0))]
)
def test_seams(one, other):
    i, _, found = match([one[0]], [one[1]], [other[0]], [other[1]], 1.0)
    expected = SkyCoord(*one, unit="deg").separation(SkyCoord(*other, unit="deg")).arcsec
    assert len(i) == 1
    assert found[0] == pytest.approx(expected, abs=1e-9)


def test_against_brute_force():
    random = np.random.default_rng(1)
    ra, dec = random.uniform(0, 0.02, (2, 2, 300))
    i, j, found = match(ra[0], dec[0], ra[1], dec[1], 5.0)
    every = separation(unit_vectors(ra[0], dec[0])[:, None], unit_vectors(ra[1], dec[1])[None])
    assert set(zip(i.tolist(), j.tolist(), strict=True)) == set(zip(*(k.tolist() for k in np.nonzero(every <= 5.0)), strict=True))
    assert found == pytest.approx(every[i, j])
    assert (np.diff(i) >= 0).all()
    assert all((np.diff(found[i == k]) >= 0).all() for k in set(i.tolist()))


@given(st.integers(0, 1000))
def test_rotation_invariance(seed):
    random = np.random.default_rng(seed)
    vectors = unit_vectors(random.uniform(0, 0.01, 40), random.uniform(0, 0.01, 40))
    rotation = np.linalg.qr(random.normal(size=(3, 3)))[0]
    turned = vectors @ rotation.T

    def pairs(v):
        ra, dec = np.degrees(np.arctan2(v[:, 1], v[:, 0])), np.degrees(np.arcsin(np.clip(v[:, 2], -1, 1)))
        i, j, found = match(ra, dec, ra, dec, 4.0)
        return {(a, b) for a, b, d in zip(i.tolist(), j.tolist(), found, strict=True) if d < 3.999}, set(
            zip(i.tolist(), j.tolist(), strict=True)
        )

    inner, outer = pairs(vectors)
    inner_turned, outer_turned = pairs(turned)
    assert inner <= outer_turned
    assert inner_turned <= outer


def test_what_has_no_position_matches_nothing():
    assert len(match([np.nan, 1.0], [0.0, np.nan], [np.nan, 1.0], [0.0, np.nan], 1e6)[0]) == 0
    assert len(match([], [], [1.0], [2.0], 1.0)[0]) == 0


def test_mean_across_the_seam():
    assert mean_position([359.9999, 0.0001], [0, 0], [0.1, 0.1])[0] % 360 == pytest.approx(0.0, abs=1e-9)
    ra, dec, error = mean_position([10.0, 10.0], [0.0, 3.0 * ARCSEC * 180 / np.pi], [0.1, 0.2])
    assert dec * 3600 == pytest.approx(3.0 * 0.2, rel=1e-6)  # weights 4 to 1
    assert error == 0.1  # errors of the frame do not average out
    assert ra == pytest.approx(10.0)
    assert np.isnan(mean_position([np.nan], [1.0], [0.1])).all()
    assert mean_position([5.0, np.nan], [1.0, 1.0], [np.nan, 1.0]) == pytest.approx((5.0, 1.0, 1.0))


def test_means_of_groups_are_the_means_of_each():
    rng = np.random.default_rng(5)
    group, ra, dec, error = rng.integers(0, 4, 50), rng.normal(10.0, 1e-4, 50), rng.normal(-30.0, 1e-4, 50), rng.uniform(0.05, 1.0, 50)
    ra[3], error[7], error[8] = np.nan, np.nan, 0.0
    together = np.array(mean_positions(group, ra, dec, error, 5))
    for k in range(4):
        assert together[:, k] == pytest.approx(mean_position(ra[group == k], dec[group == k], error[group == k]))
    assert np.isnan(together[:, 4]).all()


def test_mean_direction_counts_each_position_once():
    assert mean_direction([359.0, 1.0, np.nan], [0.0, 0.0, 1.0]) == pytest.approx([1.0, 0.0, 0.0])
    assert np.isnan(mean_direction([np.nan], [0.0])).all()
