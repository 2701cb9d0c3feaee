"""axe-core finds no serious fault on any page of ours, in any theme, on a desk and on a phone; nothing to touch is too small."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from io import BytesIO

import numpy as np
import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.urls import reverse
from PIL import Image
from tom_targets.models import TargetExtra

from classifiers.taxonomy import STAMP
from followup import watchlists
from followup.facilities import fake
from followup.records import Exposure
from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.test_observer import known
from tests.followup.test_lco import REQUEST
from tests.tom_alerce import factories, telling
from tom_alerce.clock import now as now_mjd
from tom_alerce.models import Delivery, FilterMatch, FollowupRequest, Override, RequestEvent, SkyObject, Trigger, TriggerEntry
from tom_alerce.pipeline import deliver, explain, filters
from tom_alerce.store import drift, explanations, marks, saved, scans, watch

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

#: Rules of WCAG 2.2 at level AA, among them the size of what a finger must meet.
OPTIONS = {
    "resultTypes": ["violations"],
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]},
    "rules": {"target-size": {"enabled": True}},
}


#: A filter with blocks of every kind, which passes everything.
SHOWN = {
    "or": [
        {"field": "magnitude", "op": "<", "value": 40},
        {"field": "age", "op": "between", "value": [0, 3]},
        {"not": {"and": [{"field": "mark", "op": "any of", "value": ["pin"]}, {"field": "redshift", "op": "known"}]}},
        {"field": "class", "class": "SN", "op": ">", "value": 0.5},
        {"field": "survey", "op": "any of", "value": ["ztf"]},
        {"field": "position", "op": "within", "value": [10, 20, 3]},
    ]
}


@pytest.fixture
def addresses(page, live_server, client):
    """Every page of ours, full."""
    known(page.context, live_server, client)
    observer = client.session["_auth_user_id"]
    factories.board(5)
    sky = SkyObject.objects.filter(target=None, survey_objects__survey="ztf").first()
    row = explain.explainable([sky.pk])[0]
    explanations.save(row, "stamp", "1.0", ("SN", 0.81), np.eye(63))
    factories.classification(sky, "third", label="", evidence=sky.evidence, probabilities={"SN": None})
    factories.candidate(factories.sky_object(n=3).survey_objects.get(), sky)
    for day in range(1, 5):
        psi = {"difference noise": 0.9 * day, "embedding 2": 0.2, "p(SN)": 0.1, "diffmaglim - magpsf": 0.05}
        drift.save("stamp", "1.0", date(2026, 11, day), {"n": 300, "psi": psi, "classes": dict.fromkeys(STAMP, 0.2)})
    get_user_model().objects.filter(pk=observer).update(is_staff=True)
    factories.dead_letter()
    factories.stream("night", problem="Kafka at kafka.example.org:9092: the brokers are down", waits=2000)
    get_user_model().objects.get(pk=observer).user_permissions.add(*Permission.objects.filter(codename="configure"))
    everything_asked(get_user_model().objects.get(pk=observer))
    marks.add(sky, "note", get_user_model().objects.get(pk=observer), "look at its host")
    plain = "board review drift health night profiles requests triggers yield scoreboard keys api"
    pages = [reverse(f"tom_alerce:{name}") for name in plain.split()]
    compared = "&".join(f"pk={one.pk}" for one in SkyObject.objects.all()[:3])
    filters.run(SkyObject.objects.values_list("pk", flat=True))
    kept = saved.save("very bright", {"field": "magnitude", "op": "<", "value": 5}, get_user_model().objects.get(pk=observer))
    filters.try_version(kept)
    saved.switch_on(kept)
    FilterMatch.objects.create(saved=kept.saved, version=1, sky_object=sky, mjd=now_mjd())
    pages += [f"{reverse('tom_alerce:explorer')}?show={show}&filter={json.dumps(SHOWN)}" for show in ("table", "gallery", "map")]
    pages += [f"{reverse('tom_alerce:explorer')}?filter={json.dumps(kept.body)}"]
    return [
        *pages,
        reverse("tom_alerce:sites"),
        reverse("tom_alerce:hunter"),
        reverse("tom_alerce:hunt", args=[scans.take([sky.pk], "default", 0, get_user_model().objects.get(pk=observer)).pk]),
        reverse("tom_alerce:hunter-report"),
        reverse("tom_alerce:views"),
        reverse("tom_alerce:compare") + f"?{compared}",
        reverse("tom_alerce:filters"),
        reverse("tom_alerce:filter", args=[kept.saved_id]),
        reverse("tom_alerce:profiles") + "?beside=default",
        reverse("tom_alerce:profile", args=["default"]),
        reverse("tom_alerce:request", args=[FollowupRequest.objects.earliest("pk").pk]),
        reverse("tom_alerce:bulk") + "?" + "&".join(f"pk={row.pk}" for row in FollowupRequest.objects.all()),
        reverse("tom_alerce:object", args=[sky.pk]),
        *told(get_user_model().objects.get(pk=observer), sky),
    ]


def told(user, sky):
    """Pages of lists and notifications, with a list, rule and channel of each kind of form, and something told."""
    mine = telling.watched(user, sky)
    watch.fill(mine, watchlists.read("10,5,a,5,a remark\nZTF21abc").entries)
    telling.rule(user, telling.channel(user), watch=mine)
    telling.slack(user)
    telling.happens(sky)
    deliver.deliver()
    message = Delivery.objects.filter(state="sent").get().message
    names = {"watch": [mine.pk], "notification": [message]}
    return [reverse(f"tom_alerce:{name}", args=names.get(name)) for name in ("watches", "watch", "notifications", "notification")]


def everything_asked(user):
    """Requests in every state, with overridden guards, history and a class that came out; triggers that work, with a log."""
    now, states = now_mjd(), ("validated", "invalid", "approved", "unknown", "submitted", "observed", "failed")
    for i, state in enumerate(states):
        sky = factories.sky_object(i * 40.0, -30.0, n=4)
        factories.classification(sky)
        asked = replace(REQUEST, target=str(sky.pk), facility="fake", instrument="CAMERA", exposures=(Exposure("r", 300.0, 2),))
        window = {"start": now, "end": now + 0.4, "message": "the target never rises" if state == "invalid" else ""}
        sky.target = factories.target(f"Target {i}", sky.ra, sky.dec)
        sky.save()
        row = factories.request(
            sky, state, facility="Fake", instrument="CAMERA", payload=fake.payload(asked, target_id=1), user=user, **window
        )
        RequestEvent.objects.create(request=row, before="draft", after=state, user=user, reason="as it was planned", payload=row.payload)
        Override.objects.create(request=row, token=row.token, guard="moon", reason="nothing else is up", user=user)
        TargetExtra.objects.create(target=row.target, key="classification", value="SN Ia" if i % 2 else "AGN")
    trigger = Trigger.objects.create(name="Young and bright", facility="fake", mode="rehearse", owner=user)
    entry = {"trigger": trigger, "night": "2026-11-27", "score": 0.91, "hours": 0.2, "reason": "claimed: by berta"}
    for outcome in ("rehearsed", "stopped"):
        TriggerEntry.objects.create(sky_object=row.sky_object, outcome=outcome, **entry)
    user.user_permissions.add(*Permission.objects.filter(codename__in=("request", "approve", "send", "override")))


@pytest.mark.parametrize(
    ("page", "theme"),
    [(DESKTOP, "site"), (DESKTOP, "dark"), (DESKTOP, "red"), (PHONE, "red")],
    indirect=["page"],
    ids=["desktop-site", "desktop-dark", "desktop-red", "phone-red"],
)
def test_no_serious_fault(page, addresses, live_server, theme, screenshot):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe: pip install 'tom-alerce[test]'").Axe()
    page.context.add_cookies([{"name": "alerce_theme", "value": theme, "url": live_server.url}])
    for address in addresses:
        page.goto(address)
        page.evaluate("document.querySelectorAll('.alerce details').forEach(one => { one.open = true; })")
        page.wait_for_timeout(200)  # plotly draws
        found = axe.run(page, options=OPTIONS).response["violations"]
        serious = [(v["id"], [n["html"][:200] for n in v["nodes"]]) for v in found if v["impact"] in ("serious", "critical")]
        assert serious == [], address
        screenshot(f"{address.strip('/').replace('/', '-').replace('?', '-')[:60]}-{theme}")


@pytest.mark.parametrize("page", [PHONE], indirect=True)
def test_a_finger_meets_every_control(page, addresses):
    for address in addresses:
        page.goto(address)
        small = page.locator(".alerce :is(button, select, summary, input:not([type=hidden]), a.button, nav a, .flags a)").evaluate_all(
            """all => all.filter(one => one.checkVisibility()).map(one => [one.outerHTML.slice(0, 80), one.getBoundingClientRect()])
                 .filter(([, box]) => box.width < 24 || box.height < 24).map(([html, box]) => `${html} ${box.width} x ${box.height}`)"""
        )
        assert small == [], address


@pytest.mark.parametrize("page", [DESKTOP], indirect=True)
def test_captions_of_stamps_are_read_in_red(page, addresses, live_server):
    """Measured on the picture, shades included: the brightest pixels of the caption against the background."""
    page.context.add_cookies([{"name": "alerce_theme", "value": "red", "url": live_server.url}])
    page.goto(next(address for address in addresses if "/objects/" in address))
    caption = page.locator("#stamps figcaption").first
    caption.scroll_into_view_if_needed()
    with Image.open(BytesIO(caption.screenshot())) as picture:
        pixels = np.asarray(picture.convert("RGB"), float).reshape(-1, 3) / 255.0
    linear = np.where(pixels <= 0.04045, pixels / 12.92, ((pixels + 0.055) / 1.055) ** 2.4)
    luminance = np.sort(linear @ [0.2126, 0.7152, 0.0722])
    ratio = (luminance[-20:].mean() + 0.05) / (np.median(luminance) + 0.05)
    assert ratio >= 4.5
