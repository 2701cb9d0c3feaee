"""Permissions: objects, requests and matches that a user may see or change (docs/decisions/006-permissions.md)."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.db.models import Q, QuerySet
from tom_targets.models import BaseTarget, Target
from tom_targets.permissions import targets_for_user

from tom_alerce.models import FollowupRequest, MatchCandidate, SkyObject

User = AbstractUser | AnonymousUser


def sky_objects(user: User) -> QuerySet[SkyObject]:
    """Sky objects that a user may see: those without a target, and those whose target the toolkit shows to the user.

    A user who is not logged in sees none.
    """
    if not user.is_authenticated:
        return SkyObject.objects.none()
    if user.is_superuser:
        return SkyObject.objects.all()
    targets = targets_for_user(user, Target.objects.all(), "view_target")
    return SkyObject.objects.filter(Q(target__isnull=True) | Q(target__in=targets.values("pk")))


def requests(user: User) -> QuerySet[FollowupRequest]:
    """Requests that a user may see: the user's own, and those for targets that the toolkit shows to the user.

    After its target is deleted, a request is seen by its owner and by superusers only.
    """
    if user.is_superuser:
        return FollowupRequest.objects.all()
    if not user.is_authenticated:
        return FollowupRequest.objects.none()
    targets = targets_for_user(user, Target.objects.all(), "view_target")
    return FollowupRequest.objects.filter(Q(user=user) | Q(target__in=targets.values("pk")))


def may_change(user: User, *objects: SkyObject) -> bool:
    """Whether a user may link, unlink or promote these objects: logged in, with ``change_target`` on the target of each that has one."""
    return user.is_authenticated and all(may_change_target(user, one.target) for one in objects if one.target_id)


def may_change_target(user: User, target: BaseTarget) -> bool:
    """Whether a user has ``change_target`` on all targets or on this one (on the TOM's own target model, if it has one)."""
    permission = f"{Target._meta.app_label}.change_target"
    own = target if isinstance(target, Target) else Target.objects.filter(pk=target.pk).first()
    return bool(user.has_perm(permission) or (own is not None and user.has_perm(permission, own)))


def undecided(user: User) -> QuerySet[MatchCandidate]:
    """Undecided matches of which the user may see both sides, with the related rows that a list of them shows."""
    viewable = sky_objects(user).values("pk")
    matches = MatchCandidate.objects.filter(decided=False, sky_object__in=viewable, survey_object__sky_object__in=viewable)
    return matches.select_related("survey_object__sky_object__target", "sky_object__target").prefetch_related("sky_object__survey_objects")
