"""E004 to E006, W004, W006: site, limits, terms and facility."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import partial
from typing import Any

from django.core.checks import CheckMessage, Warning, register

from tom_alerce import conf
from tom_alerce.checks.messages import arguments, refused
from tom_alerce.checks.packages import clashing
from tom_alerce.checks.plugins import missing
from tom_alerce.checks.settings import broken


@register("tom_alerce")
def check_followup(app_configs: Any = None, **_: Any) -> list[CheckMessage]:
    """E004, E005, E006: a site, limits, terms or a facility that cannot be used; all that is wrong, and not the first alone."""
    if clashing():
        return []
    from followup import plugged, sites
    from followup.coincidence import Search
    from followup.records import FollowupError, Limits

    messages: list[CheckMessage] = []
    if "SITE" not in broken():
        messages += refused("SITE", lambda: sites.site(conf.get("SITE")), FollowupError)
    if not missing("TERMS"):
        for name, options in (conf.get("TERMS") or {}).items():
            messages += refused("TERMS", partial(plugged.term, name, options), FollowupError)
    messages += _fields("LIMITS", Limits) + _fields("EVENTS", Search)
    messages += [] if missing("FACILITIES") else _further_facilities()
    messages += [] if missing("GUARDS") else _guards()
    return messages + ([] if missing("FACILITY") else _facility_options())


def _fields(key: str, record: Any) -> list[CheckMessage]:
    """Messages about a key of ``TOM_ALERCE`` that gives fields of a record, each with a default."""
    from followup.records import FollowupError

    if key in broken():
        return []
    defaults = {f.name: f.default for f in fields(record)}
    messages = arguments(f"[{key!r}]", conf.get(key), defaults)
    for name, value in conf.get(key).items():
        if not arguments("", {name: value}, defaults):
            messages += refused(key, partial(record, **{name: value}), FollowupError)
    return messages


def _further_facilities() -> list[CheckMessage]:
    """E005, E006: options of ``FACILITIES`` that their payloads do not take."""
    from followup.plan import load_facility

    return [
        message
        for name, values in conf.get("FACILITIES").items()
        for message in arguments(f"['FACILITIES'][{name!r}]", values, conf.options(load_facility(name).payload))
    ]


def _guards() -> list[CheckMessage]:
    """E005, E006: parameters that guards do not take."""
    from broker_adapters import plugins
    from tom_alerce.requests.judge import PACKAGE

    return [
        message
        for name, values in conf.get("GUARDS").items()
        for message in arguments(f"['GUARDS'][{name!r}]", values or {}, conf.options(plugins.load(PACKAGE, name).guard))
    ]


def _facility_options() -> list[CheckMessage]:
    """E004, E005, E006: keys of ``FACILITY`` that are not known or of another kind, an instrument or filters that it has not got."""
    from followup.plan import camera
    from followup.records import FollowupError
    from tom_alerce.requests import facilities

    given: Mapping[str, Any] = conf.get("FACILITY")
    known = facilities.facility_options()
    messages = arguments("['FACILITY']", given, known)
    instrument, filters = given.get("instrument", ""), given.get("filters", ())
    if arguments("", {"instrument": instrument, "filters": filters}, known) or not hasattr(facilities.plugin(), "INSTRUMENTS"):
        return messages
    if instrument or filters:
        messages += refused("FACILITY", lambda: camera(facilities.facility_name(), instrument, filters), FollowupError)
    return messages


@register("tom_alerce")
def check_facility(app_configs: Any = None, **_: Any) -> list[CheckMessage]:
    """W004, W006: requests for a facility that this TOM does not have, or without an option that the facility insists on."""
    if clashing() or missing("FACILITY"):
        return []
    from tom_observations.facility import get_service_classes

    from tom_alerce.requests import facilities

    plugin = facilities.plugin()
    if plugin.FACILITY not in get_service_classes():
        lco = "'tom_observations.facilities.lco.LCOFacility'"
        hint = f"Add its class to TOM_FACILITY_CLASSES, for LCO {lco}; without it no request is checked."
        return [
            Warning(
                f"Requests are made for the facility {plugin.FACILITY!r}, which this TOM does not have.", hint=hint, id="tom_alerce.W004"
            )
        ]
    return [
        Warning(
            f"TOM_ALERCE['FACILITY'][{key!r}] is not set, and {plugin.FACILITY} accepts no request without it.",
            hint=f'Give it: "FACILITY": {{"name": {facilities.facility_name()!r}, {key!r}: "..."}}. Everything but requests works without.',
            id="tom_alerce.W006",
        )
        for key in getattr(plugin, "NEEDED", ())
        if not conf.get("FACILITY").get(key)
    ]
