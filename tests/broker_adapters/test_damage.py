"""A thousand damaged packets: each is a PacketError with a reason, or an alert where the damage left one."""

import random

import numpy as np

from broker_adapters.cutouts import images
from broker_adapters.errors import PacketError
from broker_adapters.packets import read as read_packet
from tests.broker_adapters import build

GIANT = b"\xff" * 8 + b"\x7f"  #: the largest number that Avro can write


def damaged(data, chance):
    """The packet truncated, with bits flipped, a giant length, a piece displaced, or noise in it."""
    data = bytearray(data)
    at = chance.randrange(len(data))
    kind = chance.randrange(6)
    if kind == 0:
        del data[at:]
    elif kind == 1:
        for _ in range(chance.choice([1, 1, 5, 50])):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    elif kind == 2:
        data[at % 12000] ^= 1 << chance.randrange(8)
    elif kind == 3:
        data[at : at + len(GIANT)] = GIANT
    elif kind == 4:
        other = chance.randrange(len(data))
        data[at : at + 100] = data[other : other + chance.randrange(200)]
    else:
        data[at : at + 200] = chance.randbytes(chance.randrange(1, 400))
    return bytes(data)


def test_a_thousand_damaged_packets():
    chance = random.Random(5)
    small = build.stamps(21)
    whole = [
        build.packet("ztf", build.rows("ztf", 6, kinds=[0, 2, 1, 0, 1, 0])),
        build.packet("ztf", build.rows("ztf", 6, kinds=[0, 2, 1, 0, 1, 0]), stamps=None),
        build.packet("atlas"),
        build.packet("lsst", build.rows("lsst", 6, kinds=[0, 1, 1, 0, 1, 0]), stamps=small),
        build.packet("lsst", build.rows("lsst", 6, kinds=[0, 1, 1, 0, 1, 0]), stamps=None, wire=False),
    ]
    outcomes = {"alert": 0, "refused": 0, "bad stamp": 0}
    reasons = set()
    for number in range(1000):
        packet = damaged(whole[number % len(whole)], chance)
        try:
            alert = read_packet(packet, history=number % 3 > 0)
        except PacketError as error:
            reasons.add(str(error))
            outcomes["refused"] += 1
            continue
        outcomes["alert"] += 1
        assert 0 <= alert.ra <= 360
        assert -90 <= alert.dec <= 90
        assert np.isfinite([alert.mjd, alert.position_err]).all()
        assert alert.object_id.isprintable()
        try:
            images(alert.cutouts)
        except PacketError:
            outcomes["bad stamp"] += 1
    assert outcomes["refused"] > 300
    assert outcomes["alert"] > 100
    assert min(map(len, reasons)) > 10
    assert outcomes["bad stamp"] > 10
    for packet in whole:  # nothing of it sticks
        read_packet(packet)
