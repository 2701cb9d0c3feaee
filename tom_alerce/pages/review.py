"""The review page: ambiguous matches to decide, and dead letters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.views.generic import ListView

from tom_alerce import visible
from tom_alerce.models import DeadLetter, MatchCandidate
from tom_alerce.pages.access import ViewerMixin
from tom_alerce.pages.pairs import pairs
from tom_alerce.pages.theme import theme


class ReviewView(ViewerMixin, ListView):  # type: ignore[type-arg] # generic in the stubs alone
    """``/alerce/review/``: undecided matches; dead letters are for the staff and the role ``configure``."""

    template_name = "tom_alerce/review.html"
    context_object_name = "candidates"
    paginate_by = 25

    def get_queryset(self) -> QuerySet[MatchCandidate]:
        """Undecided matches, newest first."""
        return visible.undecided(self.request.user).order_by("-pk")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Context of the page, with the dead letters for staff."""
        context = super().get_context_data(**kwargs) | {"alerce_theme": theme(self.request)}
        page = context["page_obj"]
        page.object_list = visible.with_both_sides(self.request.user, page.object_list)
        context[self.context_object_name] = page.object_list
        mark_decidable(page.object_list, self.request.user)
        context["pairs"] = pairs(page.object_list)
        if self.request.user.is_staff or visible.may(self.request.user, "configure"):
            letters = Paginator(DeadLetter.objects.order_by("-pk"), self.paginate_by)
            context["letters"] = letters.get_page(self.request.GET.get("letters"))
        return context


def mark_decidable(candidates: Sequence[Any], user: visible.User) -> None:
    """Set ``may_decide`` of each ambiguous match: whether the user may change both of its sides; one query for all."""
    sides = [(one.sky_object, one.survey_object.sky_object) for one in candidates]
    allowed = visible.changeable(user, (side for pair in sides for side in pair)) if visible.may(user, "decide") else set()
    for candidate, pair in zip(candidates, sides, strict=True):
        candidate.may_decide = allowed.issuperset(side.pk for side in pair)
