"""Lists and regions that people watch, and what was found in them: ``/api/alerce-lists/`` and ``/api/alerce-list-matches/``."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from tom_alerce import visible
from tom_alerce.api.base import Key, ReadOnly, Strict, documented
from tom_alerce.models import Watch, WatchMatch
from tom_alerce.pages.watch import contents
from tom_alerce.pipeline import lists
from tom_alerce.requests.rights import Forbidden
from tom_alerce.store import watch as store


class WatchSerializer(serializers.ModelSerializer[Watch]):
    """A list of positions and names, or a region; ``coverage`` is the part of the sky that a region has."""

    id = serializers.CharField(source="pk")
    owner = serializers.CharField(source="by", help_text="who may change it")
    group = serializers.CharField(source="group.name", default=None, help_text="whose members see it, too")

    class Meta:
        model = Watch
        fields = ("id", "name", "kind", "text", "owner", "group", "radius", "coverage", "active", "created", "modified")


class GivenWatchSerializer(Strict):
    """A list as text (docs/watchlists.md): lines of positions and names, or a region as a coverage map, circles or polygons."""

    name = serializers.CharField(max_length=100)
    text = serializers.CharField(required=False, allow_blank=True, max_length=500, help_text="what it is for")
    radius = serializers.FloatField(default=3.0, help_text="arcseconds, of positions that have none of their own")
    entries = serializers.CharField(help_text="the lines", trim_whitespace=False)
    skip = serializers.BooleanField(default=False, help_text="leave lines out that cannot be read")


class ActiveSerializer(Strict):
    """Whether alerts are matched with it."""

    active = serializers.BooleanField()


class WatchFilter(django_filters.FilterSet):
    """Filters of ``/api/alerce-lists/``."""

    class Meta:
        model = Watch
        fields = ("name", "kind", "active")


class WatchViewSet(ReadOnly):
    """Lists that the user may see; POST makes one, which is looked through at once, and ``switch`` turns it on and off."""

    serializer_class = WatchSerializer
    filterset_class = WatchFilter

    def get_queryset(self) -> QuerySet[Watch]:
        """The user's own, and those of the user's groups."""
        rows = visible.watches(self.request.user).select_related("owner", "group")
        return rows if self.action == "contents" else rows.defer("ranges")

    @documented(request=GivenWatchSerializer, responses={201: WatchSerializer})
    def create(self, request: Request) -> Response:
        """Make a list; lines that cannot be read are told, and nothing is stored, unless they are to be left out."""
        given = self.given(GivenWatchSerializer, request)
        region, entries, problems = contents(given["entries"].encode("utf-8", "replace"))
        if problems and not (given["skip"] and entries):
            raise serializers.ValidationError({"entries": problems})
        if region is None and entries is None:
            raise serializers.ValidationError({"entries": ["neither positions nor a region"]})
        made = store.save(request.user, given["name"], text=given.get("text", ""), radius=given["radius"])
        made = store.cover(made, region) if region is not None else store.fill(made, entries or ())
        lists.begin(made)
        made.refresh_from_db()
        return Response(self.get_serializer(made).data, status=201)

    @documented(responses={(200, "text/plain"): OpenApiResponse(OpenApiTypes.STR, "the list")})
    @action(detail=True)
    def contents(self, request: Request, pk: str | None = None) -> HttpResponse:
        """What it holds, as text that can be given again."""
        one = self.get_object()
        text = store.region_text(one) if one.kind == Watch.Kind.REGION else store.text(one)
        return HttpResponse(text, content_type="text/plain; charset=utf-8")

    @documented(request=ActiveSerializer, responses=WatchSerializer)
    @action(detail=True, methods=["post"])
    def switch(self, request: Request, pk: str | None = None) -> Response:
        """Match alerts with it, or no longer."""
        one = self._mine()
        store.switch(one, self.given(ActiveSerializer, request)["active"])
        one.refresh_from_db()
        return Response(self.get_serializer(one).data)

    @documented(responses={204: None})
    def destroy(self, request: Request, pk: str | None = None) -> Response:
        """Remove it, with what was found in it and the rules about it."""
        store.remove(self._mine())
        return Response(status=204)

    def _mine(self) -> Watch:
        """The list, which its owner alone may change."""
        one: Watch = self.get_object()
        user: Any = self.request.user
        if one.owner_id != user.pk and not user.is_superuser:
            raise Forbidden(f"{one.name} is {one.by}'s, who alone may change it")
        return one


class WatchMatchSerializer(serializers.ModelSerializer[WatchMatch]):
    """An object that was found in a list; ``earlier`` if it was stored before the list."""

    id = serializers.CharField(source="pk")
    list = serializers.CharField(source="watch_id")
    entry = serializers.CharField(source="entry.name", default=None, help_text="the nearest; null for a region")
    sky_object = serializers.CharField(source="sky_object_id")

    class Meta:
        model = WatchMatch
        fields = ("id", "list", "entry", "sky_object", "separation", "earlier", "created")


class WatchMatchFilter(django_filters.FilterSet):
    """Filters of ``/api/alerce-list-matches/``."""

    list = Key(field_name="watch_id", help_text="key of a list")
    sky_object = Key(field_name="sky_object_id", help_text="key of a sky object")

    class Meta:
        model = WatchMatch
        fields = ("earlier",)


class WatchMatchViewSet(ReadOnly):
    """Objects found in the lists that the user may see, the latest first."""

    serializer_class = WatchMatchSerializer
    filterset_class = WatchMatchFilter

    def get_queryset(self) -> QuerySet[WatchMatch]:
        """Matches of those lists."""
        return WatchMatch.objects.filter(watch__in=visible.watches(self.request.user).values("pk")).select_related("entry")
