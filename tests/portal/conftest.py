"""The portal, started once; skipped with a reason where it cannot be had, unless it is required."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.core.cache import cache

from tests.portal import servers
from tests.portal.proxy import Proxy


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.portal)


@pytest.fixture(scope="session")
def portal(tmp_path_factory):
    """A real observation portal."""
    if why := servers.missing():
        if os.getenv("TOM_ALERCE_REQUIRE_SERVICES") == "1":
            pytest.fail(why)
        pytest.skip(why)
    started = servers.Portal(tmp_path_factory.mktemp("portal"))
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
    settings.FACILITIES = {"LCO": {"portal_url": address, "archive_url": f"{address}/archive/", "api_key": servers.TOKEN}}
    settings.TOM_ALERCE = {
        "FACILITY": {"name": "lco", "proposal": servers.PROPOSAL},
        "FACILITY_TIMEOUT": 10.0,
        "FACILITY_SETTLED": 0.0,
    }
    yield settings
    proxy.release()
    cache.clear()
