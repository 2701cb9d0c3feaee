"""Looks through the stored objects for those in lists that are new or changed."""

from __future__ import annotations

from tom_alerce.models import Watch
from tom_alerce.store import watch

#: Parts (`watch.AT_ONCE` objects each) that are looked through while somebody waits for the page.
AT_ONCE = 2


def search() -> dict[str, int]:
    """Look through all stored objects for the lists that wait for it; list -> objects that were found."""
    return {str(one): watch.search(one) for one in watch.waiting()}


def begin(one: Watch) -> int:
    """Look through the latest stored objects; return how many were found. `search` does the rest, if there are more."""
    return watch.search(one, AT_ONCE)
