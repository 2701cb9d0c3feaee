"""Colour theme of our pages: that of the site, dark, or red on black; a cookie holds it, so that no page flashes in another."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

COOKIE = "alerce_theme"
THEMES = {"site": "Site", "dark": "Dark", "red": "Red"}
YEAR = 365 * 86400
#: Longest address that Django redirects to.
LONGEST = 2000


def theme(request: HttpRequest) -> str:
    """Theme of this browser, one of `THEMES`."""
    chosen = request.COOKIES.get(COOKIE, "site")
    return chosen if chosen in THEMES else "site"


@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """``/alerce/theme/``: store the choice and go back."""
    response = redirect(back(request))
    chosen = request.POST.get("theme", "")
    if chosen in THEMES:
        response.set_cookie(COOKIE, chosen, max_age=YEAR, samesite="Lax", httponly=True, secure=request.is_secure())
    return response


def back(request: HttpRequest, default: str = "") -> str:
    """Page of this site in the form's field ``next``, else ``default``, else the board."""
    for page in (request.POST.get("next", ""), default):
        address = (
            page.startswith(("/", "http://", "https://")) and len(page) <= LONGEST
        )  # not a name of a view, which redirect() would resolve
        if address and url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure()):
            return page
    return reverse("tom_alerce:board")
