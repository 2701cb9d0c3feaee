"""The scoreboard finds the objects whose class was learnt otherwise, and scores what was said of them."""

from __future__ import annotations

import pytest
from django.urls import reverse
from tom_targets.models import TargetExtra

from tests.tom_alerce import factories
from tests.tom_alerce.test_tns import named
from tom_alerce.models import SkyObject
from tom_alerce.store import labels, tns, truths
from tom_alerce.store.scored import scores

pytestmark = pytest.mark.django_db


def sky(i, probabilities, target=None):
    made = factories.sky_object(ra=150.0 + i, n=3, images=False)
    if target is not None:
        made.target = factories.target(target)
        made.save()
    factories.classification(made, probabilities=probabilities)
    return made


def test_objects_are_found_by_every_source_of_a_class():
    by_extra, by_place, by_name, by_title = (sky(i, {"SN": 0.9, "AGN": 0.1}, f"T {i}") for i in range(4))
    nothing = sky(5, {"SN": 0.9, "AGN": 0.1})
    TargetExtra.objects.create(target=by_extra.target, key="Classification", value="SN Ia")
    member = by_name.survey_objects.get()
    rows = [
        named(1, ra=by_place.ra, dec=by_place.dec, type="AGN"),
        named(2, "2026abd", 50.0, internal_names=(member.object_id,), type="SN II"),
    ]
    tns.load(rows, whole=True)
    by_title.target.name = "SN 2026abc"
    by_title.target.save()
    assert truths.with_one(0.0) == {by_extra.pk, by_place.pk, by_name.pk, by_title.pk}
    found = scores(SkyObject.objects.exclude(pk=by_title.pk), 0.0)
    assert found.n == 3
    (board,) = found.boards
    assert (board.right.n, board.right.value) == (3, pytest.approx(2 / 3))
    assert scores(SkyObject.objects.all(), 1e6).n == 0, "not seen since"
    assert nothing.pk not in truths.of([nothing])


def test_labels_of_people_count_where_nothing_else_says_a_class(observer):
    one, other = sky(0, {"SN": 0.9, "AGN": 0.1}), sky(1, {"SN": 0.9, "AGN": 0.1}, "SN 2026abc")
    labels.unsay(labels.say(one, "AGN", observer))
    assert truths.with_one(0.0) == {other.pk}
    labels.say(one, "CV/Nova", observer)
    labels.say(other, "AGN", observer)
    assert truths.of([one, other]) == {one.pk: "CV/Nova", other.pk: "SN"}
    assert scores(SkyObject.objects.all(), 0.0).boards[0].right.value == 0.5


def test_the_last_word_counts_and_by_age_each():
    one = sky(0, {"AGN": 0.8, "SN": 0.2}, "SN 2026abc")
    factories.classification(one, probabilities={"SN": 0.9, "AGN": 0.1}, n_detections=9)
    (board,) = scores(SkyObject.objects.all(), 0.0).boards
    assert (board.right.n, board.right.value) == (1, 1.0)
    assert [b.right.value for b in board.ages] == [0.0, 1.0]


def test_the_page_says_it_to_those_who_may_see(client, observer):
    for i in range(25):
        sky(i, {"SN": 0.99, "AGN": 0.01}, f"<i>T {i}")
        TargetExtra.objects.create(target=SkyObject.objects.latest("pk").target, key="class", value="AGN")
    page = client.get(reverse("tom_alerce:scoreboard")).content.decode()
    assert "25 objects have a class" in page
    assert "other than promised" in page
    SkyObject.objects.all().update(last_mjd=1.0)
    assert "Nothing to score yet" in client.get(reverse("tom_alerce:scoreboard"), {"days": "30"}).content.decode()


def test_the_object_page_says_who_disagrees(client, observer):
    one = sky(0, {"SN": 0.9, "AGN": 0.1})
    factories.classification(one, "lc<classifier>", "alerce", {"AGN": 0.8, "SN": 0.2})
    page = client.get(reverse("tom_alerce:object", args=[one.pk])).content.decode()
    assert "disputed" in page
    assert "alerce lc&lt;classifier&gt;" in page
