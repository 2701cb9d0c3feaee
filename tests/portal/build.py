"""Requests that a real portal can accept on any day of the year."""

from __future__ import annotations

import math
from itertools import count

from broker_adapters.healpix import cell
from followup.records import Exposure, ObservationRequest
from tom_alerce import clock
from tom_alerce.models import SkyObject
from tom_alerce.requests import approve, draft, validate

_number = count(1)
DEC = -15.0


def opposite_the_sun(mjd):
    """Right ascension (degrees) opposite the Sun, to a few degrees."""
    days = mjd - 51544.5
    mean = math.radians((357.53 + 0.98560028 * days) % 360.0)
    longitude = math.radians((280.46 + 0.98564736 * days + 1.915 * math.sin(mean)) % 360.0)
    return (math.degrees(math.atan2(math.cos(math.radians(23.44)) * math.sin(longitude), math.cos(longitude))) + 180.0) % 360.0


def planned(spectrum=False, hours=(0.0, 30.0), **changes):
    """A request for a new object, up all night, in a window that has just begun."""
    now, number = clock.now(), next(_number)
    ra = (opposite_the_sun(now) + number % 40 - 20) % 360.0
    sky = SkyObject.objects.create(ra=ra, dec=DEC, healpix=cell(ra, DEC), position_err=0.1)
    camera = ("2M0-FLOYDS-SCICAM", (Exposure("slit_2.0as", 900.0),)) if spectrum else ("1M0-SCICAM-SINISTRO", (Exposure("rp", 60.0, 2),))
    fields = {
        "target": str(sky.pk),
        "name": f"SN test {number}",
        "ra": ra,
        "dec": DEC,
        "facility": "lco",
        "instrument": camera[0],
        "exposures": camera[1],
        "start": now + hours[0] / 24.0,
        "end": now + hours[1] / 24.0,
        "priority": 0.5,
        "max_airmass": 2.0,
        "min_lunar_distance": 0.0,
        "night": "2026-11-27",
    }
    return ObservationRequest(**(fields | changes))


def approved(user=None, **options):
    """A request that was drafted, checked by the portal, and approved."""
    (row,) = draft.draft([planned(**options)], user=user)
    for _ in range(5):  # a busy machine: the portal has not always answered in time
        if validate.dry_run(row) is not None or row.state == row.State.INVALID:
            break
    assert row.state == row.State.VALIDATED, row.message
    approve.approve(row, None)
    return row
