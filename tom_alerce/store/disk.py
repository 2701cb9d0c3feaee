"""How many bytes the database takes, once a day, so that its growth can be told."""

from __future__ import annotations

from datetime import timedelta

from django.apps import apps
from django.db import connection
from django.utils import timezone

from tom_alerce.models import DiskUse

#: Apps of which the tables grow with the alerts; days of sizes that are kept.
_APPS, KEPT = ("tom_alerce", "tom_targets", "tom_dataproducts", "tom_observations"), 400


def measure() -> DiskUse | None:
    """Measure the database unless that was done today; None if it was, or if the database cannot tell."""
    today = timezone.now().date()
    if DiskUse.objects.filter(day=today).exists() or (total := _total()) is None:
        return None
    DiskUse.objects.filter(day__lt=today - timedelta(days=KEPT)).delete()
    row, _ = DiskUse.objects.get_or_create(day=today, defaults={"total": total, "tables": _tables()})
    return row


def _total() -> int | None:
    queries = {
        "postgresql": "SELECT pg_database_size(current_database())",
        "sqlite": "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
    }
    if connection.vendor not in queries:
        return None
    with connection.cursor() as cursor:
        cursor.execute(queries[connection.vendor])
        return int(cursor.fetchone()[0])


def _tables() -> dict[str, int]:
    """Table -> bytes with its indexes and what is stored apart; {} where finding out would read the whole database (SQLite)."""
    if connection.vendor != "postgresql":
        return {}
    ours = [model._meta.db_table for app in _APPS if apps.is_installed(app) for model in apps.get_app_config(app).get_models()]
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname, pg_total_relation_size(oid) FROM pg_class WHERE relkind = 'r' AND relname = ANY(%s)", [ours])
        return {name: int(size) for name, size in cursor.fetchall()}
