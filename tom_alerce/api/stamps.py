"""Stamps of alerts and maps that explain a class: ``/api/alerce-stamps/`` and ``/api/alerce-explanations/``."""

from __future__ import annotations

import io
from typing import Any, ClassVar

import django_filters
import numpy as np
from astropy.io import fits
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import exceptions, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.reverse import reverse

from tom_alerce.api.base import Key, ReadOnly, documented
from tom_alerce.models import Explanation, SkyObject, Stamps
from tom_alerce.pages import images
from tom_alerce.pages.stamps import pixels
from tom_alerce.store import explanations

#: Images of an alert, without which a row has nothing to show.
_NONE = Q(science=None, template=None, difference=None)
#: Columns that a list does not read.
_HEAVY = ("science", "template", "difference")
_PNG = {(200, "image/png"): OpenApiResponse(OpenApiTypes.BINARY, "the image")}


class StampsSerializer(serializers.ModelSerializer[Stamps]):
    """The stamps of the first or of the latest alert of a survey object."""

    id = serializers.CharField(source="pk")
    sky_object = serializers.CharField(source="survey_object.sky_object_id")
    survey = serializers.CharField(source="survey_object.survey")
    object_id = serializers.CharField(source="survey_object.object_id")
    image = serializers.SerializerMethodField(help_text="address of the stamps side by side, PNG")

    class Meta:
        model = Stamps
        fields = ("id", "sky_object", "survey", "object_id", "slot", "source_id", "mjd", "metadata", "image")

    def get_image(self, row: Stamps) -> str:
        """Address of the picture."""
        return reverse("api:alerce-stamps-image", args=[row.pk], request=self.context.get("request"))


class StampsFilter(django_filters.FilterSet):
    """Filters of ``/api/alerce-stamps/``."""

    sky_object = Key(field_name="survey_object__sky_object_id", help_text="key of a sky object")

    class Meta:
        model = Stamps
        fields = ("slot",)


def stamps_of(sky_object: SkyObject) -> QuerySet[Stamps]:
    """Stamps of the members of an object, the earliest first, without their pixels."""
    rows = Stamps.objects.filter(survey_object__sky_object=sky_object).exclude(_NONE)
    return rows.defer(*_HEAVY).select_related("survey_object").order_by("mjd")


class StampsViewSet(ReadOnly):
    """Stamps, as a list without their pixels; ``image`` draws them, ``cutout`` gives one as FITS."""

    serializer_class = StampsSerializer
    filterset_class = StampsFilter
    parameters: ClassVar = {"cutout": ("kind",)}

    def get_queryset(self) -> QuerySet[Stamps]:
        """All stamps that have an image."""
        rows = Stamps.objects.exclude(_NONE).select_related("survey_object")
        return rows if self.action in ("image", "cutout") else rows.defer(*_HEAVY)

    @documented(responses=_PNG)
    @action(detail=True)
    def image(self, request: Request, pk: str | None = None) -> HttpResponse:
        """Science, template and difference side by side, PNG."""
        row = self.get_object()
        return HttpResponse(images.strip({kind: pixels(row, kind) for kind in images.KINDS}), content_type="image/png")

    @documented(
        responses={(200, "application/fits"): OpenApiResponse(OpenApiTypes.BINARY, "the image")},
        parameters=[OpenApiParameter("kind", str, required=True, enum=images.KINDS, description="which of the stamps")],
    )
    @action(detail=True)
    def cutout(self, request: Request, pk: str | None = None) -> HttpResponse:
        """One of the stamps as FITS, first row at the bottom."""
        kind, row = request.query_params.get("kind", ""), self.get_object()
        if kind not in images.KINDS:
            raise exceptions.ValidationError({"kind": [f"one of {', '.join(images.KINDS)} is needed"]})
        found = pixels(row, kind)
        if found is None:
            raise exceptions.NotFound(f"this alert has no {kind} stamp that can be read")
        out = io.BytesIO()
        fits.PrimaryHDU(np.asarray(found, np.float32)).writeto(out)
        return HttpResponse(out.getvalue(), content_type="application/fits")


class ExplanationSerializer(serializers.ModelSerializer[Explanation]):
    """A map of the pixels that spoke for the class of one alert."""

    id = serializers.CharField(source="pk")
    stamps = serializers.CharField(source="stamps_id")
    image = serializers.SerializerMethodField(help_text="address of the stamps with the map, PNG")

    class Meta:
        model = Explanation
        fields = ("id", "stamps", "source_id", "classifier", "version", "label", "probability", "created", "image")

    def get_image(self, row: Explanation) -> str:
        """Address of the picture."""
        return reverse("api:alerce-explanations-image", args=[row.pk], request=self.context.get("request"))


class MapSerializer(ExplanationSerializer):
    """The same with its numbers."""

    weights = serializers.SerializerMethodField(help_text="63 rows of 63 numbers, the first at the bottom: loss of the probability")

    class Meta(ExplanationSerializer.Meta):
        fields = (*ExplanationSerializer.Meta.fields, "weights")  # type: ignore[assignment]

    def get_weights(self, row: Explanation) -> list[list[float]]:
        """Numbers of the map."""
        found: list[list[float]] = explanations.weights(row).tolist()
        return found


class ExplanationFilter(django_filters.FilterSet):
    """Filters of ``/api/alerce-explanations/``."""

    sky_object = Key(field_name="stamps__survey_object__sky_object_id", help_text="key of a sky object")

    class Meta:
        model = Explanation
        fields = ("classifier", "label")


class ExplanationViewSet(ReadOnly):
    """Maps that explain classes of the stamp classifier; one alone comes with its numbers."""

    serializer_class = ExplanationSerializer
    filterset_class = ExplanationFilter

    def get_queryset(self) -> QuerySet[Explanation]:
        """All maps."""
        return Explanation.objects.select_related("stamps") if self.action != "list" else Explanation.objects.defer("weights")

    def get_serializer_class(self) -> Any:
        """With the numbers for one alone."""
        return MapSerializer if self.action == "retrieve" else ExplanationSerializer

    @documented(responses=_PNG)
    @action(detail=True)
    def image(self, request: Request, pk: str | None = None) -> HttpResponse:
        """The stamps with the map over them, PNG."""
        row = self.get_object()
        shown = {kind: pixels(row.stamps, kind) for kind in images.KINDS}
        return HttpResponse(images.explained(shown, explanations.weights(row)), content_type="image/png")
