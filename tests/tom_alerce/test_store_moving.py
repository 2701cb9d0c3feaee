"""What moves and what was only passed by an asteroid, in any order of the alerts."""

from __future__ import annotations

import itertools

import pytest

from tests.tom_alerce.alerts import MJD, alert, curve
from tom_alerce.models import SkyObject, SurveyObject
from tom_alerce.store import alerts, linking

ARCSEC = 1.0 / 3600.0
pytestmark = pytest.mark.django_db


def night(day, ra=150.0, moving=False, survey="ztf", object_id="ZTF26a", **fields):
    rows = curve(survey, object_id, ra=ra, n=1, first=day)
    return alert(survey, object_id, ra=ra, rows=rows, moving=moving, **fields)


def save_apart(batch):
    for one in batch:
        alerts.save([one])


def state():
    return {str(o): (o.moving, o.sky_object.survey_objects.count()) for o in SurveyObject.objects.select_related("sky_object")}


@pytest.mark.parametrize("deliver", [alerts.save, save_apart])
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_an_asteroid_of_three_nights_moves_in_any_order(deliver, order):
    path = [night(day, ra=150.0 + day * 0.2, moving=True, survey="lsst", object_id="9") for day in range(3)]
    deliver([path[i] for i in order])
    assert state() == {"LSST 9": (True, 1)}
    assert SkyObject.objects.get().ra == pytest.approx(150.4)


def test_an_asteroid_of_which_only_the_last_alert_comes_with_its_history():
    rows = curve("lsst", "9", n=3, ra=[150.0, 150.2, 150.4])
    alerts.save([alert("lsst", "9", ra=150.4, rows=rows, moving=True)])
    assert state() == {"LSST 9": (True, 1)}


def test_a_slow_one_whose_alerts_all_say_so_moves_though_it_stays_at_its_place():
    save_apart([night(day, ra=150.0 + day * 0.5 * ARCSEC, moving=True) for day in range(3)])
    assert state() == {"ZTF26a": (True, 1)}


def test_an_answer_about_the_whole_object_speaks_of_all_its_nights():
    rows = curve("ztf", "ZTF26a", n=3)
    alerts.save([alert("ztf", "ZTF26a", rows=rows, source_id=None, moving=True, images=False)])
    assert state() == {"ZTF26a": (True, 1)}


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_a_passed_transient_is_fixed_and_matched_in_any_order(order):
    sources = [
        night(0, moving=True),
        night(1),
        night(2, moving=True),
        night(1, ra=150.0 + 0.5 * ARCSEC, survey="lsst", object_id="1"),
    ]
    save_apart([sources[i] for i in order])
    assert state() == {"ZTF26a": (False, 2), "LSST 1": (False, 2)}


def test_what_turns_out_to_move_leaves_what_it_was_matched_to():
    first = night(0)
    alerts.save([first, night(0, ra=150.0 + 0.5 * ARCSEC, survey="lsst", object_id="1")])
    assert SkyObject.objects.count() == 1
    alerts.save([alert("ztf", "ZTF26a", rows=curve("ztf", "ZTF26a", n=1, mjd=[MJD + 0.03], source_id=["b"]), moving=True)])
    assert state() == {"ZTF26a": (True, 1), "LSST 1": (False, 1)}


def test_what_a_person_linked_stays():
    save_apart([night(0, moving=True), night(0, ra=150.0 + 9 * ARCSEC, survey="lsst", object_id="1")])
    linking.link(SurveyObject.objects.get(object_id="ZTF26a"), SurveyObject.objects.get(object_id="1").sky_object)
    alerts.save([night(1)])
    assert state() == {"ZTF26a": (False, 2), "LSST 1": (False, 2)}


def test_a_sky_object_moves_only_if_all_its_members_do():
    save_apart([night(0, moving=True), night(0, ra=150.0 + 9 * ARCSEC, survey="lsst", object_id="1")])
    sky = linking.link(SurveyObject.objects.get(object_id="ZTF26a"), SurveyObject.objects.get(object_id="1").sky_object)
    assert not sky.moving
    assert sky.ra == pytest.approx(150.0 + 9 * ARCSEC)
