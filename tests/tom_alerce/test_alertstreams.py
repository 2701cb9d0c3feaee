"""Our streams as those of tom_alertstreams, and its messages in our tables."""

from __future__ import annotations

from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.core.exceptions import ImproperlyConfigured

from tests.classifiers.test_simulate_stream import GOLDEN
from tests.kafka import QUICK
from tests.tom_alerce import plugins
from tom_alerce.models import Classification, DeadLetter, SkyObject
from tom_alerce.pipeline import stream

alertstream = pytest.importorskip("tom_alertstreams.alertstreams.alertstream")
alertstreams = pytest.importorskip("tom_alerce.alertstreams")
NAME = "tom_alerce.alertstreams.AlerceStream"
handled = []


def handle(keys):
    handled.append((sorted(keys), Classification.objects.count()))


@pytest.mark.django_db(transaction=True)
def test_a_stream_of_ours_is_followed_classified_and_handled(settings, cluster, monkeypatch):
    producer, servers = cluster
    topic = f"app_{uuid4().hex}"
    producer.produce(topic, GOLDEN["ztf"].read_bytes(), partition=0)
    assert producer.flush(10) == 0
    given = {"servers": servers, "group": uuid4().hex, "topics": [topic], "config": QUICK}
    settings.TOM_ALERCE = {"STREAMS": {"night": given}, "CLASSIFIERS": [plugins.NAME]}
    options = {"STREAM": "night", "CLASSIFY": True, "TOPIC_HANDLERS": {"*": f"{__name__}.handle"}}
    settings.ALERT_STREAMS = [{"NAME": NAME, "OPTIONS": options}]
    (ours,) = alertstream.get_default_alert_streams()
    stop = stream.Stop()
    monkeypatch.setattr(f"{__name__}.handle", lambda keys: (handled.append((sorted(keys), Classification.objects.count())), stop())[0])
    ours.alert_handler = ours._process_topic_handlers()
    report = ours.listen(stop)
    key = SkyObject.objects.get().pk
    assert (report.read.total(), handled) == (1, [([key], 1)])


def test_a_stream_needs_a_name(settings):
    settings.ALERT_STREAMS = [{"NAME": NAME, "OPTIONS": {}}]
    with pytest.raises(ImproperlyConfigured, match="STREAM"):
        alertstream.get_default_alert_streams()


def message(data):
    """A message of confluent-kafka."""
    return SimpleNamespace(topic=lambda: "t", partition=lambda: 1, offset=lambda: 7, value=lambda: data)


@pytest.mark.django_db(transaction=True)  # the handlers look whether the connection is old, as nobody does within a transaction
def test_packets_that_come_by_streams_of_the_app_are_stored():
    where = SimpleNamespace(topic="t", partition=1, offset=8)
    assert alertstreams.store_packet(message(GOLDEN["ztf"].read_bytes())).read.total() == 1
    assert alertstreams.store_packet(SimpleNamespace(content=GOLDEN["ztf"].read_bytes()), where).read.total() == 1
    assert SkyObject.objects.count() == 1
    assert alertstreams.store_packet(SimpleNamespace(content={"a": 1}), where).refused == 1
    assert alertstreams.store_notice(message(b"no notice")).refused == 1
    assert sorted(DeadLetter.objects.values_list("source", "position")) == [("t", "1:7"), ("t", "1:8")]
