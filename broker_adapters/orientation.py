"""Where north and east are in a stamp, if its header says so: Rubin's have a world coordinate system, ZTF's and ATLAS's none."""

from __future__ import annotations

import gzip
import io
import math
import warnings
from dataclasses import dataclass

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

from broker_adapters.cutouts import MAX_BYTES


@dataclass(frozen=True, slots=True)
class Orientation:
    """Degrees from the upper edge to north, against the clock, and to east; first row of pixels at the bottom. Arcseconds of a pixel."""

    north: float
    east: float
    pixel: float


def orientation(data: bytes) -> Orientation | None:
    """Orientation of the first image of a FITS file, gzipped or not; None if its header does not say, or cannot be read."""
    try:
        if data[:2] == b"\x1f\x8b":
            with gzip.open(io.BytesIO(data)) as file:
                data = file.read(MAX_BYTES)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the standard's letter
            header = fits.Header.fromfile(io.BytesIO(data))
            system = WCS(header)
            if not (system.has_celestial and "CTYPE1" in header):
                return None
            to_pixels = np.linalg.inv(system.celestial.pixel_scale_matrix)
    except (OSError, ValueError, TypeError, KeyError, EOFError, np.linalg.LinAlgError):
        return None
    (east_x, north_x), (east_y, north_y) = to_pixels
    pixel = 3600.0 * math.sqrt(abs(float(np.linalg.det(system.celestial.pixel_scale_matrix))))
    north, east = (math.degrees(math.atan2(-x, y)) % 360.0 for x, y in ((north_x, north_y), (east_x, east_y)))
    return Orientation(north, east, pixel) if all(map(math.isfinite, (north, east, pixel))) else None
