"""What a portal says of a request beforehand, and what is said where it says nothing that can be used."""

from __future__ import annotations

import json
import threading
from dataclasses import replace

import pytest
from django.core.cache import cache
from werkzeug import Response

from tests.followup.test_lco import REQUEST
from tests.tom_alerce import factories
from tom_alerce.requests import allowance, draft
from tom_alerce.requests.validate import Checked

pytestmark = pytest.mark.django_db
INSTRUMENT = REQUEST.instrument
HOURS = {f"{kind}_{what}": n for kind in ("std", "tc", "rr") for what, n in (("allocation", 10.0), ("time_used", 4.0))}
#: What a real portal answers, shortened (django-ocs-observation-portal 4.18.10).
ANSWERS = {
    "/api/semesters/": {"count": 1, "next": None, "previous": None, "results": [{"id": "2026B", "start": "...", "end": "..."}]},
    "/api/proposals/P2026/": {
        "id": "P2026",
        "timeallocation_set": [
            {"semester": "2026A", "instrument_types": [INSTRUMENT], **HOURS},
            {"semester": "2026B", "instrument_types": [INSTRUMENT, "ANOTHER"], **HOURS, "tc_time_used": 12.0, "rr_allocation": None},
            {"semester": "2026B", "instrument_types": ["ANOTHER"], **HOURS},
        ],
    },
    f"/api/contention/{INSTRUMENT}/": {
        "ra_hours": list(range(24)),
        "instrument_type": INSTRUMENT,
        "contention_data": [{"All Proposals": 3600.0 * hour} for hour in range(24)],
    },
    "/api/requestgroups/max_allowable_ipp/": {
        "2026B": {INSTRUMENT: {"ipp_time_available": 5.0, "ipp_limit": 10.0, "request_duration": 0.25, "max_allowable_ipp_value": 1.9}}
    },
}


@pytest.fixture
def row(settings, httpserver, monkeypatch):
    """A request that the portal's form has passed."""
    settings.FACILITIES = {"LCO": {"portal_url": httpserver.url_for("/"), "api_key": "t0ps3cret"}}
    settings.TOM_ALERCE = {"FACILITY": {"name": "lco", "proposal": "P2026"}, "FACILITY_TIMEOUT": 5.0}
    monkeypatch.setattr(allowance, "check", lambda row: Checked("validated", "valid", {"name": "x"}))
    sky = factories.sky_object(ra=100.0, surveys=(), n=0)
    cache.clear()
    (made,) = draft.draft([replace(REQUEST, target=str(sky.pk))])
    yield made
    cache.clear()


def answering(httpserver, **instead):
    """Have the portal answer; the requests that it gets (its own log may get one of the test before, late)."""
    asked = []

    def answer(found):
        def handler(request):
            asked.append(request)
            return found(request) if callable(found) else Response(json.dumps(found), content_type="application/json")

        return handler

    for path, found in ANSWERS.items():
        httpserver.expect_request(path).respond_with_handler(answer(instead.get(path, found)))
    return asked


def test_every_fact_is_of_this_request(row, httpserver):
    asked = answering(httpserver)
    found = allowance.allowance(row)
    assert found.left == {"normal": 6.0, "time critical": -2.0, "rapid response": -4.0}
    assert (found.highest, found.hours, found.contention, found.problem) == (1.9, 0.25, 6.0, "")
    assert {request.headers["Authorization"] for request in asked} == {"Token t0ps3cret"}
    assert not any("t0ps3cret" in request.url for request in asked)
    assert asked[-1].json == {"name": "x"}
    assert allowance.allowance(row) == found
    assert len(asked) == len(ANSWERS)


def test_a_priority_that_the_portal_refuses_is_none(row, httpserver):
    answering(httpserver, **{"/api/requestgroups/max_allowable_ipp/": {"errors": {"requests": [{"windows": ["too late"]}]}}})
    found = allowance.allowance(row)
    assert (found.highest, found.hours, found.problem) == (None, None, "")
    assert found.contention == 6.0


BAD = {
    "forbidden": (
        lambda request: Response('{"detail": "Invalid token."}', 403, content_type="application/json"),
        "no usable answer (HTTPError",
    ),
    "error of the server": (lambda request: Response("<h1>Server Error (500)</h1>", 500), "no usable answer (HTTPError"),
    "a page of HTML": (
        lambda request: Response("<html><body>Welcome</body></html>", 200, content_type="text/html"),
        "no usable answer (JSON",
    ),
    "nothing": (lambda request: Response("", 200), "no usable answer (JSON"),
    "null": (lambda request: Response("null", 200), "not understood"),
    "a list": (lambda request: Response("[]", 200), "not understood"),
    "other words": (lambda request: Response('{"detail": "soon"}', 200), "not understood"),
}


@pytest.mark.parametrize("path", ANSWERS)
@pytest.mark.parametrize("answer", BAD)
def test_an_answer_that_is_none_is_said_to_be_none(row, httpserver, path, answer):
    handler, told = BAD[answer]
    asked = answering(httpserver, **{path: handler})
    found = allowance.allowance(row)
    if (path, answer) == ("/api/requestgroups/max_allowable_ipp/", "other words"):
        assert (found.highest, found.problem) == (None, "")
        return
    assert told in found.problem
    assert "t0ps3cret" not in found.problem
    after = list(ANSWERS)[list(ANSWERS).index(path) + 1 :]
    goes_on = "not understood" in told  # else the portal is in trouble
    assert (found.highest is not None) == (goes_on and path != "/api/requestgroups/max_allowable_ipp/")
    assert len(asked) == (len(ANSWERS) if goes_on else len(ANSWERS) - len(after))


def test_a_proposal_that_the_portal_does_not_show_hides_nothing_else(row, httpserver):
    answering(httpserver, **{"/api/proposals/P2026/": lambda request: Response('{"detail": "Not found."}', 404)})
    found = allowance.allowance(row)
    assert (found.left, found.contention, found.highest, found.hours) == ({}, 6.0, 1.9, 0.25)
    assert found.problem == "proposal: the portal has no such thing, or does not show it to you"


def test_a_portal_that_hangs_is_not_waited_for(row, httpserver, settings):
    over = threading.Event()
    settings.TOM_ALERCE = {**settings.TOM_ALERCE, "FACILITY_TIMEOUT": 0.3}
    answering(httpserver, **{"/api/proposals/P2026/": lambda request: over.wait(30) and Response("{}")})
    try:
        found = allowance.allowance(row)
    finally:
        over.set()
    assert "no usable answer" in found.problem
    assert (found.left, found.highest, found.contention) == ({}, None, None)


def test_a_portal_that_is_silent_at_the_check_is_asked_nothing_more(row, httpserver, monkeypatch):
    monkeypatch.setattr(allowance, "check", lambda row: Checked("draft", "not checked: silence"))
    assert allowance.allowance(row).problem == "not checked: silence"
    assert httpserver.log == []


@pytest.mark.parametrize("address", ["", "ftp://portal", None])
def test_a_facility_without_such_a_portal_is_not_asked(row, httpserver, settings, address):
    settings.FACILITIES = {"LCO": {"portal_url": address, "api_key": ""}}
    assert allowance.allowance(row) is None
    row.facility = "Nowhere"
    assert allowance.allowance(row) is None
