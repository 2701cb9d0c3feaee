"""What lies in folders, archives and stamps is read (rows 26 and 27)."""

from __future__ import annotations

import numpy as np
import pytest

from broker_adapters.cutouts import images
from broker_adapters.packets import read
from broker_adapters.sources.files import packets
from tests.field import DATA


@pytest.mark.parametrize("name", ["42-N.TAR.GZ", "42-n.tar.bz2", "42-n.tar.xz", "42-one.avro.gz"])
def test_row_26_archives_of_every_kind_and_spelling_are_read(name):
    found = list(packets([DATA / name]))
    assert len(found) == 1
    assert {read(packet.data).survey for packet in found} == {"ztf"}


def test_row_26_an_empty_night_is_no_problem():
    assert list(packets([DATA / "41-empty-night.tar.gz"])) == []


def test_row_27_a_stamp_of_two_gzip_members_is_read():
    alert = read((DATA / "43-stamp-two-gzip-members.avro").read_bytes())
    found = images(alert.cutouts)
    assert found is not None
    assert found.shape[1:] == (63, 63)
    assert np.isfinite(found).all(axis=(1, 2)).all()
