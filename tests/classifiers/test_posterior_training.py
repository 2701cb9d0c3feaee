"""Training and evaluation of the posterior: truth, simulated light curves, the network in Keras and in NumPy, and its scores."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal, norm

from broker_adapters.photometry import magnitude_error, magnitude_from_flux
from classifiers.__main__ import main
from classifiers.models.lightcurve import supernova
from classifiers.models.lightcurve.series import light_curve
from classifiers.posterior import infer, storage
from classifiers.posterior.curves import SIZE
from classifiers.posterior.inputs import inputs
from classifiers.posterior.network import COMPONENTS
from classifiers.posterior.points import combined, of_rows, padded, tabled
from classifiers.posterior.records import CLASSES
from classifiers.posterior.training import mcmc, network, samples, sbc, scores, tempering, train, truth
from tests.classifiers.test_posterior import rows


@pytest.fixture(scope="module")
def real():
    """Three supernovae of each class, all of one shape."""
    found = []
    for i in range(12):
        own = rows(np.arange(-14.0, 40.0, 1.5), peak=17.5 + 0.1 * i)
        table = combined(of_rows(own))
        found.append(samples.Real(f"SN {i}", i % 4, table, supernova.fit(light_curve(own)), *truth.peak(table), own))
    return found


def test_vertex_of_a_parabola():
    t = np.arange(0.0, 30.0, 2.0)
    flux = 100.0 - (t - 13.0) ** 2 / 4
    table = np.stack([t, np.full(len(t), 634.0), flux, np.ones(len(t))])
    assert truth.peak(table) == (pytest.approx(13.0), False)
    assert np.isnan(truth.peak(table[:, t > 13.0])[0])  # nobody saw it rise
    assert np.isnan(truth.peak(table[:, :3])[0])


def test_simulated_ones_have_the_peak_that_their_light_curves_show(real):
    made = samples.simulated(real, 60, np.random.default_rng(0))
    seen = np.array([truth.peak(table)[0] for table in made.tables])
    off = (seen - made.target[:, 0])[np.isfinite(seen)]
    assert len(off) > 20
    assert abs(np.median(off)) < 1.0
    cut = samples.cut(made, np.random.default_rng(1))
    assert all(1 <= after.shape[1] <= before.shape[1] for after, before in zip(cut.tables, made.tables, strict=True))
    assert all((table[2] >= 5 * table[3]).any() for table in cut.tables)


def test_real_ones_have_the_peak_that_was_seen(real):
    drawn = samples.of_real(real, np.random.default_rng(0))
    assert drawn.target[:, 0] == pytest.approx([one.peak for one in real], abs=1.5)


def test_the_network_in_numpy_is_that_in_keras_and_the_loss_its_density(real):
    network.seeded(1)
    model = network.built()
    made = samples.cut(samples.simulated(real, 40, np.random.default_rng(0)), np.random.default_rng(1))
    standard = network.moments(made, np.random.default_rng(2))
    x, y = network.batch(made, *standard)
    logits, out = model(x)
    mixture = network.weights(model, standard).mixture(inputs(padded(tabled(made.tables))))
    shown = np.exp(np.asarray(logits, float))
    assert mixture.classes == pytest.approx(shown / shown.sum(axis=1, keepdims=True), abs=2e-3)
    mean = np.asarray(out)[:, :, COMPONENTS : COMPONENTS * (1 + SIZE)].reshape(mixture.mean.shape)
    assert mixture.mean == pytest.approx(mean, abs=5e-3)
    densities = np.array([_densities(mixture, y[i, :SIZE].astype(float), i) for i in range(5)])
    expected = []
    for i, (joint, peak) in enumerate(densities):
        own, shares = made.label[i], mixture.classes[i]
        terms = np.log(joint[own]) + network.MARGINAL * np.log(peak[own]) + network.CLASS * np.log(shares[own])
        expected.append(-terms - network.MIXED * np.log(shares @ peak))
    assert np.asarray(network.loss(y, (logits, out)))[:5] == pytest.approx(expected, rel=0.02, abs=0.1)


def _densities(mixture, z, i):
    """Densities of all parameters and of the first one given each class, shape (2, 4)."""
    rows_, columns = np.tril_indices(SIZE, -1)
    found = np.zeros((2, len(CLASSES)))
    for c in range(len(CLASSES)):
        for k in range(COMPONENTS):
            white = np.diag(mixture.diagonal[i, c, k])
            white[rows_, columns] = mixture.below[i, c, k]
            root = np.linalg.inv(white)
            found[0, c] += mixture.weight[i, c, k] * multivariate_normal.pdf(z, mixture.mean[i, c, k], root @ root.T)
            found[1, c] += mixture.weight[i, c, k] * norm.pdf(z[0], mixture.mean[i, c, k, 0], 1 / mixture.diagonal[i, c, k, 0])
    return found


def test_a_few_steps_lower_the_loss(real):
    made = samples.simulated(real, 600, np.random.default_rng(0))
    standard = network.moments(made, np.random.default_rng(2))
    network.seeded(1)
    losses = network.fit(network.built(), [lambda g: samples.cut(made, g)] * 3, 2e-3, standard, np.random.default_rng(3))
    assert losses[-1] < losses[0]


def test_the_whole_training_in_miniature(tmp_path, monkeypatch, real):
    named = [[f"SN {k}" for k in range(99) if zlib.crc32(f"SN {k}".encode()) % 2 == h][: len(real)] for h in (0, 1)]
    halves = [replace(one, name=name) for names in named for name, one in zip(names, real, strict=True)]
    monkeypatch.setattr(train, "read", lambda folder: halves)
    for module, small in ((train, {"SIMULATED": 80, "EPOCHS": 1, "TUNING": 1, "BESIDE": 40, "COPIES": 2, "RANKED": 30, "CHAINED": 4}),
                          (network, {"BATCH": 32}), (mcmc, {"STEPS": 60, "BURNED": 20})):  # fmt: skip
        for name, value in small.items():
            monkeypatch.setattr(module, name, value)
    card = train.train(tmp_path, tmp_path / "out", 0)
    assert len(card["temperatures"]) == len(train.NETWORKS)
    assert card["objects"] == dict.fromkeys(CLASSES, 6)
    assert storage.card(tmp_path / "out")["bytes"] < 2e6
    assert len(storage.seen(tmp_path / "out")) == 24
    for name, temper in zip(train.NETWORKS, card["temperatures"], strict=True):
        weights = storage.load(tmp_path / "out", name)
        assert weights.temper == pytest.approx([temper], abs=1e-4)
        assert np.isfinite(infer([real[0].rows], weights=weights).peak()).all()


def test_the_temperature_of_each_half_is_that_of_the_objects_of_the_other(real):
    peaks = {"early": [replace(one, peak=one.peak - 20.0) for one in real], "true": real}
    weights = storage.shipped()
    both, first, second = tempering.temperatures([(weights, peaks["true"]), (weights, peaks["early"])], np.random.default_rng(0))
    assert first > second  # what is far off in the second half widens the first one's
    assert second <= both <= first


def test_place_of_a_value_among_quantiles():
    place, nll = scores.placed(np.array([0.0, 1.0, 3.0]), np.tile([-1.0, 0.0, 2.0], (3, 1)), np.array([0.0, 0.0, 1.5]))
    assert place == pytest.approx(norm.cdf([0.0, 0.5, 3.0 / 2.5]))
    assert nll[0] == pytest.approx(np.log(1.5 * np.sqrt(2 * np.pi)))
    assert scores.coverage(np.array([0.5, 0.8, 0.999, 0.05])) == {"50": 0.25, "68": 0.5, "90": 0.75}


def test_chains_find_a_normal_distribution_that_the_points_do_not_narrow():
    mean, root = np.zeros(11), np.eye(11)
    nothing = (np.empty(0), np.empty(0), np.empty(0), np.empty(0))
    start = np.random.default_rng(0).normal(size=(mcmc.WALKERS, SIZE))
    chain = mcmc.chains(start, nothing, mean, root, np.random.default_rng(1))
    assert chain[..., 2:].mean(axis=(0, 1)) == pytest.approx(np.zeros(11), abs=0.2)
    assert chain[..., 2:].std(axis=(0, 1)) == pytest.approx(np.ones(11), abs=0.15)


def test_ranks_of_what_was_drawn_are_even(real):
    weights = storage.shipped()
    made = samples.cut(samples.simulated(real, 200, np.random.default_rng(0)), np.random.default_rng(1))
    found = sbc.calibration(weights, made)
    assert found["n"] == 200
    assert 0.3 < found["peak"]["coverage_68"] <= 1.0


def test_evaluation_of_a_folder(tmp_path, capsys, real):
    write(tmp_path, real)
    assert main(["evaluate", "posterior", "--data", str(tmp_path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    for key in ("coverage_50", "coverage_68", "coverage_90", "peak_coverage_68", "peak_coverage_68_rising", "peak_bias_rising_d",
                "peak_error_before_d", "peak_inside_before", "later_points_nll", "us_per_object"):  # fmt: skip
        assert np.isfinite(found[key])
        assert np.isfinite(found[f"{key}_fit"])
    assert abs(found["peak_bias_rising_d"]) < 5.0


def write(folder, real):
    """A folder of labelled light curves, as ``--data`` wants it."""
    parts, labels = [], []
    for one in real:
        r = one.rows
        mag = magnitude_from_flux(r["flux"])
        error = magnitude_error(r["flux"], r["flux_err"])
        parts.append(
            pd.DataFrame(
                {
                    "objectId": one.name, "source": "made", "survey": "ZTF", "kind": "alert-dif", "mjd": r["mjd"], "band": r["band"],
                    "mag": mag, "magerr": error, "flux": np.nan, "fluxerr": np.nan, "flux_unit": None, "det": True,
                }
            )
        )  # fmt: skip
        labels.append((one.name, "SNIa"))
    other = parts[0].assign(objectId="star")
    parts += [other.assign(kind="total"), other.assign(kind="forced-dif", flux=100.0, fluxerr=1.0, flux_unit="uJy")]
    pd.concat(parts).to_parquet(folder / "lightcurves.parquet")
    pd.DataFrame(labels, columns=["objectId", "lc_class"]).to_csv(folder / "object_labels.csv", index=False)
