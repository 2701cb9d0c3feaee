"""Saved filters: ``/api/alerce-filters/``; objects that pass one are found by ``/api/alerce-objects/?passes=`` and ``?filter=``."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from tom_alerce.api.base import ReadOnly, Strict, documented
from tom_alerce.models import FilterVersion, SavedFilter
from tom_alerce.pipeline import filters as pipeline
from tom_alerce.requests.rights import Forbidden, require
from tom_alerce.store import saved


class FilterVersionSerializer(serializers.ModelSerializer[FilterVersion]):
    """One version of a filter, and what came of its trial."""

    author = serializers.CharField(source="author.username", default=None, help_text="null for a former user")
    refusal = serializers.SerializerMethodField(help_text="why it may not be switched on; empty if it may")

    class Meta:
        model = FilterVersion
        fields = ("version", "body", "author", "created", "tried", "trial", "refusal")

    def get_refusal(self, row: FilterVersion) -> str:
        """Why not."""
        return saved.refusal(row)


class FilterSerializer(serializers.ModelSerializer[SavedFilter]):
    """A saved filter; ``on`` is the version that objects are judged by as they come, null while it is off."""

    id = serializers.CharField(source="pk")
    owner = serializers.CharField(source="by", help_text="who may change it")

    class Meta:
        model = SavedFilter
        fields: tuple[str, ...] = ("id", "name", "text", "owner", "on", "created", "modified")


class FullFilterSerializer(FilterSerializer):
    """The same with its versions, the latest first."""

    versions = FilterVersionSerializer(many=True)

    class Meta(FilterSerializer.Meta):
        fields = (*FilterSerializer.Meta.fields, "versions")


class GivenFilterSerializer(Strict):
    """A filter as JSON (docs/filters.md), under a name."""

    name = serializers.CharField(max_length=100)
    text = serializers.CharField(required=False, allow_blank=True, max_length=500, help_text="what it is for")
    body = serializers.JSONField(help_text='a tree of conditions, such as {"field": "magnitude", "op": "<", "value": 19}')


class NamedFilter(django_filters.FilterSet):
    """Filters of ``/api/alerce-filters/``."""

    on = django_filters.BooleanFilter(field_name="on", lookup_expr="isnull", exclude=True, help_text="those that are on, or the others")

    class Meta:
        model = SavedFilter
        fields = ("name",)


class FilterViewSet(ReadOnly):
    """Filters that the user may see; POST stores one, or the next version of one, which is off until it was tried."""

    serializer_class = FilterSerializer
    filterset_class = NamedFilter

    def get_serializer_class(self) -> Any:
        """With the versions for one alone."""
        return FilterSerializer if self.action == "list" else FullFilterSerializer

    def get_queryset(self) -> QuerySet[SavedFilter]:
        """The user's own, and those of the user's groups."""
        rows = saved.seen_by(self.request.user)
        return rows if self.action == "list" else rows.prefetch_related("versions__author")

    @documented(request=GivenFilterSerializer, responses={201: FullFilterSerializer})
    def create(self, request: Request) -> Response:
        """Store a filter, or the next version of one of the user's; the groups that see it stay."""
        given = self.given(GivenFilterSerializer, request)
        before = saved.seen_by(request.user).filter(name=" ".join(given["name"].split())).first()
        text = given.get("text", "") or (before.text if before else "")
        row = saved.save(given["name"], given["body"], request.user, text, before.groups.all() if before else ())
        return self._answer(row.saved_id, 201)

    @documented(request=None, responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["post"], url_path="try")
    def attempt(self, request: Request, pk: str | None = None) -> Response:
        """Try its latest version on the last 30 days; the answer is what would have passed, by night."""
        one = self._mine()
        return Response(pipeline.try_version(saved.version(one)).as_dict())

    @documented(request=None, responses=FullFilterSerializer)
    @action(detail=True, methods=["post"])
    def start(self, request: Request, pk: str | None = None) -> Response:
        """Judge objects by its latest version as they come (role ``decide``); it must have been tried."""
        require(request.user, "decide")
        one = self._mine()
        saved.switch_on(saved.version(one))
        return self._answer(one.pk)

    @documented(request=None, responses=FullFilterSerializer)
    @action(detail=True, methods=["post"])
    def stop(self, request: Request, pk: str | None = None) -> Response:
        """Judge nothing by it any more (role ``decide``)."""
        require(request.user, "decide")
        one = self._mine()
        saved.switch_off(one)
        return self._answer(one.pk)

    @documented(responses={204: None})
    def destroy(self, request: Request, pk: str | None = None) -> Response:
        """Delete it, with its versions and what has passed them."""
        saved.delete(self._mine())
        return Response(status=204)

    def _mine(self) -> SavedFilter:
        """The filter, which the user may change."""
        one: SavedFilter = self.get_object()
        if not saved.may_change(self.request.user, one):
            raise Forbidden(f"the filter is of {one.by}: save it under another name to change it")
        return one

    def _answer(self, key: int, status: int = 200) -> Response:
        return Response(self.get_serializer(self.get_queryset().get(pk=key)).data, status=status)
