"""Plug-ins: a plug-in is a module, and its name is its file name; a dotted name is the module of a third party.

There is no registry. A new file in a package of plug-ins is found because it is there; third parties' modules are named in the settings
of a TOM, which hands them over with one call of `use`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules
from types import ModuleType
from typing import Protocol

from broker_adapters.records import Alert, Broker, Survey


class Reader(Protocol):
    """A module that reads packets or messages: every survey, and each broker that sends messages of its own."""

    def recognises(self, packet: bytes) -> bool:
        """Whether these bytes are of the kind that `read` reads, by their first bytes or schema; only one module may recognise a packet."""

    def read(self, packet: bytes, *, history: bool = True) -> Alert:
        """The alert in a packet; with ``history`` False the triggering measurement alone. Damaged bytes are a `PacketError`."""


class SurveyModule(Reader, Protocol):
    """A module of ``broker_adapters/surveys``: `Reader`, and the survey's record."""

    SURVEY: Survey


class BrokerModule(Protocol):
    """A module of ``broker_adapters/brokers``; one whose broker sends messages of its own is a `Reader` as well."""

    Client: Callable[..., Broker]


_third_parties: dict[str, tuple[str, ...]] = {}


def use(package: str, names_: Iterable[str]) -> None:
    """Take these third parties' modules (the dotted ones among the names) as plug-ins of a package, and no others than these.

    They are imported when they are first needed. Another call for the same package replaces this one.
    """
    _third_parties[package] = tuple(sorted({name for name in names_ if "." in name}))


@lru_cache
def names(package: str) -> tuple[str, ...]:
    """Names of our own plug-ins of a package such as ``'broker_adapters.surveys'``, sorted; files with a leading underscore are not."""
    return tuple(sorted(m.name for m in iter_modules(import_module(package).__path__) if not m.name.startswith("_")))


def every(package: str) -> tuple[str, ...]:
    """Names of our own plug-ins of a package, and the dotted ones of third parties that are in `use`."""
    return names(package) + _third_parties.get(package, ())


def load(package: str, name: str) -> ModuleType:
    """The plug-in of that name, or the third party's module where the name has a dot.

    Raises
    ------
    LookupError
        There is no such module; the message lists those of the package.
    """
    path = name if "." in name else f"{package}.{name}"
    try:
        found = find_spec(path) is not None
    except ModuleNotFoundError:
        found = False
    if not found:
        raise LookupError(f"no plug-in {name!r}; {package} has: {', '.join(names(package))}")
    return import_module(path)
