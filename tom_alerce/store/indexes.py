"""Indexes of ours on the toolkit's tables of targets, so that matching an alert to a target does not grow with their number.

They are made after every ``migrate``, since SQLite copies a table without them when the toolkit changes it; without them everything works,
only slower. When our own tables are gone they are removed.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from django.db import connections
from tom_targets.models import BaseTarget, TargetName

from tom_alerce.match_manager import SIMPLIFIED
from tom_alerce.models import SkyObject

_NAME = SIMPLIFIED % {"expressions": '"name"'}
#: Name of an index -> table and expression.
INDEXES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "alerce_target_name": (BaseTarget._meta.db_table, _NAME),
        "alerce_target_alias": (TargetName._meta.db_table, _NAME),
        "alerce_target_dec": (BaseTarget._meta.db_table, '"dec"'),
    }
)


def ensure(using: str = "default", **_: Any) -> None:
    """Make the indexes that are missing, or remove all if our tables are not there: a receiver of ``post_migrate``."""
    connection = connections[using]
    there = {SkyObject._meta.db_table, *(table for table, _ in INDEXES.values())} <= set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for name, (table, expression) in INDEXES.items():
            cursor.execute(
                f'CREATE INDEX IF NOT EXISTS "{name}" ON "{table}" ({expression})' if there else f'DROP INDEX IF EXISTS "{name}"'
            )
