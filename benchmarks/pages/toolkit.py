"""The toolkit's own list and page of targets, in the same database."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.test import Client
from guardian.shortcuts import assign_perm
from tom_targets.models import Target

from benchmarks.pages.measure import page

SHARED = 25


def figures(client: Client) -> dict[str, Any]:
    """CPU of the list, of which the user may see some, and of the page of one target."""
    user = get_user_model().objects.get(username="observer")
    shared = list(Target.objects.order_by("pk")[:SHARED])
    assign_perm("tom_targets.view_target", user, Target.objects.filter(pk__in=[one.pk for one in shared]))
    return {
        "toolkit_list_ms_{size}": page(client, "/targets/")[0],
        "toolkit_page_ms": page(client, f"/targets/{shared[0].pk}/")[0],
    }
