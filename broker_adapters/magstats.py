"""Statistics of light curves by object and band, and by object: what brokers publish as "magstats".

Definitions are those of ALeRCE's magstats_step (2026), over detections (`Kind.ALERT`), in magnitudes of the absolute difference and, with
``_corr``, in total magnitudes where they exist. ``max`` is the largest magnitude, so the faintest. Standard deviations are of the sample
at hand (ddof = 0). Different on purpose: nothing undefined enters as 100; ``sigmadm_first`` is the uncertainty of ``dm_first`` (there, it
is an error minus a magnitude); mean positions are right across RA 0/360.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from broker_adapters import photometry
from broker_adapters.correction import correct, series
from broker_adapters.crossmatch import unit_vectors
from broker_adapters.records import Detections, Kind

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

_MAGNITUDES = tuple(f"mag{s}{c}" for c in ("", "_corr") for s in ("mean", "median", "max", "min", "sigma", "first", "last"))
#: Rise since an earlier limit: see `_rise`.
_RISE = ("dmdt_first", "dm_first", "sigmadm_first", "dt_first")

#: One band of one object. ``corrected`` is that of the first detection; ``saturation_rate`` is the share of total magnitudes brighter
#: than 13.2.
BAND = np.dtype(
    [("owner", "i8"), ("survey", "U5"), ("band", "U2"), ("ndet", "i4"), ("ndubious", "i4"), ("corrected", "?")]
    + [(name, "f8") for name in ("firstmjd", "lastmjd", *_MAGNITUDES, "saturation_rate", *_RISE)]
)
#: One object, all surveys together. ``sigmara`` and ``sigmadec`` are the error of the mean position in arcseconds, ``g_r_*`` are colours of
#: ZTF: at the brightest, and of the means.
OBJECT = np.dtype(
    [("owner", "i8"), ("ndet", "i4"), ("ndubious", "i4"), ("corrected", "?"), ("diffpos", "?")]
    + [(name, "f8") for name in ("meanra", "meandec", "sigmara", "sigmadec", "firstmjd", "lastmjd", "deltamjd")]
    + [(name, "f8") for name in ("g_r_max", "g_r_mean", "g_r_max_corr", "g_r_mean_corr")]
)

SATURATED = 13.2  #: magnitude
#: A limit counts as earlier when it is so by this many days.
EARLIER = 0.5

Statistics = NDArray[np.void]


def by_band(rows: Detections, owner: ArrayLike | None = None) -> Statistics:
    """Statistics, shape (k,) of dtype `BAND`, of each owner, survey and band with a detection; without ``owner`` all rows are of one.

    Sorted by owner, survey and band.
    """
    owner = _owner(rows, owner)
    correction = correct(rows, owner)
    group = series(rows, owner)
    seen = np.flatnonzero(rows["kind"] == Kind.ALERT)
    seen = seen[np.lexsort((rows["mjd"][seen], group[seen]))]
    start = _starts(group[seen])
    last = np.r_[start[1:], len(seen)][: len(start)] - 1
    head = seen[start]
    result = np.zeros(len(start), BAND)
    for name, column in (("owner", owner), ("survey", rows["survey"]), ("band", rows["band"]), ("corrected", correction.corrected)):
        result[name] = column[head]
    result["ndet"] = np.diff(np.r_[start, len(seen)])
    result["ndubious"] = _sum(correction.dubious[seen], start)
    result["firstmjd"], result["lastmjd"] = rows["mjd"][head], rows["mjd"][seen[last]]
    magnitude = photometry.magnitude_from_flux(np.abs(rows["flux"]))
    number = np.repeat(np.arange(len(start)), result["ndet"])
    for values, suffix in ((magnitude[seen], ""), (correction.magnitude[seen], "_corr")):
        _describe(result, values, number, suffix)
    total = correction.magnitude[seen]
    with np.errstate(divide="ignore", invalid="ignore"):
        result["saturation_rate"] = _sum(total < SATURATED, start) / _sum(np.isfinite(total), start)
    _rise(result, rows, group, head, magnitude)
    ordered: Statistics = result[np.lexsort((result["band"], result["survey"], result["owner"]))]
    return ordered


def by_object(rows: Detections, owner: ArrayLike | None = None) -> Statistics:
    """Statistics, shape (m,) of dtype `OBJECT`, of each owner with a detection, sorted by owner; without ``owner`` all rows are of one."""
    owner = _owner(rows, owner)
    bands = by_band(rows, owner)
    start = _starts(bands["owner"])
    result = np.zeros(len(start), OBJECT)
    result["owner"] = bands["owner"][start]
    result["ndet"], result["ndubious"] = _sum(bands["ndet"], start), _sum(bands["ndubious"], start)
    if not len(start):
        return result
    result["firstmjd"] = np.minimum.reduceat(bands["firstmjd"], start)
    result["lastmjd"] = np.maximum.reduceat(bands["lastmjd"], start)
    result["deltamjd"] = result["lastmjd"] - result["firstmjd"]
    seen = np.flatnonzero(rows["kind"] == Kind.ALERT)
    seen = seen[np.lexsort((rows["mjd"][seen], owner[seen]))]
    head = seen[_starts(owner[seen])]
    result["corrected"], result["diffpos"] = np.isfinite(rows["ref_flux"][head]), rows["flux"][head] > 0.0
    _position(result, rows[seen], np.searchsorted(result["owner"], owner[seen]))
    _colours(result, bands)
    return result


def _owner(rows: Detections, owner: ArrayLike | None) -> NDArray[np.int64]:
    return np.zeros(len(rows), np.int64) if owner is None else np.asarray(owner, np.int64)


def _starts(sorted_groups: NDArray[Any]) -> Ints:
    """Where each group starts among sorted labels."""
    return np.flatnonzero(np.diff(sorted_groups, prepend=sorted_groups[:1] - 1))


def _sum(values: ArrayLike, start: Ints) -> Floats:
    return np.add.reduceat(np.asarray(values, float), start) if len(start) else np.empty(0)


def _describe(result: Statistics, values: Floats, number: Ints, suffix: str) -> None:
    """Fill in mean, median, extremes, deviation, first and last of the finite values, which come in time order, group by group."""
    finite = np.isfinite(values)
    values, number = values[finite], number[finite]
    start = _starts(number)
    group, count = number[start], np.diff(np.r_[start, len(number)])
    ordered = values[np.lexsort((values, number))]
    mean = _sum(values, start) / count
    deviation = values - np.repeat(mean, count)
    columns = {
        "mean": mean,
        "median": 0.5 * (ordered[start + (count - 1) // 2] + ordered[start + count // 2]),
        "max": ordered[start + count - 1],
        "min": ordered[start],
        "sigma": np.sqrt(_sum(deviation**2, start) / count),
        "first": values[start],
        "last": values[start + count - 1],
    }
    for name, column in columns.items():
        result[f"mag{name}{suffix}"] = np.nan
        result[f"mag{name}{suffix}"][group] = column


def _rise(result: Statistics, rows: Detections, group: Ints, head: Ints, magnitude: Floats) -> None:
    """Fill in the least rate, mag/d, at which the source can have changed from an earlier limit to its first detection.

    Of the limits more than half a day before the first detection, that one counts for which (first + its error - limit) / dt is
    smallest; ``dm`` is first - limit without the error.
    """
    for name in _RISE:
        result[name] = np.nan
    limit = np.flatnonzero(rows["kind"] == Kind.LIMIT)
    number = np.full(group.max(initial=-1) + 1, -1)
    number[group[head]] = np.arange(len(head))
    limit = limit[number[group[limit]] >= 0]
    band = number[group[limit]]
    dt = rows["mjd"][head][band] - rows["mjd"][limit]
    limit, band, dt = (column[dt > EARLIER] for column in (limit, band, dt))
    sigma = photometry.magnitude_error(np.abs(rows["flux"]), rows["flux_err"])[head]
    dm = magnitude[head][band] - photometry.limit_from_flux_error(rows["flux_err"][limit])
    rate = (dm + sigma[band]) / dt
    order = np.lexsort((rate, band))
    best = order[_starts(band[order])]
    for name, column in zip(_RISE, (rate, dm, sigma[band], dt), strict=True):
        result[name][band[best]] = column[best]


def _position(result: Statistics, rows: Detections, number: Ints) -> None:
    """Fill in the mean position, weighted by the errors."""
    vectors, sigma = unit_vectors(rows["ra"], rows["dec"]), rows["position_err"]
    good = np.isfinite(vectors).all(axis=1) & (sigma > 0.0)
    weight = sigma[good] ** -2.0
    x, y, z = (np.bincount(number[good], weight * axis, len(result)) for axis in vectors[good].T)
    total = np.bincount(number[good], weight, len(result))
    with np.errstate(divide="ignore"):
        error = np.where(total > 0.0, total**-0.5, np.nan)
    result["meanra"] = np.where(total > 0.0, np.degrees(np.arctan2(y, x)) % 360.0, np.nan)
    result["meandec"] = np.where(total > 0.0, np.degrees(np.arctan2(z, np.hypot(x, y))), np.nan)
    result["sigmara"] = result["sigmadec"] = error


def _colours(result: Statistics, bands: Statistics) -> None:
    green, red = (bands[(bands["survey"] == "ztf") & (bands["band"] == band)] for band in ("g", "r"))
    _, i, j = np.intersect1d(green["owner"], red["owner"], return_indices=True)
    place = np.searchsorted(result["owner"], green["owner"][i])
    for name, column in (("max", "magmin"), ("mean", "magmean")):  # brightest is the smallest magnitude
        for suffix in ("", "_corr"):
            result[f"g_r_{name}{suffix}"] = np.nan
            result[f"g_r_{name}{suffix}"][place] = green[column + suffix][i] - red[column + suffix][j]
