"""Lists and regions that people watch: made by pasting or from a file, with what was found in each."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.generic import ListView
from numpy.typing import NDArray

from followup import watchareas, watchlists
from tom_alerce import visible
from tom_alerce.models import Watch, WatchMatch
from tom_alerce.pages.access import ViewerMixin, refusing, viewers_only
from tom_alerce.pages.theme import theme
from tom_alerce.pipeline import lists
from tom_alerce.store import watch as store
from tom_alerce.store.errors import StoreError

#: Matches, and entries, that a page shows; bytes of a list at most.
_PAGE, _SHOWN, _LARGEST = 50, 50, 20 << 20
#: How the text of a region begins: of a coverage map, a circle or a polygon.
_REGION = re.compile(rb"\s*(?:#[^\n]*\n\s*)*(?:SIMPLE  =|\{|\d{1,2}/\d|circle\b|polygon\b)", re.IGNORECASE)


class WatchesView(ViewerMixin, ListView):  # type: ignore[type-arg] # generic in the stubs alone
    """``/alerce/lists/``: the lists that one may see, and the form of a new one."""

    template_name = "tom_alerce/watches.html"
    context_object_name = "watches"

    def get_queryset(self) -> QuerySet[Watch]:
        """Lists with the number of objects found, one's own first."""
        found = {"found": Count("matches"), "fresh": Count("matches", filter=Q(matches__earlier=False))}
        return visible.watches(self.request.user).select_related("owner", "group").defer("ranges").annotate(**found).order_by("name")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Context of the page."""
        return super().get_context_data(**kwargs) | _form(self.request)


class WatchView(ViewerMixin, ListView):  # type: ignore[type-arg] # generic in the stubs alone
    """``/alerce/lists/<pk>/``: what was found in a list, the latest first, and what it holds."""

    template_name = "tom_alerce/watch.html"
    context_object_name = "matches"
    paginate_by = _PAGE

    def get_queryset(self) -> QuerySet[WatchMatch]:
        """Matches with their objects."""
        self.watch: Any = get_object_or_404(visible.watches(self.request.user).select_related("owner", "group"), pk=self.kwargs["pk"])
        return self.watch.matches.select_related("entry", "sky_object").prefetch_related("sky_object__survey_objects").order_by("-pk")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Context of the page; names of targets for those who may see them."""
        context = super().get_context_data(**kwargs) | _form(self.request)
        visible.reveal(self.request.user, [one.sky_object for one in context["object_list"]])
        one = self.watch
        return context | {
            "watch": one,
            "mine": _may_change(self.request.user, one),
            "entries": one.entries.order_by("pk")[:_SHOWN],
            "count": one.entries.count(),
            "degrees": one.coverage * 41_252.96,
        }


def _form(request: HttpRequest) -> dict[str, Any]:
    groups = request.user.groups.order_by("name") if request.user.is_authenticated else ()
    return {"alerce_theme": theme(request), "groups": groups, "largest": watchlists.MAX_RADIUS}


def _may_change(user: Any, watch: Watch) -> bool:
    return bool(watch.owner_id == user.pk or user.is_superuser)


def _own(request: HttpRequest, pk: int) -> Watch:
    """A list that the reader may change; what may only be seen, or not even that, is not there."""
    found = get_object_or_404(visible.watches(request.user), pk=pk)
    if not _may_change(request.user, found):
        raise StoreError(f"{found.name} is {found.by}'s, who alone may change it")
    return found


@refusing
def make(request: HttpRequest) -> HttpResponse:
    """Make a list, unless lines of it are wrong: then they are told, and what was typed stays."""
    return _store(request, None)


@refusing
def save(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a list; without a text or a file its entries stay."""
    return _store(request, _own(request, pk))


def _store(request: HttpRequest, watch: Watch | None) -> HttpResponse:
    data = _given(request)
    region, entries, problems = contents(data)
    if region is None and entries is None and watch is None:
        raise StoreError("paste a list or a region, or choose a file")
    if problems and not (request.POST.get("skip") and entries):
        typed = data.decode("utf-8", "replace") if len(data) < 1 << 20 else ""
        return render(request, "tom_alerce/watch_problems.html", {"problems": problems, "watch": watch, "typed": typed} | _form(request))
    watch = store.save(request.user if watch is None else watch.owner, watch=watch, **_fields(request, watch))
    if region is not None:
        store.cover(watch, region)
    elif entries is not None:
        store.fill(watch, entries)
    return _looked(request, watch)


def contents(data: bytes) -> tuple[NDArray[np.int64] | None, Sequence[watchlists.Entry] | None, list[str]]:
    """What a text or a file is: a region, or entries and the lines that are wrong; neither for an empty one."""
    if _REGION.match(data):
        return watchareas.read(data), None, []
    if not data.strip():
        return None, None, []
    got = watchlists.read(data.decode("utf-8", "replace"))
    more = [f"and {got.wrong - len(got.problems)} more"] if got.wrong > len(got.problems) else []
    return None, got.entries, [*got.problems, *more]


def _fields(request: HttpRequest, watch: Watch | None) -> dict[str, Any]:
    """What the form says of a list besides its entries; with whom it is shared its owner alone says."""
    number, user = request.POST.get("group", ""), request.user
    group = user.groups.filter(pk=int(number)).first() if number.isdecimal() and len(number) < 10 else None
    if watch is not None and watch.owner_id != user.pk:
        group = watch.group
    try:
        radius = float(request.POST.get("radius") or 3.0)
    except ValueError:
        radius = math.nan
    return {"name": request.POST.get("name", ""), "text": request.POST.get("text", ""), "radius": radius, "group": group}


def _given(request: HttpRequest) -> bytes:
    """Bytes of the file, if one was chosen, else the text."""
    file = request.FILES.get("file")
    if file is not None and (file.size or 0) > _LARGEST:
        raise StoreError(f"a list has at most {_LARGEST >> 20} MB")
    return bytes(file.read()) if file is not None else request.POST.get("entries", "").encode("utf-8", "replace")


def _looked(request: HttpRequest, watch: Watch) -> HttpResponse:
    """Look through the latest stored objects at once, and say what was found."""
    n = lists.begin(watch)
    watch.refresh_from_db()
    rest = "" if watch.searched == watch.version else " among the latest; alerce_notify looks through the rest"
    messages.success(request, f"{watch.name} is stored; {n} stored object{'s' * (n != 1)} found in it{rest}.")
    return redirect("tom_alerce:watch", watch.pk)


@refusing
def switch(request: HttpRequest, pk: int) -> HttpResponse:
    """Match alerts with a list, or no longer."""
    watch = _own(request, pk)
    store.switch(watch, request.POST.get("active") == "1")
    return redirect("tom_alerce:watch", watch.pk)


@refusing
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a list, what was found in it, and everybody's rules about it."""
    watch = _own(request, pk)
    store.remove(watch)
    messages.success(request, f"{watch.name} is removed.")
    return redirect("tom_alerce:watches")


@viewers_only
def export(request: HttpRequest, pk: int) -> HttpResponse:
    """A list as a file that can be read again, here and by Lasair; a region as the text of a coverage map."""
    watch = get_object_or_404(visible.watches(request.user), pk=pk)
    text = store.region_text(watch) if watch.kind == Watch.Kind.REGION else store.text(watch)
    name = re.sub(r"[^\w.-]+", "_", watch.name, flags=re.ASCII) or "list"
    return HttpResponse(
        text,
        content_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.txt"', "X-Content-Type-Options": "nosniff"},
    )
