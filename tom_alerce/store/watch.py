"""Stores lists and regions that people watch, and the objects that are found in them: once each, in the transaction of the alerts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import F, prefetch_related_objects
from django.utils import timezone
from numpy.typing import NDArray

from followup import watchareas
from followup.watchlists import MAX_RADIUS, Entry
from tom_alerce import conf
from tom_alerce.clock import now
from tom_alerce.models import Event, SkyObject, SurveyObject, Watch, WatchEntry, WatchMatch
from tom_alerce.models.sky import written
from tom_alerce.store import asking, watched
from tom_alerce.store.errors import StoreError
from tom_alerce.store.outbox import Kind, announce_all, made
from tom_alerce.store.sanitize import sanitize_text
from tom_alerce.store.sql import begin_write, chunks, fetch, insert_ignore
from tom_alerce.store.watched import Found, Watched

#: Lists of one person, and entries of one list, at most.
MOST, ENTRIES = 100, 100_000
#: Stored objects that are looked through at a time, and matches of one list that this finds at most.
AT_ONCE, MATCHES = 20_000, 20_000
inside = watched.inside


def save(owner: Any, name: str, *, text: str = "", radius: float = 3.0, group: Any = None, watch: Watch | None = None) -> Watch:
    """Make a list, or change what is said of one; another radius is another version.

    Raises
    ------
    StoreError
        The name is taken, the radius is none, the group is not the owner's, or there are too many lists.
    """
    name = " ".join(sanitize_text(name).split())[:100]
    mine = Watch.objects.filter(owner=owner).exclude(pk=watch.pk if watch else 0)
    if not name:
        raise StoreError("a list needs a name")
    if mine.filter(name=name).exists():
        raise StoreError(f"you have a list {name!r} already")
    if watch is None and mine.count() >= MOST:
        raise StoreError(f"{MOST} lists are the most")
    if not 0.0 < radius <= MAX_RADIUS:
        raise StoreError(f"the radius must be above 0 and at most {MAX_RADIUS:g} arcseconds")
    if group is not None and owner is not None and not owner.groups.filter(pk=group.pk).exists():
        raise StoreError("you can only share with a group that you are in")
    made_ = watch or Watch(owner=owner)
    made_.version += watch is not None and watch.radius != radius
    made_.name, made_.text, made_.radius, made_.group = name, sanitize_text(text)[:500], radius, group
    made_.save()
    return made_


def fill(watch: Watch, entries: Sequence[Entry]) -> Watch:
    """Give a list these entries instead of those that it has; objects that were found stay found."""
    if len(entries) > ENTRIES:
        raise StoreError(f"{ENTRIES} entries are the most")
    rows = [
        (watch.pk, sanitize_text(one.name), _known(one.ra), _known(one.dec), _known(one.radius), sanitize_text(one.text)) for one in entries
    ]
    with transaction.atomic():
        begin_write()
        Watch.objects.select_for_update().get(pk=watch.pk)
        watch.entries.all().delete()
        insert_ignore(WatchEntry, ("watch", "name", "ra", "dec", "radius", "text"), rows)
        _changed(watch, kind=Watch.Kind.POSITIONS, ranges=None, coverage=0.0)
    return watch


def cover(watch: Watch, ranges: NDArray[np.int64]) -> Watch:
    """Make a list a region, of ranges as `followup.watchareas.read` gives them."""
    with transaction.atomic():
        begin_write()
        watch.entries.all().delete()
        _changed(watch, kind=Watch.Kind.REGION, ranges=ranges.astype("<i8").tobytes(), coverage=watchareas.fraction(ranges))
    return watch


def switch(watch: Watch, active: bool) -> None:
    """Match alerts with a list, or no longer."""
    _changed(watch, active=active)


def remove(watch: Watch) -> None:
    """Remove a list with what was found in it, and the rules about it."""
    watch.delete()


def text(watch: Watch) -> str:
    """A list as `followup.watchlists.read` and Lasair read it; remarks stand behind the radius, names alone on a line."""
    lines = [f"# {watch.name}"]
    for name, ra, dec, radius, remark in watch.entries.order_by("pk").values_list("name", "ra", "dec", "radius", "text"):
        if ra is None:
            lines.append(name.replace("|", " "))
        else:
            rest = [f"{watch.radius if radius is None else radius:g}", *([remark.replace("|", " ")] if remark else [])]
            lines.append("|".join([f"{ra:.7f}", f"{dec:+.7f}", name.replace("|", " "), *rest]))
    return "\n".join(lines) + "\n"


def region_text(watch: Watch) -> str:
    """A region as the text of a coverage map."""
    return watchareas.written(np.frombuffer(bytes(watch.ranges or b""), "<i8").reshape(-1, 2)) + "\n"


def note(skies: Sequence[SkyObject]) -> int:
    """Note which lists these objects are in, in the caller's transaction; each object once for each list, of which people are told.

    Known solar-system objects are left out: they pass everywhere. What was seen last before ``RANK_DAYS``, such as the alerts of an
    archive, is noted as found earlier, and nobody is told.
    """
    index = watched.current()
    if not index:
        return 0
    fixed = [sky for sky in skies if not sky.moving]
    if index.named:
        prefetch_related_objects(fixed, "survey_objects")
    names = [_names(sky) if index.named else () for sky in fixed]
    keys = [sky.pk for sky in fixed]
    fresh = _fresh(keys, index.find([sky.ra for sky in fixed], [sky.dec for sky in fixed], names))
    oldest = now() - conf.get("RANK_DAYS")
    news = [one for one in fresh if (fixed[one.index].last_mjd or 0.0) >= oldest]
    if fresh:
        _write(keys, news, earlier=False)
        _write(keys, [one for one in fresh if one not in news], earlier=True)
        _announce([(fixed[one.index], one) for one in news])
    return len(fresh)


def search(watch: Watch, parts: int | None = None) -> int:
    """Look through the stored objects for those in a list, and note them as found earlier; return how many were new.

    At most `MATCHES`, the latest objects first: a region may hold all of them. With ``parts`` only the latest `AT_ONCE` objects so many
    times: the list counts as searched only if these were all.
    """
    index = watched.of(watch)
    count, below, looked = _by_name(watch, index), None, 0
    while count < MATCHES:
        if looked == parts:
            return count
        looked += 1
        rows = SkyObject.objects.filter(moving=False, **({} if below is None else {"pk__lt": below}))
        part = fetch(rows.order_by("-pk").values_list("pk", "ra", "dec")[:AT_ONCE])
        if not part:
            break
        keys, ra, dec = (list(column) for column in zip(*part, strict=True))
        below = keys[-1]
        fresh = _fresh(keys, index.find(ra, dec, ()))[: MATCHES - count]
        _write(keys, fresh, earlier=True)
        count += len(fresh)
    Watch.objects.filter(pk=watch.pk).update(searched=watch.version)
    return count


def waiting() -> list[Watch]:
    """Active lists for which the stored objects have not been looked through since they were changed."""
    return list(Watch.objects.filter(active=True).exclude(searched=F("version")).order_by("pk"))


def _by_name(watch: Watch, index: Watched) -> int:
    """Note the stored objects of the names in a list; return how many were new."""
    names = watch.entries.filter(ra=None).values_list("name", flat=True) if index.named else ()
    count = 0
    for part in chunks(names):
        members = SurveyObject.objects.filter(object_id__in=[SurveyObject.object_id_of(name) for name in part], sky_object__moving=False)
        called = [
            (key, (object_id, written(survey, object_id)))
            for key, survey, object_id in members.values_list("sky_object_id", "survey", "object_id")
        ]
        keys = [key for key, _ in called]
        nowhere = [math.nan] * len(keys)
        fresh = _fresh(keys, index.find(nowhere, nowhere, [own for _, own in called]))
        _write(keys, fresh, earlier=True)
        count += len(fresh)
    return count


def _names(sky: SkyObject) -> Iterator[str]:
    """All names of an object, with and without the survey before a number."""
    for member in sky.survey_objects.all():
        yield from (member.object_id, str(member), *member.names)


def _fresh(keys: Sequence[int], found: Sequence[Found]) -> list[Found]:
    """Those that are not noted yet; ``keys`` are those of the objects."""
    known: set[tuple[int, int]] = set()
    watches = {one.watch for one in found}
    for part in chunks((keys[one.index] for one in found), 400):
        known |= set(WatchMatch.objects.filter(sky_object__in=part, watch__in=watches).values_list("sky_object_id", "watch_id"))
    return [one for one in found if (keys[one.index], one.watch) not in known]


def _write(keys: Sequence[int], found: Sequence[Found], *, earlier: bool) -> None:
    at = timezone.now()
    rows = [(one.watch, one.entry, keys[one.index], one.separation, earlier, at) for one in found]
    insert_ignore(WatchMatch, ("watch", "entry", "sky_object", "separation", "earlier", "created"), rows)


def _announce(found: Sequence[tuple[SkyObject, Found]]) -> None:
    """Tell of objects in lists of which somebody wants to be told."""
    asked = {rule.watch_id for rule in asking.rules(Kind.NEW)} if found else set()
    found = [(sky, one) for sky, one in found if one.watch in asked]
    watches = Watch.objects.in_bulk({one.watch for _, one in found})
    entries = WatchEntry.objects.in_bulk({one.entry for _, one in found if one.entry is not None})
    prefetch_related_objects([sky for sky, _ in found], "survey_objects")
    announce_all(_event(sky, watches[one.watch], entries.get(one.entry or 0), one.separation) for sky, one in found if one.watch in watches)


def _event(sky: SkyObject, watch: Watch, entry: WatchEntry | None, separation: float | None) -> Event:
    where = "" if entry is None else f", {separation:.1f} arcsec from {entry.name}" if separation is not None else f", as {entry.name}"
    what = f"{sky.public_name} is in the {watch.get_kind_display()} {watch.name!r}{where}"
    facts = {"separation": round(separation, 2)} if separation is not None else {}
    return made(Kind.NEW, f"watch {watch.pk} {sky.pk}", what, entry.text if entry is not None else "", sky, watch=watch, facts=facts)


def _changed(watch: Watch, **fields: Any) -> None:
    """Write fields of a list as another version, which every process reads before the next batch."""
    Watch.objects.filter(pk=watch.pk).update(version=F("version") + 1, modified=timezone.now(), **fields)
    watch.refresh_from_db()


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
