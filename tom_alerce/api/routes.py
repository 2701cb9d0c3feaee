"""Under which name the toolkit's router serves each endpoint."""

from __future__ import annotations

from typing import Any

from tom_alerce.api.classifications import ClassificationViewSet
from tom_alerce.api.events import CandidateViewSet, EventViewSet
from tom_alerce.api.filters import FilterViewSet
from tom_alerce.api.labels import LabelViewSet
from tom_alerce.api.marks import MarkViewSet
from tom_alerce.api.matches import MatchViewSet
from tom_alerce.api.nights import DriftViewSet, NightViewSet, YieldViewSet
from tom_alerce.api.notifications import DeliveryViewSet, RuleViewSet
from tom_alerce.api.objects import SkyObjectViewSet
from tom_alerce.api.profiles import ProfileViewSet
from tom_alerce.api.ranks import RankingViewSet, RankViewSet
from tom_alerce.api.requests import RequestViewSet
from tom_alerce.api.series import SeriesViewSet
from tom_alerce.api.stamps import ExplanationViewSet, StampsViewSet
from tom_alerce.api.tns import TnsViewSet
from tom_alerce.api.triggers import TriggerViewSet
from tom_alerce.api.watches import WatchMatchViewSet, WatchViewSet

#: Name in the address -> what answers.
ENDPOINTS: dict[str, Any] = {
    "alerce-objects": SkyObjectViewSet,
    "alerce-classifications": ClassificationViewSet,
    "alerce-rankings": RankingViewSet,
    "alerce-ranks": RankViewSet,
    "alerce-profiles": ProfileViewSet,
    "alerce-filters": FilterViewSet,
    "alerce-lists": WatchViewSet,
    "alerce-list-matches": WatchMatchViewSet,
    "alerce-notifications": DeliveryViewSet,
    "alerce-rules": RuleViewSet,
    "alerce-events": EventViewSet,
    "alerce-event-candidates": CandidateViewSet,
    "alerce-marks": MarkViewSet,
    "alerce-labels": LabelViewSet,
    "alerce-matches": MatchViewSet,
    "alerce-stamps": StampsViewSet,
    "alerce-explanations": ExplanationViewSet,
    "alerce-tns": TnsViewSet,
    "alerce-requests": RequestViewSet,
    "alerce-series": SeriesViewSet,
    "alerce-triggers": TriggerViewSet,
    "alerce-nights": NightViewSet,
    "alerce-yield": YieldViewSet,
    "alerce-drift": DriftViewSet,
}


def register(router: Any) -> None:
    """Register every endpoint at a router."""
    for name, view in ENDPOINTS.items():
        router.register(name, view, name)
