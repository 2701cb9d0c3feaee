"""Alerts of all surveys to one object per source on the sky: associated by position, deduplicated by (survey, source id)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from broker_adapters.association import Association, associate
from broker_adapters.crossmatch import mean_position
from broker_adapters.records import Alert, Detections, Kind, SkyObject, frozen

__all__ = ["Association", "Merged", "associate", "merge", "union"]


@dataclass(frozen=True, slots=True, eq=False)
class Merged:
    """Objects on the sky, and the pairs of survey objects (keys and arcseconds) that may or may not be one source."""

    objects: tuple[SkyObject, ...]
    ambiguous: tuple[tuple[tuple[str, str], tuple[str, str], float], ...] = ()


def merge(alerts: Sequence[Alert]) -> Merged:
    """Merge alerts of any surveys and brokers into objects on the sky, in the order of their members.

    Each measurement appears once however often it was delivered. Moving objects are matched by name alone. The result does not depend
    on the order or repetition of the input.
    """
    by_key = {key: list(found) for key, found in groupby(sorted(alerts, key=_order), key=lambda a: a.key)}
    keys = list(by_key)
    places = {key: _place(by_key[key]) for key in keys}
    found = associate([survey for survey, _ in keys], *np.array(list(places.values()), float).reshape(-1, 3).T)
    members: dict[int, list[int]] = {}
    for k, label in enumerate(found.group.tolist()):
        members.setdefault(label, []).append(k)
    objects = tuple(_sky_object({keys[k]: places[keys[k]] for k in group}, by_key) for group in members.values())
    apart = {(*sorted((keys[i], keys[members[label][0]])), separation) for i, label, separation in found.ambiguous}
    return Merged(objects, tuple(sorted(apart)))


def union(rows: Iterable[Detections]) -> Detections:
    """All measurements, once each, read-only, in time order; of copies that differ the most complete is kept, whatever their order."""
    every = np.concatenate(list(rows))
    numbers = [name for name in every.dtype.names or () if every.dtype[name].kind == "f"]
    missing = np.sum([np.isnan(every[name]) for name in numbers], axis=0)
    return frozen(every[np.lexsort([*(every[name] for name in numbers), every["kind"], missing])])


def _order(alert: Alert) -> tuple[str, str, float, str, str, bool, int, int]:
    """By object and time; copies of one alert with the most complete first."""
    bare = alert.cutouts is None or alert.cutouts.science is None
    return (*alert.key, alert.mjd, alert.source_id or "", alert.broker, bare, -len(alert.metadata), -len(alert.detections))


def _place(alerts: Sequence[Alert]) -> tuple[float, float, float]:
    """The position by which an object is matched, and its error: of its detections or as an alert says it, whichever is better known."""
    if any(a.moving for a in alerts):
        return np.nan, np.nan, np.nan
    rows = union(a.detections for a in alerts)
    seen = rows[rows["kind"] == Kind.ALERT]
    said = min(((a.ra, a.dec, a.position_err) for a in alerts), key=lambda p: (not p[2] > 0.0, p[2], p))
    mean = mean_position(seen["ra"], seen["dec"], seen["position_err"])
    return mean if mean[2] < said[2] or not np.isfinite(said[0]) else said


def _sky_object(places: Mapping[tuple[str, str], tuple[float, float, float]], by_key: Mapping[tuple[str, str], list[Alert]]) -> SkyObject:
    alerts = [a for key in places for a in by_key[key]]
    if any(a.moving for a in alerts):
        latest = max(alerts, key=lambda a: a.mjd)
        ra, dec, error = latest.ra, latest.dec, latest.position_err
    else:
        ra, dec, error = mean_position(*np.array(list(places.values())).T)
    told = {(a.key, a.source_id, a.broker): a for a in reversed(alerts) if a.cutouts or a.metadata or a.labels}
    return SkyObject(
        ra=ra,
        dec=dec,
        position_err=error,
        detections=union(a.detections for a in alerts),
        alerts=tuple(sorted(told.values(), key=lambda a: (a.mjd, *_order(a)))),
        members=tuple(sorted(places)),
    )
