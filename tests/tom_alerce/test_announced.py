"""What happens to objects, requests and the TOM is announced where it happens, if anybody wants to know."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from classifiers.records import Classification as Result
from tests.tom_alerce import factories
from tests.tom_alerce.alerts import alert, curve
from tests.tom_alerce.telling import happens, person, rule, watched
from tom_alerce.clock import now
from tom_alerce.models import Delivery, Event, FilterMatch, SavedFilter, SkyObject
from tom_alerce.pipeline.rank import rank
from tom_alerce.requests import states
from tom_alerce.store import alerts, changes, classifications, drift, fanout, watch
from tom_alerce.store.errors import StoreError
from tom_alerce.store.subscriptions import save

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(db):
    return person("ada")


def told(event):
    return list(Event.objects.filter(event=event).order_by("pk").values_list("title", flat=True))


def rising(factor, n=6):
    """An alert of a light curve in one band, once a day until now, each ``factor`` brighter than the one before."""
    mjd = now() - 0.05 - np.arange(n)[::-1]
    return alert(rows=curve(n=n, mjd=mjd, band="g", flux=50_000.0 * factor ** np.arange(n), flux_err=500.0))


def test_what_rises_is_announced_in_the_transaction_of_its_alert_once_for_each_step(ada):
    watch.fill(watch.save(ada, "Mine"), [])
    sky_of_rule = rule(ada, events=["rises", "brightens"], watch=watched(ada, name="Watched"))
    alerts.save([rising(1.5)])
    assert Event.objects.count() == 0, "nobody watches it"
    sky = SkyObject.objects.get()
    sky_of_rule.watch.matches.create(sky_object=sky)
    alerts.save([rising(1.5)])
    alerts.save([rising(1.5)])
    name = sky.public_name
    assert told("rises") == [f"{name} rises by 0.44 mag/d"]
    assert told("brightens") == [f"{name} is 0.44 mag brighter in g"]
    facts = Event.objects.get(event="rises").facts
    assert facts["rate"] == pytest.approx(2.5 * np.log10(1.5), abs=0.02)
    fanout.spread()
    assert Delivery.objects.get().event.event == "rises", "0.44 mag is less than the 0.5 that the rule asks for"


def test_what_fades_or_was_seen_long_ago_is_no_news(ada, monkeypatch):
    alerts.save([rising(0.7)])
    rule(ada, events=["rises", "brightens"], watch=watched(ada, SkyObject.objects.get()))
    alerts.save([rising(0.7)])
    assert Event.objects.count() == 0
    monkeypatch.setattr(changes, "now", lambda: now() + 5.0)
    changes.note([SkyObject.objects.get()])
    assert Event.objects.count() == 0


def test_nothing_is_worked_out_where_no_rule_asks(ada, django_assert_num_queries):
    sky = factories.sky_object(images=False)
    with django_assert_num_queries(1):
        changes.note([sky])


def result(*labels):
    classes = ("SN", "AGN")
    probabilities = np.array([[0.9, 0.1] if label == "SN" else [0.1, 0.9] for label in labels])
    return Result("stamp", "1", classes, probabilities)


def test_another_class_is_announced_the_same_is_not(ada):
    skies = [factories.sky_object(ra=10.0 * i, images=False, n=1, evidence=f"a{i}") for i in range(3)]
    rule(ada, events=["class"], watch=watched(ada, *skies[:2]))
    classifications.save(result("SN", "SN", "SN"), skies)
    assert told("class") == [], "the first class is no change"
    for sky in skies:
        sky.evidence += "b"
        sky.save()
    for _ in range(2):
        classifications.save(result("AGN", "SN", "AGN"), skies)
    assert told("class") == [f"{skies[0].public_name} is AGN, was SN"]


def test_what_enters_the_top_is_announced_after_a_first_ranking(ada, settings):
    settings.TOM_ALERCE = {"SITE": "Cerro Pachon"}
    rule(ada, events=["top", "new"], profile="default", top=1)
    first = factories.sky_object(ra=60.0, dec=-30.0, peak=60_000.0, images=False)
    rank()
    assert Event.objects.count() == 0
    second = factories.sky_object(ra=61.0, dec=-30.0, peak=60_000.0, images=False)
    row = rank().row
    assert row.ranks.count() == 2
    assert told("new") == [f"{second.public_name} is new in the ranking for Cerro Pachon by the profile default"] * (
        not row.ranks.get(sky_object=second).vetoed
    )
    assert {event.sky_object for event in Event.objects.filter(event="top")} <= {second}
    rank()
    assert Event.objects.filter(sky_object=first).count() == 0


def test_a_request_that_changes_its_state_is_announced(ada):
    sky = factories.sky_object(images=False, n=1, target=factories.target(permissions="PRIVATE", name="Secret"))
    request = factories.request(sky, "draft", user=ada)
    states.move(request, "validated", "looks good")
    assert told("request") == []
    rule(ada, events=["request"])
    states.move(request, "approved")
    states.note(request, "approved", "approved", "only a note")
    [title] = told("request")
    assert title == f"{sky.public_name}: request to {request.facility} is approved, not sent yet"
    assert "Secret" not in title


def test_a_night_that_drifts_is_announced_once(settings):
    settings.TOM_ALERCE = {"DRIFT_ALARM": 0.25}
    measured = {"n": 50, "classes": {"SN": 1.0}, "psi": {"fwhm": 0.3, "sky": 0.1}}
    for _ in range(2):
        drift.save("stamp", "1", dt.date(2026, 11, 22), measured)
    drift.save("stamp", "1", dt.date(2026, 11, 23), measured | {"psi": {"fwhm": 0.2}})
    assert told("drift") == ["stamp: the night of 2026-11-22 is far from its training set"]
    assert Event.objects.get().text == "fwhm 0.30"


def test_a_rule_about_a_filter_tells_what_passes_it_to_those_who_see_it(ada):
    mine, other = (SavedFilter.objects.create(name=name, owner=ada, on=1) for name in ("young", "old"))
    sky, outside = (factories.sky_object(ra=10.0 * i, images=False, n=1) for i in range(2))
    FilterMatch.objects.create(saved=mine, version=1, sky_object=sky, mjd=now())
    FilterMatch.objects.create(saved=mine, version=0, sky_object=outside, mjd=now())
    rule(ada, events=["filter", "class"], filter="young")
    happens(sky, "1", "filter", facts={"filter": mine.pk})
    happens(sky, "2", "filter", facts={"filter": other.pk})
    happens(sky, "3")
    happens(outside, "4")
    fanout.spread()
    whys = [one.why for one in Delivery.objects.order_by("event")]
    assert whys == ["passes a saved filter, in what passes 'young'", "changes its class, in what passes 'young'"]
    channels = list(ada.alerce_channels.all())
    fields = {"name": "x", "events": ["filter"], "filter": "young"}
    assert save(ada, fields, channels).filter == "young"
    berta = person("berta")
    with pytest.raises(StoreError, match="no such filter"):
        save(berta, fields, [berta.alerce_channels.create(name="TOM", kind="in_app")])


def test_who_may_not_see_a_filter_any_more_is_told_nothing_of_it(ada):
    from tom_alerce.pipeline.deliver import deliver

    berta = person("berta")
    theirs = SavedFilter.objects.create(name="hers", owner=berta, on=1)
    sky = factories.sky_object(images=False, n=1)
    FilterMatch.objects.create(saved=theirs, version=1, sky_object=sky, mjd=now())
    rule(ada, events=["filter"], filter="hers")
    happens(sky, event="filter", facts={"filter": theirs.pk})
    deliver()
    assert Delivery.objects.get().answer == "ada may not see the filter"
