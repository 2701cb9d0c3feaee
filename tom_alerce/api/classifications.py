"""Classifications: ``/api/alerce-classifications/``."""

from __future__ import annotations

from typing import ClassVar

import django_filters
from django.db.models import Q, QuerySet
from rest_framework import serializers

from tom_alerce.api.base import Key, ReadOnly
from tom_alerce.models import Classification
from tom_alerce.pages.filters import CLASSES, Moment, Number
from tom_alerce.store import classifications


class ClassificationSerializer(serializers.ModelSerializer[Classification]):
    """A classification."""

    id = serializers.CharField(source="pk")
    sky_object = serializers.CharField(source="sky_object_id")
    current = serializers.BooleanField(read_only=True, help_text="about the present evidence, or the latest alert of a broker")

    class Meta:
        model = Classification
        fields = (
            "id", "sky_object", "origin", "classifier", "version", "label", "probability", "probabilities", "details", "n_detections",
            "created", "current",
        )  # fmt: skip


class ClassificationFilter(django_filters.FilterSet):
    """Filters of ``/api/alerce-classifications/``."""

    label = django_filters.CharFilter(help_text=f"as its origin writes it; ours are {', '.join(c for _, g in CLASSES for c, _ in g)}")
    probability = Number(lookup_expr="gte", help_text="of the label, at least")
    since = Moment(field_name="created", lookup_expr="gte", help_text="made since, ISO 8601")
    sky_object = Key(field_name="sky_object_id", help_text="key of a sky object")
    current = django_filters.BooleanFilter(method="by_currency", help_text="those that count now, or those that do not any more")

    class Meta:
        model = Classification
        fields = ("origin", "classifier", "version")

    def by_currency(self, rows: QuerySet[Classification], name: str, value: bool) -> QuerySet[Classification]:
        """The classifications that are current, or the others."""
        of_objects = Classification.objects.filter(sky_object__in=rows.order_by().values("sky_object"))
        current = Q(pk__in=classifications.last(of_objects).values("pk"))
        return rows.filter(current if value else ~current)


class ClassificationViewSet(ReadOnly):
    """Classifications, ours and the brokers', the latest first."""

    serializer_class = ClassificationSerializer
    filterset_class = ClassificationFilter
    orders: ClassVar = {"created": ("created",), "id": ("pk",)}
    default_order = "-created"

    def get_queryset(self) -> QuerySet[Classification]:
        """All classifications but those without a label."""
        rows = Classification.objects.exclude(label="")
        return rows.annotate(current=classifications.is_current())
