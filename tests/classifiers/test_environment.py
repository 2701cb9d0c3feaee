"""What lies where an object is: silent where nothing is known, right where the classes differ, the same from a packet and from a table."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from broker_adapters.records import Alert, SkyObject, blank
from classifiers.models.lightcurve import environment
from classifiers.models.lightcurve.environment import KNOWN
from classifiers.models.lightcurve.training.environment import fit, of_folder
from classifiers.taxonomy import LIGHTCURVE, LIGHTCURVE_CLASSES

RED_STAR = {"distnr": 0.2, "sgscore1": 0.99, "distpsnr1": 0.1, "sgmag1": 19.2, "srmag1": 17.0, "simag1": 15.0, "szmag1": 14.0}
BARE = {"distnr": 5.0, "sgscore1": 0.02, "distpsnr1": 4.0, "sgmag1": 18.9, "srmag1": 18.4, "simag1": 18.1, "szmag1": 17.9}
PLANE, HIGH = (290.0, 10.0), (192.86, 27.13)  # Galactic latitudes of -0.1 and 90 degrees


def known(place=(np.nan, np.nan), **values):
    return np.array([[*place, *(values.get(name, np.nan) for name in KNOWN[2:])]])


@pytest.fixture(scope="module")
def published():
    """What is known before any object is."""
    return fit(np.empty((0, len(KNOWN))), [])


def test_nothing_known_changes_nothing(published):
    flat = np.random.default_rng(0).dirichlet(np.ones(15), 20)
    assert published.apply(flat, np.full((20, len(KNOWN)), np.nan)) == pytest.approx(flat)


@given(values=arrays(float, (3, len(KNOWN)), elements=st.one_of(st.just(np.nan), st.floats(-90, 400))))
def test_whatever_is_known_probabilities_stay_probabilities(published, values):
    values[:, 1] = np.clip(values[:, 1], -90, 90)
    found = published.apply(np.full((3, 15), 1 / 15), values)
    assert found.sum(axis=1) == pytest.approx(1)
    assert (found > 0).all()


def best(model, values):
    return LIGHTCURVE_CLASSES[int(np.argmax(model.log_density(values)[0]))]


def test_red_stars_blue_nuclei_and_lonely_flashes(published):
    assert best(published, known(PLANE, **RED_STAR)) == "LPV"
    assert best(published, known(HIGH, **BARE)) in LIGHTCURVE["Transient"]
    assert (
        best(published, known(HIGH, distnr=0.2, sgscore1=0.98, distpsnr1=0.1, sgmag1=18.2, srmag1=18, simag1=17.85, szmag1=17.75)) == "QSO"
    )


def test_the_plane_speaks_for_discs_and_against_what_lies_behind(published):
    plane, high = (dict(zip(LIGHTCURVE_CLASSES, published.log_density(known(p))[0], strict=True)) for p in (PLANE, HIGH))
    assert plane["YSO"] > plane["RRL"] > plane["QSO"] == plane["SNIa"]
    assert high["QSO"] == 0 > high["YSO"]


def test_no_single_evidence_decides_alone(published):
    """Some share of every class is anywhere: a ratio stays within three powers of ten."""
    for values in (known(PLANE), known(HIGH), known(distnr=9.0), known(distnr=0.1), known(sgscore1=1.0, distpsnr1=0.1)):
        assert np.ptp(published.log_density(values)) < np.log(1000)


def test_a_fit_moves_from_the_published_to_the_seen(published):
    seen = np.repeat(known(**RED_STAR | {"distnr": 1.0}), 200, axis=0)
    fitted = fit(seen, ["LPV"] * 200)
    star = list(environment.KINDS).index("star")
    assert published.distance[star, 0] < fitted.distance[star, 0] < 0.0
    assert fitted.colour[LIGHTCURVE_CLASSES.index("LPV")] == pytest.approx([2.2, 2.0, 1.0], abs=0.05)
    assert fitted.shares.sum(axis=1) == pytest.approx(1)
    again = environment.Environment(**fitted.arrays())
    assert again.log_density(seen) == pytest.approx(fitted.log_density(seen))


def test_packets_and_tables_give_the_same(tmp_path):
    metadata = RED_STAR | {"simag1": None}
    alert = Alert("ztf", "ZTF20a", "1", *PLANE, 0.1, 59000.0, blank(0), metadata=metadata)
    other = Alert("lsst", "5", "2", *PLANE, 0.1, 59000.0, blank(0), metadata={"distnr": 99.0})
    late = Alert("ztf", "ZTF20a", "3", *PLANE, 0.1, 59001.0, blank(0), metadata={"distnr": float("nan"), "srmag1": -999.0})
    from_packets = environment.of_objects([SkyObject(*PLANE, 0.1, blank(0), (alert, other, late)), SkyObject(*HIGH, 0.1, blank(0))])
    pd.DataFrame({"objectId": ["ZTF20a", "ZTF20b"], "ra": [PLANE[0], HIGH[0]], "dec": [PLANE[1], HIGH[1]]}).to_csv(
        tmp_path / "object_labels.csv"
    )
    pd.DataFrame([{"objectId": "ZTF20a"} | RED_STAR | {"simag1": -999.0}]).to_parquet(tmp_path / "ztf_stamps_meta.parquet")
    from_tables = of_folder(tmp_path, ["ZTF20a", "ZTF20b", "ZTF20c"])
    np.testing.assert_allclose(from_packets, from_tables[:2])
    assert np.isnan(from_tables[2]).all()
