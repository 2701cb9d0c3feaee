"""A mistake of ours ends no worker: the batch comes again, and in the end the packets that bring it about are dead letters, alone."""

from __future__ import annotations

import time

import pytest
from django.db import DataError, OperationalError

from broker_adapters.sources.archives import Packet
from classifiers.records import ClassifierError
from tests.tom_alerce.alerts import alert
from tom_alerce.models import DeadLetter, PassedAlert, SurveyObject
from tom_alerce.pipeline import apart, ingest, items, keep, prepare, stream
from tom_alerce.store import alerts as store
from tom_alerce.store import passed

pytestmark = pytest.mark.django_db(transaction=True)
RULES = [{"reliability": 0.5}]


class Memory:
    """A stream in memory, which delivers again what was not committed."""

    def __init__(self, *data):
        self.packets = [Packet("topic", f"0:{i}", one.encode()) for i, one in enumerate(data)]
        self.committed = self.next = self.held = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def poll(self, n, seconds, most, ahead):
        self.next = self.next if ahead else self.committed
        batch = self.packets[self.next : self.next + n]
        self.next += len(batch)
        return batch

    def commit(self, packets):
        self.committed += len(packets)

    def places(self):
        return []

    def hold(self, seconds):
        self.held += 1
        time.sleep(seconds)


@pytest.fixture
def follow(monkeypatch, settings):
    """Follow a stream of packets that are numbers, each an object at this declination; 'faint' ones are not kept."""

    def read(packet, *, history=True):
        name = packet.data.decode()
        rows = alert(object_id=name).detections.copy()
        rows["reliability"] = 0.1 if "faint" in name else 0.9
        rows["source_id"] = [f"{name} {i}" for i in range(len(rows))]
        return items.Item(packet, alert(object_id=name, rows=rows, source_id=rows["source_id"][-1], dec=float(packet.position[2:])))

    settings.TOM_ALERCE = {"KEEP": RULES, "BATCH": 64, "STREAMS": {}}
    monkeypatch.setattr(items, "read", read)
    monkeypatch.setattr(stream, "PAUSE", 0.01)
    monkeypatch.setattr(stream, "LONGEST", 0.02)

    def run(*data):
        memory, stop = Memory(*data), stream.Stop()
        monkeypatch.setattr(stream, "consumer", lambda name: memory)
        done = lambda n: stop() if memory.committed == len(memory.packets) else None  # noqa: E731
        return memory, stream.follow("night", progress=done, stop=stop)

    return run


def failing(monkeypatch, where, name, guilty, error):
    """Make a function fail on what is guilty, and count how often it is called."""
    whole, calls = getattr(where, name), []

    def wrapped(*args):
        calls.append(args)
        if guilty(*args):
            raise error
        return whole(*args)

    monkeypatch.setattr(where, name, wrapped)
    return calls


def names(alerts):
    return {a.object_id for a in alerts}


def test_a_mistake_in_judging_sets_one_packet_apart(follow, monkeypatch):
    judged = failing(monkeypatch, keep, "judge", lambda rules, alerts, by: "bad" in names(alerts), KeyError("a mistake"))
    memory, report = follow("one", "bad", "faint", "two")
    assert memory.committed == 4
    assert (report.read.total(), report.refused, report.passed.total(), report.problem) == (2, 1, 1, None)
    assert set(SurveyObject.objects.values_list("object_id", flat=True)) == {"one", "two"}
    assert PassedAlert.objects.get().object_id == "faint"
    letter = DeadLetter.objects.get()
    assert (letter.source, letter.position, len(letter.traceback)) == ("topic", "0:1", 8)
    assert "a mistake of ours" in letter.reason
    assert len(judged) > stream.MISTAKES, "it was tried whole before"
    assert memory.held


def test_a_light_row_that_the_database_refuses_is_alone_in_it(follow, monkeypatch):
    bad = lambda rows: "bad faint" in names(row.alert for row in rows)  # noqa: E731
    failing(monkeypatch, passed, "save", bad, DataError("value too long"))
    memory, report = follow("one", "bad faint", "faint")
    assert (memory.committed, report.read.total(), report.refused, report.passed.total()) == (3, 1, 1, 1)
    assert DeadLetter.objects.get().position == "0:1"


def test_a_mistake_that_passes_costs_nothing(follow, monkeypatch):
    left = [1, 1]
    failing(monkeypatch, keep, "judge", lambda *_: left and left.pop(), RuntimeError("only now"))
    memory, report = follow("one", "two")
    assert (memory.committed, report.read.total(), report.refused) == (2, 2, 0)


def test_a_mistake_about_everything_sets_nothing_apart(follow, monkeypatch):
    left = list(range(200))
    failing(monkeypatch, keep, "judge", lambda *_: left and left.pop(), KeyError("about everything"))
    memory, report = follow(*map(str, range(apart.MANY)))
    assert (memory.committed, report.read.total(), report.refused) == (apart.MANY, apart.MANY, 0)
    assert not DeadLetter.objects.exists()


def test_what_is_away_is_no_mistake(follow, monkeypatch):
    left = list(range(2 * stream.MISTAKES))  # the last is no failure
    failing(monkeypatch, store, "save", lambda *_: left and left.pop(), OperationalError("away"))
    memory, report = follow("one", "two")
    assert (memory.committed, report.read.total(), report.refused, left) == (2, 2, 0, [])
    failing(monkeypatch, store, "save", lambda *_: True, OperationalError("away"))
    with pytest.raises(OperationalError):
        apart.take([Packet("topic", "0:7", b"x")], ingest.Report(), lambda ids: None)


def test_a_classifier_that_is_not_there_is_told_as_one(settings):
    settings.TOM_ALERCE = {"KEEP": [{"label": "SN", "classifier": "none"}]}
    with pytest.raises(ClassifierError, match="none"):
        prepare.prepare([Packet("topic", "0:0", b"x")])
