"""Parts of the board that are read when a person opens them: what lies behind a line, what is not for tonight, saved views, other sites."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from tom_alerce import visible
from tom_alerce.clock import now as now_mjd
from tom_alerce.models import Rank, Ranking, SkyObject
from tom_alerce.pages import context, marks
from tom_alerce.pages.access import viewers_only
from tom_alerce.pages.board import chosen
from tom_alerce.pages.summaries import summarise
from tom_alerce.pages.theme import back, theme
from tom_alerce.store import profiles, rankings, views
from tom_alerce.store.errors import StoreError

#: Objects that are listed as not for tonight, and of each site beside others, at most; sites beside one another at most.
LATER, BEST, SITES = 100, 50, 6


@require_GET
@viewers_only
def more(request: HttpRequest, pk: int) -> HttpResponse:
    """``/alerce/ranks/<pk>/``: every term with its reason, names, place, host, all classes, marks and the forms to put them."""
    rank = get_object_or_404(Rank.objects.select_related("ranking", "sky_object"), pk=pk)
    sky, user = rank.sky_object, request.user
    summaries = summarise([sky], user)
    shown = {"rank": rank, "summary": summaries[sky.pk], "brief": context.briefs(summaries)[sky.pk], "now": now_mjd()}
    shown |= {"marks": marks.of([sky.pk], user).get(sky.pk, ()), "next": back(request, request.headers.get("HX-Current-URL", ""))}
    may = {"may_mark": visible.may(user, "decide"), "may_request": visible.may(user, "request")}
    return render(request, "tom_alerce/partials/rank_more.html", shown | may)


@require_GET
@viewers_only
def later(request: HttpRequest) -> HttpResponse:
    """``/alerce/later/``: what vetoes keep out of tonight, of the ranking that is asked for."""
    ranking = chosen(request)[0]
    shown = {"ranking": ranking, "later": _later(ranking, request.user), "alerce_theme": theme(request)}
    return render(request, f"tom_alerce/{'partials/' if _is_part(request) else ''}later.html", shown)


def _later(ranking: Ranking | None, user: visible.User) -> list[Any]:
    """Objects that vetoes keep out, those with the earliest date first, then those without; each with ``why`` and ``until``."""
    rows = rankings.ranks(ranking).filter(vetoed=True).select_related("sky_object")
    found: list[Any] = list(rows.prefetch_related("sky_object__survey_objects", visible.seen_target(user, "sky_object__"))[:LATER])
    for rank in found:
        vetoes = rank.vetoes
        dates = [one["until"] for one in vetoes.values()]
        rank.why = [f"{name}: {one['reason']}" for name, one in vetoes.items()]
        rank.until = max(dates) if dates and None not in dates else None
    return sorted(found, key=lambda rank: (rank.until is None, rank.until or 0.0, rank.place))


@require_GET
@viewers_only
def saved(request: HttpRequest) -> HttpResponse:
    """``/alerce/views/``: views of one's own and those that others share, and a form to keep what ``query`` says."""
    try:
        query = views.wanted(request.GET.get("query", ""))
    except StoreError:
        query = ""
    there = f"{reverse('tom_alerce:board')}{'?' if query else ''}{query}"
    shown = {"views": views.shown(request.user), "query": query, "next": there, "alerce_theme": theme(request)}
    return render(request, f"tom_alerce/{'partials/' if _is_part(request) else ''}views.html", shown)


@require_GET
@viewers_only
def sites(request: HttpRequest) -> HttpResponse:
    """``/alerce/sites/``: the best of each site's current ranking by one profile, side by side."""
    profile = request.GET.get("profile", "") or rankings.profile_name()
    beside = [one for one in rankings.offered() if one.profile == profile and not one.supposed][:SITES]
    ranks = _best(beside)
    skies = list(SkyObject.objects.filter(pk__in={rank.sky_object_id for rank in ranks}).prefetch_related("survey_objects"))
    visible.reveal(request.user, skies)
    rows = sorted(((sky, _cells(sky, beside, ranks)) for sky in skies), key=lambda row: -max(cell["score"] for cell in row[1]))
    titles = {name: one.title for name, one in profiles.every().items()}
    shown = {"objects": rows, "rankings": beside, "site": rankings.site_name(), "profile": titles.get(profile, profile)}
    return render(request, "tom_alerce/sites.html", shown | {"alerce_theme": theme(request)})


def _best(beside: list[Ranking]) -> QuerySet[Rank]:
    """Places of the best of these rankings, in each of them."""
    best = Rank.objects.filter(ranking__in=beside, vetoed=False, place__lte=BEST)
    return Rank.objects.filter(ranking__in=beside, sky_object__in=best.values("sky_object")).order_by("place")


def _cells(sky: SkyObject, beside: list[Ranking], ranks: QuerySet[Rank]) -> list[dict[str, Any]]:
    own = {rank.ranking_id: rank for rank in ranks if rank.sky_object_id == sky.pk}
    scores = {key: rank.score for key, rank in own.items() if not rank.vetoed}
    best = max(scores, key=lambda key: scores[key], default=None)
    return [
        {"site": one.site, "rank": own.get(one.pk), "vetoed": one.pk in own and own[one.pk].vetoed, "best": one.pk == best,
         "score": scores.get(one.pk, -1.0)}
        for one in beside
    ]  # fmt: skip


def _is_part(request: HttpRequest) -> bool:
    """Whether a script asks for a part of the page that it has."""
    return request.headers.get("HX-Request") == "true"
