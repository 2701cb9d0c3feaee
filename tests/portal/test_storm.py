"""A hundred faults and twenty double submissions: as many request groups at the portal as there are requests here, and all known."""

from __future__ import annotations

import pytest

from benchmarks import submit
from tests.portal.storm import FAULTS, Storm

pytestmark = pytest.mark.portal


@pytest.fixture
def storm(portal, tmp_path):
    return Storm(portal, tmp_path)


def test_every_request_is_there_once_and_known_whatever_went_wrong(storm):
    figures = submit.measure(storm)
    n = submit.FAULTS + submit.DOUBLES + 2 * submit.CALM  # without guards and with them
    assert set(storm.suffered) == set(FAULTS[1:])
    assert sum(storm.suffered.values()) >= 100
    wanted = {"requests": n, "groups": n, "lost": 0, "doubled": 0, "unknown_after_sync": 0}
    assert {name: figures[name] for name in wanted} == wanted, storm.unfinished()
    assert figures["longest_wait_s"] <= figures["timeout_s"] + 1.0
