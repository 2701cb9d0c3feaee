"""Regions of the sky as people give them: coverage maps (MOC) as text or FITS, circles and polygons."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import numpy as np
from astropy import units as u
from astropy.coordinates import Angle, Latitude, Longitude
from mocpy import MOC
from numpy.typing import NDArray

from followup.errors import FollowupError

#: Bytes of a text or file, ranges of a region, and lines of circles and polygons at most.
LARGEST, RANGES, SHAPES = 20 << 20, 500_000, 1000
#: Order of the cells of circles and polygons: 3 arcseconds for those below two degrees, 26 for others.
_FINE, _COARSE, _SMALL = 16, 13, 2.0


def read(data: bytes) -> NDArray[np.int64]:
    """Ranges of nested HEALPix indices of order 29, first and last + 1, disjoint and ascending, shape (m, 2), of a region.

    A FITS file of a MOC; its text (``5/3-5 6/9``) or JSON; or lines ``circle RA Dec radius`` and ``polygon RA Dec RA Dec ...``, in degrees.

    Raises
    ------
    FollowupError
        It is none of these, is empty, or is too large.
    """
    if len(data) > LARGEST:
        raise FollowupError(f"a region has at most {LARGEST >> 20} MB")
    region = _fits(data) if data.startswith(b"SIMPLE  =") else _text(data.decode("utf-8", "replace").strip())
    ranges = np.asarray(region.to_depth29_ranges, np.uint64).reshape(-1, 2)
    if (ranges > 12 * 4**29).any() or (ranges[:, 0] >= ranges[:, 1]).any():
        raise FollowupError("the region has cells that there are not")
    if not len(ranges):
        raise FollowupError("the region is empty")
    if len(ranges) > RANGES:
        raise FollowupError(f"the region has {len(ranges)} parts, of {RANGES} at most: degrade it to a coarser order")
    return ranges.astype(np.int64)


def fraction(ranges: NDArray[np.int64]) -> float:
    """Part of the sky that ranges cover, in [0, 1]."""
    return float((ranges[:, 1] - ranges[:, 0]).sum() / (12.0 * 4.0**29))


def written(ranges: NDArray[np.int64]) -> str:
    """Ranges as the text of a MOC."""
    return str(MOC.from_depth29_ranges(29, ranges.astype(np.uint64)).to_string("ascii"))


def _fits(data: bytes) -> MOC:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "region.fits"
        path.write_bytes(data)
        try:
            return MOC.load(path, "fits")
        except Exception as error:  # the boundary of a reader of anybody's file
            raise FollowupError(f"no coverage map of the sky: {' '.join(str(error).split())[:200]}") from error


def _text(text: str) -> MOC:
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
    if lines and lines[0].lower().startswith(("circle", "polygon")):
        return _shapes(lines)
    if any(int(order) > 29 for order in re.findall(r'(\d{1,9})"?\s*[/:]', text)):
        raise FollowupError("the orders of a coverage map are from 0 to 29")
    try:
        return MOC.from_string(text, "json" if text.startswith("{") else "ascii")
    except Exception as error:  # the boundary of a reader of anybody's text
        raise FollowupError(f"neither a coverage map nor circles and polygons: {' '.join(str(error).split())[:200]}") from error


def _shapes(lines: list[str]) -> MOC:
    if len(lines) > SHAPES:
        raise FollowupError(f"{SHAPES} circles and polygons are the most")
    region = MOC.new_empty(_COARSE)
    for number, line in enumerate(lines, 1):
        word, *parts = line.replace(",", " ").split()
        try:
            region = region.union(_shape(word.lower(), [float(part) for part in parts]))
        except ValueError as error:
            raise FollowupError(f"line {number}: {error}") from error
    return region


def _shape(word: str, numbers: list[float]) -> MOC:
    if not np.isfinite(numbers).all():
        raise ValueError("a number is not finite")
    if word == "circle" and len(numbers) == 3:
        ra, dec, radius = numbers
        _check([ra], [dec])
        if not 0.0 < radius <= 180.0:
            raise ValueError("the radius is not above 0 and at most 180 degrees")
        return MOC.from_cone(
            Longitude(ra, u.deg), Latitude(dec, u.deg), radius=Angle(radius, u.deg), max_depth=_FINE if radius < _SMALL else _COARSE
        )
    if word == "polygon" and len(numbers) >= 6 and len(numbers) % 2 == 0:
        _check(numbers[::2], numbers[1::2])
        lon, lat = Longitude(numbers[::2], u.deg), Latitude(numbers[1::2], u.deg)
        small = max(np.ptp(numbers[::2]), np.ptp(numbers[1::2])) < _SMALL
        return MOC.from_polygon(lon, lat, max_depth=_FINE if small else _COARSE)
    raise ValueError("neither 'circle RA Dec radius' nor 'polygon RA Dec RA Dec RA Dec ...'")


def _check(ra: list[float], dec: list[float]) -> None:
    if not (all(0.0 <= one <= 360.0 for one in ra) and all(-90.0 <= one <= 90.0 for one in dec)):
        raise ValueError("a place is not on the sky")
