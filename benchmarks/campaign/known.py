"""What is worked out from each evidence of a replay, once: AAS2RTO's score by the fit of the shape, class probabilities and oddness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.campaign import aas2rto
from benchmarks.campaign.evenings import EVENING, Ints, States, digest, eligible, kept, rows_of
from benchmarks.campaign.shape import MEASURED, TEXTBOOK, Shape, Template, fit
from benchmarks.campaign.subjects import Floats, Subject
from classifiers.models.lightcurve import features, hierarchy
from classifiers.models.lightcurve.series import MINIMUM, light_curve
from classifiers.posterior import infer, storage
from classifiers.posterior.records import LAYOUT, Outlooks
from classifiers.posterior.training import train
from classifiers.taxonomy import LIGHTCURVE_CLASSES

#: Evidences whose features are computed at once, in a number of threads.
CHUNK, THREADS = 1000, 2


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What our classifiers say of k evidences.

    Attributes
    ----------
    probabilities : shape (k, 15)
        By the light-curve model; NaN where there are too few detections, or no policy is asked.
    oddness : shape (k,)
        Anomaly score, likewise.
    outlooks : Outlooks
        Of those evidences that a policy is asked for.
    outlook_of : shape (k,)
        Place of each evidence among the outlooks; -1 where it has none.
    seen : shape (n,)
        Whether the model was trained on each object.
    """

    probabilities: Floats
    oddness: Floats
    outlooks: Outlooks
    outlook_of: Ints
    seen: NDArray[np.bool_]

    @property
    def classified(self) -> NDArray[np.bool_]:
        """Whether each evidence is classified, shape (k,)."""
        return np.isfinite(self.oddness)


#: Shapes that stand for SALT's in AAS2RTO's policy, by the name of the policy.
TEMPLATES: Mapping[str, Template] = {"aas2rto": TEXTBOOK, "aas2rto_measured": MEASURED}


def scores_of_aas2rto(subjects: Sequence[Subject], states: States, folder: Path | None) -> dict[str, Floats]:
    """AAS2RTO's score of each state, without the factor of the observatory, shape (m,), with each of `TEMPLATES`."""

    def make(template: Template) -> dict[str, NDArray[Any]]:
        of_evidence: dict[int, Shape | None] = {}
        scores = np.zeros(len(states.day))
        for i in np.flatnonzero(np.isfinite(states.magnitude)).tolist():
            evidence = int(states.evidence[i])
            rows = rows_of(subjects, states, evidence)
            if evidence not in of_evidence:
                of_evidence[evidence] = fit(rows, template)
            scores[i] = aas2rto.score(rows, of_evidence[evidence], states.day[i] + EVENING)
        return {"scores": scores}

    of = digest(subjects)
    return {name: kept(folder, f"scores-{name}-{of}", partial(make, template))["scores"] for name, template in TEMPLATES.items()}


def known(subjects: Sequence[Subject], states: States, weights: Path, folder: Path | None) -> Known:
    """Classify every evidence of a state that a policy is asked for, with the light-curve model of a folder of weights."""
    model, _ = hierarchy.load(weights)
    values = kept(folder, f"features-{digest(subjects)}", lambda: {"values": _features(subjects, states)})["values"]
    enough = np.isfinite(values).any(axis=1)
    probabilities, oddness = np.full((len(values), len(LIGHTCURVE_CLASSES)), np.nan), np.full(len(values), np.nan)
    if enough.any():
        found = values[enough].astype(np.float64)
        probabilities[enough] = model.probabilities(found, features.names())
        oddness[enough] = model.anomaly_score(found, features.names(), probabilities[enough])
    seen = model.was_trained_on([s.name for s in subjects])
    asked = eligible(states)
    place = np.full(len(values), -1)
    place[asked] = np.arange(len(asked))
    name = f"outlooks-{storage.card()['sha256'][:16]}-{digest(subjects)}"
    packed = kept(folder, name, lambda: {"packed": _outlooks(subjects, states, asked)})["packed"]
    return Known(probabilities, oddness, Outlooks.unpack([one.tobytes() for one in packed]), place, seen)


def _outlooks(subjects: Sequence[Subject], states: States, asked: Ints) -> NDArray[np.uint8]:
    """Packed outlooks of evidences, shape (k, bytes of one), each by the network of the posterior that has not seen the object."""
    networks = np.array(_unseen([s.name for s in subjects]))[states.of[asked]]
    packed = np.zeros((len(asked), LAYOUT.itemsize), np.uint8)
    for network in np.unique(networks).tolist():
        weights, own = storage.load(storage.SHIPPED, network), np.flatnonzero(networks == network)
        for start in range(0, len(own), CHUNK):
            part = own[start : start + CHUNK]
            rows = [rows_of(subjects, states, i) for i in asked[part].tolist()]
            found = infer(rows, np.array([one["mjd"][-1] for one in rows]), weights).pack()
            packed[part] = np.frombuffer(b"".join(found), np.uint8).reshape(len(part), -1)
    return packed


def _unseen(names: list[str]) -> list[str]:
    """Name of the network for each object: that of the other half if the posterior was trained on the object, else that of all."""
    seen = np.isin(train.digests(names), storage.seen(storage.SHIPPED))
    halves = train.half(names)
    return [f"half{1 - h}" if known else "all" for h, known in zip(halves.tolist(), seen.tolist(), strict=True)]


def _features(subjects: Sequence[Subject], states: States) -> NDArray[np.float32]:
    """Features of every evidence, NaN where it has too few detections or no policy is asked for it."""
    values = np.full((len(states.until), len(features.names())), np.nan, np.float32)
    asked: Ints = eligible(states)
    for start in range(0, len(asked), CHUNK):
        part = asked[start : start + CHUNK]
        curves = [light_curve(rows_of(subjects, states, i)) for i in part.tolist()]
        enough = np.array([curve.n_detections >= MINIMUM for curve in curves], bool)
        if enough.any():
            values[part[enough]] = features.matrix([c for c, e in zip(curves, enough, strict=True) if e], THREADS)
    return values
