"""What a person does with channels: makes, changes, tries, switches and removes them."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from tom_alerce.models import Channel
from tom_alerce.outgoing.records import Undelivered
from tom_alerce.pages.access import refusing
from tom_alerce.pipeline import deliver
from tom_alerce.store import channels
from tom_alerce.store.errors import StoreError


def _own(request: HttpRequest, pk: int) -> Channel:
    return get_object_or_404(Channel.objects.select_related("owner"), pk=pk, owner=request.user.pk)


@refusing
def save(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Make a channel, or change one; secrets that are left empty stay."""
    channel = None if pk is None else _own(request, pk)
    kind = request.POST.get("kind", "") if channel is None else channel.kind
    given = {one.name: request.POST.get(f"address-{one.name}", "") for one in channels.plugin(kind).FIELDS}
    number = request.POST.get("group", "")
    group = request.user.groups.filter(pk=int(number)).first() if number.isdecimal() and len(number) < 10 else None
    made = channels.save(request.user, kind, request.POST.get("name", ""), given, group, channel)
    messages.success(request, f"{made.name} is stored. Try it with its button before you rely on it.")
    return redirect("tom_alerce:notifications")


@refusing
def test(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a test to a channel."""
    channel = _own(request, pk)
    try:
        answer = deliver.test(channel)
    except Undelivered as error:
        channels.note(channel, error.reason)
        raise StoreError(f"{channel.name}: {error.reason}") from error
    messages.success(request, f"{channel.name} has taken the test: {answer}.")
    return redirect("tom_alerce:notifications")


@refusing
def switch(request: HttpRequest, pk: int) -> HttpResponse:
    """Switch a channel on or off."""
    channel = _own(request, pk)
    channels.switch(channel, request.POST.get("active") == "1")
    return redirect("tom_alerce:notifications")


@refusing
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a channel, with what was told through it."""
    channel = _own(request, pk)
    channels.remove(channel)
    messages.success(request, f"{channel.name} is removed.")
    return redirect("tom_alerce:notifications")
