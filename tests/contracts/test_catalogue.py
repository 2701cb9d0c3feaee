"""Contract of a catalogue (`broker_adapters.catalogue.CatalogueModule`), over every catalogue found."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from broker_adapters import plugins
from broker_adapters.catalogue import KINDS, REDSHIFTS, SOURCE
from broker_adapters.crossmatch import separation, unit_vectors

PACKAGE = "broker_adapters.catalogues"


@pytest.fixture(params=plugins.names(PACKAGE))
def module(request):
    return plugins.load(PACKAGE, request.param)


@pytest.fixture
def offline(module):
    if module.REMOTE:
        pytest.skip("it is asked over the network: tests/broker_adapters/test_catalogues_remote.py has its answers")
    return module.Catalogue()


def places(n, seed=1):
    random = np.random.default_rng(seed)
    return random.uniform(0.0, 360.0, n), np.degrees(np.arcsin(random.uniform(-1.0, 1.0, n)))


def test_the_module_says_what_the_catalogue_is(module):
    assert (module.__doc__ or "").strip()
    assert module.RADIUS > 0.0
    assert module.REMOTE in (True, False)


def test_parameters_are_keywords_with_defaults(module):
    parameters = inspect.signature(module.Catalogue).parameters.values()
    assert all(p.kind is p.KEYWORD_ONLY and p.default is not p.empty for p in parameters)


def test_rows_are_of_the_one_record_sorted_and_read_only(offline):
    ra, dec = places(20_000)
    rows = offline.cone(ra, dec, 120.0)
    assert rows.dtype == SOURCE
    assert len(rows) > 0
    assert not rows.flags.writeable
    assert (np.lexsort((rows["separation"], rows["query"])) == np.arange(len(rows))).all()
    assert set(rows["kind"]) <= set(KINDS)
    assert set(rows["redshift_kind"]) <= set(REDSHIFTS)
    assert (rows["id"] != "").all()
    assert (rows["catalogue"] != "").all()


def test_separations_are_those_of_the_places(offline):
    ra, dec = places(20_000)
    rows = offline.cone(ra, dec, 120.0)
    index = rows["query"]
    expected = separation(unit_vectors(ra[index], dec[index]), unit_vectors(rows["ra"], rows["dec"]))
    np.testing.assert_allclose(rows["separation"], expected, atol=1e-6)


def test_what_is_known_is_possible_and_no_sentinel(offline):
    ra, dec = places(20_000)
    rows = offline.cone(ra, dec, 600.0)
    for name, low, high in (
        ("redshift", -0.01, 8.0), ("size", 0.0, 1e5), ("axis_ratio", 0.0, 1.0), ("position_angle", 0.0, 180.0), ("magnitudes", -2.0, 35.0),
        ("distance", 0.0, 1e5), ("ra", 0.0, 360.0), ("dec", -90.0, 90.0),
    ):  # fmt: skip
        values = rows[name][np.isfinite(rows[name])]
        assert ((values >= low) & (values <= high)).all(), name


def test_batch_equals_singles(offline):
    ra, dec = places(20_000)
    whole = offline.cone(ra, dec, 300.0)
    for k in np.unique(whole["query"])[:20]:
        alone = offline.cone(ra[k], dec[k], 300.0)
        same = whole[whole["query"] == k]
        assert alone["id"].tolist() == same["id"].tolist()
        assert (alone["query"] == 0).all()


def test_nothing_asked_and_nowhere(offline):
    assert len(offline.cone([], [], 60.0)) == 0
    assert len(offline.cone([np.nan, 10.0], [0.0, np.nan], 3600.0)) == 0
    assert len(offline.cone([0.0, 360.0, 123.0], [90.0, -90.0, 0.0], 0.0)) == 0
