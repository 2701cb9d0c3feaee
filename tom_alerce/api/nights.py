"""The plan of a night, what requests have yielded, and how far nights drift: ``/api/alerce-nights/``, ``-yield/`` and ``-drift/``."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any, ClassVar, cast

import django_filters
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from tom_alerce import visible
from tom_alerce.api.base import Endpoint, ReadOnly, documented
from tom_alerce.models import Drift
from tom_alerce.pages.night import Asked, PlanForm
from tom_alerce.pages.yields import DAYS, MOST
from tom_alerce.requests import worth
from tom_alerce.store.sanitize import json_safe

_PLAN = (*PlanForm.base_fields, "with", "without")


class NightViewSet(Endpoint):
    """The plan of a night, as its page shows it."""

    parameters: ClassVar = {"list": _PLAN}
    repeated = frozenset({"site", "with", "without"})

    @documented(
        operation_id="alerce_nights_plan",
        responses=OpenApiTypes.OBJECT,
        parameters=[OpenApiParameter(name, str, description="as on the page of the night plan") for name in _PLAN],
    )
    def list(self, request: Request) -> Response:
        """Observations of the plan that the parameters ask for, by default of tonight: times MJD UTC, angles degrees."""
        asked = Asked(cast(HttpRequest, request))
        lines = [{**asdict(one), "key": str(one.key)} for one in asked.lines(cast(HttpRequest, request))]
        plan = asked.planned.plan
        left = [{"sky_object": str(asked.skies[i].pk), "name": asked.skies[i].name, "why": why} for i, why in plan.left.items()]
        return Response(json_safe({"at": asked.options["at"], "value": plan.value, "results": lines, "left": left}))


class YieldViewSet(Endpoint):
    """What came of requests."""

    parameters: ClassVar = {"list": ("days",)}

    @documented(
        operation_id="alerce_yield",
        responses=OpenApiTypes.OBJECT,
        parameters=[OpenApiParameter("days", int, enum=DAYS, description="of how many days")],
    )
    def list(self, request: Request) -> Response:
        """Requests of the last days that the user may see: by profile, by predicted class, and the calibration of what was predicted."""
        chosen = request.query_params.get("days", str(DAYS[-1]))
        if chosen not in map(str, DAYS):
            raise exceptions.ValidationError({"days": [f"one of {', '.join(map(str, DAYS))} is needed"]})
        since = timezone.now() - timedelta(days=int(chosen))
        found = worth.outcomes(visible.requests(request.user).filter(created__gte=since).order_by("-pk")[:MOST])
        tables = {"profiles": worth.lines(found, lambda one: one.profile), "classes": worth.lines(found, lambda one: one.label)}
        lines = {name: [{**asdict(one), "per_hour": one.per_hour} for one in rows] for name, rows in tables.items()}
        return Response(json_safe({**lines, "calibration": [asdict(one) for one in worth.calibration(found)]}))


class DriftSerializer(serializers.ModelSerializer[Drift]):
    """How far the alerts of one night are from the training set of a classifier."""

    id = serializers.CharField(source="pk")
    classes = serializers.DictField(child=serializers.FloatField(), help_text="class -> share of the alerts")
    psi = serializers.DictField(child=serializers.FloatField(), help_text="quantity -> population stability index")

    class Meta:
        model = Drift
        fields = ("id", "classifier", "version", "night", "n", "classes", "psi", "modified")


class DriftFilter(django_filters.FilterSet):
    """Filters of ``/api/alerce-drift/``."""

    class Meta:
        model = Drift
        fields = ("classifier", "version", "night")


class DriftViewSet(ReadOnly):
    """Nights that were compared, the latest first."""

    serializer_class = DriftSerializer
    filterset_class = DriftFilter
    orders: ClassVar[dict[str, Any]] = {"night": ("night",), "id": ("pk",)}
    default_order = "-night"

    def get_queryset(self) -> QuerySet[Drift]:
        """All nights."""
        return Drift.objects.all()
