"""Several objects beside one another: their light curves on one axis, and what is known of each."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from broker_adapters.records import Detections
from broker_adapters.significance import SHOWN, significant
from tom_alerce import visible
from tom_alerce.clock import now as now_mjd
from tom_alerce.pages import context
from tom_alerce.pages.access import viewers_only
from tom_alerce.pages.board_actions import keys
from tom_alerce.pages.figures.several import curves
from tom_alerce.pages.summaries import summarise
from tom_alerce.pages.theme import theme

#: Objects beside one another at most: as many as there are colours.
MOST = 6
#: Where the axis of time begins for each object -> what the page calls it.
ALIGNED = {"now": "days from now", "first": "days since the first detection", "peak": "days from the brightest"}


@require_GET
@viewers_only
def compare(request: HttpRequest) -> HttpResponse:
    """``/alerce/compare/?pk=1&pk=2``: at most `MOST` objects; ``align`` is one of `ALIGNED`, and ``absolute`` takes the distances off."""
    wanted = keys(request.GET.getlist("pk"))[:MOST]
    align = request.GET.get("align", "now")
    align = align if align in ALIGNED else "now"
    absolute, now = request.GET.get("absolute") == "yes", now_mjd()
    skies = visible.sky_objects(request.user).in_bulk(wanted)
    summaries = summarise([skies[key] for key in wanted if key in skies], request.user)
    briefs = context.briefs(summaries) if summaries else {}
    light = [one.detections for one in summaries.values()]
    origins = [_origin(rows, align, now) for rows in light]
    moduli = [modulus(briefs[key].distance) for key in summaries]
    figure = curves(light, origins, moduli if absolute else None)
    listed: list[dict[str, Any]] = [{"summary": one, "brief": briefs[key], "sky": one.sky_object} for key, one in summaries.items()]
    shown = {"objects": listed, "plot": figure, "align": align, "aligned": ALIGNED, "absolute": absolute, "now": now}
    return render(request, "tom_alerce/compare.html", shown | {"alerce_theme": theme(request), "most": MOST})


def _origin(rows: Detections, align: str, now: float) -> float:
    seen = rows[significant(rows, SHOWN) & (rows["flux"] > 0)]
    if align == "now" or not len(seen):
        return now
    return float(seen["mjd"].min() if align == "first" else seen["mjd"][np.argmax(seen["flux"])])


def modulus(distance: float) -> float:
    """Distance modulus of a luminosity distance in Mpc; NaN where that is not known."""
    return 5.0 * math.log10(distance) + 25.0 if distance > 0.0 else math.nan
