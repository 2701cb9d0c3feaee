"""The plugin's one setting, ``TOM_ALERCE``, and its defaults.

``TOM_ALERCE`` is a dictionary with any of the keys of `DEFAULTS`; a system check (`tom_alerce.checks`) reports any other key. Names of
plug-ins are file names of ours, or dotted paths of a third party's modules.
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
        #: Catalogue of ``broker_adapters/catalogues`` -> keyword arguments of its ``Catalogue``. These need no network.
        "CATALOGUES": {"galaxies": {}, "stars": {}},
        #: Stream -> arguments of ``broker_adapters.sources.kafka.Consumer``: servers, group, topics, config.
        "STREAMS": {},
        #: Modules of your own that read notices of events, beside those of ``broker_adapters/notices``.
        "NOTICES": (),
        #: Which objects may be counterparts of events: fields of ``followup.coincidence.Search``.
        "EVENTS": {},
        #: Surveys that brokers are polled for; None means all of ``broker_adapters/surveys``. Packets of those, and of every third party's
        #: module that is named here, are read in any case.
        "SURVEYS": None,
        #: Plug-ins of ``classifiers.models`` that classify every object, in the order in which they are shown.
        "CLASSIFIERS": ("stamp", "lightcurve"),
        #: Term -> weight, or ``{"weight": 2, ...}`` with parameters of the term; None takes those of the profile "default".
        "TERMS": None,
        #: Profiles by which ``alerce_rank`` ranks; the first is that of board, object pages, API and requests.
        "PROFILES": ("default",),
        #: Rules (`tom_alerce.pipeline.keep`): an alert of a stream that meets one is stored, of others a light row; () stores all.
        "KEEP": (),
        #: Days that the first poll of a broker goes back.
        "POLL_DAYS": 3.0,
        #: Days after which a target that is still seen is measured again by forced photometry, where a broker offers it; None: never.
        "FORCED_DAYS": 3.0,
        #: A name of ``followup.sites``, or ``{"name", "latitude", "longitude", "elevation", "timezone"}``.
        "SITE": "Cerro Pachon",
        #: Limits of an observable position: fields of ``followup.records.Limits``.
        "LIMITS": {},
        #: Objects whose latest detection is older than this many days are not ranked.
        "RANK_DAYS": 30.0,
        #: Number of objects that are stored of a ranking, the best.
        "RANK_LIMIT": 500,
        #: The plug-in of ``followup/facilities`` that makes requests, and parameters of its ``payload`` (proposal, ...) and of
        #: ``followup.plan.plan`` (instrument, filters, snr, hours, top, threshold).
        "FACILITY": {"name": "lco"},
        #: Further facilities of the TOM: plug-in -> parameters of its ``payload``, as in ``FACILITY``.
        "FACILITIES": {},
        #: Guard of ``tom_alerce/requests/guards`` -> its parameters; None switches it off. A dotted module adds one.
        "GUARDS": {},
        #: Seconds that all answers of a facility's portal to one action may take together.
        "FACILITY_TIMEOUT": 20.0,
        #: Seconds after which a request that the portal does not know cannot arrive any more: longer than its own time-out.
        "FACILITY_SETTLED": 180.0,
        #: Population stability index above which a quantity has drifted; it counts from the highest of any night of the training set.
        "DRIFT_ALARM": 0.25,
        #: Share of the objects seen within 30 days that a saved filter may pass at most, if it is to be switched on.
        "FILTER_CAP": 0.05,
        #: Rules with keys ``{"classifier", "label", "probability", "n_detections", "origin"}``; an object that meets one becomes a target.
        "PROMOTION": (),
        #: Name of the target list to which promoted objects are added; '' for none.
        "TARGET_LIST": "",
        #: Names of the groups that may see promoted targets.
        "GROUPS": (),
        #: ``url``: address of the TOM in links of messages; ``networks`` of its own that channels may reach; services of ``apprise``.
        "NOTIFY": {},
        #: Roles (`ROLES`) that every account has; other roles come from Django's permissions (``alerce_roles``).
        "EVERYBODY": ("view",),
        #: Days that rankings, dead letters, alerts that were not kept, stamps of objects not seen since, outdated classifications, what
        #: pollers have asked, events that people were told of, and mock events of observatories are kept; None: for ever.
        "KEEP_DAYS": {
            "rankings": 7.0,
            "dead_letters": 90.0,
            "passed": 30.0,
            "stamps": 730.0,
            "history": 730.0,
            "polls": 30.0,
            "events": 90.0,
            "mocks": 7.0,
        },
        #: Beyond what the health page, ``alerce_stream --check`` and the alarms say that something is wrong (`tom_alerce.store.symptoms`).
        #: Seconds but for the lag (packets) and the dead letters (of an hour); None: never.
        "HEALTH": {"dead": 300.0, "stuck": 900.0, "quiet": None, "lag": 100_000, "letters": 100, "runs": {}},
        #: Who may read ``alerce/metrics/`` without a log-in: whoever has the token, and computers of these networks.
        "METRICS": {"token": "", "networks": ()},
        #: How often an account may use the API, apart for what it reads and what it changes: "600/minute"; None for no limit.
        "API_RATES": {"read": "600/minute", "write": "60/minute"},
        #: Command line -> seconds from one start to the next by ``alerce_run``, beside the usual ones; 0: it runs always, None: not at all.
        "RUN": {},
        #: Radius (arcseconds) within which a target is the same source.
        "MATCH_RADIUS": 2.0,
        #: Number of alerts that are written in one transaction.
        "BATCH": 500,
    }
)

#: Role -> Django's permission, which users and groups are given (``alerce_roles`` makes groups).
ROLES: Mapping[str, str] = MappingProxyType(
    {
        "view": "tom_alerce.view_board",
        "decide": "tom_alerce.decide",
        "link_far": "tom_alerce.link_far",
        "request": "tom_alerce.request",
        "approve": "tom_alerce.approve",
        "send": "tom_alerce.send",
        "override": "tom_alerce.override",
        "configure": "tom_alerce.configure",
    }
)

#: Keys that name plug-ins which `broker_adapters` asks for packets, messages and facts -> their package.
PLUGINS: Mapping[str, str] = MappingProxyType(
    {key: f"broker_adapters.{key.lower()}" for key in ("SURVEYS", "BROKERS", "CATALOGUES", "NOTICES")}
)


@lru_cache
def _merged() -> Mapping[str, Any]:
    return MappingProxyType({**DEFAULTS, **configured()})


def configured() -> Mapping[str, Any]:
    """The TOM's settings without the defaults."""
    return getattr(settings, "TOM_ALERCE", None) or {}


def get(key: str) -> Any:
    """Value of one key of ``TOM_ALERCE``, or its default; KeyError if there is no such key."""
    return _merged()[key]


def broker(name: str) -> Mapping[str, Any]:
    """Keyword arguments for the client of a broker; LookupError if the settings do not name it."""
    brokers: Mapping[str, Mapping[str, Any]] = get("BROKERS")
    if name not in brokers:
        raise LookupError(f"no broker {name!r} in TOM_ALERCE['BROKERS'], which has: {', '.join(brokers) or 'none'}")
    return brokers[name]


def stream(name: str) -> Mapping[str, Any]:
    """Arguments of the consumer of a stream; LookupError if the settings do not name it."""
    streams: Mapping[str, Mapping[str, Any]] = get("STREAMS")
    if name not in streams:
        raise LookupError(f"no stream {name!r} in TOM_ALERCE['STREAMS'], which has: {', '.join(streams) or 'none'}")
    return streams[name]


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

    named = configured()
    for key, package in PLUGINS.items():
        names = named.get(key) if isinstance(named, Mapping) else None
        plugins.use(package, [n for n in names if isinstance(n, str)] if isinstance(names, (list, tuple, Mapping)) else ())


def options(function: Callable[..., Any]) -> dict[str, Any]:
    """Parameters of a function or class that the settings may set, with their defaults: those with a plain default, but ``facility``."""
    defaults = ((p.name, p.default) for p in signature(function).parameters.values() if p.default is not p.empty)
    return {name: default for name, default in defaults if default is not None and not callable(default) and name != "facility"}


@receiver(setting_changed)
def _forget(*, setting: str, **_: Any) -> None:
    if setting == "TOM_ALERCE":
        _merged.cache_clear()
        use_third_parties()
