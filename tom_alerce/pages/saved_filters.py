"""Pages of saved filters: what each selects, its versions, what came of its trial, what has passed it, and who sees it."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.generic import DetailView, ListView

from followup import filters
from followup.filters import FilterError
from tom_alerce import conf, visible
from tom_alerce.models import FilterVersion, SavedFilter, SkyObject
from tom_alerce.pages.access import ViewerMixin, refusing
from tom_alerce.pages.explorer import parsed
from tom_alerce.pages.theme import theme
from tom_alerce.pipeline import filters as pipeline
from tom_alerce.requests.rights import require
from tom_alerce.store import saved
from tom_alerce.store.errors import StoreError

#: Objects that passed a filter that its page lists, the latest.
LISTED = 50


class FiltersView(ViewerMixin, ListView):  # type: ignore[type-arg] # generic in the stubs alone
    """``/alerce/filters/``: the filters that the reader may see."""

    template_name = "tom_alerce/saved_filters.html"
    context_object_name = "every"

    def get_queryset(self) -> QuerySet[SavedFilter]:
        """Filters with the number of objects that have passed them."""
        return saved.seen_by(self.request.user).annotate(n=Count("matches")).prefetch_related("versions", "groups")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Context of the page."""
        context = super().get_context_data(**kwargs) | {"alerce_theme": theme(self.request)}
        for one in context["every"]:
            one.latest = next(iter(one.versions.all()), None)
            one.words = _words(one.latest)
        return context


class FilterView(ViewerMixin, DetailView):  # type: ignore[type-arg] # generic in the stubs alone
    """``/alerce/filters/<pk>/``: one filter, in its latest version or in ``?version=``."""

    template_name = "tom_alerce/saved_filter.html"
    context_object_name = "saved"

    def get_queryset(self) -> QuerySet[SavedFilter]:
        """Filters that the reader may see."""
        return saved.seen_by(self.request.user)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Context of the page."""
        one, user = self.object, self.request.user
        versions = list(one.versions.select_related("author"))
        asked = self.request.GET.get("version", "")
        row = next((each for each in versions if str(each.version) == asked), versions[0])
        matches = one.matches.select_related("sky_object").prefetch_related("sky_object__survey_objects").order_by("-pk")[:LISTED]
        visible.reveal(user, [each.sky_object for each in matches])
        shared = set(one.groups.values_list("pk", flat=True))
        context = super().get_context_data(**kwargs) | {"alerce_theme": theme(self.request), "row": row, "versions": versions}
        context |= {
            "words": _words(row),
            "body": json.dumps(row.body),
            "matches": matches,
            "trial": _trial(row),
            "refusal": saved.refusal(row),
        }
        context |= {
            "may_change": saved.may_change(user, one),
            "may_switch": visible.may(user, "decide"),
            "cap": float(conf.get("FILTER_CAP")),
            "few": saved.FEW,
        }
        context["examples"] = _named(row.trial.get("examples", ()), user)
        context["groups"] = [(group, group.pk in shared) for group in user.groups.order_by("name")]
        return context


def _words(row: FilterVersion | None) -> str:
    """A version in words, or why it cannot be read any more."""
    try:
        return filters.words(filters.parse(row.body)) if row else ""
    except FilterError as error:
        return f"cannot be read: {error}"


def _trial(row: FilterVersion) -> dict[str, Any] | None:
    """What came of a trial, with the height of the bar of each night in per cent."""
    if row.tried is None:
        return None
    most = max((passed for _, _, passed in row.trial["nights"]), default=0) or 1
    bars = [(night, seen, passed, round(100 * passed / most)) for night, seen, passed in row.trial["nights"]]
    return {**row.trial, "bars": bars}


def _named(keys: Any, user: visible.User) -> list[SkyObject]:
    skies = visible.sky_objects(user).filter(pk__in=list(keys)).prefetch_related("survey_objects")
    found = {sky.pk: sky for sky in skies}
    visible.reveal(user, list(found.values()))
    return [found[key] for key in keys if key in found]


def _own(request: HttpRequest, pk: int) -> SavedFilter:
    """A filter that the user may change; 404 for one that is not seen, 403 for one of others."""
    one = get_object_or_404(saved.seen_by(request.user), pk=pk)
    if not saved.may_change(request.user, one):
        raise PermissionDenied(f"the filter is of {one.by}: save it under another name to change it")
    return one


@refusing
def save(request: HttpRequest) -> HttpResponse:
    """Save what the Explorer shows as a new filter, or as the next version of one of the user's."""
    try:
        body = filters.body(parsed(request.POST.get("filter", "")))
    except FilterError as error:
        raise StoreError(str(error)) from error
    name = request.POST.get("name", "")
    before = saved.seen_by(request.user).filter(name=" ".join(name.split())).first()
    text = request.POST.get("text", "") or (before.text if before else "")
    row = saved.save(name, body, request.user, text, before.groups.all() if before else ())
    messages.success(request, f"{row.saved.name}: version {row.version} is stored. Try it, then switch it on.")
    return redirect("tom_alerce:filter", row.saved_id)


@refusing
def share(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a filter to the members of those of the user's groups that are ticked, and to nobody else of them."""
    one = _own(request, pk)
    chosen = [int(key) for key in request.POST.getlist("group") if key.isascii() and key.isdecimal() and len(key) < 10]
    groups = saved.share(one, request.user, chosen)
    messages.success(request, f"{one.name} is seen by its owner and {', '.join(groups) or 'nobody else'}.")
    return redirect("tom_alerce:filter", pk)


@refusing
def attempt(request: HttpRequest, pk: int) -> HttpResponse:
    """Try a version on the last nights."""
    row = saved.version(get_object_or_404(saved.seen_by(request.user), pk=pk), _number(request))
    made = pipeline.try_version(row)
    messages.success(request, f"{made.passed} of {made.looked} objects would have passed within {made.days} days.")
    return redirect("tom_alerce:filter", pk)


@refusing
def switch(request: HttpRequest, pk: int) -> HttpResponse:
    """Switch a version on, or the filter off."""
    require(request.user, "decide")
    one = _own(request, pk)
    if request.POST.get("on") == "0":
        saved.switch_off(one)
        messages.success(request, f"{one.name} is off.")
    else:
        row = saved.version(one, _number(request))
        saved.switch_on(row)
        messages.success(request, f"{one.name}: version {row.version} is on; what passes from now on is an event.")
    return redirect("tom_alerce:filter", pk)


@refusing
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a filter with its versions and what has passed them."""
    one = _own(request, pk)
    saved.delete(one)
    messages.success(request, f"{one.name} is deleted.")
    return redirect("tom_alerce:filters")


def _number(request: HttpRequest) -> int | None:
    """The version that a form names; None for the latest."""
    number = request.POST.get("version", "")
    return int(number) if number.isascii() and number.isdecimal() and len(number) < 9 else None
