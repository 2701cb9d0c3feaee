"""Whether anybody wants to be told of some kind of event: what nobody wants is not worked out."""

from __future__ import annotations

from tom_alerce.models import Rule


def rules(*events: str) -> list[Rule]:
    """Rules that are on and ask for any of these events; one query."""
    return [rule for rule in Rule.objects.filter(active=True).select_related("watch") if not set(events).isdisjoint(rule.events)]
