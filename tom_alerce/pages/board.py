"""The board: the current ranking as a table, to plan a night from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django_filters.views import FilterView
from django_tables2 import SingleTableMixin

from followup.records import Limits
from tom_alerce import conf, visible
from tom_alerce.clock import now as now_mjd
from tom_alerce.models import Rank, Ranking
from tom_alerce.pages import marks
from tom_alerce.pages.access import ViewerMixin
from tom_alerce.pages.figures import svg
from tom_alerce.pages.filters import BoardFilter
from tom_alerce.pages.summaries import summarise
from tom_alerce.pages.tables import BoardTable
from tom_alerce.pages.theme import theme
from tom_alerce.pipeline.rank import why_empty
from tom_alerce.store import rankings

#: Digits of the largest key.
LONGEST_KEY = 18
#: Age (days) at which a ranking is marked as old.
STALE = 0.5


class BoardView(ViewerMixin, SingleTableMixin, FilterView):
    """``/alerce/``: the current ranking (`tom_alerce.store.rankings.current`), or the one named by ``?ranking=``."""

    model = Rank
    table_class = BoardTable
    filterset_class = BoardFilter
    template_name = "tom_alerce/board.html"
    table_pagination = {"per_page": 25}
    strict = False

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """Keep of the orders in the address those that the table has."""
        orders = request.GET.getlist("sort")
        known = [order for order in orders if order.removeprefix("-") in BoardTable.base_columns]
        if known != orders:
            parameters = request.GET.copy()
            parameters.setlist("sort", known)
            request.GET = parameters  # type: ignore[assignment] # the stubs have one type for reading and another for copies
        super().setup(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Rank]:
        """Ranks of the ranking that is shown."""
        chosen = self.request.GET.get("ranking", "")
        self.ranking = _ranking(chosen) if chosen.isdecimal() else rankings.current()
        return rankings.ranks(self.ranking).select_related("sky_object")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Context of the page: its ranks with their summaries and figures."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        now = now_mjd()
        ranks = [row.record for row in context["table"].page.object_list]
        decorate(ranks, self.request.user, now)
        context |= {"ranking": self.ranking, "rankings": rankings.offered(), "site": rankings.site_name()}
        if self.ranking:
            stale = now - self.ranking.now > STALE or not rankings.is_for_tonight(self.ranking, now)
            context |= {"stale": stale and not self.ranking.supposed}
            if not ranks and not self.object_list.exists() and not self.ranking.ranks.exists():
                context["why_empty"] = why_empty(self.ranking.now)
        parameters = self.request.GET.copy()
        parameters.pop("page", None)
        filtered = any(parameters.get(name) for name in self.filterset.filters)
        context |= {"filtered": filtered, "orders": BoardTable.ORDERS, "now": now, "may_mark": visible.may(self.request.user, "decide")}
        context["may_request"] = visible.may(self.request.user, "request")
        return context | {"alerce_theme": theme(self.request)}


def _ranking(key: str) -> Ranking:
    """Ranking of that key; 404 without one, also for a number that no database holds."""
    row = Ranking.objects.filter(pk=int(key)).first() if len(key) <= LONGEST_KEY else None
    if row is None:
        raise Http404("there is no such ranking: it may have been pruned")
    return row


def decorate(ranks: Sequence[Any], user: visible.User, now: float) -> None:
    """Set ``summary``, ``marks``, ``curve`` (light curve) and ``night`` (altitude) of each rank for the templates."""
    summaries = summarise([rank.sky_object for rank in ranks], user)
    marked = marks.of(list(summaries), user)
    for rank in ranks:
        rank.marks = marked.get(rank.sky_object_id, ())
        rank.summary = summaries[rank.sky_object_id]
        rank.curve = svg.light_curve(rank.summary.detections, now)
        rank.night = svg.altitude(rank.visibility, lowest_altitude(), now)


def lowest_altitude() -> float:
    """Degrees above which an object counts as observable: the altitude of the largest airmass, in a plane-parallel atmosphere."""
    return math.degrees(math.asin(1.0 / Limits(**conf.get("LIMITS")).max_airmass))
