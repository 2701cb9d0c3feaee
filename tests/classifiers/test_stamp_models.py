"""Networks, forests, stored weights and the whole of training: small, and then the shipped model on real alerts."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

from broker_adapters.records import Kind, SkyObject, blank
from broker_adapters.surveys import ztf
from classifiers import __main__ as cli
from classifiers.models import stamp_atlas, stamp_lsst
from classifiers.models.stamp import Model, checkpoints, network, storage
from classifiers.models.stamp.preprocess import from_table
from classifiers.models.stamp.training import data, evaluation, forests, simulated_only, trainer
from classifiers.records import ClassifierError, WeightsError
from classifiers.simulate.packets import atlas, lsst
from classifiers.simulate.stamps import simulate
from classifiers.taxonomy import STAMP

TINY = ["--networks", "1", "--simulated", "40", "--pretraining", "2", "--steps", "2", "--trees", "8", "--repeats", "1", "--folds", "2"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of labelled alerts in the layout that training reads, all of it simulated: two alerts per object, eight nights."""
    path = tmp_path_factory.mktemp("data")
    labels = list(STAMP) * 8
    drawn = simulate(labels, np.random.default_rng(2))
    n = len(labels)
    frame = pd.DataFrame(drawn.columns)
    frame["candid"] = [str(10**17 + i) for i in range(n)]
    frame["objectId"] = [f"ZTF20aaaaaa{chr(97 + i // 5 // 2)}{label}" for i, label in enumerate(labels)]
    frame["jd"] = [2459000.8 + i // 5 for i in range(n)]
    frame["stamp_class"] = labels
    frame.loc[[3, 4], "stamp_class"] = None
    np.savez(path / "ztf_stamps.npz", candid=frame["candid"].to_numpy(str), stamps=drawn.stamps)
    frame.to_parquet(path / "ztf_stamps_meta.parquet")
    return path


@pytest.fixture(scope="module")
def trained(folder):
    out = folder / "model"
    assert cli.main(["train", "stamp", "--data", str(folder), "--out", str(out), "--readable", str(folder / "card.md"), *TINY]) == 0
    return out


def test_a_forest_is_what_scikit_learn_grew():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 12)).astype(np.float32)
    x[rng.random(x.shape) < 0.1] = np.nan
    y, w = rng.integers(0, 4, 300), rng.random(300)
    y[y == 2] = 3  # a class that does not occur
    grown = forests.grow(x, y, w, 4, 20, 3)
    filled = np.nan_to_num(x, nan=forests.MISSING)
    expected = np.zeros((300, 4))
    for kind, share in ((RandomForestClassifier, 0.3), (ExtraTreesClassifier, 0.4)):
        model = kind(10, max_features=share, min_samples_leaf=2, random_state=3).fit(filled, y, sample_weight=w)
        expected[:, model.classes_] += model.predict_proba(filled) / 2
    np.testing.assert_allclose(grown.probabilities(x), expected, atol=1e-6)


def test_the_papers_network_has_its_size_and_symmetry():
    model = network.paper(metadata=26)
    # table 1 of the facts: 261 k parameters, of which 52 are moving averages of the batch normalisation
    assert model.count_params() == 1568 + 9248 + 18496 + 36928 + 36928 + 147520 + 104 + 5824 + 4160 + 325
    rng = np.random.default_rng(1)
    stamps, numbers = rng.random((3, 21, 21, 3)).astype(np.float32), rng.normal(size=(3, 26)).astype(np.float32)
    turned = np.ascontiguousarray(np.rot90(stamps, 1, (1, 2)))
    np.testing.assert_allclose(model.predict_on_batch([stamps, numbers]), model.predict_on_batch([turned, numbers]), atol=1e-5)


def test_training_evaluates_and_predicts(folder, trained, capsys):
    card = storage.read_card(trained)
    assert "| full |" in (folder / "card.md").read_text()
    assert set(card["cross_validation"]) >= {"full", "image_only", "metadata alone", "full, as if first detected"}
    assert cli.main(["evaluate", "stamp", "--data", str(folder), "--weights", str(trained), "--json"]) == 0
    printed = capsys.readouterr()
    result = json.loads(printed.out.splitlines()[-1])
    assert "WARNING" in printed.err
    assert result["n_seen_in_training"] == result["n"]
    assert {"recall", "precision", "balanced_accuracy", "balanced_accuracy_strong", "macro_f1", "ece", "seconds"} <= set(result)
    out = folder / "p.csv"
    assert cli.main(["predict", "stamp", "--data", str(folder), "--weights", str(trained), "--out", str(out), "--image-only"]) == 0
    written = pd.read_csv(out)
    assert written[list(STAMP)].sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-4)


def test_cross_validation_trains_anew(folder, monkeypatch):
    tiny = trainer.Recipe(networks=1, simulated=40, pretraining=2, steps=2, trees=8, folds=2, repeats=1)
    monkeypatch.setattr(trainer, "Recipe", lambda: tiny)
    result = evaluation.evaluate(folder, cross_validate=True, image_only=True)
    assert result["cross_validated"]
    assert result["mode"] == "image_only"
    assert result["n_cannot_say"] == 0


def test_unseen_objects_are_told_apart(folder, trained, tmp_path, capsys):
    other = tmp_path / "other"
    shutil.copytree(folder, other, ignore=shutil.ignore_patterns("model"))
    frame = pd.read_parquet(other / "ztf_stamps_meta.parquet")
    new = frame.objectId.str.contains("aaaaaaa")
    frame.loc[new, "objectId"] = "new" + frame.objectId[new]
    frame.to_parquet(other / "ztf_stamps_meta.parquet")
    assert cli.main(["evaluate", "stamp", "--data", str(other), "--weights", str(trained), "--json"]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert 0 < result["n_seen_in_training"] < result["n"]
    assert result["unseen"]["n"] == result["n"] - result["n_seen_in_training"]


def test_prediction_follows_the_order_of_the_objects_and_the_squares_symmetry(trained):
    model, _, _ = storage.load(trained)
    drawn = simulate(list(STAMP), np.random.default_rng(9))
    inputs = from_table(np.nan_to_num(drawn.stamps), drawn.columns)
    p = model.predict(inputs)
    np.testing.assert_allclose(model.predict(inputs.take(np.arange(4, -1, -1)))[::-1], p, atol=1e-6)
    turned = from_table(np.ascontiguousarray(np.rot90(inputs.stamps, 1, (2, 3))), drawn.columns)
    np.testing.assert_allclose(model.predict(turned), p, atol=0.02)  # a tree may split between two roundings


def test_silence_for_what_the_model_was_not_made_for(trained):
    model = Model(trained)
    assert np.isnan(model.predict([]).probabilities).all()
    drawn = simulate(["SN"], np.random.default_rng(9))
    inputs = from_table(np.concatenate([drawn.stamps, np.full((1, 3, 63, 63), np.nan, np.float32)]), {})
    p = storage.load(trained)[0].predict(inputs)
    assert np.isfinite(p[0]).all()  # no metadata at all: the images speak
    assert np.isnan(p[1]).all()


@pytest.mark.parametrize("harm", ["change", "truncate", "card", "missing"])
def test_changed_weights_are_an_error(trained, tmp_path, harm):
    copy = tmp_path / "copy"
    shutil.copytree(trained, copy)
    file = copy / storage.WEIGHTS
    packed = bytearray(file.read_bytes())
    if harm == "change":
        packed[len(packed) // 2] ^= 1
        file.write_bytes(packed)
    elif harm == "truncate":
        file.write_bytes(packed[:-10])
    elif harm == "card":
        (copy / storage.CARD).write_text("{")
    else:
        file.unlink()
    with pytest.raises(WeightsError):
        Model(copy)


@pytest.mark.parametrize(("writer", "name", "plugin"), [(atlas, "01a59897o0020c_00000", stamp_atlas), (lsst, "17002852", stamp_lsst)])
def test_a_survey_without_labels_learns_from_simulation_and_says_so(writer, name, plugin, tmp_path, monkeypatch):
    monkeypatch.setattr(simulated_only, "HELD_OUT", 40)
    survey = plugin.Model.survey
    folder = tmp_path / "alerts" / survey
    folder.mkdir(parents=True)
    drawn = simulate(["SN", "asteroid", "bogus"], np.random.default_rng(3), survey)
    for i, image in enumerate(drawn.stamps):
        rows = blank(1)
        rows["survey"], rows["kind"], rows["band"], rows["source_id"] = survey, Kind.ALERT, "o" if survey == "atlas" else "r", f"{name}{i}"
        rows["mjd"], rows["flux"], rows["flux_err"], rows["ra"], rows["dec"], rows["position_err"] = 60000.0, 1e5, 1e4, 10.0, 20.0, 0.1
        packet = writer.write(rows, object_id="170028526513684557", stamps=image)
        (folder / f"{i}.avro").write_bytes(packet)
    (folder / "damaged.avro").write_bytes(b"Obj\x01junk")
    out = tmp_path / "model"
    assert cli.main(["train", "stamp", "--survey", survey, "--data", str(tmp_path), "--out", str(out), *TINY]) == 0
    card = storage.read_card(out)
    assert card["real"]["n"] == 3
    model = plugin.Model(out)
    assert model.name == f"stamp_{survey}"
    assert "experimental" in model.version
    seen = [SkyObject(a.ra, a.dec, 0.1, a.detections, (a,)) for a in simulated_only.packets(folder)]
    p = model.predict([*seen, SkyObject(1.0, 2.0, 0.1, blank(0))]).probabilities
    assert p[:3].sum(axis=1) == pytest.approx(1)
    assert np.isnan(p[3]).all()
    assert np.isnan(Model().predict(seen).probabilities).all()  # ZTF's model has no word on other surveys' stamps


def test_damaged_data_is_a_clear_error(folder, tmp_path):
    with pytest.raises(ClassifierError, match="no readable stamps"):
        data.read(tmp_path)
    shutil.copy(folder / "ztf_stamps.npz", tmp_path)
    frame = pd.read_parquet(folder / "ztf_stamps_meta.parquet")
    frame.iloc[::-1].to_parquet(tmp_path / "ztf_stamps_meta.parquet")
    with pytest.raises(ClassifierError, match="do not belong together"):
        data.read(tmp_path)
    frame.assign(stamp_class="quasar").to_parquet(tmp_path / "ztf_stamps_meta.parquet")
    with pytest.raises(ClassifierError, match="quasar"):
        data.read(tmp_path)


def test_what_is_no_checkpoint_is_an_error(tmp_path):
    with pytest.raises(WeightsError):
        checkpoints.import_checkpoint(tmp_path)
    with pytest.raises(WeightsError):
        checkpoints.Model(tmp_path)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "reference", "tolerance"),
    [
        ("best_model_new_bogus_reg", "_imageonly_best_model_new_bogus_reg", 1e-6),
        ("best_model_new_bogus", "_imageonly_best_model_new_bogus", 1e-6),
        ("best_model_so_far", "", 1e-3),
    ],
)
def test_alerces_checkpoints_are_reproduced(real_data, tmp_path, name, reference, tolerance):
    assert cli.main(["import-checkpoint", str(real_data / "reference/alerce_checkpoints" / name), "--folder", str(tmp_path)]) == 0
    expected = pd.read_csv(real_data / f"reference/stamp_reference_probs{reference}.csv", dtype={"candid": str})
    expected = expected.drop_duplicates("candid").set_index("candid")
    frame = pd.read_parquet(real_data / "dev/ztf_stamps_meta.parquet")
    with np.load(real_data / "dev/ztf_stamps.npz") as file:
        rows = np.flatnonzero(np.isin(file["candid"], expected.index.to_numpy(str)))
        stamps = file["stamps"][rows]
    frame = frame.iloc[rows]
    found = checkpoints.Model(tmp_path).probabilities(from_table(stamps, {k: frame[k].tolist() for k in frame}, checkpoints.FIELDS))
    assert len(found) > 100
    np.testing.assert_allclose(found, expected.loc[frame.candid.astype(str), list(STAMP)].to_numpy(), atol=tolerance)


def test_shipped_weights_are_small_and_what_their_card_says():
    model, seen, card = storage.load()
    assert card["bytes"] <= 6_000_000
    assert len(seen) == card["data"]["objects"]
    assert set(model.calibrations) == {"full", "image_only"}


@pytest.mark.real_data
def test_the_shipped_model_knows_real_alerts(real_data, capsys):
    assert cli.main(["evaluate", "stamp", "--data", str(real_data / "dev"), "--json"]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result["balanced_accuracy_strong"] > 0.9  # it was trained on them: a smoke test, not a figure
    assert result["n_seen_in_training"] == result["n"]


@pytest.mark.real_data
def test_packets_and_the_table_of_the_same_alerts_give_the_same_answers(real_data):
    files = sorted((real_data / "dev/alerts/ztf").glob("*.avro"))[::16]
    alerts = [ztf.read(f.read_bytes()) for f in files]
    table = data.read(real_data / "dev")
    row = {candid: i for i, candid in enumerate(table.candid.tolist())}
    both = [(a, row[a.source_id]) for a in alerts if a.source_id in row]
    assert len(both) > 15
    found = Model().predict([SkyObject(a.ra, a.dec, 0.1, a.detections, (a,)) for a, _ in both])
    expected = storage.load()[0].predict(table.inputs.take([i for _, i in both]))
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-6)
    assert any(found.labels)
