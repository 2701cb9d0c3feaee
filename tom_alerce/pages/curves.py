"""The interactive light curve in other forms, as a script of the object's page asks for them: folded, binned, absolute, in days."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from broker_adapters.dust import EXTINCTION, reddening
from tom_alerce import visible
from tom_alerce.clock import now as now_mjd
from tom_alerce.pages import context, forecasts, photometry
from tom_alerce.pages.access import viewers_only
from tom_alerce.pages.compare import modulus
from tom_alerce.pages.figures import interactive
from tom_alerce.pages.figures.axes import DATES, LONGEST, SHORTEST, Axes, binned, brightest, period_of
from tom_alerce.pages.summaries import Summary, summarise

#: Days of a bin at least and at most.
BINS = (0.01, 100.0)


@require_GET
@viewers_only
def figures(request: HttpRequest, pk: int) -> HttpResponse:
    """``/alerce/objects/<pk>/figures/``: figures (`tom_alerce.pages.figures.interactive`), and the ``period`` that was found.

    ``fold`` is a period in days, or ``find``; ``days`` is ``first`` or ``peak``; ``bin`` is a number of days; ``absolute`` is ``yes``.
    """
    sky = get_object_or_404(visible.sky_objects(request.user), pk=pk)
    summary = summarise([sky], request.user)[sky.pk]
    rows = summary.detections
    if (days := _number(request.GET.get("bin", ""), *BINS)) is not None:
        rows = binned(rows, days)
    axes = _axes(request, summary)
    forecast = forecasts.of(summary, now_mjd()) if axes == DATES else None
    drawn = interactive.figures(rows, forecast, photometry.on_star(sky), axes)
    return JsonResponse({"figures": drawn, "period": axes.period, "redshift": axes.redshift or None})


def _axes(request: HttpRequest, summary: Summary) -> Axes:
    fold, days, rows = request.GET.get("fold", ""), request.GET.get("days", ""), summary.detections
    period = period_of(rows) if fold == "find" else _number(fold, SHORTEST / 10.0, LONGEST * 100.0)
    place = context.place(summary.sky_object, rows)
    origin = {"first": summary.sky_object.first_mjd, "peak": brightest(rows)}.get(days)
    redshift = place.redshift if origin is not None and place.redshift == place.redshift else 0.0
    absolute, off = modulus(place.distance), {}
    if request.GET.get("absolute") == "yes" and math.isfinite(absolute):
        dust = float(reddening(summary.sky_object.ra, summary.sky_object.dec)[0])
        off = {"modulus": absolute, "extinction": {band: value * dust for band, value in EXTINCTION.items()} if np.isfinite(dust) else {}}
    kept: dict[str, Any] = off
    return Axes(origin=origin if period is None else 0.0, period=period, redshift=redshift if period is None else 0.0, **kept)


def _number(text: str, low: float, high: float) -> float | None:
    """A number within limits; None for anything else."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if low <= value <= high else None
