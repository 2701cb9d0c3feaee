"""Plug-ins of the ranking with their parameters bound: of ``followup/terms``, ``followup/vetoes``, or a third party's dotted module."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from broker_adapters import plugins
from followup.errors import FollowupError


def term(name: str, options: float | Mapping[str, Any]) -> tuple[Callable[..., Any], float]:
    """A term with its parameters bound, and its weight: ``options`` is the weight, or a mapping with ``weight`` (1) and parameters.

    Raises
    ------
    FollowupError
        An unknown term or parameter, or a weight that is negative or not finite.
    """
    given = dict(options) if isinstance(options, Mapping) else {"weight": options}
    weight = given.pop("weight", 1.0)
    bound = _bound("followup.terms", "term", name, given, ["weight"])
    if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not (np.isfinite(weight) and weight >= 0.0):
        raise FollowupError(f"the weight of term {name!r} is {weight}; it must be 0 or more")
    return bound, float(weight)


def veto(name: str, options: Mapping[str, Any]) -> Callable[..., Any]:
    """A veto with its parameters bound; FollowupError for an unknown veto or parameter."""
    return _bound("followup.vetoes", "veto", name, options, [])


def _bound(package: str, kind: str, name: str, given: Mapping[str, Any], besides: list[str]) -> Callable[..., Any]:
    """The function ``kind`` of a plug-in with these parameters."""
    try:
        function = getattr(plugins.load(package, name), kind)
        parameters = list(inspect.signature(function).parameters.values())
    except (LookupError, AttributeError, TypeError) as error:
        raise FollowupError(str(error)) from error
    known = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
    if unknown := sorted(set(given) - set(known)):
        raise FollowupError(f"{kind} {name!r} has no {', '.join(unknown)}; it takes: {', '.join([*besides, *known]) or 'nothing'}")
    defaults = {p.name: p.default for p in parameters}
    for key, value in given.items():
        if not _of_kind(value, defaults[key]):
            raise FollowupError(f"{kind} {name!r}: {key} cannot be {value!r}; the default is {defaults[key]!r}")
    return partial(function, **given)


def _of_kind(value: Any, default: Any) -> bool:
    """Whether a value can stand for a default: a finite number for a number, numbers by name for a mapping, else the same type."""
    if default is None:
        return True
    if isinstance(default, bool):
        return isinstance(value, bool)
    if isinstance(default, (int, float)):
        return isinstance(value, (int, float)) and not isinstance(value, bool) and bool(np.isfinite(value))
    if isinstance(default, Mapping):
        return isinstance(value, Mapping) and all(_of_kind(v, 0.0) for v in value.values())
    return isinstance(value, (list, tuple) if isinstance(default, (list, tuple)) else type(default))
