"""The review: what a person sees of two objects that may be one source."""

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from broker_adapters.association import radius
from tests.tom_alerce import factories
from tom_alerce import visible
from tom_alerce.clock import now as now_mjd
from tom_alerce.pages.figures import pair as figures
from tom_alerce.pages.pairs import pairs
from tom_alerce.store import lightcurves

pytestmark = pytest.mark.django_db


@pytest.fixture
def observer(client):
    user = factories.user()
    client.force_login(user)
    return user


def both_sides(user):
    return visible.with_both_sides(user, visible.undecided(user))


@pytest.fixture
def match():
    """An ATLAS object 2" east and 1" north of a ZTF object across RA 0, which has a neighbour of Rubin beside it."""
    there = factories.sky_object(ra=0.0001, dec=60.0, surveys=("ztf", "lsst"))
    here = factories.sky_object(ra=0.0001 + 2.0 / 3600 / np.cos(np.radians(60.0)), dec=60.0 + 1.0 / 3600, surveys=("atlas",))
    here.survey_objects.update(position_err=0.7)
    factories.classification(there)
    return factories.candidate(here.survey_objects.get(), there, separation=2.2)


def test_both_sides_have_their_own_pictures_and_numbers(observer, match):
    (one,) = pairs(both_sides(observer))
    assert [member.survey for member in one.first.members] == ["atlas"]
    assert {member.survey for member in one.second.members} == {"ztf", "lsst"}
    assert set(one.first.detections["survey"]) == {"atlas"}
    assert set(one.second.detections["survey"]) == {"ztf", "lsst"}
    assert {row.survey_object_id for row in one.first.stamps} == {match.survey_object_id}
    assert [row.slot for row in one.second.stamps] == ["first", "latest"]
    assert [row.label for row in one.second.classifications] == ["SN"]
    assert one.radius == radius("atlas", "ztf") == 3.0


def test_the_map_has_east_to_the_left_and_north_up(observer, match):
    (one,) = pairs(both_sides(observer))
    (mark,) = [layer.d for layer in one.map.layers if layer.css == "detection first"]
    x, y = map(float, mark[1:].split("a")[0].split(" "))
    (dashed,) = [layer.d for layer in one.map.layers if layer.css == "radius"]
    left, centre_y = map(float, dashed[1:].split("a")[0].split(" "))
    size = float(dashed.split("a")[1].split(" ")[0])
    centre_x, scale = left + size, size / 3.0
    assert (centre_x - (x + 3.5)) / scale == pytest.approx(2.0, abs=0.05)
    assert (centre_y - y) / scale == pytest.approx(1.0, abs=0.05)
    errors = [float(layer.d.split("a")[1].split(" ")[0]) / scale for layer in one.map.layers if layer.css == "error first"]
    assert errors == pytest.approx([0.7], abs=0.02)
    assert "2.24″ apart" in one.map.summary


def test_the_light_curves_are_told_apart_and_share_their_axes():
    rows = {}
    for name, survey, peak in (("first", "ztf", 60_000.0), ("second", "lsst", 20_000.0)):
        member = factories.sky_object(surveys=(survey,), peak=peak, images=False).survey_objects.get()
        rows[name] = lightcurves.merged(lightcurves.split(lightcurves.read([member.pk])), [member.pk])
    plot = figures.light_curves(rows["first"], rows["second"], now_mjd())
    assert {layer.css for layer in plot.layers} >= {"detection first", "detection second", "bar first", "bar second"}
    alone = figures.light_curves(rows["first"], rows["second"][:0], now_mjd())
    assert not any("second" in layer.css for layer in alone.layers)
    assert figures.light_curves(rows["first"][:0], rows["second"][:0], now_mjd()) is None


def test_an_old_object_beside_a_new_one_leaves_the_new_one_room():
    member = factories.sky_object(images=False).survey_objects.get()
    rows = lightcurves.merged(lightcurves.split(lightcurves.read([member.pk])), [member.pk])
    old = rows.copy()
    old["mjd"] -= 2000.0
    plot = figures.light_curves(rows, old, now_mjd())
    assert not any("second" in layer.css for layer in plot.layers)


def test_the_page_shows_them_beside_the_question(client, observer, match):
    page = client.get(reverse("tom_alerce:review")).content.decode()
    for text in (str(match.survey_object), match.sky_object.name, 'data-key="y"', 'data-key="n"', "detection first", "detection second"):
        assert text in page, text
    assert page.count("/alerce/stamps/") == 4
    assert 'class="pair"' in client.get(reverse("tom_alerce:object", args=[match.sky_object_id])).content.decode()


def test_the_number_of_queries_does_not_grow_with_the_pairs(observer, match):
    def asked():
        matches = both_sides(observer)
        with CaptureQueriesContext(connection) as queries:
            assert len(pairs(matches)) == len(matches)
        return len(queries)

    one = asked()
    for _ in range(5):
        factories.candidate(factories.sky_object(n=2).survey_objects.get(), factories.sky_object(n=2))
    assert asked() == one
