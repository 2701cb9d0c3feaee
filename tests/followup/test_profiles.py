from __future__ import annotations

import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followup import profiles
from followup.profiles import Budget, Cuts, Profile
from followup.rank import DEFAULT_TERMS, rank
from followup.records import FollowupError
from tests.followup.build import candidate, night

LEAST = {"name": "mine", "title": "Mine", "merits": {"youth": 1.0}}


@pytest.mark.parametrize("name", profiles.shipped())
def test_every_shipped_profile_is_usable_and_says_what_it_is(name):
    profile = profiles.shipped()[name]
    assert profile.name == name
    assert profile.title
    assert profile.description
    assert list(profiles.problems(profile)) == []
    one = [candidate()]
    assert rank(one, night(one), profile.merits, profile.vetoes).keys == ("1",)


def test_the_default_comes_first_and_is_what_a_ranking_takes_without_a_profile():
    assert next(iter(profiles.shipped())) == "default"
    assert profiles.shipped()["default"].merits == DEFAULT_TERMS


@pytest.mark.parametrize("name", profiles.shipped())
def test_the_text_form_loses_nothing(name):
    profile = profiles.shipped()[name]
    assert Profile.from_json(profile.to_json()) == profile
    assert Profile.from_json(profile.to_json()).to_json() == profile.to_json()


def test_what_is_not_given_is_left_to_the_settings():
    profile = Profile.from_json(json.dumps(LEAST))
    assert (profile.version, profile.sites, profile.promotion) == (1, (), None)
    assert profile.cuts == Cuts(None, 0)
    assert profile.budget == Budget(None, None)


def test_a_whole_profile():
    body = LEAST | {
        "description": "long",
        "version": 3,
        "vetoes": {"observable": {"hours": 0.5}},
        "merits": {"youth": {"weight": 2, "half": 3.0}, "moon": 0},
        "cuts": {"days": 10, "detections": 2},
        "keep": [{"label": "SN"}],
        "promotion": [{"classifier": "stamp", "label": "SN", "probability": 0.9}],
        "sites": ["Palomar", {"latitude": 1.0, "longitude": 2.0}],
        "facility": {"name": "lco", "filters": ["gp", "rp"]},
        "budget": {"slots": 5, "hours": 1.5},
    }
    profile = Profile.from_json(json.dumps(body))
    assert json.loads(profile.to_json()) == body
    assert profile.budget.slots == 5
    with pytest.raises(TypeError):
        profile.merits["youth"] = 1.0


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"nme": 1}, "profile: no field nme; it has: name, title"),
        ({"name": "Mine!"}, "^name: lower-case"),
        ({"title": 3}, "^title: a text"),
        ({"title": "a\u202eb"}, "^title: a text"),
        ({"version": 0}, "^version: a whole number of at least 1"),
        ({"version": True}, "^version: "),
        ({"merits": {}}, "^merits: none has a weight"),
        ({"merits": {"youth": -1}}, "^merits.youth.weight: a number of at least 0"),
        ({"merits": {"youth": {"weight": "x"}}}, "^merits.youth.weight: "),
        ({"merits": ["youth"]}, "^merits: a JSON object"),
        ({"vetoes": {"observable": 1}}, "^vetoes.observable: a JSON object"),
        ({"cuts": {"days": -1}}, "^cuts.days: "),
        ({"cuts": {"weeks": 1}}, "^cuts: no field weeks; it has: days, detections"),
        ({"budget": {"slots": 1.5}}, "^budget.slots: a whole number"),
        ({"promotion": [1]}, r"^promotion\[0\]: a JSON object"),
        ({"sites": ["Palomar", 1]}, r"^sites\[1\]: the name of a site"),
        ({"facility": "lco"}, "^facility: a JSON object"),
    ],
)
def test_an_error_names_the_field(change, says):
    with pytest.raises(FollowupError, match=says):
        Profile.from_json(json.dumps(LEAST | change))


@pytest.mark.parametrize("text", ["", "[]", "3", "{", "[" * 100_000, '{"name": NaN}', b"\xff\xfe\x00", '{"name": "mine"}'])
def test_what_is_no_profile_is_refused(text):
    with pytest.raises(FollowupError, match="profile"):
        Profile.from_json(text)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=8,
)


@given(field=st.sampled_from(sorted(json.loads(profiles.shipped()["default"].to_json()))), value=JSON)
def test_no_value_of_a_field_does_worse_than_an_error_of_ours(field, value):
    try:
        profile = Profile.from_json(json.dumps(LEAST | {field: value}))
    except FollowupError:
        return
    assert Profile.from_json(profile.to_json()) == profile
    assert all(isinstance(problem, str) for problem in profiles.problems(profile))


def test_problems_name_the_field_and_strangers_modules_are_not_imported():
    sys.modules.pop("this", None)
    body = LEAST | {"merits": {"nonsense": 1, "youth": {"hlf": 1}, "moon": 1, "this.s": 1}, "vetoes": {"observable": {"hours": "x"}}}
    profile = Profile.from_json(json.dumps(body))
    found = list(profiles.problems(profile))
    assert [p.split(":")[0] for p in found] == ["merits.nonsense", "merits.youth", "merits.this.s", "vetoes.observable"]
    assert "hours cannot be 'x'" in found[3]
    assert "this" not in sys.modules
    trusted = Profile.from_json(json.dumps(LEAST | {"merits": {"tests.contracts.third_party.term": 1.0}}))
    assert list(profiles.problems(trusted, ["tests.contracts.third_party.term"])) == []
