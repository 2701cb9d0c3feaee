"""What a stream does with the objects of a batch, in its transaction and after it."""

from __future__ import annotations

import pytest

from tests.tom_alerce import plugins
from tests.tom_alerce.alerts import alert
from tom_alerce.models import Classification, SkyObject
from tom_alerce.pipeline import classify, ingest, items, keep, prepare, stream
from tom_alerce.store import alerts


class TestAfter:
    """A stream classifies and promotes what its batch is about, and everything now and then."""

    @pytest.fixture
    def asked(self, monkeypatch):
        asked = []
        monkeypatch.setattr(classify, "classify", lambda ids=None: asked.append(ids) or classify.Classified())
        monkeypatch.setattr(classify.promotion, "promote", lambda ids, refused: [])
        return asked

    def test_everything_first_then_the_batch_alone(self, asked):
        run = classify.OfBatches()
        for ids in ({1, 2}, {3}, {4}):
            run.after(ids)
        assert asked == [None, {3}, {4}]

    def test_everything_again_after_a_while(self, asked):
        run = classify.OfBatches(every=0.0)
        run.after({1})
        run.after({2})
        assert asked == [None, None]

    def test_only_the_objects_of_the_batch_are_looked_at(self, db, settings):
        settings.TOM_ALERCE = {"PROMOTION": [{"n_detections": 2}], "CLASSIFIERS": []}
        alerts.save([alert(object_id=f"ZTF{i}", ra=10.0 * i) for i in range(3)])
        keys = list(SkyObject.objects.order_by("pk").values_list("pk", flat=True))
        assert classify.classify(keys[:1]).promoted == ["ZTF0"]
        assert SkyObject.objects.filter(target=None).count() == 2


@pytest.fixture
def batch(db, settings):
    """A batch of two alerts that is ready to be stored, and the third party's classifier."""
    settings.TOM_ALERCE = {"PROMOTION": [{"label": "SN"}], "CLASSIFIERS": [plugins.NAME]}
    given = [items.given(alert(object_id=f"ZTF{i}", ra=10.0 * i), "topic") for i in range(2)]
    return prepare.Prepared(given, (), (), keep.judge((), (), {}))


class TestInside:
    def test_objects_are_classified_in_the_transaction_and_promoted_after(self, batch):
        run, stored = classify.OfBatches(), []

        def inside(ids):
            run.inside(ids)
            stored.append((sorted(ids), Classification.objects.count()))

        ingest.take(batch, ingest.Report(), lambda ids: stored.append((sorted(ids), SkyObject.objects.count())), inside)
        keys = sorted(SkyObject.objects.values_list("pk", flat=True))
        assert stored == [(keys, 2), (keys, 2)]
        assert not SkyObject.objects.exclude(target=None).exists()
        done = run.after(keys)
        assert (done.classified[plugins.NAME], done.promoted) == (2, ["ZTF0", "ZTF1"])
        assert not run.after(keys).classified

    def test_a_mistake_there_is_no_fault_of_the_alerts(self, batch, monkeypatch, caplog):
        def predict(self, objects):
            raise KeyError("a mistake")

        run, report = classify.OfBatches(), ingest.Report()
        with monkeypatch.context() as patched:
            patched.setattr(plugins.Model, "predict", predict)
            ingest.take(batch, report, lambda ids: None, run.inside)
        assert "classification of a batch: a mistake of ours" in caplog.text
        assert (report.read.total(), report.refused, Classification.objects.count()) == (2, 0, 0)
        assert run.after().classified[plugins.NAME] == 2

    def test_the_request_to_stop_cuts_it_short_and_the_batch_is_stored_without(self, batch):
        stop = stream.Stop()

        def inside(ids):
            classify.OfBatches().inside(ids)
            stop()  # as the handler of a signal
            raise AssertionError("unreachable")

        ingest.take(batch, ingest.Report(), lambda ids: None, lambda ids: stream._inside(inside, stop, ids))
        assert (SkyObject.objects.count(), Classification.objects.count()) == (2, 0)
