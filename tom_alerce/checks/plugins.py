"""E003: plug-ins that the settings name, ours and third parties'; E005 and E006: what the settings give to brokers and catalogues."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from typing import Any

from django.core.checks import CheckMessage, Error, register

from tom_alerce import conf
from tom_alerce.checks.messages import arguments, suggest
from tom_alerce.checks.packages import clashing
from tom_alerce.checks.settings import broken

#: Key of ``TOM_ALERCE`` that names plug-ins -> their package.
PACKAGES = {
    "BROKERS": "broker_adapters.brokers",
    "CATALOGUES": "broker_adapters.catalogues",
    "SURVEYS": "broker_adapters.surveys",
    "NOTICES": "broker_adapters.notices",
    "CLASSIFIERS": "classifiers.models",
    "TERMS": "followup.terms",
    "FACILITY": "followup.facilities",
    "FACILITIES": "followup.facilities",
    "GUARDS": "tom_alerce.requests.guards",
}

#: Kinds of plug-ins that are cheap to import, and the attributes that one must have. Terms are loaded by `check_followup`; a classifier is
#: not imported here, since that may take seconds.
REQUIRED = {
    "broker_adapters.surveys": ("SURVEY", "recognises", "read"),
    "broker_adapters.brokers": ("Client",),
    "broker_adapters.notices": ("recognises", "read"),
    "broker_adapters.catalogues": ("Catalogue", "RADIUS", "REMOTE"),
    "followup.facilities": ("FACILITY", "payload"),
    "tom_alerce.requests.guards": ("guard",),
}


@register("tom_alerce")
def check_plugins(app_configs: Any = None, **_: Any) -> list[CheckMessage]:
    """E003: a plug-in that the settings name is not there, or is not of the kind that it is named as."""
    if clashing():
        return []
    return [message for key in PACKAGES if key not in broken() for name in named(key) for message in _problems(key, PACKAGES[key], name)]


def named(key: str) -> list[str]:
    """Plug-ins that a key of ``TOM_ALERCE`` names, one of `PACKAGES`."""
    names: Iterable[Any] = [conf.get(key).get("name", "lco")] if key == "FACILITY" else conf.get(key) or ()
    return list(map(str, names))


def missing(key: str) -> bool:
    """Whether a key of `PACKAGES` cannot be read, or names a plug-in that cannot be used."""
    return key in broken() or any(_problems(key, PACKAGES[key], name) for name in named(key))


@register("tom_alerce")
def check_brokers(app_configs: Any = None, **_: Any) -> list[CheckMessage]:
    """E005, E006: arguments that the client of a broker does not take."""
    return _arguments("BROKERS", "Client")


@register("tom_alerce")
def check_catalogues(app_configs: Any = None, **_: Any) -> list[CheckMessage]:
    """E005, E006: arguments that a catalogue does not take."""
    return _arguments("CATALOGUES", "Catalogue")


def _arguments(key: str, called: str) -> list[CheckMessage]:
    """Messages about the arguments that a key of ``TOM_ALERCE`` gives to the class of each plug-in that it names."""
    if clashing() or key in broken():
        return []
    from broker_adapters import plugins

    return [
        message
        for name, values in conf.get(key).items()
        if not _problems(key, PACKAGES[key], str(name))
        for message in arguments(f"[{key!r}][{name!r}]", values, conf.options(getattr(plugins.load(PACKAGES[key], name), called)))
    ]


def _problems(key: str, package: str, name: str) -> list[CheckMessage]:
    from broker_adapters import plugins

    if not _exists(name if "." in name else f"{package}.{name}"):
        return [
            Error(
                f"TOM_ALERCE[{key!r}] names {name!r}, which is no plug-in of {package} and no module.",
                hint=suggest(name, plugins.names(package)),
                id="tom_alerce.E003",
            )
        ]
    problem = _unusable(package, name) if package in REQUIRED else ""
    return [Error(f"TOM_ALERCE[{key!r}] names {name!r}, which cannot be used.", hint=problem, id="tom_alerce.E003")] if problem else []


def _unusable(package: str, name: str) -> str:
    """Why a module is no plug-in of its kind; '' where it is one."""
    from broker_adapters import plugins
    from broker_adapters.records import Survey

    try:
        module = plugins.load(package, name)
    except (ImportError, SyntaxError, NameError, AttributeError, TypeError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    required = REQUIRED[package]
    if missing := [attribute for attribute in required if not hasattr(module, attribute)]:
        return f"It has no {' and no '.join(missing)}. A plug-in as those of {package} has: {', '.join(required)}."
    if "SURVEY" not in required:
        return ""
    if not isinstance(module.SURVEY, Survey):
        return "Its SURVEY is no broker_adapters.records.Survey."
    file = name.rpartition(".")[2]
    if module.SURVEY.name != file or ("." in name and file in plugins.names(package)):
        return f"Its SURVEY is called {module.SURVEY.name!r}: the name must be its file's, {file!r}, and none of tom_alerce's own."
    return ""


def _exists(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ModuleNotFoundError, ValueError):
        return False
