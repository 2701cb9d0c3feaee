"""The nouns of notices: what an observatory says of one event somewhere in a part of the sky, and the reader of all their messages.

An event is anything that may have a counterpart among the objects of the surveys: a merger heard as gravitational waves, a burst of gamma
or X rays, a neutrino. Its observatory sends several notices of it, each with a better place, and may take it back. Places are degrees,
ICRS.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from math import nan
from types import MappingProxyType
from typing import Protocol

from broker_adapters import plugins
from broker_adapters.errors import PacketError
from broker_adapters.skymap import SkyMap

#: Bytes of a notice at most: maps of a whole night's best event have some megabytes.
MAX_NOTICE = 32 << 20
#: What GCN's Kafka sends as if it were a message, when a topic of the subscription has gone.
_ABOUT_TOPICS = (b"Broker: ", b"Subscribed topic not available")
_PACKAGE = "broker_adapters.notices"
_NOTHING: Mapping[str, str] = MappingProxyType({})


class Messenger(str, Enum):
    """What has come from the event."""

    WAVES = "gravitational waves"
    GAMMA = "gamma rays"
    X_RAYS = "X rays"
    NEUTRINO = "neutrino"


class Role(str, Enum):
    """Whether the event is one: observatories send simulated ones, to keep the way to the observers open, and tests of that way."""

    OBSERVATION = "observation"
    MOCK = "mock"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Cone:
    """A place with its error: a circle, or an ellipse.

    Attributes
    ----------
    ra, dec : float
        Degrees, ICRS.
    error, minor : float
        Degrees: radius, or first and second semi-axis, of the circle or ellipse that holds the event with probability ``containment``.
    angle : float
        Degrees from north through east of the first axis.
    containment : float
        Above 0 and below 1.
    systematic : tuple of (float, float)
        Further errors that ``error`` leaves out: share of the events and standard deviation per axis, degrees; shares sum to 1.
    """

    ra: float
    dec: float
    error: float
    minor: float
    angle: float = 0.0
    containment: float = 0.9
    systematic: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice of one event.

    Attributes
    ----------
    event : str
        Name of the event, the same in all its notices: observatory and number, or a name that no other gives.
    messenger : Messenger
    role : Role
    stage : str
        What the observatory calls this version, such as ``preliminary``.
    issued : float
        MJD, UTC: when the notice was made. Of two notices of an event the later one counts.
    number : int
        Place in the sequence, where the observatory counts; else 0.
    mjd : float
        MJD, UTC, of the event; NaN where a retraction does not repeat it.
    retracted : bool
        The event is taken back.
    place : Cone, SkyMap or None
        None for a retraction alone.
    far : float
        Hz: how often noise looks like it; NaN where it is not known.
    classes : mapping of str to float
        Probabilities of what it is, as the observatory names them.
    facts : mapping of str to str
        What else an observer wants to read: instruments, names, pages.
    """

    event: str
    messenger: Messenger
    role: Role
    stage: str
    issued: float
    mjd: float
    place: Cone | SkyMap | None = field(repr=False)
    number: int = 0
    retracted: bool = False
    far: float = nan
    classes: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    facts: Mapping[str, str] = field(default_factory=lambda: _NOTHING)


class NoticeModule(Protocol):
    """A module of ``broker_adapters/notices``: one observatory's, or one format that several share."""

    def recognises(self, data: bytes) -> bool:
        """Whether these bytes are of the kind that `read` reads; only one module may recognise a message."""

    def read(self, data: bytes) -> Notice:
        """The notice; a `PacketError` for damaged bytes, and for a notice of which the place cannot be used."""


def read(data: bytes) -> Notice:
    """The notice in a message of any observatory, ours or a third party's in use.

    Raises
    ------
    PacketError
        The bytes are no notice that is known, they are damaged or hostile, or their place cannot be used; the message gives the reason.
    """
    if len(data) > MAX_NOTICE:
        raise PacketError(f"a notice of {len(data)} bytes; at most {MAX_NOTICE} are read")
    module = _reader(data)
    if module is not None:
        return module.read(data)
    raise PacketError(f"no known notice: {len(data)} bytes that start with {data[:8]!r}")


def recognised(data: bytes) -> bool:
    """Whether a message is a notice, damaged or not."""
    return _reader(data) is not None


def _reader(data: bytes) -> NoticeModule | None:
    """The module that recognises a message."""
    modules: Iterator[NoticeModule] = (plugins.load(_PACKAGE, name) for name in plugins.every(_PACKAGE))
    return next((module for module in modules if module.recognises(data)), None)


def about_topics(data: bytes) -> bool:
    """Whether a message is no notice but a complaint of GCN's Kafka about the subscription, which comes among the notices."""
    return data.startswith(_ABOUT_TOPICS)
