"""Object and measurement ids in the form that each survey uses, unique within a simulated sky."""

from __future__ import annotations

from broker_adapters.surveys import ztf
from broker_adapters.times import MJD_ZERO_JD, SECONDS_PER_DAY, tai_from_utc

#: Resolution of times in ids: parts of a day.
_MILLIONTHS = 1_000_000
_ZTF_FIRST_NIGHT = 2457754.5  # JD that ZTF counts nights from, 2017 January 1
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def ztf_object(index: int, year: int) -> str:
    """ZTF object id: ``ZTF``, two digits of the year and seven letters that count."""
    letters = ""
    for _ in range(7):
        index, letter = divmod(index, 26)
        letters = _LETTERS[letter] + letters
    return f"ZTF{year % 100:02d}{letters}"


def ztf_candid(mjd: float, index: int) -> str:
    """ZTF candid (schema 4.02): night since 2017, millionths of the day, quadrant, number of the candidate; ``mjd`` at mid-exposure."""
    start = mjd + MJD_ZERO_JD - _ZTF_FIRST_NIGHT - ztf.EXPOSURE / 2.0 / SECONDS_PER_DAY
    return str((round(start * _MILLIONTHS) * 1000 + 115) * 1_000_000 + index)


def atlas_object(ra: float, dec: float) -> str:
    """ATLAS object id of nineteen digits: 1, right ascension to milliseconds, sign, declination to hundredths of an arcsecond."""
    seconds, arcseconds = round(ra % 360.0 * 240.0 * 1000.0) % 86_400_000, round(abs(dec) * 360_000.0)
    (minutes, second), (degrees, arcsecond) = divmod(seconds, 60_000), divmod(arcseconds, 360_000)
    hour, minute = divmod(minutes, 60)
    arcminute, rest = divmod(arcsecond, 6_000)
    return f"1{hour:02d}{minute:02d}{second:05d}{1 if dec >= 0 else 0}{degrees:02d}{arcminute:02d}{rest:04d}"


def atlas_candid(mjd: float, band: str, index: int) -> str:
    """ATLAS measurement id: telescope, night, exposure of the night, filter, and number of the detection in the exposure."""
    night = int(mjd)
    return f"01a{night:05d}o{int((mjd - night) * 10_000):04d}{band}_{index:06d}"


def lsst_source(mjd: float, index: int) -> str:
    """diaSourceId: eighteen digits that grow with time, beyond the whole numbers that a float can hold."""
    return str(100_000_000_000_000_000 + round((float(tai_from_utc(mjd)) - 50_000.0) * _MILLIONTHS) * 10_000_000 + index)
