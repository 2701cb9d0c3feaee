"""Series of requests, which are repeated until a condition is met: ``/api/alerce-series/``."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from tom_alerce import visible
from tom_alerce.api.base import ReadOnly, Strict, documented
from tom_alerce.models import Series
from tom_alerce.requests import series
from tom_alerce.requests.rights import require
from tom_alerce.store.sanitize import sanitize_text


class SeriesSerializer(serializers.ModelSerializer[Series]):
    """How requests are repeated, and when that ends; ``message`` says what happens next, or why it has ended."""

    id = serializers.CharField(source="pk", read_only=True)
    owner = serializers.CharField(source="owner.username", default=None, read_only=True, help_text="in whose name it asks")
    rounds = serializers.SerializerMethodField(help_text="keys of its requests, the first round first")

    class Meta:
        model = Series
        fields = (
            "id", "owner", "every", "most", "until", "observed", "fainter", "classified", "past_peak", "after_failure", "failures", "snr",
            "sends", "message", "due", "created", "ended", "rounds",
        )  # fmt: skip

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_rounds(self, row: Series) -> list[str]:
        """Keys of the rounds."""
        return [str(one.pk) for one in sorted(row.rounds.all(), key=lambda one: one.round or 0)]


class StopSerializer(Strict):
    """Why."""

    reason = serializers.CharField(required=False, allow_blank=True, max_length=500)


class SeriesFilter(django_filters.FilterSet):
    """Filters of ``/api/alerce-series/``."""

    active = django_filters.BooleanFilter(field_name="ended", lookup_expr="isnull", help_text="those that go on, or those that have ended")

    class Meta:
        model = Series
        fields = ("sends",)


class SeriesViewSet(ReadOnly):
    """Series of requests that the user may see, the latest first; they are begun at the page of a request."""

    serializer_class = SeriesSerializer
    filterset_class = SeriesFilter

    def get_queryset(self) -> QuerySet[Series]:
        """Those of requests that the user may see."""
        seen = visible.requests(self.request.user).exclude(series=None).values("series")
        return Series.objects.filter(pk__in=seen).select_related("owner").prefetch_related("rounds")

    @documented(request=StopSerializer, responses=SeriesSerializer)
    @action(detail=True, methods=["post"])
    def stop(self, request: Request, pk: str | None = None) -> Response:
        """End it; its present round goes on (role ``request``)."""
        row = self.get_object()
        require(request.user, "request")
        series.stop(row, request.user, sanitize_text(self.given(StopSerializer, request).get("reason", "")))
        return Response(self.get_serializer(self.get_queryset().get(pk=row.pk)).data)
