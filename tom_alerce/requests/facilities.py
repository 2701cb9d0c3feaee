"""The facility that the settings, or a profile, name: its plug-in, and the options that they give to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from broker_adapters import plugins
from followup.plan import PACKAGE, load_facility, plan
from followup.profiles import Profile
from followup.records import Facility
from tom_alerce import conf
from tom_alerce.models import Ranking
from tom_alerce.store import profiles


def facility_name(profile: Profile | None = None) -> str:
    """Plug-in name of the facility of a profile, by default of that in the settings."""
    own: Mapping[str, Any] = {} if profile is None else profile.facility
    name: str = own.get("name") or conf.get("FACILITY").get("name", "lco")
    return name


def plugin() -> Facility:
    """The plug-in of the facility in the settings."""
    return load_facility(facility_name())


def facility_of(tom_name: str) -> Facility | None:
    """Plug-in of a stored request, by the name of its facility in the TOM; None where neither the settings nor we have one.

    The plug-ins in the settings come first, so that a module of your own is found, and may stand in for one of ours.
    """
    name = plugin_name(tom_name)
    return load_facility(name) if name else None


def plugin_name(tom_name: str) -> str:
    """Name of the plug-in of a facility of the TOM; '' where neither the settings nor we have one."""
    names = (*configured(), *plugins.names(PACKAGE))
    return next((name for name in names if tom_name == load_facility(name).FACILITY), "")


def configured() -> tuple[str, ...]:
    """Plug-in names of the facilities in the settings: that of ``FACILITY``, then those of ``FACILITIES``."""
    return tuple(dict.fromkeys((facility_name(), *conf.get("FACILITIES"))))


def options_of(function: Callable[..., Any], name: str = "", profile: Profile | None = None) -> dict[str, Any]:
    """The settings that are options of a function: of the facility of that plug-in name, by default of the profile's, else of ``FACILITY``.

    What the profile says of its own facility goes before the settings.
    """
    known, name = conf.options(function), name or facility_name(profile)
    given = conf.get("FACILITY") if name == facility_name() else conf.get("FACILITIES").get(name, {})
    own = profile.facility if profile is not None and name == facility_name(profile) else {}
    return {key: value for key, value in {**given, **own}.items() if key in known}


def profile_of(ranking: Ranking | None) -> Profile | None:
    """The profile in use by which a ranking was made; None without a ranking, or if the profile is there no more."""
    return None if ranking is None else profiles.every().get(ranking.profile)


def facility_options() -> dict[str, Any]:
    """Every key that ``FACILITY`` may have, with its default: the name, and the options of the payload and of the plan."""
    name = facility_name()
    return {"name": name} | conf.options(load_facility(name).payload) | conf.options(plan)
