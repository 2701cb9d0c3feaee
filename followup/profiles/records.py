"""A profile: one science case as a ranking needs it, and its text form."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any

from followup.errors import FollowupError

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Cuts:
    """Which objects are candidates: seen within ``days`` (None: as the TOM's settings say), with that many detections at least."""

    days: float | None = None
    detections: int = 0


@dataclass(frozen=True, slots=True)
class Budget:
    """What a night has to give: observations, and hours of telescope time; None: as the TOM's settings say."""

    slots: int | None = None
    hours: float | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """A science case: what may be observed, what it is worth, and what it may cost.

    Attributes
    ----------
    name : str
        Lower-case letters, digits and underscores.
    title, description : str
        For people.
    version : int
        Counts the changes of a profile of this name, from 1.
    vetoes : mapping of veto name to its parameters
    merits : mapping of term name to weight, or to ``{"weight": 2.0, parameter: value, ...}``
        At least one has a weight.
    cuts : Cuts
    keep : tuple of mapping, or None
        Rules as in the setting ``KEEP``: which alerts of a stream it wants stored; None: those of the settings.
    promotion : tuple of mapping, or None
        Rules as in the setting ``PROMOTION``; None: those of the settings.
    sites : tuple of str or mapping
        As the setting ``SITE``; none: that of the settings.
    facility : mapping
        As the setting ``FACILITY``; what is not given is as in the settings.
    budget : Budget
    """

    name: str
    title: str
    merits: Mapping[str, float | Mapping[str, Any]]
    description: str = ""
    version: int = 1
    vetoes: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: _NOTHING)
    cuts: Cuts = Cuts()
    keep: tuple[Mapping[str, Any], ...] | None = None
    promotion: tuple[Mapping[str, Any], ...] | None = None
    sites: tuple[str | Mapping[str, Any], ...] = ()
    facility: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    budget: Budget = Budget()

    def to_json(self) -> str:
        """Text of the profile, from which `from_json` makes the same; the fields in the order of this class."""
        return (
            json.dumps({f.name: _plain(getattr(self, f.name)) for f in fields(self)}, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        )

    @classmethod
    def from_json(cls, text: str | bytes) -> Profile:
        """The profile of a text; nothing that it names is loaded (`followup.profiles.problems` judges the names).

        Raises
        ------
        FollowupError
            It is no JSON object, a field is unknown or missing, or has a value that cannot be; the message begins with the field.
        """
        try:
            body = json.loads(text, parse_constant=_no_constant, parse_int=_whole)
        except (ValueError, RecursionError) as error:
            raise FollowupError(f"not a profile: {error}") from error
        profile: Profile = _made(cls, body, _FIELDS, "profile")
        return profile


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def _whole(digits: str) -> int:
    if len(digits) > 18:
        raise ValueError(f"{digits[:18]}... is too long a number")
    return int(digits)


def _made(cls: Callable[..., Any], body: Any, kinds: Mapping[str, Callable[[str, Any], Any]], where: str) -> Any:
    """Record of a JSON object whose fields are of these kinds."""
    given = _mapping(where, body)
    if unknown := sorted(set(given) - set(kinds)):
        raise FollowupError(f"{where}: no field {', '.join(unknown)}; it has: {', '.join(kinds)}")
    if where == "profile" and (missing := [name for name in ("name", "title", "merits") if name not in given]):
        raise FollowupError(f"{where}: {', '.join(missing)} not given")
    prefix = "" if where == "profile" else f"{where}."
    return cls(**{name: kinds[name](prefix + name, value) for name, value in given.items()})


def _mapping(where: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise FollowupError(f"{where}: a JSON object is needed, not {_shown(value)}")
    return value


def _text(where: str, value: Any) -> str:
    if not isinstance(value, str) or len(value) > 2000 or not value.replace("\n", " ").isprintable():
        raise FollowupError(f"{where}: a text of at most 2000 printable characters is needed, not {_shown(value)}")
    return value


def _name(where: str, value: Any) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise FollowupError(f"{where}: lower-case letters, digits and underscores are needed, a letter first, not {_shown(value)}")
    return value


def _number(least: float, whole: bool = False, optional: bool = False) -> Callable[[str, Any], Any]:
    def read(where: str, value: Any) -> Any:
        if optional and value is None:
            return None
        right = not isinstance(value, bool) and isinstance(value, int if whole else (int, float)) and math.isfinite(value)
        if not right or value < least:
            raise FollowupError(f"{where}: a {'whole ' if whole else ''}number of at least {least:g} is needed, not {_shown(value)}")
        return value

    return read


def _merits(where: str, value: Any) -> Any:
    given = {name: options if isinstance(options, Mapping) else {"weight": options} for name, options in _mapping(where, value).items()}
    weights = {name: _number(0.0)(f"{where}.{name}.weight", options.get("weight", 1.0)) for name, options in given.items()}
    if not any(weights.values()):
        raise FollowupError(f"{where}: none has a weight, there is nothing to rank by")
    return _frozen(value)


def _vetoes(where: str, value: Any) -> Any:
    return _frozen({name: _mapping(f"{where}.{name}", options) for name, options in _mapping(where, value).items()})


def _rules(where: str, value: Any) -> tuple[Mapping[str, Any], ...] | None:
    if value is None:
        return None
    return tuple(_frozen(_mapping(f"{where}[{i}]", rule)) for i, rule in enumerate(_list(where, value)))


def _sites(where: str, value: Any) -> tuple[Any, ...]:
    for i, site in enumerate(_list(where, value)):
        if not isinstance(site, (str, Mapping)):
            raise FollowupError(f"{where}[{i}]: the name of a site or a JSON object is needed, not {_shown(site)}")
    return tuple(map(_frozen, value))


def _list(where: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise FollowupError(f"{where}: a list is needed, not {_shown(value)}")
    return value


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _frozen(value: Any) -> Any:
    """JSON without anything that can be changed."""
    if isinstance(value, Mapping):
        return MappingProxyType({key: _frozen(item) for key, item in value.items()})
    return tuple(map(_frozen, value)) if isinstance(value, (list, tuple)) else value


def _plain(value: Any) -> Any:
    """The other way round."""
    if isinstance(value, (Cuts, Budget)):
        return {f.name: getattr(value, f.name) for f in fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


_CUTS = {"days": _number(0.0, optional=True), "detections": _number(0, whole=True)}
_BUDGET = {"slots": _number(1, whole=True, optional=True), "hours": _number(0.0, optional=True)}
_FIELDS: Mapping[str, Callable[[str, Any], Any]] = {
    "name": _name,
    "title": _text,
    "description": _text,
    "version": _number(1, whole=True),
    "vetoes": _vetoes,
    "merits": _merits,
    "cuts": lambda where, value: _made(Cuts, value, _CUTS, where),
    "keep": _rules,
    "promotion": _rules,
    "sites": _sites,
    "facility": lambda where, value: _frozen(_mapping(where, value)),
    "budget": lambda where, value: _made(Budget, value, _BUDGET, where),
}
