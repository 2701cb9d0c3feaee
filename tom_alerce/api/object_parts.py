"""Parts of what is known of one sky object, as its page shows them, and all of them as one answer."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from broker_adapters import surveys
from broker_adapters.records import Detections
from tom_alerce.api.base import Endpoint, documented
from tom_alerce.api.classifications import ClassificationSerializer
from tom_alerce.api.labels import LabelSerializer
from tom_alerce.api.marks import MarkSerializer
from tom_alerce.api.matches import MatchSerializer
from tom_alerce.api.ranks import PlaceSerializer
from tom_alerce.api.requests import RequestSerializer
from tom_alerce.api.stamps import ExplanationSerializer, StampsSerializer, stamps_of
from tom_alerce.api.tns import TnsSerializer
from tom_alerce.clock import now as now_mjd
from tom_alerce.models import SkyObject
from tom_alerce.pages import context, forecasts, photometry
from tom_alerce.pages import object as page
from tom_alerce.pages.figures.outlook import outlooks
from tom_alerce.pages.summaries import Summary, summarise
from tom_alerce.store import labels, rankings, sky
from tom_alerce.store.sanitize import json_safe

#: Column of a light curve -> its unit.
UNITS = {
    "mjd": "d (MJD, UTC, mid-exposure)",
    **dict.fromkeys(("flux", "flux_err", "ref_flux", "ref_flux_err"), "nJy"),
    **dict.fromkeys(("magnitude", "magnitude_err", "total_magnitude", "total_magnitude_err"), "mag (AB)"),
    **dict.fromkeys(("ra", "dec"), "deg (ICRS)"),
    "position_err": "arcsec",
}


def _number(text: str) -> serializers.FloatField:
    return serializers.FloatField(allow_null=True, help_text=text)


class MeasurementSerializer(serializers.Serializer[Any]):
    """One measurement; null where it was not measured."""

    kind = serializers.CharField(help_text="alert, forced, or limit")
    survey = serializers.CharField()
    source_id = serializers.CharField()
    mjd = _number("mid-exposure, MJD UTC")
    band = serializers.CharField()
    flux = _number("difference flux, nJy")
    flux_err = _number("nJy")
    ref_flux = _number("flux of the reference image, nJy")
    ref_flux_err = _number("nJy")
    ra = _number("degrees, ICRS")
    dec = _number("degrees, ICRS")
    position_err = _number("arcseconds")
    reliability = _number("real-bogus score, 0 to 1")
    magnitude = _number("of the absolute difference flux, AB, where it is significant")
    magnitude_err = _number("AB magnitudes")
    total_magnitude = _number("of difference and reference together, AB")
    total_magnitude_err = _number("AB magnitudes")
    dubious = serializers.BooleanField(help_text="the correction is not to be trusted")


class BandSerializer(serializers.Serializer[Any]):
    """A band of a survey."""

    survey = serializers.CharField()
    band = serializers.CharField()
    wavelength = _number("effective wavelength, nm")


PhotometrySerializer = inline_serializer(
    "Photometry",
    {
        "units": serializers.DictField(child=serializers.CharField(), help_text="column -> its unit"),
        "bands": BandSerializer(many=True),
        "points": MeasurementSerializer(many=True),
    },
)


class ObjectParts(Endpoint):
    """Addresses below that of one object."""

    @documented(responses=MeasurementSerializer(many=True), filters=False)
    @action(detail=True, url_path="light-curve", pagination_class=None)
    def light_curve(self, request: Request, pk: str | None = None) -> Response:
        """The merged light curve, corrected: every measurement of every survey, with difference and total magnitudes."""
        sky_object = self.get_object()
        return Response(photometry.light_curve(_rows(sky_object), photometry.on_star(sky_object)))

    @documented(responses=PhotometrySerializer)
    @action(detail=True)
    def photometry(self, request: Request, pk: str | None = None) -> Response:
        """The light curve with the units of its columns and the wavelengths of its bands."""
        return Response(photometry_of(self.get_object()))

    @documented(responses=OpenApiTypes.OBJECT)
    @action(detail=True)
    def statistics(self, request: Request, pk: str | None = None) -> Response:
        """ALeRCE's magnitude statistics of the object and of each survey and band."""
        return Response(photometry.statistics(_rows(self.get_object())))

    @documented(responses=OpenApiTypes.OBJECT)
    @action(detail=True)
    def surroundings(self, request: Request, pk: str | None = None) -> Response:
        """What is at its place: galaxies that may be its host, redshift and distance, stars, dust, and what TNS has named there."""
        sky_object = self.get_object()
        return Response(surroundings(sky_object, _rows(sky_object)))

    @documented(responses=OpenApiTypes.OBJECT)
    @action(detail=True)
    def outlook(self, request: Request, pk: str | None = None) -> Response:
        """Its forecast: brightness and peak for each family of supernovae, now and in a week; empty where nothing can be said."""
        return Response(outlook(self._summary()))

    @documented(responses=PlaceSerializer)
    @action(detail=True)
    def rank(self, request: Request, pk: str | None = None) -> Response:
        """Its place in the current ranking, or in the latest that has it, with terms, vetoes and visibility; empty without one."""
        return Response(place(self.get_object()))

    @documented(responses=OpenApiTypes.OBJECT)
    @action(detail=True)
    def everything(self, request: Request, pk: str | None = None) -> Response:
        """All that the page of the object shows, as one answer."""
        summary = self._summary()
        one, known = summary.sky_object, self.get_serializer_context()
        marks = one.marks.select_related("author").order_by("-pk")
        return Response(
            {
                "object": self.get_serializer(one).data,
                "photometry": photometry_of(one),
                "statistics": photometry.statistics(summary.detections),
                "classifications": ClassificationSerializer(summary.classifications, many=True).data,
                "rank": place(one),
                "surroundings": surroundings(one, summary.detections),
                "outlook": outlook(summary),
                "stamps": StampsSerializer(stamps_of(one), many=True, context=known).data,
                "explanations": ExplanationSerializer([made for _, made in page.explanations(one) if made], many=True, context=known).data,
                "matches": MatchSerializer(summary.ambiguous, many=True).data,
                "marks": MarkSerializer(marks, many=True).data,
                "labels": LabelSerializer(labels.counting().filter(sky_object=one), many=True).data,
                "tags": list(one.tags.values_list("name", flat=True)),
                "requests": RequestSerializer(summary.requests, many=True).data,
                "page": request.build_absolute_uri(reverse("tom_alerce:object", args=[one.pk])),
            }
        )

    def _summary(self) -> Summary:
        sky_object = self.get_object()
        return summarise([sky_object], self.request.user)[sky_object.pk]


def photometry_of(sky_object: SkyObject) -> dict[str, Any]:
    """Points of an object's light curve with their units, and the bands that are among them."""
    points = photometry.light_curve(_rows(sky_object), photometry.on_star(sky_object))
    found = dict.fromkeys((point["survey"], point["band"]) for point in points)
    bands = [{"survey": survey, "band": band, "wavelength": _wavelength(survey, band)} for survey, band in found]
    return {"units": UNITS, "bands": bands, "points": points}


def _wavelength(survey: str, band: str) -> float | None:
    """Effective wavelength, nm; None where it is not known."""
    known: float | None = json_safe(next((one.wavelength for one in surveys.about(survey).bands if one.name == band), None))
    return known


def surroundings(sky_object: SkyObject, detections: Detections) -> dict[str, Any]:
    """What is at the place of an object, as plain JSON."""
    found = context.place(sky_object, detections)
    choice = found.choice
    return {
        "tns": None if found.tns is None else TnsSerializer(found.tns).data,
        "galaxies": json_safe([asdict(one) for one in found.galaxies]),
        "stars": json_safe([asdict(one) for one in found.stars]),
        **{
            name: json_safe(getattr(found, name))
            for name in ("unlisted", "hostless", "redshift", "redshift_from", "distance", "brightest", "band", "reddening", "unknown")
        },
        "chosen": None
        if choice is None
        else {"galaxy": choice.galaxy, "author": choice.by, "text": choice.text, "created": choice.created},
    }


def outlook(summary: Summary) -> dict[str, Any]:
    """The forecast of an object as plain JSON; empty where nothing can be said."""
    now = now_mjd()
    forecast = forecasts.of(summary, now)
    if forecast is None:
        return {}
    safe: dict[str, Any] = json_safe({**forecast, "now": now, "tonight": [asdict(one) for one in outlooks(forecast, now)]})
    return safe


def place(sky_object: SkyObject) -> dict[str, Any]:
    """The place of an object in the ranking that its page shows; empty without one."""
    rank = rankings.rank_of(sky_object)
    if rank is None:
        return {}
    rank.sky_object = sky_object
    return dict(PlaceSerializer(rank).data)


def _rows(sky_object: SkyObject) -> Detections:
    (record,) = sky.load([sky_object.pk])
    return record.detections
