"""The laws of association: radii, order, rotation, no drift, no guess."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker_adapters.association import Association, associate, radius
from broker_adapters.crossmatch import separation, unit_vectors

SURVEYS = ("ztf", "lsst", "atlas")
ERROR = {"ztf": 0.1, "lsst": 0.02, "atlas": 0.3}
RA, DEC = 150.0, 2.0


def near(*places, known=None):
    """Associate objects, each (survey, arcsec east, arcsec north) of one place; an error of the position may follow."""
    survey = [p[0] for p in places]
    ra = [RA + p[1] / 3600 / np.cos(np.radians(DEC)) for p in places]
    dec = [DEC + p[2] / 3600 for p in places]
    return associate(survey, ra, dec, [p[3] if len(p) > 3 else ERROR[p[0]] for p in places], known)


def partition(found: Association):
    """Groups as sets of indices: labels do not matter."""
    return {frozenset(np.flatnonzero(found.group == g).tolist()) for g in set(found.group.tolist())}


@pytest.mark.parametrize("one", SURVEYS)
@pytest.mark.parametrize("other", SURVEYS)
def test_radii(one, other):
    expected = {frozenset({"lsst"}): 1.0, frozenset({"lsst", "ztf"}): 1.5, frozenset({"ztf"}): 1.5}.get(frozenset({one, other}), 3.0)
    assert radius(one, other) == radius(other, one) == expected
    assert len(partition(near((one, 0, 0), (other, 0.9 * expected, 0)))) == 1
    assert len(partition(near((one, 0, 0), (other, 1.1 * expected, 0)))) == 2
    assert near((one, 0, 0), (other, 0.9 * expected, 0)).separation == pytest.approx([0.9 * expected] * 2, rel=1e-6)


def test_known_groups_keep_their_labels_and_are_not_joined():
    found = near(("ztf", 0, 0), ("ztf", 0.1, 0), ("lsst", 0.05, 0), known=[7, 9, -1])
    assert found.group.tolist()[:2] == [7, 9]
    assert found.group[2] == 10  # equally near to both: left apart
    assert {(i, g) for i, g, _ in found.ambiguous} == {(2, 7), (2, 9)}
    assert near(("ztf", 0, 0), ("lsst", 0.1, 0), known=[7, -1]).group.tolist() == [7, 7]
    assert near(("ztf", 0, 0), ("lsst", 50, 0), known=[0, -1]).group.tolist() == [0, 1]


def test_within_a_batch_as_against_the_known():
    assert near(("ztf", 0, 0), ("lsst", 0.2, 0), ("atlas", 1.0, 1.0)).group.tolist() == [0, 0, 0]


def test_the_nearest_wins_when_it_clearly_does():
    found = near(("ztf", 0, 0), ("ztf", 2.0, 0), ("lsst", 0.6, 0), known=[1, 2, -1])  # 6 and 14 sigma
    assert found.group.tolist() == [1, 2, 1]
    assert found.ambiguous == ()


def test_nearest_is_in_units_of_the_error():
    # 0.5 arcsec from a good position is farther than 0.8 from a poor one
    found = near(("ztf", 0, 0, 0.05), ("ztf", 1.9, 0, 0.6), ("lsst", 0.6, 0), known=[1, 2, -1])
    assert found.group[2] == 2


def test_no_guess_between_equals():
    found = near(("ztf", 0, 0), ("ztf", 2.0, 0), ("lsst", 1.02, 0), known=[1, 2, -1])
    assert found.group.tolist() == [1, 2, 3]
    assert [(i, g) for i, g, _ in found.ambiguous] == [(2, 1), (2, 2)]
    assert [d for *_, d in found.ambiguous] == pytest.approx([1.02, 0.98], rel=1e-4)


def test_atlas_only_when_unique():
    # two sources 4 arcsec apart: the ATLAS object is clearly nearer to one, and yet it may be the blend of both
    found = near(("ztf", 0, 0), ("ztf", 4, 0), ("atlas", 1.4, 0), known=[1, 2, -1])
    assert found.group.tolist() == [1, 2, 3]
    assert {(i, g) for i, g, _ in found.ambiguous} == {(2, 1), (2, 2)}
    # two surveys' views of one source are one choice
    assert near(("ztf", 0, 0), ("lsst", 0.2, 0), ("atlas", 2, 0)).group.tolist() == [0, 0, 0]
    assert near(("ztf", 0, 0), ("lsst", 0.2, 0), ("atlas", 2, 0), known=[4, 4, -1]).group.tolist() == [4, 4, 4]


def test_atlas_does_not_keep_better_positions_apart():
    found = near(("ztf", 0, 0), ("atlas", 2.9, 0), ("lsst", -0.2, 0), known=[1, 1, -1])
    assert found.group.tolist() == [1, 1, 1]


def test_no_drift_along_a_chain():
    for n in range(2, 9):
        found = near(*[("ztf", 1.2 * k, 0) for k in range(n)])
        for group in partition(found):
            assert max(group) - min(group) <= 1


def test_a_neighbour_of_a_settled_pair_is_nobodys_doubt():
    found = near(("lsst", 0, 0), ("ztf", 0.1, 0), ("lsst", 1.3, 0))
    assert found.group.tolist() == [0, 0, 1]
    assert found.ambiguous == ()
    # nor is a fine neighbour that the fine member of an ATLAS object's group rules out
    found = near(("ztf", 0, 0), ("atlas", 0.3, 0), ("lsst", 2.5, 0), known=[1, 1, -1])
    assert found.group.tolist() == [1, 1, 2]
    assert found.ambiguous == ()


def test_who_has_no_position_is_alone():
    found = associate(["ztf", "ztf"], [np.nan, np.nan], [1.0, 1.0], [0.1, 0.1])
    assert found.group.tolist() == [0, 1]
    assert np.isnan(found.separation).all()
    assert associate([], [], [], []).group.tolist() == []


def test_a_missing_error_is_no_certainty():
    assert near(("ztf", 0, 0, np.nan), ("lsst", 0.5, 0, 0.0)).group.tolist() == [0, 0]


def field(seed, n=25, size=6.0):
    """n objects of all surveys crowded into a few arcseconds, some known."""
    random = np.random.default_rng(seed)
    survey = random.choice(SURVEYS, n).tolist()
    place = random.uniform(0, size, (n, 2))
    known = np.where(random.random(n) < 0.3, random.integers(0, 5, n), -1)
    return survey, place, random.uniform(0.02, 0.4, n), known


@given(st.integers(0, 10**6), st.booleans())
def test_order_does_not_matter(seed, some_known):
    survey, place, error, known = field(seed)
    known = known if some_known else np.full(len(survey), -1)
    ra, dec = 359.9995 + place[:, 0] / 3600, 85.0 + place[:, 1] / 3600
    order = np.random.default_rng(seed + 1).permutation(len(survey))
    found = associate(survey, ra % 360, dec, error, known)
    turned = associate([survey[k] for k in order], ra[order] % 360, dec[order], error[order], known[order])
    assert {frozenset(order[list(g)].tolist()) for g in partition(turned)} == partition(found)
    assert turned.separation == pytest.approx(found.separation[order], nan_ok=True)

    def named(result, index):
        members = {g: frozenset(index[np.flatnonzero(result.group == g)].tolist()) for g in set(result.group.tolist())}
        return {(int(index[i]), members[g]) for i, g, _ in result.ambiguous}

    assert named(turned, order) == named(found, np.arange(len(survey)))


@given(st.integers(0, 10**6))
def test_laws_of_groups(seed):
    survey, place, error, known = field(seed)
    ra, dec = 10 + place[:, 0] / 3600, place[:, 1] / 3600
    found = associate(survey, ra, dec, error, known)
    vectors = unit_vectors(ra, dec)
    assert (found.group[known >= 0] == known[known >= 0]).all()
    for group in partition(found):
        new = [k for k in group if known[k] < 0]
        fine = [k for k in group if survey[k] != "atlas"]
        for k in new:
            for other in fine if survey[k] != "atlas" else []:
                assert separation(vectors[k], vectors[other]) <= radius(survey[k], survey[other])
        labels = {known[k] for k in group if known[k] >= 0}
        assert len(labels) <= 1
    for i, label, distance in found.ambiguous:
        assert known[i] < 0
        assert found.group[i] != label
        assert distance <= 3.0
    again = associate(survey, ra, dec, error, found.group)
    assert again.group.tolist() == found.group.tolist()
    assert again.ambiguous == ()


@given(st.integers(0, 10**6))
def test_rotation_does_not_matter(seed):
    survey, place, error, known = field(seed)
    vectors = unit_vectors(place[:, 0] / 3600, place[:, 1] / 3600)
    rotated = vectors @ np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0].T

    def groups(v):
        ra, dec = np.degrees(np.arctan2(v[:, 1], v[:, 0])) % 360, np.degrees(np.arctan2(v[:, 2], np.hypot(v[:, 0], v[:, 1])))
        return partition(associate(survey, ra, dec, error, known))

    assert groups(rotated) == groups(vectors)
