"""The night plan: never two things at once, never out of sight, never worse than greedy, and what each choice costs."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followup import slots
from followup.blocks import DAY, RATE, Telescope
from followup.night import greedy, solve
from followup.plan import planned_requests, telescope
from followup.rank import rank
from followup.records import Exposure, FollowupError
from followup.sites import SITES
from followup.visibility import night as nights
from tests.followup.build import NOW, candidate, detections, night

PLACES = ("Cerro Tololo", "Sutherland", "Siding Spring")


def field(seed, n, sites=PLACES, hours=math.inf, longest=4000.0):
    """n targets, and telescopes with random scores and lengths."""
    random = np.random.default_rng(seed)
    ra, dec = random.uniform(0, 360, n), random.uniform(-80, 30, n)
    made = []
    for name in sites:
        seen = nights(SITES[name], ra, dec, NOW)
        seconds = np.where(random.random(n) < 0.1, np.nan, random.uniform(200.0, longest, n))
        scores = np.where(random.random(n) < 0.1, 0.0, random.uniform(0.05, 1.0, n))
        can = np.isfinite(seconds)
        reasons = tuple("" if one else "its brightness is not known" for one in can)
        exposures = tuple((Exposure("rp", 100.0),) if one else () for one in can)
        made.append(Telescope("fake", "camera", seen, seen.observable, seconds, scores, exposures, reasons, hours))
    return made, ra, dec


def apart(ra, dec, i, j):
    a, b = np.radians([ra[i], dec[i]]), np.radians([ra[j], dec[j]])
    cosine = np.sin(a[1]) * np.sin(b[1]) + np.cos(a[1]) * np.cos(b[1]) * np.cos(a[0] - b[0])
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def judge(plan, telescopes, ra, dec, most=math.inf, without=()):
    """Whatever made it, a plan keeps to the laws of the night."""
    assert len({b.target for b in plan.blocks}) == len(plan.blocks) <= most
    assert set(plan.left) == set(range(len(ra))) - {b.target for b in plan.blocks}
    assert all(plan.left.values())
    assert not {b.target for b in plan.blocks} & set(without)
    for m, one in enumerate(telescopes):
        blocks = plan.of(m)
        assert sum(one.seconds[b.target] for b in blocks) <= one.hours * 3600.0 + 1e-3
        for b in blocks:
            assert (b.end - b.start) * DAY == pytest.approx(one.seconds[b.target], abs=0.01)
            half = one.night.step / 2.0
            during = (one.night.times + half > b.start + 1e-9) & (one.night.times - half < b.end - 1e-9)
            assert during.any()
            assert one.within[b.target][during].all()
            assert one.night.times[0] - half - 1e-9 <= b.start < b.end <= one.night.times[-1] + half + 1e-9
            assert 0.0 < b.value <= one.scores[b.target]
        for one_block, next_block in pairwise(blocks):
            slew = apart(ra, dec, one_block.target, next_block.target) / RATE
            assert (next_block.start - one_block.end) * DAY >= slew - 0.05


@settings(max_examples=25)
@given(
    st.integers(0, 10_000),
    st.integers(0, 25),
    st.integers(1, 3),
    st.sampled_from([0.0, 1.0, 4.0, math.inf]),
    st.sampled_from([900.0, 9000.0]),
    st.sampled_from([0, 3, math.inf]),
)
def test_the_laws_of_the_night_and_never_worse_than_greedy(seed, n, m, hours, longest, most):
    telescopes, ra, dec = field(seed, n, PLACES[:m], hours, longest)
    simple = greedy(telescopes, ra, dec, most=most)
    solved = solve(telescopes, ra, dec, most=most)
    for plan in (simple, solved):
        judge(plan, telescopes, ra, dec, most)
    assert solved.value >= simple.value - 1e-9
    assert list(solve(telescopes, ra, dec, most=most).blocks) == list(solved.blocks), "the same again"


@pytest.mark.parametrize("seed", range(4))
def test_sixty_targets_at_three_sites_come_close_to_the_relaxation(seed):
    telescopes, ra, dec = field(seed, 60)
    plan = solve(telescopes, ra, dec)
    judge(plan, telescopes, ra, dec)
    assert plan.value >= 0.93 * plan.relaxed
    assert plan.value >= greedy(telescopes, ra, dec).value


def test_where_it_matters_it_is_much_better_than_greedy():
    """One long observation of the best target against five short ones that are worth more together."""
    telescopes, ra, dec = field(1, 6, PLACES[:1])
    (one,) = telescopes
    within = np.zeros_like(one.within)
    within[:, :20] = True
    seconds = np.array([20.0, 3.5, 3.5, 3.5, 3.5, 3.5]) * one.night.step * DAY
    one = replace(one, within=within, seconds=seconds, scores=np.array([1.0, 0.6, 0.6, 0.6, 0.6, 0.6]), reasons=("",) * 6)
    ra, dec = np.full(6, 40.0), np.full(6, -20.0)
    assert len(greedy([one], ra, dec).blocks) == 1
    assert sorted(b.target for b in solve([one], ra, dec).blocks) == [1, 2, 3, 4, 5]


def test_a_setting_target_goes_first():
    """Two of equal worth, of which one sets early: it is observed before the other, also by greedy."""
    telescopes, _, _ = field(1, 2, PLACES[:1])
    (one,) = telescopes
    within = np.ones_like(one.within)
    within[1, 12:] = False
    one = replace(one, within=within, seconds=np.full(2, 8.0 * one.night.step * DAY), scores=np.array([0.9, 0.8]), reasons=("", ""))
    ra, dec = np.full(2, 40.0), np.full(2, -20.0)
    plan = solve([one], ra, dec)
    assert [b.target for b in plan.blocks] == [1, 0]


def test_what_is_forced_is_in_and_what_is_left_out_is_out_and_both_cost():
    telescopes, ra, dec = field(3, 40, PLACES[:1])
    plan = solve(telescopes, ra, dec)
    done = {b.target for b in plan.blocks}
    possible = [i for i in plan.left if "worth more" in plan.left[i]]
    assert possible
    forced = solve(telescopes, ra, dec, forced={possible[0]})
    judge(forced, telescopes, ra, dec)
    assert possible[0] in {b.target for b in forced.blocks}
    assert forced.value <= plan.value * 1.01
    best = max(plan.blocks, key=lambda b: b.value).target
    without = solve(telescopes, ra, dec, without={best})
    judge(without, telescopes, ra, dec, without={best})
    assert "by hand" in without.left[best]
    assert without.value < plan.value
    assert (plan.price[sorted(done)] >= -1e-9).all()
    assert (plan.price[possible] >= -1e-9).all()


def test_a_price_is_no_more_than_the_loss_in_the_relaxation():
    telescopes, ra, dec = field(5, 30, PLACES[:1])
    plan = solve(telescopes, ra, dec)
    for block in plan.blocks[:5]:
        again = solve(telescopes, ra, dec, without={block.target})
        assert plan.price[block.target] <= plan.relaxed - again.relaxed + 1e-6


def test_nothing_to_do_is_no_error():
    telescopes, ra, dec = field(1, 0)
    assert solve(telescopes, ra, dec).blocks == ()
    bright = nights(
        SITES["Cerro Tololo"], np.array([40.0]), np.array([-20.0]), NOW, replace(telescopes[0].night.limits, sun_altitude=-89.0)
    )
    empty = Telescope("fake", "camera", bright, bright.observable, np.array([np.nan]), np.ones(1), ((),), ("no dark time",))
    assert solve([empty], np.array([40.0]), np.array([-20.0])).left == {0: "no dark time"}


def test_telescopes_of_other_targets_are_refused():
    telescopes, ra, dec = field(1, 3)
    with pytest.raises(FollowupError, match="same targets"):
        solve(telescopes, ra[:2], dec[:2])


def test_from_a_ranking_to_requests():
    candidates = [
        *(candidate(str(i), ra=20.0 + 10 * i, dec=-20.0, rows=detections([17.0 + 0.3 * i], [1.0])) for i in range(5)),
        candidate("never", dec=85.0),
        candidate("unseen", rows=detections()),
        candidate("faint", rows=detections([27.0], [1.0])),
    ]
    tonight = night(candidates)
    made = telescope(rank(candidates, tonight, vetoes={"observable": {}}), candidates, tonight)
    plan = solve([made], np.array([c.ra for c in candidates]), np.array([c.dec for c in candidates]))
    reasons = {candidates[i].key: reason for i, reason in plan.left.items()}
    assert reasons["never"].startswith("observable: never above airmass 2")
    assert reasons["unseen"] == "its brightness is not known"
    assert reasons["faint"] == "it is not observable for long enough"
    requests = planned_requests(plan, candidates)
    assert [r.target for r in requests] == [candidates[b.target].key for b in plan.blocks]
    assert len(requests) == 5
    for request, block in zip(requests, plan.blocks, strict=True):
        assert request.start - 1e-9 <= block.start < block.end <= request.end + 1e-9


def test_slots_and_runs():
    within = np.array([True, True, False, True, True, True])
    assert slots.starts(within, 2).tolist() == [0, 3, 4]
    assert slots.starts(within, 0).tolist() == slots.starts(within, 7).tolist() == []
    assert list(slots.runs(within)) == [(0, 2), (3, 6)]
    assert slots.lengths(np.array([1.0, 60.0, 61.0, np.nan]), 60.0).tolist() == [1, 1, 2, 0]
