"""Observing sites by name, offline: astropy's own registry of sites is a download."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from followup.records import FollowupError, Site

#: Latitude and longitude (east) to 0.001 degrees, metres, time zone. The sites of Las Cumbres as in the toolkit's own facility; the
#: others from the observatories' pages and IRAF's obsdb.
_TABLE: tuple[tuple[str, float, float, float, str], ...] = (
    ("Apache Point", 32.780, -105.820, 2798, "America/Denver"),
    ("Calar Alto", 37.224, -2.546, 2168, "Europe/Madrid"),
    ("Cerro Pachon", -30.245, -70.749, 2647, "America/Santiago"),
    ("Cerro Tololo", -30.167, -70.805, 2198, "America/Santiago"),
    ("Haleakala", 20.707, -156.258, 3055, "Pacific/Honolulu"),
    ("Kitt Peak", 31.963, -111.600, 2120, "America/Phoenix"),
    ("La Silla", -29.257, -70.730, 2347, "America/Santiago"),
    ("Las Campanas", -29.003, -70.702, 2282, "America/Santiago"),
    ("Lick", 37.343, -121.637, 1290, "America/Los_Angeles"),
    ("Mauna Kea", 19.828, -155.478, 4160, "Pacific/Honolulu"),
    ("McDonald", 30.680, -104.015, 2070, "America/Chicago"),
    ("Palomar", 33.356, -116.865, 1706, "America/Los_Angeles"),
    ("Paranal", -24.627, -70.404, 2635, "America/Santiago"),
    ("Roque de los Muchachos", 28.758, -17.880, 2327, "Atlantic/Canary"),
    ("Siding Spring", -31.273, 149.071, 1116, "Australia/Sydney"),
    ("Sutherland", -32.381, 20.810, 1760, "Africa/Johannesburg"),
    ("Teide", 28.300, -16.512, 2330, "Atlantic/Canary"),
)

SITES: Mapping[str, Site] = {row[0]: Site(*row) for row in _TABLE}


def site(where: str | Mapping[str, Any], facility: Mapping[str, Mapping[str, Any]] | None = None) -> Site:
    """Return the site that ``where`` names or describes.

    Parameters
    ----------
    where : str or mapping
        A name (of the facility's sites, or of `SITES`; case does not matter), a site code of the facility, or
        ``{'name': ..., 'latitude': ..., 'longitude': ..., 'elevation': ..., 'timezone': ...}``, which needs both angles.
    facility : mapping, optional
        Result of a TOM facility's ``get_observing_sites()``; searched first.

    Raises
    ------
    FollowupError
        An unknown name, or impossible coordinates.
    """
    if not isinstance(where, str):
        return _explicit(where)
    wanted = where.strip().lower()
    for name, row in (facility or {}).items():
        if wanted in (name.lower(), str(row.get("sitecode", "")).lower()):
            return _explicit({"timezone": SITES[name].timezone if name in SITES else "", **row, "name": name})
    by_name = {name.lower(): site for name, site in SITES.items()}
    if wanted in by_name:
        return by_name[wanted]
    known = sorted({*SITES, *(facility or {})})
    close = get_close_matches(where, known, n=3) or known
    raise FollowupError(f"no site {where!r}: did you mean {', '.join(close)}? Latitude and longitude may be given instead")


def _explicit(row: Mapping[str, Any]) -> Site:
    try:
        latitude, longitude = float(row["latitude"]), float(row["longitude"])
        elevation = float(row.get("elevation") or 0.0)
    except (KeyError, TypeError, ValueError) as error:
        raise FollowupError(f"a site needs latitude and longitude in degrees: {dict(row)!r}") from error
    if not (-90.0 <= latitude <= 90.0 and -180.0 <= longitude <= 360.0):
        raise FollowupError(f"no place on Earth: latitude {latitude}, longitude {longitude}")
    name = str(row.get("name") or f"{latitude:+.3f} {longitude:+.3f}")
    return Site(name, latitude, (longitude + 180.0) % 360.0 - 180.0, elevation, str(row.get("timezone") or ""))
