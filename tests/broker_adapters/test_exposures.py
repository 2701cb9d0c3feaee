"""One row per exposure, whatever the order, and nothing lost."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker_adapters.exposures import SAME_EXPOSURE, once
from broker_adapters.records import Kind, blank


def rows(mjd, survey="ztf", band="r", kind=Kind.ALERT):
    found = blank(len(mjd))
    found["source_id"] = [str(i) for i in range(len(mjd))]
    found["mjd"], found["survey"], found["band"], found["kind"] = mjd, survey, band, kind
    return found


@pytest.mark.parametrize("shift", [0.0, -0.9 * SAME_EXPOSURE, 0.9 * SAME_EXPOSURE])
def test_an_alert_comes_before_its_forced_photometry(shift):
    alerts = rows([60000.0, 60003.0])
    forced = rows([60000.0 + shift, 60002.0, 60003.0 + shift], kind=Kind.FORCED)
    kept = once(np.concatenate([forced, alerts]))
    assert kept["kind"].tolist() == [Kind.ALERT, Kind.FORCED, Kind.ALERT]
    assert kept["mjd"].tolist() == [60000.0, 60002.0, 60003.0]


@pytest.mark.parametrize("other", [{"survey": "lsst"}, {"band": "g"}])
def test_other_surveys_and_bands_are_other_exposures(other):
    assert len(once(np.concatenate([rows([60000.0]), rows([60000.0], **other)]))) == 2


def test_nothing_is_an_answer():
    assert len(once(rows([]))) == 0


EXPOSURES = st.lists(st.tuples(st.integers(0, 6), st.sampled_from("gr"), st.sampled_from(Kind)), max_size=20)


@given(EXPOSURES, st.randoms())
def test_one_of_each_in_time_order_whatever_the_order(exposures, random):
    random.shuffle(exposures)
    found = rows([60000.0 + 3 * SAME_EXPOSURE * t for t, _, _ in exposures])
    found["band"], found["kind"] = [b for _, b, _ in exposures], [k for _, _, k in exposures]
    kept = once(found)
    least = {(60000.0 + 3 * SAME_EXPOSURE * t, b): min(k for u, c, k in exposures if (u, c) == (t, b)) for t, b, _ in exposures}
    assert {(r["mjd"], str(r["band"])): r["kind"] for r in kept} == least
    assert len(kept) == len(least)
    assert (np.diff(kept["mjd"]) >= 0).all()
    assert len(once(kept)) == len(kept)
