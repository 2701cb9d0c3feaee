"""One taxonomy for everybody, and who agrees with whom."""

from __future__ import annotations

import math

import pytest

from classifiers.consensus import Agreement, Voice, consensus, voices
from classifiers.taxonomy import LIGHTCURVE_CLASSES, STAMP, comprises, right


@pytest.mark.parametrize(
    ("label", "truth", "verdict"),
    [
        ("SN", "SN Ia", True),
        ("SNIa", "SN Ia", True),
        ("SNIa", "SN Ia-91T-like", True),
        ("SNIbc", "SN Ic-BL", True),
        ("SNIa", "SN", None),
        ("AGN", "SN II", False),
        ("SNII", "SN Ia", False),
        ("SNIa", "TDE", False),
        ("AGN", "QSO", True),
        ("QSO", "AGN", None),
        ("VS", "CV", True),
        ("Periodic-Other", "RRL", False),
        ("SN", "Galaxy", None),
        ("", "SN", None),
        ("SN", "", None),
    ],
)
def test_a_class_is_right_if_the_truth_says_the_same_or_more(label, truth, verdict):
    assert right(label, truth) is verdict


@pytest.mark.parametrize("label", [*STAMP, *LIGHTCURVE_CLASSES, "TDE", "SN IIn", "no such class"])
def test_everything_is_right_about_itself(label):
    assert right(label, label) is True
    assert comprises(comprises(label).__iter__().__next__()) <= comprises(label)


def word(said):
    return consensus(voices(said)).agreement


def test_who_agrees_with_us():
    ours = {"lightcurve": {"SNIa": 0.9, "SNII": 0.1}}
    assert word(ours) is Agreement.ALONE
    assert word(ours | {"alerce stamp_classifier": {"SN": 0.8, "AGN": 0.2}}) is Agreement.AGREE
    assert word(ours | {"alerce stamp_classifier": {"SN": 0.3, "AGN": 0.7}}) is Agreement.DISAGREE
    assert word(ours | {"alerce stamp_classifier": {"SN": 0.4, "AGN": 0.4, "VS": 0.2}}) is Agreement.ALONE
    assert word(ours | {"lasair sherlock": {"NT": math.nan}}) is Agreement.DISAGREE
    assert word(ours | {"lasair sherlock": {"ORPHAN": math.nan}}) is Agreement.ALONE
    assert word({"lightcurve": {"SNIa": 0.4, "SNII": 0.3, "AGN": 0.3}, "alerce lc": {"AGN": 0.9}}) is Agreement.SILENT
    assert word({}) is Agreement.SILENT


def test_one_dissenter_is_enough_and_is_named():
    found = consensus([Voice("stamp", "SN", 0.95, ours=True), Voice("alerce lc", "SNIa", 0.6), Voice("TNS", "CV")])
    assert found.agreement is Agreement.DISAGREE
    assert found.own == Voice("stamp", "SN", 0.95, ours=True)
    assert [(voice.who, same) for voice, same in found.others] == [("alerce lc", True), ("TNS", False)]


def test_the_most_probable_of_ours_is_our_word():
    found = consensus(voices({"stamp": {"AGN": 0.6, "SN": 0.4}, "lightcurve": {"SNIa": 0.8}, "empty": {}}))
    assert found.own == Voice("lightcurve", "SNIa", 0.8, ours=True)
    assert found.others == ()
