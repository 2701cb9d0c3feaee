"""The lists and regions that an object is in, for the page of the object."""

from __future__ import annotations

from typing import Any

from django import template

from tom_alerce import visible
from tom_alerce.models import SkyObject, WatchMatch

register = template.Library()


@register.inclusion_tag("tom_alerce/partials/in_lists.html", takes_context=True)
def in_lists(context: dict[str, Any], sky: SkyObject) -> dict[str, Any]:
    """Matches of an object with the lists that the reader may see; one query."""
    lists = visible.watches(context["request"].user)
    rows = WatchMatch.objects.filter(sky_object=sky, watch__in=lists.values("pk")).select_related("watch", "entry").defer("watch__ranges")
    return {"matches": rows.order_by("watch__name", "pk")}
