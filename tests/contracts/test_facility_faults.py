"""What sending promises, over every facility and every way in which its class in the TOM may fail: it ends, and no nonsense is believed.

The classes are stand-ins that do what the apps' own do (docs/submission.md): give None for a refusal, 0 in debug mode, nothing at all.
"""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from django import forms
from requests import ConnectionError as NoConnection
from requests import HTTPError, ReadTimeout, Response
from tom_observations.facility import BaseRoboticObservationFacility, BaseRoboticObservationForm
from tom_observations.models import ObservationRecord

from broker_adapters import plugins
from followup.plan import PACKAGE, load_facility
from followup.records import Exposure
from tests.followup.test_lco import REQUEST
from tests.tom_alerce import factories
from tests.unguarded import UNGUARDED
from tom_alerce import clock
from tom_alerce.requests import approve, draft, judge, send, validate
from tom_alerce.requests.facilities import facility_of

pytestmark = pytest.mark.django_db
NAMES = plugins.names(PACKAGE)
BY_HAND = [name for name in NAMES if hasattr(load_facility(name), "BY_HAND")]
#: Options without which the plug-ins' own checks refuse a request.
OPTIONS = {
    "lco": {"proposal": "P"},
    "soar": {"proposal": "P"},
    "blanco": {"proposal": "P"},
    "lt": {"project": "P"},
    "swift": {"science_justification": "young", "exposure_justification": "S/N"},
}


def http(status, text="<html><body>down for maintenance</body></html>"):
    answer = Response()
    answer.status_code, answer._content = status, text.encode()
    return HTTPError(response=answer)


#: What submit_observation does -> the states in which the request may be afterwards.
FAULTS = {
    "hang": (threading.Event().wait, {"unknown"}),
    "error of the server": (http(500), {"unknown"}),
    "refusal": (forms.ValidationError("your proposal has no time"), {"failed"}),
    "lost answer": (ReadTimeout(), {"unknown"}),
    "connection ends": (NoConnection("reset"), {"unknown"}),
    "bug": (KeyError("uid"), {"unknown"}),
    "HTML for an identity": (["<html>down for maintenance</html>"], {"unknown"}),
    "None for an identity": ([None], {"unknown"}),
    "nothing for an identity": ([""], {"unknown"}),
    "0 for an identity": ([0], {"unknown"}),
    "no identity": ([], {"unknown"}),
    "not even a list": (None, {"unknown"}),
}


class Form(BaseRoboticObservationForm):
    """A form that validates nothing, as some do."""

    project = proposal = forms.CharField(required=False)

    def observation_payload(self):
        return {"params": {"name": self.data["name"]}, "requests": [{}]}


class StandIn(BaseRoboticObservationFacility):
    """A class of the TOM that does ``does`` when something is sent."""

    observation_forms = {"ALL": Form}
    does = None

    def get_form(self, observation_type):
        return Form

    def submit_observation(self, observation_payload):
        if isinstance(self.does, Exception):
            raise self.does
        return self.does() if callable(self.does) else self.does

    def validate_observation(self, observation_payload):
        return []

    def get_observation_status(self, observation_id):
        raise NotImplementedError  # as the TOM's class of Swift does

    def get_observation_url(self, observation_id):
        return ""

    def get_terminal_observing_states(self):
        return []

    def get_observing_sites(self):
        return {}

    def data_products(self, observation_id, product_id=None):
        return []


@pytest.fixture
def approved(settings, monkeypatch):
    """A function that gives an approved request to a facility whose class does something when it is sent."""

    def make(name, does, **options):
        plugin = load_facility(name)
        settings.TOM_ALERCE = {"FACILITY": {"name": name, **OPTIONS.get(name, {})}, "FACILITY_TIMEOUT": 1.0, "GUARDS": UNGUARDED, **options}
        facility = type("StandInFacility", (StandIn,), {"name": plugin.FACILITY, "does": does})
        monkeypatch.setattr("tom_observations.facility.get_service_classes", lambda: {plugin.FACILITY: facility})
        camera = getattr(plugin, "DEFAULT_INSTRUMENT", next(iter(plugin.INSTRUMENTS)))
        exposures = tuple(Exposure(one, 60.0) for one in [next(iter(plugin.INSTRUMENTS[camera].filters))])
        sky = factories.sky_object(surveys=(), n=0, target=factories.target(f"SN of {name}"))
        window = {"start": clock.now() + 0.05, "end": clock.now() + 0.3}
        (row,) = draft.draft([replace(REQUEST, target=str(sky.pk), facility=name, instrument=camera, exposures=exposures, **window)])
        assert validate.dry_run(row) is not None, row.message
        approve.approve(row, None)
        return row

    return make


@pytest.mark.parametrize("name", [name for name in NAMES if name not in BY_HAND])
@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_ends_in_a_state_that_says_so_and_no_nonsense_is_believed(approved, name, fault):
    does, states = FAULTS[fault]
    row = approved(name, does)
    send.send(row, None)
    row.refresh_from_db()
    assert row.state in states
    assert row.message
    assert row.observation_id == ""
    assert not ObservationRecord.objects.exists()


@pytest.mark.parametrize("name", [name for name in NAMES if name not in BY_HAND])
def test_an_identity_is_believed(approved, name):
    row = approved(name, ["4711"])
    send.send(row, None)
    row.refresh_from_db()
    assert (row.state, row.observation_id) == ("submitted", "4711")


@pytest.mark.parametrize("name", BY_HAND)
def test_what_is_asked_for_by_hand_is_never_sent(approved, name):
    row = approved(name, [1], GUARDS={guard: None for guard in UNGUARDED if guard != "by_hand"})
    with pytest.raises(judge.Stopped, match="by_hand"):
        send.send(row, None)
    assert facility_of(row.facility).BY_HAND
    row.refresh_from_db()
    assert row.state == "approved"
