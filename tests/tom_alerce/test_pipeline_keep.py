"""Keep rules: what meets one is stored, of everything else a light row stays that later rules can ask."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest

from broker_adapters.records import BrokerLabel, Lifetime
from broker_adapters.sources.archives import Packet
from classifiers.records import Classification
from tests.tom_alerce import factories
from tests.tom_alerce.alerts import MJD, alert
from tom_alerce.models import DeadLetter, FilterVersion, PassedAlert, SavedFilter, SkyObject, SurveyObject
from tom_alerce.pipeline import classify, ingest, items, keep, prepare
from tom_alerce.store import alerts as store
from tom_alerce.store import awaited, passed, profiles, saved
from tom_alerce.store.awaited import Named
from tom_alerce.store.errors import StoreError
from tom_alerce.store.passed import Passed

pytestmark = pytest.mark.django_db
CLASSES = ("AGN", "SN", "VS", "asteroid", "bogus")


def classified(*p_sn):
    """The stamp classifier's answer for alerts of which these are the probabilities of a supernova; NaN: it cannot say."""
    rows = np.array([[0.0, p, 1.0 - p, 0.0, 0.0] for p in p_sn])
    return {"stamp": Classification("stamp", "1", CLASSES, rows)}


def kept(rules, alerts, answers=MappingProxyType({})):
    verdict = keep.settle(keep.judge(rules, alerts, answers), alerts)
    return verdict.kept.tolist(), verdict.reasons.tolist()


def test_without_rules_all_are_kept():
    assert kept((), [alert(), alert("lsst", "1")]) == ([True, True], ["", ""])


@pytest.mark.parametrize(
    ("rule", "answer"),
    [
        ({"survey": "ztf"}, [True, False]),
        ({"moving": False}, [True, False]),
        ({"reliability": 0.5}, [True, False]),
        ({"magnitude": 19.0}, [True, False]),
        ({"regions": [(150.0, 2.0, 0.5), (10.0, 10.0, 1.0)]}, [True, False]),
        ({"label": "SN", "probability": 0.7}, [True, False]),
        ({"label": "SN"}, [True, False]),
        ({"origin": "lasair", "label": "SN"}, [True, False]),
        ({"origin": "lasair", "classifier": "sherlock", "label": "SN"}, [True, False]),
        ({"origin": "lasair", "classifier": "other", "label": "SN"}, [False, False]),
        ({"survey": "ztf", "reliability": 0.95}, [False, False]),
    ],
)
def test_a_rule_keeps_what_meets_all_its_conditions(rule, answer):
    bright = alert(labels=(BrokerLabel("lasair", "sherlock", "1", "SN", 0.9),))
    faint = alert("lsst", "1", dec=3.0, moving=True)
    rows = faint.detections.copy()
    rows["flux"], rows["reliability"] = 100.0, np.nan
    faint = alert("lsst", "1", dec=3.0, moving=True, rows=rows)
    assert kept([rule], [bright, faint], classified(0.8, np.nan))[0] == answer


def test_one_rule_is_enough_and_the_reason_is_of_the_one_that_came_furthest():
    rules = [{"survey": "lsst"}, {"survey": "ztf", "label": "SN"}]
    assert kept(rules, [alert(), alert(), alert("lsst", "1")], classified(0.8, 0.2, 0.1)) == ([True, False, True], ["", "label", ""])


def test_a_filter_that_is_on_judges_an_alert_by_what_it_says_itself(caplog):
    near = alert(
        "ztf", "ZTF26near", labels=(BrokerLabel("lasair", "sherlock", "1", "SN", 0.9), BrokerLabel("lasair", "odd", "1", "x", np.nan))
    )
    far = alert("lsst", "1", dec=30.0)
    body = {
        "and": [
            {"field": "class", "classifier": "lasair sherlock", "class": "SN", "op": ">", "value": 0.5},
            {"field": "galactic_latitude", "op": ">", "value": 10},
            {"field": "last_seen", "op": "<", "value": 1.0},
            {"field": "survey", "op": "any of", "value": ["ztf"]},
        ]
    }
    row = saved.save("mine", body, None)
    assert kept([{"filter": "mine"}], [near, far]) == ([False, False], ["filter", "filter"])
    assert "not on or cannot be read" in caplog.text
    SavedFilter.objects.filter(pk=row.saved_id).update(on=1)
    assert kept([{"filter": "mine"}], [near, far]) == ([True, False], ["", "filter"])
    FilterVersion.objects.update(body={"field": "gone"})
    assert kept([{"filter": "mine"}], [near])[0] == [False]


def test_what_the_tables_say():
    store.save([alert()])
    factories.target("T", ra=150.0, dec=3.0)
    three = [alert(), alert(object_id="ZTF2", dec=3.0), alert(object_id="ZTF3", dec=4.0)]
    assert kept([{"stored": True}], three) == ([True, False, False], ["", "stored", "stored"])
    assert kept([{"stored": False, "survey": "ztf"}], three)[0] == [False, True, True]
    assert kept([{"target": True}], three)[0] == [False, True, False]
    assert kept([{"survey": "lsst", "stored": True}], three) == ([False] * 3, ["survey"] * 3)
    assert kept([{"before": 2}], three)[0] == [False] * 3
    passed.save([passed.Passed(alert(object_id="ZTF9", dec=4.0, n=1, first=-i)) for i in range(3)])
    assert kept([{"before": 2}], three) == ([False, False, True], ["before", "before", ""])
    assert kept([{"before": 6}], three)[0] == [False] * 3


def test_a_light_row_is_written_once():
    light = [passed.Passed(alert(), "VS", 0.9), passed.Passed(alert(object_id="ZTF2"))]
    assert passed.save(light) == 2
    assert passed.save(light) == 0
    assert passed.save([]) == 0
    row = PassedAlert.objects.get(object_id="ZTF26aaaaaaa")
    assert (row.survey, row.label, row.probability, row.mjd) == ("ztf", "VS", 0.9, MJD + 2)
    assert str(row) == "ztf ZTF26aaaaaaa at 61002.0000"


class Model:
    """A classifier that calls an alert a supernova by its declination, and fails at one."""

    name, version, classes = "stamp", "1", CLASSES

    def predict(self, objects):
        if any(one.dec == 9.0 for one in objects):
            raise ValueError("no such thing")
        return Classification("stamp", "1", CLASSES, classified(*(0.9 if one.dec > 2.0 else 0.1 for one in objects))["stamp"].probabilities)


@pytest.fixture
def stream(monkeypatch, settings):
    """Packets that are numbers: each is of an alert at this declination, with a history only if that is asked for."""

    def read(packet, *, history=True):
        if not packet.data:
            return items.Item(packet, refused=items.Refused.of(*packet, "empty"))
        dec = float(packet.data)
        return items.Item(packet, alert(object_id=f"ZTF{dec:g}", dec=dec, n=5 if history else 1, first=0 if history else 4))

    settings.TOM_ALERCE = {"KEEP": [{"label": "SN"}, {"stored": True}]}
    monkeypatch.setattr(items, "read", read)
    monkeypatch.setattr(classify, "classifier", lambda name: Model())

    def run(*decs):
        report = ingest.Report()
        batch = [Packet("topic", f"0:{i}", str(dec).encode()) for i, dec in enumerate(decs)]
        ingest.take(prepare.prepare(batch), report, lambda ids: None)
        return report

    return run


def test_what_is_kept_has_its_history_and_all_else_a_light_row(stream):
    report = stream(1.0, 3.0, 0.5, "")
    assert (report.read.total(), report.passed, report.refused) == (1, {"stored": 2}, 1)
    assert [(o.object_id, o.n_detections) for o in SurveyObject.objects.all()] == [("ZTF3", 5)]
    assert sorted(PassedAlert.objects.values_list("object_id", "label")) == [("ZTF0.5", "VS"), ("ZTF1", "VS")]
    assert "not kept: 2" in str(report)


def test_an_object_that_is_stored_is_kept_whatever_it_looks_like_now(stream):
    store.save([alert(object_id="ZTF1", dec=1.0, n=1)])
    stream(1.0)
    assert SurveyObject.objects.get().n_detections == 5
    assert not PassedAlert.objects.exists()


def test_an_alert_at_which_the_classifier_fails_is_a_dead_letter(stream):
    report = stream(9.0, 3.0, 1.0)
    assert (report.refused, SkyObject.objects.count(), PassedAlert.objects.count()) == (1, 1, 1)
    assert "no such thing" in DeadLetter.objects.get().reason


def rules(monkeypatch, settings, own, **wanted):
    """The rules in force with these of the settings, and these of the profiles by which the TOM ranks."""
    settings.TOM_ALERCE = {"KEEP": own, "PROFILES": list(wanted)}
    default = profiles.current("default")
    monkeypatch.setattr(profiles, "every", lambda: {name: replace(default, name=name, keep=keep) for name, keep in wanted.items()})
    return list(profiles.kept())


A, B = {"label": "SN"}, {"target": True}


@pytest.mark.parametrize(
    ("own", "wanted", "expected"),
    [
        ([], {"a": None}, []),
        ([A], {"a": None}, [A]),
        ([], {"a": (A,), "b": (B, A)}, [A, B]),
        ([], {"a": (A,), "b": None}, []),
        ([B], {"a": (A,), "b": None}, [B, A]),
        ([B], {"a": ()}, [B]),
    ],
)
def test_rules_are_the_union_of_what_settings_and_profiles_want(monkeypatch, settings, own, wanted, expected):
    assert rules(monkeypatch, settings, own, **wanted) == expected


def test_a_profile_whose_keep_rule_cannot_be_used_is_refused():
    with pytest.raises(StoreError, match=r"keep\[0\]: no key 'stars'.*keep\[1\]: probability: a number from 0 to 1"):
        profiles.check(replace(profiles.current("default"), keep=({"stars": 1}, {"label": "SN", "probability": 7})))


def test_an_object_that_was_seen_before_it_is_kept_is_awaited():
    old = Lifetime(first_mjd=MJD - 400.0)
    given = [
        alert(object_id="old", dec=1.0, lifetime=old),
        alert(object_id="new", dec=2.0),
        alert(object_id="light", dec=3.0, n=1, first=4),
    ]
    passed.save([Passed(alert(object_id="light", dec=3.0, n=1))])
    assert [named.object_id for named in keep.incomplete(given)] == ["old", "light"]
    store.save(given)
    assert keep.incomplete(given) == []


def test_it_is_awaited_with_the_batch(stream, monkeypatch):
    monkeypatch.setattr(keep, "incomplete", lambda alerts: [Named(a.survey, a.object_id, "keep rules", "older") for a in alerts])
    stream(1.0, 3.0)
    assert awaited.ids("ztf") == ["ZTF3"]
