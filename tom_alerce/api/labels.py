"""What people say that objects are: ``/api/alerce-labels/``."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from tom_alerce import visible
from tom_alerce.api.base import Key, ReadOnly, Strict, documented, sky_object_of
from tom_alerce.models import Label
from tom_alerce.requests.rights import Forbidden, require
from tom_alerce.store import labels


class LabelSerializer(Strict, serializers.ModelSerializer[Label]):
    """What one person says that an object is; ``evidence`` is the state of the object then."""

    id = serializers.CharField(source="pk", read_only=True)
    sky_object = serializers.CharField(source="sky_object_id", max_length=18)
    label = serializers.CharField(max_length=64, help_text=f"one of {', '.join(labels.CLASSES)}")  # type: ignore[assignment] # a field's own name
    author = serializers.CharField(source="by", read_only=True)

    class Meta:
        model = Label
        fields = ("id", "sky_object", "label", "author", "text", "evidence", "created", "undone")
        read_only_fields = ("evidence", "created", "undone")


class LabelFilter(django_filters.FilterSet):
    """Filters of ``/api/alerce-labels/``."""

    sky_object = Key(field_name="sky_object_id", help_text="key of a sky object")
    active = django_filters.BooleanFilter(field_name="undone", lookup_expr="isnull", help_text="those that count, or those that do not")

    class Meta:
        model = Label
        fields = ("label",)


class LabelViewSet(mixins.CreateModelMixin, ReadOnly):
    """Labels by people, the latest first; POST says what an object is (role ``decide``), POST to ``<id>/undo/`` takes it back."""

    serializer_class = LabelSerializer
    filterset_class = LabelFilter

    def get_queryset(self) -> QuerySet[Label]:
        """All labels, also those that count no more."""
        return Label.objects.select_related("author")

    def perform_create(self, serializer: serializers.BaseSerializer[Label]) -> None:
        """Say what an object is; it replaces what the account said before."""
        require(self.request.user, "decide")
        given = serializer.validated_data
        sky_object = sky_object_of(self.request.user, given["sky_object_id"])
        serializer.instance = labels.say(sky_object, given["label"], self.request.user, given.get("text", ""))

    @documented(request=None, responses=LabelSerializer)
    @action(detail=True, methods=["post"])
    def undo(self, request: Request, pk: str | None = None) -> Response:
        """Let a label of one's own count no more; with the role ``configure``, also that of another."""
        row: Any = self.get_object()
        own = row.author_id == request.user.pk and visible.may(request.user, "decide")
        if not (own or visible.may(request.user, "configure")):
            raise Forbidden(f"it is a label of {row.by}")
        labels.unsay(row)
        row.refresh_from_db()
        return Response(self.get_serializer(row).data)
