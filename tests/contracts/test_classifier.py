"""Contract of a classifier: of every one found, of a third party's (this module) and of the example in the documentation."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pytest

from broker_adapters import plugins
from broker_adapters.records import Kind, SkyObject, blank
from broker_adapters.surveys import atlas, lsst, ztf
from classifiers import taxonomy
from classifiers.records import Classification
from classifiers.simulate import stamps
from classifiers.simulate.packets import atlas as atlas_packets
from classifiers.simulate.packets import lsst as lsst_packets
from classifiers.simulate.packets import ztf as ztf_packets
from tests.contracts.documented import documented

PACKAGE = "classifiers.models"
NAMES = (*plugins.names(PACKAGE), __name__, documented("classifier"))

WRITERS = {"ztf": (ztf_packets, ztf, "r"), "atlas": (atlas_packets, atlas, "o"), "lsst": (lsst_packets, lsst, "r")}
OBJECT_IDS = {"ztf": "ZTF23aaaaaaa", "atlas": "1003020010101000000", "lsst": "170028526513684557"}


class Model:
    """A third party's classifier: SN the more, the more the last detection is brighter than the first; silent about fewer than two."""

    name, version, classes = "third-party", "1", ("SN", "VS")

    def predict(self, objects):
        result, details = np.full((len(objects), 2), np.nan), []
        for row, one in zip(result, objects, strict=True):
            flux = one.detections["flux"]
            details.append({"detections": len(flux)})
            if len(flux) > 1:
                rise = 1 / (1 + np.exp(-(flux[-1] - flux[0]) / 1e4))
                row[:] = rise, 1 - rise
        return Classification(self.name, self.version, self.classes, result, details)


def packet(survey: str, image, metadata, number: int, n: int) -> bytes:
    """A packet of n detections of a source that rises and fades, in turn in two bands where the survey's alerts have a history."""
    writer, _, band = WRITERS[survey]
    rows = blank(n)
    rows["survey"], rows["kind"], rows["band"] = survey, Kind.ALERT, band
    if survey != "atlas":
        rows["band"][::2] = "g"
    ids = [f"01a59897o{number:04}c_{i:05}" for i in range(n)] if survey == "atlas" else [str(10**17 + 100 * number + i) for i in range(n)]
    rows["source_id"], rows["mjd"] = ids, 60000.0 + 2 * np.arange(n)
    rows["flux"], rows["flux_err"] = 1e4 + 5e4 * np.exp(-((np.arange(n) - 0.6 * n) ** 2) / n), 1e3
    rows["ra"], rows["dec"], rows["position_err"] = 150.0, 2.0, 0.1
    return writer.write(rows, object_id=OBJECT_IDS[survey], stamps=image, metadata=metadata)


@cache
def objects() -> tuple[SkyObject, ...]:
    """Objects of each survey with stamps and with light curves of several lengths, one with alerts of two surveys, and one with nothing."""
    rng, found = np.random.default_rng(8), []
    for survey, (_, reader, _) in WRITERS.items():
        drawn = stamps.simulate(["SN", "asteroid", "VS"], rng, survey)
        for i, n in enumerate((20, 1, 12)):
            fields = drawn.metadata[i] if survey == "ztf" else {}
            found.append(reader.read(packet(survey, np.nan_to_num(drawn.stamps[i]), fields, len(found), n)))
    alone = [SkyObject(a.ra, a.dec, 0.1, a.detections, (a,), (a.key,)) for a in found]
    both = np.concatenate([found[0].detections, found[6].detections])
    both.setflags(write=False)
    nothing = blank(0)
    nothing.setflags(write=False)
    return *alone, SkyObject(150.0, 2.0, 0.1, both, (found[0], found[6])), SkyObject(10.0, -80.0, 0.1, nothing)


@cache
def model(name: str):
    """The plug-in's model with its shipped weights."""
    return plugins.load(PACKAGE, name).Model()


@cache
def answer(name: str) -> Classification:
    return model(name).predict(objects())


def test_what_is_listed_are_the_classifiers():
    assert plugins.names(PACKAGE) == ("lightcurve", "stamp", "stamp_atlas", "stamp_lsst")


@pytest.mark.parametrize("name", NAMES)
def test_a_classifier_has_name_version_and_classes_of_the_taxonomy(name):
    found = model(name)
    assert found.name
    assert found.name == name or "." in name
    assert isinstance(found.version, str)
    assert found.version
    assert set(found.classes) <= set(taxonomy.STAMP) | set(taxonomy.LIGHTCURVE_CLASSES)
    assert len(set(found.classes)) == len(found.classes) > 1
    said = answer(name)
    assert (said.classifier, said.version, tuple(said.classes)) == (found.name, found.version, tuple(found.classes))


@pytest.mark.parametrize("name", NAMES)
def test_a_row_is_probabilities_or_all_nan(name):
    p = answer(name).probabilities
    assert p.shape == (len(objects()), len(model(name).classes))
    missing = np.isnan(p)
    assert (missing.all(axis=1) == missing.any(axis=1)).all()
    known = p[~missing.any(axis=1)]
    assert ((known >= 0) & (known <= 1)).all()
    assert known.sum(axis=1) == pytest.approx(1, abs=1e-6)
    assert 0 < len(known) < len(p), "the objects hold some that it knows and one that nobody can classify"
    assert answer(name).labels[-1] is None


@pytest.mark.parametrize("name", NAMES)
def test_rows_follow_the_objects(name):
    order = np.random.default_rng(3).permutation(len(objects()))
    found = model(name).predict([objects()[i] for i in order])
    np.testing.assert_allclose(found.probabilities, answer(name).probabilities[order], atol=1e-5)
    if answer(name).details:
        assert [sorted(d) for d in found.details] == [sorted(answer(name).details[i]) for i in order]


@pytest.mark.parametrize("name", NAMES)
def test_one_object_is_a_batch_of_one(name):
    for i in (0, 4, len(objects()) - 1):
        alone = model(name).predict([objects()[i]])
        np.testing.assert_allclose(alone.probabilities, answer(name).probabilities[[i]], atol=0.01)  # networks in half precision


@pytest.mark.parametrize("name", NAMES)
def test_no_objects_give_no_rows(name):
    found = model(name).predict([])
    assert found.probabilities.shape == (0, len(model(name).classes))
    assert found.labels == ()
    assert len(found.details) == 0


@pytest.mark.parametrize("name", NAMES)
def test_details_are_plain_json_one_for_each_object_or_none(name):
    details = answer(name).details
    assert len(details) in (0, len(objects()))
    for one in details:
        assert json.loads(json.dumps(dict(one), allow_nan=False)) == dict(one)
        assert 0 <= one.get("oddness", 0) <= 1


@pytest.mark.parametrize("name", NAMES)
def test_the_objects_are_left_as_they_were(name):
    assert not any(o.detections.flags.writeable for o in objects()), "a write into them is an error"
    before = [(o.detections.tobytes(), o.alerts) for o in objects()]
    model(name).predict(objects())
    assert [(o.detections.tobytes(), o.alerts) for o in objects()] == before
