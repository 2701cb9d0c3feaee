from io import StringIO

import pytest
from django.core.management import call_command


@pytest.mark.django_db
def test_migrations_are_complete():
    call_command("makemigrations", "tom_alerce", check=True, dry_run=True, stdout=StringIO())
