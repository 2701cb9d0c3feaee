"""``alerce_run`` runs what the settings say, starts again what is killed, and ends everything in time."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tests.kafka import QUICK
from tests.tom_alerce.test_supervisor import is_there, until_there
from tom_alerce.checks import check_settings
from tom_alerce.management.commands import alerce_run
from tom_alerce.models import DeadLetter, Incident, Run, StreamWorker

STREAM = {"servers": "127.0.0.1:9", "group": "g", "topics": ["alerts"]}


def planned(*options):
    call_command("alerce_run", "--plan", *options, stdout=(out := io.StringIO()))
    return out.getvalue()


@pytest.mark.django_db
def test_the_plan_is_that_of_the_settings(settings):
    run = {"alerce_notices gcn": 0, "alerce_poll --class SN --loop 10": 0, "alerce_drift": None, "alerce_rank": 300}
    settings.TOM_ALERCE = {"STREAMS": {"my night": STREAM, "gcn": STREAM}, "RUN": run}
    assert check_settings() == []
    found = planned()
    assert "always           alerce_stream 'my night' --classify\n" in found
    assert "always           alerce_poll --class SN --loop 10\n" in found
    assert "every 300 s      alerce_rank\n" in found
    assert "every 86400 s    alerce_prune --delete\n" in found
    assert "always           alerce_notices gcn\n" in found
    assert "alerce_stream gcn" not in found
    assert "alerce_drift" not in found
    assert "No broker is polled" not in found
    assert "alerce_stream" not in planned("--no-streams")
    settings.TOM_ALERCE = {"RUN": {"alerce_nothing": 60}}
    with pytest.raises(CommandError, match="names no command: 'alerce_nothing'"):
        planned()
    settings.TOM_ALERCE = {"RUN": {"alerce_rank": -1}}
    assert [message.id for message in check_settings()] == ["tom_alerce.E006"]
    settings.TOM_ALERCE = {}
    assert "No broker is polled: name alerce_poll" in planned()


@pytest.mark.django_db
def test_what_is_wrong_is_looked_for_once_a_minute(settings, monkeypatch):
    settings.TOM_ALERCE = {"HEALTH": {"runs": {"alerce_rank": 60}}}
    alarm = alerce_run._Alarm()
    alarm()
    assert not Incident.objects.exists()
    monkeypatch.setattr(alerce_run, "close_old_connections", lambda: None)  # that of the test
    monkeypatch.setattr(alarm, "_due", time.monotonic())
    alarm()
    assert Incident.objects.get().text == "alerce_rank last succeeded never"


@pytest.mark.postgresql
@pytest.mark.skipif(connection.vendor != "postgresql", reason="children reach the test database of PostgreSQL alone")
@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_killed_is_started_again_and_sigterm_ends_all(cluster, tmp_path):
    producer, servers = cluster
    topic = f"run_{uuid4().hex}"
    stream = {"servers": servers, "group": uuid4().hex, "topics": [topic], "config": QUICK}
    run = {**dict.fromkeys(alerce_run.USUAL), "alerce_prune": 1000.0}
    ours = {"STREAMS": {"night": stream}, "CLASSIFIERS": (), "RUN": run}
    (tmp_path / "settings_of_run.py").write_text(f"from demo.settings import *\nTOM_ALERCE = {ours!r}\n")
    name = connection.settings_dict["NAME"]
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[2])])
    env = {
        **os.environ,
        "PGDATABASE": name,
        "DJANGO_SETTINGS_MODULE": "settings_of_run",
        "PYTHONPATH": path,
        "TOM_ALERCE_DEMO_DATA": str(tmp_path),
    }
    supervisor = subprocess.Popen([sys.executable, "-m", "django", "alerce_run"], env=env)

    def send(what):
        producer.produce(topic, what, partition=0)
        producer.flush(10)

    def pids():
        return {int(worker.name.rsplit(":", 1)[1]) for worker in StreamWorker.objects.all()}

    try:
        send(b"no packet")
        until_there(lambda: DeadLetter.objects.count() == 1 and Run.objects.filter(name="alerce_prune").exists())
        [first] = pids()
        os.kill(first, signal.SIGKILL)
        send(b"nor this")
        until_there(lambda: DeadLetter.objects.count() == 2)
        assert len(pids()) == 2
        supervisor.terminate()
        assert supervisor.wait(10) == 0
    finally:
        supervisor.kill()
    until_there(lambda: not any(map(is_there, pids())))
    assert StreamWorker.objects.filter(ended__isnull=False).count() == 1
