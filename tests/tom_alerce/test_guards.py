"""Guards as pure functions of a case: what stops, what passes, and what they say."""

from __future__ import annotations

import inspect
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from broker_adapters import plugins
from followup.asked import RAPID_RESPONSE, Asked
from followup.exposure import reached, seconds
from followup.facilities.fake import INSTRUMENTS
from followup.network import Sky, skies, window
from followup.records import Exposure, Limits
from followup.sites import SITES
from tests.followup.build import NOW
from tom_alerce.requests.case import Case, Claim, Other, Spent
from tom_alerce.requests.guards import (
    brightness,
    budget,
    by_hand,
    claimed,
    classified,
    hour_angle,
    instrument,
    moon,
    quiet,
    rapid,
    requested,
    visible,
)

GUARDS = "tom_alerce.requests.guards"
ASKED = Asked("CAMERA", (Exposure("r", 60.0, 2),), NOW, NOW + 0.3, 2.0, 20.0)


def sky(n=10, **columns):
    """A site at which the object is high, the Moon is up and far, and the hour angle small, for an hour."""
    columns = {"altitude": 60.0, "moon_separation": 80.0, "moon_altitude": 40.0, "hour_angle": 1.0, "days": 6 / 1440} | columns
    times = NOW + np.arange(n) * 6 / 1440
    return Sky(SITES["Cerro Tololo"], times, **{name: np.full(n, value) for name, value in columns.items()}, moon_illumination=0.5)


def case(asked=ASKED, **changes):
    base = Case(
        now=NOW, asked=asked, camera=INSTRUMENTS.get(asked.instrument), instruments=tuple(INSTRUMENTS), hours=asked.hours(INSTRUMENTS),
        skies=(sky(),), in_space=False, by_hand='', magnitude=18.0, classes={"stamp": {"SN": 0.9, "AGN": 0.1}}, classified="", spectra=0,
        others=(), claims=(), spent=Spent(),
    )  # fmt: skip
    return replace(base, **changes)


SPECTRUM = replace(ASKED, instrument="SPECTROGRAPH", exposures=(Exposure("slit", 300.0, 3),))
RAPID = replace(ASKED, mode=RAPID_RESPONSE)
OTHER = Other("LCO", ASKED, "submitted", "yours")
LOW = sky(altitude=20.0)

#: Guard, case, parameters, and a word of the reason.
STOPPED = [
    (visible, case(replace(ASKED, start=math.nan, end=math.nan)), {}, "not known"),
    (instrument, case(replace(ASKED, instrument="")), {}, "not known"),
    (visible, case(skies=(LOW,)), {}, "airmass 2"),
    (visible, case(skies=(sky(n=1),), hours=0.5), {}, "6 min at most, and the observation takes 30 min"),
    (visible, case(replace(ASKED, end=NOW - 0.1)), {}, "over"),
    (visible, case(replace(ASKED, start=NOW + 1.0)), {}, "empty"),
    (moon, case(skies=(sky(moon_separation=12.0), LOW)), {}, "12° from the Moon"),
    (hour_angle, case(skies=(sky(hour_angle=5.0),), camera=replace(INSTRUMENTS["CAMERA"], hour_angle=4.6)), {}, "4.6 h"),
    (requested, case(others=(OTHER,)), {}, "LCO CAMERA, submitted, yours"),
    (requested, case(SPECTRUM, others=(OTHER,)), {"any_instrument": True}, "submitted"),
    (requested, case(SPECTRUM, others=(replace(OTHER, spectrum=True),)), {}, "requested already"),
    (classified, case(SPECTRUM, classified="SN 2026abc"), {}, "SN 2026abc"),
    (classified, case(SPECTRUM, spectra=2), {}, "2 spectra"),
    (classified, case(classified="SN 2026abc"), {"imaging": True}, "SN 2026abc"),
    (claimed, case(claims=(Claim("ana", NOW + 1.0), Claim("ben", math.nan))), {}, "claimed by ana until 2026-11-24 01:59 UTC, by ben"),
    (brightness, case(magnitude=7.0), {}, "too bright"),
    (brightness, case(magnitude=24.0), {}, "too faint"),
    (budget, case(spent=Spent(night=1.0)), {"night": 1.0}, "left of the night"),
    (budget, case(replace(ASKED, proposal="TOM1"), spent=Spent(proposal=9.99)), {"proposal": 10.0}, "the proposal TOM1"),
    (budget, case(spent=Spent(person=1.0)), {"person": 1.0}, "your night"),
    (quiet, case(), {"start": "22:00", "end": "07:00", "zone": "America/Santiago"}, "it is 22:59"),
    (quiet, case(), {"start": "01:00", "end": "02:00"}, "it is 01:59"),
    (by_hand, case(by_hand="ESO takes blocks from P2"), {}, "P2"),
    (instrument, case(replace(ASKED, instrument="TOASTER")), {}, "no instrument 'TOASTER'"),
    (instrument, case(replace(ASKED, exposures=(Exposure("Halpha", 60.0),))), {}, "no Halpha"),
    (instrument, case(classes={"stamp": {"asteroid": 0.8, "SN": 0.2}}), {}, "asteroid (0.80)"),
    (instrument, case(), {"suited": {"SN": ["SPECTROGRAPH"]}}, "SPECTROGRAPH would suit"),
    (rapid, case(RAPID), {}, "not allowed"),
    (rapid, case(RAPID, spent=Spent(rapid=1)), {"allowed": True}, "1 rapid-response request was sent"),
    (rapid, case(replace(RAPID, start=NOW + 0.1)), {"allowed": True}, "begins later"),
    (rapid, case(replace(RAPID, end=NOW + 2.0)), {"allowed": True}, "ends later"),
]
PASSED = [
    (visible, case(skies=(LOW, sky())), {}, "Cerro Tololo 1.0 h"),
    (visible, case(skies=(), in_space=True), {}, "space"),
    (moon, case(skies=(LOW,)), {}, "no site"),
    (moon, case(skies=(sky(moon_separation=5.0, moon_altitude=-3.0),)), {}, "5°"),
    (hour_angle, case(camera=replace(INSTRUMENTS["CAMERA"], hour_angle=4.6)), {}, "within"),
    (requested, case(SPECTRUM, others=(OTHER,)), {}, "1 under way"),
    (requested, case(others=(replace(OTHER, joins=True),)), {}, "joined with"),
    (requested, case(others=(replace(OTHER, spectrum=True, asked=SPECTRUM),)), {}, "1 under way"),
    (requested, case(others=(replace(OTHER, asked=replace(ASKED, start=NOW + 1, end=NOW + 2)),)), {}, "other times"),
    (classified, case(classified="SN 2026abc", spectra=3), {}, "no spectrum is asked"),
    (brightness, case(magnitude=math.nan), {}, "not known"),
    (budget, case(spent=Spent(night=0.5)), {"night": 1.0}, "0.50 h asked"),
    (quiet, case(), {"start": "22:00", "end": "01:00"}, "22:00 to 01:00"),
    (rapid, case(RAPID), {"allowed": True}, "within the rules"),
    (rapid, case(), {}, "no rapid"),
]  # fmt: skip


@pytest.mark.parametrize(("guard", "given", "parameters", "word"), STOPPED)
def test_a_guard_stops_and_says_why(guard, given, parameters, word):
    passed, reason = guard.guard(given, **parameters)
    assert not passed
    assert word in reason


@pytest.mark.parametrize(("guard", "given", "parameters", "word"), PASSED)
def test_a_guard_lets_pass_and_says_what_it_looked_at(guard, given, parameters, word):
    passed, reason = guard.guard(given, **parameters)
    assert passed
    assert word in reason


@pytest.fixture(params=plugins.names(GUARDS))
def guard(request):
    return plugins.load(GUARDS, request.param)


def test_every_guard_is_documented_and_has_parameters_that_the_settings_can_give(guard):
    assert guard.__doc__
    assert guard.guard.__doc__
    first, *rest = inspect.signature(guard.guard).parameters.values()
    assert first.name == "case"
    assert all(p.kind is p.KEYWORD_ONLY and p.default is not p.empty for p in rest)
    assert isinstance(getattr(guard, "OVERRIDABLE", True), bool)


@pytest.mark.parametrize("given", [case(), case(SPECTRUM), case(skies=()), case(replace(ASKED, exposures=())), case(classes={"stamp": {}})])
def test_every_guard_answers_every_case_in_words_and_twice_the_same(guard, given):
    passed, reason = guard.guard(given)
    assert isinstance(passed, bool)
    assert reason
    assert "nan" not in reason
    assert guard.guard(given) == (passed, reason)


def test_every_guard_has_a_case_that_it_stops_and_one_that_it_passes():
    assert {one.__name__.rsplit(".", 1)[1] for one, *_ in STOPPED} == set(plugins.names(GUARDS))


def test_a_network_sees_over_its_sites_what_one_site_does_not():
    """Tololo and Siding Spring are half a day apart: together they see longer, and later, than one."""
    chile, australia = SITES["Cerro Tololo"], SITES["Siding Spring"]
    seen = skies([chile, australia], 40.0, -20.0, NOW, NOW + 0.8)
    limits, camera = Limits(), INSTRUMENTS["CAMERA"]
    both, one = window(seen, limits, camera), window(seen[:1], limits, camera)
    assert both is not None
    assert one is not None
    assert both[0] == one[0]
    assert both[1] > one[1] + 0.2
    assert NOW - 0.01 <= both[0] < both[1] <= NOW + 0.81


def test_a_window_of_several_nights_is_seen_in_each():
    (seen,) = skies([SITES["Cerro Tololo"]], 40.0, -20.0, NOW, NOW + 3.0)
    nights = np.flatnonzero(np.diff(seen.times) > 0.3)
    assert len(nights) == 3 - 1 + (seen.times[-1] > NOW + 2.6)
    assert (np.diff(seen.times) > 0).all()
    assert seen.times[-1] < NOW + 3.0


def test_what_never_rises_has_no_window_and_a_summer_at_the_pole_has_no_night():
    seen = skies([SITES["Cerro Tololo"]], 40.0, 85.0, NOW, NOW + 1.0)
    assert window(seen, Limits(), INSTRUMENTS["CAMERA"]) is None
    south_pole = replace(SITES["Cerro Tololo"], name="Pole", latitude=-89.9)
    (dayless,) = skies([south_pole], 40.0, -85.0, NOW, NOW + 5.0)
    assert len(dayless.times) == 0
    assert skies([], 40.0, 0.0, NOW, NOW + 1.0) == ()


def test_exposures_made_for_a_signal_to_noise_reach_it():
    camera = INSTRUMENTS["CAMERA"]
    total = seconds(camera, "r", 19.0, 20.0, 3.0)
    assert reached(camera, "r", 19.0, total, 1, 3.0) == pytest.approx(20.0)
    assert reached(camera, "r", 19.0, total / 4, 4, 3.0) < 20.0  # each is read on its own


def test_the_documentation_has_every_guard_and_says_whether_it_may_be_overridden():
    page = (Path(__file__).parents[2] / "docs" / "submission.md").read_text()
    rows = {m[1]: m[2] for m in re.finditer(r"^\| `(\w+)` \|.*\| (yes|no) \|$", page, re.MULTILINE)}
    assert set(rows) == set(plugins.names(GUARDS))
    for name, told in rows.items():
        module = plugins.load(GUARDS, name)
        assert told == ("yes" if getattr(module, "OVERRIDABLE", True) else "no")
        (row,) = [line for line in page.splitlines() if line.startswith(f"| `{name}` |")]
        assert set(re.findall(r"`(\w+)`", row)) >= set(inspect.signature(module.guard).parameters) - {"case"}
