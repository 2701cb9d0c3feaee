"""Judges objects by the filters that are on, and tries filters on what was seen lately."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from broker_adapters.times import date_from_day
from followup import filters
from followup.filters import Columns, Tree
from tom_alerce import conf
from tom_alerce.clock import now
from tom_alerce.models import FilterMatch, FilterVersion, SavedFilter, SkyObject
from tom_alerce.pipeline.items import Progress
from tom_alerce.store import filters as compiled
from tom_alerce.store import outbox, saved, traits
from tom_alerce.store.candidates import candidates
from tom_alerce.store.errors import StoreError
from tom_alerce.store.sql import begin_write, chunks

logger = logging.getLogger(__name__)

#: Objects that a trial looks at; of more every second, third, ... is taken.
LOOKED = 3000
#: Days after which an object that is seen still is looked at again, though nothing is new of it: time has passed.
AGAIN = 0.5
#: Objects of a trial whose keys are kept as examples, those that passed last.
EXAMPLES = 12


@dataclass(slots=True)
class Judged:
    """Objects that were looked at, those that passed a filter for the first time, by its name, and filters that could not be used."""

    looked: int = 0
    passed: dict[str, list[int]] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        text = f"{self.looked} objects looked at"
        text += "".join(f"; {name}: {len(keys)} new" for name, keys in self.passed.items())
        return text + "".join(f"; {name} cannot be used: {why}" for name, why in self.problems.items())


@dataclass(frozen=True, slots=True)
class Trial:
    """What a filter would have passed: of ``looked`` objects ``passed``; by night its date, objects seen and objects that passed.

    ``every`` is 2 where every second object was taken, and so on; ``examples`` are keys of objects that passed, the last ones first.
    """

    days: int
    looked: int
    passed: int
    every: int
    nights: tuple[tuple[str, int, int], ...]
    examples: tuple[int, ...]

    @property
    def rate(self) -> float:
        """Share of the objects that passed; 0 without any."""
        return self.passed / self.looked if self.looked else 0.0

    def as_dict(self) -> dict[str, Any]:
        """As JSON, with the rate."""
        return asdict(self) | {"rate": self.rate}


def run(sky_object_ids: Collection[int] | None = None, also: Collection[int] = (), progress: Progress = lambda n: None) -> Judged:
    """Look at these objects, or at all of which the evidence is new and ``also`` these, and judge them by the filters that are on.

    An object that passes a version of a filter for the first time is an event of the outbox, in the transaction in which that is noted.
    """
    at = now()
    if sky_object_ids is None:
        sky_object_ids = {*waiting(), *also}
    done, working = Judged(), saved.working()
    for keys, columns in traits.refresh(sky_object_ids, at):
        for one, version, tree in working:
            if isinstance(tree, StoreError):
                done.problems[one.name] = str(tree)
            elif passing := _passing(tree, keys, columns, at):
                done.passed.setdefault(one.name, []).extend(_note(one, version, tree, passing, at))
        done.looked += len(keys)
        progress(len(keys))
    for name, why in done.problems.items():
        logger.warning("filter %s cannot be used: %s", name, why)
    return done


def waiting(everything: bool = False) -> list[int]:
    """Keys of the objects that have to be looked at, or of all."""
    objects = SkyObject.objects.filter(moving=False) if everything else traits.stale(now(), conf.get("RANK_DAYS"), AGAIN)
    return list(objects.values_list("pk", flat=True))


def _passing(tree: Tree, keys: Sequence[int], columns: Columns, at: float) -> list[int]:
    mask = filters.passing(tree, columns, at)
    return [key for key, passes in zip(keys, mask.tolist(), strict=True) if passes]


def _note(one: SavedFilter, version: int, tree: Tree, keys: Sequence[int], at: float) -> list[int]:
    """Store and announce those of some objects that pass for the first time; their keys."""
    with transaction.atomic():
        begin_write()
        new = saved.fresh(one, version, keys)
        skies = SkyObject.objects.filter(pk__in=new).prefetch_related("survey_objects")
        rows = [FilterMatch(saved=one, version=version, sky_object=sky, mjd=at) for sky in skies]
        FilterMatch.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
        outbox.announce_all(
            outbox.made(
                "filter",
                f"{one.pk} {version} {row.sky_object_id}",
                f"{row.sky_object.public_name} passes {one.name}",
                filters.words(tree),
                sky_object=row.sky_object,
                facts={"filter": one.pk, "version": version},
            )
            for row in rows
        )
    return [row.sky_object_id for row in rows]


def try_version(row: FilterVersion) -> Trial:
    """Try a version of a saved filter, and store what came of it; StoreError if it cannot be read any more."""
    made = trial(compiled.read(row.body))
    saved.note_trial(row, made.as_dict())
    return made


def trial(tree: Tree, at: float | None = None, days: int = saved.DAYS) -> Trial:
    """Try a filter on the objects that were seen within so many days before a moment (MJD, UTC; now).

    On each night the objects that were seen in it are judged by what their light curves said then; what classifiers, catalogues and people
    say is that of now.
    """
    at = now() if at is None else at
    recent = SkyObject.objects.filter(moving=False, last_mjd__gte=at - days, first_mjd__lte=at)
    keys = list(recent.order_by("pk").values_list("pk", flat=True))
    every = max(-(-len(keys) // LOOKED), 1)
    ends = at - np.arange(days)[::-1]
    seen, passed, last = np.zeros(days, int), np.zeros(days, int), dict[int, int]()
    looked = 0
    for part in chunks(keys[::every], traits.AT_ONCE):
        own, counted, masks = _nights(tree, part, ends)
        looked += int(counted.any(axis=0).sum())
        seen += counted.sum(axis=1)
        passed += masks.sum(axis=1)
        for night, i in zip(*(places.tolist() for places in np.nonzero(masks)), strict=True):
            last[own[i]] = night
    nights = zip((date_from_day(int(end)).isoformat() for end in ends), seen.tolist(), passed.tolist(), strict=True)
    examples = sorted(last, key=lambda key: (-last[key], -key))[:EXAMPLES]
    return Trial(days, looked, len(last), every, tuple(nights), tuple(examples))


def _nights(tree: Tree, part: Sequence[int], ends: NDArray[np.float64]) -> tuple[list[int], NDArray[np.bool_], NDArray[np.bool_]]:
    """Keys of objects, whether each was seen in each night, which ends at ``ends``, and whether it passed then, shape (nights, n)."""
    batch = candidates(SkyObject.objects.filter(pk__in=part), float(ends[-1]))
    seen, passed = (np.zeros((len(ends), len(batch)), bool) for _ in range(2))
    for k, end in enumerate(ends.tolist()):
        columns = filters.of(batch, end, filters.used(tree))
        seen[k] = batch.at(end).latest > end - 1.0
        passed[k] = seen[k] & filters.passing(tree, columns, end)
    return [int(one.key) for one in batch], seen, passed
