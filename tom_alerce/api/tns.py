"""Objects of the Transient Name Server, as our table of them has them: ``/api/alerce-tns/``."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from rest_framework import serializers

from tom_alerce.api.base import ReadOnly
from tom_alerce.models import TnsObject
from tom_alerce.pages.filters import Number


class TnsSerializer(serializers.ModelSerializer[TnsObject]):
    """An object of TNS; positions in degrees (ICRS), times MJD UTC."""

    id = serializers.CharField(source="pk", help_text="number at TNS")
    url = serializers.CharField(read_only=True, help_text="its page")

    class Meta:
        model = TnsObject
        fields = (
            "id", "prefix", "name", "ra", "dec", "type", "redshift", "discovered", "magnitude", "filter", "group", "internal_names", "url",
        )  # fmt: skip


class TnsFilter(django_filters.FilterSet):
    """Filters of ``/api/alerce-tns/``."""

    since = Number(field_name="discovered", lookup_expr="gte", help_text="discovered, MJD UTC")
    internal = django_filters.CharFilter(field_name="names__name", help_text="name that a survey gave it")

    class Meta:
        model = TnsObject
        fields = ("name", "prefix", "type")


class TnsViewSet(ReadOnly):
    """What TNS has named, the latest first."""

    serializer_class = TnsSerializer
    filterset_class = TnsFilter
    lookup_field = "objid"

    def get_queryset(self) -> QuerySet[TnsObject]:
        """The whole table."""
        return TnsObject.objects.all()
