"""The forest: its arrays equal scikit-learn's trees, its file cannot be changed unnoticed, and the shipped model answers."""

import json
from dataclasses import replace

import numpy as np
import pytest
from imblearn.ensemble import BalancedRandomForestClassifier
from sklearn.ensemble import HistGradientBoostingClassifier

from broker_adapters.kernels import announced
from broker_adapters.records import Kind, SkyObject, blank
from classifiers import population_stability
from classifiers.calibration import Calibration
from classifiers.models.lightcurve import Model, features, forecast, hierarchy, supernova
from classifiers.models.lightcurve.context import context
from classifiers.models.lightcurve.series import MINIMUM, light_curve
from classifiers.models.lightcurve.training import data, drift, evaluation, samples
from classifiers.records import ClassifierError, WeightsError
from classifiers.simulate import lightcurves as simulate
from classifiers.taxonomy import BRANCH, LIGHTCURVE, LIGHTCURVE_CLASSES
from classifiers.training.trees import from_boosting, from_forests


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 6)).astype(np.float32)
    y = (x[:, 0] > 0).astype(int) + (x[:, 1] > 0.5)
    x[rng.random(x.shape) < 0.1] = np.nan
    return x, y


def test_forest_arrays_equal_the_forest(table):
    x, y = table
    grown = BalancedRandomForestClassifier(20, sampling_strategy="all", replacement=True, bootstrap=False, random_state=0).fit(x, y)
    assert from_forests([grown], 3).probabilities(x) == pytest.approx(grown.predict_proba(x), abs=1e-6)


@pytest.mark.parametrize("classes", [2, 3])
def test_boosted_arrays_equal_the_model(table, classes):
    x, y = table[0], np.minimum(table[1], classes - 1)
    grown = HistGradientBoostingClassifier(max_iter=10, random_state=0).fit(x, y)
    assert from_boosting(grown, classes).probabilities(x) == pytest.approx(grown.predict_proba(x), abs=1e-5)


@pytest.fixture
def fitted(table):
    x, _ = table
    rng = np.random.default_rng(1)
    levels = {}
    for name, classes in hierarchy.LEVELS.items():
        y = rng.permutation(np.arange(len(x)) % len(classes))
        grown = BalancedRandomForestClassifier(3, sampling_strategy="all", replacement=True, bootstrap=False, random_state=0).fit(x, y)
        columns = features.names()[:6]
        levels[name] = hierarchy.Level(classes, columns, (from_forests([grown], len(classes)),), Calibration(1.3, (0.1,) * len(classes)))
    return hierarchy.Hierarchy(levels, hierarchy.digests(["a", "b"]))


def test_saved_and_loaded_it_answers_the_same(fitted, table, tmp_path):
    watched = {"confidence": np.linspace(0, 1, 50), "p(a/b)": np.full(50, np.nan)}
    expected = population_stability.reference(watched, np.full((50, 3), 1 / 3))
    hierarchy.save(replace(fitted, reference=expected), tmp_path, {"version": "t"})
    loaded, card = hierarchy.load(tmp_path)
    assert all(np.array_equal(a, loaded.reference.arrays()[n], equal_nan=a.dtype.kind == "f") for n, a in expected.arrays().items())
    x = np.full((400, len(features.names())), np.nan)
    x[:, :6] = table[0]
    before = fitted.probabilities(x, features.names())
    assert loaded.probabilities(x, features.names()) == pytest.approx(before)
    assert before.sum(axis=1) == pytest.approx(1)
    assert card["version"] == "t"
    assert loaded.was_trained_on(["a", "c"]).tolist() == [True, False]


def test_a_changed_or_missing_file_is_refused(fitted, tmp_path):
    with pytest.raises(WeightsError, match="no light-curve model"):
        hierarchy.load(tmp_path)
    hierarchy.save(fitted, tmp_path, {})
    content = bytearray((tmp_path / hierarchy.FILE).read_bytes())
    content[100] ^= 1
    (tmp_path / hierarchy.FILE).write_bytes(content)
    with pytest.raises(WeightsError, match="SHA-256"):
        hierarchy.load(tmp_path)


def test_a_file_of_another_kind_is_refused_even_with_its_digest(fitted, tmp_path):
    import hashlib

    hierarchy.save(fitted, tmp_path, {})
    (tmp_path / hierarchy.FILE).write_bytes(b"not an archive")
    card = json.loads((tmp_path / hierarchy.CARD).read_text())
    card["sha256"] = hashlib.sha256(b"not an archive").hexdigest()
    (tmp_path / hierarchy.CARD).write_text(json.dumps(card))
    with pytest.raises(WeightsError, match="is not a light-curve model"):
        hierarchy.load(tmp_path)


def supernova_rows(seed=0, noise=300.0, last=40.0, peak=30000.0):
    """A SNIa-like supernova in ZTF g and r, one point a day from 15 d before its peak."""
    rng = np.random.default_rng(seed)
    t = np.arange(-15.0, last, 1.5)
    rows = blank(2 * len(t))
    rows["survey"], rows["source_id"], rows["kind"] = "ztf", [str(i) for i in range(len(rows))], Kind.ALERT
    rows["mjd"], rows["band"] = np.concatenate([t, t + 0.02]) + 59000, np.repeat(["g", "r"], len(t))
    for k in (0, 1):
        q = supernova.MEAN[:6] + (supernova.MEAN[6:] if k == 0 else 0)
        which = rows["band"] == "gr"[k]
        rows["flux"][which] = peak * supernova.model(q, rows["mjd"][which] - 59000)
    rows["flux"] += rng.normal(0, noise, len(rows))
    rows["flux_err"] = noise
    return rows[rows["flux"] > 5 * noise]


def sky(rows):
    return SkyObject(10.0, 20.0, 0.1, rows)


def test_supernova_fit_gives_back_what_was_put_in():
    found = supernova.fit(light_curve(supernova_rows()))
    assert found is not None
    t = 59000 + np.arange(-10, 30.0, 5)
    for k in (0, 1):
        q = supernova.MEAN[:6] + (supernova.MEAN[6:] if k == 0 else 0)
        truth = 30000 * supernova.model(q, t - 59000)
        assert np.all(np.abs(found.flux(t, k) - truth) < 4 * found.flux_err(t, k))
        assert np.median(np.abs(found.flux(t, k) / truth - 1)) < 0.05
    assert supernova.fit(light_curve(blank(0))) is None


def test_what_one_supernova_explains_is_not_searched_for_a_period():
    rows = supernova_rows()
    assert np.isnan(context(light_curve(rows)).period.period)
    hosted, faded, wavy = rows.copy(), rows.copy(), rows.copy()
    hosted["ref_flux"] = 1e5
    faded["flux"][-1] *= -1
    wavy["flux"] *= 1 + 0.4 * np.sin(2 * np.pi * wavy["mjd"] / 0.37)
    for other in (hosted, faded, wavy):
        assert np.isfinite(context(light_curve(other)).period.period)


@pytest.mark.real_data
def test_the_first_look_leaves_classes_as_they_are(real, monkeypatch):
    some = [s for s in real if BRANCH[s.label] != "Transient"][::3] + [s for s in real if BRANCH[s.label] == "Transient"][::30]
    curves = [c for s in some if (c := light_curve(s.rows)).n_detections >= MINIMUM]
    model = Model()
    quick = features.matrix(curves)
    monkeypatch.setattr("classifiers.models.lightcurve.context.EXPLODED", 0.0)
    searched = features.matrix(curves)
    period = features.names().index("Multiband_period")
    assert (np.isnan(quick[:, period]) & ~np.isnan(searched[:, period])).sum() > 30
    same = model.probabilities(quick).argmax(axis=1) == model.probabilities(searched).argmax(axis=1)
    assert same.mean() >= 0.995


def test_slopes_of_the_model_are_its_derivatives():
    t, step = np.array([-90.0, -20.0, 0.0, 5.0, 19.0, 30.0, 90.0, 250.0]), 1e-5
    for q in (supernova.MEAN[:6], supernova.MEAN[:6] + supernova.MEAN[6:], np.array([0.3, 4.0, 1.0, 3.0, -0.5, 4.5])):
        found = supernova.slopes(q, t)
        assert found[:, 0] == pytest.approx(supernova.model(q, t))
        for j, d in enumerate(step * np.eye(6)):
            numeric = (supernova.model(q + d, t) - supernova.model(q - d, t)) / (2 * step)
            assert found[:, j] == pytest.approx(numeric, rel=1e-5, abs=1e-9)


def test_limits_hold_the_model_down():
    rows = supernova_rows(last=0.0)
    limits = blank(4)
    limits["survey"], limits["kind"], limits["band"] = "ztf", Kind.LIMIT, "r"
    limits["mjd"], limits["flux_err"] = [58980.0, 58982.0, 58984.0, 58984.5], 100.0
    free, held = (supernova.fit(light_curve(r)) for r in (rows, np.concatenate([rows, limits])))
    assert held.flux(58984.0, 1)[0] <= max(free.flux(58984.0, 1)[0], 700.0)


def test_the_shipped_model_answers_and_says_when_it_cannot():
    model = Model()
    found = model.predict([sky(supernova_rows()), sky(supernova_rows()[:3]), sky(blank(0))])
    assert found.classes == LIGHTCURVE_CLASSES
    assert found.probabilities[0].sum() == pytest.approx(1)
    assert found.labels[0] in LIGHTCURVE["Transient"]
    assert np.isnan(found.probabilities[1:]).all()
    whole, few, none = found.details
    assert whole["surveys"] == few["surveys"] == ["ztf"]
    assert 0 <= whole["oddness"] <= 1
    assert (few.keys(), none) == ({"surveys"}, {"surveys": []})
    ahead = json.loads(json.dumps(whole["forecast"], allow_nan=False))
    assert len(ahead["mjd"]) == len(ahead["families"]["r"]["flux"]) == 15
    assert model.predict([]).probabilities.shape == (0, 15)


def test_the_answer_does_not_depend_on_the_batch():
    objects = [sky(supernova_rows(i)) for i in range(3)]
    model = Model()
    alone = np.concatenate([model.predict([o]).probabilities for o in objects[::-1]])[::-1]
    assert model.predict(objects).probabilities == pytest.approx(alone)


def test_a_folder_without_tables_is_a_clear_error(tmp_path):
    with pytest.raises(ClassifierError, match=r"object_labels.csv cannot be read"):
        data.read(tmp_path)


@pytest.fixture(scope="module")
def real(real_data):
    """The labelled objects of the development data."""
    return data.read(real_data / "dev")


@pytest.mark.real_data
def test_real_folder_is_read_once_per_object_without_sentinels(real):
    found = real
    assert len({s.object_id for s in found}) == len(found) > 5000
    for s in found[::50]:
        assert np.isfinite(s.rows["flux_err"]).all()
        assert (s.rows["flux_err"] >= 0).all()
        assert np.isin(s.rows["kind"], list(Kind)).all()
        assert np.abs(s.rows["flux"][np.isfinite(s.rows["flux"])]).max(initial=0) < 1e11


@pytest.mark.real_data
def test_evaluation_of_real_supernovae_says_what_was_seen(real, real_data, monkeypatch):
    monkeypatch.setattr(data, "read", lambda folder: [s for s in real if s.label in LIGHTCURVE["Transient"]][::60])
    monkeypatch.setattr(samples, "vectors", lambda folder: None)
    found = evaluation.evaluate(real_data / "dev", jobs=1)
    assert found["n_seen_in_training"] == found["n"] > 50
    assert found["top_recall"]["Transient"] > 0.8
    assert json.dumps(found, allow_nan=False)


def test_forecast_holds_what_comes_and_widens_with_time():
    whole = supernova_rows(seed=3, last=30.0)
    young = light_curve(whole[whole["mjd"] < 58995])
    times = np.array([58996.0, 59003.0, 59015.0])
    found = forecast.forecast(young, times)
    for k in (0, 1):
        q = supernova.MEAN[:6] + (supernova.MEAN[6:] if k == 0 else 0)
        low, middle, high = found.flux[k].T
        truth = 30000 * supernova.model(q, times - 59000)
        assert (np.abs(truth - middle) < 3.5 * (high - low) / 2).all()
        assert (high - low)[2] > (high - low)[0]
        assert abs(found.peak_mjd[k, 1] - 59000) < 15
        assert (np.diff(found.mag[k], axis=-1) >= 0).all()
    assert forecast.forecast(light_curve(blank(0)), times) is None
    assert forecast.forecast(young, times).flux == pytest.approx(found.flux)


@pytest.mark.real_data
def test_forecast_intervals_hold_their_share_of_real_supernovae(real):
    held = []
    for s in [x for x in real if x.label in LIGHTCURVE["Transient"] and x.kind == "alert-dif"][::40]:
        seen = np.isfinite(s.rows["flux"])
        cut = s.rows["mjd"][seen].min() + 20
        young = light_curve(data.truncated(s.rows, 20.0))
        if young.n_detections < MINIMUM:
            continue
        for k, band in enumerate(("g", "r")):
            later = s.rows[seen & (s.rows["mjd"] > cut) & (s.rows["mjd"] <= cut + 7) & (s.rows["band"] == band)]
            if len(later):
                low, middle, high = forecast.forecast(young, later["mjd"]).flux[k].T
                held += (np.abs(later["flux"] - middle) < np.hypot((high - low) / 2, later["flux_err"])).tolist()
    assert len(held) > 100
    assert 0.58 < np.mean(held) < 0.82  # 68 %, within the error of so few


def test_drift_without_a_reference_or_without_objects_is_a_clear_error(fitted, tmp_path):
    hierarchy.save(fitted, tmp_path, {})
    with pytest.raises(WeightsError, match="no reference"):
        drift.drift(tmp_path, tmp_path)


@pytest.mark.real_data
def test_the_training_objects_have_not_drifted(real, real_data, monkeypatch):
    chosen = {s.object_id: (9, s.kind, s.rows) for s in real[::25]}
    monkeypatch.setattr(data, "everything", lambda folder: chosen)
    found = drift.drift(real_data / "dev", jobs=1)
    assert found["n"] > 150
    assert found["branches"]["Transient"] > 0.7
    told = {name: psi for name, psi in found["psi"].items() if name != "confidence"}
    assert max(told.values()) < 0.25
    assert np.mean(list(told.values())) < 0.05


def test_a_model_that_is_made_compiles_nothing_when_it_classifies():
    model, rng = Model(), np.random.default_rng(5)
    found = [simulate.observe(source, 200.0, rng, ("ztf", "atlas", "lsst")) for source in simulate.STOCHASTIC.values()]
    objects = [SkyObject(10.0, 20.0, 0.1, rows) for rows in (*found, supernova_rows(), *(rows[:k] for rows in found for k in (2, 6, 11)))]
    with announced("compiling") as compiled:
        assert any(model.predict(objects).labels)
    assert compiled.count == 0
