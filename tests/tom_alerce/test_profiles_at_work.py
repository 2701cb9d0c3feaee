"""What a profile says of promotion, facility and budget is done: by promotion, by the plan, and in drafts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from followup.profiles import Budget, shipped
from tests.tom_alerce import factories
from tests.tom_alerce.test_judge import up_tonight
from tom_alerce.models import FollowupRequest
from tom_alerce.pipeline import promotion, rank
from tom_alerce.requests import draft, template
from tom_alerce.store import profiles, rankings
from tom_alerce.store.errors import StoreError

DEFAULT = shipped()["default"]
#: The settings' facility is another than the profile's.
SETTINGS = {"FACILITY": {"name": "lco", "proposal": "TOM", "snr": 10.0, "threshold": 0.0}, "PROFILES": ["default", "mine"]}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _settings(settings):
    settings.TOM_ALERCE = SETTINGS


def mine(**changed):
    return profiles.save(replace(DEFAULT, name="mine", **changed), None)


@pytest.fixture
def skies():
    ra, *_ = up_tonight()
    return [factories.sky_object((ra + i) % 360.0, -30.0, peak=500_000.0, images=False) for i in range(3)]


class TestPromotion:
    def test_objects_that_meet_a_rule_of_a_profile_by_which_it_ranks_become_targets(self, skies):
        mine(promotion=({"n_detections": 2},))
        assert len(promotion.promote([sky.pk for sky in skies])) == 3

    def test_a_profile_by_which_nothing_is_ranked_promotes_nothing(self, skies, settings):
        settings.TOM_ALERCE = {"PROFILES": ["default"]}
        mine(promotion=({"n_detections": 2},))
        assert promotion.promote([sky.pk for sky in skies]) == []

    def test_rules_are_those_of_the_settings_where_a_profile_has_none_of_its_own(self, settings):
        general, own = {"label": "SN"}, {"label": "AGN"}
        settings.TOM_ALERCE = {"PROMOTION": [general], "PROFILES": ["default", "mine", "gone"]}
        mine()
        assert promotion.rules() == [general]
        mine(promotion=(own, general))
        assert promotion.rules() == [general, own]
        settings.TOM_ALERCE = {"PROMOTION": [general], "PROFILES": ["mine"]}
        mine(promotion=())
        assert promotion.rules() == []


class TestFacility:
    def test_the_plan_has_the_facility_and_the_budget_of_the_profile(self, skies):
        case = mine(facility={"name": "fake", "threshold": 0.0}, budget=Budget(slots=2))
        planned = rank.plan(rank.compute(profile=case))
        assert [one.facility for one in planned] == ["fake", "fake"]
        assert len(rank.plan(rank.compute(profile=case), top=1)) == 1
        assert rank.plan(rank.compute(profile=mine(budget=Budget(hours=0.0)))) == []
        assert {one.facility for one in rank.plan(rank.compute())} == {"lco"}

    def test_drafts_have_what_the_profile_of_their_ranking_says(self, skies):
        case = mine(facility={"proposal": "MINE", "snr": 40.0})
        ranked = rank.rank(profile=case)
        (row, *_), (usual, *_) = (draft.draft(rank.plan(one), one.row) for one in (ranked, rank.rank()))
        assert row.key == usual.key
        assert FollowupRequest.objects.get(pk=row.pk).payload["proposal"] == "TOM"
        (again, *_) = draft.draft(rank.plan(ranked), ranked.row)
        assert again.payload["proposal"] == "MINE"

    def test_a_template_asks_the_facility_of_the_profile_by_which_the_board_ranks(self, skies, settings):
        mine(facility={"name": "fake", "program": "MINE"})
        settings.TOM_ALERCE = SETTINGS | {"PROFILES": ["mine"], "FACILITIES": {"fake": {"program": "TOM"}}}
        assert template.request(skies[0]).facility == "lco"
        assert template.request(skies[0], profile=profiles.current("mine")).facility == "fake"
        rank.rank()
        assert rankings.current().profile == "mine"
        row = template.apply(skies[0], factories.user("ada"))
        assert (row.facility, row.payload["program"]) == ("Fake", "MINE")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"promotion": ({"lable": "SN"},)}, r"promotion\[0\]: no key 'lable'"),
        ({"promotion": ({"label": "SN"}, {"label": "SN", "probability": 90})}, r"promotion\[1\]: probability: a number from 0 to 1"),
        ({"promotion": ({"probability": 0.9},)}, r"promotion\[0\]: It names no label"),
        ({"facility": {"name": "nowhere"}}, "facility: .*nowhere"),
        ({"facility": {"name": "os.path"}}, "facility.name: the settings name no facility"),
        ({"facility": {"name": 5}}, "facility.name: "),
        ({"facility": {"propsal": "x"}}, "facility: no option propsal; lco has: "),
        ({"facility": {"snr": "20"}}, "facility.snr: a value like 20.0"),
        ({"facility": {"filters": "rp"}}, "facility.filters: "),
        ({"facility": {"instrument": "NOTHING"}}, "facility: .*no instrument 'NOTHING'"),
        ({"facility": {"name": "soar", "instrument": "1M0-SCICAM-SINISTRO"}}, "facility: .*no instrument"),
    ],
)
def test_what_cannot_be_done_is_refused_when_it_is_stored(changed, reason):
    with pytest.raises(StoreError, match=reason):
        mine(**changed)
