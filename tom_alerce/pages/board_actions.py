"""What a person does on the board to several objects at once, or to a view of it."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from followup.records import FollowupError
from tom_alerce import visible
from tom_alerce.models import SkyObject
from tom_alerce.pages import bulk as requests_page
from tom_alerce.pages import quiet
from tom_alerce.pages.access import refusing
from tom_alerce.pages.theme import back
from tom_alerce.pipeline import rank
from tom_alerce.requests.rights import require
from tom_alerce.store import marks, rankings, seen, views
from tom_alerce.store.errors import StoreError

#: Objects of one action at most.
MOST = 100


def keys(values: Sequence[str]) -> list[int]:
    """Keys of objects among texts, each once, at most `MOST`."""
    return [int(key) for key in dict.fromkeys(values) if key.isdecimal() and len(key) <= 18][:MOST]


@refusing
def bulk(request: HttpRequest) -> HttpResponse:
    """Do with the objects ``pk`` what ``do`` says: put a mark, keep that they are seen, compare them, or draft requests for them."""
    do, wanted = request.POST.get("do", ""), keys(request.POST.getlist("pk"))
    if not wanted:
        raise StoreError("no object is selected")
    if do == "compare":
        return redirect(f"{reverse('tom_alerce:compare')}?{urlencode({'pk': wanted}, doseq=True)}")
    if do == "request":
        return _ask(request, wanted)
    if do in ("seen", "unseen"):
        return _look(request, wanted, do == "seen")
    require(request.user, "decide")
    done, text = 0, request.POST.get("text", "")
    for sky in visible.sky_objects(request.user).filter(pk__in=wanted).prefetch_related("survey_objects"):
        try:
            marks.add(sky, do, request.user, text)
            done += 1
        except StoreError as refusal:
            messages.warning(request, f"{sky.name}: {refusal}")
    if done:
        messages.success(request, f"{marks.Kind(do).label}: {done} object{'s' if done > 1 else ''}.")
    return answer(request)


def _look(request: HttpRequest, wanted: Sequence[int], is_seen: bool) -> HttpResponse:
    if is_seen:
        seen.look(wanted, request.user)
    else:
        seen.unlook(wanted, request.user)
    if not quiet.is_quiet(request):
        messages.success(request, f"{'Seen' if is_seen else 'Not seen'} by you: {len(wanted)} object{'s' if len(wanted) > 1 else ''}.")
    return answer(request)


def _ask(request: HttpRequest, wanted: Sequence[int]) -> HttpResponse:
    """Draft and check requests for these objects, and show them."""
    require(request.user, "request")
    ranked = rank.compute(sky_object_ids=list(SkyObject.objects.filter(pk__in=wanted).values_list("pk", flat=True)))
    options = {"top": len(wanted), "threshold": 0.0}
    rows, refused = requests_page.prepare(rank.plan(ranked, **options), rankings.current(), request.user)
    for name, why in rank.passed_over(ranked, **options).items():
        messages.warning(request, f"{name}: {why}")
    for why in refused:
        messages.warning(request, why)
    if not rows:
        raise FollowupError("none of them can be requested for tonight")
    return redirect(requests_page.address(rows))


@refusing
def save_view(request: HttpRequest) -> HttpResponse:
    """Keep the filters and the order in ``query`` under ``name``."""
    kept = views.save(request.user, request.POST.get("name", ""), request.POST.get("query", ""), shared=request.POST.get("shared") == "yes")
    messages.success(request, f"View “{kept.name}” kept.")
    return redirect(back(request))


@refusing
def delete_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a view of one's own."""
    if not views.delete(request.user, pk):
        raise StoreError("it is no view of yours")
    messages.success(request, "View deleted.")
    return redirect(back(request))


def answer(request: HttpRequest) -> HttpResponse:
    """Back to the page, or the messages for a script."""
    return quiet.said(request) if quiet.is_quiet(request) else redirect(back(request))
