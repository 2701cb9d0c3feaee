"""REST endpoints: objects, classifications, ranks and marks that the user may see. Ids are strings, since some exceed 2**53."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.db.models import BigIntegerField, Q, QuerySet
from rest_framework import exceptions, mixins, permissions, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.request import Request
from rest_framework.response import Response

from broker_adapters.records import Detections
from tom_alerce import visible
from tom_alerce.models import Classification, Mark, Rank, SkyObject, SurveyObject
from tom_alerce.pages import photometry
from tom_alerce.pages.filters import CLASSES, Moment, Number, Search, named_or_near
from tom_alerce.store import classifications, marks, rankings, sky
from tom_alerce.store.errors import StoreError


class Pagination(LimitOffsetPagination):
    """Pages of 100 rows, at most 1000."""

    default_limit = 100
    max_limit = 1000


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


class ClassificationSerializer(serializers.ModelSerializer[Classification]):
    """A classification."""

    id = serializers.CharField(source="pk")
    sky_object = serializers.CharField(source="sky_object_id")
    current = serializers.BooleanField(read_only=True, help_text="about the present evidence, or the latest alert of a broker")

    class Meta:
        model = Classification
        fields = (
            "id", "sky_object", "origin", "classifier", "version", "label", "probability", "probabilities", "details", "n_detections",
            "created", "current",
        )  # fmt: skip


class RankSerializer(serializers.ModelSerializer[Rank]):
    """A rank: the place of an object in a ranking, with every term."""

    id = serializers.CharField(source="pk")
    ranking = serializers.CharField(source="ranking_id")
    site = serializers.CharField(source="ranking.site")
    night = serializers.CharField(source="ranking.night")
    sky_object = serializers.CharField(source="sky_object_id")
    name = serializers.CharField(source="sky_object.name")
    ra = serializers.FloatField(source="sky_object.ra")
    dec = serializers.FloatField(source="sky_object.dec")

    class Meta:
        model = Rank
        fields = ("id", "ranking", "site", "night", "place", "sky_object", "name", "ra", "dec", "score", "hours", "magnitude", "terms")


class MarkSerializer(serializers.ModelSerializer[Mark]):
    """A mark; ``night``, its last one or that on which a snoozed object comes back, is given, and makes ``expires``."""

    id = serializers.CharField(source="pk", read_only=True)
    sky_object = serializers.CharField(source="sky_object_id", max_length=18)
    author = serializers.CharField(source="by", read_only=True)
    night = serializers.DateField(required=False, allow_null=True, write_only=True)

    class Meta:
        model = Mark
        fields = ("id", "sky_object", "kind", "author", "text", "night", "created", "expires", "undone")
        read_only_fields = ("created", "expires", "undone")


class Key(django_filters.NumberFilter):
    """Filter by the key of a row. A list to choose from would show names of objects that the user may not see."""

    field_class = forms.IntegerField

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, max_value=BigIntegerField.MAX_BIGINT, **kwargs)


class SkyObjectFilter(django_filters.FilterSet):
    """Filters of ``/api/alerce-objects/``."""

    query = Search(method="by_query", help_text="part of a name, or a position: 'ra dec [arcsec]'")
    survey = django_filters.CharFilter(method="by_survey")
    since = Number(field_name="last_mjd", lookup_expr="gte", help_text="latest detection, MJD UTC")
    target = Key(method="by_target")

    class Meta:
        model = SkyObject
        fields = ("moving",)

    def by_query(self, objects: QuerySet[SkyObject], name: str, value: str) -> QuerySet[SkyObject]:
        """Objects whose name or position matches the text."""
        return named_or_near(objects, value, self.request.user)

    def by_target(self, objects: QuerySet[SkyObject], name: str, value: int) -> QuerySet[SkyObject]:
        """Objects of a target that the user may see."""
        return objects.filter(target__in=visible.targets(self.request.user).filter(pk=value))

    def by_survey(self, objects: QuerySet[SkyObject], name: str, value: str) -> QuerySet[SkyObject]:
        """Objects with a member in the survey."""
        return objects.filter(pk__in=SurveyObject.objects.filter(survey=value).values("sky_object"))


class ClassificationFilter(django_filters.FilterSet):
    """Filters of ``/api/alerce-classifications/``."""

    label = django_filters.CharFilter(help_text=f"as its origin writes it; ours are {', '.join(c for _, g in CLASSES for c, _ in g)}")
    probability = Number(lookup_expr="gte")
    since = Moment(field_name="created", lookup_expr="gte")
    sky_object = Key(field_name="sky_object_id")
    current = django_filters.BooleanFilter(method="by_currency", help_text="those that count now, or those that do not any more")

    class Meta:
        model = Classification
        fields = ("origin", "classifier", "version")

    def by_currency(self, rows: QuerySet[Classification], name: str, value: bool) -> QuerySet[Classification]:
        """The classifications that are current, or the others."""
        of_objects = Classification.objects.filter(sky_object__in=rows.order_by().values("sky_object"))
        current = Q(pk__in=classifications.last(of_objects).values("pk"))
        return rows.filter(current if value else ~current)


class RankFilter(django_filters.FilterSet):
    """Filters of ``/api/alerce-ranks/``."""

    site = django_filters.CharFilter(field_name="ranking__site")
    night = django_filters.CharFilter(field_name="ranking__night")
    score = Number(lookup_expr="gte")
    magnitude = Number(lookup_expr="lte")
    ranking = Key(field_name="ranking_id")
    latest = django_filters.BooleanFilter(method="by_latest", help_text="only the current ranking, as the board shows it")
    sky_object = Key(field_name="sky_object_id")

    class Meta:
        model = Rank
        fields: tuple[str, ...] = ()

    def by_latest(self, ranks: QuerySet[Rank], name: str, value: bool) -> QuerySet[Rank]:
        """Ranks of the current ranking (`rankings.current`) of the site in the query, by default that of the settings."""
        return ranks.filter(ranking=rankings.current(self.form.cleaned_data.get("site") or None)) if value else ranks


class MarkFilter(django_filters.FilterSet):
    """Filters of ``/api/alerce-marks/``."""

    sky_object = Key(field_name="sky_object_id")
    active = django_filters.BooleanFilter(method="by_activity", help_text="those that count now, or those that do not any more")

    class Meta:
        model = Mark
        fields = ("kind",)

    def by_activity(self, rows: QuerySet[Mark], name: str, value: bool) -> QuerySet[Mark]:
        """The marks that count now, or the others."""
        current = Q(pk__in=marks.active().values("pk"))
        return rows.filter(current if value else ~current)


class MayView(permissions.IsAuthenticated):
    """Accounts with the role ``view``."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the account has the role."""
        return super().has_permission(request, view) and visible.may(request.user, "view")


class _ReadOnly(viewsets.ReadOnlyModelViewSet[Any]):
    permission_classes = (MayView,)
    filter_backends = (django_filters.rest_framework.DjangoFilterBackend,)
    pagination_class = Pagination


class SkyObjectViewSet(_ReadOnly):
    """Sky objects, merged from all surveys, the latest detection first."""

    serializer_class = SkyObjectSerializer
    filterset_class = SkyObjectFilter

    def get_queryset(self) -> QuerySet[SkyObject]:
        """All objects, each with its target if the user may see that."""
        seen = visible.seen_target(self.request.user)
        return visible.sky_objects(self.request.user).prefetch_related("survey_objects", seen).order_by("-last_mjd", "-pk")

    @action(detail=True, url_path="light-curve")
    def light_curve(self, request: Request, pk: str | None = None) -> Response:
        """The merged light curve, corrected: every measurement of every survey, with difference and total magnitudes."""
        sky_object = self.get_object()
        return Response(photometry.light_curve(self._rows(sky_object), photometry.on_star(sky_object)))

    @action(detail=True)
    def statistics(self, request: Request, pk: str | None = None) -> Response:
        """ALeRCE's magnitude statistics of the object and of each survey and band."""
        return Response(photometry.statistics(self._rows(self.get_object())))

    @staticmethod
    def _rows(sky_object: SkyObject) -> Detections:
        (record,) = sky.load([sky_object.pk])
        return record.detections


class ClassificationViewSet(_ReadOnly):
    """Classifications, ours and the brokers', the latest first."""

    serializer_class = ClassificationSerializer
    filterset_class = ClassificationFilter

    def get_queryset(self) -> QuerySet[Classification]:
        """All classifications but those without a label."""
        rows = Classification.objects.exclude(label="")
        return rows.annotate(current=classifications.is_current()).order_by("-created", "-pk")


class RankViewSet(_ReadOnly):
    """Ranks of objects, the latest ranking first."""

    serializer_class = RankSerializer
    filterset_class = RankFilter

    def get_queryset(self) -> QuerySet[Rank]:
        """All ranks that are kept."""
        ranks = Rank.objects.select_related("sky_object").order_by("-ranking", "place")
        return ranks.prefetch_related("ranking", "sky_object__survey_objects", visible.seen_target(self.request.user, "sky_object__"))


class MarkViewSet(mixins.CreateModelMixin, _ReadOnly):
    """Marks, the latest first; POST puts one (role ``decide``), POST to ``<id>/undo/`` undoes one."""

    serializer_class = MarkSerializer
    filterset_class = MarkFilter

    def get_queryset(self) -> QuerySet[Mark]:
        """All marks, also those that count no more."""
        return Mark.objects.select_related("author").order_by("-pk")

    def perform_create(self, serializer: serializers.BaseSerializer[Mark]) -> None:
        """Put a mark; 403 without the role, 400 with the reason if it makes no sense."""
        if not visible.may(self.request.user, "decide"):
            raise exceptions.PermissionDenied("your account has not the role 'decide'")
        given = serializer.validated_data
        key = given["sky_object_id"]
        sky_object = visible.sky_objects(self.request.user).filter(pk=int(key)).first() if key.isdecimal() else None
        if sky_object is None:
            raise serializers.ValidationError({"sky_object": "there is no such object"})
        try:
            serializer.instance = marks.add(sky_object, given["kind"], self.request.user, given.get("text", ""), given.get("night"))
        except StoreError as refusal:
            raise serializers.ValidationError({"detail": str(refusal)}) from refusal

    @action(detail=True, methods=["post"])
    def undo(self, request: Request, pk: str | None = None) -> Response:
        """Undo a mark of one's own; with the role ``configure``, also that of another."""
        mark = self.get_object()
        if not visible.may_undo(request.user, mark):
            raise exceptions.PermissionDenied(f"it is a mark of {mark.by}")
        try:
            marks.undo(mark, request.user)
        except StoreError as refusal:
            raise serializers.ValidationError({"detail": str(refusal)}) from refusal
        mark.refresh_from_db()
        return Response(self.get_serializer(mark).data)
