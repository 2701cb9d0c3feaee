"""Contract of a reader of notices (`broker_adapters.notice.NoticeModule`), over every one found."""

from __future__ import annotations

import math
import random
import tracemalloc

import pytest

from broker_adapters import notice, plugins, values
from broker_adapters.errors import PacketError
from broker_adapters.notice import Cone, Notice, Role
from broker_adapters.skymap import SkyMap
from tests.broker_adapters.test_damage import damaged
from tests.contracts.notices import MESSAGES

PACKAGE = "broker_adapters.notices"
THEIRS = "tests.contracts.third_party.beacon"
NAMES = (*plugins.names(PACKAGE), THEIRS)
EVERY = [(name, i) for name in NAMES for i in range(len(MESSAGES[name]))]
every = pytest.mark.parametrize(("name", "i"), EVERY)


@pytest.fixture(autouse=True)
def _in_use():
    before = plugins.every(PACKAGE)
    plugins.use(PACKAGE, [THEIRS])
    yield
    plugins.use(PACKAGE, before)


def sound(one: object) -> None:
    """What every notice keeps, however damaged it was."""
    assert isinstance(one, Notice)
    assert one.event
    assert one.event.isprintable()
    assert len(one.event) <= 100
    assert len(one.stage) <= 40
    assert values.sane(one.issued)
    assert values.sane(one.mjd) or (one.retracted and math.isnan(one.mjd))
    assert one.retracted or isinstance(one.place, (Cone, SkyMap))
    assert all(0.0 <= share <= 1.0 for share in one.classes.values())
    assert all(isinstance(text, str) and len(text) <= 200 for text in one.facts.values())
    if isinstance(one.place, Cone):
        assert 0.0 <= one.place.ra < 360.0
        assert abs(one.place.dec) <= 90.0
        assert min(one.place.error, one.place.minor) > 0.0
    elif one.place is not None:
        assert (one.place.density * one.place.area).sum() == pytest.approx(1.0)


@pytest.mark.parametrize("name", NAMES)
def test_the_module_says_whose_notices_they_are(name):
    assert (plugins.load(PACKAGE, name).__doc__ or "").strip()


@every
def test_exactly_one_reader_knows_a_message_and_reads_it(name, i):
    data = MESSAGES[name][i]
    assert [other for other in NAMES if plugins.load(PACKAGE, other).recognises(data)] == [name]
    one = notice.read(data)
    sound(one)
    assert one.role in Role


@every
def test_a_thousand_mutations_are_a_notice_or_an_error_of_ours(name, i):
    chance, data = random.Random(i), MESSAGES[name][i]
    refused = set()
    tracemalloc.start()
    try:
        for number in range(1000):
            mutated = damaged(data, chance)
            try:
                sound(notice.read(mutated) if number % 2 else plugins.load(PACKAGE, name).read(mutated))
            except PacketError as error:
                refused.add(str(error))
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()
    assert refused
    assert all(refused)


@pytest.mark.parametrize(
    "data", [b"", b"\x00" * 100, b"{}", b"[]", b"<VOEvent", b"null", b'{"superevent_id": []}', b"[" * 100_000, b"\xff{" * 9]
)
def test_what_is_no_notice_is_refused(data):
    for reader in (notice.read, *(plugins.load(PACKAGE, name).read for name in NAMES)):
        with pytest.raises(PacketError):
            reader(data)
