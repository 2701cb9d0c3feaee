"""The scoreboard counts what was said against what was learnt."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker_adapters import plugins
from classifiers.cards import calibration_error
from classifiers.scoreboard import DETECTIONS, ENOUGH, Scored, Share, bin_of, boards


def said(label, truth, probability=0.9, n=5, version="1"):
    return Scored("stamp", version, label, probability, n, truth)


def test_precision_recall_and_calibration_by_hand():
    rows = [
        said("SN", "SN Ia"),
        said("SN", "SN II", 0.7),
        said("SN", "AGN", 0.85),
        said("AGN", "SN Ib"),
        said("AGN", "AGN"),
        said("SN", "Galaxy"),
    ]
    (board,) = boards(rows, rows)
    assert (board.right.n, board.right.value) == (5, 0.6), "what nobody can say counts for nothing"
    agn, sn = board.classes
    assert (sn.precision.n, sn.precision.value) == (3, pytest.approx(2 / 3))
    assert (sn.recall.n, sn.recall.value) == (3, pytest.approx(2 / 3))
    assert (agn.precision.value, agn.recall.value) == (0.5, 0.5)
    assert [(b.name, b.right.n) for b in board.bins] == [("0.6 – 0.8", 1), ("0.8 – 0.9", 1), ("0.9 – 1", 3)]
    expected = (abs(1 - 0.7) + abs(0 - 0.85) + 3 * abs(2 / 3 - 0.9)) / 5
    assert board.calibration_error == pytest.approx(expected)


def test_versions_are_apart_and_ages_are_binned():
    rows = [said("SN", "SN", n=1), said("SN", "AGN", n=4, version="2"), said("SN", "SN", n=40, version="2")]
    found = boards(rows, rows)
    assert [(board.version, board.right.n) for board in found] == [("2", 2), ("1", 1)]
    assert [(b.name, b.right.value) for b in found[0].ages] == [("3 – 5", 0.0), ("31 and more", 1.0)]


@pytest.mark.parametrize(("hits", "astray"), [(0.9, False), (0.5, True)])
def test_a_warning_needs_more_than_chance(hits, astray):
    n = 10 * ENOUGH
    rows = [said("SN", "SN" if i < hits * n else "AGN") for i in range(n)]
    assert boards(rows, [])[0].astray(0.05) is astray
    assert not boards(rows[: ENOUGH - 1], [])[0].astray(0.05)


@given(st.lists(st.booleans(), max_size=50))
def test_an_interval_holds_its_share(hits):
    share = Share.of(hits)
    assert share.n == len(hits)
    assert np.isnan(share.value) if not hits else -1e-9 <= share.low <= share.value + 1e-9 <= share.high + 2e-9


def test_every_number_of_detections_has_a_bin():
    assert [bin_of(n) for n in (0, *DETECTIONS, 10_000)] == [0, 0, 1, 2, 3, 4, 4]


def test_cards_promise_what_they_measured():
    for name in plugins.names("classifiers.models"):
        assert calibration_error(name, "no such version") is None
    assert 0.0 < calibration_error("lightcurve", "3.0") < 0.1
    assert 0.0 < calibration_error("stamp", "1.0") < 0.1
    assert calibration_error("../weights/stamp", "1.0") is None
