"""Messages that several checks give; none shows a value that may be a token."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from django.core.checks import CheckMessage, Error


def arguments(where: str, values: Mapping[str, Any], defaults: Mapping[str, Any]) -> list[CheckMessage]:
    """E005 for each key that is not known, E006 for each value of another kind than its default; ``defaults`` has the known keys."""
    return [
        Error(f"TOM_ALERCE{where} has an unknown key {key!r}.", hint=suggest(str(key), defaults), id="tom_alerce.E005")
        for key in values
        if key not in defaults
    ] + [
        wrong_kind(f"{where}[{key!r}]", value, kind(defaults[key]))
        for key, value in values.items()
        if key in defaults and kind(value) != kind(defaults[key])
    ]


def kind(value: Any) -> str:
    """Name of the type of a setting's value, as the documentation writes it."""
    names = ((bool, "True or False"), ((int, float), "a number"), (str, "a text"), ((list, tuple), "a list"), (Mapping, "a dictionary"))
    return next((name for types, name in names if isinstance(value, types)), type(value).__name__)


def wrong_kind(where: str, value: Any, wanted: str) -> CheckMessage:
    """E006; a number is shown, anything else may hold a token."""
    shown = repr(value) if isinstance(value, (int, float)) else kind(value)
    return Error(f"TOM_ALERCE{where} is {shown}, where {wanted} is wanted.", id="tom_alerce.E006")


def refused(key: str, attempt: Callable[[], object], refusal: type[Exception]) -> list[CheckMessage]:
    """E004 if the attempt to use a setting raises ``refusal``."""
    try:
        attempt()
    except refusal as error:
        return [Error(f"TOM_ALERCE[{key!r}] cannot be used.", hint=str(error), id="tom_alerce.E004")]
    return []


def suggest(name: str, known: Iterable[str]) -> str:
    """A hint that names the known name closest to this one, or all of them."""
    known = sorted(known)
    close = get_close_matches(name, known, n=1)
    return f"Did you mean {close[0]!r}?" if close else f"Known are: {', '.join(known)}."
