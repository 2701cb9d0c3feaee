"""What a promotion rule may be, in the settings and in profiles; `tom_alerce.pipeline.promotion` applies them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


#: Key of a rule, all of which must hold -> test of its value, and what a message asks for.
VALUES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "origin": (lambda value: isinstance(value, str), "a text"),
    "classifier": (lambda value: isinstance(value, str), "a text"),
    "label": (lambda value: isinstance(value, str), "a text"),
    "probability": (lambda value: _number(value) and 0.0 <= value <= 1.0, "a number from 0 to 1"),
    "filter": (lambda value: isinstance(value, str), "the name of a saved filter"),
    "n_detections": (lambda value: isinstance(value, int) and _number(value) and value > 0, "a positive whole number"),
}


def useless(rule: Mapping[str, Any]) -> str:
    """Why a rule can never select an object, whatever its values are; '' where it can, or where an unknown key may be what is missing."""
    if "label" not in rule and rule.keys() & {"classifier", "probability", "origin"}:
        return "It names no label, without which nothing of a classification is looked at."
    if not rule.keys() & {"label", "n_detections", "filter"} and rule.keys() <= VALUES.keys():
        return "It needs a label, a number of detections, or a filter."
    return ""


def problems(rule: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a rule: unknown keys, values that cannot be, and that it can never select an object."""
    for key, value in rule.items():
        if key not in VALUES:
            yield f"no key {str(key)[:40]!r}; a rule has: {', '.join(VALUES)}"
        elif not VALUES[key][0](value):
            yield f"{key}: {VALUES[key][1]} is needed"
    if why := useless(rule):
        yield why
