"""Objects are found in lists and regions as their alerts come, once each, and among those that are stored."""

from __future__ import annotations

import numpy as np
import pytest

from broker_adapters.crossmatch import unit_vectors
from followup import watchareas, watchlists
from tests.tom_alerce import factories
from tests.tom_alerce.alerts import alert
from tests.tom_alerce.telling import person, rule
from tom_alerce.models import Event, SkyObject, SurveyObject, Watch, WatchMatch
from tom_alerce.pipeline import keep
from tom_alerce.store import alerts, linking, watch, watched
from tom_alerce.store.errors import StoreError

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(db, settings):
    settings.TOM_ALERCE = {"RANK_DAYS": 1e5}
    return person("ada")


def told(made):
    """The list, with a rule that tells of it."""
    rule(made.owner, name=made.name, events=["new"], watch=made)
    return made


def listed(owner, text, name="Mine", **fields):
    return told(watch.fill(watch.save(owner, name, **fields), watchlists.read(text).entries))


def region(owner, text, name="Field"):
    return told(watch.cover(watch.save(owner, name), watchareas.read(text.encode())))


def found():
    return set(WatchMatch.objects.values_list("watch__name", "entry__name"))


def events():
    return list(Event.objects.filter(event="new").order_by("pk").values_list("title", flat=True))


def test_an_alert_in_a_list_is_a_match_and_an_event_once(ada):
    first = alert()
    mine = listed(ada, f"{first.ra},{first.dec},M 1,5\n{first.ra},{first.dec + 1 / 3600},nearer\n10,10,elsewhere")
    alerts.save([first])
    alerts.save([first, alert(mjd=first.mjd + 1, source_id="2")])
    match = WatchMatch.objects.get()
    assert (match.watch, match.entry.name, match.earlier) == (mine, "M 1", False)
    assert match.separation < 0.5
    name = SkyObject.objects.get().public_name
    assert events() == [f"{name} is in the list of positions 'Mine', {match.separation:.1f} arcsec from M 1"]
    assert Event.objects.get().watch == mine


def test_what_comes_from_an_archive_is_found_and_nobody_is_told(ada, settings):
    settings.TOM_ALERCE = {"RANK_DAYS": 1.0}
    first = alert()
    listed(ada, f"{first.ra},{first.dec},x")
    alerts.save([first])
    assert WatchMatch.objects.get().earlier
    assert events() == []


def test_a_list_of_which_nobody_wants_to_be_told_makes_no_events(ada):
    first = alert()
    listed(ada, f"{first.ra},{first.dec},x").rules.update(active=False)
    alerts.save([first])
    assert found() == {("Mine", "x")}
    assert events() == []


def test_positions_beyond_their_radius_inactive_lists_and_moving_objects_do_not_match(ada):
    first = alert()
    listed(ada, f"{first.ra},{first.dec + 10 / 3600},far,5")
    off = listed(ada, f"{first.ra},{first.dec},off", "Off")
    watch.switch(off, False)
    alerts.save([first])
    assert found() == set()
    watch.switch(off, True)
    assert watch.note([SkyObject(pk=1, ra=first.ra, dec=first.dec, moving=True)]) == 0


def test_a_change_of_a_list_counts_from_the_next_batch_on(ada):
    first = alert()
    mine = listed(ada, "10,10,x")
    alerts.save([first])
    watch.fill(mine, watchlists.read(f"{first.ra},{first.dec},here").entries)
    alerts.save([alert(mjd=first.mjd + 1, source_id="2")])
    assert found() == {("Mine", "here")}


def test_a_list_that_has_not_changed_is_not_read_again(ada, django_assert_num_queries):
    listed(ada, "10,10,x")
    watched.current()
    with django_assert_num_queries(1):
        assert not watch.note([])


def test_an_object_is_found_by_its_name_whatever_its_place(ada):
    first = alert()
    listed(ada, f"{first.object_id.lower()}\nZTF99zzz")
    alerts.save([first])
    assert found() == {("Mine", first.object_id.lower())}
    assert WatchMatch.objects.get().separation is None


def test_regions_match_and_several_lists_at_once(ada):
    first = alert()
    region(ada, f"circle {first.ra} {first.dec} 0.2")
    region(ada, f"circle {(first.ra + 180) % 360} {first.dec} 2", "Other field")
    listed(person("berta"), f"{first.ra},{first.dec},x", "Hers")
    alerts.save([first])
    assert found() == {("Field", None), ("Hers", "x")}
    assert len(events()) == 2


def test_positions_that_are_watched_are_known_at_once(ada):
    listed(ada, "10,10,x,10")
    region(ada, "circle 200 -30 1")
    assert watch.inside([1.0, 1.0], [2.0, 2.0], ["ZTF1", "ZTF2"]).tolist() == [False, False]
    listed(ada, "ztf2", "Names")
    assert watch.inside([1.0, 1.0], [2.0, 2.0], ["ZTF1", "ZTF2"]).tolist() == [False, True]
    assert watch.inside([10.0, 10.01, 200.5, 201.5, np.nan], [10.001, 10.0, -30.0, -30.0, np.nan]).tolist() == [
        True,
        False,
        True,
        False,
        False,
    ]


def test_stored_objects_are_found_by_a_search_and_nobody_is_told_of_each(ada, monkeypatch):
    monkeypatch.setattr(watch, "AT_ONCE", 2)
    skies = [factories.sky_object(ra=10.0 + i, dec=5.0, images=False, n=1) for i in range(5)]
    named = skies[4].survey_objects.get().object_id
    mine = listed(ada, f"10,5,a\n12,5,b\n{named}\n99,9,c")
    assert watch.search(mine) == 3
    assert watch.search(mine) == 0
    assert {match.sky_object for match in WatchMatch.objects.all()} == {skies[0], skies[2], skies[4]}
    assert WatchMatch.objects.filter(earlier=True).count() == 3
    assert events() == []
    mine.refresh_from_db()
    assert mine.searched == mine.version
    field = region(ada, "circle 11 5 0.1")
    assert watch.search(field) == 1


def test_a_search_ends_at_its_bound(ada, monkeypatch):
    monkeypatch.setattr(watch, "MATCHES", 2)
    for i in range(4):
        factories.sky_object(ra=10.0 + i / 100, dec=5.0, images=False, n=1)
    assert watch.search(region(ada, "circle 10 5 3")) == 2


def test_matches_and_events_go_with_an_object_that_is_joined_to_another(ada):
    one, other = alert(), alert(survey="atlas", object_id="A1", source_id="a1")
    listed(ada, f"{one.ra},{one.dec},x")
    alerts.save([one])
    alerts.save([other])
    atlas = SurveyObject.objects.get(survey="atlas")
    if atlas.sky_object_id == SurveyObject.objects.get(survey="ztf").sky_object_id:
        linking.unlink(atlas)
        atlas.refresh_from_db()
    listed(ada, f"{atlas.ra},{atlas.dec},y", "Second")
    watch.note([atlas.sky_object])
    linking.link(atlas, SurveyObject.objects.get(survey="ztf").sky_object)
    assert set(WatchMatch.objects.values_list("watch__name", flat=True)) == {"Mine", "Second"}
    assert Event.objects.filter(sky_object=SkyObject.objects.get()).count() == Event.objects.count() >= 2


def test_what_cannot_be_kept_is_refused(ada, monkeypatch):
    mine = watch.save(ada, "Mine")
    for fields, reason in (
        ({"name": " "}, "needs a name"),
        ({"name": "Mine"}, "already"),
        ({"name": "x", "radius": 0.0}, "radius"),
        ({"name": "x", "radius": 9999.0}, "radius"),
    ):
        with pytest.raises(StoreError, match=reason):
            watch.save(ada, **fields)
    monkeypatch.setattr(watch, "MOST", 1)
    with pytest.raises(StoreError, match="the most"):
        watch.save(ada, "another")
    monkeypatch.setattr(watch, "ENTRIES", 1)
    with pytest.raises(StoreError, match="the most"):
        watch.fill(mine, watchlists.read("1,2,a\n3,4,b").entries)
    assert Watch.objects.get() == mine


def test_another_radius_is_another_version(ada):
    mine = listed(ada, "10,10,x")
    before = mine.version
    assert watch.save(ada, "Mine", radius=60.0, watch=mine).version == before + 1
    assert watch.inside([1.0, 1.0], [2.0, 2.0], ["ZTF1", "ZTF2"]).tolist() == [False, False]
    listed(ada, "ztf2", "Names")
    assert watch.inside([1.0, 1.0], [2.0, 2.0], ["ZTF1", "ZTF2"]).tolist() == [False, True]
    assert watch.inside([10.01], [10.0]).all()
    assert unit_vectors([10.0], [10.0]).shape == (1, 3)


def test_a_stream_that_is_thinned_out_keeps_what_is_watched(ada):
    three = [alert(), alert(object_id="ZTF2", dec=3.0), alert(object_id="ZTF3", dec=4.0)]
    listed(ada, f"{three[1].ra},{three[1].dec},x\nZTF3")
    rules = [{"watched": True}]
    assert keep.settle(keep.judge(rules, three, {}), three).kept.tolist() == [False, True, True]
    rules = [{"watched": False}]
    assert keep.settle(keep.judge(rules, three, {}), three).kept.tolist() == [True, False, False]
