"""Permissions: who may see what, and who may do what (docs/decisions/006-permissions.md).

What surveys and brokers sent is public in the TOM: whoever has the role ``view`` sees every object. Private are the target that an object
has become, with its name, and the requests for it: they are seen by those to whom the toolkit shows the target.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.db.models import Prefetch, Q, QuerySet, prefetch_related_objects
from guardian.shortcuts import get_objects_for_user
from tom_targets.models import BaseTarget, Target
from tom_targets.permissions import targets_for_user

from tom_alerce import conf
from tom_alerce.models import FollowupRequest, Mark, MatchCandidate, SkyObject, Watch

User = AbstractUser | AnonymousUser

#: Attribute of a user with the query for the targets that are shown: guardian looks up its content type whenever it makes one.
_TARGETS = "_alerce_targets"


def may(user: User, role: str) -> bool:
    """Whether a user has a role: from the settings, which give some to every account, or as a permission of Django."""
    return bool(user.is_authenticated and (role in conf.get("EVERYBODY") or user.has_perm(conf.ROLES[role])))


def sky_objects(user: User) -> QuerySet[SkyObject]:
    """Sky objects that a user may see: all with the role ``view``, else none. Their targets are shown as `reveal` says."""
    return SkyObject.objects.all() if may(user, "view") else SkyObject.objects.none()


def targets(user: User | None) -> QuerySet[BaseTarget]:
    """Targets that the toolkit shows to a user who is logged in; all for None, which is the TOM itself."""
    every: QuerySet[BaseTarget] = BaseTarget.objects.all()
    if user is None or user.is_superuser:
        return every
    if not user.is_authenticated:
        return every.none()
    seen: QuerySet[BaseTarget] | None = getattr(user, _TARGETS, None)
    if seen is None:
        seen = every.filter(pk__in=targets_for_user(user, Target.objects.all(), "view_target").values("pk"))
        setattr(user, _TARGETS, seen)
    return seen.all()


def seen_target(user: User | None, owner: str = "") -> Prefetch[Any]:
    """Prefetch that sets ``seen_target`` of sky objects, or of those at the end of the path ``owner`` ('sky_object__')."""
    return Prefetch(f"{owner}target", queryset=targets(user), to_attr="_seen_target")


def reveal(user: User | None, skies: Sequence[SkyObject]) -> None:
    """Set ``seen_target`` of sky objects, in one query: a target that the user may not see gives neither a link nor its name."""
    prefetch_related_objects(skies, seen_target(user))


def requests(user: User) -> QuerySet[FollowupRequest]:
    """Requests that a user may see: the user's own, and those for targets that the toolkit shows to the user.

    After its target is deleted, a request is seen by its owner and by superusers only.
    """
    if user.is_superuser:
        return FollowupRequest.objects.all()
    if not may(user, "view"):
        return FollowupRequest.objects.none()
    return FollowupRequest.objects.filter(Q(user=user) | Q(target__in=targets(user).values("pk")))


def watches(user: User) -> QuerySet[Watch]:
    """Lists and regions that a user may see: the user's own, and those of the user's groups."""
    if user.is_superuser:
        return Watch.objects.all()
    if not may(user, "view"):
        return Watch.objects.none()
    return Watch.objects.filter(Q(owner=user) | Q(group__in=user.groups.values("pk")))


def may_change(user: User, *objects: SkyObject, role: str = "decide") -> bool:
    """Whether a user has the role and, on the targets of all of these objects that have one, ``change_target``."""
    return may(user, role) and len(changeable(user, objects)) == len({one.pk for one in objects})


def changeable(user: User, objects: Iterable[SkyObject]) -> set[int]:
    """Keys of those objects that have no target, or one on which the user has ``change_target``; one query for all."""
    objects = list(objects)
    keys = {one.target_id for one in objects if one.target_id is not None}
    allowed: set[int] = set()
    if keys and user.is_authenticated:
        permission = f"{Target._meta.app_label}.change_target"
        allowed = set(get_objects_for_user(user, permission, Target.objects.filter(pk__in=keys)).values_list("pk", flat=True))
    return {one.pk for one in objects if one.target_id is None or one.target_id in allowed}


def may_change_target(user: User, target: BaseTarget) -> bool:
    """Whether a user has ``change_target`` on all targets or on this one (on the TOM's own target model, if it has one)."""
    permission = f"{Target._meta.app_label}.change_target"
    own = target if isinstance(target, Target) else Target.objects.filter(pk=target.pk).first()
    return bool(user.has_perm(permission) or (own is not None and user.has_perm(permission, own)))


def may_undo(user: User, mark: Mark) -> bool:
    """Whether a user may undo a mark: its author with the role ``decide``, and whoever has the role ``configure``."""
    return may(user, "configure") or (may(user, "decide") and mark.author_id == user.pk)


def undecided(user: User) -> QuerySet[MatchCandidate]:
    """Undecided matches between objects that the user may see."""
    return MatchCandidate.objects.filter(decided=False) if may(user, "view") else MatchCandidate.objects.none()


def with_both_sides(user: User, matches: QuerySet[MatchCandidate], *others: SkyObject) -> list[MatchCandidate]:
    """Matches with the related rows that a list of them shows: of both objects of each the members, who decided them, and the seen target.

    ``others`` are sky objects that get the same in the same queries.
    """
    found = list(matches.select_related("survey_object__sky_object", "sky_object"))
    sides = [side for one in found for side in (one.sky_object, one.survey_object.sky_object)]
    prefetch_related_objects([*others, *sides], seen_target(user), "survey_objects__decided_by")
    return found
