"""Position and reliability: for display and for comparison with ALeRCE; the model does not use them.

gal_b and gal_l (degrees) and rb (median reliability) are of ALeRCE's older extractor (Sanchez-Saez et al. 2021, table 2); Coordinate_x, _y
and _z, a unit vector in ICRS, of lc_classifier 27. Theirs is the direction of the mean right ascension, which is far from the object
where that passes 360 degrees; ours is the mean direction. The positions of labelled objects reflect who labelled them, and simulated ones
have none: the position enters as a likelihood ratio (`environment`), with the fields of ZTF's packets on the reference image and
Pan-STARRS (distnr, sgscore1, distpsnr1 and the colours of that source). AllWISE's colours, of both extractors, need a cross-match with a
catalogue of 5e8 sources.
"""

from __future__ import annotations

import math

import erfa

from classifiers.models.lightcurve.context import Context


def features(context: Context) -> dict[str, float]:
    """Features of position and reliability; NaN where the rows have no position, or no reliability."""
    x, y, z = context.curve.position
    known = math.isfinite(x)
    longitude, latitude = (math.degrees(angle) for angle in erfa.icrs2g(*erfa.c2s((x, y, z)))) if known else (math.nan, math.nan)
    return {
        "gal_b": latitude,
        "gal_l": longitude,
        "Coordinate_x": x,
        "Coordinate_y": y,
        "Coordinate_z": z,
        "rb": context.curve.reliability,
    }
