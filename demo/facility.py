"""The TOM's side of the fake facility (`followup.facilities.fake`): its portal is a folder on this machine, and nobody is asked.

A request is a file there. It is scheduled at once, at the begin of its window, and observed when somebody plays the telescope (`play`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from crispy_forms.layout import Layout
from django import forms
from django.conf import settings
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
    """Accepts every valid request, and gives the same request the same identity."""

    name = fake.FACILITY
    observation_forms = {"REQUEST": FakeForm}

    def get_form(self, observation_type: str) -> type[FakeForm]:
        """The only form."""
        return FakeForm

    def validate_observation(self, observation_payload: dict[str, Any]) -> list[str]:
        """Nothing beyond what the form has checked."""
        return []

    def submit_observation(self, observation_payload: dict[str, Any]) -> list[str]:
        """The identity of the observation: a digest of what makes this request; the portal keeps what it was sent first."""
        asked = observation_payload["params"]
        identity = hashlib.sha256((asked["name"] + str(observation_payload.get("token", ""))).encode()).hexdigest()[:12]
        _keep(identity, {"state": "PENDING", "asked": asked, "token": observation_payload.get("token", "")}, again=False)
        return [identity]

    def get_observation_status(self, observation_id: str) -> dict[str, Any]:
        """Scheduled at the begin of its window, unless it has ended."""
        request = held(observation_id)
        start = datetime.fromisoformat(request["asked"]["start"])
        seconds = sum(e["count"] * e["seconds"] for e in request["asked"]["exposures"])
        block = {"scheduled_start": start.isoformat(), "scheduled_end": (start + timedelta(seconds=seconds)).isoformat()}
        return {"state": request["state"], **(block if request["state"] in ("PENDING", "COMPLETED") else dict.fromkeys(block))}

    def cancel_observation(self, observation_id: str) -> bool:
        """Cancel what has not ended."""
        if held(observation_id)["state"] == "PENDING":
            play(observation_id, "CANCELED")
        return bool(held(observation_id)["state"] == "CANCELED")

    def with_token(self, token: str) -> list[str]:
        """Identities of the requests that carry a token."""
        return [path.stem for path in sorted(_portal().glob("*.json")) if held(path.stem)["token"] == token]

    def get_observation_url(self, observation_id: str) -> str:
        """There is no portal to look at."""
        return ""

    def get_terminal_observing_states(self) -> list[str]:
        """States after which nothing happens."""
        return ["COMPLETED", "FAILED", "CANCELED"]

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


def play(observation_id: str, state: str) -> None:
    """Play the telescope: a request is COMPLETED, FAILED or CANCELED from now on."""
    _keep(observation_id, held(observation_id) | {"state": state}, again=True)


def held(observation_id: str) -> dict[str, Any]:
    """What the portal holds of a request: its ``state``, what was ``asked``, and its ``token``."""
    found: dict[str, Any] = json.loads((_portal() / f"{observation_id}.json").read_text())
    return found


def _portal() -> Path:
    """The folder that is the portal: ``FACILITIES["Fake"]["folder"]``, or one beside the other data of the site."""
    named = getattr(settings, "FACILITIES", {}).get(fake.FACILITY, {}).get("folder")
    folder = Path(named or Path(getattr(settings, "DATA_DIR", "data")) / "portal")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _keep(identity: str, request: Mapping[str, Any], again: bool) -> None:
    """Write the file of a request in one step; of two that send the same one, the first is kept."""
    path = _portal() / f"{identity}.json"
    with NamedTemporaryFile("w", dir=path.parent) as new:
        json.dump(request, new)
        new.flush()
        if again:
            path.unlink(missing_ok=True)
        with suppress(FileExistsError):
            path.hardlink_to(new.name)
