"""Contract of a term of the ranking (`followup.records.Term`), over every term found and one of a third party."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker_adapters import plugins
from broker_adapters.records import Kind, blank, frozen
from followup.coincidence import Coincidence
from followup.cycles import Cycle
from followup.places import Places
from followup.plugged import term as load
from followup.rank import rank
from followup.records import Mark, Site
from tests.contracts.documented import documented
from tests.followup.build import NOW, candidate, detections, night, outlook, place

PACKAGE = "followup.terms"
TERMS = (*plugins.names(PACKAGE), "tests.contracts.third_party.term", documented("term"))


def odd_rows():
    rows = blank(3)
    rows["survey"], rows["source_id"], rows["band"] = "ztf", ["a", "b", "c"], ["r", "g", "r"]
    rows["mjd"] = [NOW - 3, np.nan, NOW - 1]
    rows["kind"] = [Kind.ALERT, Kind.ALERT, Kind.FORCED]
    return frozen(rows)


def zoo():
    """Candidates with every kind of missing, extreme or contradictory data."""
    negative = detections([18.0, 18.1], [3.0, 1.0]).copy()
    negative["flux"] *= -1
    return [
        candidate("a"),
        candidate("b", rows=detections()),
        candidate("c", rows=odd_rows()),
        candidate("d", dec=85.0),
        candidate("e", rows=detections([19.5], [400.0], limits=[401.0])),
        candidate("f", rows=frozen(negative)),
        candidate("g", rows=detections([25.0], [0.1])),
        candidate("h", rows=detections(limits=[1.0, 2.0])),
        candidate("i", probabilities={"stamp": {"SN": 0.9, "bogus": 0.1}, "lightcurve": {"SNIa": 1.0}}, classified=True),
        candidate("l", ra=float("nan")),
        candidate("k", probabilities={"sherlock": {"SN": float("nan")}, "empty": {}}),
        candidate("m", outlook=outlook(5.0), probabilities={"stamp": {"SN": 0.9, "AGN": 0.1}}),
        candidate("n", outlook=outlook(-50.0, classes=(0.4, 0.3, 0.2, 0.1), doubt=[float("nan")]), ra=80.0),
        candidate("o", outlook=outlook(magnitude=float("nan"), fallback=[True], doubt=[2.0]), rows=detections()),
        candidate("p", marks=(Mark("pin", "Ada", "mine"), Mark("claim", "Bob", "", NOW + 3), Mark("snooze", "Eve", "", NOW - 1))),
        candidate("q", marks=(Mark("veto", "Ada", "a star"), Mark("note", "Ada", "look")), observed=NOW - 2.0),
        candidate("r", place=Places.unknown(1)),
        candidate("w", cycle=Cycle(0.3, 1e-5, 0.4, NOW - 900.0, 1e-3)),
        candidate("x", cycle=Cycle(0.001, 0.0, 0.4, NOW - 9.0, 0.0)),
        candidate("y", cycle=Cycle(400.0, 9.0, 2.0, NOW - 9e3, 30.0), dec=85.0),
        candidate("s", place=place(0.0, distance=float("nan"), told_by="person", galaxy="", separation=float("nan"))),
        candidate(
            "u", coincidences=(Coincidence("S1", NOW - 3.0, NOW + 28.0, 0.3, 0.5), Coincidence("S2", NOW + 1.0, NOW + 32.0, 0.1, -2.0))
        ),
        candidate("v", coincidences=(Coincidence("S1", NOW - 3.0, NOW + 28.0, 0.3, 0.5, 120.0, 30.0, 7e-5, 0.2),), place=place()),
        candidate("w", coincidences=(Coincidence("S1", NOW - 3.0, NOW + 28.0, 0.0, -9.0, early=True),)),
        candidate("t", place=place(star="Gaia DR3 1", star_separation=0.3)),
        candidate("j", probabilities={"stamp": {"asteroid": 1.0}, "other": {"no such class": 1.0}}),
    ]


@pytest.fixture(params=TERMS)
def name(request):
    return request.param


@pytest.fixture
def term(name):
    return load(name, 1.0)[0]


def test_the_module_says_what_the_term_is(name):
    module = plugins.load(PACKAGE, name)
    assert (module.__doc__ or "").strip()
    assert (module.term.__doc__ or "").strip()


def test_parameters_are_keywords_with_defaults_that_the_settings_can_give(name):
    candidates, night_, *parameters = inspect.signature(plugins.load(PACKAGE, name).term).parameters.values()
    assert (candidates.name, night_.name) == ("candidates", "night")
    assert all(p.kind is p.KEYWORD_ONLY and p.default is not p.empty for p in parameters)
    bound, weight = load(name, {"weight": 3.0, **{p.name: p.default for p in parameters}})
    assert weight == 3.0
    one = [candidate()]
    assert bound(one, night(one)).values.tolist() == load(name, 1.0)[0](one, night(one)).values.tolist()


def test_the_ranking_takes_it_by_its_name(name):
    candidates = zoo()
    ranking = rank(candidates, night(candidates), {name: {"weight": 1.0}, "visibility": 1.0})
    assert set(ranking.keys) == {c.key for c in candidates}
    assert len(ranking.terms[name].reasons) == len(candidates)


def test_scores_are_bounded_and_every_one_has_a_reason(term):
    candidates = zoo()
    scores = term(candidates, night(candidates))
    assert scores.values.shape == (len(candidates),)
    assert ((scores.values >= 0) & (scores.values <= 1)).all()
    assert len(scores.reasons) == len(candidates)
    assert all(isinstance(reason, str) and reason and "nan" not in reason for reason in scores.reasons)


def test_batch_equals_singles_in_any_order(term):
    candidates = zoo()
    whole = term(candidates, night(candidates))
    for order in (range(len(candidates)), range(len(candidates) - 1, -1, -1)):
        shuffled = [candidates[i] for i in order]
        again = term(shuffled, night(shuffled))
        np.testing.assert_allclose(again.values, whole.values[list(order)], rtol=1e-9)
        assert again.reasons == tuple(whole.reasons[i] for i in order)
    for i, one in enumerate(candidates):
        alone = term([one], night([one]))
        np.testing.assert_allclose(alone.values, whole.values[i : i + 1], rtol=1e-9)


def test_nobody_to_rank_and_no_night_to_rank_for(term):
    assert term([], night([])).values.shape == (0,)
    candidates = zoo()
    day = night(candidates, site=Site("pole", -89.99, 0.0), now=61395.0)
    scores = term(candidates, day)
    assert scores.values.shape == (len(candidates),)
    assert all(scores.reasons)


NUMBER = st.one_of(st.floats(-1e12, 1e12, allow_subnormal=False), st.sampled_from([np.nan, np.inf, -np.inf, 0.0]))


@settings(max_examples=40)
@given(
    curve=st.lists(st.tuples(NUMBER, NUMBER, NUMBER, st.floats(-400, 5), st.sampled_from("gr"), st.sampled_from(Kind)), max_size=12),
    chances=st.dictionaries(st.sampled_from(["SN", "QSO", "bogus", "unheard of"]), st.floats(0, 1)),
)
def test_no_light_curve_however_odd_breaks_a_term(curve, chances):
    rows = blank(len(curve))
    rows["survey"], rows["source_id"] = "ztf", [str(i) for i in range(len(curve))]
    for row, (flux, error, reference, days, band, kind) in zip(rows, curve, strict=True):
        row["flux"], row["flux_err"], row["ref_flux"] = flux, error, reference
        row["mjd"], row["band"], row["kind"] = NOW + days, band, kind
    total = sum(chances.values())
    candidates = [candidate(rows=frozen(rows), probabilities={"stamp": {c: p / total for c, p in chances.items()}} if total else {})]
    tonight = night(candidates)
    for name in TERMS:
        scores = load(name, 1.0)[0](candidates, tonight)
        assert 0.0 <= scores.values[0] <= 1.0, name
        assert scores.reasons[0]
        assert "nan" not in scores.reasons[0], name
        assert "inf" not in scores.reasons[0], name
