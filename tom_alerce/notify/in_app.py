"""In the TOM: the page of notifications, which counts what has not been read, in its bar."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tom_alerce.outgoing.records import Field, Message, Owner

LABEL = "In the TOM"
FIELDS: tuple[Field, ...] = ()
PUBLIC = False


def problems(address: Mapping[str, str], owner: Owner) -> Iterable[str]:
    """Nothing can be wrong."""
    return ()


def send(message: Message, address: Mapping[str, str]) -> str:
    """Nothing leaves the TOM: what is sent stands on the page."""
    return "on the page"
