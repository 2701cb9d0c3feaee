"""What is wrong is found and said: in sentences, on the page, as JSON, as metrics that Prometheus reads, and by a probe."""

from __future__ import annotations

import io
from datetime import date, timedelta

import pytest
import requests
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.urls import reverse
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from tests.tom_alerce import factories
from tom_alerce.checks import check_settings
from tom_alerce.models import DiskUse, Event, Incident, PollTask, Run, StreamPartition, StreamWorker
from tom_alerce.pipeline import beats as signs
from tom_alerce.store import beats, disk, drift, health, incidents, poll_tasks, retention, symptoms

pytestmark = pytest.mark.django_db
TOKEN = "t0ken-of-prometheus"


@pytest.fixture(autouse=True)
def _stream(settings):
    stream = {"servers": "127.0.0.1:9", "group": "g", "topics": ["alerts"]}
    settings.TOM_ALERCE = {"STREAMS": {"night": stream}, "METRICS": {"token": TOKEN}}


def ago(seconds):
    return timezone.now() - timedelta(seconds=seconds)


def worker(name="night a:1", beat=5.0, started=3600.0, host="a", **fields):
    return StreamWorker.objects.create(name=name, stream="night", host=host, beat=ago(beat), started=ago(started), **fields)


def partition(number=0, offset=10, end=10, waits=None, worker="night a:1"):
    since = None if waits is None else ago(waits)
    fields = {"offset": offset, "end": end, "waits": since, "seen": ago(5), "worker": worker}
    return StreamPartition.objects.create(stream="night", topic="alerts", partition=number, **fields)


def wrong():
    return {one.key: one.text for one in symptoms.of(health.read())}


def test_a_stream_that_is_followed_is_well():
    worker(batched=ago(7200), packets=100, kept=5, passed=95)
    worker("night a:0", beat=4000, started=9000)  # dead, and replaced by the one above
    worker("night b:7", beat=500, started=9000, host="b", ended=ago(500))
    partition(end=30, waits=60)
    assert wrong() == {}
    [stream] = health.read().streams
    assert (stream.lag, len(stream.alive), stream.kept_share) == (20, 1, 0.05)


@pytest.mark.parametrize(
    ("made", "key", "says"),
    [
        (lambda: worker(beat=400), "night unfollowed", "night: no worker follows it: night a:1 gave its last sign of life at"),
        (lambda: worker(ended=ago(5)), "night unfollowed", "night: no worker follows it: night a:1 left at"),
        (lambda: [worker(), worker("night b:2", beat=400, host="b")], "night b:2 dead", "night b:2 is dead"),
        (lambda: [worker(), partition(end=30, waits=1000)], "night stuck", "such as alerts 0: 20 packets wait"),
        (lambda: [worker(), partition(end=10**6, waits=5)], "night lag", "night: 999990 packets wait, more than 100000"),
        (lambda: worker(problem="Kafka is away"), "night a:1 waits", "night a:1 waits: Kafka is away"),
    ],
)
def test_what_is_wrong_with_a_stream_is_said(made, key, says):
    made()
    found = wrong()
    assert set(found) == {key}
    assert says in found[key]
    with pytest.raises(CommandError) as error:
        call_command("alerce_stream", "night", "--check")
    assert says in str(error.value)


def test_limits_of_the_settings_are_asked(settings):
    settings.TOM_ALERCE = settings.TOM_ALERCE | {
        "HEALTH": {"quiet": 60, "letters": 1, "lag": None, "runs": {"alerce_rank": 60, "alerce_sync": 60}}
    }
    worker(batched=ago(90))
    partition(end=10**6)
    [factories.dead_letter() for _ in range(2)]
    beats.ran("alerce_rank", ago(30))
    beats.ran("alerce_sync", ago(30), "a broker did not answer")
    drift.save("stamp", "1.0", date(2026, 11, 1), {"n": 300, "psi": {"noise": 0.9, "calm": 0.1}, "classes": {}})
    found = wrong()
    assert set(found) == {"night quiet", "letters", "alerce_sync late", "drift"}
    assert found["alerce_sync late"] == "alerce_sync last succeeded never: a broker did not answer"
    assert "most of all in noise" in found["drift"]


def test_the_probe_of_a_container_judges_its_own_workers(monkeypatch):
    monkeypatch.setattr(signs, "HOST", "a")
    with pytest.raises(CommandError, match="no worker follows it at a, nor has one within a week"):
        call_command("alerce_stream", "night", "--check", "--here")
    worker(problem="")
    worker("night b:2", host="b", problem="the disk is full")
    partition(1, end=10**6, waits=2000, worker="night b:2")
    out = io.StringIO()
    call_command("alerce_stream", "night", "--check", "--here", stdout=out)
    assert "night: 2 workers" in out.getvalue()
    with pytest.raises(CommandError, match="the disk is full"):
        call_command("alerce_stream", "night", "--check")
    with pytest.raises(CommandError, match="no stream 'day'"):
        call_command("alerce_stream", "day", "--check")


def test_an_incident_is_announced_once_and_when_it_is_over():
    one = worker(problem="Kafka is away")
    for _ in range(2):
        with pytest.raises(CommandError, match="Kafka is away"):
            call_command("alerce_health", "--alarm", stdout=io.StringIO())
    assert [event.title for event in Event.objects.all()] == ["night a:1 waits: Kafka is away"]
    StreamWorker.objects.filter(pk=one.pk).update(problem="")
    out = io.StringIO()
    call_command("alerce_health", "--alarm", stdout=out)
    assert out.getvalue().split("\n")[:2] == ["0 new, 1 over", "Nothing is wrong."]
    assert Event.objects.order_by("pk").last().title == "Over: night a:1 waits: Kafka is away"
    StreamWorker.objects.filter(pk=one.pk).update(problem="Kafka is away")
    assert len(incidents.note(symptoms.of(health.read())).opened) == 1
    assert (Incident.objects.count(), Event.objects.count()) == (2, 3)


def test_runs_of_commands_are_written_with_their_switches(monkeypatch):
    call_command("alerce_prune", stdout=io.StringIO())
    call_command("alerce_prune", "--delete", stdout=io.StringIO())
    monkeypatch.setattr(retention, "prune", lambda **_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        call_command("alerce_prune", "--delete", stdout=io.StringIO())
    assert set(Run.objects.values_list("name", "problem")) == {("alerce_prune", ""), ("alerce_prune --delete", "division by zero")}
    assert Run.objects.get(name="alerce_prune --delete").succeeded is not None
    assert DiskUse.objects.get().total > 0

    def away(*_):
        raise OperationalError("away")

    monkeypatch.setattr(beats, "ran", away)
    call_command("alerce_prune", stdout=io.StringIO())  # is not spoilt by it


def test_the_size_of_the_database_is_measured_once_a_day():
    DiskUse.objects.create(day=timezone.now().date() - timedelta(days=4), total=1000)
    assert disk.measure().total > 1000
    assert disk.measure() is None
    found = health.read().disk
    assert found.growth == pytest.approx((found.total - 1000) / 4)
    assert bool(found.tables) == (connection.vendor == "postgresql")


def test_what_has_gone_is_forgotten():
    worker(beat=8 * 86400)
    partition()
    StreamPartition.objects.update(seen=ago(8 * 86400))
    beats.forget()
    assert not StreamWorker.objects.exists()
    assert not StreamPartition.objects.exists()


def test_a_poller_that_no_broker_answers_is_late(settings):
    settings.TOM_ALERCE = {"HEALTH": {"runs": {"poller alerce": 3600, "poller lasair": 3600}}}
    poll_tasks.add([poll_tasks.Wanted("fetch", "alerce", "ztf", name) for name in ("ZTF26aaaaaaa", "ZTF26aaaaaab")])
    PollTask.objects.filter(subject="ZTF26aaaaaab").update(state="done", finished=ago(7200))
    assert set(wrong()) == {"poller alerce late", "poller lasair late"}
    PollTask.objects.filter(state="done").update(finished=ago(60))
    assert set(wrong()) == {"poller lasair late"}
    [poller] = health.read().pollers
    assert (poller.broker, poller.tasks) == ("alerce", {"waiting": 1})


def full():
    """Every kind of fact."""
    poll_tasks.add([poll_tasks.Wanted("fetch", "lasair", "lsst", "1")])
    worker(batched=ago(60), packets=100, kept=5, passed=95, batch="abc", rate=12.5, latency=0.5)
    worker("night b:2", beat=400, host="b", problem="<script>alert(1)</script>")
    partition(end=30, waits=1000)
    beats.ran("alerce_rank", ago(30))
    beats.ran("alerce_sync", ago(30), "a broker did not answer")
    disk.measure()
    DiskUse.objects.update(tables={"tom_alerce_stamps": 10**9})
    drift.save("stamp", "1.0", date(2026, 11, 1), {"n": 300, "psi": {"noise": 0.9}, "classes": {}})
    incidents.note(symptoms.of(health.read()))
    factories.dead_letter()


def test_the_page_and_the_json_are_for_viewers(client, settings):
    full()
    names = ("tom_alerce:health", "tom_alerce:health-json")
    assert {client.get(reverse(name)).status_code for name in names} == {302}
    settings.TOM_ALERCE = settings.TOM_ALERCE | {"EVERYBODY": ()}
    client.force_login(factories.user())
    assert {client.get(reverse(name)).status_code for name in names} == {403}
    settings.TOM_ALERCE = settings.TOM_ALERCE | {"EVERYBODY": ("view",)}
    page = client.get(reverse(names[0])).content.decode()
    for text in ("night b:2 is dead", "5.0\u202f% kept", "a broker did not answer", "tom_alerce_stamps", "12.5 packets/s"):
        assert text in page
    assert "<script>alert(1)" not in page
    found = client.get(reverse(names[1])).json()
    assert {one["key"] for one in found["symptoms"]} == {"night b:2 dead", "night stuck", "drift"}
    [stream] = found["streams"]
    assert (stream["lag"], stream["workers"][0]["alive"], stream["partitions"][0]["topic"]) == (20, True, "alerts")
    assert found["dead_letters"]["all"] == 1


def test_an_empty_tom_has_a_page(client, settings):
    settings.TOM_ALERCE = {}
    client.force_login(factories.user())
    page = client.get(reverse("tom_alerce:health")).content.decode()
    assert "The settings name no stream" in page
    assert client.get(reverse("tom_alerce:metrics")).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_prometheus_scrapes_what_the_page_shows(live_server, settings):
    full()
    address = live_server.url + reverse("tom_alerce:metrics")
    assert requests.get(address, timeout=10).status_code == 401
    assert requests.get(address, headers={"Authorization": "Bearer wrong"}, timeout=10).status_code == 401
    answer = requests.get(address, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10)
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert samples["alerce_stream_lag", "night"] == samples["alerce_partition_lag", "0", "alerts", "night"] == 20
    assert samples["alerce_stream_packets_total", "night", "night a:1"] == 100
    assert samples["alerce_stream_workers", "night"] == 1
    assert samples["alerce_stream_kept_share", "night"] == 0.05
    assert samples["alerce_run_failed", "alerce_sync"] == 1
    assert samples["alerce_table_bytes", "tom_alerce_stamps"] == 10**9
    assert samples["alerce_poller_tasks", "lasair", "waiting"] == 1
    assert samples["alerce_dead_letters",] == 1
    assert samples["alerce_drifted_quantities",] == 1
    assert samples["alerce_symptoms",] == 3
    assert samples["alerce_run_last_success_timestamp_seconds", "alerce_rank"] == pytest.approx(timezone.now().timestamp(), abs=600)
    settings.TOM_ALERCE = settings.TOM_ALERCE | {"METRICS": {"networks": ["127.0.0.0/8", "::1/128"]}}
    assert requests.get(address, timeout=10).status_code == 200
    settings.TOM_ALERCE = settings.TOM_ALERCE | {"METRICS": {"networks": ["10.0.0.0/8"]}}
    assert requests.get(address, headers={"X-Forwarded-For": "10.0.0.1"}, timeout=10).status_code == 401
    settings.TOM_ALERCE = settings.TOM_ALERCE | {"METRICS": {}}
    assert requests.get(address, headers={"Authorization": "Bearer "}, timeout=10).status_code == 401


def test_a_web_process_says_whether_it_reaches_the_database(client, monkeypatch):
    assert client.get(reverse("tom_alerce:ready")).status_code == 200

    def away(*_):
        raise OperationalError("away")

    monkeypatch.setattr(connection, "cursor", away)
    assert client.get(reverse("tom_alerce:ready")).status_code == 503


def test_limits_and_readers_are_checked(settings):
    settings.TOM_ALERCE = {"HEALTH": {"dead": 0}, "METRICS": {"networks": ["10.0.0.1/8"]}}
    assert [message.id for message in check_settings()] == ["tom_alerce.E006"] * 2
    settings.TOM_ALERCE = {"HEALTH": {"runs": {"alerce_rank": -1}}, "METRICS": {"networks": "x"}}
    assert [message.id for message in check_settings()] == ["tom_alerce.E006"] * 2
    settings.TOM_ALERCE = {"HEALTH": {"quiet": None, "runs": {"alerce_rank": 60}}, "METRICS": {"token": "x", "networks": ["10.0.0.0/8"]}}
    assert check_settings() == []
