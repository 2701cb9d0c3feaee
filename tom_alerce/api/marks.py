"""Marks of people: ``/api/alerce-marks/``."""

from __future__ import annotations

import django_filters
from django.db.models import Q, QuerySet
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from tom_alerce import visible
from tom_alerce.api.base import Key, ReadOnly, Strict, documented, sky_object_of
from tom_alerce.models import Mark
from tom_alerce.requests.rights import Forbidden, require
from tom_alerce.store import marks


class MarkSerializer(Strict, serializers.ModelSerializer[Mark]):
    """A mark; ``night``, its last one or that on which a snoozed object comes back, is given, and makes ``expires``."""

    id = serializers.CharField(source="pk", read_only=True)
    sky_object = serializers.CharField(source="sky_object_id", max_length=18)
    author = serializers.CharField(source="by", read_only=True)
    night = serializers.DateField(required=False, allow_null=True, write_only=True)

    class Meta:
        model = Mark
        fields = ("id", "sky_object", "kind", "author", "text", "night", "created", "expires", "undone")
        read_only_fields = ("created", "expires", "undone")


class MarkFilter(django_filters.FilterSet):
    """Filters of ``/api/alerce-marks/``."""

    sky_object = Key(field_name="sky_object_id", help_text="key of a sky object")
    active = django_filters.BooleanFilter(method="by_activity", help_text="those that count now, or those that do not any more")

    class Meta:
        model = Mark
        fields = ("kind",)

    def by_activity(self, rows: QuerySet[Mark], name: str, value: bool) -> QuerySet[Mark]:
        """The marks that count now, or the others."""
        current = Q(pk__in=marks.active().values("pk"))
        return rows.filter(current if value else ~current)


class MarkViewSet(mixins.CreateModelMixin, ReadOnly):
    """Marks, the latest first; POST puts one (role ``decide``), POST to ``<id>/undo/`` undoes one."""

    serializer_class = MarkSerializer
    filterset_class = MarkFilter

    def get_queryset(self) -> QuerySet[Mark]:
        """All marks, also those that count no more."""
        return Mark.objects.select_related("author")

    def perform_create(self, serializer: serializers.BaseSerializer[Mark]) -> None:
        """Put a mark; 403 without the role, 400 with the reason if it makes no sense."""
        require(self.request.user, "decide")
        given = serializer.validated_data
        sky_object = sky_object_of(self.request.user, given["sky_object_id"])
        serializer.instance = marks.add(sky_object, given["kind"], self.request.user, given.get("text", ""), given.get("night"))

    @documented(request=None, responses=MarkSerializer)
    @action(detail=True, methods=["post"])
    def undo(self, request: Request, pk: str | None = None) -> Response:
        """Undo a mark of one's own; with the role ``configure``, also that of another."""
        mark = self.get_object()
        if not visible.may_undo(request.user, mark):
            raise Forbidden(f"it is a mark of {mark.by}")
        marks.undo(mark, request.user)
        mark.refresh_from_db()
        return Response(self.get_serializer(mark).data)
