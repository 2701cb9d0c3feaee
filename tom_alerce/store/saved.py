"""Stores filters of people: versions, who sees them, what came of trials, and which version is on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone as clock

from followup import filters
from followup.filters import Tree
from tom_alerce import conf, visible
from tom_alerce.clock import now
from tom_alerce.models import FilterMatch, FilterVersion, SavedFilter, Traits
from tom_alerce.store import filters as compiled
from tom_alerce.store.errors import StoreError
from tom_alerce.store.sanitize import sanitize_text
from tom_alerce.store.sql import begin_write, chunks

#: Days that a trial looks back, and for which one is good enough to switch a filter on.
DAYS, GOOD = 30, 7
#: Objects in a trial that are never too many, whatever share of few objects they are.
FEW = 10
#: Filters that may be on at a time.
MOST_ON = 100


def seen_by(user: Any) -> QuerySet[SavedFilter]:
    """Filters that a user may see: the user's own, those of the user's groups, and all for superusers; all for None, the TOM itself."""
    every = SavedFilter.objects.select_related("owner")
    if user is None or user.is_superuser:
        return every
    if not visible.may(user, "view"):
        return every.none()
    return every.filter(Q(owner=user) | Q(pk__in=SavedFilter.objects.filter(groups__in=user.groups.values("pk")).values("pk")))


def may_change(user: Any, saved: SavedFilter) -> bool:
    """Whether a user may change a filter: its owner, and whoever has the role ``configure`` and sees it."""
    return user is None or saved.owner_id == user.pk or (visible.may(user, "configure") and seen_by(user).filter(pk=saved.pk).exists())


def save(name: str, body: Any, author: Any, text: str = "", groups: Iterable[Group] = ()) -> FilterVersion:
    """Store a new filter, which is off, or the next version of one that the author may change; the same tree again adds no version.

    Raises
    ------
    StoreError
        It is no filter, selects nothing, has no name, or is another's.
    """
    tree = compiled.read(body)
    if not filters.used(tree):
        raise StoreError("filter: it has no condition")
    title = " ".join(sanitize_text(name).split())
    if not 0 < len(title) <= _width("name"):
        raise StoreError(f"name: 1 to {_width('name')} characters are needed")
    with transaction.atomic():
        begin_write()
        saved = _named(title, author)
        if not may_change(author, saved):
            raise StoreError(
                f"name: there is a filter {title!r} of {saved.by if seen_by(author).filter(pk=saved.pk).exists() else 'another'}"
            )
        saved.text = sanitize_text(text)[: _width("text")]
        saved.save(update_fields=["text", "modified"])
        saved.groups.set(groups)
        latest = saved.versions.first()
        if latest is not None and latest.body == filters.body(tree):
            return latest
        return FilterVersion.objects.create(
            saved=saved, version=1 if latest is None else latest.version + 1, body=filters.body(tree), author=author
        )


def _named(name: str, author: Any) -> SavedFilter:
    try:
        with transaction.atomic():
            return SavedFilter.objects.select_for_update().get_or_create(name=name, defaults={"owner": author})[0]
    except IntegrityError:  # another has made it meanwhile
        return SavedFilter.objects.get(name=name)


def _width(column: str) -> int:
    return getattr(SavedFilter._meta.get_field(column), "max_length", None) or 0


def share(saved: SavedFilter, user: Any, groups: Iterable[int]) -> list[str]:
    """Let the members of these of a user's groups see a filter, and of no other of that user's; names of all groups that see it."""
    own = user.groups.all()
    others = saved.groups.exclude(pk__in=own.values("pk"))
    saved.groups.set([*others, *own.filter(pk__in=list(groups))])
    return list(saved.groups.order_by("name").values_list("name", flat=True))


def delete(saved: SavedFilter) -> None:
    """Delete a filter with its versions and what has passed them."""
    saved.delete()


def version(saved: SavedFilter, number: int | None = None) -> FilterVersion:
    """A version of a filter, the latest for None; StoreError without it."""
    rows = saved.versions.all() if number is None else saved.versions.filter(version=number)
    row = rows.first()
    if row is None:
        raise StoreError(f"filter {saved.name!r} has no version {number}")
    return row


def note_trial(row: FilterVersion, trial: Mapping[str, Any]) -> None:
    """Store what came of a trial of a version."""
    row.tried, row.trial = clock.now(), dict(trial)
    row.save(update_fields=["tried", "trial"])


def refusal(row: FilterVersion, at: datetime | None = None) -> str:
    """Why a version may not be switched on; '' if it may."""
    if row.tried is None or row.tried < (at or clock.now()) - timedelta(days=GOOD):
        return f"it has to be tried on the last {DAYS} days first" if row.tried is None else f"its trial is older than {GOOD} days"
    looked, passed, cap = row.trial.get("looked", 0), row.trial.get("passed", 0), float(conf.get("FILTER_CAP"))
    if not looked:
        return f"no object was seen within {DAYS} days: there was nothing to try it on"
    if passed > FEW and passed > cap * looked:
        return f"{passed} of {looked} objects passed ({passed / looked:.1%}), more than {cap:.1%}: narrow it down"
    return ""


def switch_on(row: FilterVersion) -> None:
    """Judge objects by this version as they come; what passes already is no event.

    Raises
    ------
    StoreError
        It has not been tried, passes too much, or too many filters are on.
    """
    if why := refusal(row):
        raise StoreError(f"{row.saved.name} is not switched on: {why}")
    tree, at = compiled.read(row.body), now()
    recent = Traits.objects.filter(compiled.where(tree, at), last_seen__gte=at - DAYS).values_list("pk", flat=True)
    with transaction.atomic():
        begin_write()
        others = SavedFilter.objects.exclude(on=None).exclude(pk=row.saved_id).count()
        if others >= MOST_ON:
            raise StoreError(f"{row.saved.name} is not switched on: {others} filters are on already")
        FilterMatch.objects.bulk_create(
            (FilterMatch(saved=row.saved, version=row.version, sky_object_id=key, mjd=at, told=False) for key in recent),
            ignore_conflicts=True,
            batch_size=500,
        )
        SavedFilter.objects.filter(pk=row.saved_id).update(on=row.version, modified=clock.now())


def switch_off(saved: SavedFilter) -> None:
    """Judge nothing by a filter any more."""
    SavedFilter.objects.filter(pk=saved.pk).update(on=None, modified=clock.now())


def working() -> list[tuple[SavedFilter, int, Tree | StoreError]]:
    """Filters that are on, the version, and its tree, or why this version of the package cannot read it."""
    rows = FilterVersion.objects.filter(saved__on__isnull=False).select_related("saved")
    return [(row.saved, row.version, _readable(row.body)) for row in rows.order_by("saved__name") if row.version == row.saved.on]


def tree_of(name: str) -> Tree | None:
    """The tree of the version that is on of a filter; None where it is off, not there, or cannot be read any more."""
    row = FilterVersion.objects.filter(saved__name=name, version=F("saved__on")).first()
    found = None if row is None else _readable(row.body)
    return None if isinstance(found, StoreError) else found


def _readable(body: Any) -> Tree | StoreError:
    try:
        return compiled.read(body)
    except StoreError as error:
        return error


def passed(keys: Iterable[int]) -> dict[int, set[str]]:
    """Names of the filters that are on and of which these objects have passed the present version, by object."""
    found: dict[int, set[str]] = {}
    for part in chunks(keys):
        rows = FilterMatch.objects.filter(sky_object__in=part, version=F("saved__on"))
        for key, name in rows.values_list("sky_object", "saved__name"):
            found.setdefault(key, set()).add(name)
    return found


def fresh(saved: SavedFilter, number: int, keys: Sequence[int]) -> list[int]:
    """Those of some objects that have not passed this version before."""
    known = set(FilterMatch.objects.filter(saved=saved, version=number, sky_object__in=keys).values_list("sky_object", flat=True))
    return [key for key in keys if key not in known]
