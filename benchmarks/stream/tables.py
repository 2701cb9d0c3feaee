"""Tables before and after: what they hold, how large they are, and many rows in no time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from broker_adapters import healpix
from broker_adapters.sources.archives import Packet
from broker_adapters.surveys import ztf

#: Keys of the rows that `fill` makes begin here; those of its originals, which do not stay.
_KEYS, _ORIGINAL = 10**9, 10**9 - 1


def stored() -> int:
    """Number of survey objects."""
    from tom_alerce.models import SurveyObject

    return SurveyObject.objects.count()


def promote(object_ids: Collection[str]) -> None:
    """Make targets of these survey objects."""
    from tom_alerce.models import SkyObject
    from tom_alerce.store import targets

    for sky in SkyObject.objects.filter(survey_objects__object_id__in=object_ids):
        targets.promote(sky)


def disk() -> float:
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


def fill(n: int, first: int) -> None:
    """Make n sky objects with a survey object each all over the sky, and as many targets elsewhere, as copies of one of each."""
    from tom_targets.models import BaseTarget

    from tom_alerce.models import SkyObject, SurveyObject

    random = np.random.default_rng(first)
    ra, dec = random.uniform(0, 360, n), np.degrees(np.arcsin(random.uniform(-1, 1, n)))
    _places(list(zip(range(first, first + n), ra.tolist(), dec.tolist(), healpix.cells(ra, dec).tolist(), strict=True)))
    place = {"ra": "p.ra", "dec": "p.dec"}
    key = f"{_KEYS + 100 * first} + p.i"  # SQLite gives what comes between two calls the keys after the last
    own = place | {"healpix": "p.healpix", "id": key}
    where = {"pk": _ORIGINAL, "ra": 0.0, "dec": 0.0}
    sky = SkyObject.objects.create(**where, position_err=0.1, healpix=0)
    member = SurveyObject.objects.create(**where, survey="ztf", object_id="to be copied", sky_object=sky, position_err=0.1, healpix=0)
    target = BaseTarget.objects.create(**where, name="to be copied", type="SIDEREAL")
    _copy(sky, own)
    _copy(member, own | {"object_id": "'old ' || p.i", "sky_object_id": key})
    _copy(target, {"ra": "p.ra", "dec": "-p.dec", "id": key, "name": "'target ' || p.i"})
    for row in (target, member, sky):
        row.delete()
    _statement("DROP TABLE benchmark_places")
    _statement("ANALYZE")


def light_rows(packets: Iterable[Packet], nights: int) -> int:
    """Write a light row of each of these packets on so many nights, in batches as a stream would; how many."""
    from tom_alerce.store import passed
    from tom_alerce.store.sql import chunks

    alerts = [ztf.read(packet.data, history=False) for packet in packets]
    rows = (passed.Passed(replace(alert, mjd=alert.mjd + night), "bogus", 0.9) for night in range(nights) for alert in alerts)
    return sum(passed.save(part) for part in chunks(rows, 250))


def _places(rows: list[tuple[int, float, float, int]]) -> None:
    from django.db import connection

    _statement("CREATE TEMPORARY TABLE benchmark_places (i bigint, ra double precision, dec double precision, healpix bigint)")
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy("COPY benchmark_places FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            cursor.executemany("INSERT INTO benchmark_places VALUES (%s, %s, %s, %s)", rows)


def _copy(row: Any, given: Mapping[str, str]) -> None:
    """Copy a row to each place, with these expressions in the place of columns."""
    table, columns = row._meta.db_table, [field.column for field in row._meta.concrete_fields]
    chosen = ", ".join(given.get(name, f't."{name}"') for name in columns)
    names = ", ".join(f'"{name}"' for name in columns)
    _statement(f"INSERT INTO {table} ({names}) SELECT {chosen} FROM {table} t, benchmark_places p WHERE t.id = {row.pk}")


def _statement(text: str) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(text)
