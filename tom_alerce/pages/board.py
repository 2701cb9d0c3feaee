"""The board: the latest ranking as a table, to plan a night from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from django.contrib.auth.mixins import LoginRequiredMixin
from django.db.models import Max, QuerySet
from django.shortcuts import get_object_or_404
from django_filters.views import FilterView
from django_tables2 import SingleTableMixin

from followup.records import Limits
from tom_alerce import conf, visible
from tom_alerce.clock import now as now_mjd
from tom_alerce.models import Rank, Ranking
from tom_alerce.pages.figures import svg
from tom_alerce.pages.filters import BoardFilter
from tom_alerce.pages.summaries import summarise
from tom_alerce.pages.tables import BoardTable
from tom_alerce.pages.theme import theme

#: Age (days) at which a ranking is marked as old.
STALE = 0.5


def latest_rankings() -> QuerySet[Ranking]:
    """The latest ranking of each site, newest first."""
    latest = Ranking.objects.values("site").annotate(latest=Max("pk"))
    return Ranking.objects.filter(pk__in=latest.values("latest")).order_by("-pk")


class BoardView(LoginRequiredMixin, SingleTableMixin, FilterView):
    """``/alerce/``: the latest ranking of a site, or the one named by ``?ranking=``."""

    model = Rank
    table_class = BoardTable
    filterset_class = BoardFilter
    template_name = "tom_alerce/board.html"
    table_pagination = {"per_page": 25}
    strict = False

    def get_queryset(self) -> QuerySet[Rank]:
        """Ranks of the objects that the user may see."""
        chosen = self.request.GET.get("ranking", "")
        self.rankings = list(latest_rankings())
        self.ranking = self.rankings[0] if self.rankings else None
        if chosen.isdecimal():
            self.ranking = get_object_or_404(Ranking, pk=chosen)
        ranks = Rank.objects.filter(ranking=self.ranking, sky_object__in=visible.sky_objects(self.request.user).values("pk"))
        return ranks.select_related("ranking", "sky_object__target")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Context of the page: its ranks with their summaries and figures."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        now = now_mjd()
        ranks = [row.record for row in context["table"].page.object_list]
        decorate(ranks, self.request.user, now)
        if self.ranking:
            context |= {"ranking": self.ranking, "rankings": self.rankings, "stale": now - self.ranking.now > STALE}
        parameters = self.request.GET.copy()
        parameters.pop("page", None)
        filtered = any(parameters.get(name) for name in self.filterset.filters)
        return context | {"alerce_theme": theme(self.request), "filtered": filtered, "orders": BoardTable.ORDERS, "now": now}


def decorate(ranks: Sequence[Any], user: visible.User, now: float) -> None:
    """Set ``summary``, ``curve`` (light curve) and ``night`` (altitude) of each rank for the templates."""
    summaries = summarise([rank.sky_object for rank in ranks], user)
    for rank in ranks:
        rank.summary = summaries[rank.sky_object_id]
        rank.curve = svg.light_curve(rank.summary.detections, now)
        rank.night = svg.altitude(rank.visibility, lowest_altitude(), now)


def lowest_altitude() -> float:
    """Degrees above which an object counts as observable: the altitude of the largest airmass, in a plane-parallel atmosphere."""
    return math.degrees(math.asin(1.0 / Limits(**conf.get("LIMITS")).max_airmass))
