"""Exposure times against the CCD equation, and plans against what the night allows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from followup.exposure import FILTERS, STEPS, seconds, split
from followup.facilities.lco import INSTRUMENTS
from followup.plan import plan
from followup.rank import rank
from followup.records import Exposure, FollowupError, Limits
from followup.template import fill
from tests.followup.build import NOW, SITE, candidate, detections, night, outlook

SINISTRO = INSTRUMENTS["1M0-SCICAM-SINISTRO"]


@pytest.mark.parametrize("instrument", INSTRUMENTS.values(), ids=INSTRUMENTS)
@pytest.mark.parametrize("magnitude", [14.0, 18.0, 21.0])
def test_the_time_gives_the_signal_to_noise_that_was_asked_for(instrument, magnitude):
    name = next(iter(instrument.filters))
    wavelength, width, sky = FILTERS[instrument.filters[name]]
    t = seconds(instrument, name, magnitude, snr=25.0, sky_excess=3.0)
    # photons of an AB = 0 source: 1 Jy is 1.509e7 photons/s/m^2 per unit of ln(wavelength)
    zero = 3631 * 1.5091902e7 * (1 / instrument.resolution if instrument.resolution else width / wavelength)
    zero *= np.pi / 4 * instrument.diameter**2 * instrument.throughput
    n_pix = np.pi * (0.75 * instrument.seeing / instrument.pixel) ** 2
    signal = zero * 10 ** (-0.4 * magnitude) * t
    background = 3.0 * zero * 10 ** (-0.4 * sky) * instrument.pixel**2 * t
    assert signal / np.sqrt(signal + n_pix * (background + instrument.read_noise**2)) == pytest.approx(25.0, rel=1e-4)


def test_against_what_observers_get_with_a_one_metre():
    """A star of r = 19 takes about a minute for S/N 30 in a dark night with a 1-m telescope (LCO's exposure calculator: 0.5-2 min)."""
    assert 30 < seconds(SINISTRO, "rp", 19.0, 30.0) < 120


@given(st.floats(0.01, 20000))
def test_split_is_never_short_and_wastes_little(total):
    each, count = split(total)
    assert each in STEPS
    assert each * count >= total * (1 - 1e-12)
    assert count == 1 or each * count <= max(2.0 * total, total + STEPS[-1])


def many(n=5):
    return [candidate(str(i), ra=20.0 + 10 * i, dec=-20.0, rows=detections([17.0 + 0.3 * i], [1.0])) for i in range(n)]


def planned(candidates, terms=None, **options):
    tonight = night(candidates)
    return plan(rank(candidates, tonight, terms or {"brightness": 1.0, "visibility": 1.0}), candidates, tonight, **options), tonight


def test_requests_are_best_first_inside_the_visibility_and_the_same_again():
    candidates = many()
    requests, tonight = planned(candidates)
    assert len(requests) == 5
    assert [r.priority for r in requests] == sorted((r.priority for r in requests), reverse=True)
    for request in requests:
        i = int(request.target)
        inside = (tonight.times > request.start) & (tonight.times < request.end)
        assert (tonight.observable[i] <= inside).all()
        assert NOW - 1e-9 <= request.start < request.end
        assert request.night == tonight.date
        assert tonight.moon_separation[i][inside].min() >= request.min_lunar_distance
        assert {e.filter for e in request.exposures} == {"gp", "rp"}
    again, _ = planned(list(reversed(candidates)))
    assert [r.key for r in again] == [r.key for r in requests]
    assert len({r.key for r in requests}) == 5


def test_a_later_ranking_of_the_same_night_options_the_same():
    (request,), _ = planned(many(1))
    moved = replace(
        request, start=request.start + 0.01, priority=0.1, exposures=tuple(replace(e, seconds=300.0) for e in request.exposures)
    )
    assert moved.key == request.key
    assert replace(request, night="2026-11-23").key != request.key
    assert replace(request, exposures=(Exposure("rp", 10.0),)).key != request.key
    assert replace(request, target="other").key != request.key


def test_top_threshold_and_budget_bound_the_plan():
    candidates = many()
    assert [r.target for r in planned(candidates, top=2)[0]] == [r.target for r in planned(candidates)[0]][:2]
    scores = {r.target: r.priority for r in planned(candidates)[0]}
    middle = sorted(scores.values())[2]
    assert {r.target for r in planned(candidates, threshold=middle)[0]} == {t for t, s in scores.items() if s >= middle}
    assert planned(candidates, hours=0.0)[0] == []
    cheap, _ = planned(candidates, hours=0.2)
    cost = sum(SINISTRO.setup + sum(e.count * (e.seconds + SINISTRO.overhead) for e in r.exposures) for r in cheap)
    assert 0 < cost <= 0.2 * 3600


def test_vetoed_unseen_and_hopeless_targets_are_not_asked_for():
    candidates = [
        candidate("never", dec=85.0),
        candidate("unseen", rows=detections()),
        candidate("faint", rows=detections([26.0], [1.0])),
        candidate("good"),
    ]
    requests, _ = planned(candidates, {"youth": 1.0}, threshold=0.0)
    assert [r.target for r in requests] == ["good"]


def test_moonlight_and_faintness_take_longer():
    assert seconds(SINISTRO, "rp", 19.0, 20.0, 4.0) > seconds(SINISTRO, "rp", 19.0, 20.0) > seconds(SINISTRO, "rp", 18.0, 20.0)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"facility": "nowhere"}, "no plug-in"),
        ({"instrument": "none"}, "1M0-SCICAM-SINISTRO"),
        ({"filters": ("purple",)}, "no filter purple"),
        ({"instrument": "2M0-FLOYDS-SCICAM"}, "none given"),
    ],
)
def test_unknown_facilities_instruments_and_filters_are_refused(options, says):
    with pytest.raises(FollowupError, match=says):
        planned(many(1), **options)


def magnitudes(blue, red):
    """The quantiles of an outlook that stays as bright as that, in both families."""
    return np.broadcast_to(np.array([[blue], [red]])[..., None] + np.zeros((3, 31)), (1, 2, 3, 31))


def forecast_to(blue, red, supernova=0.9, **others):
    said = {"lightcurve": {"SNIa": supernova, "QSO": 1.0 - supernova}}
    return candidate(probabilities=said, outlook=replace(outlook(**others), magnitude=magnitudes(blue, red)))


def test_exposures_are_for_what_the_outlook_of_a_likely_supernova_says():
    """Its trend says 18.0 and falling; the outlook knows better, and its colour."""
    trend, faint, red = candidate(), forecast_to(20.0, 20.0), forecast_to(21.0, 18.5)
    options = {"filters": ("gp", "rp"), "hours": 20.0, "threshold": 0.0}

    def times(one):
        [request] = planned([one], {"visibility": 1.0}, **options)[0]
        return {e.filter: e.count * e.seconds for e in request.exposures}

    assert all(times(faint)[name] > 5.0 * times(trend)[name] for name in ("gp", "rp"))
    assert times(red)["gp"] > times(faint)["gp"]
    assert times(red)["rp"] < times(faint)["rp"]


@pytest.mark.parametrize("why", [{"supernova": 0.1}, {"doubt": [0.9]}, {"fallback": [True]}])
def test_an_outlook_that_is_not_believed_changes_no_exposure(why):
    (doubted,), _ = planned([forecast_to(21.0, 21.0, **why)], {"visibility": 1.0}, threshold=0.0)
    (trend,), _ = planned([candidate()], {"visibility": 1.0}, threshold=0.0)
    assert doubted.exposures == trend.exposures


def test_a_request_from_a_template_uses_the_outlook():
    def asked(one):
        return fill(one, SITE, [SITE], NOW, Limits(), facility="lco", filters=("rp",)).exposures[0]

    faint, trend = asked(forecast_to(20.5, 20.5)), asked(candidate())
    assert faint.count * faint.seconds > 5.0 * trend.count * trend.seconds
