"""What a stream does after each batch."""

from __future__ import annotations

import pytest

from tests.tom_alerce.alerts import alert
from tom_alerce.models import SkyObject
from tom_alerce.pipeline import classify
from tom_alerce.store import alerts


class TestAfterBatch:
    """A stream classifies and promotes what its batch is about, and everything now and then."""

    @pytest.fixture
    def asked(self, monkeypatch):
        asked = []
        monkeypatch.setattr(classify, "classify", lambda ids=None: asked.append(ids) or classify.Classified())
        return asked

    def test_everything_first_then_the_batch_alone(self, asked):
        run = classify.AfterBatch()
        for ids in ({1, 2}, {3}, {4}):
            run(ids)
        assert asked == [None, {3}, {4}]

    def test_everything_again_after_a_while(self, asked):
        run = classify.AfterBatch(every=0.0)
        run({1})
        run({2})
        assert asked == [None, None]

    def test_only_the_objects_of_the_batch_are_looked_at(self, db, settings):
        settings.TOM_ALERCE = {"PROMOTION": [{"n_detections": 2}], "CLASSIFIERS": []}
        alerts.save([alert(object_id=f"ZTF{i}", ra=10.0 * i) for i in range(3)])
        keys = list(SkyObject.objects.order_by("pk").values_list("pk", flat=True))
        assert classify.classify(keys[:1]).promoted == ["ZTF0"]
        assert SkyObject.objects.filter(target=None).count() == 2
