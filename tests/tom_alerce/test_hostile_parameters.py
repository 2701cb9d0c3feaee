"""No user makes our pages fail: every parameter of every page and endpoint takes whatever text."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tom_alerce import factories
from tom_alerce.api.classifications import ClassificationFilter
from tom_alerce.api.objects import SkyObjectFilter
from tom_alerce.api.ranks import RankFilter
from tom_alerce.api.requests import RequestFilter
from tom_alerce.models import Trigger
from tom_alerce.pages.filters import BoardFilter

pytestmark = pytest.mark.django_db

NIGHT = ("site", "profile", "instrument", "hours", "most", "top", "at")
#: What stands in the address itself.
ARGUMENTS = {
    "tom_alerce:explorer-file": ["csv"],
    **{name: ["default"] for name in ("tom_alerce:profile", "tom_alerce:profile-export", "api:alerce-profiles-detail")},
}
#: Page -> its parameters, those that the library beneath reads included.
PARAMETERS = {
    "tom_alerce:board": [*BoardFilter.base_filters, "profile", "ranking", "page", "per_page", "sort", "part", "since"],
    "tom_alerce:figures": ["fold", "bin"],
    "tom_alerce:hunter": ["team"],
    "tom_alerce:hunter-report": ["night"],
    "tom_alerce:later": ["ranking"],
    "tom_alerce:sites": ["profile"],
    "tom_alerce:views": ["query"],
    "tom_alerce:compare": ["pk"],
    "tom_alerce:review": ["page", "letters", "ordering"],
    "tom_alerce:drift": ["night"],
    "tom_alerce:events": ["role", "messenger", "page"],
    "tom_alerce:health": ["at"],
    "tom_alerce:health-json": ["at"],
    "tom_alerce:metrics": ["name[]"],
    "tom_alerce:night": [*NIGHT, "with", "without"],
    "tom_alerce:night-table": ["with", "at"],
    "tom_alerce:night-calendar": ["without", "site"],
    "tom_alerce:requests": ["state", "page"],
    "tom_alerce:bulk": ["pk"],
    "tom_alerce:triggers": ["page"],
    "tom_alerce:keys": ["facility"],
    "tom_alerce:yield": ["days"],
    "tom_alerce:scoreboard": ["days"],
    "tom_alerce:explorer": ["filter", "query", "sort", "show", "after"],
    "tom_alerce:explorer-file": ["filter", "query", "sort"],
    "tom_alerce:filters": ["page"],
    "tom_alerce:notifications": ["page"],
    "tom_alerce:watches": ["page"],
    "tom_alerce:profiles": ["beside"],
    "tom_alerce:profile": ["version"],
    "tom_alerce:profile-export": ["version"],
    "api:alerce-objects-list": [*SkyObjectFilter.base_filters, "limit", "cursor", "order", "fields", "format"],
    "api:alerce-classifications-list": [*ClassificationFilter.base_filters, "limit", "cursor", "order"],
    "api:alerce-ranks-list": [*RankFilter.base_filters, "limit", "cursor", "order"],
    "api:alerce-requests-list": [*RequestFilter.base_filters],
    "api:alerce-yield-list": ["days"],
    "api:alerce-profiles-detail": ["version"],
}
PAIRS = [(page, name) for page, names in PARAMETERS.items() for name in names]

HOSTILE = (
    *(
        "",
        " ",
        "-1",
        "0",
        "+1",
        "1.5",
        "1_0",
        "0x10",
        "²",
        "١",
        "--1",
        "1e400",
        "-1e-400",
        "-1e999999999",
        "nan",
        "inf",
        "-Infinity",
        "None",
    ),
    *("9" * 310, "9" * 4300, "9" * 5000, "-" + "9" * 310, "9223372036854775807", "9223372036854775808", "-9223372036854775809"),
    *("\x00", "a\x00b", "'", '"><script>', "%", "\\", "_" * 300, "😀", "\u202e", "x" * 60_000, "%" * 60_000, "1 " * 5_000),
    *("9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "2026-02-30", "2026-11-27T10:00:00", "24:00:00 90:00:00 1e308", "0 90 600"),
    *("9" * 310 + " 2", "0:0:0 " + "-" * 50, "__class__", "pk__in", "-place,-place", "?"),
)

#: Each parameter meets every third of these texts; the next parameter, which is read by the same code, the following ones.
TURNS = 3


@pytest.fixture
def page(client, observer):
    """The client, on a site where every page has something to show."""
    sky = factories.sky_object(n=1, images=False, target=factories.target())
    other = factories.sky_object(n=1, images=False)
    factories.classification(sky)
    factories.candidate(other.survey_objects.get(), sky)
    factories.rank(factories.ranking(), sky)
    factories.request(sky)
    ARGUMENTS["tom_alerce:figures"] = [sky.pk]
    observer.is_staff = True
    observer.save()
    return client


@pytest.mark.parametrize(
    ("turn", "name", "parameter"),
    [(turn, *pair) for turn, pair in enumerate(PAIRS)],
    ids=[f"{page.partition(':')[2]} {name}" for page, name in PAIRS],
)
def test_no_text_is_too_odd_for_a_parameter(page, turn, name, parameter):
    address = reverse(name, args=ARGUMENTS.get(name))
    for value in HOSTILE[turn % TURNS :: TURNS]:
        answer = page.get(address, {parameter: value})
        assert answer.status_code in (200, 400, 404), (value[:40], answer.status_code)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(sorted(PARAMETERS)), data=st.data())
def test_nor_are_all_parameters_together(page, name, data):
    text = st.text(max_size=40) | st.sampled_from(HOSTILE)
    chosen = data.draw(
        st.dictionaries(st.sampled_from(PARAMETERS[name]), text.filter(lambda t: t.isprintable() or t.isascii()), max_size=4)
    )
    assert page.get(reverse(name, args=ARGUMENTS.get(name)), chosen).status_code in (200, 400, 404)


@pytest.mark.parametrize("key", ["9" * 19, "9" * 310, "9" * 5000, "-1", "²"])
@pytest.mark.parametrize(
    "path",
    [
        "/alerce/objects/{}/",
        "/alerce/stamps/{}.png",
        "/alerce/targets/{}/",
        "/alerce/ranks/{}/",
        "/alerce/objects/{}.json",
        "/alerce/objects/{}/figures/",
        "/alerce/files/{}/",
        "/alerce/hunter/{}/",
        "/alerce/requests/{}/",
        "/alerce/lists/{}/",
        "/alerce/requests/{}/portal/",
        "/alerce/events/{}/",
        "/alerce/events/{}/region.json",
        "/api/alerce-objects/{}/",
        "/api/alerce-requests/{}/",
        "/api/alerce-tns/{}/",
    ],
)
def test_no_key_is_too_large(page, path, key):
    assert page.get(path.format(key)).status_code == 404


@pytest.mark.parametrize("action", ["promote", "dry-run", "link", "explain", "mark", "request"])
def test_no_key_of_an_action_is_too_large(page, action):
    assert page.post(f"/alerce/objects/{'9' * 19}/{action}/", {"name": "x" * 60_000}).status_code == 404


@pytest.mark.parametrize("value", HOSTILE)
def test_no_name_to_link_is_too_odd(page, value):
    sky = factories.sky_object(n=1, images=False)
    assert page.post(reverse("tom_alerce:link", args=[sky.pk]), {"name": value, "next": value}).status_code in (302, 400)
    assert page.post(reverse("tom_alerce:theme"), {"theme": value, "next": value}, headers={"Referer": "x"}).status_code in (302, 400)


@pytest.mark.parametrize("value", HOSTILE)
def test_no_form_of_the_board_is_too_odd(page, value):
    for name, data in (
        ("board-bulk", {"do": value, "pk": value, "text": value}),
        ("board-bulk", {"do": "seen", "pk": ["1", value]}),
        ("view-save", {"name": value, "query": value, "next": value}),
        ("hunter-next", {"profile": value, "team": value}),
    ):
        assert page.post(reverse(f"tom_alerce:{name}"), data).status_code in (302, 400)


@pytest.mark.parametrize("do", ["check", "send"])
def test_no_form_of_requests_is_too_odd(page, observer, do):
    row = factories.request(factories.sky_object(n=1, images=False), user=observer, facility="Fake")
    trigger = Trigger.objects.create(name="young", facility="fake")
    factories.roles(observer, "request", "approve", "send", "override", "configure")
    observer.user_permissions.add(*Permission.objects.filter(codename="change_target"))
    for value in HOSTILE:
        for name, data in (
            ("request-save", {"f_name": value, value[:300]: value}),
            ("request-override", {"guard": [value, "moon"], "reason": value}),
            ("trigger-switch", {"mode": value}),
            ("trigger-save", {f"t{trigger.pk}-{field}": value for field in ("name", "threshold", "filters", "snr", "per_night")}),
        ):
            key = trigger.pk if name.startswith("trigger") else row.pk
            assert page.post(reverse(f"tom_alerce:{name}", args=[key]), data).status_code in (302, 400), (name, value[:40])
        data = {"do": do, "pk": value, "next": value}
        assert page.post(reverse("tom_alerce:bulk-confirm"), data).status_code == 302
        assert page.post(reverse("tom_alerce:triggers-stop"), {"reason": value}).status_code == 302
    assert page.post(reverse("tom_alerce:request-cancel", args=[row.pk]), {"reason": "x" * 60_000}).status_code == 302
    assert Trigger.objects.get().mode == "off"
