"""Which objects somebody wants to be told of."""

from __future__ import annotations

from collections.abc import Iterable

from tom_alerce.store import asking
from tom_alerce.store.scopes import Scopes


def wanted(sky_object_ids: Iterable[int], *events: str) -> set[int]:
    """Keys of those objects about which any rule asks for any of these events; one query where no rule does."""
    rules = asking.rules(*events)
    if not rules:
        return set()
    keys = set(sky_object_ids)
    scopes = Scopes(rules, keys)
    return {key for key in keys if any(scopes.holds(rule, key) for rule in rules)}
