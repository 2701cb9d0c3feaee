"""Who looks at the pages."""

from __future__ import annotations

import pytest

from tests.tom_alerce import factories


@pytest.fixture
def observer(client):
    """A user without particular rights, whom the client has logged in."""
    user = factories.user()
    client.force_login(user)
    return user
