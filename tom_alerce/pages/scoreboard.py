"""The scoreboard: what our classifiers said, against the classes that were learnt otherwise."""

from __future__ import annotations

from typing import Any

from django.views.generic import TemplateView

from classifiers.cards import calibration_error
from classifiers.scoreboard import CONFIDENCE, ENOUGH
from tom_alerce import visible
from tom_alerce.clock import now
from tom_alerce.pages.access import ViewerMixin
from tom_alerce.pages.theme import theme
from tom_alerce.store.scored import scores

#: Periods to choose from, in days since an object was seen last.
DAYS = (30, 90, 365)
#: Calibration error that is allowed to a model whose card promises none.
ALLOWED = 0.05


class ScoreboardView(ViewerMixin, TemplateView):
    """``/alerce/scoreboard/``: objects that the user may see, and that were seen in the last ``?days=``."""

    template_name = "tom_alerce/scoreboard.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Context of the page."""
        chosen = self.request.GET.get("days", "")
        days = int(chosen) if chosen in map(str, DAYS) else DAYS[-1]
        found = scores(visible.sky_objects(self.request.user), now() - days)
        promised = [calibration_error(board.classifier, board.version) for board in found.boards]
        boards = [
            {"board": board, "promised": error, "astray": board.astray(ALLOWED if error is None else error)}
            for board, error in zip(found.boards, promised, strict=True)
        ]
        context = super().get_context_data(**kwargs) | {"alerce_theme": theme(self.request), "days": days, "choices": DAYS}
        return context | {"n": found.n, "boards": boards, "confidence": CONFIDENCE, "enough": ENOUGH}
