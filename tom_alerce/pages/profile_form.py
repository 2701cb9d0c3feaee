"""The form of a profile: its fields are those of the terms and vetoes that there are; what it says is judged as a file would be."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.http import QueryDict

from broker_adapters import plugins
from followup.profiles import Profile
from followup.records import FollowupError
from tom_alerce.store import profiles as store
from tom_alerce.store.errors import StoreError

#: Fields that are edited as JSON.
REST = ("keep", "promotion", "sites", "facility")
#: Characters of a field at most.
LONGEST = 20_000


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a term or veto: name of its field, its name, its value as text, and whether it is a number.

    ``default`` is that of the plug-in as text; ``given`` says whether the profile gives it, even as the plug-in has it.
    """

    field: str
    name: str
    value: str
    number: bool
    default: str
    given: bool


@dataclass(frozen=True, slots=True)
class Plugged:
    """A term or veto: name of its field, its name, what it is, its weight as text ('' for none; a veto has 'on'), and parameters."""

    field: str
    name: str
    about: str
    value: str
    parameters: tuple[Parameter, ...]


def merits(profile: Profile) -> list[Plugged]:
    """All terms: first those of a profile in its order, then the others."""
    known = [*plugins.names("followup.terms"), *store.trusted()]
    return [
        _plugged("merit", "followup.terms", "term", name, profile.merits.get(name)) for name in dict.fromkeys([*profile.merits, *known])
    ]


def vetoes(profile: Profile) -> list[Plugged]:
    """All vetoes: first those of a profile in its order, then the others."""
    names = dict.fromkeys([*profile.vetoes, *plugins.names("followup.vetoes")])
    return [_plugged("veto", "followup.vetoes", "veto", name, profile.vetoes.get(name)) for name in names]


def rest(profile: Profile) -> str:
    """The fields of `REST` as JSON."""
    body = json.loads(profile.to_json())
    return json.dumps({name: body[name] for name in REST}, indent=2, ensure_ascii=False)


def _plugged(prefix: str, package: str, kind: str, name: str, options: Any) -> Plugged:
    given = dict(options) if isinstance(options, Mapping) else {} if options is None else {"weight": options}
    weight = "" if options is None else "on" if kind == "veto" else f"{given.get('weight', 1.0):g}"
    try:
        module = plugins.load(package, name)
        function = getattr(module, kind)
    except (LookupError, AttributeError):
        return Plugged(f"{prefix}-{name}", name, "not there", weight, ())
    about = (inspect.getdoc(module) or "").partition("\n")[0].rstrip(".")
    keywords = [p for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY]
    fields = (
        Parameter(f"{prefix}-{name}-{p.name}", p.name, *_shown(given.get(p.name, p.default), p.default), p.name in given) for p in keywords
    )
    return Plugged(f"{prefix}-{name}", name, about, weight, tuple(fields))


def _shown(value: Any, default: Any) -> tuple[str, bool, str]:
    """A value as text, whether it is a number, and its default as text."""
    number = isinstance(default, (int, float)) and not isinstance(default, bool)
    return _text(value), number, _text(default)


def _text(value: Any) -> str:
    return json.dumps(value, default=_plain, ensure_ascii=False)


def _plain(value: Any) -> Any:
    """JSON of what a parameter may be besides plain values: a read-only mapping, a set."""
    return dict(value) if isinstance(value, Mapping) else sorted(value)


def read(data: QueryDict, base: Profile) -> Profile:
    """The profile that the form says, on the ground of the one that was shown; StoreError, with the field, where it is none."""
    if any(len(value) > LONGEST for _, values in data.lists() for value in values):
        raise StoreError(f"profile: a field has more than {LONGEST} characters")
    body = {
        "name": data.get("name", base.name).strip() or base.name,
        "title": data.get("title", "").strip(),
        "description": data.get("description", "").replace("\r\n", "\n").strip(),
        "version": base.version,
        "merits": dict(_merits(data, merits(base))),
        "vetoes": dict(_vetoes(data, vetoes(base))),
        "cuts": {"days": _number(data, "cuts-days", "cuts.days"), "detections": _number(data, "cuts-detections", "cuts.detections") or 0},
        "budget": {"slots": _number(data, "budget-slots", "budget.slots"), "hours": _number(data, "budget-hours", "budget.hours")},
    }
    others = _json(data.get("rest", "{}"), "promotion, sites, facility")
    if not isinstance(others, dict) or set(others) - set(REST):
        raise StoreError(f"an object with {', '.join(REST)} is needed")
    try:
        profile = Profile.from_json(json.dumps(body | others))
    except FollowupError as error:
        raise StoreError(str(error)) from error
    store.check(profile)
    return profile


def _merits(data: QueryDict, known: Sequence[Plugged]) -> Iterator[tuple[str, Any]]:
    for one in known:
        weight = _number(data, one.field, f"merits.{one.name}.weight")
        if weight is not None:
            changed = dict(_changed(data, one, "merits"))
            yield one.name, {"weight": weight, **changed} if changed else weight


def _vetoes(data: QueryDict, known: Sequence[Plugged]) -> Iterator[tuple[str, Any]]:
    for one in known:
        if data.get(one.field):
            yield one.name, dict(_changed(data, one, "vetoes"))


def _changed(data: QueryDict, one: Plugged, where: str) -> Iterator[tuple[str, Any]]:
    """Parameters that the profile gives already, and those that are not as the plug-in has them."""
    for parameter in one.parameters:
        text = data.get(parameter.field, "").strip()
        value = _json(text, f"{where}.{one.name}.{parameter.name}") if text else None
        if text and (parameter.given or value != json.loads(parameter.default)):
            yield parameter.name, value


def _number(data: QueryDict, field: str, where: str) -> Any:
    text = data.get(field, "").strip()
    return _json(text, where) if text else None


def entered(known: Sequence[Plugged], data: QueryDict) -> list[Plugged]:
    """Terms or vetoes with the values that a person has entered, for a form that is shown again."""
    return [
        replace(
            one,
            value=data.get(one.field, ""),
            parameters=tuple(replace(p, value=data.get(p.field, p.value)) for p in one.parameters),
        )
        for one in known
    ]


def _json(text: str, where: str) -> Any:
    """A value that was written as JSON; of a number with hundreds of digits so many are kept that a profile refuses it."""
    try:
        return json.loads(text, parse_int=lambda digits: int(digits[:19]))
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{where}: {text[:40]!r} is no value: numbers are written as 1.5, texts in quotation marks") from error
