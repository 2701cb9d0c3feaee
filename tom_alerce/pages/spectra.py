"""Spectra that the TOM has of an object's target, for those who may see it."""

from __future__ import annotations

import numpy as np
from astropy import units as u
from django.conf import settings
from guardian.shortcuts import get_objects_for_user
from tom_dataproducts.models import SpectroscopyReducedDatum

from tom_alerce import visible
from tom_alerce.models import SkyObject
from tom_alerce.pages.figures.spectra import Spectrum

#: Spectra on a page at most, the latest.
MOST = 6


def of(sky_object: SkyObject, user: visible.User) -> list[Spectrum]:
    """Spectra of the target that is seen, earliest first; none of one whose wavelengths cannot be read."""
    if sky_object.seen_target is None:
        return []
    rows = SpectroscopyReducedDatum.objects.filter(target=sky_object.target_id)
    if not settings.TARGET_PERMISSIONS_ONLY:
        rows = get_objects_for_user(user, "tom_dataproducts.view_spectroscopyreduceddatum", rows)
    found = [_spectrum(row) for row in rows.order_by("-timestamp")[:MOST]]
    return [one for one in found if one is not None][::-1]


def _spectrum(row: SpectroscopyReducedDatum) -> Spectrum | None:
    wavelength, flux = np.asarray(row.wavelength, float), np.asarray(row.flux, float)
    if wavelength.ndim != 1 or wavelength.shape != flux.shape:
        return None
    try:
        unit = u.Unit(row.wavelength_unit or "AA").to(u.AA)
    except (ValueError, u.UnitConversionError):
        return None
    where = " ".join(part for part in (row.telescope, row.instrument) if part)
    return Spectrum(f"{row.timestamp:%Y-%m-%d} {where}".strip(), wavelength * unit, flux)
