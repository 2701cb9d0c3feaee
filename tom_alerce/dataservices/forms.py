"""Forms of the query pages; creating one makes no network request."""

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
    """A position on the sky."""

    ra = forms.FloatField(required=False, min_value=0, max_value=360, label="RA", help_text="degrees, ICRS")
    dec = forms.FloatField(required=False, min_value=-90, max_value=90, label="Dec", help_text="degrees, ICRS")

    rows: tuple[tuple[str, ...], ...] = (("ra", "dec"),)

    def get_layout(self) -> Layout:
        """The fields in rows."""
        return Layout(*(Row(*(Column(name) for name in names)) for names in self.rows))

    def clean(self) -> dict[str, Any]:
        """Check that a position has both coordinates."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if (cleaned.get("ra") is None) != (cleaned.get("dec") is None):
            raise forms.ValidationError("A position needs both RA and Dec.")
        return cleaned


class BrokerForm(PositionForm):
    """Objects by name, position, class or time."""

    survey = forms.ChoiceField(choices=lambda: [(name, surveys.about(name).title) for name in alerce.Client.surveys], initial="ztf")
    object_ids = forms.CharField(required=False, label="Objects", help_text="names, with commas or spaces between them")
    radius = forms.FloatField(required=False, min_value=0.1, max_value=1000, label="Radius", help_text="arcseconds")
    label = forms.CharField(required=False, max_length=64, label="Class", help_text="as the broker names it, e.g. SN")
    days = forms.FloatField(required=False, min_value=0, max_value=10000, label="Days", help_text="detected within this number of days")
    limit = forms.IntegerField(min_value=1, max_value=100, initial=20, label="At most", help_text="objects")

    rows: tuple[tuple[str, ...], ...] = (("survey", "object_ids"), ("ra", "dec", "radius"), ("label", "days", "limit"))

    def clean_object_ids(self) -> str:
        """Check that names consist of letters and digits."""
        text: str = self.cleaned_data["object_ids"]
        for name in object_ids(text):
            try:
                identifier(name)
            except PacketError as error:
                raise forms.ValidationError(f"{error}") from error
        return text

    def clean(self) -> dict[str, Any]:
        """Check that a ZTF query has a criterion, since the archives of the brokers are long."""
        cleaned = super().clean()
        if cleaned.get("survey") == "ztf" and not self.errors and not self._has_criterion(cleaned):
            raise forms.ValidationError("Give a name, position, class or time.")
        return cleaned

    @staticmethod
    def _has_criterion(cleaned: dict[str, Any]) -> bool:
        return any(cleaned.get(name) not in (None, "") for name in ("object_ids", "ra", "label", "days"))


class AlerceForm(BrokerForm):
    """As `BrokerForm`, with ALeRCE's classifiers and their probabilities."""

    classifier = forms.CharField(required=False, max_length=64, help_text="e.g. lc_classifier, stamp_classifier_rubin_beta")
    probability = forms.FloatField(required=False, min_value=0, max_value=1, label="Probability", help_text="at least")

    rows = (("survey", "object_ids"), ("ra", "dec", "radius"), ("classifier", "label", "probability"), ("days", "limit"))


class LasairForm(BrokerForm):
    """As `BrokerForm`; every object takes one of the hundred calls that a token has in an hour."""

    limit = forms.IntegerField(min_value=1, max_value=50, initial=10, label="At most", help_text="objects, each one call of your token")
    label = forms.CharField(required=False, max_length=32, label="Class", help_text="of Sherlock: SN, NT, VS, CV, AGN, BS, ORPHAN")

    def clean(self) -> dict[str, Any]:
        """Check that a position is not combined with a class or a time, which Lasair's cone search does not take."""
        cleaned = super().clean()
        if cleaned.get("ra") is not None and (cleaned.get("label") or cleaned.get("days")):
            raise forms.ValidationError("Lasair's cone search takes neither a class nor a time: give a position, or these.")
        return cleaned


class AtlasForm(PositionForm):
    """A position to measure."""

    ra = forms.FloatField(min_value=0, max_value=360, label="RA", help_text="degrees, ICRS")
    dec = forms.FloatField(
        min_value=-90, max_value=90, label="Dec", help_text="degrees, ICRS; ATLAS sees all but the far south before 2022"
    )
