"""What every test shares: no network but loopback, no IERS download, and where the real data is."""

from __future__ import annotations

import os
import socket
import sys
from itertools import count
from pathlib import Path

import hypothesis
import pytest
from astropy.utils import iers

from tests.kafka import mock_cluster

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright's synchronous API runs a loop in the thread of the test
iers.conf.auto_download = False
iers.conf.auto_max_age = None
hypothesis.settings.register_profile("untimed", deadline=None)  # tests never time
hypothesis.settings.load_profile("untimed")

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data beside the repository."""
    if not SHARED.is_dir():
        pytest.skip(f"no real data: {SHARED} is absent")
    return SHARED


@pytest.fixture(autouse=True, scope="session")
def _loopback_only():
    """Any connection that would leave this machine is an error of the test."""
    connect = socket.socket.connect

    def guarded(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6) and not str(address[0]).startswith(("127.", "::1", "localhost")):
            raise AssertionError(f"a test tried to reach {address}")
        return connect(self, address)

    socket.socket.connect = guarded
    yield
    socket.socket.connect = connect


@pytest.fixture(scope="module")
def cluster():
    """A producer and the servers of a Kafka of our own."""
    with mock_cluster() as found:
        yield found


@pytest.fixture(autouse=True)
def _same_light_curves():
    """Each test makes the same light curves, whatever ran before it."""
    factories = sys.modules.get("tests.tom_alerce.factories")
    if factories is not None:
        factories.seeds = count()
