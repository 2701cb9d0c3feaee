"""Every command says what to do where the database has not our tables, or not all of them."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command, get_commands
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from tom_alerce.management import command

COMMANDS = {
    "alerce_catalogues": ["fetch", "tns"],
    "alerce_ingest": ["/nowhere"],
    "alerce_simulate": ["--out", "/nowhere"],
    "alerce_stream": ["night"],
    "alerce_submit": ["--dry-run"],
}


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(c for c, app in get_commands().items() if app == "tom_alerce"))
def test_a_command_asks_for_migrate(name):
    latest = max(command_migrations())
    MigrationRecorder(connection).record_unapplied("tom_alerce", latest)
    assert command.unapplied() == [latest]
    with pytest.raises(CommandError, match=r"run 'manage.py migrate' first: the database lacks 1 of our migrations"):
        call_command(name, *COMMANDS.get(name, ()))


@pytest.mark.django_db
def test_a_database_without_any_table_lacks_all_migrations(monkeypatch):
    monkeypatch.setattr(MigrationRecorder, "has_table", lambda self: False)
    assert command.unapplied() == sorted(command_migrations())


def command_migrations():
    return {name for app, name in MigrationRecorder(connection).applied_migrations() if app == "tom_alerce"} or set(all_names())


def all_names():
    from pkgutil import iter_modules

    from tom_alerce import migrations

    return [module.name for module in iter_modules(migrations.__path__)]
