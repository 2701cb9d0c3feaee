"""Under which name the toolkit's router serves each endpoint."""

from __future__ import annotations

from typing import Any

from tom_alerce.api.classifications import ClassificationViewSet
from tom_alerce.api.marks import MarkViewSet
from tom_alerce.api.objects import SkyObjectViewSet
from tom_alerce.api.ranks import RankViewSet

#: Name in the address -> what answers.
ENDPOINTS: dict[str, Any] = {
    "alerce-objects": SkyObjectViewSet,
    "alerce-classifications": ClassificationViewSet,
    "alerce-ranks": RankViewSet,
    "alerce-marks": MarkViewSet,
}


def register(router: Any) -> None:
    """Register every endpoint at a router."""
    for name, view in ENDPOINTS.items():
        router.register(name, view, name)
