"""The page of one sky object: light curve, stamps, classifications, forecast, rank, members, requests and actions."""

from __future__ import annotations

import math
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET
from django.views.generic import DetailView

from classifiers.consensus import Consensus, Voice, consensus
from tom_alerce import tasks, visible
from tom_alerce.clock import now as now_mjd
from tom_alerce.models import Classification, Explanation, MatchCandidate, SkyObject, Stamps, TnsObject
from tom_alerce.pages import context as surroundings
from tom_alerce.pages import forecasts, marks, people, photometry, record, spectra
from tom_alerce.pages.access import ViewerMixin, viewers_only
from tom_alerce.pages.board import lowest_altitude
from tom_alerce.pages.figures import interactive, svg
from tom_alerce.pages.figures import spectra as figure_of_spectra
from tom_alerce.pages.figures.outlook import outlooks
from tom_alerce.pages.neighbours import neighbours
from tom_alerce.pages.pairs import pairs
from tom_alerce.pages.review import mark_decidable
from tom_alerce.pages.summaries import Summary, about, summarise
from tom_alerce.pages.theme import theme
from tom_alerce.pipeline import explain
from tom_alerce.store import classifications, rankings, targets

#: Largest number of rows of the history of classifications.
HISTORY = 200
#: Largest number of decisions that are listed.
DECISIONS = 20


class ObjectView(ViewerMixin, DetailView):  # type: ignore[type-arg] # generic in the stubs alone
    """``/alerce/objects/<pk>/``; its target, the target's name and the requests for it are shown to those who may see the target."""

    context_object_name = "sky_object"
    template_name = "tom_alerce/object.html"

    def get_queryset(self) -> QuerySet[SkyObject]:
        """Objects that the user may see."""
        return visible.sky_objects(self.request.user).annotate(tag_names=people.tag_names())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Context of the page: the summary and its figures, large."""
        summary = summarise([self.object], self.request.user)[self.object.pk]
        context = super().get_context_data(**kwargs) | details(summary)
        context["alerce_theme"] = theme(self.request)
        changeable = bool(visible.changeable(self.request.user, [self.object]))
        context["may_change"] = changeable and visible.may(self.request.user, "decide")
        context["may_request"] = changeable and visible.may(self.request.user, "request")
        context["may_mark"] = visible.may(self.request.user, "decide")
        context["may_configure"] = visible.may(self.request.user, "configure")
        context |= people.said(self.object, self.request.user)
        context["list"] = neighbours(self.request, context["now"])
        context["marks"], context["past_marks"] = marks.both(self.object, self.request.user)
        context["taken"] = self.object.target_id is not None and self.object.seen_target is None
        context["displaced"] = displaced(self.object)
        mark_decidable(summary.ambiguous, self.request.user)
        context["pairs"] = pairs(summary.ambiguous)
        context["decisions"] = decisions(self.object, self.request.user)
        context["explanations"] = explanations(self.object)
        context["explained_by_workers"] = tasks.workers_serve(tasks.explain)
        forecast = forecasts.of(summary, context["now"])
        context["figures"] = interactive.figures(summary.detections, forecast, photometry.on_star(self.object))
        context["statistics"] = photometry.statistics(summary.detections)["bands"]
        context["outlooks"] = outlooks(forecast, context["now"])
        context["place"] = surroundings.place(self.object, summary.detections)
        context["consensus"] = everybody(summary, context["place"].tns)
        known = context["place"].redshift if context["place"].redshift_from else None
        context["spectra"] = figure_of_spectra.draw(spectra.of(self.object, self.request.user), known)
        context["history"] = Classification.objects.filter(sky_object=self.object).order_by("-created", "-pk")[:HISTORY]
        return context


def everybody(summary: Summary, named: TnsObject | None) -> Consensus:
    """What everybody says of the class: our classifiers, brokers, and TNS."""
    found = [
        Voice(
            one.classifier if one.origin == classifications.LOCAL else f"{one.origin} {one.classifier}",
            one.label,
            one.probability if one.probability > 0.0 else math.nan,
            ours=one.origin == classifications.LOCAL,
        )
        for one in summary.classifications
    ]
    return consensus(found if named is None or not named.type else [*found, Voice("TNS, by a spectrum", named.type)])


@require_GET
@viewers_only
def everything(request: HttpRequest, pk: int) -> HttpResponse:
    """``/alerce/objects/<pk>.json``: all that the page says (`tom_alerce.pages.record`)."""
    sky = get_object_or_404(visible.sky_objects(request.user), pk=pk)
    return JsonResponse(record.of(sky, request.user), json_dumps_params={"ensure_ascii": False})


def decisions(sky_object: SkyObject, user: visible.User) -> list[MatchCandidate]:
    """What people have decided about matches with this object or its members, latest first; ``linked`` says which way."""
    rows = (
        MatchCandidate.objects.filter(about([sky_object.pk], [member.pk for member in sky_object.survey_objects.all()]), decided=True)
        .select_related("decided_by")
        .order_by("-decided_at", "-pk")
    )
    listed: list[Any] = visible.with_both_sides(user, rows[:DECISIONS])
    for one in listed:
        one.linked = one.survey_object.sky_object_id == one.sky_object_id
    return listed


def displaced(sky_object: SkyObject) -> float | None:
    """Arcseconds from the target that the reader sees to the object's best place; None where that is negligible, or there is none."""
    apart = None if sky_object.seen_target is None else targets.displacement(sky_object.seen_target, sky_object)
    return None if apart is None or apart < targets.NEGLIGIBLE else apart


def explanations(sky_object: SkyObject) -> list[tuple[Stamps, Explanation | None]]:
    """Stamps that the stamp classifier uses, each with its latest explanation; None if there is none yet."""
    pairs = []
    for row in explain.explainable([sky_object.pk]):
        made = row.explanations.filter(source_id=row.source_id).defer("weights").order_by("-created").first()
        pairs.append((row, made))
    return pairs


def details(summary: Summary) -> dict[str, Any]:
    """Context that the page of an object and the tab of its target share."""
    now = now_mjd()
    rank = rankings.rank_of(summary.sky_object)
    context: dict[str, Any] = {"summary": summary, "now": now, "rank": rank}
    context["curve"] = svg.light_curve(summary.detections, now, width=900, height=300, recent=None)
    if rank is not None:
        context["night"] = svg.altitude(rank.visibility, lowest_altitude(), now, width=620, height=230)
    return context
