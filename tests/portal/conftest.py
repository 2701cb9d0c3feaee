"""The portal, started once; skipped with a reason where it cannot be had, unless it is required."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from django.core.cache import cache

from tests.portal import servers
from tests.portal.proxy import Proxy
from tests.unguarded import UNGUARDED


@pytest.fixture(scope="session")
def portal():
    """A real observation portal."""
    if why := servers.missing():
        if os.getenv("TOM_ALERCE_REQUIRE_SERVICES") == "1":
            pytest.fail(why)
        pytest.skip(why)
    with tempfile.TemporaryDirectory() as folder:  # pytest's own is closed to the user that PostgreSQL runs as
        started = servers.Portal(Path(folder) / "portal")
        yield started
        started.stop()


@pytest.fixture(scope="session")
def proxy(portal):
    """What stands between the TOM and the portal."""
    return Proxy(portal.port)


@pytest.fixture
def tom(portal, proxy, settings):
    """A TOM with a key of the portal."""
    cache.clear()
    address = f"http://127.0.0.1:{proxy.port}"
    account = {"portal_url": address, "archive_url": f"{address}/archive/", "api_key": servers.TOKEN}
    settings.FACILITIES = dict.fromkeys(("LCO", "SOAR", "BLANCO"), account)
    settings.TOM_FACILITY_CLASSES = [f"tom_observations.facilities.{one.lower()}.{one}Facility" for one in settings.FACILITIES]
    settings.TOM_ALERCE = {
        "FACILITY": {"name": "lco", "proposal": servers.PROPOSAL},
        "FACILITY_TIMEOUT": 10.0,
        "FACILITY_SETTLED": 0.0,
        "GUARDS": UNGUARDED,
    }
    yield settings
    proxy.release()
    cache.clear()
