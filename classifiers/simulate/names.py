"""Names that surveys give to what they find: objects and measurements, unique within a simulated sky and of the real ones' form."""

from __future__ import annotations

from broker_adapters.surveys import ztf
from broker_adapters.times import MJD_ZERO_JD, SECONDS_PER_DAY, tai_from_utc

#: An exposure is told from the next by so many parts of a day.
_MILLIONTHS = 1_000_000
_ZTF_FIRST_NIGHT = 2457754.5  # JD that ZTF counts nights from, 2017 January 1
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def ztf_object(index: int, year: int) -> str:
    """``ZTF``, the year's two digits and seven letters that count."""
    letters = ""
    for _ in range(7):
        index, letter = divmod(index, 26)
        letters = _LETTERS[letter] + letters
    return f"ZTF{year % 100:02d}{letters}"


def ztf_candid(mjd: float, index: int) -> str:
    """Night since 2017, millionths of the day, quadrant, and the number of the candidate (schema 4.02); ``mjd`` at mid-exposure."""
    start = mjd + MJD_ZERO_JD - _ZTF_FIRST_NIGHT - ztf.EXPOSURE / 2.0 / SECONDS_PER_DAY
    return str((round(start * _MILLIONTHS) * 1000 + 115) * 1_000_000 + index)


def atlas_object(ra: float, dec: float) -> str:
    """Nineteen digits: 1, hours to milliseconds of right ascension, the sign, and degrees to hundredths of an arcsecond of declination."""
    seconds, arcseconds = round(ra % 360.0 * 240.0 * 1000.0) % 86_400_000, round(abs(dec) * 360_000.0)
    (minutes, second), (degrees, arcsecond) = divmod(seconds, 60_000), divmod(arcseconds, 360_000)
    hour, minute = divmod(minutes, 60)
    arcminute, rest = divmod(arcsecond, 6_000)
    return f"1{hour:02d}{minute:02d}{second:05d}{1 if dec >= 0 else 0}{degrees:02d}{arcminute:02d}{rest:04d}"


def atlas_candid(mjd: float, band: str, index: int) -> str:
    """Telescope, night, exposure of the night and filter; the number of the detection in the exposure."""
    night = int(mjd)
    return f"01a{night:05d}o{int((mjd - night) * 10_000):04d}{band}_{index:06d}"


def lsst_source(mjd: float, index: int) -> str:
    """diaSourceId: eighteen digits that grow with time, beyond the whole numbers that a float can hold."""
    return str(100_000_000_000_000_000 + round((float(tai_from_utc(mjd)) - 50_000.0) * _MILLIONTHS) * 10_000_000 + index)
