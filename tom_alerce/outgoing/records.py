"""What is told, and what a plug-in of ``tom_alerce/notify`` is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Told:
    """One event in a message.

    Attributes
    ----------
    event : str
        Kind of the event, such as ``new`` (`tom_alerce.models.notify.Event.Kind`).
    title, text : str
        What people read, plain text.
    at : datetime
        When it happened.
    why : str
        What of the rule it meets.
    url : str
        Page that shows it; absolute if the settings name the address of the TOM.
    name : str
        Public name of the object; '' if it is about none.
    ra, dec : float or None
        Its place in degrees, ICRS.
    facts : mapping
        Numbers, such as ``rate``.
    """

    event: str
    title: str
    text: str
    at: datetime
    why: str = ""
    url: str = ""
    name: str = ""
    ra: float | None = None
    dec: float | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """One or more events that are told together by one rule.

    Attributes
    ----------
    id : str
        Its identity: a message that is sent again has the same.
    title : str
        One line.
    told : sequence of Told
        At least one.
    rule : str
        Name of the rule.
    why, stop : str
        Pages that say why one is told, and where one ends it without logging in.
    """

    id: str
    title: str
    told: Sequence[Told]
    rule: str = ""
    why: str = ""
    stop: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """A part of an address that a person gives; a secret one is stored encrypted and never shown again."""

    name: str
    label: str
    help: str = ""
    secret: bool = False
    required: bool = True


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose channel it is: the e-mail address of the account, and whether the person runs the TOM (role ``configure``)."""

    email: str = ""
    trusted: bool = False


class Undelivered(Exception):
    """The message did not arrive.

    Parameters
    ----------
    reason : str
        For its owner, without any secret.
    for_good : bool
        Trying again is of no use: the address is wrong or gone.
    after : float or None
        Seconds after which it may be tried again, if the service says so.
    """

    def __init__(self, reason: str, *, for_good: bool = False, after: float | None = None) -> None:
        super().__init__(reason)
        self.reason, self.for_good, self.after = reason, for_good, after


class Plugin(Protocol):
    """A module of ``tom_alerce/notify``.

    Attributes
    ----------
    LABEL : str
        What people call it.
    FIELDS : sequence of Field
        What its address consists of.
    PUBLIC : bool
        Whether everybody may read what is sent there: nothing private is.
    """

    LABEL: str
    FIELDS: Sequence[Field]
    PUBLIC: bool

    def problems(self, address: Mapping[str, str], owner: Owner) -> Iterable[str]:
        """What is wrong with an address, without asking anybody."""

    def send(self, message: Message, address: Mapping[str, str]) -> str:
        """Send it and return what the service said, briefly; `Undelivered` if it did not arrive.

        It is called within `tom_alerce.requests.timeouts.bounded`, and asks the network through `tom_alerce.outgoing.line` alone.
        """
