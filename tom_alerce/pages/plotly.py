"""Serves the plotly script of the installed package, so that pages load nothing from elsewhere (docs/decisions/007-pages.md)."""

from __future__ import annotations

import gzip
from functools import lru_cache

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers
from plotly.offline import get_plotlyjs, get_plotlyjs_version


@lru_cache(maxsize=1)
def _compressed() -> bytes:
    return gzip.compress(get_plotlyjs().encode(), compresslevel=6)


@require_safe
@cache_control(public=True, max_age=365 * 86400, immutable=True)
@vary_on_headers("Accept-Encoding")
def script(request: HttpRequest, version: str) -> HttpResponse:
    """``/alerce/plotly-<version>.min.js``: the address has the version, so that a browser fetches each version once."""
    if version != get_plotlyjs_version():
        raise Http404(f"plotly.js here is {get_plotlyjs_version()}")
    if "gzip" not in request.headers.get("Accept-Encoding", ""):
        return HttpResponse(get_plotlyjs(), content_type="text/javascript; charset=utf-8")
    return HttpResponse(_compressed(), content_type="text/javascript; charset=utf-8", headers={"Content-Encoding": "gzip"})
