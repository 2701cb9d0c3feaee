"""What the benchmark of a stream is fed with, and the rows that it makes."""

from __future__ import annotations

import time

import numpy as np
import pytest
from tom_targets.models import BaseTarget

from benchmarks.stream import feeds, tables
from broker_adapters import healpix
from tom_alerce.models import SkyObject, SurveyObject


@pytest.fixture
def path(tmp_path):
    return feeds.write(tmp_path / "packets", [bytes([i]) * (i + 1) for i in range(10)])


def test_workers_share_a_file_and_a_long_run_repeats_it(path):
    assert [p.data for p in feeds.read(path)] == [bytes([i]) * (i + 1) for i in range(10)]
    halves = [[p.data for p in feeds.share(path, i, 2)] for i in range(2)]
    assert sorted(halves[0] + halves[1]) == [p.data for p in feeds.read(path)]
    assert [len(p.data) for p in feeds.share(path, 0, 1, 23)] == [*range(1, 11), *range(1, 11), 1, 2, 3]


def test_packets_come_at_their_pace_and_each_has_a_latency(path):
    feed = feeds.Feed(feeds.read(path), rate=200.0)
    began, batches = time.monotonic(), []
    while not feed.ended:
        if batch := feed.poll(500, 0.01, 1 << 20, ahead=False):
            feed.commit(batch)
            batches.append(len(batch))
    assert sum(batches) == len(feed.latencies) == 10
    assert time.monotonic() - began >= 0.04
    assert min(feed.latencies) > -0.005


def test_copied_rows_are_all_over_the_sky(db):
    tables.fill(40, 0)
    tables.fill(10, 40)
    assert (SkyObject.objects.count(), SurveyObject.objects.count(), BaseTarget.objects.count()) == (50, 50, 50)
    rows = SurveyObject.objects.select_related("sky_object")
    assert all(row.sky_object.ra == row.ra for row in rows)
    cells = healpix.cells([row.ra for row in rows], [row.dec for row in rows])
    np.testing.assert_array_equal(cells, [row.healpix for row in rows])
    assert len({row.object_id for row in rows}) == 50
