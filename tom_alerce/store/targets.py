"""Links sky objects to targets of the TOM: finds existing targets, makes new ones, writes names and photometry to them."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import F, Q
from guardian.shortcuts import assign_perm
from tom_targets.base_models import get_target_model_app_label
from tom_targets.models import BaseTarget, Target, TargetList, TargetName
from tom_targets.permissions import targets_for_user

from broker_adapters.crossmatch import match, separation, unit_vectors
from broker_adapters.records import Detections
from tom_alerce import conf, visible
from tom_alerce.match_manager import simplified, spellings
from tom_alerce.models import SkyObject, SurveyObject
from tom_alerce.store import lightcurves
from tom_alerce.store.errors import StoreError, hooks
from tom_alerce.store.photometry import Curve, save_curves
from tom_alerce.store.sql import begin_write, chunks

logger = logging.getLogger(__name__)

#: Arcseconds by which the place of a target may be off: no telescope points better.
NEGLIGIBLE = 0.1


def named(names: Sequence[Iterable[str]]) -> list[int | None]:
    """For each of n objects the target that has one of its names as name or alias; None if there is none.

    Names agree as in `tom_alerce.match_manager`, which compares them in the database. A target that moves is never meant: the asteroid
    2026 AB is not the transient AT 2026ab.
    """
    wanted = [[spelling for name in own for spelling in spellings(name) if spelling] for own in names]
    targets: dict[str, int] = {}
    for part in chunks(sorted({spelling for own in wanted for spelling in own})):
        for model, owner, kind in ((TargetName, "target_id", "target__type"), (BaseTarget, "pk", "type")):
            named = model.objects.exclude(**{kind: BaseTarget.NON_SIDEREAL}).annotate(simple=simplified(F("name"))).filter(simple__in=part)
            targets.update(named.order_by("-pk").values_list("simple", owner))
    return [next((targets[spelling] for spelling in own if spelling in targets), None) for own in wanted]


def nearby(ra: Sequence[float], dec: Sequence[float], radius: float | None = None) -> list[list[tuple[int, float]]]:
    """For each of n positions (degrees) the targets within ``radius`` (arcseconds; `MATCH_RADIUS`): (target, arcseconds), nearest first."""
    radius = conf.get("MATCH_RADIUS") if radius is None else radius
    near: list[list[tuple[int, float]]] = [[] for _ in ra]
    if not near:
        return near
    rows = {row for part in chunks(dec, 400) for row in _in_strips(part, radius / 3600.0)}
    pk, target_ra, target_dec = (np.array(column) for column in zip(*rows, strict=True)) if rows else (np.empty(0),) * 3
    for i, j, apart in zip(*match(np.asarray(ra), np.asarray(dec), target_ra, target_dec, radius), strict=True):
        near[int(i)].append((int(pk[j]), float(apart)))
    for one in near:
        one.sort(key=lambda pair: pair[1])
    return near


def _in_strips(dec: Sequence[float], radius: float) -> list[tuple[int, float, float]]:
    """Key and place of the sidereal targets within ``radius`` (degrees) of any of these declinations, by the index of `store.indexes`.

    The kind is no condition of the query: SQLite would make an index of it, for this query alone, out of all targets.
    """
    strips = Q(*(Q(dec__range=(one - radius, one + radius)) for one in dec), _connector=Q.OR)
    rows = BaseTarget.objects.filter(strips, ra__isnull=False).values_list("type", "pk", "ra", "dec")
    return [(pk, ra, dec) for kind, pk, ra, dec in rows if kind == BaseTarget.SIDEREAL]


def adopt(skies: Sequence[SkyObject]) -> list[SkyObject]:
    """Link sky objects to the target at their position, if there is exactly one; return those that were linked.

    The target may be younger than the object: made by hand, or merged from two. Objects that a person has linked or unlinked are left
    alone.
    """
    free = [s for s in skies if s.target_id is None and not s.moving]
    decided: set[int] = set()
    for ids in chunks(s.pk for s in free):
        by_person = SurveyObject.objects.filter(sky_object__in=ids, method=SurveyObject.Method.PERSON)
        decided.update(by_person.values_list("sky_object_id", flat=True))
    free = [s for s in free if s.pk not in decided]
    linked = []
    for sky, near in zip(free, nearby([s.ra for s in free], [s.dec for s in free]), strict=True):
        if len(near) == 1:
            sky.target_id, sky.promoted = near[0][0], True
            sky.save(update_fields=["target", "promoted", "modified"])
            linked.append(sky)
        elif near:
            logger.warning("%s: %d targets are within the match radius; link it by hand", sky, len(near))
    return linked


def update(skies: Iterable[SkyObject], changed: Collection[tuple[str, str]] | None = None) -> int:
    """Write names, photometry and the best place of sky objects to their targets; how many measurements were added or changed.

    With ``changed``, the identities (survey, source id) of the measurements that are new or replaced, only those are written. The number
    of queries does not grow with that of sky objects.
    """
    linked = [sky for sky in skies if sky.target_id is not None]
    targets = {t.pk: t for part in chunks({sky.target_id for sky in linked}) for t in BaseTarget.objects.filter(pk__in=part)}
    return _write([(targets[sky.target_id], sky) for sky in linked], changed)


def promote(sky_object: SkyObject, user: Any = None, target: BaseTarget | None = None) -> BaseTarget:
    """Make a sky object a target of the TOM, or link it to an existing target; its names become aliases, its light curve photometry.

    Parameters
    ----------
    sky_object : SkyObject
        Saved.
    user : User, optional
        Gets access to a new target, and needs ``change_target`` on an existing one; None for the TOM itself.
    target : BaseTarget, optional
        The target to link to, if a person has chosen one.

    Raises
    ------
    StoreError
        A solar-system object has no fixed position; several targets are at the position; the existing target belongs to others, or moves.
    HookError
        A hook or signal handler of the TOM has failed.
    """
    with hooks(sky_object), transaction.atomic():
        begin_write()
        sky = SkyObject.objects.select_for_update().get(pk=sky_object.pk)
        if target is None:
            target = sky.target or existing(sky, user)
            if target is not None and user is not None and not visible.may_change_target(user, target):
                raise StoreError(f"{_names(sky)[0]} is a target that you may not change: ask the administrator of this TOM")
            target = target or _create(sky, user)
        if target.type == BaseTarget.NON_SIDEREAL and not sky.moving:
            raise StoreError(f"{target.name} is a target that moves, and {sky} does not")
        sky.target, sky.promoted = target, True
        sky.save(update_fields=["target", "promoted", "placed_ra", "placed_dec", "modified"])
        _write([(target, sky)])
        _enlist(target)
    sky_object.target = target
    return target


def existing(sky: SkyObject, user: Any) -> BaseTarget | None:
    """The existing target of a sky object, by name, else by position; targets that the user may not see are not named."""
    if sky.moving:
        raise StoreError(f"{sky} moves: a target needs its orbital elements")
    pk = named([_names(sky)])[0]
    if pk is None:
        near = nearby([sky.ra], [sky.dec])[0]
        if len(near) > 1:
            viewable = BaseTarget.objects.all() if user is None else targets_for_user(user, Target.objects.all(), "view_target")
            names = ", ".join(viewable.filter(pk__in=[t for t, _ in near]).values_list("name", flat=True))
            raise StoreError(f"{sky} is near several targets ({names or 'of others'}): say which one it is")
        pk = near[0][0] if near else None
    return None if pk is None else BaseTarget.objects.get(pk=pk)


def withdraw(sky_object: SkyObject, target: BaseTarget) -> None:
    """Delete a target that has just been made of this object, and that nothing else belongs to; it may be made again."""
    if target.observationrecord_set.exists() or SkyObject.objects.filter(target=target).exclude(pk=sky_object.pk).exists():
        return
    with transaction.atomic():
        SkyObject.objects.filter(pk=sky_object.pk, target=target).update(target=None, promoted=False)
        (Target.objects.filter(pk=target.pk).first() or target).delete()
    sky_object.target = None


def _create(sky: SkyObject, user: Any) -> BaseTarget:
    sky.placed_ra, sky.placed_dec = sky.ra, sky.dec
    target = Target(name=sky.name, type=BaseTarget.SIDEREAL, ra=sky.ra, dec=sky.dec, epoch=2000.0)
    target.save(names=_names_and_permissions(target, sky, user))
    return target.basetarget_ptr if hasattr(target, "basetarget_ptr") else target


def _names_and_permissions(target: Target, sky: SkyObject, user: Any) -> Iterator[str]:
    """Give a new target its names and permissions; no name is left for the toolkit to write.

    `Target.save` iterates over its names after the target is in the table and before the TOM's hook runs, which is to find both.
    """
    _permit(target, user)
    _name([(target, _names(sky))])
    yield from ()


def _permit(target: Target, user: Any) -> None:
    if user is not None and user.is_authenticated:
        target.give_user_access(user)
    app = get_target_model_app_label()
    for group in Group.objects.filter(name__in=conf.get("GROUPS")):
        assign_perm(f"{app}.view_target", group, target)
        assign_perm(f"{app}.change_target", group, target)


def _write(linked: Sequence[tuple[BaseTarget, SkyObject]], changed: Collection[tuple[str, str]] | None = None) -> int:
    members = _members([sky.pk for _, sky in linked])
    fixed = []
    for target, sky in linked:
        if target.type != BaseTarget.NON_SIDEREAL or sky.moving:
            fixed.append((target, sky))
            continue
        logger.warning("%s does not move, but is linked to the target %s, which does: nothing is written to it", sky, target.name)
    _name([(target, members[sky.pk].public_names) for target, sky in fixed])
    for target, sky in fixed:
        _place(target, sky)
    if changed is not None and not changed:
        return 0
    owners = {sky.pk: [member.pk for member in members[sky.pk].survey_objects.all()] for _, sky in fixed}
    curves = lightcurves.split(lightcurves.read(pk for own in owners.values() for pk in own))
    return save_curves([_curve(target, lightcurves.merged(curves, owners[sky.pk]), changed) for target, sky in fixed])


def _curve(target: BaseTarget, rows: Detections, changed: Collection[tuple[str, str]] | None) -> Curve:
    if changed is None:
        return Curve(target, rows, np.ones(len(rows), bool))
    keys = zip(rows["survey"].tolist(), rows["source_id"].tolist(), strict=True)
    return Curve(target, rows, np.fromiter((key in changed for key in keys), bool, len(rows)))


def _members(keys: Iterable[int]) -> dict[int, SkyObject]:
    """Sky objects by key, with their survey objects in memory."""
    query = SkyObject.objects.prefetch_related("survey_objects")
    return {sky.pk: sky for part in chunks(keys) for sky in query.filter(pk__in=part)}


def displacement(target: BaseTarget, sky: SkyObject) -> float | None:
    """Arcseconds from the place of a target to the best place of its sky object; None where one of them has no fixed place."""
    if target.ra is None or target.dec is None or target.type == BaseTarget.NON_SIDEREAL or sky.moving:
        return None
    return float(separation(unit_vectors(target.ra, target.dec), unit_vectors(sky.ra, sky.dec))[0])


def _place(target: BaseTarget, sky: SkyObject) -> None:
    """Take the best place for a target that we made and that nobody has moved since."""
    if (target.ra, target.dec) == (sky.placed_ra, sky.placed_dec) and (displacement(target, sky) or 0.0) >= NEGLIGIBLE:
        place(target, sky)


def place(target: BaseTarget, sky: SkyObject) -> None:
    """Put a target at the best place of its sky object, and follow that from now on; the log says so."""
    apart = displacement(target, sky)
    if apart is None:
        raise StoreError(f"{target.name} has no fixed place")
    BaseTarget.objects.filter(pk=target.pk).update(ra=sky.ra, dec=sky.dec)
    target.ra, target.dec = sky.placed_ra, sky.placed_dec = sky.ra, sky.dec
    sky.save(update_fields=["placed_ra", "placed_dec"])
    logger.info("target %s: moved by %.2f arcsec to the best place, %.6f %+.6f", target.name, apart, sky.ra, sky.dec)


def _name(named: Iterable[tuple[BaseTarget, Iterable[str]]]) -> None:
    """Add aliases that no target has yet: a name belongs to one target only."""
    wanted: dict[str, BaseTarget] = {}
    for target, names in named:
        for name in names:
            wanted.setdefault(name[:100], target)
    for part in chunks(wanted):
        taken = set(TargetName.objects.filter(name__in=part).values_list("name", flat=True))
        taken |= set(BaseTarget.objects.filter(name__in=part).values_list("name", flat=True))
        new = (TargetName(target=wanted[name], name=name) for name in part if name not in taken)
        TargetName.objects.bulk_create(new, ignore_conflicts=True)


def _enlist(target: BaseTarget) -> None:
    if name := conf.get("TARGET_LIST"):
        TargetList.objects.get_or_create(name=name)[0].targets.add(target)


def _names(sky: SkyObject) -> list[str]:
    return _members([sky.pk])[sky.pk].public_names
