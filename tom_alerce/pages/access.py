"""Who may open our pages: those who are logged in and have the role ``view``."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from tom_alerce import visible


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


def _refuse(request: HttpRequest) -> None:
    if request.user.is_authenticated and not visible.may(request.user, "view"):
        raise PermissionDenied("your account may not see the alerts of this TOM: ask its administrator")
