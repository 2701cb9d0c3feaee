"""Ambiguous matches, which a person decides: ``/api/alerce-matches/``."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from tom_alerce import visible
from tom_alerce.api.base import Done, Key, ReadOnly, changeable, documented
from tom_alerce.models import MatchCandidate
from tom_alerce.pages.actions import near_enough
from tom_alerce.store import linking


class MatchSerializer(serializers.ModelSerializer[MatchCandidate]):
    """A survey object that may belong to a sky object: it is part of ``present`` now."""

    id = serializers.CharField(source="pk")
    survey = serializers.CharField(source="survey_object.survey")
    object_id = serializers.CharField(source="survey_object.object_id")
    present = serializers.CharField(source="survey_object.sky_object_id", help_text="sky object that it is part of")
    sky_object = serializers.CharField(source="sky_object_id", help_text="sky object that it may belong to")

    class Meta:
        model = MatchCandidate
        fields = ("id", "survey", "object_id", "present", "sky_object", "separation", "created")


class MatchFilter(django_filters.FilterSet):
    """Filters of ``/api/alerce-matches/``."""

    sky_object = Key(field_name="sky_object_id", help_text="key of the sky object that it may belong to")

    class Meta:
        model = MatchCandidate
        fields: tuple[str, ...] = ()


class MatchViewSet(ReadOnly):
    """Matches that nobody has decided yet, the latest first."""

    serializer_class = MatchSerializer
    filterset_class = MatchFilter

    def get_queryset(self) -> QuerySet[MatchCandidate]:
        """Undecided matches."""
        return visible.undecided(self.request.user).select_related("survey_object__sky_object", "sky_object")

    @documented(request=None, responses=Done)
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, pk: str | None = None) -> Response:
        """Link the survey object to the sky object (role ``decide``, and ``link_far`` beyond 10 arcseconds)."""
        one = self._mine()
        near_enough(request.user, one.survey_object, one.sky_object)
        linking.link(one.survey_object, one.sky_object, request.user)
        return Response({"detail": f"{one.survey_object} is linked."})

    @documented(request=None, responses=Done)
    @action(detail=True, methods=["post"])
    def dismiss(self, request: Request, pk: str | None = None) -> Response:
        """Leave the survey object where it is (role ``decide``)."""
        one = self._mine()
        linking.dismiss(one, request.user)
        return Response({"detail": f"{one.survey_object} stays apart."})

    def _mine(self) -> MatchCandidate:
        """The match, of which the user may change both sides."""
        found: MatchCandidate = self.get_object()
        changeable(self.request.user, found.sky_object, found.survey_object.sky_object)
        return found
