"""A folder of labelled light curves (docs/model-cards/lightcurve.md) as rows of `broker_adapters.records.DETECTION`.

Every kind of photometry is turned into what an alert stream would have sent of it, so that a model cannot tell a class by the archive
that its light curves came from:

- ``alert-dif``: magnitudes of the absolute difference flux, no sign recorded: taken as positive, without a reference flux;
- ``forced-dif`` in uJy: forced rows;
- ``dr-total`` and ``total`` (and forced rows in counts that carry total magnitudes): the reference flux is the median of the band, the
  difference to it is a detection where it exceeds `DETECTED` sigma, else a limit;
- alert histories: as they are, with sign, reference flux and limits;
- ``published`` (many telescopes, host subtracted, deeper than any survey) serves for training alone, cut at ZTF's depth; ``sso``
  (asteroids) is not used.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from broker_adapters.photometry import flux_error, flux_from_magnitude, magnitude_from_flux, mid_exposure, mjd_from_jd
from broker_adapters.records import Detections, Kind, blank

from ..records import ClassifierError
from ..taxonomy import BRANCH
from ._arrays import Floats
from .series import DETECTED

#: Names of surveys in the table -> ours. SDSS g and r are close enough to ZTF's to stand for them.
SURVEY = {"ZTF": "ztf", "ATLAS": "atlas", "SDSS-S82": "ztf", "LSST": "lsst"}

#: ZTF's filter numbers.
ZTF_BAND = {1: "g", 2: "r", 3: "i"}

#: A detection is on a reference source if that is nearer than this, in pixels (ALeRCE's rule).
NEAR_REFERENCE = 1.4

#: Magnitudes outside of this are sentinels.
MAGNITUDES = (5.0, 26.0)

#: Bands of published photometry, the depth in magnitudes at which it is cut, and the median difference below which two are one event.
PUBLISHED_BAND = {"g": "g", "r": "r", "cyan": "c", "orange": "o"}
PUBLISHED_DEPTH, SAME_EVENT = 20.8, 0.3

#: Length of ZTF's exposures in seconds; it gives their start.
EXPOSURE = 30.0


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """One object with its class; `kind` is the photometry that it came from."""

    object_id: str
    label: str
    kind: str
    rows: Detections = field(repr=False)


def read(folder: Path) -> list[Labelled]:
    """The labelled objects of the light-curve classes, each once: of several sources the one with most detections."""
    labels = _labels(folder / "object_labels.csv")
    best: dict[str, tuple[int, str, Detections]] = {}
    for object_id, kind, rows in (*_light_curves(folder / "lightcurves.parquet"), *_histories(folder / "ztf_alert_history.parquet")):
        seen = (rows["kind"] == Kind.ALERT) | (np.abs(rows["flux"]) >= DETECTED * rows["flux_err"])
        n = int(seen.sum())
        if object_id in labels and n > best.get(object_id, (0,))[0]:
            best[object_id] = n, kind, rows
    return [Labelled(object_id, labels[object_id], kind, rows) for object_id, (_, kind, rows) in sorted(best.items())]


def _labels(path: Path) -> dict[str, str]:
    table = _table(path)
    table = table[table.lc_class.isin(list(BRANCH))]
    return dict(zip(table.objectId.astype(str), table.lc_class.astype(str), strict=True))


def _table(path: Path) -> Any:
    """A table, or a clear error."""
    try:
        return pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise ClassifierError(f"{path} cannot be read: {error}") from error


def _light_curves(path: Path) -> Iterator[tuple[str, str, Detections]]:
    table = _table(path)
    table = table[table.kind.isin(("alert-dif", "forced-dif", "dr-total", "total")) & table.survey.isin(list(SURVEY))]
    table = table.assign(band=table.band.str.removeprefix("ZTF "))
    for (object_id, _, kind), part in table.groupby(["objectId", "source", "kind"], sort=True, observed=True):
        total = kind in ("dr-total", "total") or (part.flux_unit == "DN").any()
        yield str(object_id), str(kind), _as_alerts(part) if total else _differences(part)


def _rows(part: Any) -> Detections:
    rows = blank(len(part))
    rows["survey"] = part.survey.map(SURVEY)
    rows["band"] = part.band.astype(str).str.slice(0, 2)
    rows["mjd"] = mid_exposure(part.mjd, np.where(part.survey == "ZTF", EXPOSURE, 0.0))
    return rows


def _differences(part: Any) -> Detections:
    """Difference magnitudes (sign unknown: positive) or difference fluxes in uJy."""
    rows, det = _rows(part), part.det.to_numpy(bool)
    if part.flux.notna().any():
        rows["kind"], rows["flux"], rows["flux_err"] = Kind.FORCED, part.flux * 1e3, part.fluxerr * 1e3
        forced: Detections = rows[np.isfinite(rows["flux"]) & (rows["flux_err"] > 0)]
        return forced
    flux = flux_from_magnitude(part.mag.where(part.mag.between(*MAGNITUDES)).to_numpy(float))
    rows["kind"] = np.where(det, Kind.ALERT, Kind.LIMIT)
    rows["flux"] = np.where(det, flux, np.nan)
    rows["flux_err"] = np.where(det, flux_error(flux, part.magerr.to_numpy(float)), flux / DETECTED)
    known: Detections = rows[np.isfinite(rows["flux_err"])]
    return known


def _as_alerts(part: Any) -> Detections:
    """Total magnitudes as an alert stream would have given them."""
    part = part[part.det & part.mag.between(*MAGNITUDES) & part.magerr.between(1e-4, 0.5)]
    rows = _rows(part)
    total = flux_from_magnitude(part.mag.to_numpy(float))
    rows["flux_err"] = flux_error(total, part.magerr.to_numpy(float))
    for key in np.unique(rows[["survey", "band"]]):
        which = rows[["survey", "band"]] == key
        rows["ref_flux"][which] = np.median(total[which])
    difference = total - rows["ref_flux"]
    seen = np.abs(difference) >= DETECTED * rows["flux_err"]
    rows["kind"], rows["flux"] = np.where(seen, Kind.ALERT, Kind.LIMIT), np.where(seen, difference, np.nan)
    return rows


def _histories(path: Path) -> Iterator[tuple[str, str, Detections]]:
    if not path.exists():
        return
    table = _table(path)
    table = table[table.fid.isin(list(ZTF_BAND))].sort_values("kind").drop_duplicates(["objectId", "jd", "fid"])
    for object_id, part in table.groupby("objectId", sort=True):
        yield str(object_id), "history", _history(part)


def _history(part: Any) -> Detections:
    rows = blank(len(part))
    rows["survey"], rows["band"] = "ztf", part.fid.map(ZTF_BAND)
    rows["mjd"] = mid_exposure(mjd_from_jd(part.jd), EXPOSURE)
    seen = part.magpsf.notna().to_numpy()
    mag = np.where(seen, part.magpsf, part.diffmaglim).astype(float)
    flux = flux_from_magnitude(np.where((mag > MAGNITUDES[0]) & (mag < MAGNITUDES[1]), mag, np.nan))
    sign = np.where(part.isdiffpos.isin(("t", "1")), 1.0, -1.0)
    rows["kind"] = np.where(seen, Kind.ALERT, Kind.LIMIT)
    rows["flux"] = np.where(seen, sign * flux, np.nan)
    rows["flux_err"] = np.where(seen, flux_error(flux, part.sigmapsf.to_numpy(float)), flux / DETECTED)
    near = ((part.distnr >= 0) & (part.distnr < NEAR_REFERENCE)).to_numpy()
    rows["ref_flux"] = np.where(near, flux_from_magnitude(part.magnr.where(part.magnr.between(*MAGNITUDES)).to_numpy(float)), np.nan)
    rows["reliability"] = part.rb
    known: Detections = rows[np.isfinite(rows["flux_err"])]
    return known


def published(folder: Path, known: list[Labelled]) -> list[Labelled]:
    """Superluminous supernovae as published, cut to what a ZTF-like survey would have seen.

    Many are also in `known` (what `read` gave) under their ZTF names, which nothing but the light curves tells: those that agree bear the
    ZTF name here, so that no fold and no test has one of the two on either side.
    """
    labels, table = _labels(folder / "object_labels.csv"), _table(folder / "lightcurves.parquet")
    table = table[(table.kind == "published") & table.det & table.band.isin(list(PUBLISHED_BAND)) & table.objectId.isin(list(labels))]
    table = table[(table.mag < PUBLISHED_DEPTH) & (table.magerr < 0.2)]
    classes = {labels[i] for i in table.objectId.unique()}
    others = [(s.object_id, _by_band(s.rows)) for s in known if s.label in classes]
    found = []
    for object_id, part in table.groupby("objectId", sort=True):
        rows = blank(len(part))
        rows["survey"] = np.where(part.band.isin(("cyan", "orange")), "atlas", "ztf")
        rows["band"], rows["mjd"], rows["kind"] = part.band.map(PUBLISHED_BAND), part.mjd, Kind.ALERT
        rows["flux"] = flux_from_magnitude(part.mag.to_numpy(float))
        rows["flux_err"] = flux_error(rows["flux"], part.magerr.to_numpy(float))
        own = _by_band(rows)
        best, name = min(((_disagreement(own, other), name) for name, other in others), default=(np.inf, ""))
        found.append(Labelled(name if best < SAME_EVENT else str(object_id), labels[str(object_id)], "published", rows))
    return found


def _by_band(rows: Detections) -> list[tuple[Floats, Floats]]:
    """Times and magnitudes of the positive detections in g and in r."""
    bands = [rows[(rows["band"] == band) & (rows["flux"] > 0)] for band in ("g", "r")]
    return [(part["mjd"].copy(), magnitude_from_flux(part["flux"])) for part in bands]


def _disagreement(a: list[tuple[Floats, Floats]], b: list[tuple[Floats, Floats]]) -> float:
    """Median difference in magnitudes of two light curves at the same times in the same band; infinite for fewer than four pairs."""
    found: list[float] = []
    for (t, m), (u, n) in zip(a, b, strict=True):
        if len(t) and len(u):
            lag = np.abs(t[:, None] - u)
            found += np.abs(m[lag.argmin(axis=0)] - n)[lag.min(axis=0) < 1.0].tolist()
    return float(np.median(found)) if len(found) >= 4 else float(np.inf)


def truncated(rows: Detections, days: float, start: float | None = None) -> Detections:
    """The rows of the first `days` since the first detection (or since `start`), and the limits before it."""
    if start is None:
        start = float(np.min(rows["mjd"][np.isfinite(rows["flux"])])) if np.isfinite(rows["flux"]).any() else np.nan
    early: Detections = rows[rows["mjd"] <= start + days]
    return early
