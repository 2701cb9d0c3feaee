"""Fit of the environment's densities to labelled objects, and the environment of the objects of a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from classifiers.models.lightcurve._arrays import Floats
from classifiers.models.lightcurve.environment import (
    COLOURS,
    HOST_COLOURS,
    KINDS,
    KNOWN,
    MISSING,
    PRIOR_COUNT,
    Environment,
    evidence,
    kind,
)
from classifiers.taxonomy import LIGHTCURVE_CLASSES


def of_folder(folder: Path, object_ids: Sequence[str]) -> Floats:
    """Environment of labelled objects, shape (n, len(KNOWN)), from the tables of a folder.

    They are ``object_labels.csv``, ``ztf_alert_history.parquet`` and ``ztf_stamps_meta.parquet``.
    """
    tables = [pd.read_csv(folder / "object_labels.csv")]
    tables += [pd.read_parquet(p) for p in (folder / f"ztf_{n}.parquet" for n in ("alert_history", "stamps_meta")) if p.exists()]
    known = pd.DataFrame(index=pd.Index(object_ids, dtype=str), columns=list(KNOWN), dtype=float)
    for table in tables:
        columns = [c for c in KNOWN if c in table]
        values = table[columns].astype(float)
        values = values.where((values > MISSING) | values.columns.isin(["ra", "dec"]))
        known = known.fillna(values.groupby(table.objectId.astype(str)).median().reindex(known.index))
    found: Floats = known.to_numpy(float)
    return found


def fit(known: Floats, labels: Sequence[str]) -> Environment:
    """Fit the densities to n labelled objects, each given once."""
    kinds, classes = np.array([kind(x) for x in labels]), np.asarray(labels)
    distance, near, colours = evidence(known)
    distances, shares = np.empty((len(KINDS), 2)), np.empty((len(KINDS), 4))
    for k, (name, ((middle, width), share)) in enumerate(KINDS.items()):
        own = kinds == name
        x = distance[own & np.isfinite(distance)][:, None]
        mean, covariance = _with_prior(x, np.array([middle]), np.array([[width**2]]))
        distances[k] = mean[0], np.sqrt(covariance[0, 0])
        counts = np.bincount(near[own & (near >= 0)], minlength=4) + PRIOR_COUNT * np.array(share)
        shares[k] = counts / counts.sum()
    full = np.isfinite(colours).all(axis=1)
    found = []
    for c in LIGHTCURVE_CLASSES:
        place, scatter = COLOURS.get(c, HOST_COLOURS)
        own = (kinds == "supernova") if c not in COLOURS else (classes == c)
        found.append(_with_prior(colours[own & full], np.array(place), scatter**2 * (0.5 * np.eye(3) + 0.5)))
    return Environment(distances, shares, np.array([m for m, _ in found]), np.array([v for _, v in found]))


def _with_prior(x: Floats, mean: Floats, covariance: Floats) -> tuple[Floats, Floats]:
    """Median and covariance of x, shape (n, k), with a prior: the published values weigh as much as `PRIOR_COUNT` objects.

    Deviations from the median are cut at three published standard deviations.
    """
    if not len(x):
        return mean, covariance
    weight = PRIOR_COUNT / (PRIOR_COUNT + len(x))
    centre = weight * mean + (1 - weight) * np.median(x, axis=0)
    edge = 3 * np.sqrt(np.diag(covariance))
    off = np.clip(x - centre, -edge, edge)
    return centre, weight * covariance + (1 - weight) * off.T @ off / len(x)
