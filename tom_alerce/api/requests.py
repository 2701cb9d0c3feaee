"""Requests for observations: ``/api/alerce-requests/``. What does something asks for its right again; who lacks it gets 403."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from tom_alerce import visible
from tom_alerce.api.base import Key, ReadOnly, Strict, changeable, documented, sky_object_of
from tom_alerce.models import FollowupRequest, RequestEvent
from tom_alerce.pages.request_actions import configured, deliver
from tom_alerce.pages.requests import cost
from tom_alerce.requests import ask, draft, edit, judge, template, validate
from tom_alerce.requests.approve import approve
from tom_alerce.requests.cancel import cancel
from tom_alerce.requests.rights import require
from tom_alerce.requests.states import UNSENT, State
from tom_alerce.store.errors import StoreError
from tom_alerce.store.sanitize import sanitize_text


class RequestSerializer(serializers.ModelSerializer[FollowupRequest]):
    """A request; ``start`` and ``end`` of its window are MJD UTC."""

    id = serializers.CharField(source="pk")
    sky_object = serializers.CharField(source="sky_object_id")
    user = serializers.CharField(source="user.username", default=None, help_text="who asks; null for the TOM itself")

    class Meta:
        model = FollowupRequest
        fields: tuple[str, ...] = (
            "id", "sky_object", "user", "facility", "instrument", "start", "end", "priority", "state", "message", "payload",
            "observation_id", "created", "modified",
        )  # fmt: skip


class EventSerializer(serializers.ModelSerializer[RequestEvent]):
    """One change of a request: when, by whom, from where to where, why, what was sent, and what was answered."""

    user = serializers.CharField(source="user.username", default=None, help_text="null for the TOM itself")

    class Meta:
        model = RequestEvent
        fields = ("time", "user", "before", "after", "reason", "payload", "answer")


class FullRequestSerializer(RequestSerializer):
    """A request with what would be sent, its cost, the verdicts of the guards, and what has happened to it."""

    hours = serializers.SerializerMethodField(help_text="telescope time with overheads, by our own table; null where it is not known")
    asking = serializers.SerializerMethodField(help_text="waits for approval")
    verdicts = serializers.SerializerMethodField(
        help_text="of every guard: passed, or who has overridden it, and why; none once it is sent"
    )
    events = EventSerializer(many=True)

    class Meta(RequestSerializer.Meta):
        fields = (*RequestSerializer.Meta.fields, "prepared", "hours", "asking", "verdicts", "events")

    def get_hours(self, row: FollowupRequest) -> float | None:
        """Its cost."""
        return cost(row)

    def get_asking(self, row: FollowupRequest) -> bool:
        """Whether it waits."""
        return ask.asks(FollowupRequest.objects.filter(pk=row.pk)).exists()

    def get_verdicts(self, row: FollowupRequest) -> list[dict[str, Any]]:
        """What the guards say to the reader."""
        before = row.state in UNSENT | {State.APPROVED}
        return [asdict(one) for one in judge.judge(row, self.context["request"].user)] if before else []


class DraftSerializer(Strict):
    """What is asked for; what is not given is that of the profile, else of the settings."""

    sky_object = serializers.CharField(max_length=18)
    facility = serializers.CharField(required=False, allow_blank=True, max_length=100)
    instrument = serializers.CharField(required=False, allow_blank=True, max_length=64)
    filters = serializers.ListField(child=serializers.CharField(max_length=64), required=False, max_length=20)
    snr = serializers.FloatField(required=False, min_value=1.0, max_value=1000.0, help_text="signal to noise")


class EditSerializer(Strict):
    """Values of the form data that are changed."""

    payload = serializers.DictField(child=serializers.JSONField(allow_null=True), help_text="field -> value")


class ReasonSerializer(Strict):
    """Why."""

    reason = serializers.CharField(required=False, allow_blank=True, max_length=1000)


class OverrideSerializer(Strict):
    """Which guards are passed, and why."""

    guards = serializers.ListField(child=serializers.CharField(max_length=64), min_length=1, max_length=50)
    reason = serializers.CharField(max_length=1000)


class RequestFilter(django_filters.FilterSet):
    """Filters of ``/api/alerce-requests/``."""

    sky_object = Key(field_name="sky_object_id", help_text="key of a sky object")
    waiting = django_filters.BooleanFilter(method="by_waiting", help_text="those that wait for approval, or the others")

    class Meta:
        model = FollowupRequest
        fields = ("state", "facility", "instrument")

    def by_waiting(self, rows: QuerySet[FollowupRequest], name: str, value: bool) -> QuerySet[FollowupRequest]:
        """Requests that wait for approval, or the others."""
        keys = ask.asks(FollowupRequest.objects.all()).values("pk")
        return rows.filter(pk__in=keys) if value else rows.exclude(pk__in=keys)


_ANSWER = documented(request=None, responses=FullRequestSerializer)


class RequestViewSet(ReadOnly):
    """Requests that the user may see, the latest first. POST drafts one and has it checked; nothing is sent before ``send``."""

    serializer_class = RequestSerializer
    filterset_class = RequestFilter

    def get_serializer_class(self) -> Any:
        """With everything for one alone."""
        return RequestSerializer if self.action == "list" else FullRequestSerializer

    def get_queryset(self) -> QuerySet[FollowupRequest]:
        """The user's own, and those for targets that the user sees."""
        rows = visible.requests(self.request.user).select_related("user")
        return rows if self.action == "list" else rows.select_related("sky_object").prefetch_related("events__user")

    @documented(request=DraftSerializer, responses={201: FullRequestSerializer})
    def create(self, request: Request) -> Response:
        """Draft a request for an object by the template, and have it checked (role ``request``)."""
        given = self.given(DraftSerializer, request)
        require(request.user, "request")
        sky_object = sky_object_of(request.user, given.pop("sky_object"))
        changeable(request.user, sky_object, role="request")
        facility = configured(sanitize_text(given.pop("facility", "")))
        row = template.apply(sky_object, request.user, facility=facility, **given)
        return self._answer(row, 201)

    @documented(request=EditSerializer, responses=FullRequestSerializer)
    def partial_update(self, request: Request, pk: str | None = None) -> Response:
        """Change values of the form data, and have them checked (role ``request``); an approval is taken away."""
        row = self.get_object()
        require(request.user, "request", row)
        values = self.given(EditSerializer, request)["payload"]
        refused = {name[:80]: ["it cannot be changed"] for name in values if name not in row.payload or name in edit.FIXED}
        if refused:
            raise serializers.ValidationError({"payload": refused})
        edit.edit(row, request.user, {name: _text(value) for name, value in values.items()})
        return self._answer(row)

    @_ANSWER
    @action(detail=True, methods=["post"])
    def check(self, request: Request, pk: str | None = None) -> Response:
        """Ask the facility's own check again; nothing is sent (role ``request``)."""
        row = self.get_object()
        require(request.user, "request", row)
        validate.dry_run(row, request.user)
        return self._answer(row)

    @_ANSWER
    @action(detail=True, methods=["post"], url_path="ask")
    def ask_approval(self, request: Request, pk: str | None = None) -> Response:
        """Ask for approval (role ``request``)."""
        row = self.get_object()
        ask.ask(row, request.user)
        return self._answer(row)

    @documented(request=ReasonSerializer, responses=FullRequestSerializer)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str | None = None) -> Response:
        """Approve it as it is (role ``approve``)."""
        row, reason = self.get_object(), self._reason(request)
        approve(row, request.user, reason)
        return self._answer(row)

    @documented(request=None, responses={200: FullRequestSerializer, 400: OpenApiTypes.OBJECT})
    @action(detail=True, methods=["post"])
    def send(self, request: Request, pk: str | None = None) -> Response:
        """Send it, once (role ``send``); where guards stop it, the answer has their verdicts, and nothing is sent."""
        row = self.get_object()
        try:
            deliver(request.user, row)
        except judge.Stopped as stopped:
            verdicts = [asdict(one) for one in judge.stopping(judge.judge(row, request.user))]
            raise serializers.ValidationError({"detail": str(stopped), "verdicts": verdicts}) from stopped
        return self._answer(row)

    @documented(request=ReasonSerializer, responses=FullRequestSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str | None = None) -> Response:
        """Give it up, here (role ``request``) or at the facility (role ``send``)."""
        row, reason = self.get_object(), self._reason(request)
        cancel(row, request.user, reason)
        return self._answer(row)

    @_ANSWER
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: str | None = None) -> Response:
        """Make a draft of it again (role ``request``)."""
        row = self.get_object()
        require(request.user, "request", row)
        draft.reopen(row, request.user)
        return self._answer(row)

    @documented(request=OverrideSerializer, responses=FullRequestSerializer)
    @action(detail=True, methods=["post"])
    def override(self, request: Request, pk: str | None = None) -> Response:
        """Let it pass guards, for a reason that is kept with it (role ``override``)."""
        row = self.get_object()
        require(request.user, "override", row)
        given = self.given(OverrideSerializer, request)
        judge.override(row, request.user, given["guards"], given["reason"])
        return self._answer(row)

    def _reason(self, request: Request) -> str:
        return sanitize_text(self.given(ReasonSerializer, request).get("reason", ""))

    def _answer(self, row: FollowupRequest, status: int = 200) -> Response:
        """The request as it is stored now."""
        fresh = FollowupRequest.objects.select_related("user", "sky_object").prefetch_related("events__user").get(pk=row.pk)
        return Response(self.get_serializer(fresh).data, status=status)


def _text(value: Any) -> str:
    """A value as a person writes it into the form."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    try:
        return json.dumps(value, allow_nan=False)
    except ValueError as error:
        raise StoreError("a number that is not finite") from error
