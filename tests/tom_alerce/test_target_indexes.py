"""An alert finds its target by indexes of ours on the toolkit's tables, whatever the number of targets."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from django.db import connection
from tom_targets.models import BaseTarget

from tests.tom_alerce import factories
from tom_alerce.store import indexes, targets

pytestmark = pytest.mark.django_db


@contextmanager
def plans():
    """The plans of the queries of the body, as for tables that are too large to be read from end to end."""
    found = []

    def explain(execute, sql, params, many, context):
        if sql.startswith(("SELECT", "WITH")):
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN {'' if connection.vendor == 'postgresql' else 'QUERY PLAN '}{sql}", params)
                found.append(" ".join(str(row) for row in cursor.fetchall()))
        return execute(sql, params, many, context)

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for table, _ in indexes.INDEXES.values():
                cursor.execute(f"ANALYZE {table}")
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off")
    with connection.execute_wrapper(explain):
        yield found


def test_a_target_is_found_by_index():
    for i in range(4):
        factories.target(f"SN 2026{'abcd'[i]}x", ra=i, dec=i).aliases.create(name=f"alias {i}")
    for i in range(200):  # few rows are read from end to end by whatever index
        factories.target(f"many {i}", ra=100 + i % 200, dec=40 + i / 10).aliases.create(name=f"another {i}")
    one, three = BaseTarget.objects.filter(ra__in=[1, 3]).order_by("ra").values_list("pk", flat=True)
    with plans() as found:
        assert targets.named([["at2026bx"], ["Alias-3"], ["nobody"]]) == [one, three, None]
        assert [[pk for pk, _ in near] for near in targets.nearby([1.0, 1.0], [1.0, 1.1])] == [[one], []]
    for index in indexes.INDEXES:
        assert any(index in plan for plan in found), found


def test_the_indexes_go_with_our_tables(monkeypatch):
    def there():
        with connection.cursor() as cursor:
            tables = {table for table, _ in indexes.INDEXES.values()}
            return {name for table in tables for name in connection.introspection.get_constraints(cursor, table)} & set(indexes.INDEXES)

    assert there() == set(indexes.INDEXES)
    monkeypatch.setattr(connection.introspection, "table_names", lambda: ["tom_targets_basetarget", "tom_targets_targetname"])
    indexes.ensure()
    assert not there()
    monkeypatch.undo()
    indexes.ensure()
    assert there() == set(indexes.INDEXES)
