"""Automatic triggers and the switch that stops them: ``/api/alerce-triggers/``."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from tom_alerce.api.base import Done, ReadOnly, Strict, documented
from tom_alerce.models import Halt, Trigger
from tom_alerce.requests import triggers


class TriggerSerializer(serializers.ModelSerializer[Trigger]):
    """A trigger."""

    id = serializers.CharField(source="pk")
    owner = serializers.CharField(source="owner.username", default=None, help_text="in whose name it asks")
    allowed_by = serializers.CharField(source="allowed_by.username", default=None, help_text="who lets it send without a person")

    class Meta:
        model = Trigger
        fields = (
            "id", "name", "profile", "threshold", "facility", "instrument", "filters", "snr", "per_night", "hours_per_night", "mode",
            "owner", "allowed_by", "created", "modified",
        )  # fmt: skip


class ModeSerializer(Strict):
    """How far it goes."""

    mode = serializers.ChoiceField(choices=Trigger.Mode.choices)


class HaltSerializer(Strict):
    """Why."""

    reason = serializers.CharField(required=False, allow_blank=True, max_length=500)


class TriggerViewSet(ReadOnly):
    """Triggers; ``switch`` turns one on and off, ``stop`` stands every one still."""

    serializer_class = TriggerSerializer

    def get_queryset(self) -> QuerySet[Trigger]:
        """All triggers."""
        return Trigger.objects.select_related("owner", "allowed_by")

    @documented(request=ModeSerializer, responses=TriggerSerializer)
    @action(detail=True, methods=["post"])
    def switch(self, request: Request, pk: str | None = None) -> Response:
        """Switch it off, to rehearsal, to drafts, or to sending."""
        row = self.get_object()
        triggers.allow(row, request.user, self.given(ModeSerializer, request)["mode"])
        return Response(self.get_serializer(row).data)

    @documented(responses=Done, filters=False)
    @action(detail=False, pagination_class=None)
    def halted(self, request: Request) -> Response:
        """Who has stopped every trigger, and why; empty while they may work."""
        halt: Any = Halt.current()
        return Response({"detail": "" if halt is None else f"{halt.by}: {halt.reason}"})

    @documented(request=HaltSerializer, responses=Done)
    @action(detail=False, methods=["post"])
    def stop(self, request: Request) -> Response:
        """Stop every trigger."""
        triggers.halt(request.user, self.given(HaltSerializer, request).get("reason", ""))
        return Response({"detail": "Every automatic trigger is stopped."})

    @documented(request=None, responses=Done)
    @action(detail=False, methods=["post"])
    def release(self, request: Request) -> Response:
        """Let triggers work again."""
        triggers.release(request.user)
        return Response({"detail": "Automatic triggers may work again."})
