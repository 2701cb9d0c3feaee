"""Pages and endpoints over tables of 10,000 and 100,000 objects: milliseconds and queries, beside the query that each replaces.

A tenth of the objects are private targets of others, and each object has a classification and an undecided match. The user is an ordinary
one. ``*_naive_ms`` is the query that asks for each object whether its target is visible, in the same run; it is broken off after `PATIENCE`
seconds, so that a ratio may be a lower bound. ``rank_bytes`` is what a place of a ranking adds to the database, beside what terms and
visibility take as JSON in each row.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager
from statistics import median
from typing import Any

import numpy as np

SIZES, RANKED, RANKINGS, POINTS = (10_000, 100_000), 500, 10, 12
PATIENCE, TURNS = 20.0, 3


def run() -> dict[str, float]:
    """Figures of each page at each size, and bytes of a place of a ranking."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TOM_ALERCE_DEMO_DATA"] = folder
        os.environ.pop("TOM_ALERCE_POSTGRESQL", None)
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo.settings")
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connection, connections

        call_command("migrate", verbosity=0)
        figures: dict[str, float] = {}
        have = 0
        for size in SIZES:
            _fill(have, size)
            have = size
            if "rank_bytes" not in figures:
                figures |= _rank_bytes()
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE")
            figures |= {f"{name}_{size}": value for name, value in _pages().items()}
        connections.close_all()
    return figures


def _pages() -> dict[str, float]:
    from django.contrib.auth import get_user_model
    from django.test import Client

    user = get_user_model().objects.get_or_create(username="observer")[0]
    client = Client()
    client.force_login(user)
    naive = _naive(user)
    addresses = {
        "board": "/alerce/",
        "review": "/alerce/review/",
        "objects": "/api/alerce-objects/",
        "classifications": "/api/alerce-classifications/",
        "ranks": "/api/alerce-ranks/",
    }
    figures = {}
    for name, address in addresses.items():
        milliseconds, queries = _measured(lambda address=address: client.get(address).status_code == 200 or _fail(address))
        figures |= {f"{name}_ms": milliseconds, f"{name}_queries": float(queries)}
        if name in naive:
            figures[f"{name}_naive_ms"] = _measured(naive[name])[0]
            figures[f"{name}_ratio"] = figures[f"{name}_naive_ms"] / milliseconds
    return figures


def _naive(user: Any) -> dict[str, Callable[[], object]]:
    """What the pages asked when an object with a hidden target was hidden."""
    from django.db.models import Q
    from tom_targets.models import Target
    from tom_targets.permissions import targets_for_user

    from tom_alerce.models import Classification, MatchCandidate, SkyObject

    seen = Q(target__isnull=True) | Q(target__in=targets_for_user(user, Target.objects.all(), "view_target").values("pk"))
    skies = SkyObject.objects.filter(seen).values("pk")
    matches = MatchCandidate.objects.filter(decided=False, sky_object__in=skies, survey_object__sky_object__in=skies)
    words = Classification.objects.filter(sky_object__in=skies).exclude(label="").order_by("-created", "-pk")
    return {
        "review": lambda: (matches.count(), list(matches.order_by("-pk")[:25])),
        "objects": lambda: (
            SkyObject.objects.filter(seen).count(),
            list(SkyObject.objects.filter(seen).order_by("-last_mjd", "-pk")[:100]),
        ),
        "classifications": lambda: (words.count(), list(words[:100])),
    }


def _measured(work: Callable[[], object]) -> tuple[float, int]:
    """Median milliseconds of some turns after a first one, and queries of one turn."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        first = _timed(work)
    asked = len(queries)  # now: the next request forgets them
    return first if first >= PATIENCE * 1e3 else median(_timed(work) for _ in range(TURNS)), asked


def _timed(work: Callable[[], object]) -> float:
    from django.db import OperationalError

    start = time.perf_counter()
    with _impatient():
        try:
            work()
        except OperationalError:  # interrupted
            return PATIENCE * 1e3
    return (time.perf_counter() - start) * 1e3


@contextmanager
def _impatient() -> Any:
    """Interrupt SQLite after `PATIENCE` seconds."""
    from django.db import connection

    end = time.perf_counter() + PATIENCE
    connection.ensure_connection()
    connection.connection.set_progress_handler(lambda: time.perf_counter() > end, 100_000)
    try:
        yield
    finally:
        connection.connection.set_progress_handler(None, 0)


def _rank_bytes() -> dict[str, float]:
    from django.db import connection

    from tom_alerce.pipeline import rank

    def size() -> int:
        with connection.cursor() as cursor:
            return int(cursor.execute("PRAGMA page_count").fetchone()[0]) * int(cursor.execute("PRAGMA page_size").fetchone()[0])

    before, stored = size(), [rank.rank() for _ in range(RANKINGS)]
    places = sum(len(one.row.places.altitude) for one in stored)
    texts = [len(json.dumps(row.terms)) + len(json.dumps(row.visibility)) for row in stored[0].row.ranks.all()]
    return {"places": float(places), "rank_bytes": (size() - before) / places, "rank_json_bytes": float(np.mean(texts))}


def _fill(first: int, last: int) -> None:
    """Objects ``first`` to ``last``: the first `RANKED` of all were seen lately and have light curves."""
    from django.contrib.auth import get_user_model
    from django.db import transaction
    from tom_targets.models import Target

    from broker_adapters.healpix import cells
    from broker_adapters.records import Kind
    from tom_alerce.clock import now
    from tom_alerce.models import Classification, Detection, MatchCandidate, SkyObject, SurveyObject

    random, at = np.random.default_rng(first), now()
    n = last - first
    ra, dec = random.uniform(0, 360, n), np.degrees(np.arcsin(random.uniform(-1, 1, n)))
    place = zip(range(first, last), ra.tolist(), dec.tolist(), cells(ra, dec).tolist(), strict=True)
    rows = [(i, {"ra": a, "dec": d, "healpix": h, "position_err": 0.1}, _seen(i, at)) for i, a, d, h in place]
    get_user_model().objects.get_or_create(username="owner")
    with transaction.atomic():
        targets = [
            Target(name=f"target {i}", type="SIDEREAL", permissions="PRIVATE", ra=p["ra"], dec=p["dec"]) for i, p, _ in rows if not i % 10
        ]
        owned = {t.name: t for t in Target.objects.bulk_create(targets, batch_size=900)}
        skies = SkyObject.objects.bulk_create(
            [SkyObject(target_id=getattr(owned.get(f"target {i}"), "pk", None), evidence=f"{i}", **p, **s) for i, p, s in rows],
            batch_size=900,
        )
        members = SurveyObject.objects.bulk_create(
            [
                SurveyObject(survey="ztf", object_id=f"ZTF26{i:08d}", sky_object=sky, **p, **s)
                for (i, p, s), sky in zip(rows, skies, strict=True)
            ],
            batch_size=900,
        )
        Classification.objects.bulk_create([_classification(i, sky) for (i, _, _), sky in zip(rows, skies, strict=True)], batch_size=900)
        MatchCandidate.objects.bulk_create(
            [
                MatchCandidate(survey_object=m, sky_object=s, separation=1.2)
                for m, s in zip(members, np.roll(np.array(skies), 1), strict=True)
            ],
            batch_size=900,
        )
        detections = [
            Detection(
                survey_object=m, survey="ztf", source_id=f"{i}-{k}", kind=Kind.ALERT, mjd=at - 0.5 - k, band="gr"[k % 2],
                flux=float(random.uniform(2e4, 2e5)), flux_err=1500.0, ra=p["ra"], dec=p["dec"], position_err=0.1, reliability=0.9,
            )
            for (i, p, _), m in zip(rows, members, strict=True) if i < RANKED for k in range(POINTS)
        ]  # fmt: skip
        Detection.objects.bulk_create(detections, batch_size=500)


def _seen(i: int, at: float) -> dict[str, float]:
    last = at - 0.5 if i < RANKED else at - 100.0 - 1e-4 * i
    return {"first_mjd": last - POINTS, "last_mjd": last, "n_detections": POINTS}


def _classification(i: int, sky: Any) -> Any:
    from tom_alerce.models import Classification

    share = (i % 97) / 200
    fields = {
        "evidence": f"{i}",
        "label": "SN",
        "probability": 1 - share,
        "probabilities": {"SN": 1 - share, "AGN": share},
        "n_detections": 12,
    }
    return Classification(sky_object=sky, classifier="stamp", version="1", **fields)


def _fail(address: str) -> None:
    raise RuntimeError(f"{address} cannot be read")
