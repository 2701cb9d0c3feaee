"""Events: their list, and the page of one with map, candidates, versions and the draft of a circular; people confirm and reject there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_GET
from django.views.generic import DetailView, ListView

from broker_adapters.notice import Messenger, Role
from followup import regions
from tom_alerce import visible
from tom_alerce.models import EventCandidate, EventVersion, SkyEvent, Watch
from tom_alerce.pages import circular, summaries
from tom_alerce.pages.access import ViewerMixin, refusing, viewers_only
from tom_alerce.pages.figures import sky
from tom_alerce.pages.theme import back, theme
from tom_alerce.pipeline.lists import begin
from tom_alerce.requests.rights import require
from tom_alerce.store import counterparts, events
from tom_alerce.store import watch as lists
from tom_alerce.store.judged import Judged, judge

#: Candidates that a page judges, the best placed, and of these the ones that it shows with brightness.
JUDGED, SHOWN = 500, 60
#: Level of the region that is given to others.
LEVEL = 0.9


class EventsView(ViewerMixin, ListView):  # type: ignore[type-arg] # generic in the stubs alone
    """``/alerce/events/``: events, latest first; ``?role=`` is 'observation' (the default), 'mock' or 'test', ``?messenger=`` what came."""

    template_name = "tom_alerce/events.html"
    context_object_name = "events"
    paginate_by = 50

    def get_queryset(self) -> QuerySet[SkyEvent]:
        """Events of the role and messenger that are asked for, with the number of candidates that count."""
        may = Q(candidates__early=False, candidates__level__lte=counterparts.search().level)
        counting = Count("candidates", filter=may & ~Q(candidates__status=EventCandidate.Status.REJECTED))
        confirmed = Count("candidates", filter=Q(candidates__status=EventCandidate.Status.CONFIRMED))
        rows = SkyEvent.objects.filter(role=self._role).annotate(counting=counting, confirmed=confirmed)
        messenger = self.request.GET.get("messenger", "")
        rows = rows.filter(messenger=messenger) if messenger in _values(Messenger) else rows
        return rows.select_related("placed").defer("placed__map").order_by("-mjd", "-pk")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Context of the page."""
        chosen = {"role": self._role, "messenger": self.request.GET.get("messenger", "")}
        return super().get_context_data(**kwargs) | {
            "alerce_theme": theme(self.request), "chosen": chosen, "roles": _values(Role), "messengers": _values(Messenger),
        }  # fmt: skip

    @property
    def _role(self) -> str:
        asked = self.request.GET.get("role", "")
        return asked if asked in _values(Role) else Role.OBSERVATION.value


class EventView(ViewerMixin, DetailView):  # type: ignore[type-arg] # generic in the stubs alone
    """``/alerce/events/<pk>/``: one event."""

    template_name = "tom_alerce/event.html"
    context_object_name = "event"
    queryset = SkyEvent.objects.select_related("placed").defer("placed__map")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Context of the page."""
        event, user = self.object, self.request.user
        every = event.candidates.select_related("sky_object", "decided_by").prefetch_related("sky_object__survey_objects")
        judged = judge(event, list(every.order_by("level", "pk")[:JUDGED]))
        shown = judged[:SHOWN]
        skies = [one.row.sky_object for one in shown]
        visible.reveal(user, skies)
        told = summaries.summarise(skies, user)
        region = events.region(event) if event.placed_id is not None else None
        marks = _marks(shown)
        return super().get_context_data(**kwargs) | {
            "alerce_theme": theme(self.request),
            "whole": region and sky.whole(region, marks),
            "near": region and sky.near(region, marks),
            "best": region and region.best,
            "candidates": [(i, one, told[one.row.sky_object_id]) for i, one in enumerate(shown, 1)],
            "more": event.candidates.count() - len(shown),
            "versions": _versions(event),
            "expected": counterparts.expected(event, 1.0),
            "searched": region is not None and not event.retracted and (event.area or 0.0) <= counterparts.search().largest,
            "search": counterparts.search(),
            "circular": circular.draft(event, judged, told),
            "may_decide": visible.may(user, "decide"),
            "statuses": EventCandidate.Status.values,
        }


@require_GET
@viewers_only
def region(request: HttpRequest, pk: int) -> HttpResponse:
    """``/alerce/events/<pk>/region.json``: the region of 90 % as a MOC (IVOA's JSON: order -> nested cells), a file for other programs."""
    event = get_object_or_404(SkyEvent, pk=pk)
    if event.placed_id is None:
        return HttpResponse(status=404)
    orders, cells = events.region(event).cells(LEVEL)
    body: dict[str, list[int]] = {}
    for order, cell in zip(orders.tolist(), cells.tolist(), strict=True):
        body.setdefault(str(order), []).append(cell)
    answer = HttpResponse(json.dumps(body), content_type="application/json")
    answer["Content-Disposition"] = 'attachment; filename="region.moc.json"'
    return answer


@refusing
def watch(request: HttpRequest, pk: int) -> HttpResponse:
    """Watch the region of 90 % of an event as a region of one's own; again, after a better map, it is made anew."""
    event = get_object_or_404(SkyEvent, pk=pk)
    found, name = regions.ranges(events.region(event), LEVEL), f"{event.name}, region of 90 %"
    mine = Watch.objects.filter(owner=request.user.pk, name=name).first() or lists.save(request.user, name, text=str(event.messenger))
    lists.cover(mine, found)
    messages.success(request, f"The region of {event.name} is among your lists; {begin(mine)} stored objects are in it.")
    return redirect("tom_alerce:watch", mine.pk)


@refusing
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that a candidate is ``status``: pending, confirmed or rejected; ``text`` says why."""
    require(request.user, "decide")
    row = get_object_or_404(EventCandidate.objects.select_related("event", "sky_object"), pk=pk)
    counterparts.decide(row, request.POST.get("status", ""), request.user, request.POST.get("text", ""))
    messages.success(request, f"{row.sky_object.public_name}: {row.get_status_display().lower()} as the counterpart of {row.event}.")
    return redirect(back(request, reverse("tom_alerce:event", args=[row.event_id])))


def _marks(shown: Sequence[Judged]) -> list[sky.Place]:
    found = [sky.Place(i, one.row.sky_object.ra, one.row.sky_object.dec, _css(one)) for i, one in enumerate(shown, 1)]
    return found[::-1]  # the best is drawn last, above the others


def _css(one: Judged) -> str:
    return one.row.status if one.counts or one.row.status != EventCandidate.Status.PENDING else "ruled-out"


def _versions(event: SkyEvent) -> list[EventVersion]:
    return list(event.versions.defer("map").order_by("-issued", "-number", "-pk")[:100])


def _values(choices: type[Messenger] | type[Role]) -> list[str]:
    return [one.value for one in choices]
