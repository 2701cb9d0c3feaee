"""E004, E006, W002: keep rules of streams."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.core.checks import CheckMessage, Error, Warning, register

from tom_alerce import conf
from tom_alerce.checks.messages import suggest, wrong_kind
from tom_alerce.checks.packages import clashing
from tom_alerce.checks.settings import broken
from tom_alerce.store.keep_rules import VALUES, useless


@register("tom_alerce")
def check_keep(app_configs: Any = None, **_: Any) -> list[CheckMessage]:
    """E004, E006, W002: keep rules with an unknown key, a value that cannot be, or a condition that needs a label."""
    if clashing() or "KEEP" in broken():
        return []
    return [message for i, rule in enumerate(conf.get("KEEP")) for message in _rule(i, rule)]


def _rule(i: int, rule: Mapping[str, Any]) -> Iterator[CheckMessage]:
    for key, value in rule.items():
        if key not in VALUES:
            yield Warning(f"A rule of TOM_ALERCE['KEEP'] has an unknown key {key!r}.", hint=suggest(str(key), VALUES), id="tom_alerce.W002")
        elif not VALUES[key][0](value):
            yield wrong_kind(f"['KEEP'][{i}][{key!r}]", value, VALUES[key][1])
    if why := useless(rule):
        yield Error(f"TOM_ALERCE['KEEP'][{i}] cannot be used.", hint=why, id="tom_alerce.E004")
