"""What people watch, in memory: positions, names and regions of all active lists, read again when one of them has changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import ArrayLike, NDArray

from followup import watching
from tom_alerce.models import Watch, WatchEntry
from tom_alerce.store.sql import fetch

#: Version of a list: its key, its number, and when it was written, since a key may be given again.
_Version = tuple[int, int, datetime]


@dataclass(frozen=True, slots=True)
class Found:
    """A place or object that is in a list: its index, keys of list and entry (None: a region), and the separation in arcseconds, if any."""

    index: int
    watch: int
    entry: int | None = None
    separation: float | None = None


@dataclass(frozen=True, slots=True)
class _List:
    """One list: keys of its positions, the places (degrees) and radii (arcseconds), shape (m,) each; names -> keys; ranges of a region."""

    keys: NDArray[np.int64]
    ra: NDArray[np.float64]
    dec: NDArray[np.float64]
    radius: NDArray[np.float64]
    names: Mapping[str, int] = field(default_factory=dict)
    ranges: NDArray[np.int64] | None = None


class Watched:
    """All entries of some lists."""

    def __init__(self, lists: Mapping[int, _List]) -> None:
        whole = list(lists.values())
        columns = [np.concatenate([getattr(one, name) for one in whole] or [np.empty(0)]) for name in ("ra", "dec", "radius")]
        self._cones = watching.Cones(*columns)
        self._keys = np.concatenate([one.keys for one in whole] or [np.empty(0, np.int64)])
        self._owner = np.repeat(np.array(list(lists), np.int64), [len(one.keys) for one in whole])
        self._regions = {key: one.ranges for key, one in lists.items() if one.ranges is not None}
        self._names: dict[str, list[tuple[int, int]]] = defaultdict(list)  # without distinction of capitals
        for key, one in lists.items():
            for name, entry in one.names.items():
                self._names[name].append((key, entry))

    @property
    def named(self) -> bool:
        """Whether any list has names without places."""
        return bool(self._names)

    def __bool__(self) -> bool:
        return bool(len(self._keys) or self._regions or self._names)

    def inside(self, ra: ArrayLike, dec: ArrayLike, names: Sequence[str] = ()) -> NDArray[np.bool_]:
        """Whether n positions (degrees), or objects of these names, are in any list or region, shape (n,)."""
        inside = np.zeros(np.size(ra), bool)
        inside[self._cones.around(ra, dec)[0]] = True
        for _, indices in watching.in_regions(self._regions, ra, dec):
            inside[indices] = True
        inside[[i for i, name in enumerate(names) if name.casefold() in self._names]] = True
        return inside

    def find(self, ra: Sequence[float], dec: Sequence[float], names: Sequence[Iterable[str]]) -> list[Found]:
        """Lists that n objects are in, by their places (degrees) and names: each list once for each object, with its nearest entry."""
        found: dict[tuple[int, int], Found] = {}
        i, j, apart = self._cones.around(ra, dec)
        for k in np.argsort(-apart, kind="stable").tolist():  # the nearest last
            one = Found(int(i[k]), int(self._owner[j[k]]), int(self._keys[j[k]]), float(apart[k]))
            found[one.index, one.watch] = one
        for key, indices in watching.in_regions(self._regions, ra, dec):
            found.update({(index, key): Found(index, key) for index in indices.tolist()})
        for index, own in enumerate(names) if self._names else ():
            for name in own:
                for watch, entry in self._names.get(name.casefold(), ()):
                    found.setdefault((index, watch), Found(index, watch, entry))
        return list(found.values())


_read: dict[_Version, _List] = {}
_all: tuple[frozenset[_Version], Watched] = (frozenset(), Watched({}))


def current() -> Watched:
    """What all active lists watch now: one small query, and those lists that have changed since this process has read them."""
    global _read, _all
    versions = frozenset(Watch.objects.filter(active=True).values_list("pk", "version", "modified"))
    if versions != _all[0]:
        _read = {version: _read.get(version) or _load(version[0]) for version in sorted(versions)}
        _all = versions, Watched({version[0]: one for version, one in _read.items()})
    return _all[1]


def of(watch: Watch) -> Watched:
    """What one list watches, active or not."""
    return Watched({watch.pk: _load(watch.pk)})


def inside(ra: ArrayLike, dec: ArrayLike, names: Sequence[str] = ()) -> NDArray[np.bool_]:
    """Whether n positions (degrees), or objects of these names, are in any active list or region, shape (n,)."""
    return current().inside(ra, dec, names)


def _load(key: int) -> _List:
    default, ranges = Watch.objects.filter(pk=key).values_list("radius", "ranges").first() or (0.0, None)
    rows = fetch(WatchEntry.objects.filter(watch=key).values_list("pk", "name", "ra", "dec", "radius"))
    placed = [row for row in rows if row[2] is not None]
    columns = np.array([(ra, dec, default if radius is None else radius) for _, _, ra, dec, radius in placed], float).reshape(-1, 3).T
    return _List(
        np.array([row[0] for row in placed], np.int64),
        columns[0],
        columns[1],
        columns[2],
        names={row[1].casefold(): row[0] for row in rows if row[2] is None},
        ranges=None if ranges is None else np.frombuffer(bytes(ranges), "<i8").reshape(-1, 2),
    )
