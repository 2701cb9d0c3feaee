"""Places in rankings: ``/api/alerce-ranks/``."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from rest_framework import serializers

from tom_alerce import visible
from tom_alerce.api.base import Key, ReadOnly
from tom_alerce.models import Rank
from tom_alerce.pages.filters import Number
from tom_alerce.store import rankings


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


class RankViewSet(ReadOnly):
    """Ranks of objects, the latest ranking first."""

    serializer_class = RankSerializer
    filterset_class = RankFilter

    def get_queryset(self) -> QuerySet[Rank]:
        """All ranks that are kept."""
        ranks = Rank.objects.select_related("sky_object").order_by("-ranking", "place")
        return ranks.prefetch_related("ranking", "sky_object__survey_objects", visible.seen_target(self.request.user, "sky_object__"))
