"""Requests for a whole plan: one page with a line and a verdict for each, and one confirmation."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from followup.records import FollowupError, ObservationRequest
from tom_alerce import conf, visible
from tom_alerce.models import FollowupRequest, SkyObject
from tom_alerce.pages.access import refusing, viewers_only
from tom_alerce.pages.request_actions import deliver
from tom_alerce.pages.requests import decorate
from tom_alerce.pages.theme import theme
from tom_alerce.pipeline import rank
from tom_alerce.requests import ask, draft, validate
from tom_alerce.requests.approve import approve
from tom_alerce.requests.portal import Silent
from tom_alerce.requests.rights import require
from tom_alerce.requests.states import State
from tom_alerce.store.errors import StoreError

#: Requests on one page at most.
MOST = 100


@refusing
def plan(request: HttpRequest) -> HttpResponse:
    """Draft and check the requests of tonight's plan for the objects that the user may change, and show them."""
    require(request.user, "request")
    ranked, row = rank.tonight()
    rows, refused = prepare(rank.plan(ranked), row, request.user)
    for why in refused:
        messages.warning(request, why)
    if not rows:
        raise StoreError("tonight's plan has no request for you: nothing passes its threshold, or all of it belongs to others")
    return redirect(address(rows))


def prepare(planned: Sequence[ObservationRequest], ranking: Any, user: visible.User) -> tuple[list[FollowupRequest], list[str]]:
    """Draft and check planned requests for objects that the user may change; what is wrong with one ends that one, and is said.

    No check begins once a portal was silent, or later than `FACILITY_TIMEOUT` after the first: the rest stay drafts, to be checked later.
    """
    skies = SkyObject.objects.in_bulk([int(one.target) for one in planned])
    visible.reveal(user, list(skies.values()))  # the name in a plan is that of the target, which may be a secret
    allowed, end = visible.changeable(user, skies.values()), time.monotonic() + conf.get("FACILITY_TIMEOUT")
    rows: list[FollowupRequest] = []
    refused: list[str] = []
    for one in planned[:MOST]:
        name = str(skies.get(key := int(one.target), f"sky object {key}"))
        if key not in allowed:
            refused.append(f"{name}: it is a target of others, which you may not change")
            continue
        try:
            (row,) = draft.draft([one], ranking, user)
            rows.append(row)
            if row.state in draft.REDRAFTED and time.monotonic() < end:
                validate.dry_run(row, user)
                draft.settle(row)
                end = 0.0 if "no usable answer" in row.message else end
        except (StoreError, FollowupError) as refusal:
            refused.append(f"{name}: {refusal}")
    return rows, refused


def address(rows: Sequence[FollowupRequest]) -> str:
    """Page of these requests."""
    return f"{reverse('tom_alerce:bulk')}?{urlencode({'pk': [row.pk for row in rows]}, doseq=True)}"


@require_GET
@viewers_only
def bulk(request: HttpRequest) -> HttpResponse:
    """``/alerce/requests/bulk/?pk=1&pk=2``: the requests, each with its verdicts, to be confirmed together."""
    rows = decorate(_rows(request, request.GET.getlist("pk")), request.user)
    hours = sum(row.cost or 0.0 for row in rows)
    context = {"requests": rows, "hours": hours, "alerce_theme": theme(request), "address": request.get_full_path()}
    may = {f"may_{role}": visible.may(request.user, role) for role in ("request", "approve", "send")}
    return render(request, "tom_alerce/requests_bulk.html", context | may)


@refusing
def confirm(request: HttpRequest) -> HttpResponse:
    """Do with every ticked request what the button says; each has an outcome of its own, and a portal that is silent is not asked again."""
    what = request.POST.get("do", "")
    if what not in _DO:
        raise StoreError("there is no such action")
    role, do = _DO[what]
    require(request.user, role)
    rows = _rows(request, request.POST.getlist("pk"))
    silent: set[str] = set()
    for row in rows:
        if row.facility in silent:
            messages.warning(request, f"{row.sky_object}: not tried, {row.facility} gave no answer before")
            continue
        try:
            do(request, row)
        except StoreError as refusal:
            silent |= {row.facility} if isinstance(refusal, Silent) else set()
            messages.warning(request, f"{row.sky_object}: {refusal}")
        else:
            silent |= {row.facility} if row.state == State.UNKNOWN else set()
            messages.success(request, f"{row.sky_object}: {row.get_state_display()}")
    return redirect(address(rows))


def _check(row: FollowupRequest, user: visible.User) -> None:
    require(user, "request", row)
    validate.dry_run(row, user)
    if row.state == State.DRAFT:
        raise Silent(row.message)


#: What a button does -> the role that it takes, and how it is done with one request.
_DO: dict[str, tuple[str, Callable[[HttpRequest, FollowupRequest], None]]] = {
    "check": ("request", lambda request, row: _check(row, request.user)),
    "ask": ("request", lambda request, row: ask.ask(row, request.user)),
    "approve": ("approve", lambda request, row: approve(row, request.user)),
    "send": ("send", lambda request, row: deliver(request.user, row)),
}


def _rows(request: HttpRequest, keys: Sequence[str]) -> list[FollowupRequest]:
    """Requests of these keys that the user may see, in their order."""
    wanted = [int(key) for key in keys[:MOST] if key.isdecimal() and len(key) < 19]
    found = visible.requests(request.user).select_related("sky_object", "user").in_bulk(wanted)
    visible.reveal(request.user, [row.sky_object for row in found.values()])
    return [found[key] for key in dict.fromkeys(wanted) if key in found]
