"""When a rule lets its messages go: at once, each hour or each day, and not in its quiet hours, by the night of the site."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import numpy as np

from broker_adapters.times import datetime_from_mjd, mjd_from_datetime
from followup import sites
from followup.records import FollowupError, Site
from followup.visibility import sun_altitude
from tom_alerce import conf
from tom_alerce.models import Rule

#: Altitude of the Sun (degrees) below which it is night: it has set.
NIGHT = -0.833
#: Part of a day, after local mean noon, at which the message of the day is sent: before sunset nearly everywhere.
AFTERNOON = 4.0 / 24.0
_STEP = 5.0 / 1440.0


def due(rule: Rule, at: datetime) -> datetime:
    """First time from ``at`` on at which a rule sends: when its pace says so, and outside of its quiet hours."""
    site = _site()
    if rule.pace == Rule.Pace.HOUR:
        at = at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    elif rule.pace == Rule.Pace.DAY:
        mjd = mjd_from_datetime(at)
        moment = 0.5 - site.longitude / 360.0 + AFTERNOON
        return datetime_from_mjd(float(np.ceil(mjd - moment)) + moment).astimezone(timezone.utc)
    return loud(rule, at, site)


def loud(rule: Rule, at: datetime, site: Site | None = None) -> datetime:
    """First time from ``at`` on that is in no quiet hour; a day later where the sun neither sets nor rises."""
    if not rule.quiet:
        return at
    times = mjd_from_datetime(at) + np.arange(0.0, 1.0, _STEP)
    night = sun_altitude(site or _site(), times) < NIGHT
    free = ~night if rule.quiet == Rule.Quiet.NIGHT else night
    if free[0]:
        return at
    return at + timedelta(days=float(np.argmax(free)) * _STEP if free.any() else 1.0)


def _site() -> Site:
    """The site of the settings; Greenwich if they cannot be used (`check` says so)."""
    try:
        return sites.site(conf.get("SITE"))
    except FollowupError:
        return Site("Greenwich", 51.478, 0.0, 47.0, "UTC")
