"""System checks: a wrong setting or a broken installation is one sentence at start, not a traceback at night.

They import neither TensorFlow nor the classifiers.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from difflib import get_close_matches
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType, NoneType
from typing import Any

from django.core.checks import CheckMessage, Error, Warning, register

from tom_alerce import conf

#: What the plugin installs beside itself; the names are general enough to be somebody else's as well.
PACKAGES = ("broker_adapters", "classifiers", "followup")

HIDDEN = "The package {name!r} is imported from {place}, not from tom_alerce's installation."

#: Where the shipped models are.
WEIGHTS = Path(__file__).resolve().parents[1] / "classifiers" / "weights"


def _is(*types: type) -> Callable[[Any], bool]:
    """Whether a value is of one of these types; a truth value is no number."""
    return lambda value: isinstance(value, types) and (bool in types or not isinstance(value, bool))


def _each(test: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Whether a value is a list or a tuple of which every item passes."""
    return lambda value: isinstance(value, (list, tuple)) and all(map(test, value))


_dictionary, _text = _is(Mapping), _is(str)

#: What the values of the setting are: a test, and what is said of it.
_KINDS: Mapping[str, tuple[Callable[[Any], bool], str]] = MappingProxyType(
    dict.fromkeys(("LIMITS", "FACILITY"), (_dictionary, "a dictionary"))
    | dict.fromkeys(("CLASSIFIERS", "GROUPS"), (_each(_text), "a list of texts"))
    | dict.fromkeys(("POLL_DAYS", "RANK_DAYS", "FACILITY_TIMEOUT", "MATCH_RADIUS", "DRIFT_ALARM"), (_is(int, float), "a positive number"))
    | dict.fromkeys(("RANK_LIMIT", "BATCH"), (_is(int), "a positive whole number"))
    | dict.fromkeys(
        ("BROKERS", "STREAMS"), (lambda value: _dictionary(value) and all(map(_dictionary, value.values())), "a dictionary of dictionaries")
    )
    | {
        "PROMOTION": (_each(_dictionary), "a list of dictionaries"),
        "SURVEYS": (lambda value: value is None or _each(_text)(value), "a list of texts"),
        "TERMS": (_is(Mapping, NoneType), "a dictionary"),
        "SITE": (_is(str, Mapping), "a name or a dictionary"),
        "TARGET_LIST": (_text, "a text"),
    }
)


def clashing() -> list[tuple[str, str]]:
    """(package, where it is found) of each of our packages that is hidden by another of the same name."""
    home = Path(__file__).resolve().parents[1]
    found = [(name, _home(name)) for name in PACKAGES]
    return [(name, str(place)) for name, place in found if place != home / name]


@register("tom_alerce")
def check_packages(app_configs: Any = None, **_: Any) -> list[CheckMessage]:
    """E001: a package of ours is hidden by another of the same name."""
    return [
        Error(
            HIDDEN.format(name=name, place=place),
            hint=f"Rename your own {name!r}, or take it off the Python path; tom_alerce cannot work beside it.",
            id="tom_alerce.E001",
        )
        for name, place in clashing()
    ]


@register("tom_alerce")
def check_settings(app_configs: Any = None, **_: Any) -> list[CheckMessage]:
    """E002, E006, W001: the setting itself."""
    given = conf.given()
    if not isinstance(given, Mapping):
        return [Error("TOM_ALERCE is not a dictionary.", hint=f"Its keys are: {', '.join(conf.DEFAULTS)}.", id="tom_alerce.E002")]
    return [
        Warning(f"TOM_ALERCE has an unknown key {key!r}.", hint=_suggest(str(key), conf.DEFAULTS), id="tom_alerce.W001")
        for key in given
        if key not in conf.DEFAULTS
    ] + [
        _misfit(f"[{key!r}]", given[key], kind)
        for key, (test, kind) in _KINDS.items()
        if key in given and not (test(given[key]) and (not isinstance(given[key], (int, float)) or 0 < given[key] < math.inf))
    ]


@register("tom_alerce")
def check_plugins(app_configs: Any = None, **_: Any) -> list[CheckMessage]:
    """E003: a plug-in that the settings name is not there, or is a third party's survey that cannot be used."""
    if clashing() or any(message.is_serious() for message in check_settings()):
        return []
    from broker_adapters import plugins

    named: list[tuple[str, str, Iterable[str]]] = [
        ("BROKERS", "broker_adapters.brokers", conf.get("BROKERS")),
        ("SURVEYS", "broker_adapters.surveys", conf.get("SURVEYS") or ()),
        ("CLASSIFIERS", "classifiers.models", conf.get("CLASSIFIERS")),
        ("TERMS", "followup.terms", conf.get("TERMS") or ()),
        ("FACILITY", "followup.facilities", [conf.get("FACILITY").get("name", "lco")]),
    ]
    missing = [
        Error(
            f"TOM_ALERCE[{key!r}] names {name!r}, which is no plug-in of {package} and no module.",
            hint=_suggest(name, plugins.names(package)),
            id="tom_alerce.E003",
        )
        for key, package, names in named
        for name in map(str, names)
        if not _exists(name if "." in name else f"{package}.{name}")
    ]
    return missing or [
        Error(f"TOM_ALERCE['SURVEYS'] names {name!r}, which cannot be used.", hint=problem, id="tom_alerce.E003")
        for name in conf.get("SURVEYS") or ()
        if "." in name and (problem := _survey_problem(name))
    ]


def _survey_problem(name: str) -> str:
    """Why a third party's module is not usable as a survey; '' where it is."""
    from broker_adapters import plugins
    from broker_adapters.records import Survey

    try:
        module = plugins.load("broker_adapters.surveys", name)
    except (ImportError, SyntaxError, NameError, AttributeError, TypeError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    survey, file = getattr(module, "SURVEY", None), name.rpartition(".")[2]
    if not isinstance(survey, Survey):
        return "It has no SURVEY = broker_adapters.records.Survey(...)."
    if survey.name != file or file in plugins.names("broker_adapters.surveys"):
        return f"Its SURVEY is called {survey.name!r}: the name must be its file's, {file!r}, and none of tom_alerce's own."
    missing = [one for one in ("recognises", "read") if not callable(getattr(module, one, None))]
    return f"It has no function {missing[0]!r}." if missing else ""


@register("tom_alerce")
def check_followup(app_configs: Any = None, **_: Any) -> list[CheckMessage]:
    """E004, E005, E006, W002: site, limits, terms, facility and promotion rules that nobody could follow."""
    if clashing() or check_plugins() or check_settings():
        return []
    from followup import rank, sites
    from followup.records import FollowupError, Limits
    from tom_alerce.pipeline import promotion
    from tom_alerce.requests import facilities

    limits = _arguments("['LIMITS']", conf.get("LIMITS"), {f.name: f.default for f in fields(Limits)})
    messages = limits + _arguments("['FACILITY']", conf.get("FACILITY"), facilities.facility_options())
    for key, say in (
        ("SITE", lambda: sites.site(conf.get("SITE"))),
        ("TERMS", lambda: [rank.load(name, options) for name, options in (conf.get("TERMS") or {}).items()]),
        ("LIMITS", lambda: limits or Limits(**conf.get("LIMITS"))),
    ):
        messages += _refused(key, say, FollowupError)
    messages += [
        Warning(
            f"A rule of TOM_ALERCE['PROMOTION'] has an unknown key {key!r}.", hint=_suggest(str(key), promotion.KEYS), id="tom_alerce.W002"
        )
        for rule in conf.get("PROMOTION")
        for key in rule
        if key not in promotion.KEYS
    ]
    return messages


@register("tom_alerce")
def check_brokers(app_configs: Any = None, **_: Any) -> list[CheckMessage]:
    """E005, E006: arguments that the client of a broker of ours does not take; a third party's module is not imported for this."""
    if clashing() or check_settings() or check_plugins():
        return []
    from broker_adapters import plugins

    return [
        message
        for name, given in conf.get("BROKERS").items()
        if "." not in name
        for message in _arguments(f"['BROKERS'][{name!r}]", given, conf.options(plugins.load("broker_adapters.brokers", name).Client))
    ]


@register("tom_alerce")
def check_streams(app_configs: Any = None, **_: Any) -> list[CheckMessage]:
    """E004 to E006: a stream without servers, group or topics, and arguments that no stream takes."""
    if clashing() or check_settings():
        return []
    needed: dict[str, Any] = {"servers": "", "group": "", "topics": []}
    return [
        message
        for name, given in conf.get("STREAMS").items()
        for message in _arguments(f"['STREAMS'][{name!r}]", given, needed | {"config": {}})
        + [
            Error(f"TOM_ALERCE['STREAMS'][{name!r}] cannot be used.", hint=f"It needs a value for {key!r}.", id="tom_alerce.E004")
            for key in needed
            if not given.get(key)
        ]
    ]


@register("tom_alerce")
def check_facility(app_configs: Any = None, **_: Any) -> list[CheckMessage]:
    """W004: requests are made for a facility that this TOM does not have."""
    if clashing() or check_settings() or check_plugins():
        return []
    from tom_observations.facility import get_service_classes

    from followup.plan import load_facility
    from tom_alerce.requests import facilities

    name = load_facility(facilities.facility_name()).FACILITY
    if name in get_service_classes():
        return []
    hint = "Add its class to TOM_FACILITY_CLASSES, for LCO 'tom_observations.facilities.lco.LCOFacility'; without it no request is checked."
    return [Warning(f"Requests are made for the facility {name!r}, which this TOM does not have.", hint=hint, id="tom_alerce.W004")]


@register("tom_alerce")
def check_weights(app_configs: Any = None, **_: Any) -> list[CheckMessage]:
    """W003: the shipped model of a classifier in use is missing, or is not the one that its model card describes."""
    if clashing() or check_settings() or check_plugins():
        return []
    return [
        Warning(
            f"The weights of the classifier {name!r} are not usable: {problem}.",
            hint=f"Install tom_alerce anew, or train: python -m classifiers train {name} --data DIR.",
            id="tom_alerce.W003",
        )
        for name in conf.get("CLASSIFIERS")
        if "." not in name
        for problem in weights_problems(WEIGHTS / name)
    ]


def weights_problems(folder: Path) -> Iterator[str]:
    """What is wrong with a folder of weights: one file of arrays beside the model card that holds its SHA-256."""
    card = folder / "card.json"
    try:
        digest = json.loads(card.read_text())["sha256"]
    except FileNotFoundError:
        yield f"there is no {card}"
        return
    except (OSError, ValueError, KeyError, TypeError) as error:
        yield f"{card} cannot be read ({error!r})"
        return
    files = list(folder.glob("*.npz"))
    if len(files) != 1:
        yield f"{folder} has {len(files)} files of weights instead of one"
    elif sha256(files[0].read_bytes()).hexdigest() != digest:
        yield f"{files[0]} is not the file that its card describes"


def _arguments(where: str, given: Mapping[str, Any], known: Mapping[str, Any]) -> list[CheckMessage]:
    """E005 for each key that is not known, E006 for each value that is of another kind than its default; no value is shown."""
    return [
        Error(f"TOM_ALERCE{where} has an unknown key {key!r}.", hint=_suggest(str(key), known), id="tom_alerce.E005")
        for key in given
        if key not in known
    ] + [
        _misfit(f"{where}[{key!r}]", value, _kind(known[key]))
        for key, value in given.items()
        if key in known and _kind(value) != _kind(known[key])
    ]


def _kind(value: Any) -> str:
    """What a value is, in a user's words."""
    kinds = ((bool, "True or False"), ((int, float), "a number"), (str, "a text"), ((list, tuple), "a list"), (Mapping, "a dictionary"))
    return next((words for types, words in kinds if isinstance(value, types)), type(value).__name__)


def _misfit(where: str, value: Any, wanted: str) -> CheckMessage:
    """E006; a number is shown, anything else may hold a token."""
    shown = repr(value) if isinstance(value, (int, float)) else _kind(value)
    return Error(f"TOM_ALERCE{where} is {shown}, where {wanted} is wanted.", id="tom_alerce.E006")


def _refused(key: str, say: Callable[[], object], refusal: type[Exception]) -> list[CheckMessage]:
    try:
        say()
    except refusal as error:
        return [Error(f"TOM_ALERCE[{key!r}] cannot be used.", hint=str(error), id="tom_alerce.E004")]
    return []


def _home(package: str) -> Path | None:
    spec = find_spec(package)
    return None if spec is None or not spec.origin else Path(spec.origin).resolve().parent


def _exists(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ModuleNotFoundError, ValueError):
        return False


def _suggest(name: str, known: Iterable[str]) -> str:
    known = sorted(known)
    close = get_close_matches(name, known, n=1)
    return f"Did you mean {close[0]!r}?" if close else f"Known are: {', '.join(known)}."
