"""Requests for observations: the list, and one request with what will be sent, the guards' verdicts, its cost and its history."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET
from django.views.generic import DetailView, ListView
from tom_observations.facility import get_service_class

from followup.asked import Asked
from followup.records import FollowupError
from tom_alerce import visible
from tom_alerce.models import FollowupRequest
from tom_alerce.pages import series
from tom_alerce.pages.access import ViewerMixin, viewers_only
from tom_alerce.pages.theme import theme
from tom_alerce.requests import judge
from tom_alerce.requests.allowance import allowance
from tom_alerce.requests.ask import asks
from tom_alerce.requests.edit import FIXED
from tom_alerce.requests.facilities import facility_of
from tom_alerce.requests.known import read
from tom_alerce.requests.states import ENDED, UNSENT, State

#: Characters of a value from which on it is edited in an area.
_LONG = 60
#: Events of a request that its page lists, the latest.
_EVENTS = 100


@dataclass(frozen=True, slots=True)
class Field:
    """One value of the form data as the page shows it: ``kind`` is that of an input, or 'area'."""

    name: str
    value: str
    kind: str
    fixed: bool


class RequestsView(ViewerMixin, ListView):  # type: ignore[type-arg] # generic in the stubs alone
    """``/alerce/requests/``: requests that the user may see, latest first; ``?state=`` chooses, and ``waiting`` are those to approve."""

    template_name = "tom_alerce/requests.html"
    context_object_name = "requests"
    paginate_by = 50

    def get_queryset(self) -> QuerySet[FollowupRequest]:
        """Requests in the state that is asked for, or all."""
        rows = visible.requests(self.request.user).select_related("sky_object", "user").order_by("-modified", "-pk")
        rows = rows.prefetch_related(visible.seen_target(self.request.user, "sky_object__"), "sky_object__survey_objects")
        chosen = self.request.GET.get("state", "")
        if chosen == "waiting":
            return asks(rows)
        return rows.filter(state=chosen) if chosen in State.values else rows

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Context of the page."""
        context = super().get_context_data(**kwargs)
        seen = visible.requests(self.request.user)
        context |= {"alerce_theme": theme(self.request), "states": State.choices, "chosen": self.request.GET.get("state", "")}
        return context | {"waiting": asks(seen).count(), "may_request": visible.may(self.request.user, "request")}


class RequestView(ViewerMixin, DetailView):  # type: ignore[type-arg] # generic in the stubs alone
    """``/alerce/requests/<pk>/``: what will be sent, editable until it is; the guards; what happened."""

    template_name = "tom_alerce/request.html"
    context_object_name = "row"

    def get_queryset(self) -> QuerySet[FollowupRequest]:
        """Requests that the user may see."""
        return visible.requests(self.request.user).select_related("sky_object", "user", "observation_record", "series__owner")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Context of the page."""
        context = super().get_context_data(**kwargs)
        row, user = self.object, self.request.user
        visible.reveal(user, [row.sky_object])
        before = row.state in UNSENT | {State.APPROVED}
        verdicts = judge.judge(row, user) if before else ()
        context |= {"fields": fields(row), "form_url": form_url(row), "before": before, "ended": row.state in ENDED}
        context |= {"verdicts": verdicts, "against": judge.stopping(verdicts)}
        context |= {"events": row.events.select_related("user").order_by("-pk")[:_EVENTS], "alerce_theme": theme(self.request)}
        context |= {"asked": asked_of(row), "cost": cost(row), "asking": asks(FollowupRequest.objects.filter(pk=row.pk)).exists()}
        rights = {role: visible.may_change(user, row.sky_object, role=role) for role in ("request", "approve", "send", "override")}
        return context | series.context(row, user) | {f"may_{role}": may for role, may in rights.items()}


@require_GET
@viewers_only
def portal(request: HttpRequest, pk: int) -> HttpResponse:
    """A part of the page that asks the facility's portal, and so is fetched after it."""
    row = get_object_or_404(visible.requests(request.user).select_related("sky_object"), pk=pk)
    return render(request, "tom_alerce/partials/request_portal.html", {"allowance": allowance(row), "row": row})


def fields(row: FollowupRequest) -> list[Field]:
    """Values of the form data in their order, those that nobody edits first."""
    every = [_field(name, value) for name, value in row.payload.items()]
    return sorted(every, key=lambda one: not one.fixed)


def _field(name: str, value: Any) -> Field:
    fixed = name in FIXED
    if isinstance(value, bool):
        return Field(name, "true" if value else "", "checkbox", fixed)
    if isinstance(value, (int, float)):
        return Field(name, json.dumps(value), "number", fixed)
    text = json.dumps(value) if isinstance(value, (list, dict)) else "" if value is None else str(value)
    return Field(name, text, "area" if isinstance(value, (list, dict)) or len(text) > _LONG else "text", fixed)


def asked_of(row: FollowupRequest) -> Asked | None:
    """What a request asks for; None where its form data cannot be read."""
    try:
        return read(facility_of(row.facility), row)
    except FollowupError:
        return None


def cost(row: FollowupRequest) -> float | None:
    """Hours of telescope time, overheads included, by our own table; None where they are not known."""
    asked, plugin = asked_of(row), facility_of(row.facility)
    hours = 0.0 if asked is None or plugin is None else asked.hours(plugin.INSTRUMENTS)
    return hours or None


def form_url(row: FollowupRequest) -> str:
    """Address of the facility's own form of the TOM, filled in; '' where there is none, or no target."""
    try:
        get_service_class(row.facility)
    except ImportError:
        return ""
    if row.target_id is None:
        return ""
    flat = {name: value for name, value in row.payload.items() if isinstance(value, (str, int, float)) and not isinstance(value, bool)}
    return f"{reverse('tom_observations:create', args=[row.facility])}?{urlencode(flat | {'target_id': row.target_id})}"


def decorate(rows: Sequence[FollowupRequest], user: visible.User) -> list[Any]:
    """Set ``cost``, ``asked``, ``verdicts`` and ``against`` of requests for a list; what was sent is judged no more."""
    listed: list[Any] = list(rows)
    for row in listed:
        row.cost, row.asked = cost(row), asked_of(row)
        row.verdicts = judge.judge(row, user) if row.state in UNSENT | {State.APPROVED} else ()
        row.against = judge.stopping(row.verdicts)
    return listed
