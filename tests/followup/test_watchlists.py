"""Lists of positions and names, and regions, as people give them."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker_adapters.crossmatch import separation, unit_vectors
from followup import watchareas, watching, watchlists
from followup.errors import FollowupError


def entries(text):
    got = watchlists.read(text)
    assert got.problems == []
    return [(one.name, one.ra, one.dec, one.radius) for one in got.entries]


def test_lists_of_lasair_have_commas_or_strokes_a_radius_or_none_and_comments():
    text = "# VizieR\n003.4835000|-18.9018056|SHBL J001355.9-185406\n\n 10.5, +2.25, M 31 X, 12.5\n"
    (a, b) = entries(text)
    assert a[:3] == ("SHBL J001355.9-185406", 3.4835, -18.9018056)
    assert math.isnan(a[3])
    assert b == ("M 31 X", 10.5, 2.25, 12.5)


def test_tables_of_alerce_have_a_heading_and_radii_in_degrees():
    text = "\ufeffname,ra,dec,radius\nA,10,20,0.0083333\nB,11,21,5\n"
    (a, b) = entries(text)
    assert a[:3] == ("A", 10.0, 20.0)
    assert a[3] == pytest.approx(30.0, abs=0.01)
    assert b == ("B", 11.0, 21.0, 5.0)


def test_tables_may_have_their_columns_in_any_order_and_others_besides():
    text = 'oid,class,dec,ra,radius_arcsec,comment\nZTF21abc,SN,-5,300,0.005,"see Ada"\n'
    got = watchlists.read(text)
    [one] = got.entries
    assert (one.name, one.ra, one.dec, one.radius, one.text) == ("ZTF21abc", 300.0, -5.0, 0.005, "see Ada")


def test_names_alone_and_places_with_colons():
    rows = entries("ZTF21abc\nLSST 170032915988021282\n10:00:00 -02:30:00 here\nM1 83.633 22.014\n350,1\n")
    assert [row[0] for row in rows] == ["ZTF21abc", "LSST 170032915988021282", "here", "M1", "350.00000 +1.00000"]
    assert math.isnan(rows[0][1])
    assert math.isnan(rows[1][1])
    assert rows[2][1:3] == (pytest.approx(150.0), pytest.approx(-2.5))
    assert rows[3][1:3] == (83.633, 22.014)


def test_what_is_wrong_is_told_by_its_line_and_the_rest_is_read():
    text = "1,2,a\n1,95,b\n400,2,c\n1,2,d,9999\n1,2,e,-1\n,,\na|b|c\n1,2,a\n" + "x" * 70 + "\n5,6,f"
    got = watchlists.read(text)
    assert [one.name for one in got.entries] == ["a", "f"]
    assert [re.match(r"line (\d+): ", line).group(1) for line in got.problems] == list("23456789")
    assert got.wrong == 8
    many = watchlists.read("no place at all here\n" * 200)
    assert (len(many.problems), many.wrong) == (watchlists.TOLD, 200)


@given(st.text(max_size=200) | st.text("0123456789.,|:-+ \nabRADecin", max_size=200))
def test_no_text_is_too_odd_for_a_list(text):
    for one in watchlists.read(text).entries:
        assert one.name
        assert (math.isnan(one.ra) and math.isnan(one.dec)) or (0 <= one.ra < 360 and -90 <= one.dec <= 90)
        assert math.isnan(one.radius) or 0 < one.radius <= watchlists.MAX_RADIUS


def test_the_list_that_lasair_shows_in_its_manual_is_read(real_data):
    page = (real_data / "context_samples/lasair_watchlist/BLLac.md").read_text()
    got = watchlists.read(page.split("```")[1])
    assert (len(got.entries), got.problems) == (42, [])


def sky(n, seed=1):
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 360, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))


def test_cones_are_those_that_brute_force_finds():
    ra, dec = sky(400)
    radius = np.random.default_rng(2).uniform(1, 1800, 400)
    near = np.arange(0, 400, 2)
    places = ra[near] + 0.2, np.clip(dec[near] + 0.1, -90, 90)
    apart = separation(unit_vectors(*places)[:, None], unit_vectors(ra, dec)[None])
    i, j, found = watching.Cones(ra, dec, radius).around(*places)
    expected = set(zip(*(x.tolist() for x in np.nonzero(apart <= radius[None])), strict=True))
    assert set(zip(i.tolist(), j.tolist(), strict=True)) == expected
    assert len(expected) > 50
    np.testing.assert_allclose(found, apart[i, j])


def test_places_that_are_not_known_are_in_no_cone_and_no_cones_have_nothing():
    cones = watching.Cones([10.0], [0.0], [5.0])
    assert cones.around([10.0, np.nan], [0.001, np.nan])[0].tolist() == [0]
    assert watching.Cones([], [], []).around([1.0], [2.0])[0].size == 0


def test_regions_of_circles_and_polygons_hold_what_is_in_them():
    ranges = watchareas.read(b"# two\ncircle 10 20 0.5\npolygon 100,0 101,0 101,1 100,1\n")
    inside = watching.in_regions({7: ranges}, [10.0, 10.4, 10.7, 100.5, 100.5, 359.0], [20.0, 20.2, 20.0, 0.5, 1.5, 0.0])
    assert [(key, where.tolist()) for key, where in inside] == [(7, [0, 1, 3])]
    assert watchareas.fraction(ranges) * 41_252.96 == pytest.approx(np.pi * 0.25 + 1.0, rel=0.02)


def test_a_region_is_the_same_after_it_was_written_as_text_as_json_and_as_fits(tmp_path):
    from mocpy import MOC

    ranges = watchareas.read(b"circle 10 -85 3")
    text = watchareas.written(ranges)
    moc = MOC.from_string(text, "ascii")
    moc.save(tmp_path / "m.fits", "fits")
    for data in (text.encode(), moc.to_string("json").encode(), (tmp_path / "m.fits").read_bytes()):
        np.testing.assert_array_equal(watchareas.read(data), ranges)


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"x", b"{", b'{"99": [3]}', b"circle 1 2", b"circle 1 2 nan", b"circle 1 99 1", b"circle 1 2 999", b"polygon 0 0 1 1"),
        *(b"99/3", b"5/99999999999999", b"29/99999999999999999999", b"SIMPLE  = x", b"\xff\xfe", b"t61000/1 s3/4", b"square 1 2 3"),
    ],
)
def test_what_is_no_region_is_refused_with_a_reason(data):
    with pytest.raises(FollowupError, match=r"\w"):
        watchareas.read(data)
