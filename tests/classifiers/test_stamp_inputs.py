"""Preprocessing and views: what every answer to bad input is, and the symmetries that must hold."""

from __future__ import annotations

import gzip
from io import BytesIO

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from broker_adapters.records import Alert, Cutouts, SkyObject, blank
from classifiers.models.stamp import metadata, network, preprocess
from classifiers.models.stamp.preprocess import FIELDS, GEOMETRIES, SIDE, first_alert, from_alerts, from_table, laid, normalise
from classifiers.simulate.stamps import simulate


def encoded(image):
    file = BytesIO()
    fits.PrimaryHDU(image.astype(np.float32)).writeto(file)
    return gzip.compress(file.getvalue(), 1)


def alert(stamps, survey="ztf", **fields):
    cutouts = None if stamps is None else Cutouts(*(None if s is None else encoded(s) for s in stamps))
    return Alert(survey, "ZTF20aaaaaaa", "1", 1.0, 2.0, 0.1, 59000.0, blank(1), cutouts=cutouts, metadata=fields)


@pytest.fixture(scope="module")
def simulated():
    return simulate(["AGN", "SN", "VS", "asteroid", "bogus", "SN"], np.random.default_rng(5))


def test_alerts_and_tables_give_the_same_inputs(simulated):
    rows = simulated.metadata
    one = from_alerts([alert(s, **row) for s, row in zip(simulated.stamps, rows, strict=True)])
    sentinels = {k: [-999.0 if v is None else v for v in (row.get(k) for row in rows)] for k in rows[0]}
    other = from_table(simulated.stamps, sentinels)
    np.testing.assert_array_equal(one.stamps, other.stamps)
    for name in FIELDS:
        np.testing.assert_array_equal(one.metadata[name], other.metadata[name])
    assert one.usable.all()
    assert other.usable.all()


def test_what_cannot_be_an_input_is_not_usable(simulated):
    good = simulated.stamps[0]
    odd = [
        None,
        alert(None),
        alert(good, survey="atlas"),
        alert([good[0], None, good[2]]),
        alert([s[:62] for s in good]),
        alert([good[0], good[1][:, :62], good[2]]),
        alert(np.full_like(good, np.nan)),
        Alert("ztf", "x", "1", 1.0, 2.0, 0.1, 59000.0, blank(1), cutouts=Cutouts(b"junk", b"junk", b"junk")),
    ]
    assert not from_alerts(odd).usable.any()
    assert from_alerts([alert(good)]).usable.all()
    assert len(from_alerts([])) == 0


def test_each_survey_has_its_own_geometry(simulated):
    square = np.ones((3, 30, 30), np.float32)
    atlas = alert([np.ones((61, 61)), None, np.ones((61, 61))], survey="atlas")
    assert from_alerts([atlas], (), GEOMETRIES["atlas"]).stamps.shape == (1, 2, SIDE, SIDE)
    odd = [alert(square, survey="lsst"), alert(square[:, :29], survey="lsst"), atlas, alert(simulated.stamps[0])]
    assert from_alerts(odd, (), GEOMETRIES["lsst"]).usable.tolist() == [True, False, False, False]
    assert not from_alerts([alert(square, survey="atlas")], (), GEOMETRIES["atlas"]).usable.any()


@given(height=st.integers(1, 130), width=st.integers(1, 130))
def test_cutouts_of_any_size_are_laid_with_their_middle_in_the_middle(height, width):
    stamp = np.arange(height * width, dtype=np.float32).reshape(1, height, width)
    frame = laid(stamp)
    assert frame.shape == (1, SIDE, SIDE)
    assert frame[0, SIDE // 2, SIDE // 2] == stamp[0, (height - 1) // 2, (width - 1) // 2]
    assert np.isfinite(frame).sum() == min(height, SIDE) * min(width, SIDE)


def test_the_first_alert_with_cutouts_is_judged(simulated):
    late, early, bare = alert(simulated.stamps[0]), alert(simulated.stamps[1]), alert(None)
    assert first_alert(SkyObject(1.0, 2.0, 0.1, blank(0), (bare, early, late))) is early
    assert first_alert(SkyObject(1.0, 2.0, 0.1, blank(0), (bare,))) is None


@pytest.mark.parametrize(
    ("given", "expected"), [("t", 1), ("1", 1), (True, 1), (1, 1), ("f", 0), ("0", 0), (0, 0), (None, np.nan), ("?", np.nan)]
)
def test_isdiffpos(given, expected):
    found = from_table(np.zeros((1, 3, 63, 63)), {"isdiffpos": [given]}).metadata["isdiffpos"]
    np.testing.assert_array_equal(found, [expected])


def test_marks_for_none_are_missing():
    found = from_table(np.zeros((5, 3, 63, 63)), {"magnr": [None, -999.0, -99999.0, "null", 18.5]}).metadata["magnr"]
    np.testing.assert_array_equal(found, [np.nan] * 4 + [18.5])


def test_no_label_is_an_input():
    leaks = {"ssdistnr", "ssmagnr", "ssnamenr", "rb", "drb", "ra", "dec", "jd", "field", "rcid", "programid", "ncovhist", "candid", "src"}
    assert not leaks & set(FIELDS)


@settings(max_examples=15)
@given(element=st.integers(1, 7), row=st.integers(0, 5))
def test_views_know_no_orientation(simulated, element, row):
    stamps = np.nan_to_num(simulated.stamps[[row]])
    turned = np.ascontiguousarray(network.orient(stamps.transpose(0, 2, 3, 1), element).transpose(0, 3, 1, 2))
    for view in (stamps, turned):
        view += 0  # both are plain float32 arrays
    one, other = (network.scales(normalise(s)[0]) for s in (stamps, turned))
    np.testing.assert_allclose(one, other, atol=1e-4)


def test_noise_is_measured():
    rng = np.random.default_rng(0)
    stamps = rng.normal(100, 5, (4, 3, 63, 63)).astype(np.float32)
    stamps[0, 0, :10] = np.nan
    stamps[1, 1, 5, 5] = -3.4e38
    scaled, background, noise = normalise(stamps)
    error = 5 / np.sqrt(961)  # of a median it is a quarter larger
    assert background == pytest.approx(100, abs=5 * error)
    assert noise == pytest.approx(5, abs=5 * error)
    assert np.isfinite(scaled).all()
    assert scaled[1, 1, 5, 5] == 0


@pytest.mark.parametrize("value", [0.0, 7.0, np.nan, -3.4e38])
def test_constant_images_have_finite_views(value):
    stamps = np.full((2, 3, 63, 63), value, np.float32)
    assert np.isfinite(network.scales(normalise(stamps)[0])).all()
    assert (network.unit_crop(stamps) == 0).all()


def test_a_simulated_alert_has_the_features_that_are_learnt_from_it(simulated):
    found = metadata.features(from_table(simulated.stamps, simulated.columns).metadata)
    known = {name for name, column in zip(metadata.FEATURES, found.T, strict=True) if np.isfinite(column).any()}
    assert known == set(metadata.SIMULATED)


def test_metadata_features_by_hand():
    columns = {name: np.array([np.nan]) for name in FIELDS}
    columns |= {k: np.array([v]) for k, v in {"magpsf": 18.0, "magnr": 17.0, "distnr": 0.5, "isdiffpos": 1.0, "sgmag1": 17.6}.items()}
    columns |= {k: np.array([v]) for k, v in {"srmag1": 17.0, "simag1": 16.7, "ndethist": 3.0}.items()}
    found = dict(zip(metadata.FEATURES, metadata.features(columns)[0], strict=True))
    assert found["amplitude"] == pytest.approx(np.log(10**-0.4))
    assert found["brightening"] == found["amplitude"]
    assert found["g-r"] == pytest.approx(0.6, abs=1e-5)
    assert found["colour"] == pytest.approx(1.0, abs=1e-5)  # of g-r and r-i alone, each that of a G star
    assert found["log ndethist"] == pytest.approx(np.log(3.1), abs=1e-5)
    assert np.isnan(found["i-z"])


def test_unit_crop_is_min_max_of_the_inner_pixels():
    stamps = np.arange(3 * 63 * 63, dtype=np.float32).reshape(1, 3, 63, 63)
    stamps[0, 0, 31, 31] = np.nan
    crop = network.unit_crop(stamps)
    assert crop.shape == (1, 21, 21, 3)
    assert crop[0, 0, 0, 0] == 0
    assert crop[0, -1, -1, 2] == 1
    assert crop[0, 10, 10, 0] == 0
    inner = stamps[0, 1, 21:42, 21:42]
    np.testing.assert_allclose(crop[0, :, :, 1], (inner - inner.min()) / np.ptp(inner), rtol=1e-6)


def test_preprocessing_needs_no_tensorflow():
    import subprocess
    import sys

    code = "import sys, classifiers.models.stamp, classifiers.models.stamp.training.evaluation; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    assert preprocess.SIDE == 63
