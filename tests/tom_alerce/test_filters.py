"""Filters in SQL give what filters over columns give, and what is stored of an object is what its light curve says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from followup import filters
from followup.filters.records import OPERATORS, Kind, joined
from tests.tom_alerce import factories
from tom_alerce.clock import now as now_mjd
from tom_alerce.models import SkyObject, Traits
from tom_alerce.store import filters as store
from tom_alerce.store import marks, traits
from tom_alerce.store.candidates import candidates
from tom_alerce.store.errors import StoreError

pytestmark = pytest.mark.django_db

NUMBERS = [0.0, 0.25, 0.5, 1.0, 5.0, 18.0, 19.5, 30.0]
LABELS = ("SN", "AGN", "CV/Nova")
CLASSIFIERS = ("stamp", "alerce lc", "any")
AT = 61_000.0


def columns(rows):
    """Columns of stored rows, as filters read them."""
    found = {}
    for name in traits.STORED:
        values = [getattr(row, name) for row in rows]
        texts = any(isinstance(value, str | dict) for value in values)
        found[name] = values if texts else np.array([np.nan if value is None else value for value in values], float)
    held = dict(marks.active().values_list("sky_object", "kind"))
    return found | {"marks": [f",{held[row.pk]}," if row.pk in held else "" for row in rows]}


def some(random, choices, width):
    """Some words of a column, no more than fit."""
    found = joined([word for word in choices if random.random() < 0.4])
    return found if len(found) <= width else joined(choices[:1])


@pytest.fixture
def rows():
    """Rows of traits with few different values, so that comparisons meet their limits."""
    random = np.random.default_rng(5)
    user = factories.user()
    skies = SkyObject.objects.bulk_create([SkyObject(ra=0, dec=0, position_err=0.1, healpix=0) for _ in range(40)])
    made = []
    texts = {one.column: one.choices or ("ztf", "atlas", "ZTF") for one in filters.known().values() if one.kind is Kind.WORDS}
    texts.pop("marks")
    for i, sky in enumerate(skies):
        numbers = {name: random.choice([None, *NUMBERS]) for name in traits.STORED if name not in (*texts, "magnitudes", "classes")}
        direction = random.normal(size=3)
        numbers |= dict(zip("xyz", (direction / np.linalg.norm(direction)).tolist(), strict=True))
        numbers |= {name: AT - random.choice(NUMBERS) for name in ("first_seen", "last_seen") if random.random() < 0.8}
        numbers |= {"peak": AT + random.choice(NUMBERS)}
        said = list(CLASSIFIERS[: random.integers(0, 4)])
        classes = dict.fromkeys(said, 1.0) | {
            f"{name}:{label}": random.choice(NUMBERS[1:4]) for name in said for label in LABELS if random.random() < 0.6
        }
        magnitudes = {key: random.choice(NUMBERS) for key in ("last:g", "brightest:g", "g-r") if random.random() < 0.5}
        words = {name: some(random, choices, Traits._meta.get_field(name).max_length) for name, choices in texts.items()}
        made.append(Traits(sky_object=sky, mjd=AT, evidence="", classes=classes, magnitudes=magnitudes, **words, **numbers))
        if i % 3 == 0:
            marks.add(sky, ("pin", "claim")[i % 2], user, "")
    Traits.objects.bulk_create(made)
    return list(Traits.objects.order_by("pk"))


@st.composite
def conditions(draw):
    name = draw(st.sampled_from(sorted(filters.known())))
    one = filters.known()[name]
    operator = draw(st.sampled_from(OPERATORS[one.kind]))
    given = {"field": name, "op": operator}
    for argument, about in one.arguments.items():
        choices = {"class": (*LABELS, "none"), "classifier": (*CLASSIFIERS, "every")}.get(argument, about.choices)
        given[argument] = draw(st.sampled_from(choices))
    number = st.sampled_from([value for value in NUMBERS if one.low <= value <= one.high])
    if operator == "between":
        given["value"] = [draw(number), draw(number)]
    elif one.kind is Kind.WORDS:
        given["value"] = draw(st.lists(st.sampled_from(one.choices or ("ztf", "atlas", "lsst")), min_size=1, max_size=3))
    elif one.kind is Kind.PLACE:
        given["value"] = [draw(st.floats(0, 360)), draw(st.floats(-90, 90)), draw(st.sampled_from([0.0, 30.0, 90.0, 180.0]))]
    elif operator not in ("missing", "known"):
        given["value"] = draw(number)
    return given


trees = st.recursive(
    conditions(),
    lambda inner: (
        st.builds(lambda key, items: {key: items}, st.sampled_from(["and", "or"]), st.lists(inner, max_size=3))
        | st.builds(lambda item: {"not": item}, inner)
    ),
    max_leaves=6,
)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(tree=trees)
def test_sql_and_columns_agree(rows, tree):
    parsed = filters.parse(tree)
    at = float(np.nextafter(now_mjd(), 0)) if "mark" in filters.used(parsed) else AT
    mask = filters.passing(parsed, columns(rows), at)
    expected = [row.pk for row, passes in zip(rows, mask, strict=True) if passes]
    assert list(Traits.objects.filter(store.where(parsed, at)).order_by("pk").values_list("pk", flat=True)) == expected


def test_what_is_stored_is_what_candidates_say():
    skies = [factories.sky_object(ra=10.0 * i, n=n, images=False, surveys=("ztf",) if n else ()) for i, n in enumerate((0, 1, 6))]
    factories.classification(skies[2], evidence=skies[2].evidence)
    cycle = {"period": 0.25, "period_err": 1e-5, "amplitude": 0.5, "minimum": 61_000.0, "minimum_err": 0.001}
    factories.classification(skies[1], "lightcurve", probabilities={"E": 1.0}, details={"cycle": cycle})
    moving = factories.sky_object(moving=True, images=False)
    at = now_mjd()
    [(keys, found)] = traits.refresh([sky.pk for sky in [*skies, moving]], at)
    assert keys == [sky.pk for sky in skies]
    again = filters.of(candidates(SkyObject.objects.filter(pk__in=keys), at), at)
    stored = columns(list(Traits.objects.order_by("pk")))
    for name in traits.STORED:
        np.testing.assert_equal(stored[name], found[name], name)
        np.testing.assert_equal(found[name], again[name], name)
    assert stored["classes"][2]["stamp:SN"] == 0.81
    assert stored["period"][1] == 0.25
    passing = store.passing({"field": "class", "class": "SN", "op": ">", "value": 0.8}, SkyObject.objects.all())
    assert [one.pk for one in passing] == [skies[2].pk]


def test_an_object_is_looked_at_again_when_its_evidence_or_time_has_passed():
    old, new = (factories.sky_object(n=2, images=False, evidence=text) for text in "ab")
    at = now_mjd()
    assert set(traits.stale(at, 30.0, 0.5)) == {old, new}
    list(traits.refresh([old.pk, new.pk], at))
    assert not traits.stale(at, 30.0, 0.5)
    SkyObject.objects.filter(pk=new.pk).update(evidence="c")
    assert list(traits.stale(at, 30.0, 0.5)) == [new]
    list(traits.refresh([new.pk], at))
    assert set(traits.stale(at + 1.0, 30.0, 0.5)) == {old, new}
    assert not traits.stale(at + 100.0, 30.0, 0.5)
    list(traits.refresh([old.pk, new.pk], at))
    assert Traits.objects.count() == 2


def test_no_filter_names_its_place():
    with pytest.raises(StoreError, match=r"and\[0\]\.op: "):
        store.passing({"and": [{"field": "ra", "op": "is"}]}, SkyObject.objects.all())


def test_every_stored_column_is_of_a_field():
    assert set(traits.STORED) == {one.column for one in filters.known().values()} - {"marks"} | {"y", "z"}
