"""The review page: ambiguous matches to decide, and dead letters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.views.generic import ListView

from tom_alerce import visible
from tom_alerce.models import DeadLetter, MatchCandidate
from tom_alerce.pages.pairs import pairs
from tom_alerce.pages.theme import theme


class ReviewView(LoginRequiredMixin, ListView):  # type: ignore[type-arg] # generic in the stubs alone
    """``/alerce/review/``: undecided matches between objects that the user may see; dead letters are for the staff."""

    template_name = "tom_alerce/review.html"
    context_object_name = "candidates"
    paginate_by = 25

    def get_queryset(self) -> QuerySet[MatchCandidate]:
        """Undecided matches, newest first, of which the user may see both sides."""
        return visible.undecided(self.request.user).order_by("-pk")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Context of the page, with the dead letters for staff."""
        context = super().get_context_data(**kwargs) | {"alerce_theme": theme(self.request)}
        mark_decidable(context["page_obj"], self.request.user)
        context["pairs"] = pairs(context["page_obj"])
        if self.request.user.is_staff:
            letters = Paginator(DeadLetter.objects.order_by("-pk"), self.paginate_by)
            context["letters"] = letters.get_page(self.request.GET.get("letters"))
        return context


def mark_decidable(candidates: Iterable[Any], user: visible.User) -> None:
    """Set ``may_decide`` of each ambiguous match: whether the user may change both of its sides."""
    for candidate in candidates:
        candidate.may_decide = visible.may_change(user, candidate.sky_object, candidate.survey_object.sky_object)
