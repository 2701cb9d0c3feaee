"""Filters as data: what is read and refused, what passes, and what is not known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker_adapters.photometry import magnitude_from_flux
from broker_adapters.records import Kind
from broker_adapters.significance import detected
from followup import filters
from followup.batch import Batch
from followup.filters import FilterError, measured
from followup.filters.tree import DEEPEST, MOST
from tests.followup.build import NOW, candidate, detections, outlook, place

FAINT = {"field": "magnitude", "op": ">", "value": 19}


def nested(levels):
    return FAINT if levels == 1 else {"not": nested(levels - 1)}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "filter: an object is needed"),
        ([], "filter: an object is needed"),
        ({"and": [], "or": []}, "filter: one of the keys"),
        ({"xor": []}, "filter: one of the keys"),
        ({"and": FAINT}, "and: a list is needed"),
        ({"and": [FAINT, {"or": [FAINT, 3]}]}, "and[1].or[1]: an object is needed"),
        ({"not": {"field": "magnitude", "op": "<"}}, "not.value: a number is needed"),
        ({"and": [{"field": "magnitud"}]}, "and[0].field: there is no field 'magnitud'"),
        ({"field": ["magnitude"]}, "field: there is no field"),
        ({"field": "magnitude", "op": "=", "value": 1}, "op: magnitude has <, <="),
        ({"field": "magnitude", "op": ["<"], "value": 1}, "op: magnitude has <, <="),
        ({"field": "magnitude", "op": "<", "value": True}, "value: a number is needed"),
        ({"field": "magnitude", "op": "<", "value": "19"}, "value: a number is needed"),
        ({"field": "magnitude", "op": "<", "value": float("nan")}, "value: a number is needed"),
        ({"field": "magnitude", "op": "<", "value": 10**400}, "value: a number is needed"),
        ({"field": "magnitude", "op": "<", "value": 1e9}, "value: a number from -30 to 40"),
        ({"field": "magnitude", "op": "between", "value": [1]}, "value: two numbers are needed"),
        ({"field": "magnitude", "op": "between", "value": [1, "x"]}, "value[1]: a number is needed"),
        ({"field": "magnitude", "op": "missing", "value": 3}, "value: missing compares with nothing"),
        ({"field": "magnitude", "op": "<", "value": 1, "band": "g"}, "band: magnitude has no such key"),
        ({"field": "band_magnitude", "op": "<", "value": 1}, "band: one of u, g"),
        ({"field": "class", "op": ">", "value": 0.5}, "class: a text of 64"),
        ({"field": "class", "class": "a\x00", "op": ">", "value": 0.5}, "class: a text of 64"),
        ({"field": "class", "class": "x" * 65, "op": ">", "value": 0.5}, "class: a text of 64"),
        ({"field": "class", "class": "SN", "op": ">", "value": 2}, "value: a number from 0 to 1"),
        ({"field": "survey", "op": "any of", "value": []}, "value: a list of words"),
        ({"field": "survey", "op": "any of", "value": "ztf"}, "value: a list of words"),
        ({"field": "mark", "op": "any of", "value": ["claim", "star"]}, "value[1]: one of pin, note"),
        ({"field": "position", "op": "within", "value": [1, 2]}, "value: right ascension, declination and radius"),
        ({"field": "position", "op": "within", "value": [1, 99, 1]}, "value[1]: a declination from -90 to 90"),
        (nested(DEEPEST + 1), "more than 8 levels"),
        ({"and": [{"or": [FAINT] * 40}, {"or": [FAINT] * 40}]}, f"filter: 80 conditions, of {MOST} at most"),
        ({"and": [FAINT] * (MOST + 1)}, "and: a list is needed, of 60 at most"),
    ],
)
def test_what_is_no_filter_is_refused_with_its_place(given, message):
    with pytest.raises(FilterError) as refused:
        filters.parse(given)
    assert message in str(refused.value)


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["and", "or", "not", "field", "op", "value", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(json)
def test_anything_else_is_refused_too(value):
    try:
        tree = filters.parse(value)
    except FilterError:
        return
    assert filters.parse(filters.body(tree)) == tree


def passing(body, *candidates):
    return filters.passing(filters.parse(body), filters.of(Batch(candidates), NOW), NOW).tolist()


def test_what_is_not_known_meets_no_condition_but_that_it_is_missing():
    unknown = candidate(rows=detections())
    assert passing({"field": "magnitude", "op": "<", "value": 30}, unknown) == [False]
    assert passing({"field": "magnitude", "op": ">=", "value": -30}, unknown) == [False]
    assert passing({"field": "magnitude", "op": "missing"}, unknown) == [True]
    assert passing({"not": {"field": "magnitude", "op": "<", "value": 30}}, unknown) == [True]
    assert passing({"field": "class", "class": "SN", "op": "<", "value": 1}, unknown) == [False]


def test_groups_without_conditions():
    assert passing({}, candidate()) == passing({"and": []}, candidate()) == [True]
    assert passing({"or": []}, candidate()) == [False]


def test_a_class_that_a_classifier_does_not_give_has_no_probability():
    said = {"stamp": {"SN": 0.7, "AGN": 0.3}, "alerce lc_classifier": {"SNIa": 0.6, "SNII": 0.2, "AGN": 0.2}}
    one = candidate(probabilities=said)

    def between(classifier, label, low, high):
        given = {"field": "class", "classifier": classifier, "class": label, "op": "between", "value": [low, high]}
        return passing(given, one) == [True]

    assert between("stamp", "SNIa", 0.0, 0.0)
    assert between("alerce lc_classifier", "Transient", 0.799, 0.801)
    assert between("any", "SNIa", 0.6, 0.6)
    assert between("any", "AGN", 0.3, 0.3)
    assert between("every", "AGN", 0.2, 0.2)
    assert between("mean", "AGN", 0.25, 0.25)
    assert passing({"field": "class", "classifier": "lightcurve", "class": "SNIa", "op": "missing"}, one) == [True]


def test_days_count_from_now():
    one = candidate(first_seen=NOW - 5.0, outlook=outlook(peak=3.0, error=0.5))
    assert passing({"field": "age", "op": "between", "value": [4.9, 5.1]}, one) == [True]
    assert passing({"field": "age", "op": "<", "value": 4.9}, one) == [False]
    assert passing({"field": "peak", "op": "between", "value": [2.0, 4.0]}, one) == [True]
    assert passing({"field": "last_seen", "op": "<=", "value": 1.01}, one) == [True]


def test_a_circle_knows_neither_poles_nor_the_zero_of_right_ascension():
    at_zero, at_pole = candidate(ra=359.9, dec=0.0), candidate(ra=200.0, dec=89.95)
    assert passing({"field": "position", "op": "within", "value": [0.1, 0.0, 0.21]}, at_zero, at_pole) == [True, False]
    assert passing({"field": "position", "op": "within", "value": [20.0, 90.0, 0.1]}, at_zero, at_pole) == [False, True]
    assert passing({"field": "position", "op": "outside", "value": [20.0, 90.0, 0.01]}, at_zero, at_pole) == [True, True]


def test_magnitudes_by_band_and_colours():
    rows = np.concatenate([detections([18.0, 18.4], [9.0, 1.0], "g"), detections([18.2, 18.1], [5.0, 0.5], "r")])
    one = candidate(rows=rows, place=place(distance=10.0))
    for asked, value in (
        ({"field": "band_magnitude", "band": "g"}, 18.4),
        ({"field": "band_magnitude", "band": "g", "which": "brightest"}, 18.0),
        ({"field": "colour", "bands": "g-r"}, 0.3),
        ({"field": "brightest"}, 18.0),
        ({"field": "absolute"}, -12.0),
    ):
        assert passing({**asked, "op": "between", "value": [value - 1e-3, value + 1e-3]}, one) == [True]
    assert passing({"field": "colour", "bands": "r-i", "op": "missing"}, one) == [True]


@given(st.integers(0, 1000))
def test_detections_with_magnitudes_are_those_of_the_ranking(seed):
    random = np.random.default_rng(seed)
    rows = detections(random.uniform(17, 21, 12), random.uniform(0, 30, 12)).copy()
    rows["kind"] = random.choice([Kind.ALERT, Kind.FORCED, Kind.LIMIT], 12)
    rows["flux"] *= random.choice([-1, 1], 12, p=[0.1, 0.9])
    rows["flux_err"] = random.uniform(200, 20_000, 12)
    one = Batch([candidate(rows=rows)])
    expected = rows[detected(rows) & (rows["flux"] > 0.0) & ~(rows["flux"] < 2.0 * rows["flux_err"])]
    found = np.sort(measured.seen(one, NOW).magnitude)
    np.testing.assert_allclose(found, np.sort(magnitude_from_flux(expected["flux"])))
