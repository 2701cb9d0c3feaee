"""What every field of the filters owes: words for people, a column of the right length and kind, and operators that work."""

from __future__ import annotations

import numpy as np
import pytest

from followup import filters
from followup.batch import Batch
from followup.cycles import Cycle
from followup.filters.columns import used
from followup.filters.discovery import families, known
from followup.filters.records import OPERATORS, Kind
from tests.followup.build import NOW, candidate, detections, outlook, place

NOTHING = detections()


def batch():
    seen = candidate(
        probabilities={"stamp": {"SN": 0.8, "AGN": 0.2}},
        outlook=outlook(),
        place=place(),
        oddness=0.4,
        cycle=Cycle(0.5, 0.0, 1.0, NOW, 0.0),
        first_seen=NOW - 3,
    )
    return Batch([seen, candidate("2", rows=NOTHING)])


def value(one, operator):
    if operator in ("missing", "known"):
        return {}
    if one.kind is Kind.WORDS:
        return {"value": list(one.choices[:1]) or ["ztf"]}
    middle = float(np.clip(0.5, one.low, one.high))
    return {"value": {Kind.PLACE: [10.0, 10.0, 5.0]}.get(one.kind, [middle, middle] if operator == "between" else middle)}


def arguments(one):
    return {name: about.default or next(iter(about.choices), "SN") for name, about in one.arguments.items()}


def test_no_two_families_have_a_field_of_one_name():
    assert sum(map(len, families().values())) == len(known())


@pytest.mark.parametrize("name", known())
def test_a_field_says_what_it_is(name):
    one = known()[name]
    assert name.isidentifier()
    assert one.title
    assert one.help
    assert one.low < one.high
    assert (one.key is None) == (not one.arguments)


@pytest.mark.parametrize("name", known())
def test_a_field_has_a_value_or_none_for_every_object(name):
    column = filters.of(batch(), NOW, [name])[known()[name].column]
    assert len(column) == 2
    if known()[name].arguments:
        assert all(isinstance(value, float) for own in column for value in own.values())
    elif known()[name].kind is Kind.WORDS:
        assert all(isinstance(own, str) for own in column)
    else:
        assert column.dtype == np.float64
    assert len(filters.of(Batch([]), NOW, [name])[known()[name].column]) == 0


@pytest.mark.parametrize("name", known())
def test_every_operator_of_a_field_can_be_used(name):
    one, columns = known()[name], filters.of(batch(), NOW, [name])
    for operator in OPERATORS[one.kind]:
        tree = filters.parse({"field": name, **arguments(one), "op": operator, **value(one, operator)})
        assert filters.passing(tree, columns, NOW).shape == (2,)
        assert used(tree) == {name}
        assert filters.parse(filters.body(tree)) == tree
        assert one.title in filters.words(tree)
