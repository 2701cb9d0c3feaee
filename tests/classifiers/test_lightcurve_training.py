"""What the light-curve forest learns from: simulated and altered copies, weights, and that a seed gives the same again."""

import math
from dataclasses import replace

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from broker_adapters.records import Kind
from classifiers.models.lightcurve import environment, features, hierarchy, supernova
from classifiers.models.lightcurve.series import MINIMUM, light_curve
from classifiers.models.lightcurve.training import data, importance, samples, train
from classifiers.simulate import lightcurves as simulate
from classifiers.simulate import surveys
from classifiers.taxonomy import LIGHTCURVE
from classifiers.training.trees import from_boosting
from tests.classifiers.test_lightcurve import supernova_rows


@pytest.mark.parametrize("label", sorted(simulate.STOCHASTIC))
def test_simulated_sources_are_alerts_and_limits(label):
    rows = simulate.observe(simulate.STOCHASTIC[label], 600.0, np.random.default_rng(2))
    alert = rows["kind"] == Kind.ALERT
    assert (np.diff(rows["mjd"]) >= 0).all()
    assert np.isfinite(rows["flux"][alert]).all()
    assert (np.abs(rows["flux"][alert]) > 5 * rows["flux_err"][alert]).all()
    assert np.isnan(rows["flux"][~alert]).all()


def test_random_walk_has_its_structure_function():
    t = np.arange(0, 20000.0, 5)
    walk = simulate.random_walk(t, 0.3, 100.0, np.random.default_rng(0))
    assert walk.std() == pytest.approx(0.3, rel=0.15)
    assert np.corrcoef(walk[:-20], walk[20:])[0, 1] == pytest.approx(math.exp(-1), abs=0.15)


def test_altered_copies_are_fainter_and_never_leave_a_weak_alert():
    rows = supernova_rows()
    rng = np.random.default_rng(0)
    for _ in range(20):
        copy = samples.altered(rows, rng)
        alert = copy["kind"] == Kind.ALERT
        assert (copy["flux"][alert] >= 4.5 * copy["flux_err"][alert]).all()
        assert np.isnan(copy["flux"][~alert]).all()
        assert len(copy) <= len(rows)


@pytest.mark.parametrize("watching", surveys.OTHERS)
def test_a_merged_supernova_is_that_of_its_model_in_every_survey(watching, monkeypatch):
    calm = {name: replace(how, underrated=0.0, offset=0.0) for name, how in surveys.SURVEYS.items()}
    monkeypatch.setattr(surveys, "SURVEYS", calm)
    monkeypatch.setattr(samples, "DEVIATION", (1e-6, 10.0))
    monkeypatch.setattr(samples, "HOST", (25.0, 0.1))  # the noise of a bright one is not quoted
    monkeypatch.setattr(surveys, "FAINTER", (1.0, 1.0))
    rows, rng, pulls = supernova_rows(peak=3e5), np.random.default_rng(1), []
    fit = supernova.fit(light_curve(rows))
    fainter = 10**-0.4 if watching == ("lsst",) else 1.0
    for _ in range(20):
        found = samples.merged(rows, watching, rng)
        assert set(found["survey"].tolist()) <= set(watching)
        assert (np.diff(found["mjd"]) >= 0).all()
        own = found[found["survey"] == "ztf"]
        assert len(own) == (len(rows) if "ztf" in watching else 0)
        assert set(own["flux"].tolist()) <= set(rows["flux"].tolist())
        other = found[found["survey"] != "ztf"]
        assert np.isnan(other["ref_flux"][other["survey"] == "atlas"]).all()
        assert (other["ref_flux"][other["survey"] == "lsst"] > 0).all()
        g, r = (fit.flux(other["mjd"], family) for family in (0, 1))
        expected = fainter * r * (g / r) ** np.array([simulate.COLOUR[band] for band in other["band"].tolist()])
        unquoted = np.array([surveys.SURVEYS[survey].unquoted for survey in other["survey"].tolist()]) * expected
        pull = (other["flux"] - expected) / np.hypot(other["flux_err"], unquoted)
        pulls.append(pull[expected > 3 * other["flux_err"]])
    assert np.abs(np.median(np.concatenate(pulls))) < 0.3
    assert 0.8 < np.std(np.concatenate(pulls)) < 1.2


def test_a_merged_supernova_is_cut_from_its_first_detection_though_it_was_watched_before(monkeypatch):
    monkeypatch.setattr(samples, "LENGTHS", (20.0,))
    monkeypatch.setattr(samples, "BEFORE", (2.5, 2.5))
    monkeypatch.setattr(surveys, "watch", lambda *_: ("atlas",))
    curves = [samples._merged(supernova_rows(peak=1e6), np.random.default_rng(seed)) for seed in range(6)]
    for t in (np.concatenate([s.t for s in curve.series]) for curve in curves):
        assert t.min() > 59000 - 20
        assert np.ptp(t) <= 20
    before = np.concatenate([s.limit_t for curve in curves for s in curve.series])
    assert before.min() < 59000 - 150


def test_a_supernova_with_few_points_is_not_merged():
    rows = supernova_rows()
    assert not len(samples.merged(rows[rows["band"] == "g"], ("ztf", "atlas"), np.random.default_rng(0)))
    assert not len(samples.merged(rows[:0], ("lsst",), np.random.default_rng(0)))


@pytest.mark.parametrize("label", LIGHTCURVE["Transient"])
def test_surveys_have_the_same_share_of_every_class(label, monkeypatch):
    """What is merged is a part `MERGED` of all copies, and no survey but ZTF has any other."""
    rows, rng = supernova_rows(peak=1e6), np.random.default_rng(2)
    monkeypatch.setattr(samples, "altered", lambda rows, rng: rows)
    copies = [c for _ in range(12) for _, c in samples._copies(data.Labelled("x", label, "alert-dif", rows), rng)]
    share = np.mean([c.surveys != ("ztf",) for c in copies])
    assert share == pytest.approx(samples.MERGED, abs=0.07)


def test_who_watches_is_drawn_once_though_little_is_seen(monkeypatch):
    drawn = []
    monkeypatch.setattr(surveys, "watch", lambda *_: drawn.append(0) or ("ztf",))
    faint = simulate.harmonic(1.0, (24.0, 24.0), np.zeros((2, 1)), np.zeros((2, 1)))
    found = samples._watched(faint, np.random.default_rng(0))
    assert found.n_detections < MINIMUM
    assert len(drawn) == 1


def test_weights_count_an_object_once_and_real_ones_more():
    n = 6
    text = lambda *v: np.array(v, str)  # noqa: E731
    found = samples.Samples(
        np.zeros((n, 1)),
        text("SNIa", "SNIa", "SNIa", "SNII", "SNII", "SNII"),
        text("a", "a", "b", "c", "d", "d"),
        text("real", "real", "real", "real", "simulated", "simulated"),
        text(*["whole"] * n),
        np.full(n, 9),
        text(*["alert-dif"] * n),
        np.full((n, len(environment.KNOWN)), np.nan),
    )
    weight = train.weights("Transient", found, train.targets("Transient", found))
    assert weight[0] + weight[1] == pytest.approx(weight[2])
    assert weight[3] == pytest.approx(train.REAL["Transient"] * (weight[4] + weight[5]))


def test_importance_is_with_the_family_that_tells():
    """A level that looks at one feature loses by shuffling its family alone."""
    rng, names = np.random.default_rng(0), features.names()
    x = np.full((300, len(names)), np.nan)
    told, idle = (names.index(features.names_of(family)[0]) for family in ("tail", "fleet"))
    x[:, [told, idle]] = rng.normal(size=(300, 2))
    y = (x[:, told] > 0).astype(int)
    grown = HistGradientBoostingClassifier(max_iter=20, random_state=0).fit(x[:, [told, idle]], y)
    level = hierarchy.Level(("a", "b"), (names[told], names[idle]), (from_boosting(grown, 2),))
    found = importance.by_family(level, x, y)
    assert list(found) == ["tail", "fleet"]
    assert found["tail"] > 1 > 0.05 > abs(found["fleet"])


def test_a_seed_gives_the_same_level_and_real_objects_teach(monkeypatch):
    rng, n = np.random.default_rng(0), 240
    labels = np.array(LIGHTCURVE["Stochastic"])[np.arange(n) % 5]
    values = np.full((n, len(features.names())), np.nan)
    values[:, features.names().index("Std_r")] = np.arange(n) % 5 + rng.normal(0, 0.3, n)
    text = lambda v: np.full(n, v)  # noqa: E731
    known = np.full((n, len(environment.KNOWN)), np.nan)
    rows = samples.Samples(values, labels, np.arange(n).astype(str), text("real"), text("whole"), np.full(n, 9), text("history"), known)
    monkeypatch.setitem(train.FOREST, "n_estimators", 10)
    one, again = (train.fit_level("Stochastic", rows, 3) for _ in range(2))
    first, second = (level.raw(values, features.names()) for level in (one, again))
    assert (first == second).all()
    assert (np.array(one.classes)[first.argmax(axis=1)] == labels).mean() > 0.8


def test_a_light_curve_without_sign_is_positive_and_without_reference(monkeypatch):
    rows = supernova_rows()
    rows["flux"], rows["ref_flux"] = -rows["flux"], 1e5
    monkeypatch.setattr(samples, "UNSIGNED", 1.0)
    found = samples.unsigned(rows, np.random.default_rng(0))
    assert (found["flux"] > 0).all()
    assert np.isnan(found["ref_flux"]).all()
    assert (rows["flux"] < 0).all()
    rows["survey"] = "atlas"  # forced photometry has its signs
    assert (samples.unsigned(rows, np.random.default_rng(0))["flux"] < 0).all()


def test_what_varies_slowly_stays_on_one_side_of_its_reference():
    rng, sided = np.random.default_rng(1), []
    for _ in range(60):
        rows = simulate.observe(simulate.blazar, 30.0, rng)
        flux = rows["flux"][rows["kind"] == Kind.ALERT]
        if len(flux) >= 5:
            sided.append(abs(np.sign(flux).mean()) > 0.9)
    assert np.mean(sided) > 0.5
    fast = [simulate.observe(simulate.harmonic(0.6, (16.5, 16.3), np.full((2, 1), 0.5), np.zeros((2, 1))), 30.0, rng) for _ in range(20)]
    signs = np.concatenate([np.sign(r["flux"][r["kind"] == Kind.ALERT]) for r in fast])
    assert abs(signs.mean()) < 0.5
