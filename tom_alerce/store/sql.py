"""What the database layer needs beyond the ORM: inserts without instances, bounded lists of parameters, and locks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from django.db import connection
from django.db.models import JSONField, Model, QuerySet, Subquery
from django.db.models.constants import OnConflict
from django.db.models.functions import JSONObject

from tom_alerce.models import SkyObject

Item = TypeVar("Item")

#: Identity of our advisory lock in PostgreSQL ("ALeR" in ASCII): whoever makes new survey objects holds it.
_NEW_OBJECTS = 0x414C6552


def chunks(items: Iterable[Item], size: int = 900) -> Iterator[list[Item]]:
    """Lists of at most ``size`` items: SQLite bounds the number of parameters of a query (999 in older builds)."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def fetch(rows: QuerySet[Any, Any]) -> list[tuple[Any, ...]]:
    """Rows of a ``values_list`` of plain columns as the driver gives them: Django's own way takes twice as long."""
    with connection.cursor() as cursor:
        cursor.execute(*rows.query.sql_with_params())
        return list(cursor.fetchall())


def insert_ignore(model: type[Model], fields: Sequence[str], rows: Sequence[Sequence[Any]]) -> int:
    """Insert rows of column values, leaving out those that a unique constraint refuses; how many were added.

    ``bulk_create`` makes an instance of the model for each row, which takes five times as long as the insert itself.
    """
    concrete = {column.name: column for column in model._meta.concrete_fields}
    columns = [concrete[name] for name in fields]
    quote = connection.ops.quote_name
    statement = " ".join(
        (
            connection.ops.insert_statement(on_conflict=OnConflict.IGNORE),
            quote(model._meta.db_table),
            f"({', '.join(quote(str(column.column)) for column in columns)})",
            f"VALUES ({', '.join(['%s'] * len(columns))})",
            connection.ops.on_conflict_suffix_sql(columns, OnConflict.IGNORE, [], []),
        )
    )
    if not rows:
        return 0
    with connection.cursor() as cursor:
        cursor.executemany(statement, rows)
        added: int = cursor.rowcount
        return max(added, 0)


def upsert(model: type[Model], instances: Sequence[Model], fields: Sequence[str]) -> None:
    """Write these fields of instances that are already in the table, in a few statements."""
    model._default_manager.bulk_create(instances, update_conflicts=True, unique_fields=["id"], update_fields=fields, batch_size=900)


def begin_write() -> None:
    """Take SQLite's write lock now: a transaction that has read first cannot wait for another's write, it fails at once."""
    if connection.vendor == "sqlite":
        SkyObject.objects.filter(pk=0).update(moving=False)


def lock_new_objects() -> None:
    """Until the end of the transaction no other worker makes survey objects, so that two cannot each make one for the same source."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_NEW_OBJECTS])


class Rows(Subquery):
    """The rows of a subquery as a list of dictionaries, in one column of each row of a query: a query less for each kind of them.

    Times become text, and differ between databases; ask for numbers and texts alone.
    """

    output_field = JSONField()
    template = "(SELECT COALESCE(json_group_array(json(one_row)), '[]') FROM (%(subquery)s) some_rows)"

    def __init__(self, rows: QuerySet[Any, Any], *names: str, **columns: str) -> None:
        """Ask for these columns of ``rows``, by their own names or others."""
        super().__init__(rows.values(one_row=JSONObject(**dict(zip(names, names, strict=True)), **columns)))

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """PostgreSQL calls it otherwise."""
        template = "(SELECT COALESCE(jsonb_agg(one_row), '[]') FROM (%(subquery)s) some_rows)"
        return self.as_sql(compiler, connection, template=template, **context)
