"""Every facility, whatever its class in the TOM does when a request is sent: the request is never doubled, and nobody waits for ever."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest
from requests import ConnectionError as NoConnection
from requests import HTTPError, Response

from broker_adapters import plugins
from followup.plan import PACKAGE, load_facility
from tests.contracts.documented import documented
from tests.tom_alerce import factories
from tom_alerce.models import FollowupRequest
from tom_alerce.requests import facilities, judge, portal, send, sync

State = FollowupRequest.State
FACILITIES = (*plugins.names(PACKAGE), "tests.contracts.third_party.facility", documented("facility"))
pytestmark = pytest.mark.django_db
OVER = threading.Event()


class Portal:
    """A portal behind the TOM's class of any facility: it keeps what it accepts, and answers as it is told."""

    def __init__(self, answer):
        self.kept, self.answer = [], answer

    def submit_observation(self, payload):
        if self.answer in ("lost", "hang", "html", "accepted"):
            self.kept.append(payload)
        if self.answer == "hang":
            OVER.wait(30)
        if self.answer == "lost":
            raise NoConnection("reset")
        if self.answer in ("500", "404"):
            response = Response()
            response.status_code, response._content = int(self.answer), b"<html>error"
            raise HTTPError(response=response)
        return {"html": ["<html><body>Welcome</body></html>"], "nothing": None, "zero": [0]}.get(self.answer, ["12345"])

    def set_user(self, user):
        """Whoever it is."""

    def get_observation_status(self, identity):
        return {"state": "WAITING", "scheduled_start": None, "scheduled_end": None}

    def get_terminal_observing_states(self):
        return ["DONE"]


@pytest.fixture(params=FACILITIES)
def plugin(request, monkeypatch):
    """The plug-in of a facility; one that can look requests up does so in `Portal.kept`."""
    found = load_facility(request.param)
    finds = hasattr(found, "find")
    double = SimpleNamespace(FACILITY=found.FACILITY, STATES=getattr(found, "STATES", {}))
    if finds:
        double.carry = lambda sent, token: {**sent, "token": token}
        double.find = lambda tom, data, token: [["12345"] for one in tom.kept if one["token"] == token]
    for module in (facilities, portal, send, sync):
        monkeypatch.setattr(module, "facility_of", lambda name: double)
    return SimpleNamespace(FACILITY=found.FACILITY, finds=finds)


@pytest.mark.parametrize("answer", ["accepted", "hang", "500", "404", "html", "nothing", "zero", "lost"])
def test_whatever_it_answers(plugin, answer, monkeypatch, settings):
    settings.TOM_ALERCE = {"FACILITY_TIMEOUT": 0.2, "FACILITY_SETTLED": 0.0}
    OVER.clear()
    behind = Portal(answer)
    monkeypatch.setattr(portal, "facility", lambda row: behind)
    monkeypatch.setattr(judge, "require", lambda row, user: ())  # guards have tests of their own
    row = factories.request(factories.sky_object(surveys=(), n=0), state=State.APPROVED, facility=plugin.FACILITY)
    send.send(row, None)
    OVER.set()
    expected = {"accepted": State.SUBMITTED, "404": State.FAILED}.get(answer, State.UNKNOWN)
    assert row.state == expected
    once = list(behind.kept)
    behind.answer = "accepted"
    sync.sync()
    row.refresh_from_db()
    if expected == State.UNKNOWN and not plugin.finds:
        assert (row.state, behind.kept) == (State.UNKNOWN, once), "without a look-up a person decides"
    elif expected == State.UNKNOWN:
        assert (row.state, len(behind.kept)) == (State.SUBMITTED, 1)
    else:
        assert (row.state, behind.kept) == (expected, once)
