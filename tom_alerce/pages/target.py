"""The tab on the page of a target: its sky objects, loaded when the tab is opened."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from tom_targets.models import Target
from tom_targets.permissions import targets_for_user

from tom_alerce.models import SkyObject
from tom_alerce.pages.access import viewers_only
from tom_alerce.pages.object import details
from tom_alerce.pages.summaries import summarise


def tab(context: dict[str, Any]) -> dict[str, Any]:
    """Context of the tab: only the target's key, since the toolkit calls this twice a page and merges the contexts of all apps."""
    return {"alerce_target_pk": context["object"].pk}


@viewers_only
def objects(request: HttpRequest, pk: int) -> HttpResponse:
    """``/alerce/targets/<pk>/``: content of the tab; 404 if the user may not see the target."""
    target = get_object_or_404(targets_for_user(request.user, Target.objects.all(), "view_target"), pk=pk)
    summaries = summarise(list(SkyObject.objects.filter(target=target.pk).order_by("pk")), request.user)
    entries = [details(summary) for summary in summaries.values()]
    return render(request, "tom_alerce/partials/target_objects.html", {"target": target, "entries": entries})
