"""An observer works on the board: orders of the moment, states, keys behind forms, views, other sites, and refreshing in place."""

from __future__ import annotations

from html import unescape

import numpy as np
import pytest
from django.urls import reverse

from tests.tom_alerce import factories
from tom_alerce.clock import now as now_mjd
from tom_alerce.models import Mark, Ranking, Seen, SkyObject, View
from tom_alerce.models.places import Places
from tom_alerce.pages import listing, refresh
from tom_alerce.pages.clock import clock
from tom_alerce.pages.figures.line import line
from tom_alerce.store import marks, seen, views
from tom_alerce.store.errors import StoreError

pytestmark = pytest.mark.django_db
NOW = 61_000.3
#: Altitudes over a night from NOW - 0.1 on: one that sets at once, one that stays up, one that rises, one that is always low.
ALTITUDES = np.array([[60, 40, 29, 10, 0], [40, 50, 60, 50, 40], [10, 20, 25, 31, 50], [5, 10, 20, 10, 5]], float)


def places(altitude=ALTITUDES):
    times = NOW - 0.1 + 0.1 * np.arange(altitude.shape[1])
    return Places({}, {}, times, np.zeros(len(times)), altitude, np.full(len(altitude), np.nan))


def quiet(client, name, *args, **data):
    return client.post(reverse(f"tom_alerce:{name}", args=args), data, headers={"X-Alerce-Quiet": "yes"})


def rows(client, **parameters):
    return client.get(reverse("tom_alerce:board"), parameters).context["rows"]


@pytest.fixture
def three(observer):
    ranking = factories.ranking()
    skies = [factories.sky_object(ra=30.0 * (3 - i), n=2, images=False) for i in range(3)]
    for i, sky in enumerate(skies):
        sky.evidence = f"{i}"
        sky.save()
        factories.rank(ranking, sky, i + 1)
    return skies


def test_what_is_up_now_and_what_sets_first():
    assert listing.up(places(), NOW, 30.0) == [1, 2]
    assert listing.up(places(), NOW - 5.0, 30.0) == [1, 2], "before the night: as it begins"
    assert listing.up(places(), NOW + 0.2, 30.0) == [2, 3]
    assert listing.up(places(), NOW + 1.0, 30.0) == [], "after it"
    sets = listing.setting(places(), NOW, 30.0)
    assert np.argsort(sets).tolist() == [0, 1, 2, 3]
    assert sets[0] == pytest.approx(NOW)
    assert sets[3] == np.inf
    assert listing.setting(places(np.empty((2, 0))), NOW, 30.0).tolist() == [np.inf, np.inf]


def test_the_board_in_the_order_of_setting_and_of_right_ascension(client, three):
    ranking = Ranking.objects.get()
    times = ranking.now + 0.05 * np.arange(4)
    altitude = np.array([[50, 50, 50, 50], [50, 20, 10, 0], [20, 20, 20, 20]], float)
    ranking.packed = Places({}, {}, times, np.zeros(4), altitude, np.full(3, np.nan)).pack()
    ranking.save()
    assert [row.sky for row in rows(client, sort="now")] == [three[1], three[0], three[2]]
    assert [row.sky for row in rows(client, up="true")] == three[:2]
    assert [row.sky for row in rows(client, sort="ra")] == three[::-1]


def test_states_go_from_new_to_seen_to_claimed_to_requested_to_observed(client, observer, three):
    a, b, c = three
    assert [row.state for row in rows(client)] == ["new"] * 3
    seen.look([a.pk, b.pk], observer)
    SkyObject.objects.filter(pk=b.pk).update(evidence="other")
    assert [row.state for row in rows(client)] == ["seen", "changed", "new"]
    marks.add(c, "claim", observer)
    secret = factories.target(permissions="PRIVATE")
    request = factories.request(b, "validated", user=observer, target=secret)
    assert [row.state for row in rows(client)] == ["seen", "requested", "claimed"]
    assert rows(client)[2].words == "claimed by observer"
    request.state = "observed"
    request.save()
    for state, expected in {"seen": [a], "new": [b, c], "claimed": [c], "mine": [c], "requested": [], "observed": [b]}.items():
        assert [row.sky for row in rows(client, state=state)] == expected, state
    other = factories.user("berta")
    factories.roles(other, "decide")
    client.force_login(other)
    assert [row.state for row in rows(client)] == ["new", "new", "claimed"], "what others see, and ask for, is theirs"
    assert rows(client, state="mine") == []


def test_many_at_once(client, observer, three, settings):
    settings.TOM_ALERCE = settings.TOM_ALERCE | {"EVERYBODY": ("view",)}
    keys = [sky.pk for sky in three]
    answer = quiet(client, "board-bulk", do="claim", pk=keys[:2])
    assert answer.json()["messages"] == ["claimed: 2 objects."]
    assert Mark.objects.filter(kind="claim", author=observer).count() == 2
    assert quiet(client, "board-bulk", do="veto", pk=keys).json()["messages"][0].endswith("a veto needs a text that says why")
    quiet(client, "board-bulk", do="seen", pk=keys)
    quiet(client, "board-bulk", do="seen", pk=keys)
    assert Seen.objects.count() == 3
    quiet(client, "board-bulk", do="unseen", pk=keys[:1])
    assert Seen.objects.count() == 2
    refused = quiet(client, "board-bulk", do="claim")
    assert (refused.status_code, refused.json()["messages"]) == (409, ["Not done: no object is selected"])
    to = client.post(reverse("tom_alerce:board-bulk"), {"do": "compare", "pk": keys}).url
    page = unescape(client.get(to).content.decode())
    assert all(sky.name in page for sky in three)
    assert client.get(to + "&absolute=yes&align=peak").status_code == 200
    client.force_login(factories.user("guest"))
    assert client.post(reverse("tom_alerce:board-bulk"), {"do": "claim", "pk": keys}).status_code in (302, 403)
    assert Mark.objects.count() == 2


def test_a_key_of_the_board_is_answered_without_another_page(client, observer, three):
    answer = quiet(client, "mark", three[0].pk, kind="pin")
    assert answer.json() == {"messages": [f"{three[0].name}: pinned."]}
    assert quiet(client, "mark", three[0].pk, kind="note").status_code == 409


def test_requests_for_several(client, observer, three, settings):
    settings.TOM_ALERCE = settings.TOM_ALERCE | {"FACILITY": {"name": "fake"}}
    answer = client.post(reverse("tom_alerce:board-bulk"), {"do": "request", "pk": [sky.pk for sky in three]})
    assert answer.status_code == 302


def test_views_are_ones_own_or_shared(client, observer):
    client.post(reverse("tom_alerce:view-save"), {"name": "young", "query": "days=3&sort=-first&page=4&label="})
    assert View.objects.get().query == "days=3&sort=-first"
    views.save(observer, "young", "days=4", shared=True)
    berta = factories.user("berta")
    views.save(berta, "<b>", "new=true")
    page = client.get(reverse("tom_alerce:views"), {"query": "up=true"}).content.decode()
    assert "?days=4" in page
    assert "&lt;b&gt;" not in page, "it is not shared"
    client.force_login(berta)
    page = client.get(reverse("tom_alerce:views"), headers={"HX-Request": "true"}).content.decode()
    assert "by observer" in page
    assert "<html" not in page
    client.post(reverse("tom_alerce:view-delete", args=[View.objects.get(owner=observer).pk]))
    assert View.objects.filter(owner=observer).exists(), "it is not hers to delete"
    for name, query in (("", ""), ("x" * 65, ""), ("long", "query=" + "x" * 2000)):
        with pytest.raises(StoreError):
            views.save(berta, name, query)


def test_refreshing_brings_the_table_only_if_something_has_changed(client, observer, three):
    page = client.get(reverse("tom_alerce:board"))
    since = refresh.stamp(page.context["ranking"], now_mjd())
    again = {"part": "rows", "since": since}
    assert client.get(reverse("tom_alerce:board"), again).status_code == 204
    marks.add(three[0], "pin", observer)
    part = client.get(reverse("tom_alerce:board"), again)
    assert part.status_code == 200
    assert b"<html" not in part.content
    assert b'data-stamp="' in part.content
    factories.ranking()
    assert client.get(reverse("tom_alerce:board"), again).status_code == 200


def test_sites_side_by_side(client, observer, three):
    there = factories.ranking("Siding Spring")
    factories.rank(there, three[2], 1, score=0.99)
    page = client.get(reverse("tom_alerce:sites"))
    assert [one.site for one in page.context["rankings"]] == ["Cerro Pachon", "Siding Spring"]
    sky, cells = page.context["objects"][0]
    assert (sky, [cell["best"] for cell in cells]) == (three[2], [False, True])
    assert 'class="chosen"' in page.content.decode()


def test_the_clock_has_the_twilights_of_the_night():
    """Cerro Tololo, 2026-11-27: the Naval Observatory's form gives sunset 23:27, astronomical twilight 01:01 to 08:00 UTC (Nov 28)."""
    shown = clock("Cerro Pachon", 61371.9)
    assert shown is not None
    assert (shown.zone, shown.offset) == ("-03", -180.0)
    night = {name: (evening, morning) for name, evening, morning in shown.twilights}
    assert night["sunset"][0] < night["civil"][0] < night["nautical"][0] < night["astronomical"][0]
    assert night["astronomical"][1] < night["nautical"][1] < night["civil"][1] < night["sunset"][1]
    assert clock("nowhere", 61371.9) is None


def test_a_line_of_terms_names_what_costs_most():
    terms = {
        "class": {"score": 0.9, "weight": 1.0, "reason": "SN"},
        "moon": {"score": 0.5, "weight": 1.0, "reason": "<near>"},
        "early": {"score": 0.3, "weight": 0.1, "reason": "old"},
    }
    made = line(terms)
    assert (made.name, made.reason) == ("moon", "<near>")
    assert "&lt;near&gt;" in made.bars
    assert line({}).name == ""
