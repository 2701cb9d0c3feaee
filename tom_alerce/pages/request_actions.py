"""Actions of a person on a request: each is one POST, whose right is checked again by what does it, answered by a message.

Who lacks the right gets 403, and nothing is stored or sent.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from tom_alerce import visible
from tom_alerce.models import FollowupRequest
from tom_alerce.pages.access import refusing
from tom_alerce.requests import ask as asking
from tom_alerce.requests import draft, edit, facilities, judge, template, validate
from tom_alerce.requests.approve import approve as approve_request
from tom_alerce.requests.cancel import cancel as cancel_request
from tom_alerce.requests.rights import Forbidden, require
from tom_alerce.requests.send import send as send_request
from tom_alerce.requests.states import State
from tom_alerce.store.errors import StoreError
from tom_alerce.store.sanitize import sanitize_text

Do = Callable[[HttpRequest, FollowupRequest], str]


def action(do: Do) -> Callable[..., HttpResponse]:
    """Make a view that does something with one request and shows it."""

    @refusing
    @wraps(do)
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        row = get_object_or_404(visible.requests(request.user).select_related("sky_object", "user"), pk=pk)
        done = do(request, row)
        bad = row.state in (State.INVALID, State.FAILED, State.UNKNOWN, State.EXPIRED)
        messages.add_message(request, messages.WARNING if bad else messages.SUCCESS, done)
        return redirect("tom_alerce:request", row.pk)

    return view


@refusing
def apply(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a draft for an object by the template in the form, or that of the settings, and show what would be sent."""
    sky_object = get_object_or_404(visible.sky_objects(request.user), pk=pk)
    require(request.user, "request")
    if not visible.may_change(request.user, sky_object, role="request"):
        raise Forbidden("it is a target of others, which you may not change: ask them, or the administrator of this TOM")
    given = {name: sanitize_text(request.POST.get(name, "")).strip() for name in ("facility", "instrument", "filters", "snr")}
    row = template.apply(
        sky_object,
        request.user,
        facility=configured(given["facility"]),
        instrument=given["instrument"],
        filters=[one for one in given["filters"].replace(",", " ").split() if one],
        snr=_number(given["snr"]),
    )
    if row.state not in draft.REDRAFTED:
        messages.info(request, f"It is requested already: {row.get_state_display()}.")
    return redirect("tom_alerce:request", row.pk)


def configured(name: str) -> str:
    """A facility of the settings, or one of our own; never a module that a stranger names."""
    if "." in name and name not in facilities.configured():
        raise StoreError(f"the settings name no facility {name[:60]!r}")
    return name


def _number(text: str) -> float | None:
    try:
        value = float(text) if text else None
    except ValueError as error:
        raise StoreError(f"no number: {text[:40]!r}") from error
    if value is not None and not 1.0 <= value <= 1000.0:
        raise StoreError("a signal to noise is 1 to 1000")
    return value


@action
def save(request: HttpRequest, row: FollowupRequest) -> str:
    """Store the form data as they are in the form, and check them."""
    require(request.user, "request", row)
    boxes = {name: "" for name, value in row.payload.items() if isinstance(value, bool)}
    written = {name.removeprefix("f_"): str(value) for name, value in request.POST.items() if name.startswith("f_")}
    edit.edit(row, request.user, boxes | written)
    return f"{row.get_state_display()}: {row.message}"


@action
def check(request: HttpRequest, row: FollowupRequest) -> str:
    """Ask the facility's own check again; nothing is sent."""
    require(request.user, "request", row)
    validate.dry_run(row, request.user)
    return f"{row.get_state_display()}: {row.message}"


@action
def ask(request: HttpRequest, row: FollowupRequest) -> str:
    """Ask for approval."""
    asking.ask(row, request.user)
    return "It waits for somebody with the right to approve it."


@action
def approve(request: HttpRequest, row: FollowupRequest) -> str:
    """Approve it as it is; it is sent by whoever has that right."""
    approve_request(row, request.user, sanitize_text(request.POST.get("reason", ""))[:1000])
    return "Approved."


@action
def send(request: HttpRequest, row: FollowupRequest) -> str:
    """Send it; who may approve, too, approves it by that."""
    deliver(request.user, row)
    return f"{row.get_state_display()}: {row.message}"


def deliver(user: visible.User, row: FollowupRequest) -> None:
    """Approve a checked request if need be, and send it."""
    require(user, "send", row)
    judge.require(row, user)  # before it is approved, too
    if row.state == State.VALIDATED:
        approve_request(row, user)
    send_request(row, user)


@action
def cancel(request: HttpRequest, row: FollowupRequest) -> str:
    """Give it up, here or at the facility."""
    cancel_request(row, request.user, sanitize_text(request.POST.get("reason", ""))[:1000])
    return f"{row.get_state_display()}: {row.message}"


@action
def reopen(request: HttpRequest, row: FollowupRequest) -> str:
    """Make a draft of it again."""
    require(request.user, "request", row)
    draft.reopen(row, request.user)
    return "It is a draft again."


@action
def override(request: HttpRequest, row: FollowupRequest) -> str:
    """Override the guards that are ticked, for a reason."""
    judge.override(row, request.user, request.POST.getlist("guard"), request.POST.get("reason", ""))
    return "Overridden; the reason is kept with the request."
