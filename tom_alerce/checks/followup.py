"""E004 to E006, W002, W004: site, limits, terms, facility and promotion rules."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from django.core.checks import CheckMessage, Warning, register

from tom_alerce import conf
from tom_alerce.checks.messages import arguments, refused, suggest
from tom_alerce.checks.packages import clashing
from tom_alerce.checks.plugins import check_plugins
from tom_alerce.checks.settings import check_settings


@register("tom_alerce")
def check_followup(app_configs: Any = None, **_: Any) -> list[CheckMessage]:
    """E004, E005, E006, W002: a site, limits, terms, facility or promotion rules that cannot be used."""
    if clashing() or check_plugins() or check_settings():
        return []
    from followup import rank, sites
    from followup.records import FollowupError, Limits
    from tom_alerce.pipeline import promotion
    from tom_alerce.requests import facilities

    limits = arguments("['LIMITS']", conf.get("LIMITS"), {f.name: f.default for f in fields(Limits)})
    messages = limits + arguments("['FACILITY']", conf.get("FACILITY"), facilities.facility_options())
    for key, attempt in (
        ("SITE", lambda: sites.site(conf.get("SITE"))),
        ("TERMS", lambda: [rank.load(name, options) for name, options in (conf.get("TERMS") or {}).items()]),
        ("LIMITS", lambda: limits or Limits(**conf.get("LIMITS"))),
    ):
        messages += refused(key, attempt, FollowupError)
    messages += [
        Warning(
            f"A rule of TOM_ALERCE['PROMOTION'] has an unknown key {key!r}.", hint=suggest(str(key), promotion.KEYS), id="tom_alerce.W002"
        )
        for rule in conf.get("PROMOTION")
        for key in rule
        if key not in promotion.KEYS
    ]
    return messages


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
