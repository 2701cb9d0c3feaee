"""Credible regions: against brute force, mocpy, published numbers, and the law that levels of what the region predicts are uniform."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy_healpix import HEALPix
from scipy.stats import kstest

from broker_adapters import notice
from broker_adapters.notice import Cone
from broker_adapters.skymap import SkyMap
from classifiers.simulate import skymaps
from followup import regions
from followup.regions import Distances
from followup.regions.cones import sigmas

mocpy = pytest.importorskip("mocpy")
MAP = skymaps.gaussian(30.0, -20.0, 4.0, (120.0, 30.0))


def uniform(n, seed=1):
    random = np.random.default_rng(seed)
    return random.uniform(0.0, 360.0, n), np.degrees(np.arcsin(random.uniform(-1.0, 1.0, n)))


def drawn(cone, n, seed=2):
    """Places drawn from a cone's own distribution, in offsets from its centre; of small errors, where the sphere is flat."""
    random = np.random.default_rng(seed)
    share = [part for part, _ in cone.systematic] or [1.0]
    extra = np.array([more for _, more in cone.systematic] or [0.0])[random.choice(len(share), n, p=share)]
    along, across = (random.normal(0.0, np.hypot(axis / sigmas(cone.containment), extra)) for axis in (cone.error, cone.minor))
    turned = np.radians(cone.angle) + np.arctan2(across, along)
    there = SkyCoord(cone.ra * u.deg, cone.dec * u.deg).directional_offset_by(turned * u.rad, np.hypot(along, across) * u.deg)
    return there.ra.deg, there.dec.deg


def test_a_radius_is_as_many_sigmas_as_it_contains():
    assert sigmas(0.9) == pytest.approx(2.146, abs=1e-3)
    assert sigmas(0.68) == pytest.approx(1.51, abs=1e-2)
    assert sigmas(1.0 - np.exp(-0.5)) == pytest.approx(1.0)


@pytest.mark.parametrize("containment", [0.5, 0.68, 0.9, 0.95])
@pytest.mark.parametrize("radius", [0.02, 1.5, 40.0])
def test_the_radius_of_a_cone_has_the_level_that_it_contains(radius, containment):
    region = regions.prepare(Cone(359.99, 80.0, radius, radius, containment=containment))
    there = SkyCoord(359.99 * u.deg, 80.0 * u.deg).directional_offset_by(np.arange(0, 360, 30) * u.deg, radius * u.deg)
    np.testing.assert_allclose(region.level(there.ra.deg, there.dec.deg), containment, atol=2e-3)
    assert region.level(*region.best)[0] == pytest.approx(0.0, abs=1e-12)
    cap = 2.0 * np.pi * (1.0 - np.cos(np.radians(radius))) * np.degrees(1.0) ** 2
    assert region.area(containment)[0] == pytest.approx(cap, rel=5e-3)
    assert region.extent(containment) == pytest.approx(radius, rel=5e-3)


@pytest.mark.parametrize(
    "cone",
    [
        Cone(200.0, 5.0, 0.5, 0.5),
        Cone(200.0, -70.0, 0.9, 0.2, 30.0),
        Cone(0.02, 60.0, 0.1, 0.4, 120.0, 0.68),
        Cone(200.0, 5.0, 1.0, 1.0, 0.0, 0.68, ((0.579, 1.86), (0.421, 4.14))),
    ],
)
def test_levels_of_what_a_cone_predicts_are_uniform(cone):
    level = regions.prepare(cone).level(*drawn(cone, 4000))
    assert kstest(level, "uniform").pvalue > 1e-3


def test_the_axes_of_an_ellipse_lie_as_the_angle_says():
    region = regions.prepare(Cone(100.0, 10.0, 2.0, 0.5, 30.0))
    for turn, radius in ((30.0, 2.0), (210.0, 2.0), (120.0, 0.5), (300.0, 0.5)):
        there = SkyCoord(100.0 * u.deg, 10.0 * u.deg).directional_offset_by(turn * u.deg, radius * u.deg)
        assert region.level(there.ra.deg, there.dec.deg)[0] == pytest.approx(0.9, abs=1e-3)
    assert region.area(0.9)[0] == pytest.approx(np.pi * 2.0 * 0.5, rel=2e-3)


def test_gbm_with_its_systematic_error_is_wider_than_it_says():
    alone, whole = (
        regions.prepare(Cone(0.0, 0.0, 1.0, 1.0, containment=0.68, systematic=extra)) for extra in ((), ((0.579, 1.86), (0.421, 4.14)))
    )
    assert whole.area(0.9)[0] > 20.0 * alone.area(0.9)[0]
    assert 5.0 < whole.extent(0.9) < 8.0


def test_a_map_of_many_orders_is_looked_up_as_by_brute_force():
    region, (ra, dec) = regions.prepare(MAP), uniform(3000)
    ra, dec = np.append(ra, np.full(500, 30.0) + np.random.default_rng(5).normal(0, 4, 500)), np.append(dec, np.full(500, -20.0))
    got = region.level(ra, dec)
    own = np.full(len(ra), -1)
    for order in np.unique(MAP.order):
        cells = HEALPix(2 ** int(order), order="nested").lonlat_to_healpix((ra % 360) * u.deg, dec * u.deg)
        there = {cell: i for i, cell in zip(np.flatnonzero(MAP.order == order), MAP.cell[MAP.order == order], strict=True)}
        own = np.where(own < 0, [there.get(int(cell), -1) for cell in cells], own)
    probability = MAP.density * MAP.area
    wanted = np.array([probability[MAP.density >= MAP.density[i]].sum() for i in own])
    np.testing.assert_allclose(got, wanted, atol=1e-9)


@pytest.mark.parametrize("level", [0.1, 0.5, 0.9, 0.99])
def test_areas_are_those_of_mocpy(level):
    region = regions.prepare(MAP)
    moc = mocpy.MOC.from_valued_healpix_cells(MAP.cell + 4 ** (MAP.order + 1), MAP.density * MAP.area, int(MAP.order.max()), cumul_to=level)
    widest = float(np.degrees(1.0) ** 2 * MAP.area[region.inside(level)].max())
    assert region.area(level)[0] == pytest.approx(moc.sky_fraction * 41252.96125, abs=1.5 * widest)
    assert (region.level(*region.centres(region.inside(level))) <= level + 2e-3).all()


@pytest.mark.parametrize("place", [MAP, Cone(10.0, 89.0, 0.0013, 0.0013), Cone(359.9, -30.0, 9.0, 3.0, 40.0), Cone(0.0, 0.0, 60.0, 60.0)])
def test_cells_of_a_region_cover_it(place):
    region = regions.prepare(place)
    order, cell = region.cells(0.9)
    area = float((41252.96125 / (12.0 * 4.0**order)).sum())
    assert area == pytest.approx(region.area(0.9)[0], rel=0.05)
    moc = mocpy.MOC.from_healpix_cells(cell, order, 29)
    found = regions.ranges(region, 0.9)
    assert (found[1:, 0] > found[:-1, 1]).all()
    assert (found[:, 1] - found[:, 0]).sum() / (12.0 * 4.0**29) == pytest.approx(area / 41252.96125)
    assert moc.contains_lonlat(*([value] * u.deg for value in region.best))[0]


def test_a_map_that_leaves_out_part_of_the_sky_has_nothing_there():
    half = SkyMap(
        *(np.asarray(column) for column in (np.zeros(2, int), np.array([0, 1]), np.full(2, 3 / (2 * np.pi)), *np.full((3, 2), np.nan)))
    )
    region = regions.prepare(half)
    level = region.level([45.0, 135.0, 225.0, np.nan, 10.0], [45.0, 45.0, 45.0, 0.0, 95.0])
    np.testing.assert_allclose(level, 1.0)
    np.testing.assert_allclose(region.area([0.2, 1.0]), 41252.96 / 12.0 * np.array([1.0, 2.0]))
    assert np.isnan(region.level_in_space([45.0], [45.0], [10.0], [1.0])).all()


def test_levels_of_what_a_map_predicts_are_uniform_on_the_sky_and_in_space():
    random = np.random.default_rng(8)
    region, probability = regions.prepare(MAP), MAP.density * MAP.area
    cells = random.choice(len(MAP), 3000, p=probability / probability.sum())
    ra, dec = region.centres(cells)
    grid = np.linspace(0.5, 400.0, 4000)
    cdf = np.cumsum(region.distances([30.0], [-20.0]).density(grid))
    distance = np.interp(random.uniform(0, cdf[-1], 3000), cdf, grid)
    space = region.level_in_space(ra, dec, distance, np.full(3000, 1e-6))
    assert kstest(space, "uniform").pvalue > 1e-3
    assert kstest(region.level(ra, dec), "uniform").statistic < 0.05  # steps of whole cells
    wide = region.level_in_space(ra[:200], dec[:200], distance[:200], np.full(200, 40.0))
    assert ((wide > 0.0) & (wide <= 1.0)).all()
    assert np.isnan(region.level_in_space([30.0], [-20.0], [np.nan], [1.0])).all()


@pytest.mark.parametrize(("mu", "sigma", "distance", "error"), [(120, 30, 100, 5), (40, 20, 60, 30), (-20, 60, 30, 10), (500, 50, 90, 4)])
def test_the_overlap_of_distances_is_its_integral(mu, sigma, distance, error):
    r = np.linspace(1e-3, 2000.0, 400_000)
    normal = lambda a, s: np.exp(-0.5 * ((r - a) / s) ** 2)  # noqa: E731
    event, host = normal(mu, sigma) * r**2, normal(distance, error)
    norm = 1.0 / (event.sum() * (r[1] - r[0]) / (np.sqrt(2.0 * np.pi) * sigma))
    here = Distances(*(np.array([float(value)]) for value in (mu, sigma, norm)))
    wanted = np.sqrt(event / event.sum() * host / host.sum()).sum()
    assert here.overlap([distance], [error])[0] == pytest.approx(wanted, abs=2e-3)
    mean = (event * r).sum() / event.sum()
    assert here.moments()[0][0] == pytest.approx(mean, rel=1e-3)
    assert here.agreement([mean], [error])[0] == pytest.approx(1.0)
    assert np.isnan(here.overlap([np.nan], [1.0])[0])
    assert np.isnan(Distances.unknown(1).agreement([10.0], [1.0])[0])


@pytest.mark.parametrize("place", [MAP, Cone(0.01, 0.01, 0.0013, 0.0013), Cone(45.0, 41.8, 9.0, 3.0, 40.0)])
def test_what_a_region_touches_is_never_too_little(place):
    region = regions.prepare(place)
    mask = regions.touched(region, 0.9999, 5)
    random = np.random.default_rng(3)
    ra, dec = region.best[0] + random.normal(0, 15, 4000), np.clip(region.best[1] + random.normal(0, 15, 4000), -90, 90)
    inside = region.level(ra, dec) <= 0.999
    cells = HEALPix(32, order="nested").lonlat_to_healpix((ra % 360) * u.deg, dec * u.deg)
    assert mask[cells[inside]].all()
    assert mask.mean() < 0.2


@pytest.mark.parametrize(("mu", "sigma"), [(120.0, 30.0), (40.0, 15.0), (500.0, 20.0), (100.0, 45.0)])
def test_moments_lead_back_to_their_distance(mu, sigma):
    mean, error = Distances(np.array([mu]), np.array([sigma]), np.array([1.0])).moments()
    again = Distances.of_moments(mean, error)
    assert (again.mu[0], again.sigma[0]) == (pytest.approx(mu, rel=1e-2), pytest.approx(sigma, rel=1e-2))
    assert again.density(np.linspace(0.0, 2000.0, 100_000)).sum() * 0.02 == pytest.approx(1.0, rel=1e-3)
    assert np.isnan(Distances.of_moments([np.nan], [1.0]).norm[0])


@pytest.mark.real_data
def test_the_area_of_a_real_map_is_the_published_one(real_data):
    one = notice.read((real_data / "context_samples" / "gcn" / "igwn_gwalert_preliminary.json").read_bytes())
    region = regions.prepare(one.place)
    assert region.area(0.9)[0] == pytest.approx(7.75, abs=0.01)
    mean, _ = region.distances(*([value] for value in region.best)).moments()
    assert mean[0] == pytest.approx(40.0, abs=2.0)
