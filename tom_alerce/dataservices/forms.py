"""The forms of the query pages; making one asks nobody anything."""

from __future__ import annotations

from typing import Any

from crispy_forms.layout import Column, Layout, Row
from django import forms
from tom_dataservices.forms import BaseQueryForm

from broker_adapters import surveys
from broker_adapters.brokers import alerce
from broker_adapters.errors import PacketError
from broker_adapters.values import identifier
from tom_alerce.dataservices.base import object_ids


class PositionForm(BaseQueryForm):
    """A place on the sky."""

    ra = forms.FloatField(required=False, min_value=0, max_value=360, label="RA", help_text="degrees, ICRS")
    dec = forms.FloatField(required=False, min_value=-90, max_value=90, label="Dec", help_text="degrees, ICRS")

    rows: tuple[tuple[str, ...], ...] = (("ra", "dec"),)

    def get_layout(self) -> Layout:
        """The fields in rows."""
        return Layout(*(Row(*(Column(name) for name in names)) for names in self.rows))

    def clean(self) -> dict[str, Any]:
        """A place has two coordinates."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if (cleaned.get("ra") is None) != (cleaned.get("dec") is None):
            raise forms.ValidationError("A position needs both RA and Dec.")
        return cleaned


class BrokerForm(PositionForm):
    """Objects by name, place, class or time."""

    survey = forms.ChoiceField(choices=lambda: [(name, surveys.about(name).title) for name in alerce.Client.surveys], initial="ztf")
    object_ids = forms.CharField(required=False, label="Objects", help_text="names, with commas or spaces between them")
    radius = forms.FloatField(required=False, min_value=0.1, max_value=1000, label="Radius", help_text="arcseconds")
    label = forms.CharField(required=False, max_length=64, label="Class", help_text="in the words of the broker, e.g. SN")
    days = forms.FloatField(required=False, min_value=0, max_value=10000, label="Days", help_text="detected in the last so many days")
    limit = forms.IntegerField(min_value=1, max_value=100, initial=20, label="At most", help_text="objects")

    rows: tuple[tuple[str, ...], ...] = (("survey", "object_ids"), ("ra", "dec", "radius"), ("label", "days", "limit"))

    def clean_object_ids(self) -> str:
        """Names are letters and digits."""
        text: str = self.cleaned_data["object_ids"]
        for name in object_ids(text):
            try:
                identifier(name)
            except PacketError as error:
                raise forms.ValidationError(f"{error}") from error
        return text

    def clean(self) -> dict[str, Any]:
        """Something must be asked for, since the archives of the brokers are long."""
        cleaned = super().clean()
        if cleaned.get("survey") == "ztf" and not self.errors and not self._asked(cleaned):
            raise forms.ValidationError("Say which objects: by name, position, class or time.")
        return cleaned

    @staticmethod
    def _asked(cleaned: dict[str, Any]) -> bool:
        return any(cleaned.get(name) not in (None, "") for name in ("object_ids", "ra", "label", "days"))


class AlerceForm(BrokerForm):
    """As `BrokerForm`, with ALeRCE's classifiers and their probabilities."""

    classifier = forms.CharField(required=False, max_length=64, help_text="e.g. lc_classifier, stamp_classifier_rubin_beta")
    probability = forms.FloatField(required=False, min_value=0, max_value=1, label="Probability", help_text="at least")

    rows = (("survey", "object_ids"), ("ra", "dec", "radius"), ("classifier", "label", "probability"), ("days", "limit"))


class LasairForm(BrokerForm):
    """As `BrokerForm`; every object costs one of the hundred calls that a token has in an hour."""

    limit = forms.IntegerField(min_value=1, max_value=50, initial=10, label="At most", help_text="objects, each one call of your token")
    label = forms.CharField(required=False, max_length=32, label="Class", help_text="of Sherlock: SN, NT, VS, CV, AGN, BS, ORPHAN")

    def clean(self) -> dict[str, Any]:
        """Lasair looks at a place, or for a class and a time."""
        cleaned = super().clean()
        if cleaned.get("ra") is not None and (cleaned.get("label") or cleaned.get("days")):
            raise forms.ValidationError("Lasair's cone search knows neither classes nor times: ask for a position or for these.")
        return cleaned


class AtlasForm(PositionForm):
    """A place to measure."""

    ra = forms.FloatField(min_value=0, max_value=360, label="RA", help_text="degrees, ICRS")
    dec = forms.FloatField(
        min_value=-90, max_value=90, label="Dec", help_text="degrees, ICRS; ATLAS sees all but the far south before 2022"
    )
