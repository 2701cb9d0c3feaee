"""Thresholds and signs of a detection, one row per exposure, totals or differences."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker_adapters.records import Kind, blank
from broker_adapters.significance import (
    DETECTED,
    SAME_EXPOSURE,
    alerts,
    detected,
    detected_reliably,
    insignificant,
    one_per_exposure,
    seen_by_totals,
    significant,
    surveys_in_totals,
    total_flux,
)


def rows(mjd, survey="ztf", band="r", kind=Kind.ALERT):
    found = blank(len(mjd))
    found["source_id"] = [str(i) for i in range(len(mjd))]
    found["mjd"], found["survey"], found["band"], found["kind"] = mjd, survey, band, kind
    return found


@pytest.mark.parametrize("shift", [0.0, -0.9 * SAME_EXPOSURE, 0.9 * SAME_EXPOSURE])
def test_an_alert_comes_before_its_forced_photometry(shift):
    alerts = rows([60000.0, 60003.0])
    forced = rows([60000.0 + shift, 60002.0, 60003.0 + shift], kind=Kind.FORCED)
    kept = one_per_exposure(np.concatenate([forced, alerts]))
    assert kept["kind"].tolist() == [Kind.ALERT, Kind.FORCED, Kind.ALERT]
    assert kept["mjd"].tolist() == [60000.0, 60002.0, 60003.0]


@pytest.mark.parametrize("other", [{"survey": "lsst"}, {"band": "g"}])
def test_other_surveys_and_bands_are_other_exposures(other):
    assert len(one_per_exposure(np.concatenate([rows([60000.0]), rows([60000.0], **other)]))) == 2


def test_nothing_is_an_answer():
    assert len(one_per_exposure(rows([]))) == 0


EXPOSURES = st.lists(st.tuples(st.integers(0, 6), st.sampled_from("gr"), st.sampled_from(Kind)), max_size=20)


@given(EXPOSURES, st.randoms())
def test_one_of_each_in_time_order_whatever_the_order(exposures, random):
    random.shuffle(exposures)
    found = rows([60000.0 + 3 * SAME_EXPOSURE * t for t, _, _ in exposures])
    found["band"], found["kind"] = [b for _, b, _ in exposures], [k for _, _, k in exposures]
    kept = one_per_exposure(found)
    least = {(60000.0 + 3 * SAME_EXPOSURE * t, b): min(k for u, c, k in exposures if (u, c) == (t, b)) for t, b, _ in exposures}
    assert {(r["mjd"], str(r["band"])): r["kind"] for r in kept} == least
    assert len(kept) == len(least)
    assert (np.diff(kept["mjd"]) >= 0).all()
    assert len(one_per_exposure(kept)) == len(kept)


def measured(flux, error=1.0, kind=Kind.ALERT, **columns):
    found = rows(60000.0 + np.arange(len(flux)), kind=kind)
    found["flux"], found["flux_err"] = flux, error
    for name, values in columns.items():
        found[name] = values
    return found


def test_every_alert_is_counted_however_faint_or_unreliable():
    found = measured([0.1, np.nan, 9.0], kind=[Kind.ALERT, Kind.LIMIT, Kind.FORCED], reliability=0.01)
    assert alerts(found).tolist() == [True, False, False]


def test_significance_is_of_either_sign_and_unknown_is_neither():
    found = measured([5.0, -5.0, 4.9, np.nan, 5.0], error=[1.0, 1.0, 1.0, 1.0, np.nan], kind=Kind.FORCED)
    assert significant(found).tolist() == [True, True, False, False, False]
    assert insignificant(found, DETECTED).tolist() == [False, False, True, False, False]
    assert insignificant(measured([3.0, -2.9, 2.9], kind=[Kind.FORCED, Kind.FORCED, Kind.ALERT])).tolist() == [False, True, False]


def test_a_negative_forced_flux_is_a_detection_only_where_an_alert_has_been_negative():
    found = measured([20.0, 6.0, -6.0, 4.0], kind=[Kind.ALERT, *[Kind.FORCED] * 3])
    assert detected(found).tolist() == [True, True, False, False]
    found["flux"][0] *= -1
    assert detected(found).tolist() == [True, True, True, False]


def test_the_classifier_drops_alerts_of_low_reliability_and_takes_forced_fluxes_of_either_sign():
    found = measured([20.0, 20.0, 20.0, -6.0, 4.0, 0.0], kind=[*[Kind.ALERT] * 3, *[Kind.FORCED] * 2, Kind.ALERT])
    found["reliability"] = [0.54, 0.56, np.nan, np.nan, np.nan, 0.9]
    assert detected_reliably(found).tolist() == [False, True, True, True, False, False]


def test_an_object_is_seen_by_totals_once_it_has_been_below_a_known_reference():
    assert not seen_by_totals(measured([9.0, 9.0], ref_flux=100.0))
    assert seen_by_totals(measured([9.0, -9.0], ref_flux=100.0))
    assert not seen_by_totals(measured([9.0, -9.0]))
    assert total_flux(measured([9.0, -9.0], ref_flux=[100.0, np.nan])).tolist()[:1] == [109.0]


@pytest.mark.parametrize(
    ("flux", "reference", "of_ztf", "of_both"),
    [
        ([9.0, 9.0], [100.0, 100.0], ("ztf",), ()),
        ([9.0, 9.0], [np.nan, 100.0], (), ()),
        ([9.0, 9.0], [np.nan, np.nan], (), ()),
        ([9.0, -9.0], [100.0, 100.0], ("ztf",), ("lsst", "ztf")),
    ],
)
def test_the_surveys_whose_magnitudes_are_totals(flux, reference, of_ztf, of_both):
    ztf = measured(flux, ref_flux=reference)
    both = np.concatenate([ztf, measured(flux, survey="lsst", ref_flux=reference)])
    assert surveys_in_totals(ztf, {"ztf"}) == of_ztf
    assert surveys_in_totals(both, {"ztf"}) == of_both
