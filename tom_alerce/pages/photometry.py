"""Corrected light curves and magnitude statistics of one object, for its page and for the API."""

from __future__ import annotations

from typing import Any

import numpy as np

from broker_adapters import magstats
from broker_adapters.correction import correct, stellar
from broker_adapters.photometry import magnitude_error, magnitude_from_flux
from broker_adapters.records import Detections, Kind
from broker_adapters.significance import MEASURED, insignificant
from tom_alerce.models import SkyObject, Stamps
from tom_alerce.store.sanitize import json_safe

#: What a measurement has as it is stored, in the order in which it is given.
_STORED = ("survey", "source_id", "mjd", "band", "flux", "flux_err", "ref_flux", "ref_flux_err", "ra", "dec", "position_err", "reliability")


def on_star(sky_object: SkyObject) -> bool:
    """Whether the earliest alert that says so has a star of the reference image under it: total magnitudes are then of a point source."""
    alerts = Stamps.objects.filter(survey_object__sky_object=sky_object).order_by("mjd").values_list("metadata", flat=True)
    return next((bool(stellar(metadata)) for metadata in alerts if metadata.get("distnr") is not None), False)


def light_curve(rows: Detections, star: bool) -> list[dict[str, Any]]:
    """One dictionary for each of n measurements, in their order, as plain JSON: what is stored, and magnitudes of it.

    ``magnitude`` is of the absolute difference flux, where that is significant; ``total_magnitude`` and its error are of difference and
    reference together (`broker_adapters.correction`), the error that of a point source where ``star``. Fluxes are nJy, times MJD UTC; None
    where not measured.
    """
    correction = correct(rows)
    difference = np.where(insignificant(rows, MEASURED), np.nan, np.abs(rows["flux"]))
    columns = {name: rows[name] for name in _STORED} | {
        "magnitude": magnitude_from_flux(difference),
        "magnitude_err": magnitude_error(difference, rows["flux_err"]),
        "total_magnitude": correction.magnitude,
        "total_magnitude_err": correction.error if star else correction.error_extended,
        "dubious": correction.dubious,
    }
    kinds = [Kind(kind).name.lower() for kind in rows["kind"].tolist()]
    listed = {name: json_safe(column.tolist()) for name, column in columns.items()}
    return [{"kind": kind, **dict(zip(listed, values, strict=True))} for kind, *values in zip(kinds, *listed.values(), strict=True)]


def statistics(rows: Detections) -> dict[str, Any]:
    """ALeRCE's magnitude statistics (`broker_adapters.magstats`) as JSON: of the ``object`` (None without detections) and its ``bands``.

    An alert whose flux is not significant has no magnitude, and is left out.
    """
    rows = rows[~insignificant(rows)]
    of_object, of_bands = (
        [dict(zip((table.dtype.names or ())[1:], json_safe(row.item()[1:]), strict=True)) for row in table]
        for table in (magstats.by_object(rows), magstats.by_band(rows))
    )
    return {"object": of_object[0] if of_object else None, "bands": of_bands}
