"""Rankings and the places in them: ``/api/alerce-rankings/`` and ``/api/alerce-ranks/``."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.db.models import QuerySet
from rest_framework import serializers

from tom_alerce import visible
from tom_alerce.api.base import Key, ReadOnly
from tom_alerce.models import Rank, Ranking
from tom_alerce.pages.filters import Number
from tom_alerce.store import rankings


class RankSerializer(serializers.ModelSerializer[Rank]):
    """A rank: the place of an object in a ranking, with every term, and what is against it."""

    id = serializers.CharField(source="pk")
    ranking = serializers.CharField(source="ranking_id")
    site = serializers.CharField(source="ranking.site")
    night = serializers.CharField(source="ranking.night")
    profile = serializers.CharField(source="ranking.profile")
    sky_object = serializers.CharField(source="sky_object_id")
    name = serializers.CharField(source="sky_object.name")
    ra = serializers.FloatField(source="sky_object.ra", help_text="degrees, ICRS")
    dec = serializers.FloatField(source="sky_object.dec", help_text="degrees, ICRS")
    terms = serializers.DictField(read_only=True, help_text="term -> its score, weight and reason")
    vetoes = serializers.DictField(read_only=True, help_text="veto -> its reason, and until when (MJD UTC; null where no date is known)")

    class Meta:
        model = Rank
        fields: tuple[str, ...] = (
            "id", "ranking", "site", "night", "profile", "place", "sky_object", "name", "ra", "dec", "score", "vetoed", "hours",
            "magnitude", "terms", "vetoes",
        )  # fmt: skip


class PlaceSerializer(RankSerializer):
    """The same with its night: times (MJD UTC), altitudes (degrees), and the Moon's."""

    visibility = serializers.DictField(read_only=True)

    class Meta(RankSerializer.Meta):
        fields = (*RankSerializer.Meta.fields, "visibility")


class RankFilter(django_filters.FilterSet):
    """Filters of ``/api/alerce-ranks/``."""

    site = django_filters.CharFilter(field_name="ranking__site", help_text="name of the site")
    profile = django_filters.CharFilter(field_name="ranking__profile", help_text="name of the profile")
    night = django_filters.CharFilter(field_name="ranking__night", help_text="date of the evening, as 2026-12-31")
    score = Number(lookup_expr="gte", help_text="score at least")
    magnitude = Number(lookup_expr="lte", help_text="magnitude at most")
    ranking = Key(field_name="ranking_id", help_text="key of a ranking")
    latest = django_filters.BooleanFilter(method="by_latest", help_text="only the current ranking, as the board shows it")
    sky_object = Key(field_name="sky_object_id", help_text="key of a sky object")

    class Meta:
        model = Rank
        fields = ("vetoed",)

    def by_latest(self, ranks: QuerySet[Rank], name: str, value: bool) -> QuerySet[Rank]:
        """Ranks of the current ranking (`rankings.current`) of site and profile in the query, by default those of the settings."""
        given = self.form.cleaned_data
        return ranks.filter(ranking=rankings.current(given.get("site") or None, given.get("profile") or "")) if value else ranks


class RankViewSet(ReadOnly):
    """Ranks of objects, the latest ranking first; one alone comes with its night."""

    serializer_class = RankSerializer
    filterset_class = RankFilter
    orders: ClassVar = {"place": ("-ranking_id", "place"), "id": ("pk",)}
    default_order = "place"

    def get_serializer_class(self) -> Any:
        """With the night for one alone."""
        return PlaceSerializer if self.action == "retrieve" else RankSerializer

    def get_queryset(self) -> QuerySet[Rank]:
        """All ranks that are kept."""
        ranks = Rank.objects.select_related("sky_object")
        return ranks.prefetch_related("ranking", "sky_object__survey_objects", visible.seen_target(self.request.user, "sky_object__"))


class RankingSerializer(serializers.ModelSerializer[Ranking]):
    """A ranking; ``now`` is the time that it was made for, MJD UTC."""

    id = serializers.CharField(source="pk")
    weights = serializers.DictField(read_only=True, help_text="term -> weight")

    class Meta:
        model = Ranking
        fields = ("id", "site", "night", "now", "profile", "version", "weights", "supposed", "created")


class RankingFilter(django_filters.FilterSet):
    """Filters of ``/api/alerce-rankings/``."""

    class Meta:
        model = Ranking
        fields = ("site", "night", "profile", "supposed")


class RankingViewSet(ReadOnly):
    """Rankings that are kept, the latest first."""

    serializer_class = RankingSerializer
    filterset_class = RankingFilter

    def get_queryset(self) -> QuerySet[Ranking]:
        """All rankings."""
        return Ranking.objects.defer("packed")
