"""Who looks at the pages."""

from __future__ import annotations

import pytest

from tests.tom_alerce import factories


@pytest.fixture
def observer(client):
    """A user who may decide and request, as most observers of a TOM, and whom the client has logged in."""
    user = factories.user()
    factories.roles(user, "decide", "request")
    client.force_login(user)
    return user
