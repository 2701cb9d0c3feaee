"""Filters of the board and of the endpoints: name, position, class, brightness, age."""

from __future__ import annotations

from datetime import timezone
from typing import Any

import django_filters
import numpy as np
from astropy.coordinates import angular_separation
from django import forms
from django.db.models import CharField, F, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django_filters.fields import IsoDateTimeField

from broker_adapters import healpix
from classifiers.taxonomy import LIGHTCURVE, STAMP
from tom_alerce import visible
from tom_alerce.match_manager import simplified, spellings
from tom_alerce.models import Classification, Rank, SkyObject, SurveyObject
from tom_alerce.models.sky import first_seen
from tom_alerce.pages import positions, states
from tom_alerce.store import classifications, places

CLASSES = [
    ("Stamp", [(c, c) for c in STAMP]),
    *((branch, [(c, c) for c in classes if c not in STAMP]) for branch, classes in LIGHTCURVE.items()),
]


def named_or_near(
    objects: QuerySet[SkyObject], text: str, user: visible.User, members: QuerySet[SurveyObject] | None = None
) -> QuerySet[SkyObject]:
    """Objects near a position (`tom_alerce.pages.positions`), or with this part of a name; names of targets count if the user sees them.

    If the objects are few, ``members`` are theirs, so that no other name is read.
    """
    cone = positions.parse(text)
    if cone is None:
        return objects.filter(pk__in=SkyObject.objects.filter(_named(text, user, members)).values("pk"))
    near = objects.filter(healpix__in=healpix.cone(*cone)).values_list("pk", "ra", "dec")
    keys = [pk for pk, *there in near if np.degrees(angular_separation(*np.radians([*cone[:2], *there]))) * 3600 <= cone.radius]
    return objects.filter(pk__in=keys)


def _named(text: str, user: visible.User, members: QuerySet[SurveyObject] | None) -> Q:
    """Condition for a part of any name; spaces, hyphens and the prefix of a TNS name do not count ('sn2026asx' finds 'AT 2026asx')."""
    name = spellings(SurveyObject.object_id_of(text))[0] or text
    rows = SurveyObject.objects.all() if members is None else members
    conditions = Q(survey_objects__in=rows.alias(all=_simple("names", "object_id")).filter(all__contains=name).values("pk"))
    for field in ("name", "aliases__name"):
        conditions |= Q(target__in=visible.targets(user).alias(all=_simple(field)).filter(all__contains=name).values("pk"))
    return conditions


def _simple(*fields: str) -> Any:
    """Database expression: the texts of some columns, simplified as names are, one after the other."""
    return simplified(Concat(Value(""), *(part for field in fields for part in (Cast(field, CharField()), Value("|")))))


class SearchField(forms.CharField):
    """A name or a position; a text that is meant as a position and is none is an error, which says so."""

    def clean(self, value: Any) -> Any:
        """Validate the text."""
        text = super().clean(value)
        try:
            positions.parse(text or "")
        except positions.PositionError as error:
            raise forms.ValidationError(str(error)) from error
        return text


class Search(django_filters.CharFilter):
    """Filter by a name or a position."""

    field_class = SearchField

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=positions.LONGEST, **kwargs)


class Number(django_filters.NumberFilter):
    """Filter by a finite float; a Decimal, the library's default, may have an exponent that takes hours to write out."""

    field_class = forms.FloatField


class MomentField(IsoDateTimeField):
    """A date and time that UTC can express."""

    def clean(self, value: Any) -> Any:
        """Validate the time."""
        moment = super().clean(value)
        try:
            return moment and moment.astimezone(timezone.utc)
        except OverflowError as error:
            raise forms.ValidationError("not between the years 1 and 9999 in UTC") from error


class Moment(django_filters.IsoDateTimeFilter):
    """Filter by a time in ISO 8601."""

    field_class = MomentField


class BoardFilter(django_filters.FilterSet):
    """Filters of the board, over the ranks of one ranking."""

    query = Search(method="by_query", label="Name or position")
    label = django_filters.ChoiceFilter(choices=CLASSES, method="by_class", label="Class", empty_label="any")
    probability = Number(method="by_class", label="P ≥", min_value=0, max_value=1)
    magnitude = Number(lookup_expr="lte", label="Magnitude ≤", min_value=-30, max_value=40)
    days = Number(method="by_age", label="First seen within (days)", min_value=0)
    distance = Number(method="by_distance", label="Host within (Mpc)", min_value=0)
    new = django_filters.BooleanFilter(method="by_novelty", label="New tonight", widget=forms.CheckboxInput)
    up = django_filters.BooleanFilter(method="by_altitude", label="Observable now", widget=forms.CheckboxInput)
    state = django_filters.ChoiceFilter(choices=states.CHOICES, method="by_state", label="State", empty_label="any")

    class Meta:
        model = Rank
        fields: list[str] = []

    def by_query(self, ranks: QuerySet[Rank], name: str, value: str) -> QuerySet[Rank]:
        """Ranks of the objects whose name or position matches the text."""
        skies = SkyObject.objects.filter(pk__in=ranks.values("sky_object"))
        members = SurveyObject.objects.filter(sky_object__in=ranks.values("sky_object"))
        return ranks.filter(sky_object__in=named_or_near(skies, value, self.request.user, members).values("pk"))

    def by_state(self, ranks: QuerySet[Rank], name: str, value: str) -> QuerySet[Rank]:
        """Ranks of the objects of which that is true to the user."""
        return states.filtered(ranks, value, self.request.user)

    def by_altitude(self, ranks: QuerySet[Rank], name: str, value: bool | None) -> QuerySet[Rank]:
        """All of them: what is up now is known from the ranking, see `tom_alerce.pages.listing`."""
        return ranks

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

    def by_distance(self, ranks: QuerySet[Rank], name: str, value: float) -> QuerySet[Rank]:
        """Ranks of the objects whose distance is known, by TNS or by a host, and at most ``value`` Mpc."""
        skies = list(SkyObject.objects.filter(pk__in=ranks.values("sky_object")))
        near = places.survey(skies).places.distance <= value
        return ranks.filter(sky_object__in=[one.pk for one, is_near in zip(skies, near.tolist(), strict=True) if is_near])

    def by_novelty(self, ranks: QuerySet[Rank], name: str, value: bool | None) -> QuerySet[Rank]:
        """Ranks of the objects first seen by any survey in the day before the ranking."""
        return self.by_age(ranks, name, 1.0) if value else ranks
