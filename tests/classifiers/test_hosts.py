import numpy as np
import pytest
from astropy.cosmology import FlatLambdaCDM
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import context
from broker_adapters import catalogue
from broker_adapters.catalogue import MAGNITUDES
from broker_adapters.catalogues import galaxies
from classifiers import hosts


def galaxy(ra=150.0, dec=2.0, **columns):
    row = catalogue.blank(1)
    known = {
        "kind": "galaxy", "id": "one", "catalogue": "tests", "redshift": 0.03, "redshift_kind": "spectrum", "size": 10.0,
        "axis_ratio": 0.5, "position_angle": 90.0, "B": 15.0,
    } | columns | {"ra": ra, "dec": dec}  # fmt: skip
    for name, value in known.items():
        if name in MAGNITUDES:
            row["magnitudes"][:, MAGNITUDES.index(name)] = value
        else:
            row[name] = value
    return row


def around(rows, ra, dec):
    return catalogue.nearest(rows, ra, dec, 7200.0)


def moved(ra, dec, east, north):
    """A place some arcseconds to the east and north."""
    return ra + east / 3600.0 / np.cos(np.radians(dec)), dec + north / 3600.0


@pytest.mark.parametrize("dec", [-70.0, 0.0, 2.0, 70.0])
def test_light_radii_follow_the_ellipse_at_any_declination(dec):
    rows = galaxy(dec=dec, position_angle=90.0)
    along, across = moved(150.0, dec, 20.0, 0.0), moved(150.0, dec, 0.0, 20.0)
    assert hosts.associate(around(rows, *along), *along).offset[0] == pytest.approx(2.0, rel=2e-3)
    assert hosts.associate(around(rows, *across), *across).offset[0] == pytest.approx(4.0, rel=2e-3)


def test_a_position_angle_runs_from_north_through_east():
    rows = galaxy(dec=60.0, position_angle=45.0)
    north_east, north_west = moved(150.0, 60.0, 10.0, 10.0), moved(150.0, 60.0, -10.0, 10.0)
    major = hosts.associate(around(rows, *north_east), *north_east).offset[0]
    minor = hosts.associate(around(rows, *north_west), *north_west).offset[0]
    assert major == pytest.approx(np.sqrt(2.0), rel=5e-3)
    assert minor == pytest.approx(2.0 * np.sqrt(2.0), rel=5e-3)


def test_right_ascension_zero_is_nothing_special():
    here = (0.001, 10.0)
    made = hosts.associate(around(galaxy(ra=359.999, dec=10.0, position_angle=90.0), *here), *here)
    assert made.offset[0] == pytest.approx(7.2 * np.cos(np.radians(10.0)) / 10.0, rel=1e-3)


def test_a_galaxy_of_unknown_shape_is_round_and_small():
    here = moved(150.0, 2.0, 4.0, 0.0)
    rows = galaxy(size=np.nan, axis_ratio=np.nan, position_angle=np.nan, redshift=np.nan, B=np.nan)
    made = hosts.associate(around(rows, *here), *here)
    assert made.offset[0] == pytest.approx(2.0, rel=1e-3)
    assert 0.0 < made.probability[0] < 1.0
    assert np.isnan(made.redshift[0])
    assert not made.claimed[0]
    assert "size unknown" in made.why(0)
    assert "redshift unknown" in made.why(0)
    assert "nan" not in made.why(0)


def test_moments_give_axis_ratio_and_angle():
    angle, ratio = np.radians(30.0), 0.5
    kappa = (1.0 - ratio) / (1.0 + ratio)
    found = hosts.from_moments(kappa * np.cos(2.0 * angle), kappa * np.sin(2.0 * angle))
    assert found[0] == pytest.approx(ratio)
    assert found[1] == pytest.approx(30.0)
    assert hosts.from_moments(0.0, 0.0)[0] == 1.0
    assert hosts.from_moments(3.0, 4.0)[0] == pytest.approx(0.01 / 1.99)


def test_the_near_and_large_galaxy_wins_and_the_rest_adds_up():
    here = moved(150.0, 2.0, 5.0, 0.0)
    rows = np.concatenate(
        [galaxy(), galaxy(ra=150.02, id="far", B=18.0, size=3.0, redshift=0.09), galaxy(id="dot", kind="star", ra=here[0])]
    )
    made = hosts.associate(around(rows, *here), *here)
    assert made.galaxies["id"].tolist() == ["one", "far"], "stars are no hosts"
    assert made.best[0] == 0
    assert made.claimed[0]
    assert made.redshift[0] == pytest.approx(0.03)
    assert made.probability.sum() + made.unlisted[0] + made.hostless[0] == pytest.approx(1.0)
    assert made.distance[0] == pytest.approx(131.4, rel=0.01)
    assert made.kpc[0] == pytest.approx(5.0 * 0.601, rel=0.02)
    assert made.why(0).startswith("5.0″ away, 0.5 light radii, z 0.0300 (spectrum), M_B -20.6")


def test_what_seems_too_bright_has_a_wrong_redshift():
    here = moved(150.0, 2.0, 5.0, 0.0)
    usual, absurd = (hosts.associate(around(galaxy(B=b, redshift=0.09), *here), *here).probability[0] for b in (17.5, 13.0))
    assert absurd < usual


def test_galaxies_of_a_group_share_a_redshift():
    here = moved(150.0, 2.0, 30.0, 0.0)
    rows = np.concatenate([galaxy(), galaxy(ra=150.0 + 60.0 / 3600.0, id="two", redshift=0.031)])
    made = hosts.associate(around(rows, *here), *here)
    assert made.redshift_probability[0] == pytest.approx(made.probability.sum())
    assert made.redshift_probability[0] > made.probability.max()


def test_nobody_near_and_nothing_asked():
    made = hosts.associate(catalogue.blank(0), [1.0, 2.0], [3.0, 4.0])
    assert made.best.tolist() == [-1, -1]
    np.testing.assert_allclose(made.unlisted + made.hostless, 1.0)
    assert np.isnan(made.redshift).all()
    assert np.isnan(made.kpc).all()
    assert hosts.associate(catalogue.blank(0), [], []).best.shape == (0,)


def test_the_chance_is_that_of_bloom():
    """20 mag at 5 arcsec: σ = 10^(.33 (20 - 24) - 2.44) / (.33 ln 10) per square arcsecond."""
    rows = galaxy(r=20.0, B=np.nan)
    rows["separation"] = 5.0
    sigma = 10 ** (0.33 * -4.0 - 2.44) / (0.33 * np.log(10.0))
    assert hosts.chances(rows)[0] == pytest.approx(1.0 - np.exp(-np.pi * 25.0 * sigma))
    assert np.isnan(hosts.chances(galaxy(B=np.nan))[0])


def test_distances_are_those_of_the_cosmology():
    z = np.array([0.001, 0.01, 0.05, 0.1, 0.3])
    rows = np.concatenate([galaxy(redshift=one) for one in z])
    np.testing.assert_allclose(hosts.distances(rows), FlatLambdaCDM(70.0, 0.3).luminosity_distance(z).value, rtol=0.01)
    assert np.isnan(hosts.distances(galaxy(redshift=-0.001))[0])
    assert hosts.distances(galaxy(distance=12.0))[0] == pytest.approx(12.0)


def some(random, name):
    ra, dec = 150.0 + random.normal(0, 0.01), 2.0 + random.normal(0, 0.01)
    known = {"redshift": random.choice([np.nan, 0.01, 0.05]), "size": random.choice([np.nan, 1.0, 30.0])}
    return galaxy(ra=ra, dec=dec, id=name, B=random.uniform(13, 19), **known)


@given(st.integers(0, 2**31))
def test_batch_equals_singles_in_any_order(seed):
    random = np.random.default_rng(seed)
    rows = np.concatenate([some(random, str(k)) for k in range(6)])
    ra, dec = 150.0 + random.normal(0, 0.01, 3), 2.0 + random.normal(0, 0.01, 3)
    parts = []
    for k in range(3):
        part = around(rows, ra[k], dec[k]).copy()
        part["query"] = k
        parts.append(part)
    every = np.concatenate(parts[::-1])
    made = hosts.associate(every, ra, dec)
    for k in range(3):
        alone = hosts.associate(around(rows, ra[k], dec[k]), ra[k], dec[k])
        mine = made.galaxies["query"] == k
        np.testing.assert_allclose(made.probability[mine], alone.probability)
        np.testing.assert_allclose(made.unlisted[k], alone.unlisted[0])
        assert made.galaxies["id"][made.best[k]] == alone.galaxies["id"][alone.best[0]]
    assert ((made.probability >= 0.0) & (made.probability <= 1.0)).all()


@pytest.mark.real_data
def test_redshifts_of_hosts_are_those_of_transients(real_data):
    """The packaged galaxies against half of the Bright Transient Survey; docs/context.md has the figures, with those of all of GLADE+."""
    if not context.TRANSIENTS.is_file():
        pytest.skip("no transients")
    ra, dec, z, quoted = context.transients()
    made = hosts.associate(galaxies.Catalogue().cone(ra, dec, hosts.RADIUS), ra, dec)
    right = made.claimed & (np.abs(made.redshift - z) <= context.RIGHT)
    near, all_ = quoted & (z < 0.02), quoted & (z < 0.05)
    assert right[near].mean() >= 0.685
    assert right[all_].mean() >= 0.47
    assert right[near & made.claimed].mean() >= 0.97
    assert right[all_ & made.claimed].mean() >= 0.96


def test_what_somebody_says_is_certain_wherever_the_galaxy_is_a_candidate():
    here = moved(150.0, 2.0, 4.0, 0.0)
    far = moved(150.0, 2.0, 60.0, 0.0)
    rows = np.concatenate([galaxy(), galaxy(*far, id="two", redshift=0.08)])
    two = hosts.associate(around(rows, *here), *here, {0: far})
    assert two.galaxies["id"][two.best[0]] == "two"
    assert two.probability.tolist() == [0.0, 1.0]
    assert (two.redshift[0], two.claimed[0], two.unlisted[0]) == (0.08, True, 0.0)
    none = hosts.associate(around(rows, *here), *here, {0: None})
    assert none.best[0] == -1
    assert not none.claimed[0]
    assert none.unlisted[0] + none.hostless[0] == pytest.approx(1.0)
    elsewhere = hosts.associate(around(rows, *here), *here, {0: (10.0, 10.0)})
    assert elsewhere.probability.tolist() == hosts.associate(around(rows, *here), *here).probability.tolist()
