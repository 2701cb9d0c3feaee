"""Sky objects: ``/api/alerce-objects/``."""

from __future__ import annotations

import json
from typing import ClassVar

import django_filters
from django.db.models import QuerySet
from rest_framework import serializers

from tom_alerce import visible
from tom_alerce.api.base import Key, ReadOnly
from tom_alerce.api.object_actions import ObjectActions
from tom_alerce.api.object_parts import ObjectParts
from tom_alerce.models import SkyObject, SurveyObject, Tag
from tom_alerce.pages.filters import Number, Search, named_or_near
from tom_alerce.store import filters, saved
from tom_alerce.store.errors import StoreError


class SurveyObjectSerializer(serializers.ModelSerializer[SurveyObject]):
    """A survey object, member of a sky object: ``first_mjd`` and ``n_detections`` are of the measurements here.

    ``first_seen_mjd`` and ``n_seen`` are of its whole life, as the survey states it; ``doubts`` are dates that are not believed.
    """

    doubts = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = SurveyObject
        fields = (
            "survey", "object_id", "ra", "dec", "method", "separation", "names", "first_mjd", "last_mjd", "n_detections", "first_seen_mjd",
            "n_seen", "survey_last_mjd", "survey_n_images", "doubts",
        )  # fmt: skip


class SkyObjectSerializer(serializers.ModelSerializer[SkyObject]):
    """A sky object with its members; ages and counts as those of a `SurveyObjectSerializer`, over all surveys."""

    id = serializers.CharField(source="pk")
    target = serializers.CharField(source="seen_target.pk", default=None, help_text="null also where the target is others'")
    survey_objects = SurveyObjectSerializer(many=True)

    class Meta:
        model = SkyObject
        fields = (
            "id", "name", "ra", "dec", "position_err", "target", "first_mjd", "last_mjd", "n_detections", "first_seen_mjd",
            "n_seen", "moving", "survey_objects",
        )  # fmt: skip


class SkyObjectFilter(django_filters.FilterSet):
    """Filters of ``/api/alerce-objects/``."""

    query = Search(method="by_query", help_text="part of a name, or a position: 'ra dec [arcsec]'")
    survey = django_filters.CharFilter(method="by_survey", help_text="name of a survey with a member")
    since = Number(field_name="last_mjd", lookup_expr="gte", help_text="latest detection, MJD UTC")
    until = Number(field_name="last_mjd", lookup_expr="lte", help_text="latest detection, MJD UTC")
    detections = Number(field_name="n_detections", lookup_expr="gte", help_text="detections here at least")
    passes = django_filters.CharFilter(method="by_saved", max_length=100, help_text="name of a saved filter that it passes now")
    filter = django_filters.CharFilter(method="by_tree", max_length=20_000, help_text="a filter as JSON that it passes now")
    tag = django_filters.CharFilter(method="by_tag", max_length=40, help_text="a tag that it has")
    target = Key(method="by_target", help_text="key of a target that the user may see")

    class Meta:
        model = SkyObject
        fields = ("moving",)

    def by_query(self, objects: QuerySet[SkyObject], name: str, value: str) -> QuerySet[SkyObject]:
        """Objects whose name or position matches the text."""
        return named_or_near(objects, value, self.request.user)

    def by_target(self, objects: QuerySet[SkyObject], name: str, value: int) -> QuerySet[SkyObject]:
        """Objects of a target that the user may see."""
        return objects.filter(target__in=visible.targets(self.request.user).filter(pk=value))

    def by_saved(self, objects: QuerySet[SkyObject], name: str, value: str) -> QuerySet[SkyObject]:
        """Objects that pass the latest version of a saved filter, which the user may see."""
        one = saved.seen_by(self.request.user).filter(name=value).first()
        if one is None:
            raise StoreError(f"there is no filter {value!r}")
        return filters.passing(saved.version(one).body, objects)

    def by_tree(self, objects: QuerySet[SkyObject], name: str, value: str) -> QuerySet[SkyObject]:
        """Objects that pass a filter."""
        try:
            body = json.loads(value)
        except (ValueError, RecursionError) as error:
            raise StoreError("filter: this is no JSON") from error
        return filters.passing(body, objects)

    def by_tag(self, objects: QuerySet[SkyObject], name: str, value: str) -> QuerySet[SkyObject]:
        """Objects with a tag."""
        return objects.filter(pk__in=Tag.objects.filter(name=value).values("sky_object"))

    def by_survey(self, objects: QuerySet[SkyObject], name: str, value: str) -> QuerySet[SkyObject]:
        """Objects with a member in the survey."""
        return objects.filter(pk__in=SurveyObject.objects.filter(survey=value).values("sky_object"))


class SkyObjectViewSet(ObjectParts, ObjectActions, ReadOnly):
    """Sky objects, merged from all surveys, the latest detection first."""

    serializer_class = SkyObjectSerializer
    filterset_class = SkyObjectFilter
    orders: ClassVar = {"last_mjd": ("last_mjd",), "n_detections": ("n_detections",), "id": ("pk",)}
    default_order = "-last_mjd"

    def get_queryset(self) -> QuerySet[SkyObject]:
        """All objects, each with its target if the user may see that."""
        seen = visible.seen_target(self.request.user)
        return visible.sky_objects(self.request.user).prefetch_related("survey_objects", seen)
