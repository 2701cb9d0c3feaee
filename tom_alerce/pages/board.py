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
from tom_alerce.pages import context, marks
from tom_alerce.pages.access import ViewerMixin
from tom_alerce.pages.figures import svg
from tom_alerce.pages.filters import BoardFilter
from tom_alerce.pages.summaries import summarise
from tom_alerce.pages.tables import BoardTable
from tom_alerce.pages.theme import theme
from tom_alerce.pipeline.rank import why_empty
from tom_alerce.store import profiles, rankings

#: Digits of the largest key.
LONGEST_KEY = 18
#: Objects that are listed as not for tonight at most.
LATER = 100
#: Age (days) at which a ranking is marked as old.
STALE = 0.5


class BoardView(ViewerMixin, SingleTableMixin, FilterView):
    """``/alerce/``: the current ranking (`tom_alerce.store.rankings.current`), by ``?profile=``, or the one named by ``?ranking=``."""

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
        chosen, profile = self.request.GET.get("ranking", ""), self.request.GET.get("profile", "")
        self.ranking = _ranking(chosen) if chosen.isdecimal() else rankings.current(profile=profile)
        return rankings.ranks(self.ranking).filter(vetoed=False).select_related("sky_object")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Context of the page: its ranks with their summaries and figures."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        now = now_mjd()
        ranks = [row.record for row in context["table"].page.object_list]
        decorate(ranks, self.request.user, now)
        context |= {"ranking": self.ranking, "site": rankings.site_name(), **_offered(self.ranking)}
        if self.ranking:
            context["later"] = later(self.ranking, self.request.user)
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


def _offered(ranking: Ranking | None) -> dict[str, list[tuple[Ranking, str]]]:
    """Rankings to choose from with what to call them: by other profiles at the same site, and at other sites or times by the same one."""
    every = rankings.offered()
    site, profile = (ranking.site, ranking.profile) if ranking else (rankings.site_name(), rankings.profile_name())
    own = [one for one in every if one.site == site and not one.supposed]
    titles = {name: one.title for name, one in profiles.every().items()} if own and (len(own) > 1 or not ranking) else {}
    by_profile = [(one, titles.get(one.profile, one.profile)) for one in own]
    by_site = [(one, one.site) for one in every if one.profile == profile]
    return {"by_profile": by_profile, "by_site": by_site}


def later(ranking: Ranking, user: visible.User) -> list[Any]:
    """Objects that vetoes keep out of tonight, those with the earliest date first, then those without; each with ``why`` and ``until``."""
    rows = rankings.ranks(ranking).filter(vetoed=True).select_related("sky_object")
    found: list[Any] = list(rows.prefetch_related("sky_object__survey_objects", visible.seen_target(user, "sky_object__"))[:LATER])
    for rank in found:
        vetoes = rank.vetoes
        dates = [one["until"] for one in vetoes.values()]
        rank.why = [f"{name}: {one['reason']}" for name, one in vetoes.items()]
        rank.until = max(dates) if dates and None not in dates else None
    return sorted(found, key=lambda rank: (rank.until is None, rank.until or 0.0, rank.place))


def decorate(ranks: Sequence[Any], user: visible.User, now: float) -> None:
    """Set ``summary``, ``marks``, ``brief`` (of its place), ``curve`` (light curve) and ``night`` (altitude) of each rank."""
    summaries = summarise([rank.sky_object for rank in ranks], user)
    marked, briefs = marks.of(list(summaries), user), context.briefs(summaries)
    for rank in ranks:
        rank.marks = marked.get(rank.sky_object_id, ())
        rank.summary, rank.brief = summaries[rank.sky_object_id], briefs[rank.sky_object_id]
        rank.curve = svg.light_curve(rank.summary.detections, now)
        rank.night = svg.altitude(rank.visibility, lowest_altitude(), now)


def lowest_altitude() -> float:
    """Degrees above which an object counts as observable: the altitude of the largest airmass, in a plane-parallel atmosphere."""
    return math.degrees(math.asin(1.0 / Limits(**conf.get("LIMITS")).max_airmass))
