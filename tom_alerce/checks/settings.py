"""E002, E006, W001: the keys of ``TOM_ALERCE`` and the types of their values; E004 to E006 for its streams."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from ipaddress import ip_network
from types import MappingProxyType, NoneType
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from tom_alerce import conf
from tom_alerce.checks.messages import arguments, suggest, wrong_kind
from tom_alerce.checks.packages import clashing


def _is(*types: type) -> Callable[[Any], bool]:
    """Whether a value is of one of these types; a truth value is no number."""
    return lambda value: isinstance(value, types) and (bool in types or not isinstance(value, bool))


def _each(test: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Whether a value is a list or a tuple of which every item passes."""
    return lambda value: isinstance(value, (list, tuple)) and all(map(test, value))


_dictionary, _text = _is(Mapping), _is(str)
#: How often: a number and a unit of time.
_RATE = re.compile(r"[1-9]\d{0,8}/(second|minute|hour|day)")


def _days(value: Any) -> bool:
    """Whether a value is a dictionary of days to keep."""
    number = _is(int, float)
    return _dictionary(value) and all(
        key in conf.DEFAULTS["KEEP_DAYS"] and (days is None or (number(days) and 0 < days < math.inf)) for key, days in value.items()
    )


def _limits(value: Any) -> bool:
    """Whether a value is a dictionary of limits of the health page."""

    def positive(number: Any) -> bool:
        return _is(int, float)(number) and 0 < number < math.inf

    return _dictionary(value) and all(
        key in conf.DEFAULTS["HEALTH"]
        and (_dictionary(limit) and all(map(positive, limit.values())) if key == "runs" else limit is None or positive(limit))
        for key, limit in value.items()
    )


def _readers(value: Any) -> bool:
    """Whether a value says who may read the metrics: a token, and networks."""
    if not _dictionary(value) or not set(value) <= set(conf.DEFAULTS["METRICS"]) or not _text(value.get("token", "")):
        return False
    try:
        return all(ip_network(one) for one in value.get("networks", ()))
    except (TypeError, ValueError):
        return False


def _rates(value: Any) -> bool:
    """Whether a value is a dictionary of rates, such as "600/minute"."""
    return _dictionary(value) and all(
        key in conf.DEFAULTS["API_RATES"] and (rate is None or (_text(rate) and _RATE.fullmatch(rate) is not None))
        for key, rate in value.items()
    )


def _plan(value: Any) -> bool:
    """Whether a value is a dictionary of what ``alerce_run`` runs, and how often."""
    return _dictionary(value) and all(every is None or (_is(int, float)(every) and 0 <= every < math.inf) for every in value.values())


#: Key -> test of its value, and the type that a message names.
_KINDS: Mapping[str, tuple[Callable[[Any], bool], str]] = MappingProxyType(
    dict.fromkeys(("LIMITS", "EVENTS", "FACILITY", "NOTIFY"), (_dictionary, "a dictionary"))
    | dict.fromkeys(("CLASSIFIERS", "GROUPS", "NOTICES"), (_each(_text), "a list of texts"))
    | dict.fromkeys(
        ("POLL_DAYS", "RANK_DAYS", "FACILITY_TIMEOUT", "MATCH_RADIUS", "DRIFT_ALARM", "FILTER_CAP"), (_is(int, float), "a positive number")
    )
    | dict.fromkeys(("RANK_LIMIT", "BATCH"), (_is(int), "a positive whole number"))
    | dict.fromkeys(
        ("BROKERS", "CATALOGUES", "STREAMS", "FACILITIES"),
        (lambda value: _dictionary(value) and all(map(_dictionary, value.values())), "a dictionary of dictionaries"),
    )
    | {
        **dict.fromkeys(("PROMOTION", "KEEP"), (_each(_dictionary), "a list of dictionaries")),
        "PROFILES": (
            lambda value: len(value) > 0 and _each(_text)(value) if isinstance(value, (list, tuple)) else False,
            "a list of texts",
        ),
        "SURVEYS": (lambda value: value is None or _each(_text)(value), "a list of texts"),
        "TERMS": (_is(Mapping, NoneType), "a dictionary"),
        "FORCED_DAYS": (_is(int, float, NoneType), "a positive number or None"),
        "SITE": (_is(str, Mapping), "a name or a dictionary"),
        "TARGET_LIST": (_text, "a text"),
        "EVERYBODY": (lambda value: _each(_text)(value) and set(value) <= set(conf.ROLES), f"a list of roles ({', '.join(conf.ROLES)})"),
        "GUARDS": (
            lambda value: _dictionary(value) and all(one is None or _dictionary(one) for one in value.values()),
            "a dictionary of dictionaries or None",
        ),
        "HEALTH": (_limits, f"a dictionary of positive numbers or None, with keys of {', '.join(conf.DEFAULTS['HEALTH'])}"),
        "RUN": (_plan, "a dictionary of command lines with seconds or None"),
        "METRICS": (_readers, 'a dictionary with a text "token", and "networks" such as "10.0.0.0/8"'),
        "API_RATES": (_rates, 'a dictionary with "read" and "write", each as "600/minute" or None'),
        "KEEP_DAYS": (_days, f"a dictionary of positive numbers or None, with keys of {', '.join(conf.DEFAULTS['KEEP_DAYS'])}"),
    }
)


def broken() -> frozenset[str]:
    """Keys of ``TOM_ALERCE`` whose values are of the wrong kind, which no other check looks at; all keys if it is not a dictionary."""
    values = conf.configured()
    if not isinstance(values, Mapping):
        return frozenset(conf.DEFAULTS)
    return frozenset(key for key, (test, _) in _KINDS.items() if key in values and not _is_sound(values[key], test))


def _is_sound(value: Any, test: Callable[[Any], bool]) -> bool:
    return test(value) and (not isinstance(value, (int, float)) or 0 < value < math.inf)


@register("tom_alerce")
def check_time_zones(app_configs: Any = None, **_: Any) -> list[CheckMessage]:
    """E007: a TOM without time zones, in whose tables neither targets nor photometry can be written."""
    if settings.USE_TZ:
        return []
    hint = "Set USE_TZ = True, as tom_setup does: promotion and photometry write times with their zone, which this TOM refuses."
    return [Error("USE_TZ is False.", hint=hint, id="tom_alerce.E007")]


@register("tom_alerce")
def check_settings(app_configs: Any = None, **_: Any) -> list[CheckMessage]:
    """E002, E006, W001: the setting itself."""
    values = conf.configured()
    if not isinstance(values, Mapping):
        return [Error("TOM_ALERCE is not a dictionary.", hint=f"Its keys are: {', '.join(conf.DEFAULTS)}.", id="tom_alerce.E002")]
    return [
        Warning(f"TOM_ALERCE has an unknown key {key!r}.", hint=suggest(str(key), conf.DEFAULTS), id="tom_alerce.W001")
        for key in values
        if key not in conf.DEFAULTS
    ] + [wrong_kind(f"[{key!r}]", values[key], kind) for key, (_, kind) in _KINDS.items() if key in broken()]


@register("tom_alerce")
def check_streams(app_configs: Any = None, **_: Any) -> list[CheckMessage]:
    """E004 to E006: a stream without servers, group or topics, and arguments that no stream takes."""
    if clashing() or "STREAMS" in broken():
        return []
    needed: dict[str, Any] = {"servers": "", "group": "", "topics": []}
    return [
        message
        for name, values in conf.get("STREAMS").items()
        for message in arguments(f"['STREAMS'][{name!r}]", values, needed | {"config": {}})
        + [
            Error(f"TOM_ALERCE['STREAMS'][{name!r}] cannot be used.", hint=f"It needs a value for {key!r}.", id="tom_alerce.E004")
            for key in needed
            if not values.get(key)
        ]
    ]
