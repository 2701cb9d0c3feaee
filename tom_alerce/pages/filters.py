"""Filters of the board and of the endpoints: name, position, class, brightness, age."""

from __future__ import annotations

import re
from typing import Any

import django_filters
import numpy as np
from astropy.coordinates import SkyCoord, angular_separation
from django import forms
from django.db.models import CharField, F, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from broker_adapters import healpix
from classifiers.taxonomy import LIGHTCURVE, STAMP
from tom_alerce.match_manager import simplified, spellings
from tom_alerce.models import Classification, Rank, SkyObject, SurveyObject
from tom_alerce.models.sky import first_seen
from tom_alerce.store import classifications

#: Radius of a cone search by default, and the largest one, arcseconds.
RADIUS, MAX_RADIUS = 5.0, 600.0

CLASSES = [
    ("Stamp", [(c, c) for c in STAMP]),
    *((branch, [(c, c) for c in classes if c not in STAMP]) for branch, classes in LIGHTCURVE.items()),
]


def named_or_near(objects: QuerySet[SkyObject], text: str) -> QuerySet[SkyObject]:
    """Objects near a position with an optional radius in arcseconds ('12:30:00 +12:00:00 10'), or with this part of a name."""
    cone = position(text)
    if cone is None:
        return objects.filter(pk__in=SkyObject.objects.filter(_named(text)).values("pk"))
    ra, dec, radius = cone
    near = objects.filter(healpix__in=healpix.cone(ra, dec, radius)).values_list("pk", "ra", "dec")
    keys = [pk for pk, *there in near if np.degrees(angular_separation(*np.radians([ra, dec, *there]))) * 3600 <= radius]
    return objects.filter(pk__in=keys)


def _named(text: str) -> Q:
    """Condition for a part of any name; spaces, hyphens and the prefix of a TNS name do not count ('sn2026asx' finds 'AT 2026asx')."""
    name = spellings(SurveyObject.object_id_of(text))[0] or text
    conditions = Q(survey_objects__in=SurveyObject.objects.alias(all=_simple("names", "object_id")).filter(all__contains=name).values("pk"))
    for field in ("target__name", "target__aliases__name"):
        conditions |= Q(pk__in=SkyObject.objects.alias(all=_simple(field)).filter(all__contains=name).values("pk"))
    return conditions


def _simple(*fields: str) -> Any:
    """Database expression: the texts of some columns, simplified as names are, one after the other."""
    return simplified(Concat(Value(""), *(part for field in fields for part in (Cast(field, CharField()), Value("|")))))


def position(text: str) -> tuple[float, float, float] | None:
    """Parse a position: right ascension, declination (degrees) and radius (arcseconds); None if the text is no position.

    Decimal degrees, or sexagesimal hours and degrees with colons; the three are separated by spaces or commas.
    """
    parts = [part for part in re.split(r"[\s,]+", text.strip()) if part]
    if len(parts) not in (2, 3):
        return None
    try:
        coordinate = SkyCoord(*parts[:2], unit=("hourangle" if ":" in parts[0] else "deg", "deg"))
        radius = float(parts[2]) if len(parts) == 3 else RADIUS
    except (ValueError, TypeError):  # a TypeError if a part ends in N or S, which it reads as a latitude: 'SN 2026asx'
        return None
    if not (np.isfinite(coordinate.ra.deg) and radius > 0):
        return None
    return float(coordinate.ra.deg), float(coordinate.dec.deg), min(radius, MAX_RADIUS)


class Number(django_filters.NumberFilter):
    """Filter by a finite float; a Decimal, the library's default, may have an exponent that takes hours to write out."""

    field_class = forms.FloatField


class BoardFilter(django_filters.FilterSet):
    """Filters of the board, over the ranks of one ranking."""

    query = django_filters.CharFilter(method="by_query", label="Name or position")
    label = django_filters.ChoiceFilter(choices=CLASSES, method="by_class", label="Class", empty_label="any")
    probability = Number(method="by_class", label="P ≥", min_value=0, max_value=1)
    magnitude = Number(lookup_expr="lte", label="Magnitude ≤", min_value=-30, max_value=40)
    days = Number(method="by_age", label="First seen within (days)", min_value=0)
    new = django_filters.BooleanFilter(method="by_novelty", label="New tonight", widget=forms.CheckboxInput)

    class Meta:
        model = Rank
        fields: list[str] = []

    def by_query(self, ranks: QuerySet[Rank], name: str, value: str) -> QuerySet[Rank]:
        """Ranks of the objects whose name or position matches the text."""
        return ranks.filter(sky_object__in=named_or_near(SkyObject.objects.all(), value).values("pk"))

    def by_class(self, ranks: QuerySet[Rank], name: str, value: Any) -> QuerySet[Rank]:
        """Ranks of the objects to which a classifier gives the class, with at least the probability if one is given."""
        label, probability = self.form.cleaned_data.get("label"), self.form.cleaned_data.get("probability")
        if label and name == "probability":
            return ranks  # done with the label
        rows = classifications.last(Classification.objects.filter(sky_object__in=ranks.values("sky_object")))
        if not label:
            rows = rows.filter(probability__gte=probability)
        elif probability is None:
            rows = rows.filter(label=label)
        else:
            rows = rows.filter(**{f"probabilities__{label}__gte": probability})
        return ranks.filter(sky_object__in=rows.values("sky_object"))

    def by_age(self, ranks: QuerySet[Rank], name: str, value: Any) -> QuerySet[Rank]:
        """Ranks of the objects first seen by any survey within ``value`` days before the ranking."""
        return ranks.alias(first_seen=first_seen("sky_object__")).filter(first_seen__gte=F("ranking__now") - value)

    def by_novelty(self, ranks: QuerySet[Rank], name: str, value: bool | None) -> QuerySet[Rank]:
        """Ranks of the objects first seen by any survey in the day before the ranking."""
        return self.by_age(ranks, name, 1.0) if value else ranks
