import numpy as np
import pytest
from astropy import units as u
from astropy_healpix import HEALPix

from broker_adapters import healpix


@pytest.mark.parametrize("radius", [0.5, 2.0, 10.0, 20.0])
@pytest.mark.parametrize("high", [0.0, 0.99])
def test_all_that_a_small_cone_holds_lies_in_the_cells_that_it_touches(radius, high):
    random = np.random.default_rng(3)
    n, cells = 2000, HEALPix(nside=2**healpix.ORDER, order="nested")
    ra, sine = random.uniform(0, 360, n), random.choice([-1, 1], n) * random.uniform(high, 1.0, n)
    dec = np.degrees(np.arcsin(sine))
    for _ in range(6):
        angle, away = random.uniform(0, 2 * np.pi, n), radius / 3600.0
        there_dec = np.clip(dec + away * np.cos(angle), -90, 90)
        there_ra = ra + away * np.sin(angle) / np.maximum(np.cos(np.radians(dec)), 1e-9)
        fine = np.abs(dec) < 89.9
        found = set(healpix.touched(ra[fine], dec[fine], radius))
        there = cells.lonlat_to_healpix(there_ra[fine] * u.deg, there_dec[fine] * u.deg)
        assert set(np.asarray(there).tolist()) <= found


def test_few_cells_are_touched():
    random = np.random.default_rng(4)
    ra, dec = random.uniform(0, 360, 500), random.uniform(-60, 60, 500)
    assert len(healpix.touched(ra, dec, 2.0)) < 3000
    assert healpix.touched([], [], 2.0) == []


def test_centres_lie_in_their_cells():
    cells = np.array([0, 5, 12 * 4**healpix.ORDER - 1])
    assert healpix.cells(*healpix.centres(cells)).tolist() == cells.tolist()
