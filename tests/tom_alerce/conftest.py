"""Who looks at the pages."""

from __future__ import annotations

import pytest
from django.core.cache import cache

from tests.tom_alerce import factories


@pytest.fixture
def observer(client):
    """A user who may decide and request, as most observers of a TOM, and whom the client has logged in."""
    user = factories.user()
    factories.roles(user, "decide", "request")
    client.force_login(user)
    return user


@pytest.fixture(autouse=True)
def _nobody_has_asked_yet():
    """Each test begins with all of the requests that an account may make of the API."""
    cache.clear()
