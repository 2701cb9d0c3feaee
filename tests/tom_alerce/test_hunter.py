"""The hunter: a queue that two people share without meeting, decisions, the report, and what the screen shows."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from django.contrib.auth.models import Group
from django.urls import reverse
from django.utils import timezone

from broker_adapters.catalogue import SOURCE
from broker_adapters.orientation import orientation
from tests.tom_alerce import factories
from tom_alerce.models import Mark, Scan, Seen, SkyObject
from tom_alerce.pages.figures import chart
from tom_alerce.pages.figures import skymap as maps
from tom_alerce.store import scans
from tom_alerce.store.errors import StoreError

pytestmark = pytest.mark.django_db
QUEUE = ("default", 0)


@pytest.fixture
def three(observer):
    ranking = factories.ranking()
    skies = [factories.sky_object(ra=10.0 + i, n=2, images=i == 0, evidence=f"{i}") for i in range(3)]
    for i, sky in enumerate(skies):
        factories.rank(ranking, sky, i + 1)
    return skies


@pytest.fixture
def berta(db):
    user = factories.user("berta")
    factories.roles(user, "decide")
    return user


def keys(skies):
    return [sky.pk for sky in skies]


def test_two_people_never_have_the_same(observer, berta, three):
    first, second = scans.take(keys(three), *QUEUE, observer), scans.take(keys(three), *QUEUE, berta)
    assert (first.sky_object, second.sky_object) == (three[0], three[1])
    assert scans.take(keys(three), *QUEUE, observer) == first, "one's own is there until it is decided"
    assert scans._take(three[0].pk, *QUEUE, berta) is None
    assert scans.take(keys(three), "default", 7, berta).sky_object == three[0], "the queue of a group is another"
    Scan.objects.filter(pk=first.pk).update(expires=timezone.now() - timedelta(seconds=1))
    assert scans.take(keys(three)[:1], *QUEUE, berta).user == berta
    with pytest.raises(StoreError, match="somebody else"):
        scans.decide(first, observer, "keep")


def test_what_is_decided_comes_again_with_other_evidence_and_what_is_put_off_comes_last(observer, berta, three):
    for decision in ("later", "drop"):
        scans.decide(scans.take(keys(three), *QUEUE, observer), observer, decision, "why <b>")
    assert scans.queue(keys(three), *QUEUE, berta) == [three[2].pk, three[0].pk]
    SkyObject.objects.filter(pk=three[1].pk).update(evidence="new")
    assert scans.queue(keys(three), *QUEUE, berta) == [three[1].pk, three[2].pk, three[0].pk]
    Scan.objects.update(night=scans.tonight() - timedelta(days=1))
    assert scans.queue(keys(three), *QUEUE, berta)[0] == three[0].pk, "put off last night: in its place"
    assert not Mark.objects.exists()


def test_a_night_of_scanning(client, observer, three):
    text = client.get(reverse("tom_alerce:hunter")).content.decode()
    assert "<b>3</b> of 3 are left" in text
    answer = client.post(reverse("tom_alerce:hunter-next"), follow=True)
    page = answer.content.decode()
    assert three[0].name in page
    for part in ("does not say where north is", "Why it is here", "Surroundings", "3 left"):
        assert part in page
    for decision in ("keep", "drop", "later", "keep"):
        row = Scan.objects.get(decision="") if Scan.objects.filter(decision="").exists() else Scan.objects.latest("pk")
        answer = client.post(reverse("tom_alerce:hunter-decide", args=[row.pk]), {"decision": decision, "text": "=1+1"}, follow=True)
    assert "Scanned" in answer.content.decode(), "the end of the queue is the report"
    assert Seen.objects.filter(user=observer).count() == 3
    assert Mark.objects.filter(kind="pin").count() == 2
    assert answer.context["table"] == [("observer", [2, 1, 0])]
    made = client.get(reverse("tom_alerce:hunter-report"), {"format": "csv"})
    rows = list(csv.reader(io.StringIO(made.content.decode())))
    assert [row[3] for row in rows] == ["decision", "keep", "drop", "keep"]
    assert rows[1][6] == "'=1+1", "no formula"
    before = client.get(reverse("tom_alerce:hunt", args=[row.pk])).context["before"]
    assert before.sky_object == three[1]


def test_the_queue_of_a_group_is_for_its_members(client, observer, berta, three):
    group = Group.objects.create(name="Team")
    berta.groups.add(group)
    client.force_login(berta)
    client.post(reverse("tom_alerce:hunter-next"), {"team": group.pk})
    row = Scan.objects.get()
    assert row.team == group.pk
    client.force_login(observer)
    client.post(reverse("tom_alerce:hunter-next"), {"team": group.pk})
    assert Scan.objects.filter(team=0, user=observer).exists(), "not in the group: the queue of everybody"
    assert client.get(reverse("tom_alerce:hunt", args=[row.pk])).status_code == 302
    client.post(reverse("tom_alerce:hunter-decide", args=[row.pk]), {"decision": "drop"})
    row.refresh_from_db()
    assert row.decision == ""


def test_who_may_not_decide_does_not_scan(client, three, settings):
    settings.TOM_ALERCE = settings.TOM_ALERCE | {"EVERYBODY": ("view",)}
    client.force_login(factories.user("guest"))
    assert "Begin" not in client.get(reverse("tom_alerce:hunter")).content.decode()
    client.post(reverse("tom_alerce:hunter-next"))
    assert not Scan.objects.exists()


def test_where_north_is():
    """A world coordinate system that is turned by 30 degrees, of half an arcsecond a pixel."""
    system, turn = WCS(naxis=2), np.radians(30.0)
    system.wcs.ctype, system.wcs.crval, system.wcs.crpix = ["RA---TAN", "DEC--TAN"], [150.0, 2.0], [15.0, 15.0]
    system.wcs.cd = 0.5 / 3600.0 * np.array([[-np.cos(turn), np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    buffer = io.BytesIO()
    fits.PrimaryHDU(np.zeros((30, 30), np.float32), header=system.to_header()).writeto(buffer)
    found = orientation(buffer.getvalue())
    x, y = system.all_world2pix([[150.0, 2.0 + 1e-3]], 0)[0] - 14.0
    assert found.north == pytest.approx(np.degrees(np.arctan2(-x, y)) % 360.0, abs=0.1)
    assert (found.east - found.north) % 360.0 == pytest.approx(90.0)
    assert found.pixel == pytest.approx(0.5)
    assert orientation(b"no FITS") is None
    assert orientation(factories.fits_gz(np.zeros((9, 9)))) is None


def test_the_map_keeps_everything_inside_and_areas_equal():
    ra, dec = np.meshgrid(np.linspace(0.0, 359.9, 37), np.linspace(-90.0, 90.0, 19))
    x, y = maps.project(ra.ravel(), dec.ravel())
    middle = maps.MARGIN + maps.WIDTH / 2
    assert maps.MARGIN <= x.min() < x.max() <= maps.MARGIN + maps.WIDTH
    assert maps.MARGIN <= y.min() < y.max() <= maps.MARGIN + maps.HEIGHT
    assert maps.project([180.0], [0.0])[0] == pytest.approx(middle)
    assert maps.project([200.0], [0.0])[0] < middle, "east is to the left"
    areas = []
    for here, there in ((100.0, 0.0), (200.0, 60.0)):
        corners = [maps.project([here + a], [there + b]) for a, b in ((0, 0), (1 / np.cos(np.radians(there)), 0), (0, 1))]
        (x0, y0), (x1, y1), (x2, y2) = ((float(a[0]), float(b[0])) for a, b in corners)
        areas.append(abs((x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)))
    assert areas[0] == pytest.approx(areas[1], rel=0.03)


def test_the_chart_has_north_up_and_east_to_the_left():
    rows = np.zeros(2, SOURCE)
    rows["ra"], rows["dec"] = [150.0 + 20 / 3600, 150.0], [0.0, 20 / 3600]
    plot = chart.chart(rows, 150.0, 0.0)
    path = next(layer.d for layer in plot.layers if layer.css == "galaxy")
    (x1, y1), (x2, y2) = ([float(v) for v in part.split("a")[0].split()] for part in path.split("M")[1:])
    assert x1 < x2
    assert y2 < y1
