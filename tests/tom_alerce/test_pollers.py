"""The queue of the pollers, with the brokers' servers on loopback: whatever they do, each task is asked again until it is answered."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import suppress
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from tom_dataproducts.models import PhotometryReducedDatum
from werkzeug import Response

from broker_adapters.records import Query
from tests.tom_alerce import factories
from tests.tom_alerce.test_dataservices import ABOUT, DIA, LASAIR, OID, TABLE, serve_alerce
from tom_alerce import tasks
from tom_alerce.clock import now
from tom_alerce.models import PollTask, SkyObject, SurveyObject, Watermark
from tom_alerce.pipeline.pollers import queue
from tom_alerce.pipeline.stream import Stop
from tom_alerce.store import awaited, poll_tasks
from tom_alerce.store.awaited import Named
from tom_alerce.store.poll_tasks import Wanted

pytestmark = pytest.mark.django_db
QUERY = ("alerce", Query("ztf", since=61000.0))
FETCH = Wanted("fetch", "alerce", "ztf", OID)
LISTING = {"items": [ABOUT], "has_next": False}


@pytest.fixture(autouse=True)
def _configured(settings, httpserver, request, monkeypatch):
    here, token = httpserver.url_for(""), "".join(filter(str.isalnum, request.node.name))
    settings.TOM_ALERCE = {
        "BROKERS": {
            "alerce": {"ztf_url": here, "lsst_url": here},
            "lasair": {"lsst_token": token, "lsst_url": here + "/api"},
            "atlas_forced": {"token": token, "url": here + "/forcedphot"},
        }
    }
    monkeypatch.setattr(queue, "QUICK", {"retries": 0, "patience": 0.0, "timeout": 1.0})


def due_now():
    PollTask.objects.update(due=timezone.now())


def seconds(task):
    return (task.due - timezone.now()).total_seconds()


def test_a_search_adds_a_task_for_each_object_and_the_next_one_only_for_what_is_new(httpserver):
    httpserver.expect_request("/ztf/v1/objects/").respond_with_json(LISTING)
    serve_alerce(httpserver)
    assert queue.refill([QUERY, QUERY]) == 1
    report = queue.serve(60.0)
    assert report.steps == {("alerce", "answered"): 2}
    assert SurveyObject.objects.get().object_id == OID
    assert Watermark.objects.get().source == "alerce ztf"
    queue.refill([QUERY])
    assert queue.serve(60.0).steps == {("alerce", "answered"): 2}, "the list has a later detection than is here"
    SurveyObject.objects.update(last_mjd=ABOUT["lastmjd"])
    queue.refill([QUERY])
    assert queue.serve(60.0).steps == {("alerce", "answered"): 1}
    assert poll_tasks.successes().keys() == {"alerce"}
    assert not poll_tasks.open_tasks()


def test_what_a_message_named_is_fetched_within_the_limit_of_an_hour(httpserver, settings):
    settings.TOM_ALERCE["BROKERS"]["lasair"]["calls_per_hour"] = 1
    del settings.TOM_ALERCE["BROKERS"]["alerce"]
    body = json.dumps(LASAIR).replace("216.0", "NaN").replace('"decl": 6.96', '"decl": 6.96, "x": NaN')
    httpserver.expect_request("/api/object/").respond_with_data(body, content_type="application/json")
    awaited.save([Named("lsst", str(DIA), "topic", "no place"), Named("lsst", "2", "topic", "no place")])
    assert (queue.refill(), queue.refill()) == (2, 0)
    assert queue.serve(60.0).steps == {("lasair", "answered"): 1, ("lasair", "postponed"): 1}
    assert len(httpserver.log) == 1
    assert list(awaited.ids("lsst")) == ["2"]
    (left,) = PollTask.objects.filter(state="waiting")
    assert 3500 < seconds(left) <= 3600
    assert (left.tried, left.attempts) == (None, 0)
    assert queue.serve(60.0).steps == {}


FAULTS = {
    "429 with Retry-After": (Response("", 429, {"Retry-After": "1234"}), "postponed", (1200, 1240)),
    "429 without": (Response("", 429), "postponed", (50, 61)),
    "an expired token": (Response('{"detail": "Token expired"}', 401), "refused", (3500, 3601)),
    "HTML with 200": (Response("<html>Bad Gateway</html>"), "to be asked again", (40, 76)),
    "truncated JSON": (Response('{"oid": "ZTF26a'), "to be asked again", (40, 76)),
    "503": (Response("", 503, {"Retry-After": "7"}), "to be asked again", (40, 76)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_failure_that_passes_is_asked_again_later(fault, httpserver):
    answer, word, (least, most) = FAULTS[fault]
    httpserver.expect_oneshot_request(f"/ztf/v1/objects/{OID}").respond_with_response(answer)
    serve_alerce(httpserver)
    poll_tasks.add([FETCH, Wanted("fetch", "fake", "ztf", "1")])
    report = queue.serve(60.0)
    assert report.steps == {("alerce", word): 1, ("fake", "failed"): 1}, "another broker is none of it"
    task = PollTask.objects.get(broker="alerce")
    assert least < seconds(task) < most
    assert (task.state, task.claim, task.attempts) == ("waiting", "", int(word == "to be asked again"))
    assert task.error
    due_now()
    assert queue.serve(60.0).steps == {("alerce", "answered"): 1}
    assert SkyObject.objects.count() == 1


@pytest.mark.parametrize("piece", [b" ", b"x" * (1 << 20)], ids=["a drip", "an endless body"])
def test_a_body_without_an_end_costs_one_attempt(piece, settings, monkeypatch):
    monkeypatch.setattr(queue, "QUICK", {"retries": 0, "timeout": 0.1})
    listener = socket.create_server(("127.0.0.1", 0))

    def run():
        with suppress(OSError):
            line, _ = listener.accept()
            with line:
                line.recv(65536)
                line.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
                while True:
                    line.sendall(piece)
                    if len(piece) == 1 and stop.wait(0.02):
                        return

    stop, thread = threading.Event(), threading.Thread(target=run)
    thread.start()
    settings.TOM_ALERCE["BROKERS"]["alerce"]["ztf_url"] = f"http://127.0.0.1:{listener.getsockname()[1]}"
    poll_tasks.add([FETCH])
    assert queue.serve(60.0).steps == {("alerce", "to be asked again"): 1}
    stop.set()
    listener.close()
    thread.join(5)
    assert not thread.is_alive()


def test_a_task_that_is_never_answered_expires(httpserver):
    httpserver.expect_request(f"/ztf/v1/objects/{OID}").respond_with_data("", status=503)
    poll_tasks.add([FETCH])
    waits = []
    for _ in range(3):
        due_now()
        queue.serve(60.0)
        waits.append(seconds(PollTask.objects.get()))
    assert waits[0] * 2 < waits[2] < waits[0] * 8
    PollTask.objects.update(deadline=timezone.now())
    assert queue.serve(60.0).expired == 1
    task = PollTask.objects.get()
    assert (task.state, task.attempts) == ("expired", 3)
    assert poll_tasks.add([FETCH]) == 1, "it may be asked anew"


@pytest.fixture
def atlas(httpserver):
    """The server of ATLAS with one target that was seen lately; its tasks as they were submitted."""
    made = []
    target = factories.target(ra=187.02, dec=6.96)
    sky = factories.sky_object(ra=187.02, dec=6.96)
    SkyObject.objects.filter(pk=sky.pk).update(target=target.pk, last_mjd=now())

    def listed(request):
        if request.method == "POST":
            made.append({"url": httpserver.url_for("/forcedphot/queue/7/"), "comment": request.form["comment"]})
            return Response(json.dumps(made[-1]), 201)
        return Response(json.dumps({"results": made}))

    def one(request):
        done = {"finishtimestamp": "now", "result_url": httpserver.url_for("/result.txt")} if len(asked) else {"starttimestamp": "now"}
        asked.append(1)
        return Response(json.dumps(made[-1] | done))

    asked = []
    httpserver.expect_request("/forcedphot/queue/").respond_with_handler(listed)
    httpserver.expect_request("/forcedphot/queue/7/").respond_with_handler(one)
    httpserver.expect_request("/result.txt").respond_with_data(TABLE)
    return made


def test_forced_photometry_is_submitted_asked_for_and_stored(atlas):
    assert tasks.poll.func(60.0)["steps"] == {"atlas_forced: not finished": 1}
    for word in ("not finished", "answered"):
        due_now()
        assert queue.serve(60.0).steps == {("atlas_forced", word): 1}
    assert len(atlas) == 1
    assert PhotometryReducedDatum.objects.get().value["survey"] == "atlas"
    assert queue.refill() == 0, "not before FORCED_DAYS"
    PollTask.objects.update(created=timezone.now() - timedelta(days=4))
    assert queue.refill() == 1


def test_a_worker_that_is_killed_after_it_has_submitted_leaves_one_task_at_the_server(atlas, monkeypatch):
    def killed(*_, **__):
        raise SystemExit

    queue.refill()
    with monkeypatch.context() as patched:
        patched.setattr(queue, "_store", killed)
        with pytest.raises(SystemExit):
            queue.serve(60.0)
    assert len(atlas) == 1
    assert queue.serve(60.0).steps == {}, "it is still claimed"
    PollTask.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    assert queue.serve(60.0).steps == {("atlas_forced", "not finished"): 1}
    assert len(atlas) == 1
    assert PollTask.objects.get().handle["url"].endswith("/7/")


def test_who_has_lost_a_claim_changes_nothing():
    poll_tasks.add([FETCH])
    (mine,) = poll_tasks.claim(lease=-1.0)
    (theirs,) = poll_tasks.claim()
    assert not poll_tasks.finish(mine, PollTask.State.FAILED)
    assert poll_tasks.finish(theirs, PollTask.State.DONE)
    assert PollTask.objects.get().state == "done"


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time, in memory one connection")
def test_two_workers_never_have_the_same_task():
    poll_tasks.add(Wanted("fetch", "alerce", "ztf", str(i)) for i in range(60))
    had = [[], []]

    def work(mine):
        while claimed := poll_tasks.claim(2):
            mine += [task.pk for task in claimed]
        connection.close()

    threads = [threading.Thread(target=work, args=(mine,)) for mine in had]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(had[0] + had[1]) == sorted(PollTask.objects.values_list("pk", flat=True))


def test_the_command_for_cron_serves_the_queue_and_names_who_refused(httpserver, settings, capsys):
    httpserver.expect_request("/ztf/v1/objects/").respond_with_data("", status=403)
    with pytest.raises(CommandError, match="alerce: ALeRCE"):
        call_command("alerce_poll", "--once", "--broker", "alerce", "--survey", "ztf")
    assert "alerce: 1 refused" in capsys.readouterr().out


def test_the_loop_asks_again_and_ends_when_it_is_told_to(httpserver, monkeypatch):
    httpserver.expect_request("/ztf/v1/objects/").respond_with_json(LISTING)
    serve_alerce(httpserver)
    monkeypatch.setattr(queue, "IDLE", 0.0)
    stop, reports = Stop(), []

    def told(report):
        reports.append(report.steps)
        if len(reports) == 2:
            stop()

    queue.run(0.001, [QUERY], stop, told)
    assert reports[0]["alerce", "answered"] > 0
    assert SurveyObject.objects.get().object_id == OID
