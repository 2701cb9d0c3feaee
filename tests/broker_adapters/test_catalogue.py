import gzip
import io
import sqlite3

import numpy as np
import pytest

from broker_adapters import catalogue
from broker_adapters.catalogues import _gaia, _glade, galaxies, stars
from broker_adapters.errors import PacketError, SourceError


def star(**columns):
    rows = catalogue.blank(1)
    for name, value in columns.items():
        rows[name] = value
    return rows


def test_a_blank_row_knows_nothing():
    rows = catalogue.blank(3)
    assert np.isnan(rows["magnitudes"]).all()
    assert np.isnan(rows["redshift"]).all()
    assert (rows["kind"] == "unknown").all()


def test_barnards_star_is_found_where_it_has_moved_to():
    rows = star(ra=269.44850252543836, dec=4.739420051112412, epoch=2016.0, pm_ra=-801.551, pm_dec=10362.394, pm_err=0.03)
    ra, dec = catalogue.placed(rows, 61041.0)  # 2026.0
    assert dec[0] == pytest.approx(4.739420051112412 + 10.0 * 10.362394 / 3600.0, abs=3e-6)
    found = catalogue.nearest(rows, ra, dec, 1.0, 61041.0)
    assert found["separation"][0] < 1e-6
    assert len(catalogue.nearest(rows, ra, dec, 100.0)) == 0, "where it stood in 2016 it is 104 arcseconds away"


def test_a_motion_is_along_the_sky_near_the_pole_too():
    rows = star(ra=10.0, dec=89.0, epoch=2000.0, pm_ra=1000.0, pm_dec=0.0)
    found = catalogue.nearest(rows, 10.0, 89.0, 60.0, 51544.5 + 10 * 365.25)
    assert found["separation"][0] == pytest.approx(10.0, rel=1e-3)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"kind": "star"}, True),
        ({"pm_ra": 3.0, "pm_dec": 4.0, "pm_err": 0.9}, True),
        ({"pm_ra": 3.0, "pm_dec": 4.0, "pm_err": 1.1}, False),
        ({"parallax": 1.0, "parallax_err": 0.19}, True),
        ({"parallax": -1.0, "parallax_err": 0.1}, False),
        ({"kind": "galaxy", "pm_ra": 30.0, "pm_dec": 0.0, "pm_err": 1.0}, False),
        ({"kind": "AGN", "parallax": 1.0, "parallax_err": 0.1}, False),
        ({}, False),
    ],
)
def test_what_moves_or_is_near_is_a_star(columns, expected):
    assert catalogue.stars(star(**columns)).tolist() == [expected]


def test_joined_rows_are_sorted_and_read_only():
    a, b = star(query=1, separation=2.0), star(query=0, separation=5.0)
    both = catalogue.joined([a, b])
    assert both["query"].tolist() == [0, 1]
    assert not both.flags.writeable
    assert len(catalogue.joined([])) == 0


def test_andromeda_is_found_by_name_far_from_its_centre():
    rows = galaxies.Catalogue().cone(11.3, 41.9, 60.0)
    [one] = rows[rows["id"] == "NGC 224"]
    assert one["separation"] > 2000.0
    assert one["size"] == pytest.approx(15 * 177.83, rel=0.01)
    assert one["redshift"] == pytest.approx(-0.001, abs=2e-4)


def test_a_galaxy_of_both_tables_is_there_once_under_its_name():
    rows = galaxies.Catalogue().cone(159.447266, -27.08124, 60.0)
    assert rows["id"].tolist() == ["IC 2597"]
    assert rows["redshift"][0] == pytest.approx(0.0112272, abs=1e-6)
    assert rows["redshift_kind"].tolist() == ["spectrum"]
    assert rows["size"][0] == pytest.approx(1.5 * 10**1.42, rel=0.01)
    assert rows["axis_ratio"][0] == pytest.approx(10**-0.18, rel=0.02)
    assert rows["position_angle"][0] == pytest.approx(8.0, abs=0.5)


def test_mizar_is_a_star():
    rows = stars.Catalogue().cone(200.981, 54.925, 30.0)
    assert catalogue.magnitude(rows, "G")[0] == pytest.approx(2.2, abs=0.3)


@pytest.mark.parametrize("module", [galaxies, stars])
@pytest.mark.parametrize("contents", [None, b"", b"PK\x03\x04 no archive" * 9])
def test_a_table_that_cannot_be_read_is_an_error_of_ours(module, contents, tmp_path):
    path = tmp_path / "table.npz"
    if contents is not None:
        path.write_bytes(contents)
    with pytest.raises(SourceError):
        module.Catalogue(path=str(path)).cone(0.0, 0.0, 10.0)


GLADE = """RAJ2000,DEJ2000,Dist,Bmag,logd25Hyp,logr25Hyp,PAHyp,z_best,f_dL,PGC,GWGC
10.0,-20.0,48.5,12.57,1.42,0.18,8.0,0.011227,3.0,5000001,A
11.0,-21.0,480.5,16.81,0.5,,,0.116966,1.0,,
"""


def test_a_table_of_glade_is_read_and_kept(tmp_path):
    made = _glade.glade(io.BytesIO(gzip.compress(GLADE.encode())))
    assert len(_glade.glade(io.BytesIO(gzip.compress(GLADE.encode())), 400.0)["ra"]) == 1
    path = tmp_path / "galaxies.npz"
    _glade.save(path, made)
    rows = galaxies.Catalogue(path=str(path)).cone([10.0, 11.0], [-20.0, -21.0], 1.0)
    assert rows["id"].tolist() == ["PGC 5000001", "GLADE+ 1"]
    assert rows["redshift_kind"].tolist() == ["spectrum", "mixed"]
    np.testing.assert_allclose(rows["distance"], [48.5, 480.5], rtol=1e-3)
    assert np.isnan(rows["position_angle"][1])
    assert np.isnan(rows["axis_ratio"][1])


def test_names_and_sizes_of_openngc_are_read(tmp_path):
    path = tmp_path / "ongc.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE objects(name, type, ra, dec, redshift, bmag, majax, minax, pa, identifiers)")
        connection.execute(
            "INSERT INTO objects VALUES ('NGC0224','G',0.1865,0.7203,-0.001,4.36,177.83,69.66,35,'MCG +07-02-016,PGC 002557')"
        )
        connection.execute("INSERT INTO objects VALUES ('IC0003','G',0.05,-0.007,NULL,14.7,0.93,NULL,NULL,NULL)")
        connection.execute("INSERT INTO objects VALUES ('IC0001','**',0.03,0.48,NULL,NULL,NULL,NULL,NULL,NULL)")
    columns, names = _glade.ngc(path)
    assert names.tolist() == ["IC 3", "NGC 224"]
    assert columns["pgc"][1] == 2557.0
    assert 1.5 * 10 ** columns["log_d25"][1] == pytest.approx(15.0 * 177.83)


def test_the_file_of_stars_is_read_whole_or_refused():
    one = np.zeros(1, _gaia._WIRE)
    one["G"] = 5.0
    data = b"GDR3\x01\0\0\0" + (1).to_bytes(8, "little") + one.tobytes()
    assert _gaia.read(data)["G"].tolist() == [5.0]
    for bad in (b"", data[:-1], data + b"\0", b"XXXX" + data[4:]):
        with pytest.raises(PacketError):
            _gaia.read(bad)
