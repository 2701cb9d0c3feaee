"""When a series goes on and when it ends, whatever has become of its rounds."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followup.series import AT_ONCE, NEXT_DATE, NEXT_NIGHT, Known, Round, Rule, due, ending, failures, then, told

NOW = 60_000.0
RULE = Rule(every=3.0, most=9, until=NOW + 100.0)
SEEN, FAILED = Round(True, NOW - 0.3, NOW, NOW - 0.1), Round(False, NOW - 0.4, NOW)
RULES = st.builds(
    Rule,
    every=st.floats(0.02, 100.0),
    most=st.integers(1, 30),
    until=st.floats(NOW, NOW + 300.0),
    after_failure=st.sampled_from([AT_ONCE, NEXT_NIGHT, NEXT_DATE]),
    failures=st.integers(1, 5),
    observed=st.integers(0, 5),
)


@given(RULES, st.lists(st.booleans(), min_size=300, max_size=300), st.floats(0.0, 5.0))
def test_every_series_ends_within_its_bounds_whatever_happens(rule, outcomes, late):
    """Played to its end: no more rounds than allowed, none begins too late or before its time, and none overtakes the one before."""
    rounds, now = [Round(outcomes[0], NOW, NOW + 0.5, NOW + 0.2 if outcomes[0] else math.nan)], NOW + 0.5
    while True:
        at = due(rule, rounds, now)
        assert at >= now
        assert not rounds[-1].observed or at >= rounds[-1].at + rule.every
        if ending(rule, rounds, Known(), at):
            break
        seen = outcomes[len(rounds)]
        rounds.append(Round(seen, at, at + 0.4, at + 0.1 if seen else math.nan))
        assert at <= rule.until
        now = at + 0.4 + late
    assert len(rounds) <= rule.most
    assert failures(rounds) <= rule.failures
    assert not rule.observed or sum(one.observed for one in rounds) <= rule.observed


@pytest.mark.parametrize(
    ("rule", "rounds", "expected"),
    [
        (RULE, [SEEN], NOW + 2.9),
        (RULE, [replace(SEEN, at=math.nan)], NOW + 2.7),
        (RULE, [replace(SEEN, at=NOW - 50.0)], NOW),  # what was missed is not made up for
        (RULE, [FAILED], NOW + 0.6),
        (replace(RULE, after_failure=AT_ONCE), [FAILED], NOW),
        (replace(RULE, after_failure=NEXT_DATE), [FAILED], NOW + 2.6),
    ],
)
def test_the_next_round_has_its_time(rule, rounds, expected):
    assert due(rule, rounds, NOW) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("rule", "rounds", "known", "why"),
    [
        (RULE, [SEEN], Known(), ""),
        (replace(RULE, observed=2), [SEEN, FAILED, SEEN], Known(), "observed twice"),
        (RULE, [SEEN, FAILED, FAILED, FAILED], Known(), "3 rounds in a row have failed"),
        (replace(RULE, failures=1), [FAILED], Known(), "a round has failed"),
        (replace(RULE, most=2), [SEEN, FAILED], Known(), "2 rounds were asked for"),
        (replace(RULE, until=NOW), [SEEN], Known(), "last date"),
        (replace(RULE, classified=True), [SEEN], Known(classified="SN Ia at TNS"), "classified: SN Ia at TNS"),
        (RULE, [SEEN], Known(20.0, "SN Ia", NOW - 90.0), ""),
        (replace(RULE, fainter=19.5), [SEEN], Known(magnitude=20.04), "at 20.0 mag, fainter than 19.5"),
        (replace(RULE, fainter=19.5), [SEEN], Known(), ""),
        (replace(RULE, past_peak=10.0), [SEEN], Known(peaked=NOW - 7.0), ""),
        (replace(RULE, past_peak=10.0), [SEEN], Known(peaked=NOW - 7.2), "peak was more than 10 d ago"),
        (replace(RULE, past_peak=10.0), [SEEN], Known(), ""),
    ],
)
def test_each_condition_ends_it_and_says_so(rule, rounds, known, why):
    words = ending(rule, rounds, known, due(rule, rounds, NOW))
    assert (why in words) if why else not words


def test_what_follows_is_told():
    assert "again 3 d later" in then(RULE, [SEEN])
    assert "on the next night (failure 2 in a row, 3 end the series)" in then(RULE, [SEEN, FAILED, FAILED])
    words = told(Rule(0.25, 4, NOW, AT_ONCE, 2, 1, 19.0, True, 5.0))
    for part in ("every 6 h", "at most 4 rounds", "observed once", "19 mag", "classified", "5 d after its peak", "at once, 2 times"):
        assert part in words
