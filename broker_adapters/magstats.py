"""Statistics of light curves by object and band, and by object: what brokers publish as "magstats".

Definitions are those of ALeRCE's magstats_step (2026), over alerts (`significance.alerts`), in magnitudes of the absolute difference and,
with ``_corr``, in total magnitudes where they exist. ``max`` is the largest magnitude, so the faintest. Standard deviations are of the
sample at hand (ddof = 0). Different on purpose: nothing undefined enters as 100; ``sigmadm_first`` is the uncertainty of ``dm_first``
(there, it is an error minus a magnitude); mean positions are right across RA 0/360.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from broker_adapters import photometry
from broker_adapters.correction import corrected
from broker_adapters.crossmatch import mean_positions
from broker_adapters.records import BAND_WIDTH, SURVEY_WIDTH, Detections, Kind
from broker_adapters.significance import alerts, series

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

_OF_BAND = ("mean", "median", "max", "min", "sigma", "first", "last")
_MAGNITUDES = tuple(f"mag{s}{c}" for c in ("", "_corr") for s in _OF_BAND)
#: Rise since an earlier limit: see `_rise`.
_RISE = ("dmdt_first", "dm_first", "sigmadm_first", "dt_first")

#: One band of one object. ``corrected`` is that of the first detection; ``saturation_rate`` is the share of total magnitudes brighter
#: than 13.2.
BAND = np.dtype(
    [("owner", "i8"), ("survey", f"U{SURVEY_WIDTH}"), ("band", f"U{BAND_WIDTH}"), ("ndet", "i4"), ("ndubious", "i4"), ("corrected", "?")]
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
    group = series(rows, owner)
    correction = corrected(rows, group)
    seen = _in_order(rows, group)
    start, number, count = _groups(group[seen])
    head = seen[start]
    result = np.zeros(len(start), BAND)
    for name, column in (("owner", owner), ("survey", rows["survey"]), ("band", rows["band"]), ("corrected", correction.corrected)):
        result[name] = column[head]
    result["ndet"], result["ndubious"] = count, _sum(correction.dubious[seen], start)
    result["firstmjd"], result["lastmjd"] = rows["mjd"][head], rows["mjd"][seen[start + count - 1]]
    magnitude, total = photometry.magnitude_from_flux(np.abs(rows["flux"])), correction.magnitude[seen]
    described = _describe(np.concatenate([magnitude[seen], total]), np.concatenate([number, number + len(start)]), 2 * len(start))
    for name, (difference, corr) in zip(_OF_BAND, described.reshape(len(_OF_BAND), 2, len(start)), strict=True):
        result[f"mag{name}"], result[f"mag{name}_corr"] = difference, corr
    with np.errstate(divide="ignore", invalid="ignore"):
        result["saturation_rate"] = _sum(total < SATURATED, start) / _sum(np.isfinite(total), start)
    _rise(result, rows, group, head, magnitude[head])
    return result


def by_object(rows: Detections, owner: ArrayLike | None = None) -> Statistics:
    """Statistics, shape (m,) of dtype `OBJECT`, of each owner with a detection, sorted by owner; without ``owner`` all rows are of one."""
    owner = _owner(rows, owner)
    bands = by_band(rows, owner)
    start, place, _ = _groups(bands["owner"])
    result = np.zeros(len(start), OBJECT)
    if not len(start):
        return result
    result["owner"] = bands["owner"][start]
    result["ndet"], result["ndubious"] = _sum(bands["ndet"], start), _sum(bands["ndubious"], start)
    result["firstmjd"] = np.minimum.reduceat(bands["firstmjd"], start)
    result["lastmjd"] = np.maximum.reduceat(bands["lastmjd"], start)
    result["deltamjd"] = result["lastmjd"] - result["firstmjd"]
    seen = _in_order(rows, owner)
    start, number, _ = _groups(owner[seen])
    head = seen[start]
    result["corrected"], result["diffpos"] = np.isfinite(rows["ref_flux"][head]), rows["flux"][head] > 0.0
    _position(result, rows["ra"][seen], rows["dec"][seen], rows["position_err"][seen], number)
    _colours(result, bands, place)
    return result


def _owner(rows: Detections, owner: ArrayLike | None) -> NDArray[np.int64]:
    return np.zeros(len(rows), np.int64) if owner is None else np.asarray(owner, np.int64)


def _in_order(rows: Detections, group: NDArray[Any]) -> Ints:
    """Which rows are detections, sorted by group and time."""
    seen = np.flatnonzero(alerts(rows))
    ordered: Ints = seen[np.lexsort((rows["mjd"][seen], group[seen]))]
    return ordered


def _groups(labels: NDArray[Any]) -> tuple[Ints, Ints, Ints]:
    """Where each group starts among sorted labels, the number of each label's group, and the sizes of the groups."""
    new = np.ones(len(labels), bool)
    new[1:] = labels[1:] != labels[:-1]
    start = np.flatnonzero(new)
    number = np.cumsum(new) - 1
    return start, number, np.bincount(number)


def _sum(values: ArrayLike, start: Ints) -> Floats:
    return np.add.reduceat(np.asarray(values, float), start) if len(start) else np.empty(0)


def _describe(values: Floats, number: Ints, n: int) -> Floats:
    """Mean, median, extremes, deviation, first and last, shape (7, n), of the finite values, which come group by group in time order."""
    finite = np.isfinite(values)
    values, number = values[finite], number[finite]
    start, place, count = _groups(number)
    ordered = values[np.lexsort((values, number))]
    last = start + count - 1
    mean = _sum(values, start) / count
    sigma = np.sqrt(_sum((values - mean[place]) ** 2, start) / count)
    median = 0.5 * (ordered[start + (count - 1) // 2] + ordered[start + count // 2])
    table = np.full((len(_OF_BAND), n), np.nan)
    table[:, number[start]] = mean, median, ordered[last], ordered[start], sigma, values[start], values[last]
    return table


def _rise(result: Statistics, rows: Detections, group: Ints, head: Ints, magnitude: Floats) -> None:
    """Fill in the least rate, mag/d, at which the source can have changed from an earlier limit to its first detection (``head``).

    Of the limits more than half a day before the first detection, that one counts for which (first + its error - limit) / dt is
    smallest; ``dm`` is first - limit without the error.
    """
    for name in _RISE:
        result[name] = np.nan
    limit = np.flatnonzero(rows["kind"] == Kind.LIMIT)
    if not len(limit) or not len(head):
        return
    band = np.minimum(np.searchsorted(group[head], group[limit]), len(head) - 1)
    dt = rows["mjd"][head][band] - rows["mjd"][limit]
    earlier = (group[head][band] == group[limit]) & (dt > EARLIER)
    limit, band, dt = limit[earlier], band[earlier], dt[earlier]
    sigma = photometry.magnitude_error(np.abs(rows["flux"][head]), rows["flux_err"][head])
    dm = magnitude[band] - photometry.limit_from_flux_error(rows["flux_err"][limit])
    rate = (dm + sigma[band]) / dt
    order = np.lexsort((rate, band))
    best = order[_groups(band[order])[0]]
    for name, column in zip(_RISE, (rate, dm, sigma[band], dt), strict=True):
        result[name][band[best]] = column[best]


def _position(result: Statistics, ra: Floats, dec: Floats, sigma: Floats, number: Ints) -> None:
    """Fill in the mean position, weighted by the errors, and its error as ALeRCE defines it: that of independent measurements."""
    known = (sigma > 0.0) & np.isfinite(ra + dec)
    result["meanra"], result["meandec"], _ = mean_positions(number[known], ra[known], dec[known], sigma[known], len(result))
    weight = np.bincount(number[known], sigma[known] ** -2.0, minlength=len(result))
    result["sigmara"] = result["sigmadec"] = np.where(weight > 0.0, weight, np.nan) ** -0.5


def _colours(result: Statistics, bands: Statistics, place: Ints) -> None:
    """Fill in the colours from the bands, of which ``place`` is the row in the result."""
    columns = {"max": "magmin", "mean": "magmean", "max_corr": "magmin_corr", "mean_corr": "magmean_corr"}  # brightest is least
    ztf = bands["survey"] == "ztf"
    green, red = (np.flatnonzero(ztf & (bands["band"] == band)) for band in ("g", "r"))
    for name, column in columns.items():
        magnitudes = np.full((2, len(result)), np.nan)
        for row, band in zip(magnitudes, (green, red), strict=True):
            row[place[band]] = bands[column][band]
        result[f"g_r_{name}"] = magnitudes[0] - magnitudes[1]
