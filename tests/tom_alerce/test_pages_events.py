"""Pages of events: the list, the map, candidates with their reasons, decisions of people, the draft of a circular, the region as a file."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import mocpy
import numpy as np
import pytest
from django.urls import reverse

from broker_adapters.notice import Cone, Role
from followup import regions
from tests.tom_alerce import factories
from tests.tom_alerce.test_events import MAP, said, thing
from tom_alerce.clock import now
from tom_alerce.models import EventCandidate, SkyEvent, Watch
from tom_alerce.pages.figures import sky
from tom_alerce.store import counterparts, events
from tom_alerce.store.judged import judge
from tom_alerce.templatetags import alerce_extras

pytestmark = pytest.mark.django_db


@pytest.fixture
def event():
    """An event with three candidates, one of which was there before."""
    found, _ = events.save(said(facts={"page": "https://example.org/S1", "odd": "<script>"}, classes={"BNS": 0.9}, far=1e-9))
    for ra in (150.2, 151.0):
        factories.sky_object(ra=ra, n=3, images=False, first_mjd=now() - 2.5)
    thing(ra=152.0)
    counterparts.match_event(found)
    EventCandidate.objects.filter(sky_object__ra=152.0).update(early=True, delay=-40.0)
    return found


def test_lists_are_of_one_role_and_count_what_counts(client, observer, event):
    events.save(replace(said(event="MS1"), role=Role.MOCK))
    page = client.get(reverse("tom_alerce:events")).content.decode()
    assert "S1" in page
    assert "MS1" not in page
    assert re.search(r'data-label="candidates">2<', page)
    assert "MS1" in client.get(reverse("tom_alerce:events"), {"role": "mock"}).content.decode()
    assert "No observation" in client.get(reverse("tom_alerce:events"), {"messenger": "neutrino"}).content.decode()


def test_the_page_has_map_candidates_versions_and_draft(client, observer, event, django_assert_max_num_queries):
    events.save(said(stage="update", later=0.2, place=Cone(150.0, 2.0, 4.0, 4.0)))
    with django_assert_max_num_queries(40):
        page = client.get(reverse("tom_alerce:event", args=[event.pk])).content.decode()
    for text in ("Candidates", "seen before", "SUBJECT: S1: 2 optical counterpart candidates", "update"):
        assert text in page
    assert page.count('class="candidate ') >= 2
    assert page.count('<tr id="candidate-') == 3


def test_what_a_notice_says_is_escaped(client, observer, event):
    page = client.get(reverse("tom_alerce:event", args=[event.pk])).content.decode()
    assert "&lt;script&gt;" in page
    assert 'href="https://example.org/S1" rel="noopener noreferrer"' in page
    assert "one in 31.7 yr" in page


def test_what_people_say_is_seen_with_their_names(client, observer, event, settings):
    settings.TOM_ALERCE = {"EVERYBODY": ("view",)}
    row = EventCandidate.objects.filter(early=False).first()
    address = reverse("tom_alerce:event-decide", args=[row.pk])
    assert client.post(address, {"status": "confirmed", "text": "<i>blue</i>"}).status_code == 302
    page = client.get(reverse("tom_alerce:event", args=[event.pk])).content.decode()
    assert "by observer" in page
    assert "&lt;i&gt;blue" in page
    assert "counterpart confirmed" in client.get(reverse("tom_alerce:events")).content.decode()
    assert judge(event, list(event.candidates.all()))[0].row == row
    client.post(address, {"status": "nonsense"})
    row.refresh_from_db()
    assert row.status == "confirmed"
    client.force_login(factories.user("guest"))
    assert client.post(address, {"status": "rejected"}).status_code == 403
    assert "Confirm</button>" not in client.get(reverse("tom_alerce:event", args=[event.pk])).content.decode()
    assert client.get(address).status_code == 405


def test_the_page_of_an_object_names_its_events(client, observer, event):
    row = EventCandidate.objects.filter(early=False).first()
    page = client.get(reverse("tom_alerce:object", args=[row.sky_object_id])).content.decode()
    assert "level, first seen +0." in page
    assert reverse("tom_alerce:event", args=[event.pk]) in page


@pytest.mark.parametrize(("area", "text"), [(7.75, "7.75 deg²"), (1234.5, "1,234 deg²"), (0.005, "18 arcmin²"), (1e-6, "13 arcsec²")])
def test_areas_have_few_digits(area, text):
    assert alerce_extras.square_degrees(area) == text


def test_a_retraction_of_what_nobody_heard_of_has_a_page(client, observer):
    back, _ = events.save(said(place=None, retracted=True, stage="retraction"))
    SkyEvent.objects.update(mjd=None)
    page = client.get(reverse("tom_alerce:event", args=[back.pk])).content.decode()
    assert "retracted" in page
    assert client.get(reverse("tom_alerce:event-region", args=[back.pk])).status_code == 404
    assert client.get(reverse("tom_alerce:events")).status_code == 200


@pytest.mark.parametrize("place", [MAP, Cone(0.02, 89.0, 0.001, 0.001), Cone(0.0, -5.0, 12.0, 4.0, 30.0)])
def test_the_region_is_a_moc_for_other_programs(client, observer, place):
    event, _ = events.save(said(place=place))
    answer = client.get(reverse("tom_alerce:event-region", args=[event.pk]))
    moc = mocpy.MOC.from_json(json.loads(answer.content))
    assert moc.sky_fraction * 41252.96 == pytest.approx(event.area, rel=0.06)


def test_a_region_is_watched_and_made_anew_after_a_better_map(client, observer, event):
    address = reverse("tom_alerce:event-watch", args=[event.pk])
    assert client.post(address).status_code == 302
    first = Watch.objects.get()
    assert first.coverage * 41252.96 == pytest.approx(event.area, rel=0.06)
    assert first.matches.exists()
    events.save(said(stage="update", later=0.2, place=Cone(150.0, 2.0, 1.0, 1.0)))
    client.post(address)
    again = Watch.objects.get()
    assert again.coverage < 0.5 * first.coverage


def test_nobody_else_sees_them(client, event):
    for name, arguments in (("events", []), ("event", [event.pk]), ("event-region", [event.pk])):
        assert client.get(reverse(f"tom_alerce:{name}", args=arguments)).status_code == 302


@pytest.mark.parametrize("place", [MAP, Cone(359.9, 0.0, 3.0, 3.0), Cone(10.0, 89.9, 0.001, 0.001), Cone(100.0, -89.0, 30.0, 5.0)])
def test_marks_lie_where_the_contours_are(place):
    region = regions.prepare(place)
    ra, dec = region.best
    for figure in (sky.whole(region, [sky.Place(1, ra, dec, "pending")]), sky.near(region, [sky.Place(1, ra, dec, "pending")])):
        best = next(layer.d for layer in figure.layers if layer.css == "best")
        mark = next(layer.d for layer in figure.layers if layer.css.startswith("candidate"))
        x, y = map(float, re.match(r"M([\d.]+) ([\d.]+)", best).groups())
        assert mark.startswith(f"M{x + 2:.1f} {y:.1f}")
        assert "1 candidate" in figure.summary
        assert "nan" not in "".join(layer.d for layer in figure.layers)
    inner = sky.near(region, [])
    ring = next(layer.d for layer in inner.layers if layer.css == "level-50")
    points = np.array([[float(v) for v in pair.split()] for pair in re.split("[MLz]+", ring) if pair])
    assert abs(points.mean(0) - sky.SIDE / 2).max() < 30


def test_a_region_of_half_the_sky_has_no_close_map():
    assert sky.near(regions.prepare(Cone(0.0, 0.0, 60.0, 60.0)), []) is None
    whole = sky.whole(regions.prepare(Cone(0.0, 0.0, 60.0, 60.0)), [])
    assert {"level-90", "level-50"} <= {layer.css for layer in whole.layers}
