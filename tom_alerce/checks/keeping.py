"""E004, E006, W002: keep rules of streams."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from django.core.checks import CheckMessage, Error, Warning, register

from tom_alerce import conf
from tom_alerce.checks.messages import suggest, wrong_kind
from tom_alerce.checks.packages import clashing
from tom_alerce.checks.settings import broken


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _regions(value: Any) -> bool:
    """Whether a value is a list of right ascensions, declinations and radii."""
    return isinstance(value, (list, tuple)) and all(
        isinstance(one, (list, tuple)) and len(one) == 3 and all(map(_number, one)) for one in value
    )


_TEXT: tuple[Callable[[Any], bool], str] = (lambda value: isinstance(value, str), "a text")
_TRUTH: tuple[Callable[[Any], bool], str] = (lambda value: isinstance(value, bool), "True or False")
_SHARE: tuple[Callable[[Any], bool], str] = (lambda value: _number(value) and 0.0 <= value <= 1.0, "a number from 0 to 1")

#: Key of a rule -> test of its value, and what a message asks for.
_VALUES: Mapping[str, tuple[Callable[[Any], bool], str]] = MappingProxyType(
    {
        **dict.fromkeys(("survey", "label", "classifier", "origin"), _TEXT),
        **dict.fromkeys(("moving", "stored", "target", "watched"), _TRUTH),
        **dict.fromkeys(("probability", "reliability"), _SHARE),
        "magnitude": (_number, "a number"),
        "regions": (_regions, "a list of (right ascension, declination, radius), degrees"),
        "before": (lambda value: isinstance(value, int) and _number(value) and value > 0, "a positive whole number"),
    }
)


@register("tom_alerce")
def check_keep(app_configs: Any = None, **_: Any) -> list[CheckMessage]:
    """E004, E006, W002: keep rules with an unknown key, a value that cannot be, or a condition that needs a label."""
    if clashing() or "KEEP" in broken():
        return []
    return [message for i, rule in enumerate(conf.get("KEEP")) for message in _rule(i, rule)]


def _rule(i: int, rule: Mapping[str, Any]) -> Iterator[CheckMessage]:
    for key, value in rule.items():
        if key not in _VALUES:
            yield Warning(
                f"A rule of TOM_ALERCE['KEEP'] has an unknown key {key!r}.", hint=suggest(str(key), _VALUES), id="tom_alerce.W002"
            )
        elif not _VALUES[key][0](value):
            yield wrong_kind(f"['KEEP'][{i}][{key!r}]", value, _VALUES[key][1])
    if "label" not in rule and rule.keys() & {"classifier", "probability", "origin"}:
        hint = "It names no label, without which nothing of a classification is looked at."
        yield Error(f"TOM_ALERCE['KEEP'][{i}] cannot be used.", hint=hint, id="tom_alerce.E004")
