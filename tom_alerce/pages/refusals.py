"""What a person without the right sees: a page of ours with status 403, which says what is missing."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tom_alerce import conf, visible
from tom_alerce.pages.theme import theme

logger = logging.getLogger(__name__)


class RefusalMiddleware:
    """Shows our own page for a refusal by one of our pages; it stands before the toolkit's `Raise403Middleware`.

    That one makes a visit to the log-in page of every 403, which tells a person who is logged in nothing. So the page gets its status here,
    where the toolkit has had its turn. Refusals of other pages stay the toolkit's.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, with the status of a refusal if it is one of ours."""
        response = self._get_response(request)
        if getattr(response, "alerce_refusal", False):
            response.status_code = 403
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Page for a refusal; None for any other exception, and for pages of others."""
        if not isinstance(exception, PermissionDenied) or getattr(request.resolver_match, "app_name", "") != "tom_alerce":
            return None
        logger.info("%s %s is refused to %s: %s", request.method, request.path, request.user, exception)
        roles = [(role, visible.may(request.user, role)) for role in conf.ROLES]
        context = {"reason": str(exception), "roles": roles, "alerce_theme": theme(request)}
        response = render(request, "tom_alerce/refused.html", context)
        response.alerce_refusal = True  # type: ignore[attr-defined] # read above
        return response
