"""The facility of the settings: its plug-in, and the options that the settings give to it."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from broker_adapters import plugins
from followup.plan import plan
from followup.records import FollowupError
from tom_alerce import conf


def facility_plugin(name: str) -> ModuleType:
    """The plug-in of ``followup/facilities`` of that name; FollowupError where there is none."""
    try:
        return plugins.load("followup.facilities", name)
    except LookupError as error:
        raise FollowupError(str(error)) from error


def options_of(function: Callable[..., Any]) -> dict[str, Any]:
    """Those settings of ``FACILITY`` that a function takes as options."""
    known = conf.options(function)
    return {key: value for key, value in conf.get("FACILITY").items() if key in known}


def facility_options() -> dict[str, Any]:
    """What ``FACILITY`` may have, with defaults: its name, and the options of its payload and of the plan."""
    name = conf.get("FACILITY").get("name", "lco")
    return {"name": name} | conf.options(facility_plugin(name).payload) | conf.options(plan)
