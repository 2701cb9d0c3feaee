"""Actions of a person on an object: each is one POST, allowed by `tom_alerce.visible`, done by the store, answered by a message."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import wraps

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from tom_alerce import conf, tasks, visible
from tom_alerce.models import Mark, MatchCandidate, SkyObject, SurveyObject
from tom_alerce.pages import quiet
from tom_alerce.pages.access import refusing
from tom_alerce.pages.theme import back, theme
from tom_alerce.pipeline import rank
from tom_alerce.requests import draft, validate
from tom_alerce.requests.rights import Forbidden, require
from tom_alerce.store import hosts, linking, marks, targets
from tom_alerce.store.errors import StoreError
from tom_alerce.store.sanitize import sanitize_text

Action = Callable[[HttpRequest, int], SkyObject | HttpResponse]


def _action(do: Action) -> Callable[..., HttpResponse]:
    """Make a view that does an action for a POST of a viewer, and redirects back to the page or to the object."""

    @refusing
    @wraps(do)
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        done = do(request, pk)
        if quiet.is_quiet(request):
            return quiet.said(request)
        return done if isinstance(done, HttpResponse) else redirect(back(request, reverse("tom_alerce:object", args=[done.pk])))

    return view


def _changeable(request: HttpRequest, *objects: SkyObject, role: str = "decide") -> None:
    require(request.user, role)
    if not visible.may_change(request.user, *objects, role=role):
        raise Forbidden("it is a target of others, which you may not change: ask them, or the administrator of this TOM")


def _sky_object(request: HttpRequest, pk: int) -> SkyObject:
    return get_object_or_404(visible.sky_objects(request.user).prefetch_related(visible.seen_target(request.user)), pk=pk)


def _candidate(request: HttpRequest, pk: int) -> MatchCandidate:
    """Undecided match of which the user may change both sides."""
    candidate = get_object_or_404(visible.undecided(request.user).select_related("survey_object__sky_object", "sky_object"), pk=pk)
    _changeable(request, candidate.sky_object, candidate.survey_object.sky_object)
    return candidate


def near_enough(user: visible.User, member: SurveyObject, sky_object: SkyObject) -> tuple[float, float]:
    """Separation of the two and radius of their surveys, arcseconds; Forbidden if that takes a role that the user lacks."""
    apart, radius = linking.apart(member, sky_object)
    if apart > linking.FAR and not visible.may(user, "link_far"):
        raise Forbidden(
            f"{member} is {_angle(apart)} away: to link what is more than {linking.FAR:g}″ apart takes the role 'link_far' "
            f"({conf.ROLES['link_far']})"
        )
    return apart, radius


def _angle(arcseconds: float) -> str:
    return f"{arcseconds:.1f}″" if arcseconds < 60 else f"{arcseconds / 60:.1f}′" if arcseconds < 3600 else f"{arcseconds / 3600:.1f}°"


@_action
def promote(request: HttpRequest, pk: int) -> SkyObject:
    """Make the object a target of the TOM, or link it to its existing target."""
    sky_object = _sky_object(request, pk)
    _changeable(request, sky_object)
    target = targets.promote(sky_object, request.user)
    messages.success(request, f"{target.name} is a target now.")
    return sky_object


@_action
def place(request: HttpRequest, pk: int) -> SkyObject:
    """Put the target of the object at the object's best place, and let it follow that."""
    sky_object = _sky_object(request, pk)
    _changeable(request, sky_object)
    if sky_object.target is None:
        raise StoreError(f"{sky_object} is no target")
    targets.place(sky_object.target, sky_object)
    messages.success(request, f"{sky_object.target.name} is at the best place now.")
    return sky_object


@_action
def link(request: HttpRequest, pk: int) -> SkyObject | HttpResponse:
    """Link a survey object, named in ``name``, to this object; ask first if it is farther away than its survey's radius."""
    sky_object = _sky_object(request, pk)
    require(request.user, "decide")
    name = SurveyObject.object_id_of(sanitize_text(request.POST.get("name", "")))
    member = SurveyObject.objects.filter(object_id=name).select_related("sky_object").first()
    if member is None:
        raise StoreError(f"no survey has an object {name!r} here")
    _changeable(request, sky_object, member.sky_object)
    apart, radius = near_enough(request.user, member, sky_object)
    if apart > radius and request.POST.get("confirmed") != "yes":
        context = {"sky_object": sky_object, "member": member, "apart": apart, "radius": radius, "alerce_theme": theme(request)}
        return render(request, "tom_alerce/confirm_link.html", context | {"next": back(request, "")})
    linking.link(member, sky_object, request.user)
    messages.success(request, f"{member} is part of this object now.")
    return sky_object


@_action
def unlink(request: HttpRequest, pk: int) -> SkyObject:
    """Give a survey object a sky object of its own."""
    member = get_object_or_404(SurveyObject, pk=pk)
    sky_object = _sky_object(request, member.sky_object_id)
    _changeable(request, sky_object)
    linking.unlink(member, request.user)
    messages.success(request, f"{member} stands alone now.")
    return sky_object


@_action
def accept(request: HttpRequest, pk: int) -> SkyObject:
    """Accept an ambiguous match: link the survey object to the sky object."""
    candidate = _candidate(request, pk)
    near_enough(request.user, candidate.survey_object, candidate.sky_object)
    linking.link(candidate.survey_object, candidate.sky_object, request.user)
    messages.success(request, f"{candidate.survey_object} is linked.")
    return candidate.sky_object


@_action
def dismiss(request: HttpRequest, pk: int) -> SkyObject:
    """Dismiss an ambiguous match: the survey object stays separate."""
    candidate = _candidate(request, pk)
    linking.dismiss(candidate, request.user)
    messages.success(request, f"{candidate.survey_object} stays apart.")
    return candidate.sky_object


@_action
def mark(request: HttpRequest, pk: int) -> SkyObject:
    """Pin, note, veto, snooze or claim the object, as ``kind`` says, until the night ``until``; seen by everybody who sees the board."""
    sky_object = _sky_object(request, pk)
    require(request.user, "decide")
    made = marks.add(sky_object, request.POST.get("kind", ""), request.user, request.POST.get("text", ""), _night(request))
    messages.success(request, f"{sky_object.name}: {made.get_kind_display()}.")
    return sky_object


def _night(request: HttpRequest) -> date | None:
    """Date in the form's field ``until``; None where it is empty."""
    text = request.POST.get("until", "").strip()
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise StoreError(f"no date: {sanitize_text(text)[:40]!r}; write it as 2026-12-31") from error


@_action
def unmark(request: HttpRequest, pk: int) -> SkyObject:
    """Undo a mark of one's own; with the role ``configure``, also that of another."""
    made = get_object_or_404(Mark.objects.select_related("author", "sky_object"), pk=pk)
    sky_object = _sky_object(request, made.sky_object_id)
    if not visible.may_undo(request.user, made):
        raise Forbidden(f"it is a mark of {made.by}, which only its author undoes, or an account with the role 'configure'")
    marks.undo(made, request.user)
    messages.success(
        request, f"{sky_object.name} is no longer {made.get_kind_display()}." if made.kind != marks.Kind.NOTE else "Note undone."
    )
    return sky_object


@_action
def host(request: HttpRequest, pk: int) -> SkyObject:
    """Say that the galaxy ``galaxy`` is the host of the object, '' for none of the catalogued ones; ``text`` says why."""
    sky_object = _sky_object(request, pk)
    require(request.user, "decide")
    made = hosts.choose(sky_object, sanitize_text(request.POST.get("galaxy", "")), request.user, request.POST.get("text", ""))
    messages.success(request, f"{sky_object.name}: its host is {made.galaxy or 'none of the catalogued galaxies'}.")
    return sky_object


@_action
def unhost(request: HttpRequest, pk: int) -> SkyObject:
    """Let what was said of the host count no more; whoever may say it may undo it, and is named."""
    sky_object = _sky_object(request, pk)
    require(request.user, "decide")
    hosts.undo(sky_object, request.user)
    messages.success(request, f"{sky_object.name}: its host is that of the catalogues.")
    return sky_object


@_action
def explain(request: HttpRequest, pk: int) -> SkyObject:
    """Enqueue a task that explains the stamp classifier for this object: never in this process, which must not load TensorFlow."""
    sky_object = _sky_object(request, pk)
    require(request.user, "decide")
    if not tasks.workers_serve(tasks.explain):
        raise StoreError(f"this site has no worker for it; ask its administrator to run: manage.py alerce_explain {sky_object.pk}")
    tasks.explain.enqueue([sky_object.pk])
    messages.success(request, "Enqueued: a worker does it within about a minute. Reload the page then.")
    return sky_object


@_action
def dry_run(request: HttpRequest, pk: int) -> SkyObject:
    """Draft tonight's request for this object, check it and store it; nothing is sent.

    The object becomes a target of the user, since facilities take requests for targets only; if the request is refused, it does not.
    """
    sky_object = _sky_object(request, pk)
    _changeable(request, sky_object, role="request")
    ranked, options = rank.compute(sky_object_ids=[sky_object.pk]), {"top": 1, "threshold": 0.0}
    planned = rank.plan(ranked, **options)
    if not planned:
        reasons = rank.passed_over(ranked, **options).values()
        raise StoreError(f"{sky_object} cannot be requested for tonight: {next(iter(reasons), 'a term of the ranking vetoes it')}")
    (row,) = draft.draft(planned, user=request.user, profile=ranked.profile)
    validate.dry_run(row, request.user)
    draft.settle(row)
    level = messages.SUCCESS if row.state == row.State.VALIDATED else messages.WARNING
    messages.add_message(request, level, f"Dry run for {row.facility}, nothing was sent. {row.get_state_display()}: {row.message}")
    return sky_object
