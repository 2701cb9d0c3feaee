"""AAS2RTO's published policy for SNe Ia near their peak (Sedgewick et al. 2025, A&A 698, A153), one function for each factor.

Score = product of the factors; 0 stands for their "exclude" and "reject". SALT's fit is replaced by `benchmarks.campaign.shape`. The factor
of the observatory favours what is hardly up, and so what sets first, as theirs does.
"""

from __future__ import annotations

import numpy as np

from benchmarks.campaign.calendars import Pool
from benchmarks.campaign.shape import Shape
from benchmarks.campaign.subjects import Floats
from broker_adapters.photometry import magnitude_from_flux
from broker_adapters.records import Detections, Kind
from broker_adapters.significance import DETECTED

#: Faintest magnitude when last seen; least days since the first detection and between first and latest; least detections.
FAINT, YOUNGEST, SHORTEST, FEWEST = 19.0, 1.0, 0.75, 3
#: Most days since the first detection, and since the peak.
OLDEST, LATEST = 30.0, 15.0
#: Days since the first detection after which the factor of the age sets in, and at which it is a half.
AGED, HALF_AGED = 20.0, 25.0
#: Altitude in degrees above which a target is observed.
LOWEST = 30.0
#: Galactic latitude, and distance from the Galactic centre (degrees), within which targets are rejected, and the centre.
LATITUDE, CENTRE_AWAY = 5.0, 15.0


def brightness(magnitude: float) -> float:
    """1 at 18.5 mag, 10 two magnitudes brighter."""
    return float(10.0 ** ((18.5 - magnitude) / 2.0))


def age(days: float) -> float:
    """1 until `AGED` days after the first detection, then a logistic that is a half at `HALF_AGED`; at least 0.001."""
    return max(1.0 / (1.0 + float(np.exp(days - HALF_AGED))), 1e-3) if days > AGED else 1.0


def rising(magnitudes: Floats) -> float:
    """Share of the steps of one band's light curve that brighten, at least 0.05; 0.5 for a single point."""
    return max(float(np.mean(np.diff(magnitudes) < 0.0)), 0.05) if len(magnitudes) > 1 else 0.5


def fits(chi2: float) -> float:
    """1, 0.5 or 0.1 for a chi-squared per point below 3, 10 or above."""
    return 1.0 if chi2 < 3.0 else 0.5 if chi2 < 10.0 else 0.1


def interest(from_peak: float) -> float:
    """30 exp(-dt^2 / 4) of the days from the peak, at least 0.01."""
    return max(30.0 * float(np.exp(-(from_peak**2) / 4.0)), 0.01)


def missed(rows: Detections, shape: Shape) -> float:
    """Penalty for limits a magnitude or more fainter than the model: a cataclysmic variable rises faster than a supernova.

    The product of exp(1 - (limit - model)), each at most 1, over limits later than 15 d before the peak; at least 0.01 in each band. It
    does not count with more than three detections before the peak.
    """
    found = rows[rows["kind"] == Kind.ALERT]
    if (found["mjd"] < shape.peak).sum() > 3:
        return 1.0
    penalty = 1.0
    for band in np.unique(found["band"]).tolist():
        limits = rows[(rows["kind"] == Kind.LIMIT) & (rows["band"] == band) & (rows["mjd"] > shape.peak - 15.0)]
        flux = shape.flux(limits["mjd"], band)
        deep = flux > 0.0
        excess = magnitude_from_flux(DETECTED * limits["flux_err"][deep]) - magnitude_from_flux(flux[deep])
        penalty *= max(float(np.exp(np.minimum(1.0 - excess, 0.0)).prod()), 0.01)
    return penalty


def score(rows: Detections, shape: Shape | None, now: float) -> float:
    """Score of one object from its rows until ``now`` (MJD), without sky position; 0 where it is excluded or rejected."""
    found = rows[(rows["kind"] == Kind.ALERT) & (rows["flux"] > 0.0)]
    if shape is None or len(found) < FEWEST:
        return 0.0
    magnitudes, since, from_peak = magnitude_from_flux(found["flux"]), now - found["mjd"][0], now - shape.peak
    if magnitudes[-1] > FAINT or not YOUNGEST <= since <= OLDEST or found["mjd"][-1] - found["mjd"][0] < SHORTEST or from_peak > LATEST:
        return 0.0
    bands = [rising(magnitudes[found["band"] == band]) for band in np.unique(found["band"]).tolist()]
    factors = (brightness(magnitudes[-1]), age(since), *bands, fits(shape.chi2), interest(from_peak), missed(rows, shape))
    return float(np.prod(factors))


def place(pool: Pool) -> Floats:
    """Factor of the observatory and of the Galaxy, shape (k,): the less of the night's sky above 30 degrees a target fills, the more."""
    filled = np.maximum(pool.night.altitude - LOWEST, 0.0).sum(axis=1) / (max(pool.night.altitude.shape[1], 1) * (90.0 - LOWEST))
    with np.errstate(divide="ignore"):
        factor = np.where(filled > 0.0, 1.0 / filled, 0.0)
    return np.where(_near_the_galaxy(pool.ra, pool.dec), 0.0, factor)


def _near_the_galaxy(ra: Floats, dec: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Whether positions (degrees) are near the Galactic plane or centre, shape (k,)."""
    import erfa

    longitude, latitude = np.degrees(erfa.icrs2g(np.radians(ra), np.radians(dec)))
    cosine = np.cos(np.radians(latitude)) * np.cos(np.radians(longitude))
    near: np.ndarray[tuple[int, ...], np.dtype[np.bool_]] = (np.abs(latitude) < LATITUDE) | (cosine > np.cos(np.radians(CENTRE_AWAY)))
    return near
