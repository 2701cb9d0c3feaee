"""Was it worth it: requests counted by profile and class, and probabilities compared with what came out."""

from __future__ import annotations

import pytest
from django.urls import reverse
from tom_targets.models import TargetExtra

from followup.facilities import fake
from followup.records import Exposure, ObservationRequest
from tests.tom_alerce import factories
from tests.tom_alerce.test_tns import named
from tom_alerce.models import FollowupRequest
from tom_alerce.requests import worth
from tom_alerce.store import tns

pytestmark = pytest.mark.django_db


def request(state, label="SN", probability=0.9, truth="", place=0, **fields):
    sky = factories.sky_object(ra=150.0 + place, n=3, images=False)
    sky.target = factories.target(f"T {sky.pk}")
    sky.save()
    factories.classification(sky, probabilities={label: probability, "other": 1.0 - probability})
    if truth:
        TargetExtra.objects.create(target=sky.target, key="Classification", value=truth)
    asked = ObservationRequest(
        str(sky.pk), "x", 1.0, 1.0, "fake", "CAMERA", (Exposure("r", 300.0, 6),), 61000.0, 61000.2, 0.5, 2.0, 20.0, "n"
    )
    row = factories.request(sky, state, facility="Fake", instrument="CAMERA", payload=fake.payload(asked, target_id=1), **fields)
    factories.classification(sky, probabilities={"AGN": 0.99, "SN": 0.01})  # made after it was asked for
    return row


def test_requests_are_counted_by_what_was_predicted_when_they_were_made():
    request("observed", truth="SN Ia")
    request("observed", truth="AGN", probability=0.7)
    request("observed", "AGN", 0.6)
    request("failed")
    request("draft")
    found = worth.outcomes(FollowupRequest.objects.all())
    lines = {line.name: line for line in worth.lines(found, lambda one: one.label)}
    supernovae = lines["SN"]
    assert (supernovae.asked, supernovae.sent, supernovae.observed, supernovae.classified, supernovae.right) == (4, 3, 2, 2, 1)
    assert supernovae.hours == pytest.approx(2 * (90 + 6 * 330) / 3600)
    assert supernovae.per_hour == pytest.approx(2 / supernovae.hours)
    assert lines["AGN"].classified == 0
    bins = worth.calibration(found)
    assert [(one.n, one.right) for one in bins] == [(1, 0.0), (1, 1.0)]
    assert bins[1].mean == pytest.approx(0.9)


def test_classes_come_from_the_tom_from_tns_and_from_names():
    request("observed", truth="SN IIn")
    by_place, by_name, by_title, unknown = (request("observed", place=i + 1) for i in range(4))
    sky, member = by_place.sky_object, by_name.sky_object.survey_objects.get()
    rows = [named(1, ra=sky.ra, dec=sky.dec, type="SN Ia"), named(2, "2026abd", 50.0, internal_names=(member.object_id,), type="TDE")]
    rows.append(named(3, "2026abe", unknown.sky_object.ra, unknown.sky_object.dec))
    tns.load(rows, whole=True)
    by_title.sky_object.target.name = "SN 2026abc"
    by_title.sky_object.target.save()
    factories.classification(unknown.sky_object, "tns_spectra", "lasair", {"SN Ia": 1.0})
    found = [one.truth for one in worth.outcomes(FollowupRequest.objects.order_by("pk"))]
    assert found == ["SN IIn", "SN Ia", "TDE", "SN", ""]


def test_what_the_tom_says_comes_before_tns():
    sky = request("observed", truth="SN IIn").sky_object
    tns.load([named(1, ra=sky.ra, dec=sky.dec, type="SN Ia")], whole=True)
    assert [one.truth for one in worth.outcomes(FollowupRequest.objects.all())] == ["SN IIn"]


def test_queries_do_not_grow_with_requests(django_assert_num_queries):
    for _ in range(5):
        request("observed", truth="SN Ia")
    with django_assert_num_queries(7):
        worth.outcomes(FollowupRequest.objects.all())


def test_the_page_counts_what_its_reader_may_see(client, observer):
    seen, hidden = request("observed", truth="<b>SN</b>"), request("observed")
    hidden.target.permissions = "PRIVATE"
    hidden.target.save()
    page = client.get(reverse("tom_alerce:yield"), {"days": "30"}).content.decode()
    assert 'data-label="asked">1<' in page
    assert seen.facility == "Fake"
    assert client.get(reverse("tom_alerce:yield"), {"days": "<script>"}).status_code == 200
    client.logout()
    assert client.get(reverse("tom_alerce:yield")).status_code == 302
