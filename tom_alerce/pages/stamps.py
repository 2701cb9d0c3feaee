"""Serves the stamps of an alert as one PNG, cached by the browser."""

from __future__ import annotations

import logging

import numpy as np
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import cache_control
from django.views.decorators.http import condition, require_safe
from numpy.typing import NDArray

from broker_adapters import cutouts
from broker_adapters.errors import PacketError
from tom_alerce.models import Explanation, Stamps
from tom_alerce.pages import images
from tom_alerce.pages.access import viewers_only
from tom_alerce.store import explanations

logger = logging.getLogger(__name__)

#: Version of the drawing; a change makes browsers fetch the images again.
STYLE = "2"


def _etag(request: HttpRequest, pk: int) -> str | None:
    source_id = Stamps.objects.filter(pk=pk).values_list("source_id", flat=True).first()
    return f'"{STYLE}-{pk}-{source_id}"' if source_id is not None else None


@viewers_only
@require_safe
@cache_control(private=True, max_age=3600)
@condition(etag_func=_etag)
def stamps(request: HttpRequest, pk: int) -> HttpResponse:
    """``/alerce/stamps/<pk>.png``: science, template and difference side by side."""
    row = get_object_or_404(Stamps, pk=pk)
    return HttpResponse(images.strip({kind: pixels(row, kind) for kind in images.KINDS}), content_type="image/png")


def _explanation_etag(request: HttpRequest, pk: int) -> str | None:
    made = Explanation.objects.filter(pk=pk).values_list("created", flat=True).first()
    return f'"{STYLE}-{pk}-{made:%s.%f}"' if made is not None else None


@viewers_only
@require_safe
@cache_control(private=True, max_age=3600)
@condition(etag_func=_explanation_etag)
def explanation(request: HttpRequest, pk: int) -> HttpResponse:
    """``/alerce/explanations/<pk>.png``: the stamps with the map of an explanation."""
    row = get_object_or_404(Explanation.objects.select_related("stamps"), pk=pk)
    shown = {kind: pixels(row.stamps, kind) for kind in images.KINDS}
    return HttpResponse(images.explained(shown, explanations.weights(row)), content_type="image/png")


def pixels(row: Stamps, kind: str) -> NDArray[np.float32] | None:
    """Pixels of one stamp; None if it is missing or cannot be read, so that the others are shown."""
    data = getattr(row, kind)
    try:
        return cutouts.decode(bytes(data)) if data else None
    except PacketError as error:
        logger.warning("%s of %s: %s", kind, row, error)
        return None
