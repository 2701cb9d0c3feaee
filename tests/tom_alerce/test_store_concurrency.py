"""Several workers write alerts of the same sources at the same time: nothing is doubled, lost, or waits for ever."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Barrier

import pytest
from django.db import connection

from tests.tom_alerce.alerts import alert
from tom_alerce.models import Detection, SkyObject, SurveyObject
from tom_alerce.store import alerts

ARCSEC = 1.0 / 3600.0
WORKERS, SOURCES = 4, 10


def work(seed: int) -> None:
    """What one worker writes: each source as three surveys see it, every object in two alerts, in an order of its own."""
    batch = [
        one
        for i in range(SOURCES)
        for first in (0, 2)
        for one in (
            alert(object_id=f"ZTF{i}", ra=10.0 * i, n=3, first=first),
            alert("lsst", f"{i}", ra=10.0 * i, dec=2.0 + 0.4 * ARCSEC, n=3, first=first),
            alert("atlas", f"A{i}", ra=10.0 * i, dec=2.0 - 0.8 * ARCSEC, n=3, first=first),
        )
    ]
    random.Random(seed).shuffle(batch)
    for start in range(0, len(batch), 5):
        alerts.save(batch[start : start + 5])


EXPECTED = {"SkyObject": SOURCES, "SurveyObject": 3 * SOURCES, "Detection": 3 * SOURCES * 5}


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="the tests run on SQLite; set TOM_ALERCE_POSTGRESQL")
def test_on_postgresql():
    start = Barrier(WORKERS)

    def worker(seed):
        with closing(connection):
            start.wait()
            work(seed)

    with ThreadPoolExecutor(WORKERS) as pool:
        for done in [pool.submit(worker, seed) for seed in range(WORKERS)]:
            done.result(timeout=60)
    assert {m.__name__: m.objects.count() for m in (SkyObject, SurveyObject, Detection)} == EXPECTED
    assert set(SkyObject.objects.values_list("n_detections", flat=True)) == {15}


PROCESS = """
import sys
from demo import settings
if sys.argv[2] == "as Django has it":
    settings.DATABASES["default"]["OPTIONS"] = {"timeout": 60}
else:
    settings.DATABASES["default"]["OPTIONS"]["timeout"] = 60
import django
django.setup()
from tests.tom_alerce.test_store_concurrency import work
work(int(sys.argv[1]))
"""


@pytest.fixture
def path(tmp_path, django_db_setup, django_db_blocker):
    """An SQLite file with our tables in it."""
    path = tmp_path / "db.sqlite3"
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(f"VACUUM INTO '{path}'")
    with closing(sqlite3.connect(path)) as copy:
        copy.execute("PRAGMA journal_mode=WAL")  # to change it later would need the file for oneself
    return path


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the tests run on PostgreSQL")
def test_on_sqlite(tmp_path, path):
    """Processes on one file; every other one with Django's own settings, under which a transaction begins by reading."""
    environment = os.environ | {"TOM_ALERCE_DEMO_DATA": str(tmp_path), "DJANGO_SETTINGS_MODULE": "demo.settings"}
    command = [sys.executable, "-W", "ignore", "-c", PROCESS]
    running = [
        subprocess.Popen(
            [*command, str(seed), ("as Django has it", "as the demo has it")[seed % 2]], env=environment, stderr=subprocess.PIPE, text=True
        )
        for seed in range(WORKERS)
    ]
    errors = [process.communicate(timeout=120)[1] for process in running]
    assert [process.returncode for process in running] == [0] * WORKERS, errors
    with closing(sqlite3.connect(path)) as stored:
        found = {name: stored.execute(f"SELECT count(*) FROM tom_alerce_{name.lower()}").fetchone()[0] for name in EXPECTED}
        assert found == EXPECTED
        assert set(stored.execute("SELECT n_detections FROM tom_alerce_skyobject")) == {(15,)}
