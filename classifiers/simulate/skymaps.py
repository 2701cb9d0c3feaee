"""Maps of the sky as observatories send them: normal distributions of places and of distances, in cells that are fine where it is dense."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import numpy as np
from astropy import units as u
from astropy.coordinates import angular_separation
from astropy.io import fits
from astropy_healpix import HEALPix
from numpy.typing import NDArray

from broker_adapters import skymap
from broker_adapters.skymap import SkyMap
from broker_adapters.times import datetime_from_mjd

Floats = NDArray[np.float64]
#: Orders of the coarsest and of the finest cells, and probability above which a cell is split.
_FIRST, _LAST, _SHARE = 2, 8, 2e-4


def gaussian(ra: float, dec: float, sigma: float, distance: tuple[float, float] | None = None, last: int = _LAST) -> SkyMap:
    """A map around a place (degrees) of standard deviation ``sigma`` (degrees) per axis, with a distance and its error (Mpc) or none."""
    kappa = np.radians(sigma) ** -2.0
    order, cell = np.full(12 * 4**_FIRST, _FIRST, np.int64), np.arange(12 * 4**_FIRST, dtype=np.int64)
    for now in range(_FIRST, last):
        density = _density(order, cell, ra, dec, kappa)
        split = (order == now) & (density * np.pi / (3.0 * 4.0**order) > _SHARE)
        children = (cell[split, None] * 4 + np.arange(4)).ravel()
        order = np.concatenate([order[~split], np.full(len(children), now + 1, np.int64)])
        cell = np.concatenate([cell[~split], children])
    density = _density(order, cell, ra, dec, kappa)
    density /= (density * np.pi / (3.0 * 4.0**order)).sum()
    n = len(cell)
    if distance is None:
        return skymap.made(order, cell, density, *(np.full(n, np.nan) for _ in range(3)))
    mean, error = distance
    norm = 1.0 / (mean**2 + error**2)  # of a normal distribution far from 0, times r^2
    return skymap.made(order, cell, density, np.full(n, mean), np.full(n, error), np.full(n, norm))


def to_fits(made: SkyMap) -> bytes:
    """The FITS file of a map of many orders, as LIGO, Virgo and KAGRA write it."""
    table: dict[str, NDArray[Any]] = {"UNIQ": made.cell + 4 ** (made.order + 1), "PROBDENSITY": made.density}
    if made.has_distances:
        none = ~np.isfinite(made.norm)
        table["DISTMU"], table["DISTSIGMA"] = np.where(none, np.inf, made.mu), np.where(none, 1.0, made.sigma)
        table["DISTNORM"] = np.where(none, 0.0, made.norm)
    columns = [fits.Column(name=name, format="K" if name == "UNIQ" else "D", array=values) for name, values in table.items()]
    hdu = fits.BinTableHDU.from_columns(columns)
    hdu.header["ORDERING"], hdu.header["COORDSYS"] = "NUNIQ", "C"
    buffer = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(buffer)
    return buffer.getvalue()


def alert(superevent: str, mjd: float, made: SkyMap, stage: str = "PRELIMINARY", issued: float | None = None, **classes: float) -> bytes:
    """An alert of ``igwn.gwalert`` with this map, of an event at ``mjd`` (UTC), issued five minutes later or when it is said."""
    event: dict[str, Any] = {
        "significant": True,
        "time": _time(mjd),
        "far": 1e-10,
        "instruments": ["H1", "L1", "V1"],
        "group": "CBC",
        "pipeline": "gstlal",
        "search": "AllSky",
        "properties": {"HasNS": 1.0, "HasRemnant": 0.9},
        "classification": classes or {"BNS": 0.95, "Terrestrial": 0.05},
        "skymap": base64.b64encode(to_fits(made)).decode(),
    }
    body = {
        "alert_type": stage,
        "time_created": _time(mjd + 300.0 / 86400.0 if issued is None else issued),
        "superevent_id": superevent,
        "urls": {"gracedb": f"https://gracedb.ligo.org/superevents/{superevent}/view/"},
        "event": None if stage == "RETRACTION" else event,
        "external_coinc": None,
    }
    return json.dumps(body).encode()


def _time(mjd: float) -> str:
    return datetime_from_mjd(mjd).isoformat().replace("+00:00", "Z")


def _density(order: NDArray[np.int64], cell: NDArray[np.int64], ra: float, dec: float, kappa: float) -> Floats:
    """Fisher's distribution on the sphere at the centres of cells, per steradian."""
    angle = np.empty(len(cell))
    for one in np.unique(order):
        mine = order == one
        lon, lat = HEALPix(nside=2 ** int(one), order="nested").healpix_to_lonlat(cell[mine])
        angle[mine] = angular_separation(lon, lat, ra * u.deg, dec * u.deg).to_value(u.rad)
    return np.asarray(kappa / (2.0 * np.pi * -np.expm1(-2.0 * kappa)) * np.exp(-2.0 * kappa * np.sin(angle / 2.0) ** 2))
