"""Beacon, an all-sky monitor of a third party, for the contract tests: lines of text with an error of one standard deviation per axis.

A notice is ``BEACON <id> <MJD issued> <MJD of the flash> <ra> <dec> <error>``, in degrees; an error of 0 takes the flash back.
"""

from __future__ import annotations

from math import exp

from broker_adapters.errors import PacketError
from broker_adapters.notice import Cone, Messenger, Notice, Role
from broker_adapters.values import check, identifier, number, sane

#: Share within one standard deviation of a normal distribution of two dimensions.
_ONE_SIGMA = 1.0 - exp(-0.5)


def recognises(data: bytes) -> bool:
    """Whether these bytes are a notice of Beacon."""
    return data.startswith(b"BEACON ")


def read(data: bytes) -> Notice:
    """The notice of a flash."""
    parts = data.decode("ascii", "replace").split()
    if len(parts) != 7:
        raise PacketError(f"a notice of Beacon with {len(parts)} words")
    issued, mjd, ra, dec, error = map(number, parts[2:])
    if not (sane(issued) and sane(mjd) and 0.0 <= error < 90.0):
        raise PacketError("a notice of Beacon with an impossible time or error")
    check(ra, dec)
    place = Cone(ra % 360.0, dec, error, error, containment=_ONE_SIGMA) if error else None
    event = f"Beacon {identifier(parts[1])}"
    return Notice(event, Messenger.GAMMA, Role.OBSERVATION, "flash", issued, mjd, place, retracted=place is None)
