"""Who may open our pages: those who are logged in and have the role ``view``; and how a POST that is refused is answered."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from followup.records import FollowupError
from tom_alerce import visible
from tom_alerce.pages import quiet
from tom_alerce.pages.theme import back
from tom_alerce.requests.rights import Forbidden
from tom_alerce.store.errors import StoreError


class ViewerMixin(LoginRequiredMixin):
    """Class-based page for viewers."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Send strangers to the log-in, and refuse accounts without the role."""
        _refuse(request)
        return super().dispatch(request, *args, **kwargs)


def viewers_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Function-based page for viewers; goes before what could answer without the page, such as a comparison of ETags."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        _refuse(request)
        return view(request, *args, **kwargs)

    return login_required(guarded)


def refusing(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Make a view of viewers' POSTs: 403 for who may not, and a message, back on the page, for what cannot be done."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except Forbidden as refusal:
            raise PermissionDenied(str(refusal)) from refusal
        except (StoreError, FollowupError) as refusal:
            messages.error(request, f"Not done: {refusal}")
            if quiet.is_quiet(request):
                return quiet.said(request)
            return redirect(back(request, request.headers.get("Referer", "")))

    return require_POST(viewers_only(guarded))


def _refuse(request: HttpRequest) -> None:
    if request.user.is_authenticated and not visible.may(request.user, "view"):
        raise PermissionDenied("your account may not see the alerts of this TOM: ask its administrator")
