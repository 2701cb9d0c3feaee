"""Alerts that are not stored as candidates: what each says itself, and what catalogues have at its place."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

from broker_adapters import tns
from broker_adapters.records import Alert
from followup.batch import Batch
from followup.records import Candidate
from tom_alerce.store.places import Position, Surveyed


def arriving(alerts: Sequence[Alert]) -> Batch:
    """The objects of n alerts, in their order: with the measurements, life and brokers' labels in each, and without anything stored."""
    # keys of objects are positive: nobody has said anything of the host of one with another
    surveyed = Surveyed([Position(-1 - i, alert.ra, alert.dec, alert.mjd) for i, alert in enumerate(alerts)], {})
    return Batch([_candidate(i, alert, surveyed) for i, alert in enumerate(alerts)])


def _candidate(i: int, alert: Alert, surveyed: Surveyed) -> Candidate:
    life = alert.lifetime
    first = None if life is None else life.first_mjd
    return Candidate.deferred(
        {"place": surveyed.of(i)},
        key=str(-1 - i),
        name=alert.object_id,
        ra=alert.ra,
        dec=alert.dec,
        detections=alert.detections,
        probabilities=_probabilities(alert),
        classified=any(map(tns.spectroscopic, alert.names)),
        first_seen=math.nan if first is None else first,
        n_seen=0 if life is None else life.n_detections or 0,
    )


def _probabilities(alert: Alert) -> dict[str, dict[str, float]]:
    """Of each broker's classifier, named as `tom_alerce.store.classifications.opinions` names it."""
    said: dict[str, dict[str, float]] = defaultdict(dict)
    for one in alert.labels:
        if math.isfinite(one.probability):
            said[f"{one.broker} {one.classifier}"][one.label] = one.probability
    return dict(said)
