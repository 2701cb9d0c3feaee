"""Fills the tables: objects everywhere, of which the first `RANKED` were seen lately."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from tom_targets.models import Target

from benchmarks.pages.images import stamps
from broker_adapters.healpix import cells
from broker_adapters.records import Kind
from tom_alerce.clock import now
from tom_alerce.models import Classification, Detection, MatchCandidate, SkyObject, SurveyObject

#: Objects of a ranking, detections of an object, and undecided matches.
RANKED, POINTS, MATCHES = 500, 15, 5_000


def fill(size: int) -> None:
    """Add objects until there are ``size``; a tenth are private targets of others, each has classifications and measurements."""
    first = SkyObject.objects.count()
    random, at = np.random.default_rng(first), now()
    n = size - first
    ra, dec = random.uniform(0, 360, n), np.degrees(np.arcsin(random.uniform(-1, 1, n)))
    place = zip(range(first, size), ra.tolist(), dec.tolist(), cells(ra, dec).tolist(), strict=True)
    rows = [(i, {"ra": a, "dec": d, "healpix": h, "position_err": 0.1}, _seen(i, at)) for i, a, d, h in place]
    with transaction.atomic():
        owned = _targets((i, place["ra"], place["dec"]) for i, place, _ in rows if not i % 10)
        skies = SkyObject.objects.bulk_create(
            [SkyObject(target_id=owned.get(i), evidence=f"{i}", **p, **s) for i, p, s in rows], batch_size=900
        )
        members = SurveyObject.objects.bulk_create(
            [
                SurveyObject(survey="ztf", object_id=f"ZTF26{i:08d}", sky_object=sky, **p, **s)
                for (i, p, s), sky in zip(rows, skies, strict=True)
            ],
            batch_size=900,
        )
        Classification.objects.bulk_create(
            [one for (i, _, _), sky in zip(rows, skies, strict=True) for one in _classifications(i, sky)], batch_size=900
        )
        if not first:
            _matches(members, skies)
            stamps(members[:RANKED])
        _measure(rows, members, random)


def _targets(places: Iterable[tuple[int, float, float]]) -> dict[int, int]:
    """Private targets, by number of the object: nobody's but their owner's."""
    get_user_model().objects.get_or_create(username="owner")
    listed = list(places)
    made = Target.objects.bulk_create(
        [Target(name=f"target {i}", type="SIDEREAL", permissions="PRIVATE", ra=ra, dec=dec) for i, ra, dec in listed], batch_size=900
    )
    return {i: target.pk for (i, _, _), target in zip(listed, made, strict=True)}


def _matches(members: Sequence[SurveyObject], skies: Sequence[SkyObject]) -> None:
    MatchCandidate.objects.bulk_create(
        [MatchCandidate(survey_object=members[k], sky_object=skies[k - 1], separation=1.2) for k in range(1, MATCHES + 1)], batch_size=900
    )


def _measure(rows: Sequence[Any], members: Sequence[SurveyObject], random: np.random.Generator) -> None:
    """`POINTS` detections of each object, written as the database likes it best."""
    flux = random.uniform(2e4, 2e5, (len(rows), POINTS)).tolist()
    names = (
        "survey_object_id", "survey", "source_id", "kind", "mjd", "band", "flux", "flux_err", "ra", "dec", "position_err", "reliability",
    )  # fmt: skip
    values = (
        (m.pk, "ztf", f"{i}-{k}", int(Kind.ALERT), s["last_mjd"] - k, "gr"[k % 2], flux[j][k], 1500.0, p["ra"], p["dec"], 0.1, 0.9)
        for j, ((i, p, s), m) in enumerate(zip(rows, members, strict=True))
        for k in range(POINTS)
    )
    table, columns = Detection._meta.db_table, ", ".join(names)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for row in values:
                    copy.write_row(row)
        else:
            cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({', '.join(['%s'] * len(names))})", values)


def _seen(i: int, at: float) -> dict[str, float]:
    last = at - 0.5 if i < RANKED else at - 100.0 - 1e-4 * i
    return {"first_mjd": last - POINTS, "last_mjd": last, "n_detections": POINTS}


def _classifications(i: int, sky: Any) -> list[Classification]:
    """By stamp of every object, by light curve of those that are ranked."""
    share = (i % 97) / 200
    every = {"stamp": {"SN": 1 - share, "AGN": share}}
    if i < RANKED:
        every["lightcurve"] = {"SNIa": 0.8 - share, "SNII": 0.2, "QSO": share}
    return [
        Classification(
            sky_object=sky, classifier=name, version="1", evidence=f"{i}", label=max(chances, key=lambda c: chances[c]),
            probability=max(chances.values()), probabilities=chances, n_detections=POINTS,
        )
        for name, chances in every.items()
    ]  # fmt: skip
