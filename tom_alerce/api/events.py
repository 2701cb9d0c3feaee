"""Events of other messengers and the objects that may be their counterparts: ``/api/alerce-events/`` and ``-event-candidates/``."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from tom_alerce.api.base import Key, ReadOnly, Strict, documented
from tom_alerce.models import EventCandidate, EventVersion, SkyEvent
from tom_alerce.pages.filters import Number
from tom_alerce.requests.rights import require
from tom_alerce.store import counterparts


class NoticeSerializer(serializers.ModelSerializer[EventVersion]):
    """One notice of an event; areas are square degrees, distances Mpc, times MJD UTC."""

    classes = serializers.DictField(help_text="kind of source -> probability")
    facts = serializers.DictField(help_text="what else the notice says")
    cone = serializers.DictField(allow_null=True, help_text="place and radius, where there is no map")

    class Meta:
        model = EventVersion
        fields = (
            "stage", "number", "issued", "mjd", "retracted", "far", "classes", "facts", "cone", "area_50", "area_90", "distance",
            "distance_err", "received",
        )  # fmt: skip


class SkyEventSerializer(serializers.ModelSerializer[SkyEvent]):
    """An event as the version of it that counts says; ``area`` is that of the region of 90 %, square degrees."""

    id = serializers.CharField(source="pk")

    class Meta:
        model = SkyEvent
        fields: tuple[str, ...] = ("id", "name", "messenger", "role", "mjd", "retracted", "area", "background", "created", "modified")


class FullSkyEventSerializer(SkyEventSerializer):
    """The same with every notice of it, the latest first."""

    versions = serializers.SerializerMethodField()

    class Meta(SkyEventSerializer.Meta):
        fields = (*SkyEventSerializer.Meta.fields, "versions")

    @documented(responses=NoticeSerializer(many=True))
    def get_versions(self, row: SkyEvent) -> Any:
        """Notices without their maps."""
        return NoticeSerializer(row.versions.defer("map").order_by("-issued", "-number", "-pk")[:100], many=True).data


class EventFilter(django_filters.FilterSet):
    """Filters of ``/api/alerce-events/``."""

    since = Number(field_name="mjd", lookup_expr="gte", help_text="since then, MJD UTC")
    area = Number(lookup_expr="lte", help_text="square degrees of the region of 90 % at most")

    class Meta:
        model = SkyEvent
        fields = ("name", "messenger", "role", "retracted")


class EventViewSet(ReadOnly):
    """Events, the latest first; one alone comes with its notices."""

    serializer_class = SkyEventSerializer
    filterset_class = EventFilter
    orders: ClassVar = {"mjd": ("mjd",), "id": ("pk",)}
    default_order = "-mjd"

    def get_serializer_class(self) -> Any:
        """With the notices for one alone."""
        return FullSkyEventSerializer if self.action == "retrieve" else SkyEventSerializer

    def get_queryset(self) -> QuerySet[SkyEvent]:
        """All events."""
        return SkyEvent.objects.all()


class CandidateSerializer(serializers.ModelSerializer[EventCandidate]):
    """An object in the region and time of an event; ``delay`` is in days from the event to its first detection."""

    id = serializers.CharField(source="pk")
    event = serializers.CharField(source="event_id")
    sky_object = serializers.CharField(source="sky_object_id")
    decided_by = serializers.CharField(source="decided_by.username", default=None, help_text="null while nobody has")

    class Meta:
        model = EventCandidate
        fields = ("id", "event", "sky_object", "level", "mu", "sigma", "delay", "early", "status", "text", "decided_by", "decided_at")


class DecisionSerializer(Strict):
    """What it is, and why."""

    status = serializers.ChoiceField(choices=EventCandidate.Status.choices)
    text = serializers.CharField(required=False, allow_blank=True, max_length=500)


class CandidateFilter(django_filters.FilterSet):
    """Filters of ``/api/alerce-event-candidates/``."""

    event = Key(field_name="event_id", help_text="key of an event")
    sky_object = Key(field_name="sky_object_id", help_text="key of a sky object")
    level = Number(lookup_expr="lte", help_text="credible level at most")

    class Meta:
        model = EventCandidate
        fields = ("status", "early")


class CandidateViewSet(ReadOnly):
    """Objects that may be counterparts of events, the latest first; ``decide`` says what one is (role ``decide``)."""

    serializer_class = CandidateSerializer
    filterset_class = CandidateFilter

    def get_queryset(self) -> QuerySet[EventCandidate]:
        """All candidates."""
        return EventCandidate.objects.select_related("decided_by")

    @documented(request=DecisionSerializer, responses=CandidateSerializer)
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, pk: str | None = None) -> Response:
        """Say that it is pending, confirmed or rejected (role ``decide``)."""
        row = self.get_object()
        require(request.user, "decide")
        given = self.given(DecisionSerializer, request)
        return Response(self.get_serializer(counterparts.decide(row, given["status"], request.user, given.get("text", ""))).data)
