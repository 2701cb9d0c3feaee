"""The TOM's side of the fake facility (`followup.facilities.fake`): requests are checked on this machine, and nobody is asked."""

from __future__ import annotations

import hashlib
from datetime import timezone
from typing import Any

from crispy_forms.layout import Layout
from django import forms
from tom_observations.facility import BaseRoboticObservationFacility, BaseRoboticObservationForm

from followup.facilities import fake
from followup.sites import SITES


class FakeForm(BaseRoboticObservationForm):  # type: ignore[misc]  # the toolkit has no types
    """What the fake facility must know of a request."""

    name = forms.CharField(max_length=50)
    program = forms.CharField(max_length=50)
    instrument = forms.ChoiceField(choices=[(name, name) for name in fake.INSTRUMENTS])
    exposures = forms.JSONField(help_text='[{"filter": "r", "seconds": 60, "count": 1}, ...]')
    start = forms.DateTimeField(help_text="UTC")
    end = forms.DateTimeField(help_text="UTC")
    max_airmass = forms.FloatField(min_value=1.0, max_value=5.0)
    min_lunar_distance = forms.FloatField(min_value=0.0, max_value=180.0)

    def layout(self) -> Layout:
        """All fields, one below the other."""
        return Layout("name", "program", "instrument", "exposures", "start", "end", "max_airmass", "min_lunar_distance")

    def clean(self) -> dict[str, Any]:
        """Refuse a filter that the instrument lacks, and a window that is shorter than the request."""
        data: dict[str, Any] = super().clean()
        if self.errors:
            return data
        camera = fake.INSTRUMENTS[data["instrument"]]
        unknown = [e["filter"] for e in data["exposures"] if e["filter"] not in camera.filters]
        if unknown:
            raise forms.ValidationError({"exposures": f"{data['instrument']} has no filter {', '.join(unknown)}"})
        seconds = camera.setup + sum(e["count"] * (e["seconds"] + camera.overhead) for e in data["exposures"])
        window = (data["end"] - data["start"]).total_seconds()
        if window < seconds:
            raise forms.ValidationError(f"the request takes {seconds:.0f} s, and its window is {window:.0f} s long")
        self.validation_message = f"This observation is valid with a duration of {seconds:.0f} seconds."
        return data

    def serialize_parameters(self) -> dict[str, Any]:
        """The request as JSON, times in UTC."""
        parameters: dict[str, Any] = super().serialize_parameters()
        return parameters | {name: parameters[name].astimezone(timezone.utc).isoformat() for name in ("start", "end")}


class FakeFacility(BaseRoboticObservationFacility):  # type: ignore[misc]  # the toolkit has no types
    """Accepts every valid request, gives the same request the same identity, and never observes it."""

    name = fake.FACILITY
    observation_forms = {"REQUEST": FakeForm}

    def get_form(self, observation_type: str) -> type[FakeForm]:
        """The only form."""
        return FakeForm

    def validate_observation(self, observation_payload: dict[str, Any]) -> list[str]:
        """Nothing beyond what the form has checked."""
        return []

    def submit_observation(self, observation_payload: dict[str, Any]) -> list[str]:
        """The identity of the observation: a digest of the request's name, which carries its key."""
        return [hashlib.sha256(observation_payload["params"]["name"].encode()).hexdigest()[:12]]

    def get_observation_status(self, observation_id: str) -> dict[str, Any]:
        """Nothing is ever scheduled."""
        return {"state": "PENDING", "scheduled_start": None, "scheduled_end": None}

    def get_observation_url(self, observation_id: str) -> str:
        """There is no portal."""
        return ""

    def get_terminal_observing_states(self) -> list[str]:
        """None is ever reached."""
        return ["COMPLETED", "FAILED"]

    def get_failed_observing_states(self) -> list[str]:
        """The one that counts as failed."""
        return ["FAILED"]

    def get_observing_sites(self) -> dict[str, dict[str, Any]]:
        """One site."""
        site = SITES["Cerro Pachon"]
        return {site.name: {"sitecode": "fak", "latitude": site.latitude, "longitude": site.longitude, "elevation": site.elevation}}

    def get_facility_weather_urls(self) -> dict[str, Any]:
        """No weather."""
        return {"code": self.name, "sites": []}

    def get_facility_status(self) -> dict[str, Any]:
        """No telescopes."""
        return {"code": self.name, "sites": []}

    def data_products(self, observation_id: str, product_id: str | None = None) -> list[dict[str, Any]]:
        """No data."""
        return []
