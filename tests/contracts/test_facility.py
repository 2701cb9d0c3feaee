"""Contract of a facility (`followup.records.Facility`), over every facility found and one of a third party."""

from __future__ import annotations

import contextlib
import inspect
import json
import time
from dataclasses import replace
from datetime import datetime, timezone

import pytest
from django.core.checks import run_checks
from django.test import override_settings

from broker_adapters import plugins
from followup.exposure import FILTERS, Instrument
from followup.plan import PACKAGE, load_facility, plan
from followup.rank import rank
from followup.records import Exposure, FollowupError
from followup.sites import SITES
from tests.contracts.documented import documented
from tests.followup.build import candidate, night
from tom_alerce import conf
from tom_alerce.models import FollowupRequest
from tom_alerce.requests import rounds
from tom_alerce.requests.facilities import facility_of

FACILITIES = (*plugins.names(PACKAGE), "tests.contracts.third_party.facility", documented("facility"))


@pytest.fixture(params=FACILITIES)
def name(request):
    return request.param


@pytest.fixture
def facility(name):
    return load_facility(name)


def planned(name, **options):
    """The request that a plan makes of this facility for a bright object."""
    one = [candidate("17")]
    tonight = night(one)
    (request,) = plan(rank(one, tonight), one, tonight, facility=name, threshold=0.0, **options)
    return request


def requests(name, facility):
    """A request for every filter of every instrument."""
    base = planned(name)
    for instrument, camera in facility.INSTRUMENTS.items():
        for element in camera.filters:
            yield replace(base, instrument=instrument, exposures=(Exposure(element, 60.0, 2),))


def test_the_module_names_the_facility_of_the_tom_and_says_what_it_is(facility):
    assert (facility.__doc__ or "").strip()
    assert (facility.payload.__doc__ or "").strip()
    assert isinstance(facility.FACILITY, str)
    assert 0 < len(facility.FACILITY) <= 64


def test_every_instrument_has_what_an_exposure_time_needs(facility):
    assert facility.INSTRUMENTS
    for camera in facility.INSTRUMENTS.values():
        assert isinstance(camera, Instrument)
        assert min(camera.diameter, camera.throughput, camera.pixel, camera.seeing) > 0.0
        assert min(camera.read_noise, camera.overhead, camera.setup, camera.resolution) >= 0.0
        assert camera.filters
        assert set(camera.filters.values()) <= set(FILTERS)
        assert set(camera.default_filters) <= set(camera.filters)


def test_a_plan_needs_no_instrument_and_no_filters(name, facility):
    request = planned(name)
    default = getattr(facility, "DEFAULT_INSTRUMENT", next(iter(facility.INSTRUMENTS)))
    assert request.instrument == default
    assert tuple(e.filter for e in request.exposures) == facility.INSTRUMENTS[default].default_filters
    assert request.facility == name


def test_the_payload_is_plain_json_with_what_the_tom_asks_for(name, facility):
    for request in requests(name, facility):
        data = facility.payload(request, target_id=17)
        assert json.loads(json.dumps(data, allow_nan=False)) == data
        assert data["target_id"] == 17
        assert data["observation_type"]
        assert data["name"]
        assert facility.payload(request, target_id=17) == data


def test_the_key_of_the_request_travels_with_it(name, facility):
    request = planned(name)
    assert request.key[:16] in facility.payload(request)["name"]
    other = replace(request, night="2026-11-23")
    assert other.key[:16] in facility.payload(other)["name"]
    assert facility.payload(other)["name"] != facility.payload(request)["name"]


def moments(data):
    """Every date and time in form data, in UTC; those without a zone are UTC."""
    if isinstance(data, str):
        try:
            moment = datetime.fromisoformat(data)
        except ValueError:
            return []
        return [moment.replace(tzinfo=moment.tzinfo or timezone.utc).astimezone(timezone.utc)]
    inner = data.values() if isinstance(data, dict) else data if isinstance(data, (list, tuple)) else ()
    return [moment for value in inner for moment in moments(value)]


@pytest.mark.parametrize("zone", ["UTC", "America/Santiago", "Pacific/Auckland"])
def test_times_are_utc_wherever_the_computer_is(name, facility, zone, monkeypatch):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        data = facility.payload(replace(planned(name), start=61367.0, end=61367.25))
        read = facility.asked(data) if hasattr(facility, "asked") else None
    finally:
        monkeypatch.undo()
        time.tzset()
    if read is not None:
        assert (read.start, read.end) == (61367.0, 61367.25)
    else:
        assert sorted(moments(data)) == [datetime(2026, 11, 23, hour, tzinfo=timezone.utc) for hour in (0, 6)]


def test_what_a_request_asks_for_can_be_read_back(name, facility):
    if not hasattr(facility, "asked"):
        pytest.skip("this facility does not read its form data")
    for request in requests(name, facility):
        data = json.loads(json.dumps(facility.payload(request, target_id=17)))
        asked = facility.asked(data)
        assert asked.instrument == request.instrument
        assert [e.filter for e in asked.exposures] == [e.filter for e in request.exposures]
        assert sum(e.seconds * e.count for e in asked.exposures) == 120.0
        assert abs(asked.start - request.start) < 1.01 / 1440.0
        assert abs(asked.end - request.end) < 1.01 / 1440.0
        assert asked.max_airmass >= request.max_airmass
        assert asked.hours(facility.INSTRUMENTS) > 0.03


#: What a person, or a broken page, may put in the place of any value.
NONSENSE = ("", "<script>", None, -1, 1e400, [], {}, "2026-13-45", "9" * 40)


def test_form_data_that_make_no_sense_are_a_followup_error(name, facility):
    if not hasattr(facility, "asked"):
        pytest.skip("this facility does not read its form data")
    data = facility.payload(planned(name), target_id=17)
    for key in data:
        for value in NONSENSE:
            with contextlib.suppress(FollowupError):
                facility.asked({**data, key: value})
        with contextlib.suppress(FollowupError):
            facility.asked({k: v for k, v in data.items() if k != key})


def test_sites_of_instruments_are_known(facility):
    for instrument, sites in getattr(facility, "SITES", {}).items():
        assert instrument in facility.INSTRUMENTS
        assert set(sites) <= set(SITES)


def test_what_the_facility_cannot_do_is_a_followup_error(name, facility):
    with pytest.raises(FollowupError):
        facility.payload(replace(planned(name), instrument="no such instrument"))


def test_options_are_keywords_with_defaults_that_the_settings_can_give(name, facility):
    first, *options = inspect.signature(facility.payload).parameters.values()
    assert first.name == "request"
    assert all(p.kind is p.KEYWORD_ONLY and p.default is not p.empty for p in options)
    assert {p.name: p.default for p in options}["target_id"] is None
    shared = set(inspect.signature(plan).parameters) & {p.name for p in options}
    assert not shared, "an option of the plan and of the payload would be one setting"
    given = conf.options(facility.payload)
    assert set(given) == {p.name for p in options} - {"target_id"}
    with override_settings(TOM_ALERCE={"FACILITY": {"name": name, **given}}):
        serious = [message for message in run_checks(tags=["tom_alerce"]) if message.is_serious()]
        assert serious == []
        assert facility_of(facility.FACILITY) is facility


def test_the_check_says_in_words_what_is_wrong_and_changes_nothing(name, facility):
    if not hasattr(facility, "check"):
        pytest.skip("this facility has no check")
    data = facility.payload(planned(name))
    before = json.dumps(data)
    problems = facility.check(data)
    assert json.dumps(data) == before
    assert not isinstance(problems, str)
    assert all(isinstance(problem, str) and problem.strip() for problem in problems)


def test_the_next_round_of_a_series_is_the_same_for_another_night_with_every_edit(name, facility):
    for request in requests(name, facility):
        data = facility.payload(request, target_id=17)
        last = FollowupRequest(facility=facility.FACILITY, key=request.key, target_id=17, payload=data)
        if rounds.repeatable(last):
            continue
        given = facility.asked(data)
        later = replace(request, start=request.start + 3.0, end=request.end + 3.0, occasion="series 1, round 2")
        again = rounds.payload(facility, last, later)
        assert again == facility.payload(later, target_id=17)
        field = next((one for one in ("ipp_value", "max_seeing", "poserr") if one in data), None)
        if field is not None:
            last.payload = data | {field: data[field] + 0.125}
            assert rounds.payload(facility, last, later)[field] == data[field] + 0.125
            assert facility.asked(rounds.payload(facility, last, later)).exposures == given.exposures
