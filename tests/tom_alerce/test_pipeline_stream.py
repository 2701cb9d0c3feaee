"""A stream is stored before it is committed: what fails comes again, what was stored does not count twice."""

from __future__ import annotations

import io
import threading
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from broker_adapters.errors import SourceError
from tests.kafka import QUICK
from tests.tom_alerce.alerts import counts
from tom_alerce import checks, conf
from tom_alerce.models import DeadLetter, SkyObject, SurveyObject
from tom_alerce.pipeline import stream
from tom_alerce.store import alerts as store

pytestmark = pytest.mark.django_db(transaction=True)  # a worker drops a connection of which the transaction was left open
GOLDEN = sorted((Path(__file__).parents[1] / "data").rglob("*.avro"))


@pytest.fixture
def night(cluster, settings, monkeypatch):
    """A stream 'night' with every golden packet and one that is none; pauses are short."""
    producer, servers = cluster
    topic = f"packets_{uuid4().hex}"
    for data in [*(path.read_bytes() for path in GOLDEN), b"no packet"]:
        producer.produce(topic, data, partition=0)
    assert producer.flush(10) == 0
    settings.TOM_ALERCE = {"STREAMS": {"night": {"servers": servers, "group": uuid4().hex, "topics": [topic], "config": QUICK}}}
    monkeypatch.setattr(stream, "WAIT", 0.3)
    monkeypatch.setattr(stream, "PAUSE", 0.05)
    return topic


def test_all_is_stored_once_and_what_is_no_packet_leads_back(night):
    report = stream.follow("night", idle=8)
    assert (report.read.total(), report.refused, report.problem) == (len(GOLDEN), 1, None)
    (letter,) = DeadLetter.objects.all()
    assert (letter.source, letter.position) == (night, f"0:{len(GOLDEN)}")
    before = counts()
    again = stream.follow("night", idle=4)  # the same group: it was committed
    assert again.read.total() == again.refused == 0
    conf.get("STREAMS")["night"]["group"] = uuid4().hex  # another group reads it all, and nothing is new
    assert stream.follow("night", idle=8).read.total() == len(GOLDEN)
    assert counts() == before


def test_what_the_database_did_not_take_comes_again(night, monkeypatch):
    save, failures = store.save, [OperationalError("the database is away"), OperationalError("still")]

    def failing(alerts):
        if failures:
            raise failures.pop()
        return save(alerts)

    monkeypatch.setattr(store, "save", failing)
    stored = []
    report = stream.follow("night", idle=8, stored=lambda ids: stored.append((SurveyObject.objects.count(), ids)))
    assert not failures
    assert report.problem is None
    assert stored
    assert stored[-1][0] == SurveyObject.objects.count() > 0
    assert frozenset().union(*(ids for _, ids in stored)) == set(SkyObject.objects.values_list("pk", flat=True))
    assert not report.saved.sky_object_ids, "the ids of a night are not kept"


def test_the_command_tells(night):
    out = io.StringIO()
    call_command("alerce_stream", "night", "--idle", "8", stdout=out, stderr=io.StringIO())
    assert f"refused 1; new: {counts()['SkyObject']} sky objects" in out.getvalue()


def test_a_stream_that_is_away_is_a_problem(settings, monkeypatch):
    settings.TOM_ALERCE = {"STREAMS": {"night": {"servers": "127.0.0.1:9", "group": "g", "topics": ["t"], "config": {"log_level": 0}}}}
    monkeypatch.setattr(stream, "PAUSE", 0.05)
    with pytest.raises(CommandError, match=r"night: Kafka at 127\.0\.0\.1:9"):
        call_command("alerce_stream", "night", "--idle", "3", stdout=io.StringIO(), stderr=io.StringIO())


def test_what_cannot_be_followed_is_told(settings):
    settings.TOM_ALERCE = {"STREAMS": {"night": {"servers": "127.0.0.1:9", "group": "g", "topics": ["t"], "config": {"no.such": "secret"}}}}
    with pytest.raises(LookupError, match=r"no stream 'day' .* which has: night"):
        stream.follow("day")
    with pytest.raises(SourceError, match=r"no\.such") as refused:
        stream.follow("night")
    assert "secret" not in str(refused.value)


def test_the_settings_of_a_stream_are_checked(settings):
    settings.TOM_ALERCE = {"STREAMS": {"night": {"servers": "a:1", "group": "", "topic": ["t"], "topics": "t"}}}
    found = {(m.id, m.msg, m.hint) for m in checks.check_streams()}
    assert {
        ("tom_alerce.E005", "TOM_ALERCE['STREAMS']['night'] has an unknown key 'topic'.", "Did you mean 'topics'?"),
        ("tom_alerce.E006", "TOM_ALERCE['STREAMS']['night']['topics'] is a text, where a list is wanted.", None),
        ("tom_alerce.E004", "TOM_ALERCE['STREAMS']['night'] cannot be used.", "It needs a value for 'group'."),
    } == found
    settings.TOM_ALERCE = {"STREAMS": ["night"]}
    assert checks.check_streams() == []  # that is another check's word


def test_a_mistake_after_a_batch_ends_nothing(night, caplog):
    def failing(ids):
        raise KeyError("x")

    report = stream.follow("night", idle=8, stored=failing)
    assert (report.read.total(), report.problem) == (len(GOLDEN), None)
    assert "after a batch: a mistake of ours" in caplog.text


def test_a_packet_that_cannot_be_stored_is_a_dead_letter_and_the_stream_goes_on(night, monkeypatch):
    save = store.save

    def refusing(alerts):
        if any(a.survey == "atlas" for a in alerts):
            raise TypeError("a mistake")
        return save(alerts)

    monkeypatch.setattr(store, "save", refusing)
    report = stream.follow("night", idle=8)
    n = sum("atlas" in path.parts for path in GOLDEN)
    assert (report.read.total(), report.refused) == (len(GOLDEN) - n, 1 + n)
    assert {letter.source for letter in DeadLetter.objects.all()} == {night}
    assert all(letter.position.startswith("0:") for letter in DeadLetter.objects.all())
    conf.get("STREAMS")["night"]["group"] = uuid4().hex
    assert stream.follow("night", idle=8).refused == 1 + n
    assert DeadLetter.objects.count() == 1 + n


def test_a_batch_is_bounded_by_bytes(night, monkeypatch):
    monkeypatch.setattr(stream.ingest, "BATCH_BYTES", 1)
    batches = []
    report = stream.follow("night", idle=8, stored=batches.append)
    assert report.read.total() == len(GOLDEN)
    assert len(batches) >= (len(GOLDEN) + 1) / 16


def test_a_request_to_stop_finishes_the_batch_and_commits_it(night):
    stop, calls = stream.Stop(), []

    def stored(ids):
        calls.append(ids)
        stop()  # as the handler of a signal, which interrupts what follows a batch
        raise AssertionError("unreachable")

    report = stream.follow("night", stored=stored, stop=stop)
    assert len(calls) == 1
    assert report.problem is None
    assert SurveyObject.objects.count() > 0
    again = stream.follow("night", idle=4)
    assert again.read.total() + report.read.total() == len(GOLDEN), "what was stored was committed"


def test_a_request_to_stop_while_a_batch_is_stored_ends_after_it(night):
    stop, calls = stream.Stop(), []
    report = stream.follow("night", stored=calls.append, progress=lambda n: stop(), stop=stop)
    assert (report.problem, calls) == (None, [])
    assert SurveyObject.objects.count() > 0


def test_a_request_to_stop_ends_the_wait_for_a_database(night, monkeypatch):
    stop = stream.Stop()

    def away(alerts):
        stop()
        raise OperationalError("away")

    monkeypatch.setattr(store, "save", away)
    monkeypatch.setattr(stream, "PAUSE", 1000.0)
    report = stream.follow("night", stop=stop)
    assert "away" in str(report.problem)


def test_a_database_that_does_not_answer_is_told(night, monkeypatch, caplog):
    save = store.save

    def slow(alerts):
        assert released.wait(10)
        return save(alerts)

    released = threading.Event()
    warn = stream.ingest.logger.warning
    monkeypatch.setattr(stream.ingest.logger, "warning", lambda *args: (warn(*args), released.set()))
    monkeypatch.setattr(stream.ingest, "SILENT", 0.05)
    monkeypatch.setattr(store, "save", slow)
    stream.follow("night", idle=8)
    assert "the database has not stored a batch of" in caplog.text


def test_a_message_that_is_too_large_is_told_with_how_to_pass_it(cluster, settings, monkeypatch):
    producer, servers = cluster
    topic = f"large_{uuid4().hex}"
    for data in (b"no packet", b"x" * 50_000):
        producer.produce(topic, data, partition=0)
        producer.flush(10)
    config = {
        **QUICK,
        "receive.message.max.bytes": 20_000,
        "fetch.max.bytes": 10_000,
        "fetch.message.max.bytes": 5000,
        "message.max.bytes": 1000,
    }
    settings.TOM_ALERCE = {"STREAMS": {"night": {"servers": servers, "group": uuid4().hex, "topics": [topic], "config": config}}}
    monkeypatch.setattr(stream, "PAUSE", 0.05)
    report = stream.follow("night", idle=6)
    assert report.refused == 1
    assert "larger than this consumer may receive" in str(report.problem)
    assert "Set receive.message.max.bytes in the config of the stream" in str(report.problem)
    assert f"next: {topic} 0:1" in str(report.problem)
