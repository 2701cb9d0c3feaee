"""Pages over tables of 10,000 and 100,000 objects with 15 detections each: milliseconds of CPU, and queries.

The tables are those of SQLite in a folder of its own, or of the empty PostgreSQL database that ``.ci/with-postgresql`` starts:
``.ci/with-postgresql python -m benchmarks pages``. Milliseconds are of this process and of the database's, each the median of some turns
after a first one. A tenth of the objects are private targets of others; the user is an ordinary one. The toolkit's own list and page of
targets stand beside, over a tenth as many. ``rank_bytes`` is what a place of a ranking adds to the database, beside what terms and
visibility take as JSON in each row.
"""

from __future__ import annotations

import os
import tempfile
from importlib import import_module
from typing import Any

#: Objects in the tables, and the name of that number in the figures.
SIZES = {10_000: "10k", 100_000: "100k"}
#: Modules of this package, each with a function ``figures(client, size)``.
PARTS = ("board", "objects", "review", "api", "explorer", "watch", "toolkit")


def run(objects: int | None = None) -> dict[str, Any]:
    """Figures of each part at each size up to ``objects``, and bytes of a place of a ranking."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TOM_ALERCE_DEMO_DATA"] = folder
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo.settings")
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connection, connections

        from benchmarks.pages import ranks, tables
        from benchmarks.pages.measure import client_of

        if connection.vendor == "postgresql":
            _make_database()
        call_command("migrate", verbosity=0)
        found: dict[str, Any] = {"database": connection.vendor}
        for size, name in SIZES.items():
            if objects is not None and size > objects:
                continue
            tables.fill(size)
            found |= ranks.figures()
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE")
            client = client_of("observer")
            for part in PARTS:
                found |= {key.format(size=name): value for key, value in import_module(f"benchmarks.pages.{part}").figures(client).items()}
        connections.close_all()
    return found


def add_arguments(parser: Any) -> None:
    """Options of this benchmark."""
    parser.add_argument("--objects", type=int, help="stop at tables of so many objects")


def _make_database() -> None:
    """Make the database of the settings, on the server that they name."""
    import psycopg
    from django.db import connection

    settings = connection.settings_dict
    where = {"host": settings["HOST"], "port": settings["PORT"], "user": settings["USER"], "password": settings["PASSWORD"]}
    with psycopg.connect(dbname="postgres", autocommit=True, **where) as server:
        server.execute(psycopg.sql.SQL("create database {}").format(psycopg.sql.Identifier(settings["NAME"])))
