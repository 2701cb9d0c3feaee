"""Every time shift of the project: JD, TAI, TT, calendar dates and the starts of exposures from and to MJD, UTC, at mid-exposure.

Functions of MJD and JD take and return arrays of any shape (or scalars); functions of `datetime` and `date` take one moment.
"""

from __future__ import annotations

import time
from datetime import date, datetime, timedelta, timezone

import erfa
import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

SECONDS_PER_DAY = 86400.0
MJD_ZERO_JD = 2400000.5
#: MJD 0.
MJD_ZERO = datetime(1858, 11, 17, tzinfo=timezone.utc)
#: MJD of 1970-01-01, where Unix time begins.
UNIX_ZERO_MJD = 40587.0
#: TT - TAI in seconds, by definition.
TT_TAI = 32.184


def now() -> float:
    """The present time of this machine's clock, MJD UTC."""
    return time.time() / SECONDS_PER_DAY + UNIX_ZERO_MJD


def mjd_from_datetime(moment: datetime) -> float:
    """MJD UTC of a date and time that has a time zone."""
    return moment.timestamp() / SECONDS_PER_DAY + UNIX_ZERO_MJD


def datetime_from_mjd(mjd: float) -> datetime:
    """Date and time, in UTC and with that time zone, of an MJD UTC."""
    return MJD_ZERO + timedelta(days=float(mjd))


def date_from_day(day: int) -> date:
    """Calendar date of a whole MJD."""
    return MJD_ZERO.date() + timedelta(days=day)


def day_from_date(day: date) -> int:
    """Whole MJD of a calendar date."""
    return (day - MJD_ZERO.date()).days


def mjd_from_jd(jd: ArrayLike) -> Floats:
    """MJD of a JD, on the same clock."""
    mjd: Floats = np.asarray(jd, float) - MJD_ZERO_JD
    return mjd


def jd_from_mjd(mjd: ArrayLike) -> Floats:
    """JD of an MJD, on the same clock."""
    jd: Floats = np.asarray(mjd, float) + MJD_ZERO_JD
    return jd


def mid_exposure(start: ArrayLike, exposure: ArrayLike) -> Floats:
    """Middle of an exposure: MJD of its start, and its length in seconds."""
    mjd: Floats = np.asarray(start, float) + np.asarray(exposure, float) / (2.0 * SECONDS_PER_DAY)
    return mjd


def _leap_seconds() -> tuple[Floats, Floats]:
    """MJD UTC from which TAI - UTC has a value, and the value in seconds: the table that astropy's own library carries."""
    table = erfa.leap_seconds.get()
    table = table[table["year"] >= 1972]  # before, the offset drifted
    zero, day = erfa.cal2jd(table["year"], table["month"], 1)
    return zero - MJD_ZERO_JD + day, table["tai_utc"].astype(float)


_LEAP_MJD, _LEAP_SECONDS = _leap_seconds()
_LEAP_MJD_TAI = _LEAP_MJD + _LEAP_SECONDS / SECONDS_PER_DAY


def utc_from_tai(mjd: ArrayLike) -> Floats:
    """MJD UTC of an MJD TAI since 1972 (37 s less since 2017)."""
    mjd = np.asarray(mjd, float)
    utc: Floats = mjd - _LEAP_SECONDS[np.clip(np.searchsorted(_LEAP_MJD_TAI, mjd, "right") - 1, 0, None)] / SECONDS_PER_DAY
    return utc


def tai_from_utc(mjd: ArrayLike) -> Floats:
    """MJD TAI of an MJD UTC since 1972."""
    mjd = np.asarray(mjd, float)
    tai: Floats = mjd + _LEAP_SECONDS[np.clip(np.searchsorted(_LEAP_MJD, mjd, "right") - 1, 0, None)] / SECONDS_PER_DAY
    return tai


def tt_from_utc(mjd: ArrayLike) -> Floats:
    """MJD TT of an MJD UTC since 1972 (69.184 s more since 2017)."""
    mjd = np.asarray(mjd, float)
    tt: Floats = mjd + (_LEAP_SECONDS[np.clip(np.searchsorted(_LEAP_MJD, mjd, "right") - 1, 0, None)] + TT_TAI) / SECONDS_PER_DAY
    return tt
