"""The plugin's one setting, ``TOM_ALERCE``, and what it is where a TOM says nothing.

``TOM_ALERCE`` is a dictionary with any of the keys of `DEFAULTS`; a key that is not there is found by a system check (`tom_alerce.checks`).
Names of plug-ins are file names of ours, or dotted paths of a third party's modules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from inspect import signature
from types import MappingProxyType
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver

DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {
        #: Broker -> keyword arguments of its ``Client`` (tokens, time-outs, ...). ALeRCE needs no token.
        "BROKERS": {"alerce": {}},
        #: Stream -> arguments of ``broker_adapters.sources.kafka.Consumer``: servers, group, topics, config.
        "STREAMS": {},
        #: Surveys that brokers are polled for; None means all of ``broker_adapters/surveys``. Packets of those, and of every third party's
        #: module that is named here, are read in any case.
        "SURVEYS": None,
        #: Plug-ins of ``classifiers`` that see every object, in the order in which they are shown.
        "CLASSIFIERS": ("stamp", "lightcurve"),
        #: Term -> weight, or ``{"weight": 2, ...}`` with parameters of the term; None takes the ``WEIGHT`` of each ``followup/terms`` file.
        "TERMS": None,
        #: The first poll of a broker goes back so many days.
        "POLL_DAYS": 3.0,
        #: A name of ``followup.sites``, or ``{"name", "latitude", "longitude", "elevation", "timezone"}``.
        "SITE": "Cerro Pachon",
        #: What counts as observable: fields of ``followup.records.Limits``.
        "LIMITS": {},
        #: Objects whose latest detection is older than this many days are not ranked.
        "RANK_DAYS": 30.0,
        #: At most so many objects are kept in a ranking, the best.
        "RANK_LIMIT": 500,
        #: How a request is made: the plug-in of ``followup/facilities``, and further parameters of its ``payload`` (proposal, ...) and of
        #: ``followup.plan.plan`` (instrument, filters, snr, hours, top, threshold).
        "FACILITY": {"name": "lco"},
        #: Seconds that the portal of a facility may take to answer.
        "FACILITY_TIMEOUT": 20.0,
        #: A quantity of a night has drifted whose population stability index is by so much above that of any night of the training set.
        "DRIFT_ALARM": 0.25,
        #: Any of these rules makes an object a target: ``{"classifier", "label", "probability", "n_detections", "origin"}``.
        "PROMOTION": (),
        #: Name of the target list that promoted objects are put on; '' for none.
        "TARGET_LIST": "",
        #: Names of the groups that may see promoted targets.
        "GROUPS": (),
        #: A target that is nearer than this (arcseconds) is the same source.
        "MATCH_RADIUS": 2.0,
        #: Alerts that are written in one transaction.
        "BATCH": 500,
    }
)

#: Keys that name plug-ins which `broker_adapters` asks for packets, messages and facts -> their package.
PLUGINS: Mapping[str, str] = MappingProxyType({"SURVEYS": "broker_adapters.surveys", "BROKERS": "broker_adapters.brokers"})


@lru_cache
def _merged() -> Mapping[str, Any]:
    return MappingProxyType({**DEFAULTS, **given()})


def given() -> Mapping[str, Any]:
    """What the TOM's settings say, defaults left out."""
    return getattr(settings, "TOM_ALERCE", None) or {}


def get(key: str) -> Any:
    """The value of one key of ``TOM_ALERCE``, or its default; KeyError where there is no such key."""
    return _merged()[key]


def broker(name: str) -> Mapping[str, Any]:
    """Keyword arguments for the client of a broker; LookupError where the settings do not name it."""
    brokers: Mapping[str, Mapping[str, Any]] = get("BROKERS")
    if name not in brokers:
        raise LookupError(f"no broker {name!r} in TOM_ALERCE['BROKERS'], which has: {', '.join(brokers) or 'none'}")
    return brokers[name]


def surveys() -> tuple[str, ...]:
    """Names of the surveys that brokers are polled for."""
    from broker_adapters import plugins
    from broker_adapters.surveys import known

    named = get("SURVEYS")
    if named is None:
        return tuple(survey.name for survey in known())
    return tuple(plugins.load(PLUGINS["SURVEYS"], name).SURVEY.name for name in named)


def use_third_parties() -> None:
    """Tell `broker_adapters`, which knows no settings, of the third parties' surveys and brokers in them."""
    from broker_adapters import plugins

    named = given()
    for key, package in PLUGINS.items():
        names = named.get(key) if isinstance(named, Mapping) else None
        plugins.use(package, [n for n in names if isinstance(n, str)] if isinstance(names, (list, tuple, Mapping)) else ())


def options(function: Callable[..., Any]) -> dict[str, Any]:
    """What the settings may give to a function or class, with its defaults: parameters with a plain default, but ``facility``."""
    given = ((p.name, p.default) for p in signature(function).parameters.values() if p.default is not p.empty)
    return {name: default for name, default in given if default is not None and not callable(default) and name != "facility"}


@receiver(setting_changed)
def _forget(*, setting: str, **_: Any) -> None:
    if setting == "TOM_ALERCE":
        _merged.cache_clear()
        use_third_parties()
