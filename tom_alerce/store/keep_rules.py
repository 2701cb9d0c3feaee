"""What a keep rule may be, in the settings and in profiles, and which rules are in force; `tom_alerce.pipeline.keep` applies them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any


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
VALUES: Mapping[str, tuple[Callable[[Any], bool], str]] = MappingProxyType(
    {
        **dict.fromkeys(("survey", "label", "classifier", "origin", "filter"), _TEXT),
        **dict.fromkeys(("moving", "stored", "target", "watched"), _TRUTH),
        **dict.fromkeys(("probability", "reliability"), _SHARE),
        "magnitude": (_number, "a number"),
        "regions": (_regions, "a list of (right ascension, declination, radius), degrees"),
        "before": (lambda value: isinstance(value, int) and _number(value) and value > 0, "a positive whole number"),
    }
)


def useless(rule: Mapping[str, Any]) -> str:
    """Why a rule cannot be used, whatever its values are; '' where it can."""
    if "label" not in rule and rule.keys() & {"classifier", "probability", "origin"}:
        return "It names no label, without which nothing of a classification is looked at."
    return ""


def problems(rule: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a rule: unknown keys, values that cannot be, and that it cannot be used."""
    for key, value in rule.items():
        if key not in VALUES:
            yield f"no key {str(key)[:40]!r}; a rule has: {', '.join(VALUES)}"
        elif not VALUES[key][0](value):
            yield f"{key}: {VALUES[key][1]} is needed"
    if why := useless(rule):
        yield why
