from __future__ import annotations

from zoneinfo import available_timezones

import pytest

from followup.records import FollowupError
from followup.sites import SITES, site

LCO = {
    "Siding Spring": {"sitecode": "coj", "latitude": -31.273, "longitude": 149.071, "elevation": 1116},
    "Nowhere": {"latitude": 1, "longitude": 359},
}


def test_every_site_is_on_earth_and_its_time_zone_exists():
    for name, row in SITES.items():
        assert row.name == name
        assert abs(row.latitude) < 60
        assert 0 < row.elevation < 5000
        assert row.timezone in available_timezones()


def test_by_name_code_or_coordinates():
    assert site("palomar") is SITES["Palomar"]
    assert site("COJ", LCO).name == "Siding Spring"
    assert site("siding spring", LCO).timezone == "Australia/Sydney"
    assert site("Nowhere", LCO).longitude == pytest.approx(-1)
    mine = site({"latitude": "51.5", "longitude": 0})
    assert (mine.latitude, mine.longitude, mine.elevation, mine.name) == (51.5, 0.0, 0.0, "+51.500 +0.000")


@pytest.mark.parametrize(("latitude", "longitude"), [(91, 0), (1, None), ("x", 2), (float("nan"), 0), (0, 361)])
def test_what_is_not_on_earth_is_refused(latitude, longitude):
    with pytest.raises(FollowupError):
        site({"latitude": latitude, "longitude": longitude})


def test_an_unknown_name_gets_suggestions():
    with pytest.raises(FollowupError, match="Palomar"):
        site("Palomer")
