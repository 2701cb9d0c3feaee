"""Reader of a folder of labelled light curves (docs/model-cards/lightcurve.md), as rows of `broker_adapters.records.DETECTION`.

Every kind of photometry is converted to what an alert stream would have sent, so that a model cannot recognise a class by the archive of
its light curves:

- ``alert-dif``: magnitudes of the absolute difference flux, no sign recorded: taken as positive, without a reference flux;
- ``forced-dif`` in uJy: forced rows;
- ``dr-total`` and ``total`` (and forced rows in counts that carry total magnitudes): the reference flux is the median of the band, the
  difference to it is a detection where it exceeds `DETECTED` sigma, else a limit;
- alert histories: as they are, with sign, reference flux and limits;
- ``published`` (many telescopes, host subtracted, deeper than any survey) is used for training only, cut at ZTF's depth; ``sso``
  (asteroids) is not used.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from broker_adapters.photometry import NJY_PER_UJY, flux_error, flux_from_magnitude, magnitude_from_flux
from broker_adapters.records import Detections, Kind, blank
from broker_adapters.significance import DETECTED, alerts, significant
from broker_adapters.times import mid_exposure, mjd_from_jd
from classifiers.models.lightcurve._arrays import Floats
from classifiers.records import ClassifierError
from classifiers.taxonomy import BRANCH

#: Survey name in the table -> ours. SDSS g and r are close enough to ZTF's.
SURVEY = {"ZTF": "ztf", "ATLAS": "atlas", "SDSS-S82": "ztf", "LSST": "lsst"}

#: ZTF's filter numbers.
ZTF_BAND = {1: "g", 2: "r", 3: "i"}

#: Pixels within which a reference source lies under a detection (ALeRCE's rule).
NEAR_REFERENCE = 1.4

#: Range of magnitudes; values outside are sentinels.
MAGNITUDES = (5.0, 26.0)

#: Bands of published photometry, magnitude at which it is cut, and median difference below which two light curves are of one event.
PUBLISHED_BAND = {"g": "g", "r": "r", "cyan": "c", "orange": "o"}
PUBLISHED_DEPTH, SAME_EVENT = 20.8, 0.3

#: Length in seconds of ZTF's exposures, whose start the tables give.
EXPOSURE = 30.0


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """Labelled object; `kind` is the kind of its photometry."""

    object_id: str
    label: str
    kind: str
    rows: Detections = field(repr=False)


def read(folder: Path) -> list[Labelled]:
    """Read the labelled objects of the light-curve classes, each once."""
    labels = _labels(folder / "object_labels.csv")
    return [Labelled(name, labels[name], kind, rows) for name, (_, kind, rows) in everything(folder).items() if name in labels]


def everything(folder: Path) -> dict[str, tuple[int, str, Detections]]:
    """Read every object with detections: name -> number of detections, kind, rows; of several sources the one with most detections."""
    best: dict[str, tuple[int, str, Detections]] = {}
    for object_id, kind, rows in (*_light_curves(folder / "lightcurves.parquet"), *_histories(folder / "ztf_alert_history.parquet")):
        seen = alerts(rows) | significant(rows)
        n = int(seen.sum())
        if n > best.get(object_id, (0,))[0]:
            best[object_id] = n, kind, rows
    return dict(sorted(best.items()))


def _labels(path: Path) -> dict[str, str]:
    table = _table(path)
    table = table[table.lc_class.isin(list(BRANCH))]
    return dict(zip(table.objectId.astype(str), table.lc_class.astype(str), strict=True))


def _table(path: Path) -> Any:
    """Read a table; an unreadable one is a `ClassifierError`."""
    try:
        return pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise ClassifierError(f"{path} cannot be read: {error}") from error


def _light_curves(path: Path) -> Iterator[tuple[str, str, Detections]]:
    """Yield (object, kind, rows) of each source of each object."""
    table = _table(path)
    table = table[table.kind.isin(("alert-dif", "forced-dif", "dr-total", "total")) & table.survey.isin(list(SURVEY))]
    table = table.assign(band=table.band.str.removeprefix("ZTF "))
    total = table.kind.isin(("dr-total", "total")) | (table.flux_unit == "DN")
    in_flux = ~total & table.flux.notna()
    for part, convert in ((table[total], _as_alerts), (table[in_flux], _fluxes), (table[~total & ~in_flux], _magnitudes)):
        rows, kept = convert(part)
        yield from _grouped(kept, ["objectId", "source", "kind"], rows)


def _grouped(table: Any, keys: list[str], rows: Detections) -> Iterator[tuple[str, str, Detections]]:
    """Yield (object, kind, rows) of each group; rows are in the order of the table."""
    group = table.groupby(keys, sort=True, observed=True).ngroup().to_numpy()
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    for part, which in zip(np.split(rows[order], starts[1:]), order[starts], strict=True):
        yield str(table.objectId.iloc[which]), str(table.kind.iloc[which]), part


def _rows(part: Any) -> Detections:
    rows = blank(len(part))
    rows["survey"] = part.survey.map(SURVEY)
    rows["band"] = part.band.astype(str).str.slice(0, 2)
    rows["mjd"] = mid_exposure(part.mjd, np.where(part.survey == "ZTF", EXPOSURE, 0.0))
    return rows


def _fluxes(part: Any) -> tuple[Detections, Any]:
    """Rows from difference fluxes in uJy."""
    part = part[np.isfinite(part.flux) & (part.fluxerr > 0)]
    rows = _rows(part)
    rows["kind"], rows["flux"], rows["flux_err"] = Kind.FORCED, part.flux * NJY_PER_UJY, part.fluxerr * NJY_PER_UJY
    return rows, part


def _magnitudes(part: Any) -> tuple[Detections, Any]:
    """Rows from magnitudes of absolute differences (unknown sign: positive), and from limits."""
    part = part[part.mag.between(*MAGNITUDES) & (part.magerr.notna() | ~part.det)]
    rows, det, flux = _rows(part), part.det.to_numpy(bool), flux_from_magnitude(part.mag.to_numpy(float))
    rows["kind"] = np.where(det, Kind.ALERT, Kind.LIMIT)
    rows["flux"] = np.where(det, flux, np.nan)
    rows["flux_err"] = np.where(det, flux_error(flux, part.magerr.to_numpy(float)), flux / DETECTED)
    return rows, part


def _as_alerts(part: Any) -> tuple[Detections, Any]:
    """Rows from total magnitudes, as an alert stream would have given them."""
    part = part[part.det & part.mag.between(*MAGNITUDES) & part.magerr.between(1e-4, 0.5)]
    rows, total = _rows(part), flux_from_magnitude(part.mag.to_numpy(float))
    keys = [part[name] for name in ("objectId", "source", "kind", "survey", "band")]
    rows["ref_flux"] = pd.Series(total, part.index).groupby(keys, observed=True).transform("median")
    rows["flux_err"] = flux_error(total, part.magerr.to_numpy(float))
    difference = total - rows["ref_flux"]
    seen = np.abs(difference) >= DETECTED * rows["flux_err"]
    rows["kind"], rows["flux"] = np.where(seen, Kind.ALERT, Kind.LIMIT), np.where(seen, difference, np.nan)
    return rows, part


def _histories(path: Path) -> Iterator[tuple[str, str, Detections]]:
    """Yield (object, 'history', rows) of the histories inside packets."""
    if not path.exists():
        return
    table = _table(path)
    table = table[table.fid.isin(list(ZTF_BAND))].sort_values("kind").drop_duplicates(["objectId", "jd", "fid"])
    table = table.assign(kind="history", mag=table.magpsf.where(table.magpsf.notna(), table.diffmaglim))
    table = table[table.mag.between(*MAGNITUDES) & (table.sigmapsf.notna() | table.magpsf.isna())]
    rows, seen, flux = blank(len(table)), table.magpsf.notna().to_numpy(), flux_from_magnitude(table.mag.to_numpy(float))
    rows["survey"], rows["band"] = "ztf", table.fid.map(ZTF_BAND)
    rows["mjd"] = mid_exposure(mjd_from_jd(table.jd), EXPOSURE)
    rows["kind"] = np.where(seen, Kind.ALERT, Kind.LIMIT)
    rows["flux"] = np.where(seen, np.where(table.isdiffpos.isin(("t", "1")), flux, -flux), np.nan)
    rows["flux_err"] = np.where(seen, flux_error(flux, table.sigmapsf.to_numpy(float)), flux / DETECTED)
    near = table.distnr.between(0, NEAR_REFERENCE, inclusive="left") & table.magnr.between(*MAGNITUDES)
    rows["ref_flux"] = flux_from_magnitude(table.magnr.where(near).to_numpy(float))
    rows["reliability"] = table.rb
    yield from _grouped(table, ["objectId"], rows)


def published(folder: Path, known: list[Labelled]) -> list[Labelled]:
    """Read published superluminous supernovae, cut to what a ZTF-like survey would have seen.

    Many are also in `known` (from `read`) under their ZTF names, which only the light curves reveal. A published light curve that agrees
    with a ZTF one gets its name, so that both are always in the same fold.
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
    """Rows of the first `days` since the first detection (or since `start`), and the limits before it."""
    if start is None:
        start = float(np.min(rows["mjd"][np.isfinite(rows["flux"])])) if np.isfinite(rows["flux"]).any() else np.nan
    early: Detections = rows[rows["mjd"] <= start + days]
    return early
