"""A person's own keys at facilities: given, replaced and taken away, and never shown."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.generic import TemplateView

from tom_alerce import visible
from tom_alerce.pages.access import ViewerMixin, refusing
from tom_alerce.pages.theme import theme
from tom_alerce.requests import keys
from tom_alerce.store.sanitize import sanitize_text


class KeysView(ViewerMixin, TemplateView):
    """``/alerce/keys/``: for each facility whose portal takes one, whether the user has given a key of their own."""

    template_name = "tom_alerce/keys.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Context of the page."""
        given = {one.facility: one.modified for one in keys.own(self.request.user)}
        rows = [(name, given.get(name)) for name in keys.facilities()]
        may = visible.may(self.request.user, "request")
        return super().get_context_data(**kwargs) | {"alerce_theme": theme(self.request), "rows": rows, "may_request": may}


@refusing
def save(request: HttpRequest) -> HttpResponse:
    """Store a key, or take it away."""
    facility = sanitize_text(request.POST.get("facility", ""))
    secret = "" if "clear" in request.POST else request.POST.get("secret", "")
    keys.store(request.user, facility, secret)
    messages.success(request, f"{facility}: your own key is {'stored' if secret.strip() else 'taken away'}.")
    return redirect("tom_alerce:keys")
