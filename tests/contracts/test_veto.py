"""Contract of a veto of the ranking (`followup.records.Veto`), over every veto found."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from broker_adapters import plugins
from followup.plugged import veto as load
from followup.rank import rank
from followup.records import Site
from tests.contracts.test_term import zoo
from tests.followup.build import night

PACKAGE = "followup.vetoes"


@pytest.fixture(params=plugins.names(PACKAGE))
def name(request):
    return request.param


@pytest.fixture
def veto(name):
    return load(name, {})


def same(one, other):
    np.testing.assert_array_equal(one.until, other.until)
    assert list(one.reasons) == list(other.reasons)


def test_the_module_says_what_the_veto_is(name):
    module = plugins.load(PACKAGE, name)
    assert (module.__doc__ or "").strip()
    assert (module.veto.__doc__ or "").strip()


def test_parameters_are_keywords_with_defaults_that_a_profile_can_give(name):
    candidates, night_, *parameters = inspect.signature(plugins.load(PACKAGE, name).veto).parameters.values()
    assert (candidates.name, night_.name) == ("candidates", "night")
    assert all(p.kind is p.KEYWORD_ONLY and p.default is not p.empty for p in parameters)
    candidates = zoo()
    same(load(name, {p.name: p.default for p in parameters})(candidates, night(candidates)), load(name, {})(candidates, night(candidates)))


def test_dates_are_nan_or_ahead_and_every_veto_has_a_reason(veto):
    candidates = zoo()
    tonight = night(candidates)
    vetoes = veto(candidates, tonight)
    assert vetoes.until.shape == (len(candidates),)
    assert (np.isnan(vetoes.until) | (vetoes.until > tonight.now)).all()
    assert len(vetoes.reasons) == len(candidates)
    assert all(isinstance(reason, str) and reason and "nan" not in reason and "inf" not in reason for reason in vetoes.reasons)


def test_the_ranking_puts_what_is_vetoed_last_with_its_reason(name):
    candidates = zoo()
    ranking = rank(candidates, night(candidates), {"confirmation": 1.0}, {name: {}})
    vetoed = ranking.vetoes[name].until > night(candidates).now
    assert (np.diff(vetoed.astype(int)) >= 0).all()
    assert (ranking.scores[vetoed] == 0.0).all()
    assert (ranking.merit > 0.0).all()


def test_batch_equals_singles_in_any_order(veto):
    candidates = zoo()
    whole = veto(candidates, night(candidates))
    back = candidates[::-1]
    turned = veto(back, night(back))
    np.testing.assert_array_equal(turned.until, whole.until[::-1])
    assert list(turned.reasons) == list(whole.reasons)[::-1]
    for i, one in enumerate(candidates):
        alone = veto([one], night([one]))
        np.testing.assert_array_equal(alone.until, whole.until[i : i + 1])
        assert alone.reasons[0] == whole.reasons[i]


def test_nobody_to_judge_and_no_night_to_judge_for(veto):
    assert veto([], night([])).until.shape == (0,)
    candidates = zoo()
    vetoes = veto(candidates, night(candidates, site=Site("pole", -89.99, 0.0), now=61395.0))
    assert vetoes.until.shape == (len(candidates),)
    assert all(vetoes.reasons)
