"""Saved filters: versions and who sees them, the trial and the cap, and an event for each object that passes for the first time."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.utils import timezone

from followup import filters
from tests.tom_alerce import factories
from tom_alerce.clock import now as now_mjd
from tom_alerce.models import Event, FilterMatch, FilterVersion, SavedFilter, SkyObject, Traits
from tom_alerce.pipeline import filters as pipeline
from tom_alerce.pipeline import promotion
from tom_alerce.store import saved
from tom_alerce.store.errors import StoreError

pytestmark = pytest.mark.django_db

BRIGHT = {"field": "magnitude", "op": "<", "value": 21}
NORTH = {"field": "dec", "op": ">", "value": 30}
OLD = {"field": "age", "op": ">", "value": 20.0}


def skies(n, **fields):
    return [factories.sky_object(ra=10.0 * i, n=4, images=False, evidence=f"{i}", **fields) for i in range(n)]


def tried(name, body, author=None):
    row = saved.save(name, body, author)
    pipeline.try_version(row)
    return row


class TestVersions:
    def test_another_tree_is_another_version_and_the_same_is_not(self):
        user = factories.user()
        first = saved.save("  young  ones ", {"and": [BRIGHT]}, user, "for tonight")
        assert (first.saved.name, first.version, first.saved.on) == ("young ones", 1, None)
        assert saved.save("young ones", {"and": [BRIGHT]}, user).pk == first.pk
        second = saved.save("young ones", OLD, user)
        assert (second.version, second.body) == (2, filters.body(filters.parse(OLD)))
        assert saved.version(first.saved, 1) == first
        with pytest.raises(StoreError, match="no version 3"):
            saved.version(first.saved, 3)

    @pytest.mark.parametrize(
        ("name", "body", "message"),
        [
            ("", BRIGHT, "name: 1 to 100"),
            ("x" * 101, BRIGHT, "name: 1 to 100"),
            ("all", {}, "it has no condition"),
            ("none", {"and": [{"or": []}]}, "it has no condition"),
            ("bad", {"field": "x"}, "field: there is no field"),
        ],
    )
    def test_what_cannot_be_saved(self, name, body, message):
        with pytest.raises(StoreError, match=message):
            saved.save(name, body, factories.user())
        assert not SavedFilter.objects.exists()

    def test_it_is_seen_by_its_owner_and_the_members_of_its_groups(self):
        owner, friend, stranger, root = (factories.user(name) for name in ("owner", "friend", "stranger", "root"))
        root.is_superuser = True
        group = Group.objects.create(name="nightly")
        friend.groups.add(group)
        one = saved.save("ours", BRIGHT, owner, groups=[group]).saved
        assert [list(saved.seen_by(user)) for user in (owner, friend, stranger, root)] == [[one], [one], [], [one]]
        assert [saved.may_change(user, one) for user in (owner, friend, stranger)] == [True, False, False]
        with pytest.raises(StoreError, match="a filter 'ours' of owner"):
            saved.save("ours", OLD, friend)
        with pytest.raises(StoreError, match="a filter 'ours' of another"):
            saved.save("ours", OLD, stranger)
        factories.roles(friend, "configure")
        friend = type(friend).objects.get(pk=friend.pk)
        assert saved.save("ours", OLD, friend).version == 2
        owner.delete()
        assert SavedFilter.objects.get().by == "a former user"


class TestTrial:
    def test_each_night_is_judged_by_what_was_known_then(self):
        sky = factories.sky_object(n=6, images=False)
        at = now_mjd()
        youngest = pipeline.trial(filters.parse({"field": "detections", "op": "<=", "value": 1}), at)
        assert (youngest.looked, youngest.passed, youngest.every, youngest.examples) == (1, 1, 1, (sky.pk,))
        assert sum(passed for _, _, passed in youngest.nights) == 1
        assert len(youngest.nights) == 30
        every = pipeline.trial(filters.parse({}), at)
        assert all(seen == passed for _, seen, passed in every.nights)
        assert every.rate == 1.0
        assert pipeline.trial(filters.parse(NORTH), at).passed == 0

    def test_of_many_objects_some_are_taken(self, monkeypatch):
        skies(7)
        monkeypatch.setattr(pipeline, "LOOKED", 3)
        made = pipeline.trial(filters.parse(BRIGHT))
        assert (made.looked, made.every) == (3, 3)

    def test_no_filter_is_switched_on_untried_or_long_after(self):
        skies(2)
        row = saved.save("north", NORTH, None)
        with pytest.raises(StoreError, match="has to be tried"):
            saved.switch_on(row)
        pipeline.try_version(row)
        saved.switch_on(row)
        assert SavedFilter.objects.get().on == 1
        saved.save("north", OLD, None)
        assert SavedFilter.objects.get().on == 1, "the version that is on stays on"
        FilterVersion.objects.filter(pk=row.pk).update(tried=timezone.now() - timedelta(days=8))
        row.refresh_from_db()
        assert "older than 7 days" in saved.refusal(row)

    def test_one_that_passes_too_much_is_refused(self, settings, monkeypatch):
        skies(3)
        monkeypatch.setattr(saved, "FEW", 1)
        row = tried("bright", BRIGHT)
        with pytest.raises(StoreError, match=r"3 of 3 objects passed \(100.0%\), more than 5.0%: narrow it down"):
            saved.switch_on(row)
        settings.TOM_ALERCE = {"FILTER_CAP": 1.0}
        saved.switch_on(row)

    def test_nothing_to_try_it_on_is_no_trial(self):
        with pytest.raises(StoreError, match="nothing to try it on"):
            saved.switch_on(tried("bright", BRIGHT))

    def test_there_are_not_too_many(self, monkeypatch):
        skies(1)
        monkeypatch.setattr(saved, "MOST_ON", 1)
        saved.switch_on(tried("a", NORTH))
        with pytest.raises(StoreError, match="1 filters are on already"):
            saved.switch_on(tried("b", NORTH))


class TestJudging:
    def test_an_object_is_told_of_once_for_each_version(self):
        old = skies(1)
        pipeline.run()
        row = tried("bright", BRIGHT)
        saved.switch_on(row)
        assert list(FilterMatch.objects.values_list("sky_object", "told")) == [(old[0].pk, False)]
        new = factories.sky_object(n=3, images=False, evidence="new")
        judged = pipeline.run()
        assert judged.passed == {"bright": [new.pk]}
        [event] = Event.objects.all()
        assert (event.event, event.sky_object, event.facts["filter"]) == ("filter", new, row.saved.pk)
        assert event.title == f"{new.public_name} passes bright"
        pipeline.run([new.pk])
        assert Event.objects.count() == 1
        second = tried("bright", {"and": [BRIGHT, {"field": "dec", "op": "<", "value": 90}]})
        Traits.objects.all().delete()
        saved.switch_on(second)
        pipeline.run([new.pk])
        assert Event.objects.count() == 2
        saved.switch_off(second.saved)
        assert pipeline.run([old[0].pk]).passed == {}

    def test_a_filter_that_cannot_be_read_ends_no_other(self):
        skies(1)
        for name in ("broken", "north"):
            saved.switch_on(tried(name, NORTH))
        FilterVersion.objects.filter(saved__name="broken").update(body={"field": "gone", "op": "<", "value": 1})
        factories.sky_object(dec=60.0, n=2, images=False, evidence="n")
        judged = pipeline.run()
        assert list(judged.passed) == ["north"]
        assert "there is no field 'gone'" in judged.problems["broken"]

    def test_what_passes_may_become_a_target(self, settings):
        settings.TOM_ALERCE = {"PROMOTION": [{"filter": "north"}]}
        skies(1)
        saved.switch_on(tried("north", NORTH))
        north = factories.sky_object(dec=60.0, n=2, images=False, evidence="n")
        pipeline.run()
        assert len(promotion.promote(SkyObject.objects.values_list("pk", flat=True))) == 1
        north.refresh_from_db()
        assert north.target is not None


def test_the_command_tries_switches_and_judges():
    factories.sky_object(dec=60.0, n=2, images=False, evidence="n")

    def call(*arguments):
        out = StringIO()
        call_command("alerce_filter", *arguments, stdout=out)
        return out.getvalue()

    saved.save("north", NORTH, None)
    with pytest.raises(CommandError, match="has to be tried"):
        call("--on", "north")
    with pytest.raises(CommandError, match="no filter 'south'"):
        call("--try", "south")
    assert "1 of 1 objects passed" in call("--try", "north")
    assert "north is on" in call("--on", "north")
    assert "version 1 on" in call("--list")
    assert "1 objects looked at; north: 1 new" in call()
    assert "0 objects looked at" in call()
    assert "1 objects looked at" in call("--all")
    assert "north is off" in call("--off", "north")
    saved.switch_on(saved.version(SavedFilter.objects.get()))
    FilterVersion.objects.update(body={"field": "gone"})
    with pytest.raises(CommandError, match="north: "):
        call("--all")
