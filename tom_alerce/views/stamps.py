"""Stamps of an alert as one PNG, cached by the browser."""

from __future__ import annotations

import logging

import numpy as np
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import cache_control
from django.views.decorators.http import condition, require_safe
from numpy.typing import NDArray

from broker_adapters import cutouts
from broker_adapters.errors import PacketError
from tom_alerce import images, visible
from tom_alerce.models import Stamps

logger = logging.getLogger(__name__)

#: Changes whenever the same stamps would look different.
STYLE = "1"


def _etag(request: HttpRequest, pk: int) -> str | None:
    source_id = Stamps.objects.filter(pk=pk).values_list("source_id", flat=True).first()
    return f'"{STYLE}-{pk}-{source_id}"' if source_id is not None else None


@login_required
@require_safe
@cache_control(private=True, max_age=3600)
@condition(etag_func=_etag)
def stamps(request: HttpRequest, pk: int) -> HttpResponse:
    """``/alerce/stamps/<pk>.png``: science, template and difference side by side; 404 where the user may not see the object."""
    seen = Stamps.objects.filter(survey_object__sky_object__in=visible.sky_objects(request.user).values("pk"))
    row = get_object_or_404(seen, pk=pk)
    return HttpResponse(images.strip({kind: _pixels(row, kind) for kind in images.KINDS}), content_type="image/png")


def _pixels(row: Stamps, kind: str) -> NDArray[np.float32] | None:
    """The pixels of one stamp, None where there is none, or none that can be read: the others are still worth a look."""
    data = getattr(row, kind)
    try:
        return cutouts.decode(bytes(data)) if data else None
    except PacketError as error:
        logger.warning("%s of %s: %s", kind, row, error)
        return None
