"""The facility that the settings name: its plug-in, and the options that the settings give to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from broker_adapters import plugins
from followup.plan import PACKAGE, load_facility, plan
from followup.records import Facility
from tom_alerce import conf


def facility_name() -> str:
    """Plug-in name of the facility in the settings."""
    name: str = conf.get("FACILITY").get("name", "lco")
    return name


def plugin() -> Facility:
    """The plug-in of the facility in the settings."""
    return load_facility(facility_name())


def facility_of(tom_name: str) -> Facility | None:
    """Plug-in of a stored request, by the name of its facility in the TOM; None where neither the settings nor we have one.

    The plug-ins in the settings come first, so that a module of your own is found, and may stand in for one of ours.
    """
    candidates = map(load_facility, (*configured(), *plugins.names(PACKAGE)))
    return next((facility for facility in candidates if tom_name == facility.FACILITY), None)


def configured() -> tuple[str, ...]:
    """Plug-in names of the facilities in the settings: that of ``FACILITY``, then those of ``FACILITIES``."""
    return tuple(dict.fromkeys((facility_name(), *conf.get("FACILITIES"))))


def options_of(function: Callable[..., Any], name: str = "") -> dict[str, Any]:
    """The settings that are options of a function: of the facility of that plug-in name, or of the one in ``FACILITY``."""
    known = conf.options(function)
    given = conf.get("FACILITY") if name in ("", facility_name()) else conf.get("FACILITIES").get(name, {})
    return {key: value for key, value in given.items() if key in known}


def facility_options() -> dict[str, Any]:
    """Every key that ``FACILITY`` may have, with its default: the name, and the options of the payload and of the plan."""
    name = facility_name()
    return {"name": name} | conf.options(load_facility(name).payload) | conf.options(plan)
