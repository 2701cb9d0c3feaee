"""How the TOM is doing: a page, the same as JSON, as metrics for Prometheus, and an answer for the probes of a supervisor."""

from __future__ import annotations

import ipaddress
from dataclasses import asdict
from typing import Any

from django.db import DatabaseError, InterfaceError, connection
from django.forms.models import model_to_dict
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django.views.generic import TemplateView

from tom_alerce import conf, visible
from tom_alerce.pages import metrics
from tom_alerce.pages.access import ViewerMixin, viewers_only
from tom_alerce.pages.theme import theme
from tom_alerce.store import health, incidents, symptoms

#: Tables of the database that are listed.
TABLES = 12


class HealthView(ViewerMixin, TemplateView):
    """``/alerce/health/``."""

    template_name = "tom_alerce/health.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Context of the page: all that is known, what of it is wrong, and what was."""
        found = health.read()
        return super().get_context_data(**kwargs) | {
            "alerce_theme": theme(self.request),
            "health": found,
            "symptoms": symptoms.of(found),
            "incidents": incidents.shown(),
            "tables": found.disk.tables[:TABLES] if found.disk else (),
        }


@viewers_only
@never_cache
@require_safe
def as_json(request: HttpRequest) -> JsonResponse:
    """``/alerce/health.json``: the same facts; status 200 whatever is wrong."""
    found = health.read()
    return JsonResponse(
        {
            "at": found.at,
            "symptoms": [asdict(symptom) for symptom in symptoms.of(found)],
            "streams": [_stream(stream) for stream in found.streams],
            "runs": [_row(run) for run in found.runs],
            "pollers": [asdict(poller) for poller in found.pollers],
            "dead_letters": asdict(found.letters),
            "drift": asdict(found.drift) if found.drift else None,
            "disk": asdict(found.disk) if found.disk else None,
        }
    )


@never_cache
@require_safe
def scrape(request: HttpRequest) -> HttpResponse:
    """``/alerce/metrics/``: for Prometheus, which shows the token of ``METRICS`` or is in one of its networks, and for viewers."""
    if not (_has_token(request) or _is_near(request) or visible.may(request.user, "view")):
        return HttpResponse("give the token of TOM_ALERCE['METRICS'] as 'Authorization: Bearer ...'\n", "text/plain", 401)
    return HttpResponse(metrics.text(health.read()), metrics.CONTENT_TYPE)


@never_cache
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """``/alerce/health/ready/``: 200 while this process reaches the database, else 503; tells nothing more, and anybody may ask."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError):
        return HttpResponse("the database is away\n", "text/plain", 503)
    return HttpResponse("ready\n", "text/plain")


def _has_token(request: HttpRequest) -> bool:
    token = conf.get("METRICS").get("token", "")
    return bool(token) and constant_time_compare(request.headers.get("Authorization", ""), f"Bearer {token}")


def _is_near(request: HttpRequest) -> bool:
    """Whether the other end of the connection, which may be a proxy, is in one of the networks of the settings."""
    try:
        address = ipaddress.ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return any(address in ipaddress.ip_network(network) for network in conf.get("METRICS").get("networks", ()))


def _stream(stream: health.Stream) -> dict[str, Any]:
    alive = {worker.name for worker in stream.alive}
    return {
        **{name: getattr(stream, name) for name in ("name", "lag", "rate", "latency", "kept_share", "batched")},
        "workers": [_row(worker) | {"alive": worker.name in alive} for worker in stream.workers],
        "partitions": [_row(partition) | {"lag": partition.lag} for partition in stream.partitions],
    }


def _row(row: Any) -> dict[str, Any]:
    return {name: value for name, value in model_to_dict(row).items() if name != "id"}
