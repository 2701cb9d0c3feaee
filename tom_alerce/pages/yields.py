"""Was it worth it: the yield of requests by profile and by predicted class, and the calibration of our probabilities on our own spectra."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.views.generic import TemplateView

from tom_alerce import visible
from tom_alerce.pages.access import ViewerMixin
from tom_alerce.pages.theme import theme
from tom_alerce.requests import worth

#: Periods to choose from, in days.
DAYS = (30, 90, 365)
#: Requests that are counted at most, the latest.
MOST = 2000


class YieldView(ViewerMixin, TemplateView):
    """``/alerce/yield/``: requests that the user may see, of the last ``?days=``."""

    template_name = "tom_alerce/yield.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Context of the page."""
        chosen = self.request.GET.get("days", "")
        days = int(chosen) if chosen in map(str, DAYS) else DAYS[-1]
        since = timezone.now() - timedelta(days=days)
        found = worth.outcomes(visible.requests(self.request.user).filter(created__gte=since).order_by("-pk")[:MOST])
        context = super().get_context_data(**kwargs) | {"alerce_theme": theme(self.request), "days": days, "choices": DAYS, "n": len(found)}
        tables = [("By profile", worth.lines(found, lambda one: one.profile))]
        tables += [("By predicted class", worth.lines(found, lambda one: one.label or "not classified then"))]
        return context | {"tables": tables, "bins": worth.calibration(found)}
