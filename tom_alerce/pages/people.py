"""What people say of an object, on its page: labels, tags, files, mentions; each action is one POST."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import OuterRef, prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from tom_alerce import visible
from tom_alerce.models import Attachment, Label, SkyObject, Tag
from tom_alerce.pages import quiet
from tom_alerce.pages.access import refusing, viewers_only
from tom_alerce.pages.theme import back, theme
from tom_alerce.requests.rights import Forbidden, require
from tom_alerce.store import attachments, labels, mentions, seen, tags
from tom_alerce.store.errors import StoreError
from tom_alerce.store.sql import Rows

#: Mentions that are listed at most.
MOST = 100


def said(sky_object: SkyObject, user: visible.User) -> dict[str, Any]:
    """Context: labels that count, tags, and files, None where they are not for the reader."""
    own = list(labels.counting().filter(sky_object=sky_object))
    files = list(sky_object.attachments.defer("content").select_related("author").order_by("pk")) if may_see_files(sky_object) else None
    words = getattr(sky_object, "tag_names", None)
    tagged = list(sky_object.tags.values_list("name", flat=True)) if words is None else [one["name"] for one in words]
    return {"labels": own, "tags": tagged, "files": files, "classes": labels.CLASSES}


def tag_names() -> Rows:
    """Column of sky objects with their tags, for `said`."""
    return Rows(Tag.objects.filter(sky_object=OuterRef("pk")).order_by("name"), "name")


def may_see_files(sky_object: SkyObject) -> bool:
    """Whether a reader, for whom the target is revealed, may see the files: they are as private as the target."""
    return sky_object.target_id is None or sky_object.seen_target is not None


def _sky_object(request: HttpRequest, pk: int) -> SkyObject:
    found: SkyObject = get_object_or_404(visible.sky_objects(request.user).prefetch_related(visible.seen_target(request.user)), pk=pk)
    return found


def _done(request: HttpRequest, sky_object: SkyObject, part: str) -> HttpResponse:
    if quiet.is_quiet(request):
        return quiet.said(request)
    return redirect(back(request, f"{reverse('tom_alerce:object', args=[sky_object.pk])}#{part}"))


@refusing
def label(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that the object is of the class ``label``, and why."""
    sky_object = _sky_object(request, pk)
    require(request.user, "decide")
    made = labels.say(sky_object, request.POST.get("label", ""), request.user, request.POST.get("text", ""))
    messages.success(request, f"{sky_object.name}: you say that it is {made.label}.")
    return _done(request, sky_object, "people")


@refusing
def unlabel(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a label of one's own count no more; with the role ``configure``, also that of another."""
    row = get_object_or_404(Label.objects.select_related("sky_object", "author"), pk=pk)
    own = row.author_id == request.user.pk and visible.may(request.user, "decide")
    if not (own or visible.may(request.user, "configure")):
        raise Forbidden(f"it is a label of {row.by}, which only its author undoes, or an account with the role 'configure'")
    labels.unsay(row)
    messages.success(request, "Label undone.")
    return _done(request, row.sky_object, "people")


@refusing
def tag(request: HttpRequest, pk: int) -> HttpResponse:
    """Put the tag ``tag`` on the object, or take ``untag`` off it."""
    sky_object = _sky_object(request, pk)
    require(request.user, "decide")
    if gone := request.POST.get("untag", ""):
        tags.untag(sky_object, gone)
        messages.success(request, f"{sky_object.name}: no longer {gone}.")
    else:
        made = tags.tag(sky_object, request.POST.get("tag", ""), request.user)
        messages.success(request, f"{sky_object.name}: {made.name}.")
    return _done(request, sky_object, "people")


@refusing
def attach(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep the file ``file`` on the object."""
    sky_object = _sky_object(request, pk)
    require(request.user, "decide")
    if not may_see_files(sky_object):
        raise Forbidden("it is a target of others, whose files you may not see")
    file = request.FILES.get("file")
    if file is None or (file.size or 0) > attachments.LARGEST:
        raise StoreError(f"choose a file of at most {attachments.LARGEST / 1e6:.0f} MB")
    made = attachments.attach(sky_object, str(file.name), file.read(), request.user)
    messages.success(request, f"{made.name} is kept.")
    return _done(request, sky_object, "people")


@viewers_only
@require_safe
def attachment(request: HttpRequest, pk: int) -> HttpResponse:
    """``/alerce/files/<pk>/``: a file, which no browser interprets."""
    row = get_object_or_404(Attachment.objects.select_related("sky_object"), pk=pk)
    visible.reveal(request.user, [row.sky_object])
    if not may_see_files(row.sky_object):
        raise Http404
    answer = HttpResponse(bytes(row.content), content_type="application/octet-stream", headers={"X-Content-Type-Options": "nosniff"})
    answer.headers["Content-Security-Policy"] = "sandbox"
    answer["Content-Disposition"] = content_disposition_header(True, row.name)
    return answer


@viewers_only
@require_safe
def mentioned(request: HttpRequest) -> HttpResponse:
    """``/alerce/mentions/``: marks that name the reader, and that the reader has not read."""
    rows = list(mentions.unread(request.user)[:MOST])
    visible.reveal(request.user, [row.mark.sky_object for row in rows])
    prefetch_related_objects([row.mark.sky_object for row in rows], "survey_objects")
    return render(request, "tom_alerce/mentions.html", {"mentions": rows, "alerce_theme": theme(request)})


@refusing
def look(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep that the user has seen the object, and has read what mentions the user on it."""
    sky_object = _sky_object(request, pk)
    seen.look([sky_object.pk], request.user)
    mentions.read(request.user, sky_object)
    return _done(request, sky_object, "")
