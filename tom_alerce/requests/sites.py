"""The sites of a facility that have an instrument: a window and a guard look at all of them."""

from __future__ import annotations

import logging
from typing import Any

from tom_observations.facility import get_service_class

from followup import sites
from followup.records import Facility, FollowupError, Site
from tom_alerce import conf

logger = logging.getLogger(__name__)


def sites_of(plugin: Facility | None, instrument: str) -> tuple[Site, ...]:
    """Sites by the plug-in's ``SITES``, else those of the TOM's class, else that of the settings; none for a telescope in space."""
    own = getattr(plugin, "SITES", {})
    if instrument in own:
        return tuple(sites.SITES[name] for name in own[instrument])
    listed = _of_class("" if plugin is None else plugin.FACILITY)
    return listed or (sites.site(conf.get("SITE")),)


def _of_class(facility: str) -> tuple[Site, ...]:
    """Sites that the TOM's class of a facility lists; none where it has none, or fails."""
    try:
        listed: dict[str, Any] = get_service_class(facility)().get_observing_sites() or {}
        return tuple(sites.site({"name": name, **row}) for name, row in listed.items())
    except (ImportError, FollowupError):
        return ()
    except Exception:  # the boundary of the TOM's facilities, which are anybody's code: it lists no sites
        logger.exception("the sites of the TOM's facility %s cannot be read", facility)
        return ()
