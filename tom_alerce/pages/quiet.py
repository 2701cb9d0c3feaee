"""Answers to scripts of our pages: what a person would read as a message on the next page, as JSON, so that the page stays where it is."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse

#: Header of a request by a script.
HEADER = "X-Alerce-Quiet"


def is_quiet(request: HttpRequest) -> bool:
    """Whether a script asks."""
    return request.headers.get(HEADER) == "yes"


def said(request: HttpRequest) -> HttpResponse:
    """The messages of a request as JSON; 409 if one of them is an error."""
    every = list(messages.get_messages(request))
    refused = any(one.level >= messages.ERROR for one in every)
    return JsonResponse({"messages": [str(one) for one in every]}, status=409 if refused else 200)
