"""What each term of the ranking says; their common contract is in ``tests/contracts/test_term.py``."""

from __future__ import annotations

import numpy as np
import pytest

from broker_adapters.records import Kind, blank, frozen
from classifiers.taxonomy import STAMP
from followup.brightness import detections_until, trend
from followup.plugged import term as load
from followup.records import NEUTRAL
from followup.terms.probability import UNKNOWN
from tests.followup.build import NOW, candidate, detections, night


def say(name, one, **parameters):
    scores = load(name, parameters)[0]([one], night([one]))
    return scores.values[0], scores.reasons[0]


def test_probability_is_the_geometric_mean_of_what_is_expected_of_each_classifier():
    value, reason = say("probability", candidate(probabilities={"stamp": {"SN": 0.9, "VS": 0.1}, "lightcurve": {"SNIa": 0.4, "QSO": 0.6}}))
    assert value == pytest.approx(np.sqrt((0.9 + 0.1 * 0.1) * (0.4 + 0.6 * 0.2)))
    assert reason == "SN 0.90 by stamp, QSO 0.60 by lightcurve"


def test_probability_knows_the_words_of_brokers_and_takes_other_interests():
    one = candidate(probabilities={"sherlock": {"CV": 1.0}})
    assert say("probability", one)[0] == pytest.approx(0.5)
    assert say("probability", one, interest={"cv": 1.0})[0] == pytest.approx(1.0)
    assert say("probability", one, interest={"SNIa": 1.0})[0] == pytest.approx(0.01)


@pytest.mark.parametrize("label", ["bogus", "asteroid"])
def test_bogus_and_asteroids_are_pushed_down_but_not_vetoed(label):
    assert 0 < say("probability", candidate(probabilities={"stamp": {label: 1.0}}))[0] <= 0.0101


def test_an_opinion_without_a_probability_is_shown_and_does_not_count():
    one = candidate(probabilities={"sherlock": {"SN": float("nan")}})
    assert say("probability", one) == (UNKNOWN, "SN by sherlock")
    both = candidate(probabilities={"sherlock": {"SN": float("nan")}, "stamp": {"SN": 0.8, "VS": 0.2}})
    assert say("probability", both)[0] == pytest.approx(0.82)


def test_the_unclassified_are_as_one_of_whom_a_classifier_has_no_idea():
    assert say("probability", candidate()) == (UNKNOWN, "not classified")
    no_idea = candidate(probabilities={"stamp": dict.fromkeys(STAMP, 0.2)})
    assert say("probability", no_idea)[0] == pytest.approx(UNKNOWN, abs=0.02)
    assert say("probability", candidate(probabilities={"stamp": {"VS": 1.0}}))[0] < UNKNOWN
    assert say("probability", candidate(), unknown=0.5)[0] == 0.5


def test_brightness_follows_the_trend_to_now():
    rising = candidate(rows=detections([18.6, 18.4, 18.2, 18.0], [4.0, 3.0, 2.0, 1.0]))
    value, reason = say("brightness", rising)
    assert reason == "r = 17.8 now, rising 0.20 mag/d"
    assert value == pytest.approx((20.5 - 17.8) / 4.5, abs=1e-6)
    value, reason = say("brightness", candidate(rows=detections([18.0, 18.3], [2.0, 1.0])), bright=15, faint=20)
    assert reason == "r = 18.6 now, fading 0.30 mag/d"
    assert value == pytest.approx((20 - 18.6) / 5, abs=1e-6)
    assert say("brightness", candidate(rows=detections([18.0, 18.0], [2.0, 1.0])))[1] == "r = 18.0 now, steady"


def test_brightness_of_the_too_faint_the_old_and_the_unseen():
    assert say("brightness", candidate(rows=detections([21.0], [0.5]))) == (0.02, "r = 21.0")
    value, reason = say("brightness", candidate(rows=detections([15.0], [25.0])))
    assert (value, reason) == (NEUTRAL, "r = 15.0 when last seen 25 d ago")
    assert say("brightness", candidate(rows=detections())) == (NEUTRAL, "no detection yet, brightness unknown")


def test_a_negative_difference_is_judged_by_the_total():
    rows = detections([18.0], [1.0]).copy()
    rows["flux"] *= -1
    assert "unknown" in say("brightness", candidate(rows=frozen(rows)))[1]
    rows["ref_flux"] = -10 * rows["flux"]
    assert say("brightness", candidate(rows=frozen(rows)))[1] == f"r = {18.0 - 2.5 * np.log10(9):.1f}"


def test_what_has_been_below_its_reference_is_judged_by_totals_alone():
    """An RR Lyrae star about the brightness that it has in the reference: nothing rises when its difference changes sign."""
    rows = detections([18.0, 18.0, 18.0, 18.0], [4.0, 3.0, 2.0, 1.0]).copy()
    step = rows["flux"][0]
    rows["flux"], rows["ref_flux"] = np.array([-step, step, step, -step]), 20.0 * step
    assert say("brightness", candidate(rows=frozen(rows)))[1] == f"r = {18.0 - 2.5 * np.log10(20.0):.1f} now, steady"
    rows["ref_flux"][1:] = np.nan  # whoever sees it without a reference cannot tell how bright it is
    assert say("brightness", candidate(rows=frozen(rows)))[1] == f"r = {18.0 - 2.5 * np.log10(19.0):.1f}"


def test_a_dipole_without_a_flux_is_no_faint_source():
    """Rubin's alerts of badly subtracted galaxies have a signal to noise of 10 and a flux of 0.2 sigma."""
    rows = detections([18.0, 18.0], [2.0, 1.0]).copy()
    rows["flux"][1], rows["flux_err"][1] = 0.5, 35.0
    assert say("brightness", candidate(rows=frozen(rows)))[1] == "r = 18.0"
    value, reason = say("brightness", candidate(rows=frozen(rows[1:])))
    assert (value, "unknown" in reason) == (NEUTRAL, True)


def with_forced(alerts, flux, days_ago, shift=0.0):
    """Those rows, and forced photometry of that flux (nJy, error 500) so many days ago."""
    forced = blank(len(flux))
    forced["survey"], forced["band"], forced["kind"], forced["flux_err"] = "ztf", "r", Kind.FORCED, 500.0
    forced["source_id"] = [f"forced{i}" for i in range(len(flux))]
    forced["flux"], forced["mjd"] = flux, NOW - np.array(days_ago) + shift
    return frozen(np.concatenate([alerts, forced]))


@pytest.mark.parametrize("shift", [0.0, -1e-5, 1e-5])
def test_an_exposure_counts_once(shift):
    """Alert and forced photometry of one exposure are one measurement, whose error does not shrink by being repeated."""
    alerts = detections([18.6, 18.4, 18.2, 18.0], [4.0, 3.0, 2.0, 1.0])
    doubled = with_forced(alerts, alerts["flux"] * 1.02, [4.0, 3.0, 2.0, 1.0], shift)
    assert detections_until(doubled, NOW)["source_id"].tolist() == alerts["source_id"].tolist()
    assert trend(doubled, NOW) == trend(alerts, NOW)
    twice = with_forced(alerts, [1e5, 1e5], [6.0, 6.0])  # two survey objects of one source, each with its forced photometry
    assert len(detections_until(twice, NOW)) == 5


def test_forced_photometry_before_the_first_alert_tells_the_age():
    alerts = detections([18.0], [1.0])
    assert say("youth", candidate(rows=with_forced(alerts, [100.0, 4000.0], [8.0, 3.0])))[1] == "first seen 3.0 d ago, not 5.0 d before"
    hole = with_forced(alerts, [-9000.0], [40.0])  # below the reference, where no alert has been: it shines in the reference
    assert say("youth", candidate(rows=hole))[1] == "first seen 1.0 d ago, not 39.0 d before"
    below = alerts.copy()
    below["flux"] *= -1.0
    assert say("youth", candidate(rows=with_forced(below, [-9000.0], [40.0])))[1] == "first seen 40.0 d ago"


def test_what_is_measured_after_now_is_not_known_now():
    rows = detections([18.0, 15.0], [1.0, -1.0])
    assert say("brightness", candidate(rows=rows))[1] == "r = 18.0"
    assert say("youth", candidate(rows=detections([15.0], [-1.0])))[0] == NEUTRAL


def test_visibility():
    assert say("visibility", candidate(dec=85.0)) == (0.01, "not up tonight")
    value, reason = say("visibility", candidate(ra=70.0))
    assert 0.5 < value <= 1.0
    assert reason.startswith("transits in ")
    assert reason.endswith("h left above airmass 2")


def test_youth_halves_and_mentions_the_last_time_it_was_not_there():
    value, reason = say("youth", candidate(rows=detections([19.0], [10.0], limits=[11.5])))
    assert value == pytest.approx(0.5)
    assert reason == "first seen 10.0 d ago, not 1.5 d before"
    assert say("youth", candidate(rows=detections([19.0], [3.0], limits=[3.05])))[1] == "first seen 3.0 d ago, not 1.2 h before"
    assert say("youth", candidate(rows=detections([19.0], [3.0])), half=3.0) == (pytest.approx(0.5), "first seen 3.0 d ago")
    assert say("youth", candidate(rows=detections([19.0], [4000.0])))[0] == pytest.approx(0.05)


def test_only_a_look_that_would_have_found_it_limits_the_age():
    """As in SN 2026asx, first seen by ZTF in r: the image in g of that very night, and shallow ones since, say nothing."""
    rows = detections([19.0], [3.0], limits=[3.02, 4.0, 5.0, 9.0]).copy()
    rows["band"] = ["r", "r", "r", "g", "r"]  # in time order, the detection last
    rows["band"][-2] = "g"
    rows["flux_err"][2] = rows["flux"][-1] / 4.9
    assert say("youth", candidate(rows=frozen(rows))) == (pytest.approx(0.5**0.3), "first seen 3.0 d ago, not 2.0 d before")
    rows["flux_err"][:-1] *= 10.0
    assert say("youth", candidate(rows=frozen(rows)))[1] == "first seen 3.0 d ago"


def test_a_night_may_have_a_midnight_in_it():
    rows = detections([19.0, 19.0, 19.0], [1.2, 1.1, 1.0], now=61367.1)
    assert say("confirmation", candidate(rows=rows))[1] == "seen 3 times in 1 night by ZTF"
    rows = detections([19.0, 19.0, 19.0], [2.2, 1.1, 1.0], now=61367.1)
    assert say("confirmation", candidate(rows=rows))[1] == "seen 3 times in 2 nights by ZTF"


def test_what_was_seen_again_in_its_place_is_confirmed():
    few = candidate(rows=detections([19.0, 19.0], [0.02, 0.01]))
    assert say("confirmation", few) == (0.1, "seen 2 times, all within an hour, by ZTF: may be moving")
    value, reason = say("confirmation", candidate(rows=detections([19.0, 19.0, 19.0], [2.0, 1.0, 0.99])))
    assert (value, reason) == (0.775, "seen 3 times in 2 nights by ZTF (2 times an hour or more apart)")
    assert say("confirmation", candidate(rows=detections()))[0] == NEUTRAL


def test_an_object_is_as_old_as_its_survey_says():
    """A variable star of which the packet has the last two days."""
    old = candidate(rows=detections([19.0, 19.0], [1.7, 1.6]), first_seen=NOW - 1805.0, n_seen=112)
    assert say("youth", old) == (0.05, "first seen 1805.0 d ago, here since 1.7 d")
    value, reason = say("confirmation", old)
    assert value == pytest.approx(1.0, abs=1e-3)
    assert reason == "seen 112 times since 2021-12-14 by ZTF"


def test_one_detection_here_of_sixteen_is_no_moving_object():
    one = candidate(rows=detections([19.0], [1.7]), first_seen=NOW - 1800.0, n_seen=16)
    assert say("confirmation", one)[1] == "seen 16 times since 2021-12-19 by ZTF"
    assert say("confirmation", candidate(rows=detections([19.0], [1.7]), first_seen=NOW - 1.7, n_seen=1))[0] == 0.1


def test_many_detections_within_minutes_are_one():
    burst = candidate(rows=detections([19.0], [1.0]), first_seen=NOW - 1.02, n_seen=30)
    assert say("confirmation", burst) == (0.1, "seen once only, by ZTF: may be moving")
    evening = candidate(rows=detections([19.0], [1.0]), first_seen=NOW - 1.1, n_seen=30)
    assert say("confirmation", evening)[0] == pytest.approx(1.0 - 0.9 / 9)


def test_what_is_seen_elsewhere_alone_has_an_age_and_a_count():
    known = candidate(rows=detections(), first_seen=NOW - 20.0, n_seen=5)
    assert say("youth", known) == (0.25, "first seen 20.0 d ago, nothing of it here")
    assert say("confirmation", known)[1].startswith("seen 5 times since")
    assert say("youth", candidate(rows=detections()))[0] == NEUTRAL


def test_a_ranking_of_an_earlier_night_knows_nothing_of_the_later_ones():
    rows = detections([19.0, 19.0], [1.7, -3.0])
    assert say("youth", candidate(rows=rows, first_seen=NOW + 2.0, n_seen=9))[1] == "first seen 1.7 d ago"
    assert say("confirmation", candidate(rows=rows, first_seen=NOW - 30.0, n_seen=9)) == (0.1, "seen once only, by ZTF: may be moving")


def test_oddness():
    assert say("oddness", candidate()) == (NEUTRAL, "not known how odd")
    assert say("oddness", candidate(oddness=0.97)) == (0.97, "odder than 97% of its kind")
    assert say("oddness", candidate(oddness=0.0))[0] > 0.0


def test_novelty():
    assert say("novelty", candidate())[0] == 1.0
    assert say("novelty", candidate(classified=True), known=0.4) == (0.4, "has a spectroscopic class")


def test_moonlight_costs_less_far_from_a_moon_that_is_less_full():
    def cost(now, ra):
        one = candidate(ra=ra, dec=-30.0)
        return load("moon", 1.0)[0]([one], night([one], now=now)).values[0]

    full, new = 61368.1, 61383.1
    assert cost(new, 40.0) == pytest.approx(1.0, abs=0.01)
    assert 0.05 < cost(full, 50.0) < cost(full, 350.0) < 0.6
    assert "Moon below the horizon" in say_at(new)


def say_at(now):
    one = candidate()
    return load("moon", 1.0)[0]([one], night([one], now=now)).reasons[0]


def test_dissent_of_brokers_is_worth_a_spectrum():
    ours = {"lightcurve": {"SNIa": 0.9, "SNII": 0.1}}
    score, reason = say("dissent", candidate(probabilities=ours | {"alerce lc_classifier": {"AGN": 0.7, "SNIa": 0.3}}))
    assert (score, reason) == (1.0, "we say SNIa 90% (lightcurve), but AGN 70% (alerce lc_classifier)")
    assert say("dissent", candidate(probabilities=ours | {"alerce stamp": {"SN": 0.8}}))[0] == 0.3
    assert say("dissent", candidate(probabilities=ours)) == (0.5, "nobody else is sure of a class")
    assert say("dissent", candidate()) == (0.5, "our classifiers say nothing")
