"""Notices from a stream: stored and matched before they are committed, once each; what is none leads back."""

from __future__ import annotations

import io
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from broker_adapters.errors import SourceError
from broker_adapters.sources.archives import Packet
from broker_adapters.sources.kafka import Consumer
from classifiers.simulate import skymaps
from tests.contracts.notices import MESSAGES, unified
from tests.kafka import QUICK
from tests.tom_alerce.test_events import MAP, thing
from tom_alerce.clock import now
from tom_alerce.models import DeadLetter, EventCandidate, EventVersion, SkyEvent
from tom_alerce.pipeline import notices, retry, stream
from tom_alerce.store import events

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def topic(cluster, settings, monkeypatch):
    """A stream 'gcn' with three versions of an event, one of them a copy, what is no notice, and what has no place."""
    producer, servers = cluster
    name, at = f"notices_{uuid4().hex}", now() - 2.0
    alert = skymaps.alert("S261127ab", at, MAP)
    update = skymaps.alert("S261127ab", at, MAP, "UPDATE", at + 0.2)
    placeless = unified("fermi/gbm/alert", id=["1"], ra=None)
    for data in (alert, b"Broker: Unknown topic or partition", alert, placeless, b"noise", update, MESSAGES["km3net"][0]):
        producer.produce(name, data, partition=0)
    assert producer.flush(10) == 0
    settings.TOM_ALERCE = {"STREAMS": {"gcn": {"servers": servers, "group": uuid4().hex, "topics": [name], "config": QUICK}}}
    monkeypatch.setattr(stream, "WAIT", 0.3)
    monkeypatch.setattr(stream, "PAUSE", 0.05)
    return name


def test_a_stream_is_stored_once_matched_and_committed(topic, monkeypatch):
    one = thing(days_ago=2.0)
    save, failures = events.save, [OperationalError("the database is away")]

    def failing(notice):
        if failures:
            raise failures.pop()
        return save(notice)

    monkeypatch.setattr(events, "save", failing)
    out = io.StringIO()
    call_command("alerce_notices", "gcn", "--idle", "8", stdout=out, stderr=io.StringIO())
    assert (
        "new notices: 2 of gravitational waves, 1 of neutrino; repeated 1; refused 2; 1 candidates; 1 messages about topics"
        in out.getvalue()
    )
    assert not failures
    assert {event.name: event.versions.count() for event in SkyEvent.objects.all()} == {"S261127ab": 2, "KM3NeT KM3-260301A": 1}
    assert EventCandidate.objects.get().sky_object == one
    assert sorted("position" in letter.reason for letter in DeadLetter.objects.all()) == [False, True]
    again = notices.follow("gcn", idle=4)  # it was committed
    assert not again.read
    assert again.repeated == again.refused == 0


def test_a_stream_that_is_away_is_a_problem(settings, monkeypatch):
    settings.TOM_ALERCE = {"STREAMS": {"gcn": {"servers": "127.0.0.1:9", "group": "g", "topics": ["t"], "config": {"log_level": 0}}}}
    monkeypatch.setattr(stream, "PAUSE", 0.05)
    with pytest.raises(CommandError, match=r"127\.0\.0\.1:9"):
        call_command("alerce_notices", "gcn", "--idle", "2", stdout=io.StringIO(), stderr=io.StringIO())


def test_a_mistake_of_ours_ends_one_notice_which_can_be_tried_again(monkeypatch):
    monkeypatch.setattr(events, "save", lambda one: 1 / 0)
    alert = skymaps.alert("S261127ab", now() - 2.0, MAP)
    assert notices.take([Packet("t", "0:1", alert)]).refused == 1
    assert "mistake of ours" in DeadLetter.objects.get().reason
    monkeypatch.undo()
    assert str(retry.retry(retry.wanted())).startswith("1 stored")
    assert EventVersion.objects.count() == 1


def test_notices_in_files_and_matches_again(tmp_path):
    path = tmp_path / "alert.json"
    path.write_bytes(skymaps.alert("S261127ab", now() - 2.0, MAP))
    out = io.StringIO()
    call_command("alerce_notices", "--file", str(path), stdout=out)
    assert "1 of gravitational waves" in out.getvalue()
    thing(days_ago=2.0)
    call_command("alerce_notices", "--match", stdout=out)
    assert "1 candidates" in out.getvalue()
    with pytest.raises(CommandError, match="needed"):
        call_command("alerce_notices")
    with pytest.raises(CommandError, match="no stream"):
        call_command("alerce_notices", "nowhere")


@pytest.mark.parametrize("stream_of", ["gcn", "hopskotch"])
def test_the_settings_that_the_documentation_shows_make_a_consumer(stream_of):
    import os
    import re
    from pathlib import Path

    page = (Path(__file__).parents[2] / "docs" / "events.md").read_text()
    shown: dict[str, object] = {"os": os}
    [block] = [block for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "STREAMS" in block]
    exec(block, shown)  # our own page
    given = shown["TOM_ALERCE"]["STREAMS"][stream_of]
    config = {key: "http://127.0.0.1:9/" if key.endswith("endpoint.url") else value or "x" for key, value in given["config"].items()}
    config["log_level"] = 0
    with Consumer("127.0.0.1:9", given["group"], given["topics"], config):
        pass
    with pytest.raises(SourceError):
        Consumer("127.0.0.1:9", given["group"], given["topics"], {**config, "no.such.property": "1"})
