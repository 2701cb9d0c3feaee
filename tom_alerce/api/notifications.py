"""What an account was told of, and by which of its rules: ``/api/alerce-notifications/`` and ``/api/alerce-rules/``."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from tom_alerce.api.base import Done, ReadOnly, Strict, documented
from tom_alerce.models import Delivery, Rule
from tom_alerce.pages.filters import Moment
from tom_alerce.store import deliveries, subscriptions


class DeliveryListSerializer(serializers.ListSerializer[Any]):
    """Deliveries, without those about what the account may not see any more."""

    def to_representation(self, data: Any) -> Any:
        """What is shown of each."""
        rows = list(data)
        hidden = deliveries.hidden(self.context["request"].user, rows)
        told = super().to_representation(rows)
        return [{**one, **dict.fromkeys(_SECRET, None)} if row.pk in hidden else one for row, one in zip(rows, told, strict=True)]


#: Fields that say what a message was about.
_SECRET = ("title", "text", "sky_object", "url")


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    """One event told, or to be told, through one channel; what it was about is null where the account may not see that any more."""

    id = serializers.CharField(source="pk")
    event = serializers.CharField(source="event.event", help_text="kind of event")
    title = serializers.CharField(source="event.title", allow_null=True)
    text = serializers.CharField(source="event.text", allow_null=True)
    sky_object = serializers.CharField(source="event.sky_object_id", default=None)
    url = serializers.CharField(source="event.url", allow_null=True, help_text="path of the page that shows it")
    rule = serializers.CharField(source="rule.name")
    channel = serializers.CharField(source="channel.name")

    class Meta:
        model = Delivery
        list_serializer_class = DeliveryListSerializer
        fields = ("id", "event", "title", "text", "sky_object", "url", "rule", "channel", "why", "state", "due", "sent", "answer", "read")


class DeliveryFilter(django_filters.FilterSet):
    """Filters of ``/api/alerce-notifications/``."""

    event = django_filters.CharFilter(field_name="event__event", help_text="kind of event")
    since = Moment(field_name="due", lookup_expr="gte", help_text="due since, ISO 8601")

    class Meta:
        model = Delivery
        fields = ("state", "read")


class DeliveryViewSet(ReadOnly):
    """What was sent to the account's own channels, the latest first; POST to ``read`` marks all of it as read."""

    queryset = Delivery.objects.none()
    serializer_class = DeliverySerializer
    filterset_class = DeliveryFilter

    def get_queryset(self) -> QuerySet[Delivery]:
        """Deliveries to the account's channels."""
        related = ("event__sky_object", "event__request", "event__watch", "rule__owner", "channel__group", "channel__owner")
        return deliveries.of(self.request.user).select_related(*related).defer("channel__secret")

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One of them."""
        (told,) = self.get_serializer([self.get_object()], many=True).data
        return Response(told)

    @documented(request=None, responses=Done)
    @action(detail=False, methods=["post"])
    def read(self, request: Request) -> Response:
        """Mark what stands on the account's page as read."""
        return Response({"detail": f"{deliveries.read(request.user)} marked as read."})


class RuleSerializer(serializers.ModelSerializer[Rule]):
    """Of which events the account is told, through which channels, and when."""

    id = serializers.CharField(source="pk")
    events = serializers.ListField(child=serializers.CharField(), help_text="kinds of event")
    watch = serializers.CharField(source="watch_id", allow_null=True, help_text="key of a list")
    channels: Any = serializers.SlugRelatedField(slug_field="name", many=True, read_only=True)

    class Meta:
        model = Rule
        fields = (
            "id", "name", "events", "watch", "filter", "profile", "rise", "brighter", "top", "channels", "pace", "quiet", "per_hour",
            "active",
        )  # fmt: skip


class RuleActiveSerializer(Strict):
    """Whether it counts."""

    active = serializers.BooleanField()


class RuleViewSet(ReadOnly):
    """The account's own rules; they are written on the page of the notifications."""

    serializer_class = RuleSerializer

    def get_queryset(self) -> QuerySet[Rule]:
        """Rules of the account."""
        return Rule.objects.filter(owner_id=self.request.user.pk).prefetch_related("channels")

    @documented(request=RuleActiveSerializer, responses=RuleSerializer)
    @action(detail=True, methods=["post"])
    def switch(self, request: Request, pk: str | None = None) -> Response:
        """Be told by it, or no longer."""
        row = self.get_object()
        subscriptions.switch(row, self.given(RuleActiveSerializer, request)["active"])
        row.refresh_from_db()
        return Response(self.get_serializer(row).data)
