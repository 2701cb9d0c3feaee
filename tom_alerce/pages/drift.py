"""The drift page: how far recent nights are from the training set of the stamp classifier."""

from __future__ import annotations

from typing import Any

from django.views.generic import TemplateView

from tom_alerce import conf
from tom_alerce.models import Drift
from tom_alerce.pages.access import ViewerMixin
from tom_alerce.pages.figures import nights
from tom_alerce.pages.theme import theme
from tom_alerce.store.drift import drifted, latest_night

#: Numbers of nights that are drawn, and of quantities that are listed.
NIGHTS, LISTED = 60, 12


class DriftView(ViewerMixin, TemplateView):
    """``/alerce/drift/``: the results of ``manage.py alerce_drift`` for the version of the model that was measured last."""

    template_name = "tom_alerce/drift.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Context of the page: the latest night in numbers, and all nights as a plot."""
        context = super().get_context_data(**kwargs) | {"alerce_theme": theme(self.request), "alarm": conf.get("DRIFT_ALARM")}
        latest = latest_night()
        if latest is None:
            return context
        longest = max([*latest.psi.values(), 2 * context["alarm"]])
        rows = list(Drift.objects.filter(classifier=latest.classifier, version=latest.version).order_by("-night")[:NIGHTS])[::-1]
        earlier = [row.classes for row in rows if row.night != latest.night]
        return context | {
            "latest": latest,
            "plot": nights.drift(rows, context["alarm"]),
            "drifted": drifted(latest),
            "quantities": [(name, nights.group(name), psi, psi / longest) for name, psi in list(latest.psi.items())[:LISTED]],
            "classes": [
                (name, share, sum(other.get(name, 0.0) for other in earlier) / len(earlier) if earlier else None)
                for name, share in latest.classes.items()
            ],
        }
