"""Terms and vetoes that read the posterior of a light curve, or what people say."""

from __future__ import annotations

import numpy as np
import pytest

from followup.batch import Batch
from followup.coming import NIGHTS, coming, evening
from followup.plugged import term, veto
from followup.rank import rank
from followup.records import NEUTRAL, FollowupError, Mark
from followup.sites import SITES
from followup.visibility import ahead, night
from tests.followup.build import NOW, SITE, candidate, detections, outlook
from tests.followup.build import night as nights_of

SURE = {"stamp": {"SN": 1.0}}


def say(name, one, **parameters):
    scores = term(name, parameters)[0]([one], nights_of([one]))
    return float(scores.values[0]), scores.reasons[0]


def forbid(name, one, **parameters):
    vetoes = veto(name, parameters)([one], nights_of([one]))
    return float(vetoes.until[0]), vetoes.reasons[0]


def test_peak_is_the_chance_to_be_near_it_tonight():
    value, reason = say("peak", candidate(outlook=outlook(0.1, 2.0)))
    assert value == pytest.approx(0.9545, abs=0.02)  # 4 d are two sigma
    assert reason.endswith(", 95% within 4 d")
    assert say("peak", candidate(outlook=outlook(20.0)))[0] == 0.01
    value, reason = say("peak", candidate(outlook=outlook(-3.0, 1.0)), within=3.0)
    assert value == pytest.approx(0.4, abs=0.15)
    assert reason.startswith("peak 3.0 d ago (2.0 to 4.0)")
    assert say("peak", candidate())[0] == 0.25
    assert say("peak", candidate(), unknown=0.1) == (0.1, "no forecast of its peak")


def test_peak_says_when_its_outlook_is_not_reliable():
    assert say("peak", candidate(outlook=outlook(doubt=[1.2])))[1].endswith(", not reliable")


def test_peak_weighs_the_classes_by_what_classifiers_say_of_them():
    late = outlook(0.0)
    cdf = late.peak_cdf.copy()
    cdf[0, 1:] = 0.0  # any other class is far from its peak
    mixed = outlook(0.0, peak_cdf=cdf, classes=(0.5, 0.5, 0.0, 0.0))
    whole = say("peak", candidate(outlook=late))[0]
    assert say("peak", candidate(outlook=mixed))[0] == pytest.approx(whole / 2, rel=1e-3)
    sure = candidate(outlook=mixed, probabilities={"lightcurve": {"SNIa": 0.9, "SNII": 0.1}})
    assert say("peak", sure)[0] == pytest.approx(0.9 * whole, rel=1e-3)
    assert say("peak", sure, classes={"SNIa": 1.0})[0] == pytest.approx(whole, rel=1e-3)
    assert say("peak", sure, classes={"SNII": 1.0})[0] == 0.01


def test_urgency_is_what_is_lost_by_waiting():
    assert say("urgency", candidate(outlook=outlook(0.0)))[0] == pytest.approx(1.0, abs=0.02)
    value, reason = say("urgency", candidate(outlook=outlook(8.0, 2.0)))
    assert value == pytest.approx(0.05)
    assert reason.startswith("3% near its peak tonight, 95% on ")
    falling, why = say("urgency", candidate(outlook=outlook(-3.0)))
    assert falling == 1.0
    assert why.startswith(f"no better night among the next {NIGHTS}")
    assert say("urgency", candidate()) == (NEUTRAL, "no forecast of its peak")


def test_what_is_never_up_again_is_urgent():
    ra, dec, day = np.arange(0.0, 360.0, 0.25), np.full(1440, -20.0), NOW - 0.2
    tonight = night(SITE, ra, dec, day)
    [setting, *_] = np.flatnonzero(tonight.observable.any(axis=1) & (ahead(tonight, ra, dec, NIGHTS)[1] == 0.0).all(axis=1))
    one = [candidate(ra=ra[setting], outlook=outlook(10.0, now=day))]
    scores = term("urgency", 1.0)[0](one, nights_of(one, now=day))
    assert (scores.values[0], scores.reasons[0]) == (1.0, "not up on any of the next 14 nights")
    assert np.isnan(veto("waiting", {})(one, nights_of(one, now=day)).until[0])


def test_waiting_gives_the_date_on_which_it_is_better():
    until, reason = forbid("waiting", candidate(outlook=outlook(8.0, 2.0)))
    day = evening(SITE, until + 0.5)
    assert NOW + 3 < until < NOW + 8
    assert reason.startswith(f"better on {day}: ")
    assert reason.endswith("% near its peak then, 3% tonight")
    for free in (candidate(outlook=outlook(0.0)), candidate(outlook=outlook(-8.0)), candidate()):
        assert np.isnan(forbid("waiting", free)[0])
    assert np.isnan(forbid("waiting", candidate(outlook=outlook(4.0, 3.0)), least=0.3)[0])


def test_waiting_leaves_free_what_no_night_deserves():
    past = candidate(outlook=outlook(-12.0, 2.0))
    assert np.isnan(forbid("waiting", past)[0])
    until, reason = forbid("waiting", past, floor=0.3)
    assert np.isposinf(until)
    assert "near its peak tonight" in reason
    assert np.isnan(forbid("waiting", candidate(outlook=outlook(0.0, 2.0)), floor=0.3)[0])


def test_waiting_leaves_a_slot_free_and_is_listed_after_the_others():
    early, now = candidate("1", outlook=outlook(9.0)), candidate("2", outlook=outlook(0.5))
    ranking = rank([early, now], nights_of([early, now]), {"peak": 1.0}, {"waiting": {}})
    assert ranking.keys == ("2", "1")
    assert ranking.scores[1] == 0.0 < ranking.merit[1]
    assert ranking.vetoes["waiting"].reasons[1].startswith("better on ")


def test_the_coming_nights_are_up_as_the_night_itself_will_say():
    ra, dec = np.arange(0.0, 360.0, 15.0), np.full(24, -20.0)
    for site in (SITE, SITES["Palomar"], SITES["Siding Spring"]):
        tonight = night(site, ra, dec, NOW)
        middles, hours = ahead(tonight, ra, dec, 5)
        for k, mjd in enumerate(middles.tolist()):
            then = night(site, ra, dec, mjd - 0.45)
            assert then.times.min() < mjd < then.times.max()
            np.testing.assert_allclose(hours[:, k], then.hours, atol=1.2)


def test_coming_nights_are_worked_out_once_for_a_site():
    batch = Batch.of([candidate(outlook=outlook())])
    tonight = nights_of(batch)
    assert coming(batch, tonight, 4.0, {"SNIa": 1.0}) is coming(batch, tonight, 4.0, {"SNIa": 1.0, "AGN": 3.0})
    assert coming(batch, tonight, 4.0, {"SNII": 1.0}) is not coming(batch, tonight, 4.0, {"SNIa": 1.0})


def test_information_is_the_entropy_of_what_it_decides():
    unsure = {"lightcurve": {"SNIa": 0.2, "SNIbc": 0.2, "SNII": 0.2, "SLSN": 0.2, "AGN": 0.2}}
    value, reason = say("information", candidate(probabilities=unsure))
    assert value == pytest.approx(1.0)
    assert reason == "a spectrum would decide between SNIa 20% and SNIbc 20%"
    assert say("information", candidate(probabilities={"lightcurve": {"SNIa": 1.0}}))[0] == 0.02
    assert say("information", candidate(probabilities={"lightcurve": {"RRL": 0.5, "E": 0.5}}))[0] == 0.02
    assert say("information", candidate(probabilities=unsure, classified=True)) == (0.02, "its class is known")
    assert say("information", candidate()) == (NEUTRAL, "nothing is known of its class")
    two = {"lightcurve": {"SNIa": 0.5, "AGN": 0.5}}
    assert say("information", candidate(probabilities=two), decides=["SNIa"])[0] == pytest.approx(1.0)


def test_information_divides_a_supernova_by_its_outlook():
    value, reason = say("information", candidate(probabilities=SURE, outlook=outlook(classes=(0.5, 0.0, 0.5, 0.0))))
    assert value == pytest.approx(np.log(2) / np.log(5))
    assert reason == "a spectrum would decide between SNIa 50% and SNII 50%"


def test_youth_counts_from_the_explosion_of_a_likely_supernova():
    one = candidate(rows=detections([19.0], [3.0]), probabilities=SURE, outlook=outlook(8.0))
    assert say("youth", one) == (pytest.approx(0.5), "first seen 3.0 d ago, exploded 10.0 d ago")
    assert say("youth", one, since="detection")[1] == "first seen 3.0 d ago"
    star = candidate(rows=detections([19.0], [3.0]), probabilities={"stamp": {"VS": 1.0}}, outlook=outlook(8.0))
    assert say("youth", star)[1] == "first seen 3.0 d ago"
    with pytest.raises(FollowupError, match="since 'explosion' or 'detection'"):
        say("youth", one, since="birth")


def test_brightness_is_that_of_the_forecast_of_a_reliable_outlook():
    value, reason = say("brightness", candidate(probabilities=SURE, outlook=outlook(magnitude=17.0)))
    assert (value, reason) == (pytest.approx(3.5 / 4.5), "r = 17.0 (16.8 to 17.2) forecast tonight")
    for other in (outlook(magnitude=17.0, doubt=[0.9]), outlook(magnitude=17.0, fallback=[True]), outlook(magnitude=np.nan)):
        assert "forecast" not in say("brightness", candidate(probabilities=SURE, outlook=other))[1]
    assert "forecast" not in say("brightness", candidate(outlook=outlook(magnitude=17.0)))[1]


def test_cadence():
    assert say("cadence", candidate()) == (1.0, "not observed yet")
    assert say("cadence", candidate(observed=NOW - 1.0)) == (pytest.approx(0.2), "observed 1.0 d ago")
    assert say("cadence", candidate(observed=NOW - 9.0))[0] == 1.0
    assert say("cadence", candidate(observed=NOW + 1.0))[0] == 1.0


def test_pin():
    pinned = candidate(marks=(Mark("note", "Eve", "x"), Mark("pin", "Ada", "for the thesis"), Mark("pin", "Bob", until=NOW - 1)))
    assert say("pin", pinned) == (1.0, "pinned by Ada: for the thesis")
    assert say("pin", candidate()) == (NEUTRAL, "not pinned")


@pytest.mark.parametrize(
    ("marks", "until", "reason"),
    [
        ((), np.nan, "nobody has set it aside"),
        ((Mark("pin", "Ada"), Mark("note", "Ada", "x")), np.nan, "nobody has set it aside"),
        ((Mark("veto", "Ada", "a star"),), np.inf, "vetoed by Ada: a star"),
        ((Mark("snooze", "Ada", "", NOW + 3),), NOW + 3, "put off by Ada until Wed 25 Nov"),
        ((Mark("snooze", "Ada", "", NOW - 3),), np.nan, "nobody has set it aside"),
        (
            (Mark("claim", "Bob", "NTT", NOW + 5), Mark("snooze", "Ada", "", NOW + 3)),
            NOW + 5,
            "claimed by Bob until Fri 27 Nov: NTT; put off",
        ),
    ],
)
def test_people_set_aside(marks, until, reason):
    got, why = forbid("person", candidate(marks=marks))
    np.testing.assert_equal(got, until)
    assert why.startswith(reason)


def test_ones_own_claim_does_not_count():
    claimed = candidate(marks=(Mark("claim", "Bob", "", NOW + 5),))
    assert np.isnan(forbid("person", claimed, author="Bob")[0])
    assert np.isnan(forbid("person", claimed, claims=False)[0])
    assert forbid("person", claimed, author="Ada")[0] == NOW + 5


def test_faint_and_when_no_longer():
    assert forbid("faint", candidate(rows=detections([21.0], [0.5]))) == (np.inf, "r = 21.0, beyond the limit of 20.5")
    assert np.isnan(forbid("faint", candidate())[0])
    assert np.isnan(forbid("faint", candidate(rows=detections()))[0])
    table = np.broadcast_to(21.0 - 0.1 * np.arange(31.0), (1, 2, 3, 31))
    rising = candidate(rows=detections([21.2], [0.5]), probabilities=SURE, outlook=_rising(table))
    until, reason = forbid("faint", rising)
    assert until == pytest.approx(NOW + 5.0)
    assert reason == f"r = 21.0 (21.0 to 21.0) forecast tonight, beyond the limit of 20.5 until {evening(SITE, until)}"


def _rising(table):
    parts = outlook()
    return type(parts)(**{name: getattr(parts, name) for name in parts.__slots__} | {"magnitude": table})


def test_bright():
    assert forbid("bright", candidate(), limit=19.0)[0] == np.inf
    assert np.isnan(forbid("bright", candidate())[0])
    assert np.isnan(forbid("bright", candidate(rows=detections()), limit=19.0)[0])


def test_moving():
    once, asteroid = detections([19.0], [1.0]), {"stamp": {"asteroid": 0.95, "SN": 0.05}}
    assert forbid("moving", candidate(rows=once, probabilities=asteroid))[0] == np.inf
    assert np.isnan(forbid("moving", candidate(probabilities=asteroid))[0])
    assert np.isnan(forbid("moving", candidate(rows=once))[0])
    assert forbid("moving", candidate(rows=once), once=True) == (np.inf, "seen once only, by ZTF: may be moving")


def test_plane_observable_and_classified():
    assert forbid("plane", candidate(ra=266.4, dec=-28.9)) == (np.inf, "0 deg from the Galactic plane")
    assert np.isnan(forbid("plane", candidate(ra=192.9, dec=27.1))[0])
    assert forbid("observable", candidate(dec=85.0)) == (np.inf, "never above airmass 2 in what is left of the dark")
    assert forbid("observable", candidate(ra=70.0), hours=12.0)[1].endswith("h left above airmass 2, less than 12 h")
    assert forbid("classified", candidate(classified=True)) == (np.inf, "has a spectroscopic class")
