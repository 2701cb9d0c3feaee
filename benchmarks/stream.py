"""Alerts per second from a stream to committed rows, through `tom_alerce.pipeline.stream` itself, and bytes on disk for each alert.

Copies of real ZTF packets (simulated ones where there are none), each of an object of its own, come from memory, or from a real Kafka if
``TOM_ALERCE_KAFKA`` gives its ``host:port``. Tables are a new SQLite file in a temporary folder, or PostgreSQL as the demo's settings
read it from the environment (``.ci/with-postgresql env PGDATABASE=postgres python -m benchmarks stream``).

``alerts_per_s_...`` is wall-clock, which other work on the machine lowers; ``..._free`` follows from the processor time of the two stages,
which run side by side on two cores: the slower one bounds the rate, or both together if they exceed two cores.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Sequence
from functools import lru_cache
from io import BytesIO
from typing import Any
from uuid import uuid4

import fastavro
import numpy as np

from benchmarks.stamp import _packets as real_packets
from broker_adapters import healpix
from broker_adapters.sources.archives import Packet

#: Alerts of a run; objects of which targets are made; alerts in a transaction; cores.
ALERTS, TARGETS, BATCH, CORES = 2000, 500, 250, 2
SERVERS = os.getenv("TOM_ALERCE_KAFKA", "")
OBJECTS = int(os.getenv("TOM_ALERCE_BENCHMARK_OBJECTS", "0"))


def run() -> dict[str, float]:
    """Rates with 5 % and all alerts kept, about targets, and with many objects in the tables; bytes on disk; stages in microseconds."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TOM_ALERCE_DEMO_DATA"] = folder
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo.settings")
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connection, connections

        call_command("migrate", verbosity=0)
        packets = _copies(ALERTS)
        rules = [{"label": "SN", "probability": _quantile(packets[:512], 0.95)}]
        vendor = "postgres" if connection.vendor == "postgresql" else connection.vendor
        figures: dict[str, float] = {}
        empty = _disk()
        _measure(figures, f"alerts_per_s_{vendor}", packets, rules)
        few, some = _stored(), _disk()
        _measure(figures, "alerts_per_s_all", packets, [])
        figures["bytes_per_alert_kept"] = (_disk() - some) / (ALERTS - few)
        figures["bytes_per_alert_seen"] = (some - empty - few * figures["bytes_per_alert_kept"]) / (ALERTS - few)
        figures["kept"] = few / ALERTS
        _promote()
        _measure(figures, "targets_alerts_per_s", _copies(TARGETS, later=1.0), [])
        if OBJECTS:
            _measure(figures, "alerts_per_s_few", _copies(ALERTS, first=ALERTS), [])
            _fill(OBJECTS)
            _measure(figures, "alerts_per_s_many", _copies(ALERTS, first=2 * ALERTS), [])
        connections.close_all()
    return figures


class _Memory:
    """What `broker_adapters.sources.kafka.Consumer` is to a stream, without a broker."""

    def __init__(self, packets: Sequence[Packet]) -> None:
        self._packets, self._next = packets, 0

    def __enter__(self) -> _Memory:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def poll(self, n: int, *_: object, ahead: bool) -> list[Packet]:
        batch = list(self._packets[self._next : self._next + n])
        self._next += len(batch)
        return batch

    def commit(self, packets: Sequence[Packet]) -> None:
        pass


def _measure(figures: dict[str, float], name: str, packets: Sequence[Packet], rules: list[dict[str, Any]]) -> None:
    """Alerts per second by the clock and on free cores, and microseconds of processor time of the stages.

    A quarter of the packets goes through the stages one after the other, the others through the stream.
    """
    from django.test import override_settings

    from tom_alerce.pipeline import ingest
    from tom_alerce.pipeline.prepare import prepare

    few = len(packets) // 4
    with override_settings(TOM_ALERCE={"KEEP": rules}):
        prepare(packets[:64])  # the model is loaded and compiled before
        started = time.process_time()
        ready = prepare(packets[:few])
        between = time.process_time()
        ingest.take(ready, ingest.Report(), lambda ids: None)
        stages = [1e6 * (between - started) / few, 1e6 * (time.process_time() - between) / few]
    figures[name] = _follow(packets[few:], rules)
    figures[f"{name}_free"] = 1e6 * min(1.0 / max(stages), CORES / sum(stages))
    figures[f"{name}_us_prepare"], figures[f"{name}_us_store"] = stages


def _follow(packets: Sequence[Packet], rules: list[dict[str, Any]]) -> float:
    """Alerts per second by the clock of a worker that follows a stream of these packets."""
    from django.test import override_settings

    from tom_alerce.pipeline import stream

    topic, stop, done = f"benchmark_{uuid4().hex}", stream.Stop(), 0

    def progress(n: int) -> None:
        nonlocal done
        done += n
        if done >= len(packets):
            stop()

    if SERVERS:
        _produce(topic, packets)
    else:
        stream.consumer = lambda name: _Memory(packets)  # type: ignore[assignment,return-value]
    given = {"all": {"servers": SERVERS, "group": topic, "topics": [topic], "config": {"session.timeout.ms": 6000}}}
    with override_settings(TOM_ALERCE={"KEEP": rules, "STREAMS": given, "BATCH": BATCH}):
        started = time.perf_counter()
        report = stream.follow("all", stop=stop, progress=progress)
        if report.problem or report.refused:
            raise RuntimeError(str(report))
        return len(packets) / (time.perf_counter() - started)


def _produce(topic: str, packets: Sequence[Packet]) -> None:
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": SERVERS, "queue.buffering.max.kbytes": 1 << 20})
    for packet in packets:
        producer.produce(topic, packet.data)
        producer.poll(0)
    producer.flush()


def _copies(n: int, first: int = 0, later: float = 0.0) -> list[Packet]:
    """Packets of n objects of their own, numbered from ``first``, some days ``later`` than the real ones."""
    made = []
    for i in range(first, first + n):
        schema, record = _records()[i % len(_records())]
        stream = BytesIO()
        fastavro.writer(stream, schema, [_copy(record, i, later)])
        made.append(Packet("benchmark", f"0:{i - first}", stream.getvalue()))
    return made


@lru_cache
def _records() -> list[tuple[Any, dict[str, Any]]]:
    """Schema and content of different packets."""
    readers = [fastavro.reader(BytesIO(data)) for data in real_packets()]
    return [(reader.writer_schema, dict(next(iter(reader)))) for reader in readers]


def _copy(record: dict[str, Any], i: int, later: float) -> dict[str, Any]:
    """A packet's content as of another object elsewhere; ``later`` days after, the alert alone is new, not its history."""
    turn, number = (37.0 * (i + 1)) % 360.0, 1000 * (i + 1)
    dec = float(np.degrees(np.arcsin(2.0 * ((i + 1) * 0.618034 % 1.0) - 1.0)))

    def moved(row: dict[str, Any], number: int) -> dict[str, Any]:
        place = {"ra": turn, "dec": dec} if row.get("ra") is not None else {}
        return {**row, **place} | ({"candid": row["candid"] + number} if row.get("candid") is not None else {})

    candidate = moved(record["candidate"], number + round(later)) | {"ssdistnr": -999.0, "ssnamenr": "null"}
    candidate["jd"] += later
    rows: dict[str, Any] = {
        name: [moved(row, number) for row in record.get(name) or ()] or None for name in ("prv_candidates", "fp_hists") if name in record
    }
    return {**record, **rows, "objectId": f"ZTF20{_letters(i)}", "candid": candidate["candid"], "candidate": candidate}


def _letters(i: int) -> str:
    return "".join(chr(97 + i // 26**power % 26) for power in range(6, -1, -1))


def _quantile(packets: Sequence[Packet], share: float) -> float:
    """Probability of a supernova that this share of the alerts does not exceed."""
    from django.test import override_settings

    from tom_alerce.pipeline.prepare import prepare

    with override_settings(TOM_ALERCE={"KEEP": [{"label": "SN", "probability": 2.0}]}):
        passed = prepare(packets).passed
    p = [light.probability if light.label == "SN" else 0.0 for light in passed]
    return max(float(np.quantile(p, share)), 0.2)


def _stored() -> int:
    from tom_alerce.models import SurveyObject

    return SurveyObject.objects.count()


def _promote() -> None:
    from tom_alerce.models import SkyObject
    from tom_alerce.store import targets

    for sky in SkyObject.objects.filter(survey_objects__object_id__in=[f"ZTF20{_letters(i)}" for i in range(TARGETS)]):
        targets.promote(sky)


def _fill(n: int) -> None:
    """Make targets all over the sky, and objects that are none of them."""
    from tom_targets.models import BaseTarget

    from tom_alerce.models import SkyObject, SurveyObject
    from tom_alerce.store.sql import chunks

    random = np.random.default_rng(0)
    for part in chunks(range(n), 10_000):
        ra, dec = random.uniform(0, 360, len(part)), np.degrees(np.arcsin(random.uniform(-1, 1, len(part))))
        places = list(zip(part, ra.tolist(), dec.tolist(), healpix.cells(ra, dec).tolist(), strict=True))
        BaseTarget.objects.bulk_create(BaseTarget(name=f"target {i}", type="SIDEREAL", ra=a, dec=-d) for i, a, d, _ in places)
        place = [{"ra": a, "dec": d, "position_err": 0.1, "healpix": h} for _, a, d, h in places]
        skies = SkyObject.objects.bulk_create(SkyObject(**one) for one in place)
        SurveyObject.objects.bulk_create(
            SurveyObject(survey="ztf", object_id=f"old {i}", sky_object=sky, **one) for i, sky, one in zip(part, skies, place, strict=True)
        )


def _disk() -> float:
    """Bytes of our tables and their indexes."""
    from django.apps import apps
    from django.db import connection

    tables = [model._meta.db_table for model in apps.get_app_config("tom_alerce").get_models()]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT sum(pg_total_relation_size(quote_ident(name))) FROM unnest(%s::text[]) AS name", [tables])
        else:
            cursor.execute("SELECT (SELECT page_count FROM pragma_page_count) * (SELECT page_size FROM pragma_page_size)")
        return float(cursor.fetchone()[0])
